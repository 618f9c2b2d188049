use bytes::Bytes;

use super::*;

/// A drain with a clock of its own, and an inbox that is a list.
struct Play {
    drain: Drain,
    now: Instant,
    wall: SystemTime,
    live: usize,
    inbox: Vec<Pending>,
    in_hand: Vec<Uuid>,
    wishes: Vec<Settled>,
}

fn pending(number: u128) -> Pending {
    Pending {
        cursor: Cursor::at(number as i64),
        id: Uuid::from_u128(number),
        received_at: SystemTime::UNIX_EPOCH,
        due_at: SystemTime::UNIX_EPOCH,
        attempt: 0,
        status: None,
        size: 4,
        head: Bytes::new(),
        body: Some(Bytes::from_static(b"paid")),
    }
}

impl Play {
    fn new(ordered: bool, count: u128) -> Self {
        Self {
            drain: Drain::new(ordered),
            now: Instant::now(),
            wall: SystemTime::UNIX_EPOCH + Duration::from_hours(24),
            live: 0,
            inbox: (1..=count).map(pending).collect(),
            in_hand: Vec::new(),
            wishes: Vec::new(),
        }
    }

    fn advance(&mut self, time: Duration) {
        self.now += time;
        self.wall += time;
    }

    /// Runs fetches until there is something else to do.
    fn step(&mut self) -> Step {
        loop {
            match self.drain.next(self.now, self.wall, self.live) {
                Step::Fetch(after) => {
                    let due = |one: &&Pending| one.cursor > after && (self.drain.ordered || one.due_at <= self.wall);
                    let page: Vec<_> = self.inbox.iter().filter(due).take(3).cloned().collect();
                    let in_hand = self.in_hand.clone();
                    self.drain.fetched(page, |id| !in_hand.contains(&id));
                }
                step => return step,
            }
        }
    }

    /// Starts all that may be started.
    fn start(&mut self) -> Vec<u128> {
        let mut started = Vec::new();
        while let Step::Deliver(pending) = self.step() {
            started.push(pending.id.as_u128());
        }
        started
    }

    fn finish(&mut self, number: u128, finish: Finish) {
        let id = Uuid::from_u128(number);
        if let Some(settled) = self.drain.finished(id, finish, self.now, self.wall, 0.5) {
            match settled {
                Settled::Retry { at, attempt, status } => {
                    let one = self.inbox.iter_mut().find(|one| one.id == id).unwrap();
                    (one.due_at, one.attempt, one.status) = (at, attempt, status);
                }
                _ => self.inbox.retain(|one| one.id != id),
            }
            self.wishes.push(settled);
            self.drain.settled(id);
        }
    }
}

#[test]
fn held_webhooks_go_out_in_order_and_a_few_at_once() {
    let mut play = Play::new(false, 20);
    assert_eq!(play.start(), (1..=8).collect::<Vec<_>>());
    play.finish(3, Finish::Took);
    play.finish(1, Finish::Took);
    assert_eq!(play.start(), [9, 10]);
    play.live = DENSE;
    play.finish(2, Finish::Took);
    assert_eq!(play.start(), [0; 0], "live webhooks first");
    for number in 4..=10 {
        play.finish(number, Finish::Took);
    }
    assert_eq!(play.start(), [11], "but it never stands still");
    play.live = 0;
    assert_eq!(play.start(), (12..=18).collect::<Vec<_>>());
    for number in 11..=18 {
        play.finish(number, Finish::Took);
    }
    play.start();
    play.finish(19, Finish::Took);
    play.finish(20, Finish::Took);
    assert!(matches!(play.step(), Step::Idle));
    assert!(play.inbox.is_empty());
}

#[test]
fn what_fails_comes_again_on_schedule_and_holds_up_nobody() {
    let mut play = Play::new(false, 2);
    assert_eq!(play.start(), [1, 2]);
    play.finish(1, Finish::Failed(Some(500)));
    play.finish(2, Finish::Took);
    assert_eq!(
        play.wishes[0],
        Settled::Retry { at: play.wall + Duration::from_secs(5), attempt: 1, status: Some(500) }
    );
    assert!(matches!(play.step(), Step::Idle));
    play.drain.look_again();
    assert!(matches!(play.step(), Step::Idle), "not due yet");
    play.advance(Duration::from_secs(5));
    play.drain.look_again();
    assert_eq!(play.start(), [1]);
    play.finish(1, Finish::Failed(None));
    assert!(matches!(play.wishes[2], Settled::Retry { attempt: 2, status: None, .. }));
}

#[test]
fn after_the_last_attempt_a_webhook_is_parked() {
    let mut play = Play::new(false, 1);
    play.inbox[0].attempt = schedule::ATTEMPTS - 1;
    assert_eq!(play.start(), [1]);
    play.finish(1, Finish::Failed(Some(400)));
    let parked =
        Settled::Parked { reason: ParkReason::Attempts, at: play.wall, attempt: schedule::ATTEMPTS, status: Some(400) };
    assert_eq!(play.wishes, [parked]);
}

#[test]
fn an_absent_app_costs_no_attempts_and_is_asked_with_one() {
    let mut play = Play::new(false, 10);
    assert_eq!(play.start().len(), 8);
    for number in 1..=8 {
        play.finish(number, Finish::Absent);
    }
    assert!(play.wishes.is_empty());
    for rest in [1, 2, 4, 8, 16, 30, 30] {
        let until = play.now + Duration::from_secs(rest);
        assert!(matches!(play.step(), Step::Wait(Some(when)) if when == until), "{rest}");
        play.advance(Duration::from_secs(rest));
        assert_eq!(play.start(), [1], "the first in order, alone");
        play.finish(1, Finish::Absent);
    }
    // A live webhook got through.
    play.drain.end_rest();
    assert_eq!(play.start(), (1..=8).collect::<Vec<_>>());
    assert_eq!(play.inbox[0].attempt, 0);
    play.finish(1, Finish::Absent);
    play.advance(REST);
    for number in 2..=8 {
        play.finish(number, Finish::Failed(Some(500)));
    }
    assert!(!play.drain.is_resting(), "an app that fails is there");
}

#[test]
fn in_order_means_that_the_first_holds_up_the_rest() {
    let mut play = Play::new(true, 3);
    assert_eq!(play.start(), [1]);
    play.finish(1, Finish::Failed(Some(503)));
    assert!(matches!(play.step(), Step::Wait(Some(when)) if when == play.now + Duration::from_secs(5)));
    play.advance(Duration::from_secs(5));
    assert_eq!(play.start(), [1]);
    play.finish(1, Finish::Took);
    assert_eq!(play.start(), [2]);
    play.finish(2, Finish::Took);
    play.in_hand.push(Uuid::from_u128(3));
    play.inbox.push(pending(4));
    play.drain.look_again();
    assert!(matches!(play.step(), Step::Idle), "another is with the app");
    play.in_hand.clear();
    play.drain.look_again();
    assert_eq!(play.start(), [3]);
}

#[test]
fn what_somebody_else_delivers_is_left_to_them() {
    let mut play = Play::new(false, 3);
    play.in_hand.push(Uuid::from_u128(2));
    assert_eq!(play.start(), [1, 3]);
    // Answered, and the inbox has not heard of it: it must not go out again.
    let settled = play.drain.finished(Uuid::from_u128(1), Finish::Took, play.now, play.wall, 0.5);
    assert_eq!(settled, Some(Settled::Delivered));
    play.drain.look_again();
    assert_eq!(play.start(), [0; 0]);
}

#[test]
fn a_lost_session_ends_it_once_all_is_told() {
    let mut play = Play::new(false, 3);
    assert_eq!(play.start(), [1, 2, 3]);
    play.finish(2, Finish::Lost);
    assert!(matches!(play.step(), Step::Wait(None)));
    play.finish(1, Finish::Took);
    play.finish(3, Finish::Lost);
    assert!(matches!(play.step(), Step::End));
    assert_eq!(play.inbox.iter().map(|one| one.attempt).collect::<Vec<_>>(), [0, 0]);
}

// A relay whose clock was a month ahead for a while put webhooks off by a month.
#[test]
fn what_a_wrong_clock_put_off_is_delivered_at_once() {
    for ordered in [false, true] {
        let mut play = Play::new(ordered, 0);
        let put_off = Pending { due_at: play.wall + Duration::from_hours(30 * 24), ..pending(1) };
        play.drain.fetched(vec![put_off], |_| true);
        assert!(matches!(play.drain.next(play.now, play.wall, 0), Step::Deliver(_)), "ordered: {ordered}");

        let mut play = Play::new(ordered, 0);
        let waits = Pending { due_at: play.wall + LONGEST_WAIT, ..pending(1) };
        play.drain.fetched(vec![waits], |_| true);
        assert!(matches!(play.drain.next(play.now, play.wall, 0), Step::Wait(Some(_))), "ordered: {ordered}");
    }
}

//! Who answers the sender of a webhook: what a client wishes, within what the operator allows.

use std::time::Duration;

use hookwire_protocol::hello::{Agreed, Answer, WhenAway, Wishes};

/// How long `hybrid` waits for the app unless the client says otherwise: Razorpay, Shopify and Paddle give up after 5 s
/// (razorpay.com/docs/webhooks; shopify.dev/docs/apps/build/webhooks; developer.paddle.com/webhooks/respond-to-webhooks), and 0.5 s is for the way and the disk.
pub const DEADLINE: Duration = Duration::from_millis(4500);

/// The shortest deadline: below it hardly an app answers over a tunnel, and everything would be late.
const SHORTEST_DEADLINE: Duration = Duration::from_millis(100);

/// How an endpoint's webhooks are answered. Cheap to copy: every request has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) who: Who,
    /// How long `Hybrid` waits for the head of the app's answer.
    pub(crate) deadline: Duration,
    /// Whether a webhook that can't be brought to the app now is held, or refused.
    pub(crate) hold: bool,
    /// One webhook at a time, in the order they came.
    pub(crate) ordered: bool,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    App,
    Relay,
    Hybrid,
}

impl Who {
    /// The word used on command lines and in lists.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Relay => "relay",
            Self::Hybrid => "hybrid",
        }
    }
}

/// What the operator allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Whether the relay can write webhooks down.
    pub(crate) inbox: bool,
    /// The longest deadline: a webhook that waits takes memory, and a place among the connections.
    pub(crate) max_deadline: Duration,
}

impl Policy {
    /// The app answers, or the sender is refused: what clients have that wish nothing, and relays that keep nothing.
    pub(crate) const PASS_ON: Self = Self { who: Who::App, deadline: DEADLINE, hold: false, ordered: false };

    /// What comes of a client's wishes. Whoever wishes nothing knows of no other way than the app's own answer.
    pub(crate) fn agree(wishes: Option<&Wishes>, bounds: Bounds) -> Self {
        let Some(wishes) = wishes.filter(|_| bounds.inbox) else { return Self::PASS_ON };
        let who = match wishes.answer {
            Some(Answer::App) => Who::App,
            Some(Answer::Relay) => Who::Relay,
            _ => Who::Hybrid,
        };
        let hold = match wishes.when_away {
            Some(WhenAway::Hold) => true,
            Some(WhenAway::Refuse) => false,
            // Who asks for the app's own answers wants to see the gateway retry.
            _ => who != Who::App,
        };
        let deadline = wishes.deadline_ms.map_or(DEADLINE, |wish| Duration::from_millis(wish.into()));
        let deadline = deadline.clamp(SHORTEST_DEADLINE, bounds.max_deadline.max(SHORTEST_DEADLINE));
        Self { who, deadline, hold, ordered: wishes.ordered }
    }

    /// Whether a webhook can end up in the inbox at all.
    pub(crate) fn keeps(&self) -> bool {
        self.who != Who::App || self.hold
    }

    /// As the client is told.
    pub(crate) fn agreed(&self) -> Agreed {
        Agreed {
            answer: match self.who {
                Who::App => Answer::App,
                Who::Relay => Answer::Relay,
                Who::Hybrid => Answer::Hybrid,
            },
            deadline_ms: u32::try_from(self.deadline.as_millis()).unwrap_or(u32::MAX),
            when_away: if self.hold { WhenAway::Hold } else { WhenAway::Refuse },
            ordered: self.ordered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { inbox: true, max_deadline: Duration::from_secs(30) };

    fn agree(wishes: Wishes) -> Policy {
        Policy::agree(Some(&wishes), BOUNDS)
    }

    #[test]
    fn who_wishes_nothing_in_particular_gets_the_hybrid() {
        let policy = agree(Wishes::default());
        let hybrid = Policy { who: Who::Hybrid, deadline: DEADLINE, hold: true, ordered: false };
        assert_eq!(policy, hybrid);
        assert_eq!(
            agree(Wishes { answer: Some(Answer::Other), when_away: Some(WhenAway::Other), ..Wishes::default() }),
            hybrid
        );
        assert!(policy.keeps());
    }

    #[test]
    fn an_old_client_and_a_relay_that_keeps_nothing_pass_on() {
        let all = Wishes { answer: Some(Answer::Relay), when_away: Some(WhenAway::Hold), ..Wishes::default() };
        assert_eq!(Policy::agree(None, BOUNDS), Policy::PASS_ON);
        assert_eq!(Policy::agree(Some(&all), Bounds { inbox: false, ..BOUNDS }), Policy::PASS_ON);
        assert!(!Policy::PASS_ON.keeps());
    }

    #[test]
    fn the_apps_own_answers_come_without_holding_unless_it_is_asked_for() {
        let app = Wishes { answer: Some(Answer::App), ..Wishes::default() };
        assert_eq!(agree(app), Policy::PASS_ON);
        let held = agree(Wishes { when_away: Some(WhenAway::Hold), ..app });
        assert!(held.hold && held.keeps());
        assert!(!agree(Wishes { when_away: Some(WhenAway::Refuse), ..Wishes::default() }).hold);
    }

    #[test]
    fn the_deadline_stays_within_bounds() {
        let deadline = |wish| agree(Wishes { deadline_ms: Some(wish), ..Wishes::default() }).deadline.as_millis();
        assert_eq!([deadline(0), deadline(9_000), deadline(u32::MAX)], [100, 9_000, 30_000]);
        let narrow = Bounds { max_deadline: Duration::ZERO, ..BOUNDS };
        assert_eq!(Policy::agree(Some(&Wishes::default()), narrow).deadline, SHORTEST_DEADLINE);
    }

    #[test]
    fn the_client_is_told_what_counts() {
        let agreed = agree(Wishes { answer: Some(Answer::Relay), ordered: true, ..Wishes::default() }).agreed();
        assert_eq!((agreed.answer, agreed.when_away), (Answer::Relay, WhenAway::Hold));
        assert_eq!((agreed.deadline_ms, agreed.ordered), (4_500, true));
    }
}

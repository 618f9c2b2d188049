//! What became of the webhooks that came while there was no session.

use std::time::{Duration, SystemTime};

use hookwire_capture::{Backlog, Gap, Update};
use hookwire_protocol::hello;

/// Puts together what the relay tells of its backlog: how far it is, and a report of each gap once all that it held was tried.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    open: Option<Gap>,
    /// Delivered of the open gap in sessions before this one.
    delivered: u64,
    told: Backlog,
}

impl Gaps {
    /// A session begins. `lost_at` is when our last one ended, if there was one. What is there to be told.
    pub(crate) fn connected(
        &mut self,
        backlog: Option<&hello::Backlog>,
        lost_at: Option<SystemTime>,
        now: SystemTime,
    ) -> Vec<Update> {
        // A relay that holds nothing has nothing to report.
        let Some(backlog) = backlog else { return Vec::new() };
        let away = backlog.away_ms.and_then(|away| now.checked_sub(Duration::from_millis(away)));
        let worth_it = lost_at.is_some() || backlog.held + backlog.refused > 0;
        if let Some(gap) = &mut self.open {
            self.delivered = gap.delivered;
            gap.to = now;
            gap.held = self.delivered + backlog.held;
            gap.lost += backlog.refused;
        } else if let Some(from) = lost_at.or(away).filter(|_| worth_it) {
            self.delivered = 0;
            self.open = Some(Gap { from, to: now, held: backlog.held, delivered: 0, lost: backlog.refused });
        }
        self.notice(backlog)
    }

    /// The relay says how far it is.
    pub(crate) fn notice(&mut self, backlog: &hello::Backlog) -> Vec<Update> {
        let mut updates = Vec::new();
        let left = backlog.left_ms.map(Duration::from_millis);
        let shown = Backlog { held: backlog.held, parked: backlog.parked, left };
        if std::mem::replace(&mut self.told, shown) != shown {
            updates.push(Update::Backlog(shown));
        }
        if let Some(gap) = &mut self.open {
            gap.delivered = self.delivered + backlog.delivered;
        }
        if !backlog.delivering {
            updates.extend(self.open.take().map(Update::Gap));
        }
        updates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_mins(minute)
    }

    fn backlog(held: u64, delivered: u64, delivering: bool) -> hello::Backlog {
        hello::Backlog { held, delivered, delivering, ..hello::Backlog::default() }
    }

    fn gap(updates: &[Update]) -> Option<Gap> {
        updates.iter().find_map(|update| match update {
            Update::Gap(gap) => Some(*gap),
            _ => None,
        })
    }

    #[test]
    fn a_gap_is_reported_once_all_was_tried() {
        let mut gaps = Gaps::default();
        let welcome = hello::Backlog { refused: 1, ..backlog(3, 0, true) };
        assert_eq!(gap(&gaps.connected(Some(&welcome), Some(at(2)), at(31))), None);
        assert_eq!(gap(&gaps.notice(&backlog(2, 1, true))), None);
        let told = gaps.notice(&backlog(1, 2, false));
        assert_eq!(gap(&told), Some(Gap { from: at(2), to: at(31), held: 3, delivered: 2, lost: 1 }));
        assert_eq!(gap(&gaps.notice(&backlog(0, 3, false))), None, "once");
    }

    #[test]
    fn a_new_process_learns_from_the_relay_when_it_was_away() {
        let mut gaps = Gaps::default();
        let welcome = hello::Backlog { away_ms: Some(60_000), ..backlog(1, 0, true) };
        gaps.connected(Some(&welcome), None, at(10));
        let told = gap(&gaps.notice(&backlog(0, 1, false))).unwrap();
        assert_eq!((told.from, told.to, told.delivered), (at(9), at(10), 1));
        // Nothing happened meanwhile: no news for somebody who has just started it.
        let quiet = hello::Backlog { away_ms: Some(60_000), ..backlog(0, 0, false) };
        assert!(Gaps::default().connected(Some(&quiet), None, at(10)).is_empty());
        assert!(gap(&Gaps::default().connected(Some(&quiet), Some(at(9)), at(10))).is_some());
        assert!(Gaps::default().connected(None, Some(at(9)), at(10)).is_empty(), "a relay that holds nothing");
    }

    #[test]
    fn a_session_that_breaks_in_between_belongs_to_the_same_gap() {
        let mut gaps = Gaps::default();
        gaps.connected(Some(&backlog(5, 0, true)), Some(at(1)), at(2));
        gaps.notice(&backlog(3, 2, true));
        gaps.connected(Some(&backlog(3, 0, true)), Some(at(3)), at(4));
        let told = gap(&gaps.notice(&backlog(0, 3, false))).unwrap();
        assert_eq!(told, Gap { from: at(1), to: at(4), held: 5, delivered: 5, lost: 0 });
    }

    #[test]
    fn the_backlog_is_told_when_it_changes() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.notice(&backlog(0, 0, false)).len(), 0);
        assert_eq!(gaps.notice(&backlog(4, 0, true)).len(), 1);
        assert_eq!(gaps.notice(&backlog(4, 0, true)).len(), 0);
        assert_eq!(gaps.notice(&backlog(0, 4, false)).len(), 1);
    }
}

//! What the relay holds, what became of a gap, and whether the way is open.

use std::time::SystemTime;

use hookwire_capture::{Backlog, Gap, Proof};

use super::{Plain, brief};
use crate::times;

impl Plain {
    /// ```text
    /// 14:31:02  delivering 312 held, 3.0 s left
    /// 14:31:05  2 parked: they are tried no more
    /// ```
    pub(super) fn backlog(&mut self, backlog: &Backlog, now: SystemTime) {
        let mut parts = Vec::new();
        match (backlog.held, backlog.left) {
            (0, _) => {}
            (held, Some(left)) => parts.push(format!("delivering {held} held, {} left", times::Short(left))),
            (held, None) => parts.push(format!("{held} held by the relay")),
        }
        if backlog.parked > 0 {
            parts.push(format!("{} parked: they are tried no more", backlog.parked));
        }
        // What is held grows with every webhook while the app is down: that it began is enough.
        let waits = |backlog: &Backlog| backlog.held > 0 && backlog.left.is_none();
        let same = waits(backlog) && waits(&self.backlog) && backlog.parked == self.backlog.parked;
        if !same && *backlog != self.backlog && !parts.is_empty() {
            self.news(now, self.theme.notice, &parts.join("; "));
        }
        self.backlog = *backlog;
    }

    /// `offline 14:02–14:31: 3 held, 3 delivered, 0 lost`
    pub(super) fn gap(&mut self, gap: &Gap, now: SystemTime) {
        let style = if gap.lost > 0 { self.theme.answer_bad } else { self.theme.strong };
        let (from, to) = (self.clock(gap.from, gap.to), self.clock(gap.to, gap.from));
        let Gap { held, delivered, lost, .. } = gap;
        self.news(now, style, &format!("offline {from}–{to}: {held} held, {delivered} delivered, {lost} lost"));
    }

    /// The time of day, to the second where the other time is within the same minute.
    fn clock(&self, time: SystemTime, other: SystemTime) -> String {
        let (whole, other) = (self.time(time), self.time(other));
        let minutes = whole.get(..5).unwrap_or(&whole);
        if other.starts_with(minutes) { whole } else { minutes.to_owned() }
    }

    /// Said when it changes: every 30 s would be noise.
    pub(super) fn proof(&mut self, proof: &Proof, now: SystemTime) {
        match proof {
            Proof::RoundTrip(_) => {}
            Proof::Verified { took, .. } => {
                if self.verified.replace(true) != Some(true) {
                    let text = format!("verified end to end in {}", times::Short(*took));
                    self.news(now, self.theme.quiet, &text);
                }
            }
            Proof::Unverified { reason } => {
                if self.verified.replace(false) != Some(false) {
                    let text = format!("not verified: {}", brief(reason));
                    self.news(now, self.theme.notice, &text);
                }
            }
        }
    }
}

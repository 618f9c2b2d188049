//! What the bar and the banners say about the state of things.

use std::time::Duration;

use hookwire_capture::{AnsweredBy, Connection, Gap};
use hookwire_protocol::code::Code;

use super::{super::keymap::Context, Model};
use crate::{
    line::{Role, Span},
    times::{self, Short},
};

/// A gap is told for so long after its end: whoever comes back with a coffee still sees it.
const NEWS: Duration = Duration::from_mins(10);

/// A proof of life comes every 30 s: after four without one, it is worth a second look.
const FRESH: Duration = Duration::from_mins(2);

impl Model {
    /// The connection to the relay in a few words; none if this inspector belongs to no running client.
    pub(in crate::tui) fn connection(&self) -> Option<Span> {
        let (role, text) = match self.live.connection.as_ref()? {
            Connection::Connected { .. } => match self.live.round_trip {
                Some(time) => (Role::Good, format!("● {}", Short(time))),
                None => (Role::Good, "● connected".to_owned()),
            },
            Connection::Reconnecting { .. } => (Role::Warn, "◌ reconnecting".to_owned()),
            Connection::Closed { .. } => (Role::Bad, "✗ closed".to_owned()),
        };
        Some(Span::new(role, text))
    }

    /// How the app does, by the latest exchange.
    pub(in crate::tui) fn app(&self) -> Option<Span> {
        let latest = self.counts.latest.as_ref()?;
        let (role, text) = match (latest.error, latest.answered_by) {
            (Some(Code::AppRefused), _) => (Role::Bad, "app refuses"),
            (None, AnsweredBy::App) if latest.status >= 500 => (Role::Warn, "app fails"),
            (None, AnsweredBy::App) => (Role::Good, "app up"),
            (None, _) if latest.late => (Role::Warn, "app late"),
            (Some(_), _) => (Role::Warn, "app fails"),
            (None, _) => return None,
        };
        Some(Span::new(role, text))
    }

    /// Since when a request of ours is known to come through from the public side.
    pub(in crate::tui) fn verified(&self) -> Option<Span> {
        let age = self.now.duration_since(self.live.verified_at?).unwrap_or_default();
        let role = if age < FRESH { Role::Muted } else { Role::Warn };
        Some(Span::new(role, format!("verified end to end {} s ago", age.as_secs())))
    }

    /// What needs saying before anything else, most urgent first; each a line.
    pub(in crate::tui) fn banners(&self) -> Vec<Span> {
        let mut lines = Vec::new();
        let health = &self.live.health;
        match &self.live.connection {
            Some(Connection::Reconnecting { reason, .. }) => {
                lines.push(Span::new(Role::Warn, format!("reconnecting: {reason}; webhooks wait at the relay")));
            }
            Some(Connection::Closed { reason }) => lines.push(Span::new(Role::Bad, format!("closed: {reason}"))),
            _ => {}
        }
        if let Some(trouble) = &health.trouble {
            lines.push(Span::new(Role::Bad, format!("capture: {trouble}; delivery goes on")));
        }
        let exchanges = health.exchanges_skipped + self.live.skipped;
        if exchanges + health.bodies_skipped > 0 {
            let text = format!("delivered but not kept: {exchanges} exchanges, {} bodies", health.bodies_skipped);
            lines.push(Span::new(Role::Warn, text));
        }
        if let Some(reason) = &self.live.unverified {
            lines.push(Span::new(Role::Bad, format!("not verified end to end: {reason}")));
        }
        lines.extend(self.backlog());
        lines.extend(self.gap());
        if !self.list.filter_text.is_empty() && self.context() != Context::Prompt {
            lines.push(Span::new(Role::Key, format!("filter: {}", self.list.filter_text)));
        }
        lines
    }

    /// What the relay holds, while it holds anything.
    fn backlog(&self) -> Option<Span> {
        let backlog = &self.live.backlog;
        let held = match (backlog.held, backlog.left) {
            (0, _) => None,
            (held, Some(left)) => Some(format!("delivering {held} held, {} left", Short(left))),
            (held, None) => Some(format!("{held} held by the relay")),
        };
        let parked = (backlog.parked > 0)
            .then(|| format!("{} parked: tried no more, see `hookwire endpoint parked`", backlog.parked));
        let parts: Vec<String> = held.into_iter().chain(parked).collect();
        (!parts.is_empty()).then(|| Span::new(Role::Warn, parts.join("; ")))
    }

    /// What became of the last gap, for as long as it is news.
    fn gap(&self) -> Option<Span> {
        let gap = self.live.gap.filter(|gap| self.now.duration_since(gap.to).unwrap_or_default() < NEWS)?;
        let clock = |time| times::timestamp(time).to_zoned(self.zone.clone()).strftime("%H:%M").to_string();
        let Gap { from, to, held, delivered, lost } = gap;
        let role = if lost > 0 { Role::Bad } else { Role::Muted };
        let text = format!("offline {}–{}: {held} held, {delivered} delivered, {lost} lost", clock(from), clock(to));
        Some(Span::new(role, text))
    }
}

//! The faces of captured exchanges: plain lines for a person, JSON lines for a script, the details of one, exports.
//!
//! [`Plain`] and [`json`] render [`hookwire_capture::Update`]s into whatever is given to write to; [`detail`], [`body`]
//! and [`compare`] lay exchanges out as rows of [`Span`]s that any screen can draw; [`export`] writes them for other
//! programs. None of these opens a terminal, reads a clock or starts a thread: width, time zone and the present time are
//! arguments. [`tui`] is the full screen over a store; its shell, [`tui::Inspector`], has all three.
//!
//! **Invariant:** no byte that came over the network reaches a terminal unescaped. Plain text and spans go through
//! [`sanitize`], JSON strings through the same table of what is visible.
//!
//! ```
//! use hookwire_capture::Update;
//! use hookwire_inspector::{Plain, Theme, json};
//! use jiff::tz::TimeZone;
//!
//! let mut screen = Vec::new();
//! let mut plain = Plain::new(Theme::PLAIN, 80, TimeZone::UTC);
//! plain.render(&Update::Skipped(3), std::time::SystemTime::UNIX_EPOCH, &mut screen)?;
//! assert_eq!(screen, b"00:00:00  3 more delivered, but not shown: this output fell behind\n");
//!
//! let mut lines = Vec::new();
//! json::write_line(&Update::Skipped(3), &mut lines)?;
//! assert_eq!(lines, b"{\"type\":\"skipped\",\"count\":3}\n");
//! # Ok::<(), std::io::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advice;
pub mod body;
mod columns;
pub mod compare;
mod delay;
pub mod detail;
pub mod export;
pub mod json;
pub mod line;
mod plain;
pub mod rendered;
mod repeats;
mod sanitize;
mod sizes;
mod theme;
mod times;
pub mod tui;

pub use line::{Line, Role, Span};
pub use plain::Plain;
pub use rendered::{Folds, Node, Rendered};
pub use repeats::Repeats;
pub use sanitize::sanitize;
pub use theme::{Palette, Style, Theme};
pub use times::Short;

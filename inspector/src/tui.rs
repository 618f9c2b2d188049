//! The inspector on a terminal: what is kept, shown live, searched, understood and sent again.
//!
//! It is built as Elm is: [`update`] takes one [`Message`] in and says what is to be done as [`Effect`]s, [`view`] draws a
//! [`Model`]. Both are pure, so a test is a script of keys and the screens that they give.
//!
//! **Invariant:** no clock, no channel, no thread and no handle in `model`, `update` and `view`; `runtime` has them all.

mod action;
mod actions;
mod feed;
mod keymap;
mod log;
mod message;
mod model;
mod request_text;
mod runtime;
mod update;
mod view;

pub use action::Action;
pub use actions::{ActionError, Actions, Done, EditedRequest, Job, Replay};
pub use feed::{Feed, Live};
pub use keymap::{Binding, Context, KEYMAP, Key, Keymap};
pub use log::LogRing;
pub use message::{Counts, Effect, Form, Message, Pair, Purpose, Selection, Which, Work};
pub use model::{Model, Setup, ask::Ask, list::Entry};
pub use runtime::{Input, Inspector, InspectorError, Settings, Surface, edit_request};
pub use update::update;
pub use view::view;

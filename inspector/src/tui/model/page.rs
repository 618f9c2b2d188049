//! A page of text that lies over the panes.

use std::sync::Arc;

use hookwire_capture::Exchange;

use super::{
    super::keymap::{Context, KEYMAP},
    sheet::Sheet,
};
use crate::{
    columns, compare,
    line::{Line, Role, Span},
    rendered::{Fixed, Rendered},
};

/// A page of text with a title.
#[derive(Debug)]
pub(crate) struct Page {
    /// What it is.
    pub(crate) title: &'static str,
    /// The text.
    pub(crate) sheet: Sheet,
    /// What is searched for; empty for nothing.
    pub(crate) search: String,
    content: Content,
    width: usize,
}

/// What a page shows.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// The keys.
    Help,
    /// What differs between two exchanges.
    Compare(Arc<Exchange>, Arc<Exchange>),
    /// The log of this process, line by line.
    Log(Arc<Vec<Vec<u8>>>),
}

impl Page {
    /// A page, seen from its beginning.
    pub(crate) fn new(title: &'static str, content: Content, width: usize) -> Self {
        let sheet = Sheet::new(content.render(width, ""));
        Self { title, sheet, search: String::new(), content, width }
    }

    /// Lays it out for a width, if it is not already.
    pub(crate) fn fit(&mut self, width: usize) {
        if self.width != width {
            self.lay_out(width);
        }
    }

    /// Lays it out anew.
    pub(crate) fn lay_out(&mut self, width: usize) {
        self.width = width;
        self.sheet = self.sheet.relaid(self.content.render(width, &self.search));
    }
}

impl Content {
    fn render(&self, width: usize, search: &str) -> Rendered {
        let lines = match self {
            Self::Help => help(width),
            Self::Compare(old, new) => return compare::render(old, new, width, search),
            Self::Log(lines) if lines.is_empty() => vec![vec![Span::new(Role::Muted, "nothing was logged yet")]],
            Self::Log(lines) => lines.iter().map(|line| vec![Span::new(Role::Plain, line)]).collect(),
        };
        Rendered::new(Box::new(Fixed::from(lines)), width, search)
    }
}

/// The keys of all places, as the keymap has them.
fn help(width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for (context, heading) in Context::ALL {
        lines.push(vec![Span::new(Role::Heading, heading)]);
        for binding in KEYMAP.bindings(context) {
            let keys: Vec<_> = binding.on.iter().map(ToString::to_string).collect();
            let keys = keys.join(" ");
            let gap = " ".repeat(KEYS.saturating_sub(columns::width(&keys)).max(1));
            let mut line = vec![Span::new(Role::Plain, "  "), Span::new(Role::Key, keys)];
            line.push(Span::new(Role::Plain, format!("{gap}{}", binding.desc)));
            if width >= 2 + KEYS + DESCRIPTION + NAME {
                let gap = DESCRIPTION.saturating_sub(columns::width(&binding.desc));
                line.push(Span::new(Role::Plain, " ".repeat(gap)));
                line.push(Span::new(Role::Muted, binding.run.name()));
            }
            lines.push(line);
        }
        lines.push(Vec::new());
    }
    lines
}

/// The columns of the keys in the help: `pgdn ctrl-f` fits.
const KEYS: usize = 14;

/// The columns of what they do.
const DESCRIPTION: usize = 44;

/// The columns of an action's name.
const NAME: usize = 16;

//! A line that is typed.

use std::collections::VecDeque;

use hookwire_capture::FilterError;
use tui_input::Input;
use uuid::Uuid;

use super::super::{
    action::Action,
    keymap::{Context, KEYMAP},
    message::Selection,
};
use crate::{
    columns, export,
    line::{Line, Role, Span},
    sanitize::is_visible,
};

/// A line that is typed, and what it is for.
#[derive(Debug)]
pub(crate) struct Prompt {
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// The line, and the cursor in it.
    pub(crate) input: Input,
    /// What was there when it was opened, for a step back.
    pub(crate) before: String,
    /// Which line of the history is shown; none for the one being typed.
    pub(crate) recalled: Option<usize>,
    /// Ways to complete the last word, and which of them is shown.
    pub(crate) completion: Option<Completion>,
    /// Why the line can't be used.
    pub(crate) error: Option<FilterError>,
}

/// What a line is typed for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// To show only what matches.
    Filter,
    /// To go to where it is.
    Search,
    /// To run an action by its name.
    Command,
    /// As a note to an exchange.
    Note(Uuid),
    /// As the name of a file.
    Export(export::Kind, Selection),
}

impl Purpose {
    /// What stands before the line.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Filter => "filter: ",
            Self::Search => "/",
            Self::Command => ":",
            Self::Note(_) => "note: ",
            Self::Export(..) => "write to: ",
        }
    }
}

impl Purpose {
    /// What stands below an empty line.
    fn hint(&self) -> String {
        let key = |action| KEYMAP.key_of(Context::Prompt, action);
        let (accept, back) = (key(Action::Accept), key(Action::Back));
        let (complete, older) = (key(Action::Complete), key(Action::Older));
        match self {
            Self::Filter => format!("{complete} completes  {older} older  {back} undoes   such as {EXAMPLE}"),
            Self::Search => format!("{accept} finds  {older} older  {back} undoes"),
            Self::Command => format!("{complete} completes  {accept} runs  {back} closes"),
            Self::Note(_) => format!("{accept} writes it; an empty one is removed"),
            Self::Export(..) => format!("{accept} writes the file  {back} cancels"),
        }
    }
}

/// A filter that shows what filters can do.
const EXAMPLE: &str = "status:5xx verdict:invalid event:payment.* age:<10m";

/// Ways to go on with the last word.
#[derive(Debug)]
pub(crate) struct Completion {
    /// The line before that word.
    pub(crate) kept: String,
    /// The words, and what each means.
    pub(crate) words: Vec<(&'static str, &'static str)>,
    /// Which of them is in the line.
    pub(crate) chosen: usize,
}

impl Prompt {
    /// An empty line, or one with something in it.
    pub(crate) fn new(purpose: Purpose, text: &str) -> Self {
        // What is typed is drawn as it is, so that the cursor stands where the terminal shows it.
        let text: String = text.chars().filter(|&c| is_visible(c)).collect();
        Self { purpose, input: Input::from(text.as_str()), before: text, recalled: None, completion: None, error: None }
    }

    /// Puts another text into the line.
    pub(crate) fn set(&mut self, text: &str) {
        self.input = Input::from(text);
    }

    /// Completes the last word from `words`, or goes to the next way to. False if there is none.
    pub(crate) fn complete(&mut self, words: impl Iterator<Item = (&'static str, &'static str)>) -> bool {
        if let Some(completion) = &mut self.completion {
            completion.chosen = (completion.chosen + 1) % completion.words.len();
        } else {
            let line = self.input.value();
            let start = line.rfind([' ', '(']).map_or(0, |space| space + 1);
            let (kept, begun) = line.split_at(start);
            let words: Vec<_> = words.filter(|(word, _)| word.starts_with(begun)).collect();
            if words.is_empty() {
                return false;
            }
            self.completion = Some(Completion { kept: kept.to_owned(), words, chosen: 0 });
        }
        if let Some(completion) = &self.completion {
            let line = format!("{}{}", completion.kept, completion.words[completion.chosen].0);
            self.set(&line);
        }
        true
    }

    /// How many columns of the line are out of sight on the left, on a screen of so many columns.
    pub(crate) fn scroll(&self, width: usize) -> usize {
        self.input.visual_scroll(width.saturating_sub(self.purpose.label().len() + 2))
    }

    /// What is said about the line below it: where it is wrong, how a word may go on, or what keys do.
    pub(crate) fn remark(&self, width: usize) -> Vec<Line> {
        match (&self.error, &self.completion) {
            (Some(error), _) => self.pointer(error, width),
            (None, Some(completion)) => vec![completion.line()],
            (None, None) => vec![vec![Span::new(Role::Plain, " "), Span::new(Role::Muted, self.purpose.hint())]],
        }
    }

    /// ```text
    /// filter: status:5xx and verdict:invaild
    ///                                ^ there is no verdict `invaild`; did you mean `verdict:invalid`?
    /// ```
    ///
    /// Where there is no room beside the pointer, the message stands below it.
    fn pointer(&self, error: &FilterError, width: usize) -> Vec<Line> {
        let before: String = self.input.value().chars().take(error.column.saturating_sub(1)).collect();
        let column = 1 + self.purpose.label().len() + columns::width(&before);
        let column = column.saturating_sub(self.scroll(width));
        let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let message = Span::new(Role::Bad, format!("{}{hint}", error.message));
        let mut pointer = vec![Span::new(Role::Plain, " ".repeat(column)), Span::new(Role::Bad, "^ ")];
        if column + 2 + message.width() <= width {
            pointer.push(message);
            return vec![pointer];
        }
        let below = columns::wrap(message.text(), width.saturating_sub(2)).take(REMARK);
        let below = below.map(|line| vec![Span::new(Role::Plain, " "), Span::new(Role::Bad, line)]);
        std::iter::once(pointer).chain(below).collect()
    }

    /// Shows an older line of the history, or a newer one.
    pub(crate) fn recall(&mut self, history: &History, older: bool) {
        let next = match (self.recalled, older) {
            (None, true) => Some(0),
            (Some(index), true) => Some((index + 1).min(history.lines.len().saturating_sub(1))),
            (Some(0) | None, false) => None,
            (Some(index), false) => Some(index - 1),
        };
        let text = next.map_or(Some(self.before.as_str()), |index| history.lines.get(index).map(String::as_str));
        if let Some(text) = text.map(str::to_owned) {
            self.recalled = next;
            self.set(&text);
        }
    }
}

impl Completion {
    /// The chosen word with its meaning, among a few others.
    fn line(&self) -> Line {
        let mut line = Line::new();
        let first = self.chosen / FEW * FEW;
        for (index, (word, meaning)) in self.words.iter().enumerate().skip(first).take(FEW) {
            line.push(Span::new(Role::Plain, " "));
            if index == self.chosen {
                line.push(Span::new(Role::Heading, word));
                line.push(Span::new(Role::Plain, format!(" {meaning} ")));
            } else {
                line.push(Span::new(Role::Muted, format!("{word} ")));
            }
        }
        line
    }
}

/// Ways to complete a word that are shown together.
const FEW: usize = 4;

/// Rows of a message below the pointer at most.
const REMARK: usize = 3;

/// Lines that were typed before, newest first.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<String>,
}

impl History {
    /// Lines remembered: what one gets back to with a few keys.
    const REMEMBERED: usize = 50;

    /// Remembers a line; one that was there moves to the front.
    pub(crate) fn remember(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        self.lines.retain(|known| known != line);
        self.lines.push_front(line.to_owned());
        self.lines.truncate(Self::REMEMBERED);
    }

    /// The line that was typed last.
    pub(crate) fn latest(&self) -> Option<&str> {
        self.lines.front().map(String::as_str)
    }
}

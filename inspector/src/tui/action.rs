//! What a key can do, by name.

use std::fmt;

use serde::Deserialize;

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident = $name:literal,)*) => {
        /// What a key means, wherever it is pressed. Its name is the same in `keymap.toml`, on the command line and in the help.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $name)] $action,)*
        }

        impl Action {
            /// All of them, in the order of the help.
            pub const ALL: &'static [Self] = &[$(Self::$action),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$action => $name),* }
            }
        }
    };
}

actions! {
    /// One line down.
    Down = "down",
    /// One line up.
    Up = "up",
    /// As many lines down as are seen.
    PageDown = "page-down",
    /// As many lines up as are seen.
    PageUp = "page-up",
    /// Half as many down.
    HalfPageDown = "half-page-down",
    /// Half as many up.
    HalfPageUp = "half-page-up",
    /// To the first line; in the list, follow the newest.
    Top = "top",
    /// To the last line.
    Bottom = "bottom",
    /// The other pane gets the keys.
    NextPane = "next-pane",
    /// One step back: closes, clears or cancels the last thing.
    Back = "back",
    /// Opens the selected exchange.
    Open = "open",
    /// The next tab of the detail.
    NextTab = "next-tab",
    /// The previous tab.
    PreviousTab = "previous-tab",
    /// The tab with the timeline.
    Overview = "overview",
    /// The tab with the signature.
    Signature = "signature",
    /// The tab with the request's headers.
    Headers = "headers",
    /// The tab with the request's body.
    Body = "body",
    /// The tab with the answer.
    Response = "response",
    /// The tab with the bytes.
    Raw = "raw",
    /// The next face of bodies: fitting, text, bytes.
    View = "view",
    /// Folds or unfolds what the cursor is on.
    Fold = "fold",
    /// Folds all.
    FoldAll = "fold-all",
    /// Unfolds all.
    UnfoldAll = "unfold-all",
    /// One pane on the whole screen, or both.
    Zoom = "zoom",
    /// What differs between two exchanges.
    Compare = "compare",
    /// Shows only what matches.
    Filter = "filter",
    /// Goes to where a text is.
    Search = "search",
    /// To the next place.
    NextMatch = "next-match",
    /// To the previous place.
    PreviousMatch = "previous-match",
    /// Sends a stored request again.
    Replay = "replay",
    /// Sends all marked requests again, oldest first.
    ReplayMarked = "replay-marked",
    /// Edits a request before it is sent again.
    Edit = "edit",
    /// Signs a request anew and sends it again.
    Sign = "sign",
    /// Sends a signed test event.
    SendTest = "send-test",
    /// Marks the selected exchange.
    Mark = "mark",
    /// Takes all marks away.
    UnmarkAll = "unmark-all",
    /// Writes a note to the selected exchange.
    Note = "note",
    /// Deletes, after a question.
    Delete = "delete",
    /// Opens the menu of what can be copied.
    Copy = "copy",
    /// Copies a curl command.
    CopyCurl = "copy-curl",
    /// Copies the request as it was sent.
    CopyRaw = "copy-raw",
    /// Copies the request's body.
    CopyBody = "copy-body",
    /// Copies the response's body.
    CopyResponse = "copy-response",
    /// Copies the public URL.
    CopyUrl = "copy-url",
    /// Copies the exchange's id.
    CopyId = "copy-id",
    /// Opens the menu of what can be exported.
    Export = "export",
    /// Exports curl commands.
    ExportCurl = "export-curl",
    /// Exports a HAR file.
    ExportHar = "export-har",
    /// Exports JSON.
    ExportJson = "export-json",
    /// Exports fixtures.
    ExportFixture = "export-fixture",
    /// Chooses what is exported.
    Scope = "scope",
    /// Cancels long work.
    Cancel = "cancel",
    /// Opens the command line.
    Command = "command",
    /// Shows the log of this process.
    Log = "log",
    /// Shows the keys.
    Help = "help",
    /// Draws everything anew.
    Redraw = "redraw",
    /// Ends the inspector.
    Quit = "quit",
    /// Takes the line that was typed.
    Accept = "accept",
    /// Completes the word before the cursor.
    Complete = "complete",
    /// The line typed before.
    Older = "older",
    /// The line typed after.
    Newer = "newer",
    /// Answers a question with yes.
    Yes = "yes",
}

impl Action {
    /// The action of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

//! Prints `docs/keys.md`, made from the keymap.

use std::io::{self, Write as _};

use hookwire_inspector::tui::KEYMAP;

fn main() -> io::Result<()> {
    io::stdout().write_all(KEYMAP.markdown().as_bytes())
}

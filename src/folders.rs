//! Where hookwire keeps things in the user's home, after the XDG Base Directory Specification (on Windows: the known folders).

use std::path::PathBuf;

use etcetera::{BaseStrategy, choose_base_strategy};

/// The folder's name below the user's own folders.
const NAME: &str = "hookwire";

/// Data that must survive: `~/.local/share/hookwire`. None when the user has no home.
pub(crate) fn data() -> Option<PathBuf> {
    Some(choose_base_strategy().ok()?.data_dir().join(NAME))
}

/// Settings: `~/.config/hookwire`. None when the user has no home.
pub(crate) fn config() -> Option<PathBuf> {
    Some(choose_base_strategy().ok()?.config_dir().join(NAME))
}

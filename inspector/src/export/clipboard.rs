//! Text on its way to the clipboard of whoever sits before the terminal, over ssh too.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The sequence that asks a terminal to put `bytes` on the clipboard: OSC 52 (xterm's `ctlseqs`, "Manipulate Selection
/// Data"). Base64 keeps every byte of it harmless. In tmux it is wrapped, so that tmux hands it on to the terminal
/// (its option `allow-passthrough` must be on; `TMUX` in the environment tells that it runs in tmux).
pub fn clipboard(bytes: &[u8], in_tmux: bool) -> Result<String, TooLong> {
    if bytes.len() > CLIPBOARD_LIMIT {
        return Err(TooLong { length: bytes.len() });
    }
    let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(bytes));
    // Within tmux's own string each ESC is doubled (tmux(1), `allow-passthrough`).
    Ok(if in_tmux { format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")) } else { sequence })
}

/// The most bytes that are sent to a clipboard. Some terminals stop reading after 100,000 bytes of a sequence (hterm's
/// `osc52.sh`), which is 74,994 before base64; and half of a request is worse than none.
pub const CLIPBOARD_LIMIT: usize = 74_994;

/// More than terminals take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{length} bytes are more than terminals take to the clipboard ({CLIPBOARD_LIMIT}): export it to a file")]
pub struct TooLong {
    /// How many bytes it is.
    pub length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_stay_within_base64() {
        assert_eq!(clipboard(b"pay_29Q", false).as_deref(), Ok("\x1b]52;c;cGF5XzI5UQ==\x07"));
        assert_eq!(clipboard(b"pay_29Q", true).as_deref(), Ok("\x1bPtmux;\x1b\x1b]52;c;cGF5XzI5UQ==\x07\x1b\\"));
        let hostile = clipboard(b"\x07\x1b\\\x9c", false).unwrap();
        assert_eq!(hostile.matches(char::is_control).count(), 2);
    }

    #[test]
    fn too_much_is_refused_whole() {
        let most = vec![b'x'; CLIPBOARD_LIMIT];
        assert!(clipboard(&most, false).unwrap().len() <= 100_000);
        let more = vec![b'x'; CLIPBOARD_LIMIT + 1];
        assert_eq!(clipboard(&more, true), Err(TooLong { length: CLIPBOARD_LIMIT + 1 }));
    }
}

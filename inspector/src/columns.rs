//! Text measured and cut in terminal columns. What comes in here is sanitised already.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// How many columns a terminal gives to `text`.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// At most `room` columns of `text`; what goes is its end, and `…` stands for it.
pub(crate) fn cut(text: &str, room: usize) -> Cow<'_, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}…", start(text, room.saturating_sub(1))))
}

/// At most `room` columns of `text`; what goes is its middle, for both ends of a path tell more.
pub(crate) fn cut_middle(text: &str, room: usize) -> Cow<'_, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    let kept = room.saturating_sub(1);
    // The last segment is the one that differs from row to row.
    let before = start(text, kept / 3);
    let after = end(text, kept - width(before));
    Cow::Owned(format!("{before}…{after}"))
}

/// The lines that `text` makes when it is broken at spaces to `room` columns. A longer word stands alone, uncut.
pub(crate) fn wrap(text: &str, room: usize) -> impl Iterator<Item = &str> {
    let mut rest = text.trim_end_matches(' ');
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(' ');
        if rest.is_empty() {
            return None;
        }
        let (line, after) = rest.split_at(line_end(rest, room));
        rest = after;
        Some(line)
    })
}

/// `text` in pieces of at most `room` columns, for what must be seen whole.
pub(crate) fn chunks(text: &str, room: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let piece = start(rest, room.max(2));
        rest = &rest[piece.len()..];
        (!piece.is_empty()).then_some(piece)
    })
}

/// Where the first line ends when `text` is broken at spaces.
fn line_end(text: &str, room: usize) -> usize {
    let mut end = 0;
    for (space, _) in text.match_indices(' ').chain([(text.len(), "")]) {
        if end > 0 && width(&text[..space]) > room {
            break;
        }
        end = space;
    }
    end
}

fn start(text: &str, room: usize) -> &str {
    let mut used = 0;
    let cut = text.char_indices().find(|&(_, c)| {
        used += width_of(c);
        used > room
    });
    cut.map_or(text, |(index, _)| &text[..index])
}

fn end(text: &str, room: usize) -> &str {
    let mut used = 0;
    let cut = text.char_indices().rev().find(|&(_, c)| {
        used += width_of(c);
        used > room
    });
    let kept = cut.map_or(text, |(index, c)| &text[index + c.len_utf8()..]);
    // Marks whose letter was cut away would stand on the `…`.
    kept.trim_start_matches(|c| width_of(c) == 0)
}

fn width_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn the_end_or_the_middle_goes_and_wide_characters_are_never_halved() {
        assert_eq!(cut("payment.captured", 16), "payment.captured");
        assert_eq!(cut("payment.captured", 9), "payment.…");
        assert_eq!(cut("支付成功", 6), "支付…");
        assert_eq!(cut("支付", 0), "…");
        assert_eq!(cut_middle("/api/v1/webhooks/razorpay/payments", 20), "/api/v…rpay/payments");
        assert_eq!(cut_middle("/支付/成功/通知", 9), "/…功/通知");
    }

    #[test]
    fn lines_break_at_spaces_and_a_long_word_stays_whole() {
        let lines = |text, room| wrap(text, room).collect::<Vec<_>>();
        assert_eq!(lines("start the app, or check the port", 14), ["start the app,", "or check the", "port"]);
        assert_eq!(lines("see https://example.com/docs now", 10), ["see", "https://example.com/docs", "now"]);
        assert_eq!(lines("  ", 10), [""; 0]);
    }

    proptest! {
        #[test]
        fn a_cut_text_fits(text: String, room in 1..40_usize) {
            prop_assert!(width(&cut(&text, room)) <= room);
            prop_assert!(width(&cut_middle(&text, room)) <= room);
        }

        #[test]
        fn pieces_fit_and_lose_nothing(text in "\\PC*", room in 2..40_usize) {
            prop_assert!(chunks(&text, room).all(|piece| width(piece) <= room));
            prop_assert_eq!(chunks(&text, room).collect::<String>(), text);
        }

        #[test]
        fn wrapping_loses_nothing_but_spaces(text: String, room in 1..40_usize) {
            let joined: String = wrap(&text, room).collect();
            prop_assert_eq!(joined.replace(' ', ""), text.replace(' ', ""));
        }
    }
}

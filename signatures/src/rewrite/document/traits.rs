//! What a text holds that writers spell differently.

use std::ops::{BitOr, BitOrAssign};

/// What a text holds that some writer spells in its own way. Where a trait is absent, writers agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits(u16);

impl Traits {
    pub(crate) const NONE: Self = Self(0);
    /// An escape sequence of any kind.
    pub(crate) const BACKSLASH: Self = Self(1);
    /// `/`, escaped or not.
    pub(crate) const SLASH: Self = Self(1 << 1);
    /// `<`, `>` or `&`, which writers for web pages escape.
    pub(crate) const MARKUP: Self = Self(1 << 2);
    /// `'`, `+` or a backtick, which .NET escapes.
    pub(crate) const QUOTES: Self = Self(1 << 3);
    /// U+007F, which Python escapes.
    pub(crate) const DELETE: Self = Self(1 << 4);
    /// Anything above U+007F.
    pub(crate) const NON_ASCII: Self = Self(1 << 5);
    /// A number that is not finite, or not a plain integer of at most 15 digits, which any double holds exactly.
    pub(crate) const ODD_NUMBER: Self = Self(1 << 6);
    /// Keys that are not in ascending order of their bytes.
    pub(crate) const UNSORTED: Self = Self(1 << 7);
    /// Keys that are not in order of their length first, as PostgreSQL and MySQL keep them.
    pub(crate) const UNSORTED_BY_LENGTH: Self = Self(1 << 8);
    /// A key twice in one object.
    pub(crate) const DUPLICATE: Self = Self(1 << 9);
    /// A key that JavaScript takes for an index and moves to the front.
    pub(crate) const INDEX_KEY: Self = Self(1 << 10);
    /// An object without members.
    pub(crate) const EMPTY_OBJECT: Self = Self(1 << 11);
    /// Whitespace between the tokens.
    pub(crate) const SPACED: Self = Self(1 << 12);

    /// U+2028 or U+2029, which end a line in old JavaScript.
    pub(crate) const LINE_SEPARATOR: Self = Self(1 << 13);

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What one byte of a string may be a part of.
    pub(crate) const fn of_byte(byte: u8) -> Self {
        CLASSES[byte as usize]
    }

    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Traits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for Traits {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.union(other);
    }
}

/// What each byte of a string may be a part of.
const CLASSES: [Traits; 256] = {
    let mut classes = [Traits(0); 256];
    let mut byte = 0x7f;
    while byte < 256 {
        classes[byte] = if byte == 0x7f { Traits::DELETE } else { Traits::NON_ASCII };
        byte += 1;
    }
    classes[0xe2] = Traits::NON_ASCII.union(Traits::LINE_SEPARATOR);
    classes[b'/' as usize] = Traits::SLASH;
    classes[b'<' as usize] = Traits::MARKUP;
    classes[b'>' as usize] = Traits::MARKUP;
    classes[b'&' as usize] = Traits::MARKUP;
    classes[b'\'' as usize] = Traits::QUOTES;
    classes[b'+' as usize] = Traits::QUOTES;
    classes[b'`' as usize] = Traits::QUOTES;
    classes
};

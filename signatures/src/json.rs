//! Just enough JSON: a value at a path of a text that may be cut off, and the same tokens written in another style.
//! Nothing is parsed into values, so numbers and strings keep their spelling.

/// The nesting that other parsers stop at too (serde_json's limit is 128).
const DEPTH_LIMIT: usize = 128;

/// The text of the string, number or truth value at a path of keys joined by full stops; a number counts the items of an
/// array. `text` may be cut off anywhere behind that value.
pub(crate) fn find(text: &[u8], path: &str) -> Option<String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    let value = path.split('.').try_fold(text, |value, key| match value.first()? {
        b'[' => item(value, key.parse().ok()?),
        _ => member(value, key.as_bytes()),
    })?;
    if let Some((string, _)) = split_string(value) {
        return serde_json::from_slice(string).ok();
    }
    let end = value.iter().position(|byte| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace())?;
    let token = std::str::from_utf8(&value[..end]).ok()?;
    let is_scalar = token == "true"
        || token == "false"
        || token.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    is_scalar.then(|| token.to_owned())
}

/// The raw text of a member of the outermost object.
pub(crate) fn raw<'a>(text: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let value = member(text.trim_ascii_start(), key.as_bytes())?;
    let length = value.len() - behind_value(value)?.len();
    Some(value[..length].trim_ascii_end())
}

/// What begins with the value of a member of the object that `text` begins with.
fn member<'a>(text: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let mut rest = text.strip_prefix(b"{")?;
    loop {
        rest = rest.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        let (key, behind) = split_string(rest)?;
        let value = behind.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        if &key[1..key.len() - 1] == wanted {
            return Some(value);
        }
        rest = behind_value(value)?;
    }
}

/// What begins with an item of the array that `text` begins with.
fn item(text: &[u8], index: usize) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"[")?.trim_ascii_start();
    for _ in 0..index {
        rest = behind_value(rest)?.trim_ascii_start().strip_prefix(b",")?.trim_ascii_start();
    }
    (!rest.starts_with(b"]")).then_some(rest)
}

fn behind_value(text: &[u8]) -> Option<&[u8]> {
    match split_string(text) {
        Some((_, rest)) => Some(rest),
        None => skip_value(text),
    }
}

/// A string at the start of `text`, quotes included, and what follows it.
fn split_string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let mut index = 1;
    loop {
        index += memchr::memchr2(b'"', b'\\', text.get(index..)?)?;
        if text[index] == b'"' {
            return Some(text.split_at(index + 1));
        }
        // The byte behind a backslash never ends the string.
        index += 2;
    }
}

/// What follows the value at the start of `text`; `None` if the value is cut off.
fn skip_value(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    let mut depth = 0_usize;
    loop {
        match rest.first()? {
            b'"' => {
                (_, rest) = split_string(rest)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => return Some(rest),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        rest = &rest[1..];
    }
}

/// How JSON is laid out.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// Between two items.
    pub(crate) comma: &'static str,
    /// Between key and value.
    pub(crate) colon: &'static str,
    /// One step of indentation, with every item on a line of its own.
    pub(crate) indent: Option<&'static str>,
    pub(crate) slashes: Slashes,
}

/// What happens to slashes in strings; PHP writes `\/` where others write `/`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slashes {
    Kept,
    Escaped,
    Plain,
}

/// The same tokens in another style; `None` if the brackets or quotes of `text` do not match, or if the result would
/// be longer than `limit` bytes.
pub(crate) fn rewrite(text: &[u8], style: Style, limit: usize) -> Option<Vec<u8>> {
    let mut writer = Writer { out: Vec::with_capacity(text.len()), style, depth: 0, opened: false };
    let mut rest = text;
    while let Some(byte) = rest.first() {
        let mut length = 1;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'{' | b'[' => writer.open(*byte)?,
            b'}' | b']' => writer.close(*byte)?,
            b',' => writer.comma(),
            b':' => writer.out.extend_from_slice(style.colon.as_bytes()),
            b'"' => {
                let (string, _) = split_string(rest)?;
                length = string.len();
                writer.string(string);
            }
            _ => {
                let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'}' | b']');
                length = rest.iter().position(ends).unwrap_or(rest.len());
                writer.begin_value();
                writer.out.extend_from_slice(&rest[..length]);
            }
        }
        if writer.out.len() > limit {
            return None;
        }
        rest = &rest[length..];
    }
    (writer.depth == 0).then_some(writer.out)
}

struct Writer {
    out: Vec<u8>,
    style: Style,
    depth: usize,
    /// Whether the last token opened an object or array: an empty one stays on its line.
    opened: bool,
}

impl Writer {
    fn begin_value(&mut self) {
        if std::mem::take(&mut self.opened) {
            self.new_line();
        }
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        self.begin_value();
        self.out.push(bracket);
        self.depth += 1;
        self.opened = true;
        (self.depth <= DEPTH_LIMIT).then_some(())
    }

    fn close(&mut self, bracket: u8) -> Option<()> {
        self.depth = self.depth.checked_sub(1)?;
        if !std::mem::take(&mut self.opened) {
            self.new_line();
        }
        self.out.push(bracket);
        Some(())
    }

    fn comma(&mut self) {
        self.out.extend_from_slice(self.style.comma.as_bytes());
        self.new_line();
    }

    fn string(&mut self, string: &[u8]) {
        self.begin_value();
        let mut bytes = string.iter().copied();
        match self.style.slashes {
            Slashes::Kept => self.out.extend_from_slice(string),
            slashes => {
                while let Some(byte) = bytes.next() {
                    match (byte, slashes) {
                        (b'/', Slashes::Escaped) => self.out.extend_from_slice(b"\\/"),
                        (b'\\', _) => match bytes.next() {
                            Some(b'/') if slashes == Slashes::Plain => self.out.push(b'/'),
                            escaped => self.out.extend([byte].into_iter().chain(escaped)),
                        },
                        _ => self.out.push(byte),
                    }
                }
            }
        }
    }

    fn new_line(&mut self) {
        if let Some(indent) = self.style.indent {
            self.out.push(b'\n');
            for _ in 0..self.depth {
                self.out.extend_from_slice(indent.as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPACT: Style = Style { comma: ",", colon: ":", indent: None, slashes: Slashes::Kept };

    #[test]
    fn values_are_found_up_to_the_cut() {
        let text = "\u{feff} {\"a\" : {\"id\":\"no\",\"x\":[1,\"}\",{\"y\":-2}]}, \"b\":\"q\\\"\\u00e4\",\"c\":1.5e3 ,\"d\":\"cu";
        let found = |path: &str| find(text.as_bytes(), path);
        for (path, value) in
            [("a.id", "no"), ("a.x.0", "1"), ("a.x.1", "}"), ("a.x.2.y", "-2"), ("b", "q\"ä"), ("c", "1.5e3")]
        {
            assert_eq!(found(path).as_deref(), Some(value), "{path}");
        }
        for path in ["d", "a", "a.x", "a.x.3", "a.id.more", "e", "", "0"] {
            assert_eq!(found(path), None, "{path}");
        }
        assert_eq!(find(b"[{\"id\":true}]", "0.id").as_deref(), Some("true"));
        for text in
            ["", "[]", "\"a\"", "{", "{\"a\"", "{\"a\":", "{\"a\":tru", "{]", "{\"a\\", "{\"a\":[[}", "{\"a\":null}"]
        {
            assert_eq!(find(text.as_bytes(), "a"), None, "{text}");
        }
    }

    #[test]
    fn tokens_survive_every_style() {
        let text = br#"{ "a/b" :[ 1.50,{},[ ], "\/\\/\"" ],"c":null}"#;
        let written = |style| String::from_utf8(rewrite(text, style, 1_000).unwrap()).unwrap();
        assert_eq!(written(COMPACT), r#"{"a/b":[1.50,{},[],"\/\\/\""],"c":null}"#);
        let escaped = Style { slashes: Slashes::Escaped, comma: ", ", colon: ": ", ..COMPACT };
        assert_eq!(written(escaped), r#"{"a\/b": [1.50, {}, [], "\/\\\/\""], "c": null}"#);
        let plain = Style { slashes: Slashes::Plain, ..COMPACT };
        assert_eq!(written(plain), r#"{"a/b":[1.50,{},[],"/\\/\""],"c":null}"#);
        let indented = Style { indent: Some("  "), colon: ": ", ..COMPACT };
        let expected = "{\n  \"a/b\": [\n    1.50,\n    {},\n    [],\n    \"\\/\\\\/\\\"\"\n  ],\n  \"c\": null\n}";
        assert_eq!(written(indented), expected);
    }

    #[test]
    fn what_is_not_json_is_refused_and_growth_is_bounded() {
        for text in ["}", "[", "{\"a}", "[\"\\", "]["] {
            assert_eq!(rewrite(text.as_bytes(), COMPACT, 1_000), None, "{text}");
        }
        let deep = "[".repeat(DEPTH_LIMIT + 1) + &"]".repeat(DEPTH_LIMIT + 1);
        assert_eq!(rewrite(deep.as_bytes(), COMPACT, 1_000), None);
        assert_eq!(rewrite(b"[1,2,3]", COMPACT, 5), None);
    }
}

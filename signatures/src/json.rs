//! Just enough JSON: a value at a path of a text that may be cut off. Nothing is parsed into values, so numbers and strings
//! keep their spelling.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}

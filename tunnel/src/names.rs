//! Header names that came before.

use std::cell::RefCell;

use http::HeaderName;

/// Places for names. A webhook has about ten, and there are about three per sender that no other has.
const PLACES: usize = 128;

/// Longest name that is kept, so that all of them together hold 8 KiB at most. The longest in use is about 40 bytes long.
const LONGEST: usize = 64;

thread_local! {
    static KNOWN: RefCell<[Option<HeaderName>; PLACES]> = const { RefCell::new([const { None }; PLACES]) };
}

/// The name that `bytes` spell, in lower case. Webhooks come with the same names again and again: to find one takes half as long as to check and
/// copy it, and those that the `http` crate does not know take no memory of their own. Two that share a place push each other out.
pub(crate) fn header_name(bytes: &[u8]) -> Option<HeaderName> {
    let parse = || HeaderName::from_bytes(bytes).ok();
    let place = match bytes {
        [.., middle, _, _, last] if bytes.len() <= LONGEST => {
            (bytes.len() * 5 + usize::from(*middle) * 3 + usize::from(*last)) % PLACES
        }
        _ => return parse(),
    };
    KNOWN.with_borrow_mut(|known| match &known[place] {
        Some(name) if name.as_str().as_bytes() == bytes => Some(name.clone()),
        _ => parse().inspect(|name| known[place] = Some(name.clone())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_itself_whatever_came_before() {
        let names: Vec<String> = (0..2 * PLACES).map(|number| format!("x-{number}")).collect();
        let known = ["host", "te", "content-type", "x-forwarded-for", &"long".repeat(LONGEST)].map(str::to_owned);
        for name in names.iter().chain(&known).chain(&names).chain(&known) {
            assert_eq!(header_name(name.as_bytes()).unwrap().as_str(), name);
        }
        for wrong in ["", "a b", "x-\r\n", "x-1:"] {
            assert_eq!(header_name(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}

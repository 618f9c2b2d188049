//! What must hold for any bytes.

use hookwire_signatures::{Coverage, Request, Status, event, fuzz_forms, fuzz_headers};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::made::{Made, NOW, signable};

proptest! {
    // Each case goes through all schemes: a fifth of the usual number.
    #![proptest_config(ProptestConfig::with_cases((ProptestConfig::default().cases / 5).max(1)))]

    #[test]
    fn what_is_signed_is_valid_however_it_is_cut(body in vec(any::<u8>(), 1..200), key in "[a-z]{8}", size in 1_usize..200) {
        for scheme in signable() {
            let made = Made::new(scheme, &key, &body);
            let verdict = made.judged(&key, NOW);
            prop_assert_eq!((verdict.status, verdict.cause), (Status::Valid, None), "{}", scheme.id);
            prop_assert_eq!(made.judged_in_chunks(&key, NOW, size), verdict);
        }
    }

    #[test]
    fn one_bit_of_the_body_is_enough(body in vec(any::<u8>(), 1..200), at in any::<Index>(), bit in 0_u8..8) {
        for scheme in signable() {
            let mut made = Made::new(scheme, "the key", &body);
            if made.signs_raw_body() {
                let at = at.index(made.body.len());
                made.body[at] ^= 1 << bit;
                prop_assert_eq!(made.judged("the key", NOW).status, Status::Invalid, "{}", scheme.id);
            }
        }
    }

    #[test]
    fn another_key_is_never_right(body in vec(any::<u8>(), 1..50), keys in ("[a-z]{8}", "[a-z]{8}")) {
        prop_assume!(keys.0 != keys.1);
        for scheme in signable() {
            let made = Made::new(scheme, &keys.0, &body);
            prop_assert_eq!(made.judged(&keys.1, NOW).status, Status::Invalid, "{}", scheme.id);
        }
    }

    /// Any other text in place of a signature, one character away from the right one.
    #[test]
    fn one_character_of_the_signature_is_enough(body in vec(any::<u8>(), 1..50), at in any::<Index>()) {
        for scheme in signable().filter(|scheme| scheme.covers != Coverage::Nothing) {
            let mut made = Made::new(scheme, "the key", &body);
            let Some(name) = scheme.signature_header() else { continue };
            for (_, value) in made.headers.iter_mut().filter(|(header, _)| header.eq_ignore_ascii_case(name)) {
                // The last character of a base64 text may carry bits that are no part of it.
                let end = value.find("###").unwrap_or(value.trim_end_matches('=').len() - 1);
                let start = value.rfind(['=', ',', ' ']).map_or(0, |mark| if mark < end { mark + 1 } else { 0 });
                let at = start + at.index(end - start);
                let other = if value.as_bytes()[at] == b'0' { "1" } else { "0" };
                value.replace_range(at..=at, other);
            }
            let verdict = made.judged("the key", NOW);
            prop_assert_eq!(verdict.status, Status::Invalid, "{}", scheme.id);
        }
    }

    #[test]
    fn no_bytes_panic(data in vec(any::<u8>(), 0..400)) {
        fuzz_headers(&data);
        fuzz_forms(&data);
    }

    /// Bytes near the grammars get further than random ones.
    #[test]
    fn nothing_near_the_grammar_panics(
        header in "(t=[0-9a-]{0,22}[ ,=]{0,2})?(v[01]a?[=,]|sha(1|256)=)?[0-9a-fA-F+/_=.-]{0,66}[ ,]{0,2}(###1|\\|a&b)?",
        body in r#"[{}\[\]":,\\/ \n\r"a1&=%+.]{0,60}"#,
    ) {
        fuzz_headers(format!("{header}\n{body}").as_bytes());
        fuzz_forms(body.as_bytes());
    }

    #[test]
    fn events_are_read_from_any_bytes(value in vec(any::<u8>(), 0..40), body in vec(any::<u8>(), 0..200)) {
        let headers: Vec<(&str, &[u8])> = vec![("x-github-event", &value), ("X-GitHub-Delivery", &value)];
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        event(&request, &body);
    }
}

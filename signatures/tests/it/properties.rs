//! What must hold for any bytes.

use hookwire_signatures::{Request, Secret, Secrets, Status, Verdict, Verifier, event, fuzz_headers, schemes, sign};
use proptest::collection::vec;
use proptest::prelude::*;

fn judge<'a>(headers: &[(String, String)], secrets: &Secrets, chunks: impl Iterator<Item = &'a [u8]>) -> Verdict {
    let request = Request { method: b"POST", target: b"/", headers: &headers };
    let mut verifier = Verifier::start(&request, secrets, 0);
    chunks.for_each(|chunk| verifier.update(chunk));
    verifier.finish()
}

proptest! {
    #[test]
    fn chunking_never_changes_the_verdict(
        body in vec(any::<u8>(), 1..300),
        size in 1_usize..300,
        flip in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        for scheme in schemes() {
            let secret = Secret::new("key", "key");
            let mut headers = sign(scheme, &secret, &body, 0);
            headers.extend(scheme.detection.with.iter().map(|name| ((*name).to_owned(), "push".to_owned())));
            let mut secrets = Secrets::default();
            secrets.add(scheme.provider, secret);
            let mut received = body.clone();
            if let Some(flip) = flip {
                let index = flip.index(received.len());
                received[index] ^= 1;
            }
            let whole = judge(&headers, &secrets, [&*received].into_iter());
            let empty: &[u8] = b"";
            let pieces = judge(&headers, &secrets, received.chunks(size).flat_map(|chunk| [chunk, empty]));
            prop_assert_eq!(&whole, &pieces);
            prop_assert_eq!(whole.status, if flip.is_some() { Status::Invalid } else { Status::Valid });
        }
    }

    #[test]
    fn no_bytes_panic(data in vec(any::<u8>(), 0..400)) {
        fuzz_headers(&data);
    }

    /// Bytes near the grammars get further than random ones.
    #[test]
    fn nothing_near_the_grammar_panics(
        header in "(t=[0-9a-]{0,22}[ ,=]{0,2})?(v[01]=|sha(1|256)=)?[0-9a-fA-F+/_=-]{0,66}[ ,]{0,2}",
        body in r#"[{}\[\]":,\\/ \n\r"a1]{0,60}"#,
    ) {
        fuzz_headers(format!("{header}\n{body}").as_bytes());
    }

    #[test]
    fn events_are_read_from_any_bytes(value in vec(any::<u8>(), 0..40), body in vec(any::<u8>(), 0..200)) {
        let headers: Vec<(&str, &[u8])> = vec![("x-github-event", &value), ("X-GitHub-Delivery", &value)];
        let request = Request { method: b"POST", target: b"/", headers: &headers };
        event(&request, &body);
    }
}

//! A request for any scheme that can be signed here, made by `sign`.

use hookwire_signatures::{
    Coverage, KeyForm, Place, Request, Scheme, Secret, SecretKind, Secrets, SignInput, Signed, Verdict, Verifier,
    schemes, sign,
};

/// When everything here is signed.
pub(crate) const NOW: i64 = 1_700_000_000;

const URL: &str = "https://shop.example/hooks?source=test&data.id=ABC1";

/// A signed request.
pub(crate) struct Made {
    pub(crate) scheme: &'static Scheme,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) url: String,
    pub(crate) body: Vec<u8>,
}

/// Every scheme whose requests can be made here: those without a private key, and without Razorpay's encryption.
pub(crate) fn signable() -> impl Iterator<Item = &'static Scheme> {
    schemes().iter().filter(|scheme| {
        scheme.algorithm.is_symmetric() && !matches!(scheme.id, "razorpay.onboarding" | "braintree.challenge")
    })
}

impl Made {
    /// A request of `scheme` that carries `content`, signed with `key`.
    pub(crate) fn new(scheme: &'static Scheme, key: &str, content: &[u8]) -> Self {
        let secret = secret(scheme, key);
        let text = hex::encode(content);
        let (body, fields) = carrier(scheme, content, &text);
        let companions: Vec<_> =
            scheme.detection.with.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let input =
            SignInput { url: URL, headers: &companions, fields: &fields, ..SignInput::new(&secret, &body, NOW) };
        let signed = sign(scheme, &input).unwrap_or_else(|error| panic!("{}: {error}", scheme.id));
        let Signed { mut headers, query, body: made, .. } = signed;
        let is_made = |name: &str| headers.iter().any(|(made, _): &(String, String)| made == name);
        let kept: Vec<_> = companions.into_iter().filter(|(name, _)| !is_made(name)).collect();
        headers.extend(kept);
        assert!(query.is_empty(), "a POST needs no query");
        Self { scheme, headers, url: URL.to_owned(), body: made.unwrap_or(body) }
    }

    /// The verdict under its own scheme, with the secret that was made of `key`.
    pub(crate) fn judged(&self, key: &str, now: i64) -> Verdict {
        self.judged_in_chunks(key, now, usize::MAX)
    }

    pub(crate) fn judged_in_chunks(&self, key: &str, now: i64, size: usize) -> Verdict {
        let mut secrets = Secrets::default();
        secrets.add(self.scheme.provider, secret(self.scheme, key));
        let urls = [self.url.as_str()];
        let request = Request { method: b"POST", target: b"/", headers: &self.headers, urls: &urls };
        let mut verifier = Verifier::start_with(self.scheme, &request, &secrets, now);
        for chunk in self.body.chunks(size.max(1)) {
            verifier.update(chunk);
            verifier.update(b"");
        }
        verifier.finish()
    }

    /// Whether each byte of the body counts.
    pub(crate) fn signs_raw_body(&self) -> bool {
        self.scheme.covers == Coverage::Body && self.scheme.id != "linear.v1"
    }
}

/// A secret in the scheme's form; different keys make different secrets.
pub(crate) fn secret(scheme: &Scheme, key: &str) -> Secret {
    let hex = hex::encode(key);
    let secret = match scheme.key {
        KeyForm::Hex => Secret::new("made", hex),
        KeyForm::Base64 | KeyForm::Base64IfPrefixed => Secret::new("made", format!("whsec_{hex}")),
        _ if scheme.id == "paytm.v1" => Secret::new("made", format!("{hex:0<16.16}")),
        _ if scheme.id == "box.v1" => Secret::new("made", key).with_account("primary"),
        _ => Secret::new("made", key).with_account("account"),
    };
    if scheme.kind == SecretKind::Api { secret.of_api() } else { secret }
}

/// A body, or fields, with room for the signature.
fn carrier(scheme: &Scheme, content: &[u8], text: &str) -> (Vec<u8>, Vec<(String, String)>) {
    let json = |json: String| (json.into_bytes(), Vec::new());
    let signs_form = matches!(scheme.signature, [Place::Field(_), ..]) || scheme.covers == Coverage::Fields;
    match scheme.id {
        "adyen.classic" => json(format!(
            r#"{{"notificationItems":[{{"NotificationRequestItem":{{"pspReference":"{text}","amount":{{"value":1000}}}}}}]}}"#
        )),
        "mailgun.v3" => json(format!(r#"{{"event-data":{{"event":"{text}"}}}}"#)),
        "phonepe.v1" => json(format!(r#"{{"response":"{text}"}}"#)),
        "linear.v1" => json(format!(r#"{{"action":"{text}"}}"#)),
        _ if signs_form => {
            let signature = scheme.signature.iter().find_map(|place| match place {
                Place::Field(name) => Some(*name),
                _ => None,
            });
            let names = scheme.detection.fields.iter().filter(|name| Some(**name) != signature);
            let named = names.map(|name| ((*name).to_owned(), text.to_owned()));
            (Vec::new(), named.chain([("To".to_owned(), format!("+{text} & more"))]).collect())
        }
        _ => (content.to_vec(), Vec::new()),
    }
}

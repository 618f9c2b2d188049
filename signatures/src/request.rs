//! A borrowed view of a request as it was received.

/// What a signature may cover, apart from the body.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, as sent.
    pub method: &'a [u8],
    /// The request target as it arrived: `path?query`, or absolute-form (RFC 9112 §3.2.2).
    pub target: &'a [u8],
    /// The header fields; their names are compared without regard to case.
    pub headers: &'a dyn Headers,
    /// The URLs under which the provider may know this place, query included, the likeliest first. Some providers sign
    /// the URL that they were given, which a proxy or tunnel has changed by the time a request arrives. Without any,
    /// they are made from `x-forwarded-proto`, `host` and the target.
    pub urls: &'a [&'a str],
}

/// Header fields that gateways send at most, with those that proxies add: memory for more is taken as it is needed.
const USUAL_FIELDS: usize = 24;

impl<'a> Request<'a> {
    /// The header fields, walked once so that every later look-up is a plain loop.
    pub(crate) fn fields(&self) -> Fields<'a> {
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        fields.extend(self.headers.entries());
        Fields(fields)
    }
}

/// Header fields in the order they came, repeated names included.
pub trait Headers {
    /// Every field as name and value, without any decoding.
    fn entries<'a>(&'a self) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a>;
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Headers for &[(N, V)] {
    fn entries<'a>(&'a self) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a> {
        Box::new(self.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn entries<'a>(&'a self) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a> {
        Box::new(self.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn entries<'a>(&'a self) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a> {
        Box::new(self.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))
    }
}

/// The fields of one request, collected.
#[derive(Clone)]
pub(crate) struct Fields<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Fields<'a> {
    /// The values of `name` that are not blank. Gitea and others send their signature header empty when no
    /// secret is set, so a blank value means the same as no header.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| *value)
            .filter(|value| !value.trim_ascii().is_empty())
    }

    pub(crate) fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.0.iter().copied()
    }

    /// A header whose value counts whatever its case.
    pub(crate) fn has_value(&self, name: &str, value: &str) -> bool {
        self.first(name).is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(value.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ignore_case_and_blank_values_do_not_count() {
        let headers = vec![
            (b"X-A".to_vec(), b" ".to_vec()),
            (b"x-a".to_vec(), b"1".to_vec()),
            (b"X-a".to_vec(), b"\xff".to_vec()),
        ];
        let request = Request { method: b"POST", target: b"/", headers: &headers, urls: &[] };
        let fields = request.fields();
        assert_eq!(fields.all("x-A").collect::<Vec<_>>(), [&b"1"[..], b"\xff"]);
        assert!(!fields.has("x-b"));
    }
}

//! Edits of the secret.

use super::{Case, Edit, Edits};

/// The provider's secrets without what an `.env` file, a shell or a copy and paste may have left around them.
pub(super) fn trimmed(case: Case<'_>) -> Edits<'_> {
    let quote_or_space = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`');
    let secrets = case.secrets.of(case.scheme.provider).iter();
    Box::new(secrets.filter_map(move |secret| {
        let value = secret.value();
        let start = value.iter().position(|byte| !quote_or_space(byte))?;
        let end = value.iter().rposition(|byte| !quote_or_space(byte))?;
        let kept = &value[start..=end];
        (kept.len() < value.len()).then(|| Edit::Secret(secret.with_value(kept)))
    }))
}

/// The secrets of every other provider.
pub(super) fn of_others(case: Case<'_>) -> Edits<'_> {
    let others = case.secrets.iter().filter(move |(provider, _)| *provider != case.scheme.provider);
    Box::new(others.map(|(_, secret)| Edit::Secret(secret.clone())))
}

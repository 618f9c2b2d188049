//! Signing secrets: held in memory, named, never printed.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::key::SecretKind;
use crate::provider::Provider;

/// One signing secret and the name it is known by. The value is wiped when it is dropped and never printed.
///
/// For the schemes that sign with a private key the value is the provider's public key or certificate: PEM, a JWK, or
/// the base64 or hexadecimal that the dashboard shows.
#[derive(Clone)]
pub struct Secret {
    name: Arc<str>,
    value: Zeroizing<Vec<u8>>,
    account: Option<Arc<str>>,
    kind: SecretKind,
    former: bool,
}

impl Secret {
    /// A secret under the name that verdicts will give, such as `env:STRIPE_WEBHOOK_SECRET`. The value is taken
    /// as it is: whitespace in it is a mistake to be reported, not repaired.
    pub fn new(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into().into(),
            value: Zeroizing::new(value.into()),
            account: None,
            kind: SecretKind::Webhook,
            former: false,
        }
    }

    /// With what belongs to it and is no secret: a user name (basic authentication, `PhonePe`), the name of a public key
    /// (Braintree), the own id of the webhook (`PayPal`), a login (dLocal), the number of a key (`PhonePe`), `primary`
    /// or `secondary` (Box).
    pub fn with_account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into().into());
        self
    }

    /// As the secret of the API: Razorpay signs what comes back from its checkout with that one.
    pub fn of_api(mut self) -> Self {
        self.kind = SecretKind::Api;
        self
    }

    /// As one that was replaced: it still counts, because retries of older events are signed with it.
    pub fn as_former(mut self) -> Self {
        self.former = true;
        self
    }

    /// Where the secret came from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What belongs to the secret, if anything was said.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Which of the provider's secrets it is.
    pub fn kind(&self) -> SecretKind {
        self.kind
    }

    /// Whether it was replaced.
    pub fn is_former(&self) -> bool {
        self.former
    }

    /// Whether the value is empty or only whitespace: a variable that was declared and never filled in.
    pub fn is_blank(&self) -> bool {
        self.value.trim_ascii().is_empty()
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(crate) fn shared_account(&self) -> Option<Arc<str>> {
        self.account.clone()
    }

    pub(crate) fn value(&self) -> &[u8] {
        &self.value
    }

    /// The same secret with another value, for a trial.
    pub(crate) fn with_value(&self, value: &[u8]) -> Self {
        Self { value: Zeroizing::new(value.to_vec()), ..self.clone() }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({} [redacted])", self.name)
    }
}

/// Every secret that is known, by provider. All of a provider's secrets are tried, so that a rotation has no gap.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<(Provider, Vec<Secret>)>);

impl Secrets {
    /// Adds a secret behind those that the provider already has. A blank one ([`Secret::is_blank`]) is left out:
    /// anybody can sign with an empty key, so it must never make a request valid.
    pub fn add(&mut self, provider: Provider, secret: Secret) {
        if secret.is_blank() {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| *known == provider) {
            Some((_, secrets)) => secrets.push(secret),
            None => self.0.push((provider, vec![secret])),
        }
    }

    /// The secrets of one provider, in the order they were added.
    pub fn of(&self, provider: Provider) -> &[Secret] {
        self.0.iter().find(|(known, _)| *known == provider).map_or(&[], |(_, secrets)| secrets)
    }

    /// Whether there is a secret of this kind.
    pub(crate) fn has(&self, provider: Provider, kind: SecretKind) -> bool {
        self.of(provider).iter().any(|secret| secret.kind == kind)
    }

    /// Whether no provider has a secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every secret with its provider.
    pub fn iter(&self) -> impl Iterator<Item = (Provider, &Secret)> {
        self.0.iter().flat_map(|(provider, secrets)| secrets.iter().map(|secret| (*provider, secret)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_name_and_not_the_value() {
        let mut secrets = Secrets::default();
        secrets.add(Provider::Stripe, Secret::new("env:S", "whsec_topsecret"));
        let shown = format!("{secrets:?}");
        assert!(shown.contains("env:S") && shown.contains("[redacted]"), "{shown}");
        assert!(!shown.contains("topsecret"), "{shown}");
    }

    #[test]
    fn a_blank_secret_is_no_secret() {
        let mut secrets = Secrets::default();
        secrets.add(Provider::GitHub, Secret::new("env:G", " \n"));
        assert!(secrets.is_empty());
        secrets.add(Provider::GitHub, Secret::new("env:A", "a"));
        secrets.add(Provider::GitHub, Secret::new("env:B", "b"));
        secrets.add(Provider::Stripe, Secret::new("env:C", "c"));
        let names: Vec<_> = secrets.of(Provider::GitHub).iter().map(Secret::name).collect();
        assert_eq!(names, ["env:A", "env:B"]);
        assert_eq!(secrets.iter().count(), 3);
        assert!(secrets.of(Provider::Razorpay).is_empty());
        assert!(!secrets.has(Provider::GitHub, SecretKind::Api));
    }
}

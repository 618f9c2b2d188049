//! Signing secrets and the relay's token: where they are said to be, and reading them there. None of it is ever printed.

mod dotenv;

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use hookwire_relay_client::dial::Token;
use hookwire_signatures::{Provider, Secret, Secrets};
use serde::{Deserialize, Deserializer, de};

use crate::failure::Failure;

/// The environment variable that can hold the relay's token.
const TOKEN_VARIABLE: &str = "HOOKWIRE_TOKEN";

/// `<PROVIDER>[-api|-former]=<env:VAR|file:PATH>`: whose secret, which one, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    provider: Provider,
    role: Role,
    place: Place,
}

/// Which of a provider's secrets it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The one that webhooks are signed with today.
    Webhook,
    /// The one of the API: Razorpay signs what comes back from its checkout with that.
    Api,
    /// One that was replaced; retries of older events still come with it.
    Former,
}

impl Role {
    /// What is written behind the provider's name.
    const SUFFIXES: [(&'static str, Self); 2] = [("-api", Self::Api), ("-former", Self::Former)];

    fn given_to(self, secret: Secret) -> Secret {
        match self {
            Self::Webhook => secret,
            Self::Api => secret.of_api(),
            Self::Former => secret.as_former(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Variable(String),
    File(PathBuf),
}

/// Why a text names no source. It never repeats what may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SourceError {
    /// No `=`.
    Form,
    /// Not a provider that we know.
    Provider(String),
    /// Neither `env:` nor `file:`: most likely the secret itself.
    Literal(Provider),
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, place) = text.split_once('=').ok_or(SourceError::Form)?;
        let suffixed = Role::SUFFIXES.iter().find_map(|(suffix, role)| Some((name.strip_suffix(suffix)?, *role)));
        let (provider, role) = suffixed.unwrap_or((name, Role::Webhook));
        let provider: Provider = provider
            .parse()
            .map_err(|error: hookwire_signatures::UnknownProvider| SourceError::Provider(error.to_string()))?;
        let place = match place.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Place::Variable(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => Place::File(path.into()),
            _ => return Err(SourceError::Literal(provider)),
        };
        Ok(Self { provider, role, place })
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("a secret is written as `<PROVIDER>=env:<VARIABLE>` or `<PROVIDER>=file:<PATH>`"),
            Self::Provider(message) => f.write_str(message),
            Self::Literal(provider) => {
                write!(f, "the secret of `{provider}` must be named by its place, `env:<VARIABLE>` or `file:<PATH>`")
            }
        }
    }
}

impl SourceError {
    fn hint(&self) -> Option<String> {
        let Self::Literal(provider) = self else { return None };
        let name = provider.usual_env_names().first().copied().unwrap_or("WEBHOOK_SECRET");
        Some(format!(
            "arguments and settings are seen by others: set `{name}` in the environment and write `{provider}=env:{name}`"
        ))
    }
}

/// Sources in the settings file. They stay texts, as on the command line, whose parser would repeat a wrong one in its error.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    /// A text that names a source.
    struct Checked(String);

    impl<'de> Deserialize<'de> for Checked {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            text.parse::<Source>().map_err(de::Error::custom)?;
            Ok(Self(text))
        }
    }

    Ok(Vec::<Checked>::deserialize(deserializer)?.into_iter().map(|Checked(text)| text).collect())
}

/// Variables: the process's own, and below them those of the `--env-file`.
pub(crate) struct Environment {
    process: fn(&str) -> Option<String>,
    file: Option<EnvFile>,
}

struct EnvFile {
    path: PathBuf,
    variables: Vec<(String, String)>,
}

impl Environment {
    /// Reads the file, if one was given.
    pub(crate) fn read(env_file: Option<&Path>) -> Result<Self, Failure> {
        let file = env_file.map(EnvFile::read).transpose()?;
        Ok(Self { process: |name| env::var(name).ok(), file })
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.process)(name).or_else(|| self.file.as_ref().and_then(|file| file.variable(name)))
    }

    /// The secrets that were named, and those under their usual names in the file.
    pub(crate) fn secrets(&self, named: &[String]) -> Result<Secrets, Failure> {
        let mut secrets = Secrets::default();
        for text in named {
            let source: Source =
                text.parse().map_err(|error: SourceError| Failure::usage(&error).hint(error.hint()))?;
            secrets.add(source.provider, self.secret(&source)?);
        }
        let Some(file) = &self.file else { return Ok(secrets) };
        let usual = Provider::ALL.iter().flat_map(|provider| {
            let webhook = provider.usual_env_names().iter().map(|name| (*provider, Role::Webhook, *name));
            webhook.chain(provider.usual_api_env_names().iter().map(|name| (*provider, Role::Api, *name)))
        });
        for (provider, role, name) in usual {
            let Some(value) = file.variable(name).filter(|value| !value.trim().is_empty()) else { continue };
            let secret = self.with_account(provider, role.given_to(Secret::new(format!("env:{name}"), value)));
            // Named with `--secret` as well: the environment stood over the file there.
            if !secrets.of(provider).iter().any(|known| known.name() == secret.name()) {
                secrets.add(provider, secret);
            }
        }
        if secrets.is_empty() {
            tracing::warn!(
                "`{}` holds no secret under a usual name, such as `RAZORPAY_WEBHOOK_SECRET`",
                file.path.display()
            );
        }
        Ok(secrets)
    }

    /// Adds what belongs to the secret and is none itself, such as the own id of a PayPal webhook.
    fn with_account(&self, provider: Provider, secret: Secret) -> Secret {
        let account = provider.usual_account_env_name().and_then(|name| self.variable(name));
        match account.filter(|account| !account.trim().is_empty()) {
            Some(account) => secret.with_account(account.trim()),
            None => secret,
        }
    }

    fn secret(&self, Source { provider, role, place }: &Source) -> Result<Secret, Failure> {
        let (name, value) = match place {
            Place::Variable(name) => {
                let value = self.variable(name).ok_or_else(|| {
                    Failure::usage(format!(
                        "the environment variable `{name}` is not set; the secret of `{provider}` should be there"
                    ))
                    .hint(format!("run `export {name}=…`, or pass `--env-file` with a file that holds it"))
                })?;
                (format!("env:{name}"), value.into_bytes())
            }
            Place::File(path) => {
                let value = fs::read(path)
                    .map_err(|error| Failure::unreadable(&format!("the secret of `{provider}` from"), path, &error))?;
                (format!("file:{}", path.display()), without_line_end(value))
            }
        };
        let secret = self.with_account(*provider, role.given_to(Secret::new(name, value)));
        if secret.is_blank() {
            return Err(Failure::usage(format!("the secret of `{provider}` in `{}` is empty", secret.name())).hint(
                "anybody can sign with an empty secret; copy the real one from the provider's dashboard".to_owned(),
            ));
        }
        Ok(secret)
    }
}

impl EnvFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|error| Failure::unreadable("the env file", path, &error))?;
        let variables = dotenv::parse(&text).map_err(|error| Failure::usage(format!("`{shown}` {error}")))?;
        Ok(Self { path: path.to_owned(), variables })
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// The relay's token: from the file of the flag, else from `HOOKWIRE_TOKEN`, else from the file of the settings.
pub(crate) fn token(flag: Option<&Path>, settings: Option<&Path>) -> Result<Option<Token>, Failure> {
    let variable = env::var(TOKEN_VARIABLE).ok().filter(|text| !text.is_empty());
    let (text, place) = match (flag, variable, settings) {
        (None, Some(text), _) => (text, format!("the environment variable `{TOKEN_VARIABLE}`")),
        (Some(path), ..) | (None, None, Some(path)) => {
            let text = fs::read_to_string(path).map_err(|error| Failure::unreadable("the token file", path, &error))?;
            (text, format!("the token file `{}`", path.display()))
        }
        (None, None, None) => return Ok(None),
    };
    Token::new(text.trim()).map(Some).map_err(|error| {
        Failure::usage(format!("{place} holds no token: {error}"))
            .hint("make one with `hookwire token new` where the relay runs".to_owned())
    })
}

/// One line end belongs to the file, as every editor and `echo` write it, not to the secret. More is kept: it may be meant.
fn without_line_end(mut value: Vec<u8>) -> Vec<u8> {
    if value.pop_if(|last| *last == b'\n').is_some() {
        value.pop_if(|last| *last == b'\r');
    }
    value
}

#[cfg(test)]
mod tests {
    use hookwire_signatures::SecretKind;

    use super::*;

    fn environment(file: &str) -> Environment {
        let variables = dotenv::parse(file).unwrap();
        Environment {
            process: |name| (name == "FROM_PROCESS").then(|| "p".to_owned()),
            file: Some(EnvFile { path: ".env".into(), variables }),
        }
    }

    fn names(secrets: &Secrets) -> Vec<String> {
        secrets.iter().map(|(provider, secret)| format!("{provider}={}", secret.name())).collect()
    }

    #[test]
    fn sources_name_a_place() {
        let source = |text: &str| text.parse::<Source>();
        assert_eq!(
            source("stripe=env:S"),
            Ok(Source { provider: Provider::Stripe, role: Role::Webhook, place: Place::Variable("S".into()) })
        );
        assert_eq!(
            source("stripe=file:C:/s"),
            Ok(Source { provider: Provider::Stripe, role: Role::Webhook, place: Place::File("C:/s".into()) })
        );
        assert_eq!(source("razorpay-api=env:S").map(|source| source.role), Ok(Role::Api));
        assert_eq!(source("stripe-former=env:S").map(|source| source.role), Ok(Role::Former));
        assert!(source("stripe-other=env:S").is_err());
        assert_eq!(source("stripe"), Err(SourceError::Form));
        for literal in ["stripe=whsec_x", "stripe=", "stripe=env:", "stripe=plain:x"] {
            assert_eq!(source(literal), Err(SourceError::Literal(Provider::Stripe)));
        }
        assert!(source("strype=env:S").unwrap_err().to_string().contains("unknown provider `strype`"));
    }

    #[test]
    fn a_literal_secret_is_refused_without_repeating_it() {
        let failure = environment("").secrets(&["stripe=whsec_hunter2".into()]).unwrap_err().to_string();
        assert!(failure.contains("env:STRIPE_WEBHOOK_SECRET") && !failure.contains("hunter2"), "{failure}");
    }

    #[test]
    fn the_env_file_gives_the_usual_names_and_what_was_named() {
        let environment = environment(
            "RAZORPAY_WEBHOOK_SECRET=a\nSTRIPE_ENDPOINT_SECRET=b\nMINE=c\nGITHUB_WEBHOOK_SECRET=\nFROM_PROCESS=f\n",
        );
        let secrets =
            environment.secrets(&["stripe=env:MINE".into(), "razorpay=env:RAZORPAY_WEBHOOK_SECRET".into()]).unwrap();
        assert_eq!(
            names(&secrets),
            ["stripe=env:MINE", "stripe=env:STRIPE_ENDPOINT_SECRET", "razorpay=env:RAZORPAY_WEBHOOK_SECRET"]
        );
        assert_eq!(environment.variable("FROM_PROCESS").as_deref(), Some("p"));
        assert!(!format!("{secrets:?}").contains("\"c\""));
    }

    #[test]
    fn secrets_of_the_api_are_kept_apart_and_accounts_found() {
        let file = "RAZORPAY_KEY_SECRET=k\nBRAINTREE_PRIVATE_KEY=p\nBRAINTREE_PUBLIC_KEY= b \nOLD=o\n";
        let secrets = environment(file).secrets(&["stripe-former=env:OLD".into()]).unwrap();
        assert_eq!(secrets.of(Provider::Razorpay)[0].kind(), SecretKind::Api);
        assert_eq!(secrets.of(Provider::Braintree)[0].account(), Some("b"));
        assert!(secrets.of(Provider::Stripe)[0].is_former());
    }

    #[test]
    fn a_missing_or_empty_secret_is_an_error_that_names_it() {
        let failure = |named: &str| environment("EMPTY=\n").secrets(&[named.into()]).unwrap_err().to_string();
        assert!(failure("github=env:NOT_SET").contains("`NOT_SET` is not set"));
        assert!(failure("github=env:EMPTY").contains("`env:EMPTY` is empty"));
        assert!(failure("github=file:/does/not/exist").contains("can't read the secret of `github`"));
    }

    #[test]
    fn exactly_one_line_end_goes() {
        let folder = tempfile::tempdir().unwrap();
        for (content, length) in [("s", 1), ("s\n", 1), ("s\r\n", 1), ("s\n\n", 2), ("s ", 2), ("s\r", 2)] {
            assert_eq!(without_line_end(content.into()).len(), length, "{content:?}");
        }
        let path = folder.path().join("empty");
        fs::write(&path, "\n").unwrap();
        let named = format!("github=file:{}", path.display());
        assert!(environment("").secrets(&[named]).unwrap_err().to_string().contains("is empty"));
    }
}

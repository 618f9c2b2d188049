//! Values chosen from a short list. What a later version will add is refused by name, so that nobody waits for it.

use std::{fmt, path::PathBuf, str::FromStr};

use http::{HeaderValue, uri::Authority};

/// How exchanges are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// The inspector, on the whole screen.
    Tui,
    /// One line for a person.
    Plain,
    /// One JSON object a line.
    Json,
}

/// Who answers the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The app's own answer, or an error of ours when there is none.
    App,
    /// The relay, once it has written the webhook down.
    Relay,
    /// The app if it is in time, else the relay.
    Hybrid,
}

/// What becomes of webhooks while nobody can take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenAway {
    /// The relay holds them.
    Hold,
    /// Their senders are refused, and try again.
    Refuse,
}

/// Where the local API listens. Nowhere, for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// No API.
    Off,
}

/// Where exchanges are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nowhere.
    Off,
    /// In this file.
    File(PathBuf),
}

/// The `host` header that the app sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// As the sender wrote it.
    Keep,
    /// The target's own.
    Rewrite,
    /// This one.
    Fixed(HeaderValue),
}

/// Why a choice is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChoiceError(String);

impl FromStr for Output {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "plain" => Ok(Self::Plain),
            "json" => Ok(Self::Json),
            "tui" => Ok(Self::Tui),
            _ => Err(ChoiceError("use `tui`, `plain` or `json`".into())),
        }
    }
}

impl FromStr for Answer {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "app" => Ok(Self::App),
            "relay" => Ok(Self::Relay),
            "hybrid" => Ok(Self::Hybrid),
            _ => Err(ChoiceError("use `app`, `relay` or `hybrid`".into())),
        }
    }
}

impl FromStr for WhenAway {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "hold" => Ok(Self::Hold),
            "refuse" => Ok(Self::Refuse),
            _ => Err(ChoiceError("use `hold` or `refuse`".into())),
        }
    }
}

impl From<Answer> for hookwire_relay_client::Answer {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::App => Self::App,
            Answer::Relay => Self::Relay,
            Answer::Hybrid => Self::Hybrid,
        }
    }
}

impl From<WhenAway> for hookwire_relay_client::WhenAway {
    fn from(when: WhenAway) -> Self {
        match when {
            WhenAway::Hold => Self::Hold,
            WhenAway::Refuse => Self::Refuse,
        }
    }
}

impl FromStr for Api {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => Err(ChoiceError(
                "the local API is not in this version yet: use `off`; `hookwire requests --json` reads what it would tell".into(),
            )),
        }
    }
}

impl FromStr for Keep {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            "" => Err(ChoiceError("name a file, or `off`".into())),
            file => Ok(Self::File(file.into())),
        }
    }
}

impl FromStr for Host {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keep" => Ok(Self::Keep),
            "rewrite" => Ok(Self::Rewrite),
            host => match (host.parse::<Authority>(), host.parse()) {
                (Ok(_), Ok(value)) => Ok(Self::Fixed(value)),
                _ => Err(ChoiceError("use `keep`, `rewrite` or a host like `shop.test:8080`".into())),
            },
        }
    }
}

impl fmt::Display for ChoiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ChoiceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_built_yet_says_so() {
        assert_eq!("json".parse(), Ok(Output::Json));
        let error = "127.0.0.1:4040".parse::<Api>().unwrap_err();
        assert!(error.0.contains("not in this version yet"), "{error}");
        assert_eq!(
            ["app", "relay", "hybrid"].map(str::parse),
            [Ok(Answer::App), Ok(Answer::Relay), Ok(Answer::Hybrid)]
        );
        assert_eq!(["hold", "refuse"].map(str::parse), [Ok(WhenAway::Hold), Ok(WhenAway::Refuse)]);
        assert!("drop".parse::<WhenAway>().is_err() && "me".parse::<Answer>().is_err());
        assert_eq!("banana".parse::<Output>().unwrap_err().0, "use `tui`, `plain` or `json`");
        assert_eq!("shop.test".parse(), Ok(Host::Fixed(HeaderValue::from_static("shop.test"))));
        assert!("shop test".parse::<Host>().is_err());
    }
}

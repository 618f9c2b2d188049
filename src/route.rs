//! `--route <PREFIX>=<TARGET>`: another app for some paths.

use std::{fmt, str::FromStr};

use hookwire_relay_client::{Route, upstream::Target};

/// A route as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RouteText {
    prefix: String,
    target: Target,
}

/// Why a text is no route.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RouteError(String);

impl FromStr for RouteText {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (prefix, target) = text.split_once('=').ok_or_else(|| RouteError("write it as `/stripe=4000`".into()))?;
        if !prefix.starts_with('/') {
            return Err(RouteError(format!("the prefix must begin with `/`: `/{prefix}={target}`")));
        }
        let target = target.parse::<Target>().map_err(|error| RouteError(error.to_string()))?;
        Ok(Self { prefix: prefix.to_owned(), target })
    }
}

impl From<RouteText> for Route {
    fn from(RouteText { prefix, target }: RouteText) -> Self {
        Self { prefix, target }
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RouteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_a_prefix_and_a_target() {
        assert_eq!("/stripe=4000".parse::<RouteText>().unwrap().prefix, "/stripe");
        assert_eq!("stripe=4000".parse::<RouteText>().unwrap_err().0, "the prefix must begin with `/`: `/stripe=4000`");
        assert_eq!("/stripe".parse::<RouteText>().unwrap_err().0, "write it as `/stripe=4000`");
    }
}

//! Who signs.

use std::fmt;
use std::str::FromStr;

/// A webhook provider that the table of schemes knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Razorpay, payments in India.
    Razorpay,
    /// Stripe, payments.
    Stripe,
    /// GitHub, repositories and apps.
    GitHub,
}

impl Provider {
    /// Every provider, in the order of the table.
    pub const ALL: &'static [Self] = &[Self::Razorpay, Self::Stripe, Self::GitHub];

    /// The name on the command line and in files: lower case, no spaces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Razorpay => "razorpay",
            Self::Stripe => "stripe",
            Self::GitHub => "github",
        }
    }

    /// The name as the provider writes it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Razorpay => "Razorpay",
            Self::Stripe => "Stripe",
            Self::GitHub => "GitHub",
        }
    }

    /// The environment variables that usually hold this provider's webhook secret, the most usual one first.
    /// API keys are not among them: a key of another kind is a mistake, not a fallback.
    pub const fn usual_env_names(self) -> &'static [&'static str] {
        match self {
            Self::Razorpay => &["RAZORPAY_WEBHOOK_SECRET", "RZP_WEBHOOK_SECRET"],
            Self::Stripe => &["STRIPE_WEBHOOK_SECRET", "STRIPE_ENDPOINT_SECRET", "STRIPE_SIGNING_SECRET"],
            Self::GitHub => &["GITHUB_WEBHOOK_SECRET", "GITHUB_APP_WEBHOOK_SECRET", "GH_WEBHOOK_SECRET"],
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        Self::ALL
            .iter()
            .copied()
            .find(|provider| provider.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownProvider(name.to_owned()))
    }
}

/// A provider's name that the table does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown provider `{0}`; known are {known}", known = known())]
pub struct UnknownProvider(String);

fn known() -> String {
    let names: Vec<_> = Provider::ALL.iter().map(|provider| format!("`{provider}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_an_unknown_one_lists_the_known() {
        for provider in Provider::ALL {
            assert_eq!(provider.name().parse(), Ok(*provider));
            assert_eq!(provider.title().parse(), Ok(*provider));
        }
        let error = "razorpey".parse::<Provider>().unwrap_err();
        assert_eq!(error.to_string(), "unknown provider `razorpey`; known are `razorpay`, `stripe`, `github`");
    }
}

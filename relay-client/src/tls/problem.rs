//! Why no TLS connection came about, in words that say what to change.

use std::{fmt, io};

use rustls::{CertificateError, Error, InvalidMessage};
use rustls_pki_types::{ServerName, UnixTime};

/// Why a TLS handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The certificate is for somebody else (RFC 9525 §6).
    #[error("the certificate is for {}, not for `{expected}`", Names(presented))]
    WrongName {
        /// The name that was dialled.
        expected: String,
        /// The names that the certificate holds; empty when the platform does not tell.
        presented: Vec<String>,
    },
    /// The certificate's time is over (RFC 5280 §4.1.2.5).
    #[error("the certificate has expired{}", When("until", *until))]
    Expired {
        /// The last second in which it was valid, where the platform tells.
        until: Option<UnixTime>,
    },
    /// The certificate's time has not begun, or this machine's clock is behind.
    #[error("the certificate is not valid yet{}", When("from", *from))]
    NotYetValid {
        /// The first second in which it will be valid, where the platform tells.
        from: Option<UnixTime>,
    },
    /// No authority that is trusted here stands behind the certificate.
    #[error("the certificate's issuer is not trusted here")]
    UnknownIssuer,
    /// Something else is wrong with the certificate.
    #[error("the certificate was refused: {0}")]
    Certificate(String),
    /// The peer answered with something that is no TLS record.
    #[error("the server does not speak TLS on this port")]
    NotTls,
    /// The name that was dialled can't stand in any certificate.
    #[error("`{0}` is not a name that a certificate can hold")]
    Name(String),
    /// The handshake broke for a reason that may pass: the connection closed, or an alert.
    #[error("the TLS handshake failed: {0}")]
    Handshake(String),
}

impl TlsProblem {
    /// What to do about it, where there is one thing to do.
    ///
    /// It speaks of `--ca`, which both connections know. A caller that also takes `--insecure` may add that.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::WrongName { .. } => "use a name that the certificate holds, or make a certificate for this name",
            Self::Expired { .. } => "renew the certificate on the server",
            Self::NotYetValid { .. } => "check this machine's clock",
            Self::UnknownIssuer => "pass the certificate of the authority that issued it with `--ca <FILE>`",
            Self::NotTls => "check the port, or write `http://` instead of `https://`",
            Self::Certificate(_) | Self::Name(_) | Self::Handshake(_) => return None,
        })
    }

    /// Whether trying again can't help until somebody changes a certificate, a name or an option.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Handshake(_))
    }

    /// The problem behind a handshake's error: tokio-rustls wraps the rustls error into an I/O error.
    pub(crate) fn of(error: &io::Error, host: &str) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(Error::InvalidCertificate(error)) => Self::of_certificate(error, host),
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Self::NotTls,
            Some(error) => Self::Handshake(error.to_string()),
            None => Self::Handshake(error.to_string()),
        }
    }

    fn of_certificate(error: &CertificateError, host: &str) -> Self {
        match error {
            CertificateError::NotValidForName => Self::WrongName { expected: host.to_owned(), presented: Vec::new() },
            CertificateError::NotValidForNameContext { expected, presented } => Self::WrongName {
                expected: ServerName::to_str(expected).into_owned(),
                presented: presented.iter().map(|name| bare_name(name)).collect(),
            },
            CertificateError::Expired => Self::Expired { until: None },
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired { until: Some(*not_after) },
            CertificateError::NotValidYet => Self::NotYetValid { from: None },
            CertificateError::NotValidYetContext { not_before, .. } => Self::NotYetValid { from: Some(*not_before) },
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            other => Self::Certificate(other.to_string()),
        }
    }
}

/// The name inside `DnsName("…")` or `IpAddress(…)`, which is how webpki prints the names it saw.
fn bare_name(printed: &str) -> String {
    let inner = printed.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(printed).trim_matches('"').to_owned()
}

/// Names as a list in a sentence.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.0.split_first() else {
            return f.write_str("another name");
        };
        write!(f, "`{first}`")?;
        rest.iter().try_for_each(|name| write!(f, ", `{name}`"))
    }
}

/// The end or the begin of a validity in UTC, where it is known.
struct When(&'static str, Option<UnixTime>);

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 24 * 60 * 60;
        let Some(moment) = self.1 else { return Ok(()) };
        let (days, seconds) = (moment.as_secs() / DAY, moment.as_secs() % DAY);
        let (year, month, day) = civil(days);
        let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
        let word = self.0;
        write!(f, " (valid {word} {year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC)")
    }
}

/// Year, month and day of a day counted from 1970-01-01, by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>): years begin in March there, so that the leap day comes last.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_FROM_YEAR_0_TO_1970: u64 = 719_468;
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = days + DAYS_FROM_YEAR_0_TO_1970;
    let (era, of_era) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn dates_are_civil() {
        // Seconds from `date --date <text> +%s`.
        for (seconds, text) in [
            (0, "1970-01-01 00:00"),
            (951_782_399, "2000-02-28 23:59"),
            (951_825_600, "2000-02-29 12:00"),
            (951_868_800, "2000-03-01 00:00"),
            (1_735_689_599, "2024-12-31 23:59"),
            (4_107_542_400, "2100-03-01 00:00"),
        ] {
            let problem = TlsProblem::Expired { until: Some(at(seconds)) };
            let expected = format!("the certificate has expired (valid until {text} UTC)");
            assert_eq!(problem.to_string(), expected);
        }
    }

    #[test]
    fn what_the_platform_does_not_tell_is_left_out() {
        let problem = TlsProblem::Expired { until: None };
        assert_eq!(problem.to_string(), "the certificate has expired");
        let problem = TlsProblem::WrongName { expected: "relay.test".to_owned(), presented: vec![] };
        let text = "the certificate is for another name, not for `relay.test`";
        assert_eq!(problem.to_string(), text);
    }

    #[test]
    fn names_lose_the_wrapping_of_webpki() {
        for (printed, bare) in [
            ("DnsName(\"*.example.com\")", "*.example.com"),
            ("IpAddress(127.0.0.1)", "127.0.0.1"),
            ("DirectoryName", "DirectoryName"),
        ] {
            assert_eq!(bare_name(printed), bare);
        }
    }
}

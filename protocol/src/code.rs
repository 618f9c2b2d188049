//! The one table of what can go wrong on a webhook's way, and what each side says about it.
//!
//! The relay answers a sender with [`Code::status`], the header `hookwire-error: <code>` and a short JSON body; the client
//! prints the same code on the exchange's line. Codes are stable: scripts may match on them.

use std::fmt;

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Whoever posted the webhook.
    Sender,
    /// The relay, or the way to it.
    Relay,
    /// The hookwire client on the developer's machine, or its absence.
    Client,
    /// The developer's app.
    Upstream,
    /// Something was set up wrong.
    Config,
}

impl Fault {
    /// The word used in messages and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Relay => "relay",
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Config => "config",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $wire:literal, $text:literal, $status:literal, $fault:ident, $message:literal, $hint:literal;)*) => {
        /// A stable name for one way to fail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number that stands for it in a frame. Never reused.
            pub const fn wire(self) -> u8 {
                match self { $(Self::$name => $wire,)* }
            }

            /// Its name in the `hookwire-error` header.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status that the sender gets.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Whose fault it is.
            pub const fn fault(self) -> Fault {
                match self { $(Self::$name => Fault::$fault,)* }
            }

            /// What happened, in one sentence without a final period.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }

            /// What to do next, in one sentence without a final period.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

codes! {
    /// The request is not HTTP as RFC 9112 has it.
    MalformedRequest = 1, "malformed-request", 400, Sender,
        "the request is not well-formed HTTP", "check what sends it: the line or header that breaks RFC 9112 was not passed on";
    /// The length of the body can be read in two ways (request smuggling, RFC 9112 §6.3).
    AmbiguousLength = 2, "ambiguous-length", 400, Sender,
        "the request says the length of its body in two ways", "send exactly one `content-length`, or `transfer-encoding: chunked` alone";
    /// No host, two hosts, or one that is no host (RFC 9112 §3.2).
    BadHost = 3, "bad-host", 400, Sender,
        "the request has no `host` header, or more than one, or an invalid one", "send exactly one valid `host` header";
    /// A transfer coding other than `chunked`.
    UnsupportedTransferEncoding = 4, "unsupported-transfer-encoding", 400, Sender,
        "the request has a transfer encoding other than `chunked`", "send the body plain or `chunked`; `content-encoding` is untouched";
    /// The body stopped arriving.
    BodyIncomplete = 5, "body-incomplete", 400, Sender,
        "the request body stopped before its end", "check the sender's network and its `content-length`";
    /// The token is missing, unknown or revoked.
    BadToken = 6, "bad-token", 401, Config,
        "the relay does not know this token", "make one with `hookwire token new` on the relay and pass it with `--token-file`";
    /// Nobody ever opened this endpoint.
    NoSuchEndpoint = 7, "no-such-endpoint", 404, Sender,
        "no endpoint of this name exists here", "check the first part of the path against the URL that `hookwire listen` prints";
    /// The body is larger than the relay takes.
    BodyTooLarge = 8, "body-too-large", 413, Sender,
        "the request body is larger than this relay takes", "send less, or raise `--max-body` on the relay";
    /// The request target is longer than the relay takes.
    UriTooLong = 9, "uri-too-long", 414, Sender,
        "the request target is longer than this relay takes", "put the data into the body";
    /// The header section is larger than the relay takes.
    HeadTooLarge = 10, "head-too-large", 431, Sender,
        "the request's header section is larger than this relay takes", "send fewer or shorter headers";
    /// The endpoint exists, and no client is connected for it.
    NoSession = 11, "no-session", 503, Client,
        "no hookwire client is connected for this endpoint", "start `hookwire listen`, or wait for it to reconnect";
    /// The client's session ended before the answer came.
    SessionLost = 12, "session-lost", 502, Client,
        "the connection to the hookwire client broke before the app's answer came", "the app may have seen the request; the sender may retry";
    /// As many exchanges are in flight as the session allows.
    Overloaded = 13, "overloaded", 503, Client,
        "too many requests are in flight for this endpoint", "retry later, or look at why the app answers slowly";
    /// The relay is stopping.
    Stopping = 14, "stopping", 503, Relay,
        "the relay is stopping", "retry in a few seconds";
    /// Nothing listens where the app should be.
    AppRefused = 15, "app-refused", 502, Upstream,
        "the app refused the connection", "start the app, or check the port given to `hookwire listen`";
    /// The app's host can't be reached or resolved.
    AppUnreachable = 16, "app-unreachable", 502, Upstream,
        "the app's host can't be reached", "check the target given to `hookwire listen`";
    /// The app's TLS certificate was refused, or it speaks no TLS.
    AppTls = 17, "app-tls", 502, Upstream,
        "no TLS connection to the app could be made", "check the target's scheme; for a self-signed certificate pass `--ca` or `--insecure`";
    /// The app closed the connection before its answer was whole.
    AppDied = 18, "app-died", 502, Upstream,
        "the app closed the connection before its answer was complete", "look at the app's log: it may have crashed or restarted";
    /// The app's answer is not HTTP.
    AppBadAnswer = 19, "app-bad-answer", 502, Upstream,
        "the app's answer is not well-formed HTTP", "check that the target speaks plain HTTP/1.1 on this port";
    /// The app did not answer in time.
    AppTimeout = 20, "app-timeout", 504, Upstream,
        "the app did not answer in time", "look at what the app waits for, or raise `--timeout` of `hookwire listen`";
    /// The sender closed the connection before the answer.
    SenderGone = 21, "sender-gone", 400, Sender,
        "the sender went away before the answer was delivered", "gateways give up after seconds: answer first, work afterwards";
    /// A bug on either side, or a peer that breaks the protocol.
    Internal = 22, "internal", 502, Relay,
        "hookwire made a mistake", "please report it with the relay's log";
    /// Nobody can take the webhook now, and the relay has no room to hold it.
    InboxFull = 23, "inbox-full", 503, Relay,
        "the relay has no room to hold this webhook", "retry later; its operator can deliver or drop what is held, or raise `--max-held`";
    /// Nobody can take the webhook now, and the relay can't write it down.
    InboxFailing = 24, "inbox-failing", 503, Relay,
        "the relay can't write this webhook down", "retry later; its operator finds the reason in the relay's log";
}

impl Code {
    /// The code that a number in a frame stands for.
    pub fn from_wire(wire: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.wire() == wire)
    }

    /// The code of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// The JSON body of an answer that hookwire gives itself.
    pub fn json(self) -> String {
        serde_json::json!({
            "error": self.as_str(),
            "message": self.message(),
            "hint": self.hint(),
            "fault": self.fault().as_str(),
        })
        .to_string()
    }

    /// Seconds for `retry-after`, where a retry has a chance soon.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            // A client reconnects within 5 s of the relay being back (its longest backoff).
            Self::NoSession | Self::Overloaded | Self::Stopping | Self::InboxFull | Self::InboxFailing => Some(5),
            _ => None,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The statuses that our own answers may carry (DESIGN: delivery).
    const STATUSES: [u16; 11] = [400, 401, 404, 411, 413, 414, 429, 431, 502, 503, 504];

    #[test]
    fn names_and_numbers_are_unique_and_read_back() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::from_wire(code.wire()), Some(*code));
            assert_eq!(Code::from_name(code.as_str()), Some(*code));
        }
        assert_eq!(Code::from_wire(0), None);
    }

    #[test]
    fn every_answer_is_one_a_gateway_understands() {
        for code in Code::ALL {
            assert!(STATUSES.contains(&code.status()), "{code}");
            assert!(!code.message().ends_with('.') && !code.hint().ends_with('.'), "{code}");
            assert_eq!(code.retry_after().is_some(), code.status() == 503, "{code}");
        }
    }
}

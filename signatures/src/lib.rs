//! How webhook providers sign, and why a signature fails.
//!
//! A [`Verifier`] is fed the raw body chunk by chunk and gives a [`Verdict`]; [`diagnose`] then edits one thing
//! at a time until the signature fits, which names the [`Cause`]; [`sign`] makes the headers that a provider
//! would send; [`event`] reads the event's name and id. All of it comes from one table, [`schemes`].
//!
//! The crate reads no file, no clock and no environment: secrets and the time are arguments, and nothing here
//! logs. The MAC that was expected is never part of any result.
//!
//! ```
//! use hookwire_signatures::{Provider, Request, Secret, Secrets, Status, Verifier};
//!
//! let mut secrets = Secrets::default();
//! secrets.add(Provider::Razorpay, Secret::new("env:RAZORPAY_WEBHOOK_SECRET", "123456"));
//!
//! // The vector of razorpay-node's own tests.
//! let signature = "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc";
//! let headers = [("X-Razorpay-Signature", signature)];
//! let request = Request { method: b"POST", target: b"/verification", headers: &headers, urls: &[] };
//!
//! let mut verifier = Verifier::start(&request, &secrets, 1_700_000_000);
//! verifier.update(br#"{"a":1,"b":2,"#);
//! verifier.update(br#""c":{"d":3}}"#);
//! let verdict = verifier.finish();
//!
//! assert_eq!(verdict.status, Status::Valid);
//! assert_eq!(verdict.secret.as_deref(), Some("env:RAZORPAY_WEBHOOK_SECRET"));
//! ```

#![forbid(unsafe_code)]

mod cause;
mod caution;
mod challenge;
mod claims;
mod content;
mod detect;
mod diagnose;
mod encoding;
mod event;
mod explain;
mod form;
mod json;
mod key;
mod mac;
mod odd;
mod provider;
mod public_key;
mod refusal;
mod request;
mod rewrite;
mod scheme;
mod scope;
mod secret;
mod sign;
mod time;
mod url;
mod verdict;
mod verifier;

pub use crate::cause::Cause;
pub use crate::caution::{CAUTION_BODY_LIMIT, Caution, Language, cautions};
pub use crate::challenge::{Challenge, challenge};
pub use crate::detect::detect;
pub use crate::diagnose::{DIAGNOSIS_BODY_LIMIT, Diagnosis, Evidence, diagnose};
pub use crate::encoding::Encoding;
pub use crate::event::{Event, event};
pub use crate::explain::{Step, explain};
pub use crate::form::fuzz_forms;
pub use crate::key::{KeyForm, SecretKind};
pub use crate::mac::Algorithm;
pub use crate::odd::{Case, OwnCheck};
pub use crate::provider::{Provider, UnknownProvider};
pub use crate::refusal::{Answer, AppRefusal, Framework, Guess, explain_refusal};
pub use crate::request::{Headers, Request};
pub use crate::rewrite::difference::{Change, Difference, Snippet};
pub use crate::scheme::{
    Coverage, Detection, EventRule, Given, Layout, Maker, Part, Place, Quirk, Refusal, Scheme, TimeRule, TimeUnit,
    UrlRule, schemes,
};
pub use crate::scope::Scope;
pub use crate::secret::{Secret, Secrets};
pub use crate::sign::{SignError, SignInput, Signed, sign};
pub use crate::verdict::{Status, Verdict};
pub use crate::verifier::{Verifier, WHOLE_BODY_LIMIT, fuzz_headers};

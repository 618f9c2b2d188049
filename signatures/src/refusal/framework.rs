//! What an app is built with, as far as its answer tells.

use crate::caution::Language;
use crate::request::Headers;

/// What an app is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framework {
    /// Express, and NestJS on top of it.
    Express,
    /// Next.js.
    Next,
    /// Flask, or another app on Werkzeug's development server.
    Flask,
    /// Django.
    Django,
    /// FastAPI or Starlette, on uvicorn or hypercorn.
    FastApi,
    /// Ruby on Rails.
    Rails,
    /// Laravel.
    Laravel,
    /// Another app in PHP.
    Php,
    /// Spring Boot.
    Spring,
    /// ASP.NET Core.
    AspNet,
    /// Go's `net/http`.
    Go,
}

/// A mark of a framework: a header and how its value begins (in lower case), or how the body looks.
enum Mark {
    Header(&'static str, &'static str),
    Words(&'static str),
}

/// Marks that frameworks leave unless somebody turned them off, the surest first.
const MARKS: &[(Mark, Framework)] = &[
    (Mark::Header("x-powered-by", "express"), Framework::Express),
    (Mark::Header("x-powered-by", "next.js"), Framework::Next),
    (Mark::Header("x-nextjs-cache", ""), Framework::Next),
    (Mark::Header("server", "werkzeug"), Framework::Flask),
    (Mark::Header("server", "wsgiserver"), Framework::Django),
    (Mark::Header("server", "uvicorn"), Framework::FastApi),
    (Mark::Header("server", "hypercorn"), Framework::FastApi),
    (Mark::Header("set-cookie", "laravel_session"), Framework::Laravel),
    (Mark::Header("set-cookie", "xsrf-token"), Framework::Laravel),
    (Mark::Header("x-powered-by", "php"), Framework::Php),
    (Mark::Header("x-powered-by", "asp.net"), Framework::AspNet),
    (Mark::Header("server", "kestrel"), Framework::AspNet),
    (Mark::Header("x-runtime", ""), Framework::Rails),
    (Mark::Header("x-application-context", ""), Framework::Spring),
    (Mark::Words("whitelabel error page"), Framework::Spring),
    // Spring Boot's `DefaultErrorAttributes` begin like this.
    (Mark::Words("{\"timestamp\":\""), Framework::Spring),
    (Mark::Words("actioncontroller::"), Framework::Rails),
    (Mark::Words("illuminate\\"), Framework::Laravel),
    (Mark::Words("csrf verification failed"), Framework::Django),
    (Mark::Words("django"), Framework::Django),
];

impl Framework {
    /// By the answer's headers or the beginning of its body, in lower case.
    pub(crate) fn of(headers: &dyn Headers, words: &[u8]) -> Option<Self> {
        let begins = |name: &str, start: &str| {
            headers.entries().any(|(field, value)| {
                field.eq_ignore_ascii_case(name.as_bytes())
                    && value.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
            })
        };
        let fits = |mark: &Mark| match mark {
            Mark::Header(name, start) => begins(name, start),
            Mark::Words(text) => memchr::memmem::find(words, text.as_bytes()).is_some(),
        };
        let marked = MARKS.iter().find(|(mark, _)| fits(mark)).map(|(_, framework)| *framework);
        // What `http.Error` writes: these two headers, and a line feed at the end.
        let go = begins("x-content-type-options", "nosniff")
            && begins("content-type", "text/plain; charset=utf-8")
            && words.ends_with(b"\n");
        marked.or_else(|| go.then_some(Self::Go))
    }

    /// The language whose round trips the app would make.
    pub(crate) fn language(self) -> Language {
        match self {
            Self::Express | Self::Next => Language::JavaScript,
            Self::Flask | Self::Django | Self::FastApi => Language::Python,
            Self::Rails => Language::Ruby,
            Self::Laravel | Self::Php => Language::Php,
            Self::Spring => Language::Java,
            Self::AspNet => Language::DotNet,
            Self::Go => Language::Go,
        }
    }

    /// The name as its makers write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Express => "Express",
            Self::Next => "Next.js",
            Self::Flask => "Flask",
            Self::Django => "Django",
            Self::FastApi => "FastAPI",
            Self::Rails => "Rails",
            Self::Laravel => "Laravel",
            Self::Php => "PHP",
            Self::Spring => "Spring",
            Self::AspNet => "ASP.NET Core",
            Self::Go => "Go",
        }
    }

    /// How to come by the raw body.
    pub(crate) const fn raw_body_advice(self) -> &'static str {
        match self {
            Self::Express => {
                "register the webhook's route with `express.raw({ type: '*/*' })` before `app.use(express.json())`, \
                 and check `req.body` there"
            }
            Self::Next => {
                "check `await request.text()` in a route handler; under `pages/api` export \
                 `config = { api: { bodyParser: false } }`"
            }
            Self::Flask => "check `request.get_data()`, not `request.json`",
            Self::Django => "check `request.body`, not what was parsed from it",
            Self::FastApi => "check `await request.body()`, not a model or a parsed parameter",
            Self::Rails => "check `request.raw_post`, not `params`",
            Self::Laravel => "check `$request->getContent()`, not `$request->all()`",
            Self::Php => "check `file_get_contents('php://input')`, not `$_POST` or a decoded array",
            Self::Spring => "take the body as `@RequestBody byte[]` and check that, not an object",
            Self::AspNet => "call `Request.EnableBuffering()` and check what `Request.Body` holds, not a model",
            Self::Go => "check what `io.ReadAll(r.Body)` gave before decoding it",
        }
    }

    /// How to exempt a route from the protection against cross-site requests.
    pub(crate) const fn cross_site_advice(self) -> &'static str {
        match self {
            Self::Django => "mark the view with `@csrf_exempt`: its signature is the proof",
            Self::Rails => "add `skip_before_action :verify_authenticity_token` to the webhook's controller",
            Self::Laravel => "exempt the route with `validateCsrfTokens(except: [...])` in `bootstrap/app.php`",
            Self::Spring => "exempt the route with `csrf.ignoringRequestMatchers(...)`",
            _ => "exempt the webhook's route from that protection: its signature is the proof",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks() {
        let of = |headers: &[(&str, &str)], words: &str| Framework::of(&headers, words.as_bytes());
        assert_eq!(of(&[("X-Powered-By", "Express")], ""), Some(Framework::Express));
        assert_eq!(of(&[("Server", "uvicorn")], ""), Some(Framework::FastApi));
        assert_eq!(of(&[("x-powered-by", "PHP/8.3"), ("set-cookie", "XSRF-TOKEN=x")], ""), Some(Framework::Laravel));
        assert_eq!(of(&[("x-powered-by", "PHP/8.3")], ""), Some(Framework::Php));
        let go = [("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff")];
        assert_eq!(of(&go, "no\n"), Some(Framework::Go));
        assert_eq!(of(&[("server", "nginx")], "no"), None);
        assert_eq!(of(&[], "{\"timestamp\":\"2026-01-01t00:00:00z\",\"status\":403}"), Some(Framework::Spring));
    }
}

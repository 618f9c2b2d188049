//! The settings file: flags stand over environment, over `hookwire.toml` here, over `config.toml` in the user's folder.
//!
//! The keys are the long flags' names; a flag that may be repeated is a list. A broken file is an error, never skipped.

use std::{
    fmt::{self, Display},
    fs,
    io::ErrorKind,
    marker::PhantomData,
    path::{Path, PathBuf},
    str::FromStr,
};

use hookwire_relay_client::dial::RelayUrl;
use serde::{Deserialize, Deserializer, de};

use crate::{
    cli::{listen::ListenSettings, relay::RelaySettings},
    failure::Failure,
    folders,
};

/// The file in the current directory.
pub(crate) const PROJECT_FILE: &str = "hookwire.toml";

/// The file in the user's folder of settings.
const USER_FILE: &str = "config.toml";

/// Every setting that files gave.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// For `hookwire listen`.
    pub(crate) listen: ListenSettings,
    /// For `hookwire relay`.
    pub(crate) relay: RelaySettings,
}

/// Reads the file that was asked for, or else the two usual ones, where they exist.
pub(crate) fn load(asked_for: Option<&Path>) -> Result<Settings, Failure> {
    if let Some(path) = asked_for {
        return read(path)?.ok_or_else(|| {
            Failure::usage(format!("no file `{}`", path.display()))
                .hint("check the path; `config.example.toml` shows what such a file holds".to_owned())
        });
    }
    layers(&[Some(PathBuf::from(PROJECT_FILE)), user_file()])
}

/// Whether the user's own file names this relay. That of the project may have come with a repository, from anyone.
pub(crate) fn user_names(relay: &RelayUrl) -> Result<bool, Failure> {
    let settings = user_file().map(|path| read(&path)).transpose()?.flatten();
    Ok(settings.is_some_and(|settings| settings.listen.relay.as_ref() == Some(relay)))
}

/// Where the user's file is, whether it exists or not.
pub(crate) fn user_file() -> Option<PathBuf> {
    folders::config().map(|folder| folder.join(USER_FILE))
}

/// Reads these files, the first over the second.
fn layers(paths: &[Option<PathBuf>]) -> Result<Settings, Failure> {
    let mut settings = Settings::default();
    for path in paths.iter().flatten() {
        let below = read(path)?.unwrap_or_default();
        settings = Settings { listen: settings.listen.over(below.listen), relay: settings.relay.over(below.relay) };
    }
    Ok(settings)
}

fn read(path: &Path) -> Result<Option<Settings>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, path).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::unreadable("the settings in", path, &error)),
    }
}

/// The parser's own text quotes the line it fails at; that line may hold a secret, so only its place is told.
fn parse(text: &str, path: &Path) -> Result<Settings, Failure> {
    toml::from_str(text).map_err(|error| {
        let place = error.span().map(|span| place(text, span.start)).unwrap_or_default();
        Failure::usage(format!("`{}`{place}: {}", path.display(), error.message()))
            .hint("the keys are the long flags of `hookwire listen --help` and `hookwire relay --help`, below `[listen]` and `[relay]`".to_owned())
    })
}

/// Where a byte stands, counted from 1, columns in characters.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!(" line {line}, column {column}")
}

/// A value written as on the command line. A bare number is taken for its text: `target = 3000`.
pub(crate) fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    Text::deserialize(deserializer).map(|Text(value)| Some(value))
}

/// A list of values written as on the command line.
pub(crate) fn parsed_all<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    Ok(Vec::<Text<T>>::deserialize(deserializer)?.into_iter().map(|Text(value)| value).collect())
}

/// A value that reads itself from text.
struct Text<T>(T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData)).map(Self)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: Display>> de::Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text as on the command line")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|error| E::custom(format_args!("invalid value `{text}`: {error}")))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../config.example.toml");

    fn settings(text: &str) -> Settings {
        parse(text, Path::new("test.toml")).unwrap()
    }

    fn refused(text: &str) -> String {
        parse(text, Path::new("test.toml")).unwrap_err().to_string()
    }

    #[test]
    fn a_broken_file_names_the_place() {
        assert!(
            refused("[listen]\nrelayy = 1\n")
                .starts_with("`test.toml` line 2, column 1: unknown field `relayy`, expected one of")
        );
        assert!(
            refused("[listen]\ntarget = 3000\ntimeout = \"5\"\n")
                .starts_with("`test.toml` line 3, column 11: invalid value `5`: write")
        );
        assert!(refused("[listen\n").starts_with("`test.toml` line 1, column "));
        assert!(refused("[serve]\n").contains("unknown field `serve`, expected `listen` or `relay`"));
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_repeated() {
        let error = refused("[listen]\nsecret = [\"stripe=whsec_hunter2\"]\n");
        assert!(error.starts_with("`test.toml` line 2, column "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_first_file_stands_over_the_second() {
        let folder = tempfile::tempdir().unwrap();
        let (project, user) = (folder.path().join("hookwire.toml"), folder.path().join("config.toml"));
        fs::write(&project, "[listen]\ntarget = 3000\nsecret = [\"stripe=env:A\"]\n").unwrap();
        fs::write(
            &user,
            "[listen]\ntarget = 4000\nendpoint = \"shop\"\nsecret = [\"github=env:B\"]\ninsecure = true\n",
        )
        .unwrap();
        let both = layers(&[Some(project), Some(user), Some(folder.path().join("none.toml")), None]).unwrap().listen;
        assert_eq!(both.target.unwrap().to_string(), "http://localhost:3000");
        assert_eq!(both.endpoint.as_deref(), Some("shop"));
        assert_eq!(both.secret, ["stripe=env:A"]);
        assert!(both.insecure);
    }

    #[test]
    fn the_example_holds_the_defaults() {
        let example = settings(EXAMPLE);
        assert_eq!(example.listen, crate::listen::defaults());
        assert_eq!(example.relay, crate::relay::defaults());
    }

    #[test]
    fn the_example_shows_every_key_and_each_one_works() {
        let everything: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("#").filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .flat_map(|line| [line, "\n"])
            .collect();
        let shown = settings(&everything);
        // `Debug` prints every field: one that the example forgot is still `None`, `[]` or `false`.
        let printed = format!("{shown:?}");
        for forgotten in [": None", ": []", ": false"] {
            assert!(!printed.contains(forgotten), "{printed}");
        }
    }
}

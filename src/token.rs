//! `hookwire token`: who may open sessions.

use std::{
    fs::OpenOptions,
    io::{self, ErrorKind, Write},
    path::Path,
};

use hookwire_relay_server::tokens::Tokens;
use jiff::Timestamp;

use crate::{
    cli::token::{TokenArgs, TokenCommand},
    config,
    failure::Failure,
    relay,
};

/// Does what was asked with the tokens of the relay whose data folder this is.
pub(crate) fn run(arguments: TokenArgs) -> Result<(), Failure> {
    let settings = config::load(arguments.config.as_deref())?.relay;
    let folder = relay::data_folder(arguments.data_dir.or(settings.data_dir))?;
    let tokens = Tokens::open(&folder).map_err(|error| relay::failure(&error))?;
    match arguments.command {
        TokenCommand::New { name, out } => new(&tokens, &name, out.as_deref()),
        TokenCommand::List => list(&tokens),
        TokenCommand::Revoke { token } => revoke(&tokens, &token),
    }
}

fn new(tokens: &Tokens, name: &str, out: Option<&Path>) -> Result<(), Failure> {
    // The file first: a token that could not be handed over would stay behind as nobody's.
    let file = out.map(|path| private_file(path).map(|file| (path, file))).transpose()?;
    let token = tokens.create(name).map_err(|error| relay::failure(&error))?;
    let Some((path, mut file)) = file else {
        say(&mut io::stdout(), token.secret());
        say(&mut io::stderr(), "keep it: it is not shown again; pass it with `--token-file` or in `HOOKWIRE_TOKEN`");
        return Ok(());
    };
    writeln!(file, "{}", token.secret())
        .map_err(|error| Failure::usage(format!("can't write `{}`: {error}", path.display())))?;
    say(&mut io::stderr(), &format!("wrote the token to `{}`; pass it with `--token-file`", path.display()));
    Ok(())
}

fn list(tokens: &Tokens) -> Result<(), Failure> {
    let records = tokens.list().map_err(|error| relay::failure(&error))?;
    if records.is_empty() {
        say(&mut io::stderr(), "no tokens yet; `hookwire token new --name <NAME>` makes one");
    }
    for record in records {
        let made = i64::try_from(record.created_at)
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .unwrap_or_default();
        say(&mut io::stdout(), &format!("{}  {made}  {}", record.id, record.name));
    }
    Ok(())
}

fn revoke(tokens: &Tokens, token: &str) -> Result<(), Failure> {
    let records = tokens.list().map_err(|error| relay::failure(&error))?;
    let named: Vec<_> = records.iter().filter(|record| record.name == token).map(|record| record.id.as_str()).collect();
    // A name may be given twice; who means one of them must not take the other's right away.
    if named.len() > 1 {
        return Err(Failure::not_so(format!("{} tokens have the name `{token}`", named.len()))
            .hint(format!("revoke each by its id: {}", named.join(", "))));
    }
    if tokens.revoke(token).map_err(|error| relay::failure(&error))? {
        say(&mut io::stderr(), &format!("revoked `{token}`"));
        return Ok(());
    }
    Err(Failure::not_so(format!("no token has the id or the name `{token}`"))
        .hint("`hookwire token list` shows them".to_owned()))
}

/// A new file that only its owner can read. One that exists is left alone: it may hold a token in use.
fn private_file(path: &Path) -> Result<std::fs::File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| {
        let hint =
            (error.kind() == ErrorKind::AlreadyExists).then(|| "choose another file, or remove this one".to_owned());
        Failure::usage(format!("can't create `{}`: {error}", path.display())).hint(hint)
    })
}

/// One line. That nobody reads it is no failure.
fn say(stream: &mut impl Write, line: &str) {
    writeln!(stream, "{line}").ok();
}

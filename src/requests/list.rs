//! `hookwire requests list`.

use std::{
    io::{self, BufWriter, ErrorKind, Write},
    time::SystemTime,
};

use hookwire_capture::{From, Reader, Summary};
use hookwire_inspector::{Plain, json};
use jiff::tz::TimeZone;

use super::PAGE;
use crate::{cli::requests::ListArgs, failure::Failure, screen, store};

/// Lists exchanges, newest first.
pub(super) fn run(reader: &Reader, arguments: &ListArgs) -> Result<(), Failure> {
    let filter = arguments.choice.filter()?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut plain = Plain::new(screen::theme(), screen::width(), TimeZone::system());
    let (mut from, mut left, now) = (From::Newest, arguments.limit, SystemTime::now());
    let mut is_first = true;
    while left > 0 {
        let page = reader.page(&filter, from, left.min(PAGE), now).map_err(|error| store::failure(&error))?;
        let Some(last) = page.last() else { break };
        from = From::Before(last.row);
        left -= page.len();
        let written = if arguments.json { write_json(&page, &mut out) } else { plain.list(&page, is_first, &mut out) };
        is_first = false;
        if let Err(error) = written.and_then(|()| out.flush()) {
            return unwritten(&error);
        }
    }
    if is_first && !arguments.json {
        let what = if filter.is_all() {
            "no webhooks yet: `hookwire listen` keeps what it brings"
        } else {
            "nothing passes this filter"
        };
        writeln!(io::stderr(), "{what}").ok();
    }
    Ok(())
}

fn write_json(page: &[Summary], out: &mut impl Write) -> io::Result<()> {
    page.iter().try_for_each(|summary| json::write_summary(summary, out))
}

/// A reader that went away (`| head`) has seen enough.
pub(super) fn unwritten(error: &io::Error) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::not_so(format!("can't write to standard output: {error}"))),
    }
}

//! `hookwire requests show`.

use std::io::{self, BufWriter, Write};

use hookwire_capture::{Exchange, Reader, Summary};
use hookwire_inspector::{
    Folds,
    body::{Options, View},
    detail::{self, Context, Section},
    export::{Kind, export},
    line,
};
use jiff::tz::TimeZone;

use super::{find, list::unwritten};
use crate::{cli::requests::ShowArgs, failure::Failure, screen, store};

/// Rows rendered at once.
const ROWS: usize = 500;

/// Shows one exchange, part by part.
pub(super) fn run(reader: &Reader, arguments: &ShowArgs) -> Result<(), Failure> {
    let id = find(reader, &arguments.id)?;
    let failed = |error| store::failure(&error);
    let gone = || Failure::not_so("the exchange was deleted just now");
    let exchange = reader.exchange(id).map_err(failed)?.ok_or_else(gone)?;
    let summary = reader.summary(id).map_err(failed)?.ok_or_else(gone)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if arguments.json {
        export(Kind::Json, "", [&exchange], &mut out)
    } else {
        parts(&exchange, &summary, arguments, &mut out)
    };
    written.and_then(|()| out.flush()).or_else(|error| unwritten(&error))
}

fn parts(exchange: &Exchange, summary: &Summary, arguments: &ShowArgs, out: &mut impl Write) -> io::Result<()> {
    let context = Context {
        zone: TimeZone::system(),
        note: summary.note.clone(),
        amount: summary.amount.map(|amount| amount.to_string()),
        repeats: summary.repeats,
    };
    let chosen = |section: &Section| match arguments.part.as_slice() {
        // The raw bytes repeat what the other parts say.
        [] => *section != Section::Raw,
        parts => parts.iter().any(|part| part == section.title()),
    };
    let folds = Folds::default();
    let options = Options { width: screen::width(), folds: &folds, search: "", view: View::Fitting };
    let sections: Vec<_> = Section::ALL.iter().copied().filter(chosen).collect();
    for (index, section) in sections.iter().enumerate() {
        if sections.len() > 1 {
            let gap = if index == 0 { "" } else { "\n" };
            writeln!(out, "{gap}── {} ──", section.title())?;
        }
        let rendered = detail::render(exchange, *section, &context, &options);
        for start in (0..rendered.line_count()).step_by(ROWS) {
            for row in rendered.lines(start..start + ROWS) {
                writeln!(out, "{}", line::text(&row).trim_end())?;
            }
        }
    }
    Ok(())
}

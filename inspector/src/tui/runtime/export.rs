//! Writes exchanges to a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::Path,
    time::SystemTime,
};

use hookwire_capture::{Exchange, Filter, From, Reader, StoreError};

use crate::{
    export::{Export, Kind},
    tui::{
        actions::{ActionError, Done, Job},
        message::Selection,
        model::ask::PAGE,
    },
};

/// Writes them, oldest first. A file that is there already is not touched.
pub(super) fn export(
    store: &Path,
    kind: Kind,
    base: &str,
    what: &Selection,
    path: &Path,
    job: &Job,
) -> Result<Done, ActionError> {
    let reader = Reader::open(store).map_err(|error| failed(&error))?;
    let file = create(path).map_err(|error| not_written(path, &error))?;
    let written = write(&reader, kind, base, what, file, job);
    match written {
        Ok(count) => Ok(Done { text: format!("{count} written to {}", path.display()), made: Vec::new() }),
        Err(error) => {
            // Half an export is worse than none.
            let _ = fs::remove_file(path);
            Err(error.unwrap_or_else(|error| not_written(path, &error)))
        }
    }
}

/// Its bodies are the developer's own, and nobody else's.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

type Failure = Result<ActionError, io::Error>;

fn write(reader: &Reader, kind: Kind, base: &str, what: &Selection, file: File, job: &Job) -> Result<u64, Failure> {
    let mut out = Export::start(kind, base, BufWriter::new(file)).map_err(Err)?;
    let mut count = 0;
    let mut put = |exchange: Option<Exchange>, total: u64| -> Result<(), Failure> {
        if job.cancelled().is_cancelled() {
            return Err(Ok(ActionError { message: "cancelled, nothing is written".to_owned(), hint: None }));
        }
        if let Some(exchange) = exchange {
            out.write(&exchange).map_err(Err)?;
            count += 1;
        }
        job.step(count, total);
        Ok(())
    };
    match what {
        Selection::These(entries) => {
            for entry in entries {
                put(reader.exchange_at(entry.row).map_err(|error| Ok(failed(&error)))?, entries.len() as u64)?;
            }
        }
        Selection::Shown(filter) => shown(reader, filter, &mut put)?,
    }
    out.finish().and_then(|mut out| out.flush()).map_err(Err)?;
    Ok(count)
}

/// All that a filter lets through, page by page.
fn shown(
    reader: &Reader,
    filter: &Filter,
    put: &mut impl FnMut(Option<Exchange>, u64) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let now = SystemTime::now();
    let read = |error: StoreError| Ok(failed(&error));
    let total = reader.count(filter, now).map_err(read)?;
    let mut from = 0;
    loop {
        let page = reader.page(filter, From::After(from), PAGE, now).map_err(read)?;
        let Some(newest) = page.first() else { return Ok(()) };
        from = newest.row;
        for summary in page.iter().rev() {
            put(reader.exchange_at(summary.row).map_err(read)?, total)?;
        }
    }
}

fn failed(error: &StoreError) -> ActionError {
    ActionError { message: error.to_string(), hint: error.hint().map(str::to_owned) }
}

fn not_written(path: &Path, error: &io::Error) -> ActionError {
    let path = path.display();
    if error.kind() == io::ErrorKind::AlreadyExists {
        let hint = Some("name another file".to_owned());
        return ActionError { message: format!("`{path}` is there already"), hint };
    }
    ActionError { message: format!("`{path}` can't be written: {error}"), hint: None }
}

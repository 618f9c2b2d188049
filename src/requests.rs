//! `hookwire requests`: lists, shows and exports what a store holds.

mod export;
mod list;
mod show;

use hookwire_capture::{Filter, FindError, Reader};
use uuid::Uuid;

use crate::{
    cli::requests::{ChoiceArgs, RequestsArgs, RequestsCommand},
    failure::Failure,
    short_id::short,
    store,
};

/// Exchanges read at once: some hundreds of KiB of what a list shows.
const PAGE: usize = 500;

/// Does what was asked with the store that is meant.
pub(crate) fn run(arguments: RequestsArgs) -> Result<(), Failure> {
    let reader = store::reader(&store::path(arguments.store)?)?;
    match arguments.command {
        RequestsCommand::List(arguments) => list::run(&reader, &arguments),
        RequestsCommand::Show(arguments) => show::run(&reader, &arguments),
        RequestsCommand::Export(arguments) => export::run(&reader, &arguments),
    }
}

/// The exchange that a person means.
pub(crate) fn find(reader: &Reader, text: &str) -> Result<Uuid, Failure> {
    reader.find(text).map_err(|error| match error {
        FindError::None(text) if text == "latest" => {
            Failure::not_so("the store holds no exchange yet").hint("`hookwire listen` keeps what it brings".to_owned())
        }
        FindError::Ambiguous(ids) => {
            let ids: Vec<_> = ids.iter().map(|id| short(*id)).collect();
            Failure::usage(format!("several exchanges are called `{text}`"))
                .hint(format!("write more of one of these: {}", ids.join(", ")))
        }
        FindError::Store(error) => store::failure(&error),
        none => Failure::not_so(none).hint("`hookwire requests list` shows them".to_owned()),
    })
}

impl ChoiceArgs {
    /// The filter, or where it is wrong, with a mark below the place.
    fn filter(&self) -> Result<Filter, Failure> {
        let Some(text) = &self.filter else { return Ok(Filter::all()) };
        Filter::parse(text).map_err(|error| {
            let text = hookwire_inspector::sanitize(text.as_bytes());
            let mark = " ".repeat(error.column.saturating_sub(1));
            Failure::usage(format!(
                "the filter is wrong at column {}: {}\n\n  {text}\n  {mark}^",
                error.column, error.message
            ))
            .hint(error.hint)
        })
    }
}

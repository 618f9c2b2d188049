//! `hookwire endpoint`: what a relay holds, and what is to become of it.

use std::io::{self, Write};

use hookwire_relay_server::errand::{Choice, EndpointReport, Errand, ParkedReport, Report, ask};
use jiff::Timestamp;

use crate::{
    cli::endpoint::{ChoiceArgs, EndpointArgs, EndpointCommand},
    config,
    failure::Failure,
    relay,
};

/// Characters of an id that are shown: its random end, which tells those of one burst apart.
const SHORT_ID: usize = 8;

/// Asks the relay, running or not, and prints its answer.
pub(crate) async fn run(arguments: EndpointArgs) -> Result<(), Failure> {
    let file = config::load(arguments.config.as_deref())?.relay;
    let folder = relay::data_folder(arguments.data_dir.or(file.data_dir))?;
    let errand = match arguments.command {
        EndpointCommand::List => Errand::List,
        EndpointCommand::Rm { endpoint, force } => Errand::Remove { endpoint, force },
        EndpointCommand::Parked { endpoint } => Errand::Parked { endpoint },
        EndpointCommand::Deliver(choice) => Errand::Deliver(choice.into()),
        EndpointCommand::Drop(choice) => Errand::Drop(choice.into()),
    };
    let report = ask(&folder, &errand).await.map_err(|error| relay::failure(&error))?;
    if let Report::Refused { reason, hint } = report {
        return Err(Failure::not_so(reason).hint(hint));
    }
    let text =
        if arguments.json { serde_json::to_string(&report).map_err(Failure::not_so)? } else { text(&errand, &report) };
    // That nobody reads it is no failure.
    writeln!(io::stdout(), "{text}").ok();
    Ok(())
}

impl From<ChoiceArgs> for Choice {
    fn from(choice: ChoiceArgs) -> Self {
        Self { endpoint: choice.endpoint, ids: choice.ids }
    }
}

fn text(errand: &Errand, report: &Report) -> String {
    match report {
        Report::Endpoints(endpoints) if endpoints.is_empty() => {
            "no endpoints yet: `hookwire listen` opens one".to_owned()
        }
        Report::Endpoints(endpoints) => endpoints.iter().map(endpoint).collect::<Vec<_>>().join("\n"),
        Report::Parked { total: 0, .. } => "nothing is parked".to_owned(),
        Report::Parked { webhooks, total } => {
            let mut lines: Vec<_> = webhooks.iter().map(parked).collect();
            if *total > webhooks.len() as u64 {
                lines.push(format!("… and {} more", total - webhooks.len() as u64));
            }
            lines.join("\n")
        }
        Report::Done(count) => match errand {
            Errand::Deliver(_) => format!("{count} to be delivered"),
            Errand::Drop(_) => format!("{count} dropped"),
            _ => "removed".to_owned(),
        },
        _ => String::new(),
    }
}

/// `shop                  connected   hybrid  3 held  0 parked  16a9…`
fn endpoint(report: &EndpointReport) -> String {
    let EndpointReport { name, owner, connected, answer, held, parked, lost, .. } = report;
    let connected = if *connected { "connected" } else { "away" };
    let lost = if *lost > 0 { format!("  {lost} never delivered") } else { String::new() };
    format!("{name:24}  {connected:9}  {answer:6}  {held} held  {parked} parked{lost}  {owner}")
}

/// `4fb02a91  2026-07-14T02:14:07Z  POST /verification  500 after 20 attempts  retention`
fn parked(report: &ParkedReport) -> String {
    let ParkedReport { id, request, attempts, status, reason, .. } = report;
    let short = id.get(id.len().saturating_sub(SHORT_ID)..).unwrap_or(id);
    let seconds = i64::try_from(report.received_at).unwrap_or_default();
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    let said = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    format!("{short}  {time}  {request}  {said} after {attempts} attempts  {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_columns() {
        let shop = EndpointReport {
            name: "shop".into(),
            owner: "16a9".into(),
            connected: true,
            answer: "hybrid".into(),
            held: 3,
            ..EndpointReport::default()
        };
        assert_eq!(endpoint(&shop), "shop                      connected  hybrid  3 held  0 parked  16a9");
        let one = ParkedReport {
            id: "0199c0de-c0de-7000-8000-00004fb02a91".into(),
            request: "POST /verification".into(),
            received_at: 1_783_995_247,
            attempts: 20,
            status: Some(500),
            reason: "retention".into(),
            bytes: 7,
        };
        let line = "4fb02a91  2026-07-14T02:14:07Z  POST /verification  500 after 20 attempts  retention";
        assert_eq!(parked(&one), line);
        let more = Report::Parked { webhooks: vec![one], total: 3 };
        assert_eq!(text(&Errand::List, &more), format!("{line}\n… and 2 more"));
    }
}

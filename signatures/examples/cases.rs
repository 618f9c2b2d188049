//! Judges cases of the form of `tests/vectors.json`: one JSON line for each.
//!
//! `cargo run --release -p hookwire-signatures --example cases -- FILE.json`
#![expect(clippy::print_stdout, reason = "the lines are what it is for")]

use std::error::Error;
use std::{env, fs};

use hookwire_signatures::Cause;
use serde_json::json;

#[path = "../tests/it/case.rs"]
mod case;

use case::Case;

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("name a file with an array of cases")?;
    let cases: Vec<Case> = serde_json::from_slice(&fs::read(path)?)?;
    for case in &cases {
        let line = match case.judged() {
            Ok(verdict) => json!({
                "id": case.id,
                "verdict": verdict.status.as_str(),
                "cause": verdict.cause.map(Cause::as_str),
                "scheme": verdict.scheme,
            }),
            Err(error) => json!({ "id": case.id, "verdict": null, "cause": null, "scheme": null, "error": error }),
        };
        println!("{line}");
    }
    Ok(())
}

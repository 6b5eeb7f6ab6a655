//! The report as JSON, for graders. docs/grading.md has the schema.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::arguments::{Arguments, Failure, Outcome, USAGE};
use crate::describe::Report;
use crate::places::{Place, Places};
use crate::report::Reporter;

/// Grows when a field changes its meaning or goes; new fields may come.
const SCHEMA: u32 = 1;

pub fn write(
    path: &Path,
    arguments: &Arguments,
    reporter: &Reporter<'_>,
    status: i32,
) -> Outcome<()> {
    let program: Vec<_> = arguments
        .program
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let ended = if libc::WIFSIGNALED(status) {
        json!({ "signal": libc::WTERMSIG(status) })
    } else {
        json!({ "status": libc::WEXITSTATUS(status) })
    };
    let reports: Vec<Value> = reporter
        .reports
        .iter()
        .map(|report| entry(report, reporter.places))
        .collect();
    let value = json!({
        "schema": SCHEMA,
        "csapp_check": env!("CARGO_PKG_VERSION"),
        "program": program,
        "ended": ended,
        "reports": reports,
        "descriptors_left": reporter.descriptors_left,
        "threads_left": reporter.threads_left,
    });
    let text = format!("{value:#}\n");
    fs::write(path, text).map_err(|why| Failure::new(USAGE, format!("{}: {why}", path.display())))
}

fn entry(report: &Report, places: &Places<'_>) -> Value {
    let stacks: Vec<Value> = report
        .stacks
        .iter()
        .map(|id| Value::from(places.stack(*id).iter().map(frame).collect::<Vec<_>>()))
        .collect();
    json!({
        "kind": report.kind.name(),
        "place": frame(&report.place),
        "message": report.message,
        "evidence": report.evidence,
        "why": report.why,
        "count": report.count,
        "pid": report.pid,
        "stacks": stacks,
    })
}

fn frame(place: &Place) -> Value {
    json!({
        "file": place.file,
        "line": place.line,
        "function": place.function,
        "module": place.module,
        "offset": place.offset,
    })
}

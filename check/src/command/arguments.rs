//! The command line.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;

use clap::Parser;

/// Runs PROGRAM and reports, on standard error, what it does wrong with descriptors, threads, signals, processes and
/// buffered input and output. The exit status is PROGRAM's.
#[derive(Parser, Debug)]
#[command(name = "csapp-check", version, max_term_width = 100)]
#[command(
    override_usage = "csapp-check [OPTIONS] [--] PROGRAM [ARGS]...\n       csapp-check --status PID"
)]
#[command(
    after_help = "Ctrl-\\ shows what each thread waits for; a second one within two seconds ends PROGRAM."
)]
pub struct Arguments {
    /// Writes the report to FILE instead of standard error
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,

    /// Also writes the report to FILE, as JSON (docs/grading.md has the schema)
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Exits with status N if anything was reported
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8))]
    pub error_exitcode: Option<u8>,

    /// Leaves out what FILE lists: lines "KIND PATTERN"
    #[arg(long, value_name = "FILE")]
    pub suppressions: Option<PathBuf>,

    /// Makes calls come short and threads late, the same way again for the same SEED
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true)]
    pub chaos: Option<Option<u64>>,

    /// With --chaos: also EINTR, EMFILE, ENOMEM, EAGAIN, EPIPE and ECONNRESET
    #[arg(long)]
    pub chaos_faults: bool,

    /// Writes a page of HTML that shows what was done when with each descriptor
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<PathBuf>,

    /// Shows what the threads of a watched process, or of a csapp-check, wait for
    #[arg(long, value_name = "PID", conflicts_with = "program")]
    pub status: Option<i32>,

    /// The program, and its arguments
    #[arg(
        required_unless_present = "status",
        trailing_var_arg = true,
        value_name = "PROGRAM"
    )]
    pub program: Vec<OsString>,
}

/// Why csapp-check cannot do what it was asked to, and its exit status then.
pub struct Failure {
    pub text: String,
    pub status: i32,
}

/// Bad options: as clap's own.
pub const USAGE: i32 = 2;
/// As shells have it: the program cannot be run, or is not there.
pub const CANNOT_RUN: i32 = 126;
pub const NOT_FOUND: i32 = 127;

impl Failure {
    pub fn new(status: i32, text: impl Display) -> Failure {
        Failure {
            text: without_number(&text.to_string()),
            status,
        }
    }
}

/// A message without the number that Rust adds to an error of the system.
pub fn without_number(text: &str) -> String {
    text.split(" (os error").next().unwrap_or("").to_owned()
}

pub type Outcome<T> = Result<T, Failure>;

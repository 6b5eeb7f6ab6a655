//! What the tests of csapp-check share: the command as it is installed, C programs, and what was reported.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::{self, C, Link, run_with, scratch};

/// The C program of a file, which csapp-check is to watch.
pub fn c(source: impl AsRef<Path>) -> C {
    C::new(source).flags(["-g", "-O1", "-Wall", "-Wno-unused-result"])
}

/// Compiles and links a program of C that is given as text. Returns its path.
pub fn program(name: &str, source: &str, link: Link) -> PathBuf {
    let dir = scratch(name);
    let file = dir.join(format!("{name}.c"));
    fs::write(&file, source).expect("a new file");
    c(file).link(link).build(&dir)
}

/// csapp-check with its options. Ctrl-C and Ctrl-\ reach it, also if the tests run in the background of a script.
pub fn csapp_check() -> Command {
    let mut command = Command::new(common::csapp_check());
    // SAFETY: signal may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::signal(libc::SIGQUIT, libc::SIG_DFL);
            Ok(())
        });
    }
    command
}

/// What a run under csapp-check came to.
pub struct Checked {
    pub output: Output,
    pub json: Value,
    /// The report as text.
    pub log: String,
}

impl Checked {
    pub fn reports(&self) -> &[Value] {
        self.json["reports"]
            .as_array()
            .expect("the schema has it")
            .as_slice()
    }

    pub fn kinds(&self) -> Vec<&str> {
        self.reports()
            .iter()
            .filter_map(|report| report["kind"].as_str())
            .collect()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }
}

/// Runs a command under csapp-check, with these options and this standard input.
#[track_caller]
pub fn check(options: &[&str], command: &[&str], input: &str) -> Checked {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let base = dir.join(format!("report-{}-{number}", std::process::id()));
    let (log, json) = (base.with_extension("log"), base.with_extension("json"));
    let mut run = csapp_check();
    run.arg(format!("--log-file={}", log.display()))
        .arg(format!("--json={}", json.display()));
    let output = run_with(run.args(options).arg("--").args(command), input);
    let text =
        fs::read_to_string(&json).unwrap_or_else(|why| panic!("{command:?}: {why}: {output:?}"));
    let checked = Checked {
        output,
        json: serde_json::from_str(&text).expect("JSON"),
        log: fs::read_to_string(&log).expect("a report"),
    };
    let _ = (fs::remove_file(log), fs::remove_file(json));
    checked
}

//! What the tests share: the library as it ships, C programs, and functions that run a command and show its output
//! if it fails.

pub mod c;
pub mod copy;
pub mod header;
pub mod server;

pub use c::{C, Link, cc, links};

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};

/// The project's directory.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in it")
}

/// The files of the project whose names end in this, by their paths from its directory. What was built is left out:
/// other tests change it meanwhile.
pub fn files(ending: &str) -> Vec<String> {
    let prune = "( -name target -o -name build -o -name vendor -o -name node_modules -o -name .git \
                 -o -path ./debian/* -type d ) -prune -o";
    let listed = succeed(
        Command::new("find")
            .arg(".")
            .arg("-ignore_readdir_race")
            .args(prune.split_whitespace())
            .args(["-name", &format!("*{ending}"), "-print"])
            .current_dir(root()),
    );
    listed.lines().map(|line| line[2..].to_string()).collect()
}

/// The directory with the library as `make` leaves it: header, .so, .a and .o. Built on first use,
/// since `cargo test` itself builds with unwinding, which does not ship.
pub fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        succeed(Command::new("make").arg("all").current_dir(root()));
        root().join(std::env::var_os("BUILD").unwrap_or_else(|| "build".into()))
    })
}

/// The command csapp-check, with its library beside it. Built on first use.
pub fn csapp_check() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        succeed(Command::new("make").arg("csapp-check").current_dir(root()));
        library().join("csapp-check")
    })
}

/// The 95 of Rust 1.95, which builds the library here.
pub fn rust_minor() -> u32 {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = succeed(Command::new(rustc).arg("--version"));
    let minor = said.split('.').nth(1).and_then(|part| part.parse().ok());
    minor.unwrap_or_else(|| panic!("no version of Rust: {said}"))
}

/// A fresh directory, which no other test has: of those asked for by one name, the second is NAME-2.
pub fn scratch(name: &str) -> PathBuf {
    static TAKEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut taken = TAKEN.lock().expect("nothing panics with the lock held");
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let own = names.find(|name| taken.insert(name.clone()));
    drop(taken);
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own.expect("there is a number"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap_or_else(|why| panic!("{}: {why}", dir.display()));
    dir
}

/// Says what this machine leaves untested, past the test harness, which keeps what passing tests print.
pub fn skipped(why: &str) {
    // In one write, since other tests print at the same time.
    let line = format!("SKIPPED: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Passes on what a program or script says that it leaves untested, in lines with the same beginning.
pub fn skipped_by(said: &str) {
    said.lines()
        .filter_map(|line| line.strip_prefix("SKIPPED: "))
        .for_each(skipped);
}

/// Whether there is a command of this name.
pub fn has(tool: &str) -> bool {
    let look = ["-c", "command -v \"$0\" >/dev/null", tool];
    let found = Command::new("sh").args(look).status();
    found.is_ok_and(|status| status.success())
}

/// [`has`]; where there is none, says so, and which package it is in.
pub fn is_installed(tool: &str, package: &str) -> bool {
    let found = has(tool);
    if !found {
        skipped(&format!("{tool} is not installed (Debian: {package})"));
    }
    found
}

/// Runs a command that has to succeed, and returns its standard output.
#[track_caller]
pub fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|why| panic!("cannot run {command:?}: {why}"))
}

/// Runs a command to its end, with `input` as its standard input.
#[track_caller]
pub fn run_with(command: &mut Command, input: &str) -> Output {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped
        .spawn()
        .unwrap_or_else(|why| panic!("cannot run {command:?}: {why}"));
    // Some read nothing, and have ended by now.
    let _ = child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input.as_bytes());
    child.wait_with_output().expect("the child is ours")
}

/// What lists symbols, or by `make check-cross` TEST_NM.
pub fn nm() -> Command {
    Command::new(std::env::var_os("TEST_NM").unwrap_or_else(|| "nm".into()))
}

/// A program of ours; `make check-cross` says by TEST_RUNNER what runs it.
pub fn program(path: impl AsRef<Path>) -> Command {
    let runner = std::env::var("TEST_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace();
    match words.next() {
        Some(first) => {
            let mut command = Command::new(first);
            command.args(words).arg(path.as_ref());
            command
        }
        None => Command::new(path.as_ref()),
    }
}

//! How many instructions calls take: those that find their bytes in the buffer against stored
//! figures, checked wrappers against the plain calls. Unlike times, instructions are the same
//! on a busy machine; valgrind counts them.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::Link;

/// What 1,000 calls may take, the loop around them and one refill in 800 included: a tenth
/// more than what they took when this was written (noted behind each). Valgrind's processor
/// has no AVX-512, so this is the way that AVX2 takes.
const ALLOWED: [(&str, u64); 3] = [
    ("rio_readlineb", 157_000), // 142,162
    ("Rio_readlineb", 183_000), // 166,162
    ("rio_readnb", 137_000),    // 124,153
];

/// What a wrapper may add to one call: keeping errno, comparing, starting again after a signal.
/// When this was written, the cheapest added 21 instructions and the dearest 41.
const ADDED: u64 = 60;

/// How often c_tests/overhead.c makes each call.
const TIMES: u64 = 1000;

/// Whether instructions can be counted here; if not, says why.
fn can_count() -> bool {
    if !cfg!(target_arch = "x86_64") {
        println!("skipped: the stored figures are those of x86-64");
        return false;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed, and nothing else counts instructions");
        return false;
    }
    true
}

/// Compiles c_tests/`name`.c. Calls stay calls, and their symbols are looked up at the start.
fn compile(name: &str) -> PathBuf {
    let program = common::scratch(name).join(name);
    common::succeed(
        common::cc()
            .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"])
            .args(["-fno-builtin", "-Wl,-z,now"])
            .arg(format!("-I{}", common::library().display()))
            .arg(common::root().join(format!("c_tests/{name}.c")))
            .arg("-o")
            .arg(&program)
            .args(Link::Shared.arguments())
            .arg("-pthread"),
    );
    program
}

/// Runs a program and has its instructions counted; `profile` is where they are noted.
fn count(program: &Path, arguments: &[&str], profile: &Path) -> Output {
    let output = common::run(
        Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(program)
            .args(arguments),
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    output
}

#[test]
fn a_call_that_finds_its_bytes_in_the_buffer_takes_few_instructions() {
    if !can_count() {
        return;
    }
    let program = compile("instructions");
    for (call, allowed) in ALLOWED {
        let total = |times: &str| -> u64 {
            let output = count(&program, &[call, times], Path::new("/dev/null"));
            let said = String::from_utf8_lossy(&output.stderr);
            let collected = said.split("Collected : ").nth(1).unwrap_or_default();
            let digits = collected.split_whitespace().next().unwrap_or_default();
            digits
                .parse()
                .unwrap_or_else(|_| panic!("no count in: {said}"))
        };
        // The difference leaves out how the program starts and ends.
        let taken = (total("3000") - total("1000")) / 2;
        assert!(
            taken <= allowed,
            "1,000 calls of {call} take {taken} instructions; {allowed} are allowed"
        );
    }
}

/// What a function took, all that it called included, in a table of callgrind_annotate.
fn taken_by(function: &str, table: &str) -> u64 {
    let line = table
        .lines()
        .find(|line| line.contains(&format!(":{function} [")));
    let count = line.and_then(|line| line.split_whitespace().next());
    let digits = count.map(|count| count.replace(',', ""));
    digits
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_else(|| panic!("no count for {function} in:\n{table}"))
}

#[test]
fn a_wrapper_adds_a_few_dozen_instructions() {
    if !can_count() {
        return;
    }
    let program = compile("overhead");
    let profile = program.with_extension("profile");
    let output = count(&program, &[], &profile);
    let table = common::succeed(
        Command::new("callgrind_annotate")
            .args(["--inclusive=yes", "--threshold=100"])
            .arg(&profile),
    );
    let wrappers = String::from_utf8_lossy(&output.stdout);
    assert!(wrappers.lines().count() > 10, "{wrappers}");
    let mut too_dear = Vec::new();
    for wrapper in wrappers.lines() {
        let plain = taken_by(&format!("plain_{wrapper}"), &table);
        let checked = taken_by(&format!("checked_{wrapper}"), &table);
        let added = checked.saturating_sub(plain) / TIMES;
        println!("{wrapper}: {} and {added}", plain / TIMES);
        if added > ADDED {
            too_dear.push((wrapper, added));
        }
    }
    assert!(
        too_dear.is_empty(),
        "{ADDED} instructions may be added to a call: {too_dear:?}"
    );
}

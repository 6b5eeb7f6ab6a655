//! How many instructions calls take: those of the Rio package against stored figures, checked wrappers against the
//! plain calls. Unlike times, instructions are the same on a busy machine; valgrind counts them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common;
use crate::common::C;

/// How many of the library's instructions a call took when this was written, its share of refills included; those
/// of libc and the system are not counted. Valgrind's processor has no AVX-512, so this is
/// the way that AVX2 takes. The second figure is of Rust 1.85, whose LLVM has branches where 1.95's has none.
const TAKEN: [(&str, u64, u64); 13] = [
    ("rio_readlineb 10", 77, 82),
    ("rio_readlineb 60", 86, 91),
    ("rio_readlineb 190", 134, 141),
    // Of five lines three go across the end of what is read ahead. libc finds and copies their second parts.
    ("rio_readlineb 5000", 1434, 1436),
    ("Rio_readlineb 10", 88, 88),
    ("rio_readnb 16", 37, 55),
    ("rio_readnb 128", 52, 72),
    // That a reader may be copied costs a note at each refill and after each call that refills.
    ("rio_readnb 1024", 66, 85),
    ("rio_readnb 16384", 201, 236),
    ("Rio_readnb 16", 42, 63),
    ("rio_readn 4096", 60, 68),
    ("rio_writen to a file 4096", 75, 79),
    ("rio_writen to a socket 4096", 59, 63),
];

/// How many more are allowed, for compilers and C libraries to come: a twentieth, and as many
/// as this.
const MARGIN: u64 = 4;

/// What a wrapper may add to one call: keeping errno, comparing, starting again after a signal.
/// When this was written, the cheapest added 15 instructions and the dearest 57.
const ADDED: u64 = 60;

/// How often the programs make each call.
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

/// Compiles c_tests/cost/`name`.c. Calls stay calls, and their symbols are looked up at the start.
fn compile(name: &str) -> PathBuf {
    C::new(format!("c_tests/cost/{name}.c"))
        .flags(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-fno-builtin"])
        .link_flags(["-Wl,-z,now"])
        .build(&common::scratch(name))
}

/// Runs a program and has its instructions counted; `profile` is where they are noted.
fn count(program: &Path, options: &[&str], profile: &Path) -> Output {
    let output = common::run(
        Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .args(options)
            .arg(program),
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    output
}

/// The counts in a file of several dumps: what each is named after, and how many instructions the library took
/// itself. Those of libc differ from version to version.
fn dumps(profile: &Path) -> HashMap<String, u64> {
    let text = fs::read_to_string(profile).expect("callgrind has written it");
    let named = |part: &str| {
        let mut lines = part.lines();
        let name = lines.find_map(|line| line.strip_prefix("desc: Trigger: Client Request: "))?;
        Some((name.trim().to_owned(), taken_by_library(part)))
    };
    text.split("\npart: ").filter_map(named).collect()
}

/// The sum of the costs in a part of a profile that stand under the library's object. The line behind one that
/// begins with `calls=` has what the called function took.
fn taken_by_library(part: &str) -> u64 {
    let (mut sum, mut counts, mut lines) = (0, false, part.lines());
    while let Some(line) = lines.next() {
        if let Some(object) = line.strip_prefix("ob=") {
            counts = object.contains("/libcsapp.so");
        } else if line.starts_with("calls=") {
            lines.next();
        } else if counts
            && line.starts_with(|start: char| start.is_ascii_digit() || "+-*".contains(start))
        {
            let cost = line
                .split(' ')
                .nth(1)
                .and_then(|cost| cost.parse::<u64>().ok());
            sum += cost.unwrap_or_else(|| panic!("no cost in {line:?}"));
        }
    }
    sum
}

#[test]
fn calls_take_few_instructions() {
    if !can_count() {
        return;
    }
    let program = compile("instructions");
    let profile = program.with_extension("profile");
    let options = ["--combine-dumps=yes", "--compress-strings=no"];
    count(&program, &options, &profile);
    let counted = dumps(&profile);
    let mut too_many = Vec::new();
    let is_old = common::rust_minor() < 89;
    for (call, before, before_by_old) in TAKEN {
        let before = if is_old { before_by_old } else { before };
        let total = counted.get(call);
        let now = total.unwrap_or_else(|| panic!("{call} was not counted: {counted:?}")) / TIMES;
        println!("{call}: {now}, before {before}");
        if now > before + before / 20 + MARGIN {
            too_many.push((call, now, before));
        }
    }
    assert!(
        too_many.is_empty(),
        "instructions per call, now and before: {too_many:?}"
    );
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

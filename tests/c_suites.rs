//! Runs the Check suites of c_tests/ against the library that ships: shared, static, under
//! gcc's sanitizers and under valgrind.

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use common::Link;

/// Compiles c_tests/`suite`.c; `variant` names the program.
fn compile(suite: &str, variant: &str, link: Link, flags: &[&str]) -> PathBuf {
    let program = common::scratch(&format!("{suite}-{variant}")).join(suite);
    let check = common::succeed(Command::new("pkg-config").args(["--cflags", "--libs", "check"]));
    common::succeed(
        common::cc()
            .args([
                "-std=gnu11",
                "-g",
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-fexceptions",
            ])
            .args(flags)
            .arg(format!("-I{}", common::library().display()))
            .arg(common::root().join(format!("c_tests/{suite}.c")))
            .arg("-o")
            .arg(&program)
            .args(link.arguments())
            .args(check.split_whitespace())
            .arg("-pthread"),
    );
    program
}

/// Runs a suite that has to succeed, and shows what it says to those who ask (--nocapture).
#[track_caller]
fn succeed(suite: &mut Command) {
    let said = common::succeed(suite);
    common::skipped_by(&said);
    print!("{said}");
}

fn shared(suite: &str) {
    succeed(&mut common::program(compile(
        suite,
        "shared",
        Link::Shared,
        &[],
    )));
}

fn statically(suite: &str) {
    succeed(&mut common::program(compile(
        suite,
        "static",
        Link::Static,
        &[],
    )));
}

/// For what depends on the address that a program sees a function of the library at: without -fpie
/// that is one in the program itself.
fn not_position_independent(suite: &str) {
    for link in [Link::Shared, Link::Static] {
        let variant = format!("no-pie-{link:?}");
        let program = compile(suite, &variant, link, &["-fno-pie", "-no-pie"]);
        succeed(&mut common::program(program));
    }
}

fn sanitized(suite: &str) {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let program = compile(suite, "asan", Link::Static, &flags);
    succeed(
        Command::new(program)
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .env("CK_TIMEOUT_MULTIPLIER", "4"),
    );
}

/// For the suites with threads.
fn thread_sanitized(suite: &str) {
    let program = compile(suite, "tsan", Link::Static, &["-fsanitize=thread"]);
    succeed(
        Command::new(program)
            .env("TSAN_OPTIONS", "halt_on_error=1")
            .env("CK_TIMEOUT_MULTIPLIER", "4"),
    );
}

/// Faults that the kernel's help is not needed for; valgrind does not know it.
const WITHOUT_KERNEL: [(&str, &str); 1] = [("FAULTS", "shim")];

/// For the suites with faults.
fn without_kernel(suite: &str) {
    let program = compile(suite, "shim", Link::Static, &[]);
    succeed(Command::new(program).envs(WITHOUT_KERNEL));
}

/// Of the matrix of faults, the cells in which something happens in mid-message or mid-line.
fn under_valgrind(suite: &str) {
    let program = compile(suite, "valgrind", Link::Shared, &[]);
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=no"]);
    let suppressions = common::root().join(format!("c_tests/{suite}.supp"));
    if suppressions.exists() {
        valgrind.arg(format!("--suppressions={}", suppressions.display()));
    }
    succeed(
        valgrind
            .arg(program)
            .env("STORM_INTERVAL_US", "20000")
            .envs(WITHOUT_KERNEL)
            .env("CELL", "mid-")
            .env("CK_TIMEOUT_MULTIPLIER", "10"),
    );
}

/// A module for each suite, a test for each way to run it.
macro_rules! suites {
    ($($suite:ident: $($way:ident)+;)+) => {
        $(mod $suite {
            $(#[test]
            fn $way() {
                super::$way(stringify!($suite));
            })+
        })+
    };
}

suites! {
    error: shared statically sanitized under_valgrind thread_sanitized not_position_independent;
    rio: shared statically sanitized under_valgrind;
    process: shared statically sanitized;
    signal: shared statically sanitized under_valgrind;
    sio: shared statically;
    unix_io: shared statically sanitized under_valgrind;
    directory: shared statically sanitized under_valgrind;
    memory: shared statically sanitized under_valgrind;
    stdio: shared statically sanitized under_valgrind;
    alloc: shared statically;
    socket: shared statically sanitized under_valgrind;
    names: shared statically sanitized under_valgrind;
    thread: shared statically under_valgrind;
    semaphore: shared statically sanitized under_valgrind;
    extras: shared statically sanitized under_valgrind;
    lines: shared statically sanitized under_valgrind;
    net: shared statically sanitized thread_sanitized;
    network: shared statically sanitized;
    bad_input: shared statically sanitized under_valgrind;
    damaged: shared statically sanitized under_valgrind;
    cancel: shared statically sanitized thread_sanitized under_valgrind;
    jump: shared statically sanitized;
    threads: shared statically sanitized thread_sanitized under_valgrind;
    faults: shared statically sanitized without_kernel under_valgrind;
    soak: shared statically sanitized thread_sanitized without_kernel;
    fork: shared statically sanitized;
    handler: shared statically sanitized;
    accept: shared statically sanitized thread_sanitized without_kernel under_valgrind;
    storm: shared statically sanitized under_valgrind;
}

#[test]
fn every_function_has_bad_input() {
    let program = compile("bad_input", "names", Link::Shared, &[]);
    let tried = common::succeed(Command::new(program).arg("names"));
    let tried: BTreeSet<&str> = tried.lines().collect();
    let library = common::library().join("libcsapp.so");
    let symbols = common::succeed(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(library),
    );
    let exported = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2));
    assert_eq!(tried, exported.collect());
}

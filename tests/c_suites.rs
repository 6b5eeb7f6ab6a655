//! Runs the Check suites of c_tests/ against the library that ships: shared, static, under
//! gcc's sanitizers and under valgrind.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::{fs, panic};

use crate::common;
use crate::common::{C, Link};

/// The source of a suite, in whichever folder of c_tests/ it is.
fn source(suite: &str) -> PathBuf {
    let folders = fs::read_dir(common::root().join("c_tests")).expect("the suites");
    folders
        .map(|folder| folder.expect("a folder").path().join(format!("{suite}.c")))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("no {suite}.c in a folder of c_tests/"))
}

/// Compiles a suite; `variant` names the program.
fn compile(suite: &str, variant: &str, link: Link, flags: &[&str]) -> PathBuf {
    let check = |what| common::succeed(Command::new("pkg-config").args([what, "check"]));
    C::new(source(suite))
        .flags([
            "-std=gnu11",
            "-g",
            "-O1",
            "-fexceptions",
            "-Wall",
            "-Wextra",
        ])
        // The suites make mistakes on purpose, which gcc sees.
        .flags(["-Wno-stringop-overflow", "-Wno-nonnull"])
        .flags(["-Wno-alloc-size-larger-than"])
        .flags([format!("-I{}/c_tests/support", common::root().display())])
        .flags(check("--cflags").split_whitespace())
        .flags(flags)
        .link(link)
        .link_flags(check("--libs").split_whitespace())
        .build(&common::scratch(&format!("{suite}-{variant}")))
}

/// The test cases of a suite. A suite that waits long is divided into several, which run at once.
fn cases(suite: &str) -> Vec<String> {
    let path = source(suite);
    let source =
        fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let mut calls = source.split("tcase_create(").skip(1);
    let names = calls.by_ref().map(|rest| {
        let literal = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (name, _) = literal.expect("a test case's name stands where it is made");
        name.to_owned()
    });
    names.collect()
}

/// Runs the test cases of a suite, which have to succeed, and with --nocapture shows what they say.
#[track_caller]
fn succeed(suite: &str, command: impl Fn() -> Command + Sync) {
    let cases = cases(suite);
    let say = |case: &String| common::succeed(command().env("CK_RUN_CASE", case));
    let said: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = cases
            .iter()
            .map(|case| scope.spawn(move || say(case)))
            .collect();
        let ended = running.into_iter().map(|case| case.join());
        ended
            .map(|said| said.unwrap_or_else(|why| panic::resume_unwind(why)))
            .collect()
    });
    for said in said {
        assert!(!said.contains("Checks: 0"), "{suite}: {said}");
        common::skipped_by(&said);
        print!("{said}");
    }
}

fn shared(suite: &str) {
    let program = compile(suite, "shared", Link::Shared, &[]);
    succeed(suite, || common::program(&program));
}

fn statically(suite: &str) {
    let program = compile(suite, "static", Link::Static, &[]);
    succeed(suite, || common::program(&program));
}

/// With the library as a C file.
fn from_source(suite: &str) {
    let program = compile(suite, "source", Link::Source, &[]);
    succeed(suite, || common::program(&program));
}

/// For what depends on the address that a program sees a function of the library at: without -fpie
/// that is one in the program itself.
fn not_position_independent(suite: &str) {
    for link in [Link::Shared, Link::Static] {
        let variant = format!("no-pie-{link:?}");
        let program = compile(suite, &variant, link, &["-fno-pie", "-no-pie"]);
        succeed(suite, || common::program(&program));
    }
}

fn sanitized(suite: &str) {
    let flags = [
        "-O0", // The suite itself; the library is what it is.
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    let program = compile(suite, "asan", Link::Static, &flags);
    succeed(suite, || {
        let mut command = Command::new(&program);
        command
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .env("CK_TIMEOUT_MULTIPLIER", "4");
        command
    });
}

/// For the suites with threads.
fn thread_sanitized(suite: &str) {
    let program = compile(suite, "tsan", Link::Static, &["-O0", "-fsanitize=thread"]);
    succeed(suite, || {
        let mut command = Command::new(&program);
        command
            .env("TSAN_OPTIONS", "halt_on_error=1")
            .env("CK_TIMEOUT_MULTIPLIER", "4");
        command
    });
}

/// Under csapp-check, which changes nothing.
fn checked(suite: &str) {
    let program = compile(suite, "checked", Link::Shared, &[]);
    succeed(suite, || {
        let mut check = Command::new(common::csapp_check());
        // What the suites do wrong on purpose is reported.
        check.arg("--log-file=/dev/null").arg(&program);
        check.env("CK_TIMEOUT_MULTIPLIER", "4");
        check
    });
}

/// Faults that the kernel's help is not needed for; valgrind does not know it.
const WITHOUT_KERNEL: [(&str, &str); 1] = [("FAULTS", "shim")];

/// For the suites with faults.
fn without_kernel(suite: &str) {
    let program = compile(suite, "shim", Link::Static, &[]);
    succeed(suite, || {
        let mut command = Command::new(&program);
        command.envs(WITHOUT_KERNEL);
        command
    });
}

/// Suites of many small tests, each of which valgrind translates again in a process of its own; here they are content with one.
const IN_ONE_PROCESS: [&str; 7] = [
    "checked_buffered",
    "copies",
    "lines",
    "rio",
    "semaphore",
    "socket",
    "stdio",
];

/// Of the matrix of faults, the cells in which something happens in the middle of a message or line.
fn under_valgrind(suite: &str) {
    let program = compile(suite, "valgrind", Link::Shared, &[]);
    let suppressions = source(suite).with_extension("supp");
    succeed(suite, || {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=no"]);
        // What is freed at the end would only matter for leaks, and takes a fifth of the time of each small process;
        // a look by valgrind at itself, and translating code beyond what is run, take another quarter.
        valgrind.args(["--run-libc-freeres=no", "--run-cxx-freeres=no"]);
        valgrind.args(["--sanity-level=0", "--vex-guest-chase=no"]);
        if suppressions.exists() {
            valgrind.arg(format!("--suppressions={}", suppressions.display()));
        }
        valgrind
            .arg(&program)
            .env("STORM_INTERVAL_US", "20000")
            .envs(WITHOUT_KERNEL)
            .env("CELL", "mid-")
            .env("CK_TIMEOUT_MULTIPLIER", "10");
        if IN_ONE_PROCESS.contains(&suite) {
            valgrind.env("CK_FORK", "no");
        }
        valgrind
    });
}

/// A module for each suite, a test for each way to run it.
macro_rules! suites {
    ($($suite:ident: $($way:ident)+;)+) => {
        const SUITES: &[&str] = &[$(stringify!($suite)),+];
        $(mod $suite {
            $(#[test]
            fn $way() {
                super::$way(stringify!($suite));
            })+
        })+
    };
}

suites! {
    error: shared statically from_source sanitized under_valgrind thread_sanitized not_position_independent;
    rio: shared statically from_source sanitized under_valgrind checked;
    process: shared statically sanitized checked;
    signal: shared statically sanitized under_valgrind checked;
    sio: shared statically checked;
    unix_io: shared statically sanitized under_valgrind checked;
    directory: shared statically sanitized under_valgrind checked;
    memory: shared statically sanitized under_valgrind checked;
    stdio: shared statically sanitized under_valgrind checked;
    alloc: shared statically;
    socket: shared statically sanitized under_valgrind checked;
    names: shared statically sanitized under_valgrind checked;
    thread: shared statically under_valgrind checked;
    semaphore: shared statically sanitized under_valgrind checked;
    extras: shared statically sanitized under_valgrind checked;
    lines: shared statically sanitized under_valgrind checked;
    net: shared statically sanitized thread_sanitized;
    hosts: shared statically sanitized;
    bad_input: shared statically sanitized under_valgrind;
    damaged: shared statically sanitized under_valgrind checked;
    cancel: shared statically from_source sanitized thread_sanitized under_valgrind checked;
    jump: shared statically sanitized;
    many_readers: shared statically sanitized thread_sanitized under_valgrind checked;
    faults: shared statically sanitized without_kernel under_valgrind;
    soak: shared statically sanitized thread_sanitized without_kernel;
    fork: shared statically sanitized checked;
    handler: shared statically sanitized checked;
    accept: shared statically sanitized thread_sanitized without_kernel under_valgrind checked;
    storm: shared statically sanitized under_valgrind;
    error_queue: shared sanitized;
    accept_in_time: shared statically sanitized thread_sanitized;
    copies: shared statically sanitized under_valgrind checked;
    limits: shared statically sanitized thread_sanitized;
    terminal: shared statically sanitized;
    checked_buffered: shared statically sanitized under_valgrind checked;
    huge_counts: shared statically;
}

#[test]
fn every_function_has_bad_input() {
    let program = compile("bad_input", "names", Link::Shared, &[]);
    let tried = common::succeed(Command::new(program).arg("names"));
    let tried: BTreeSet<String> = tried.lines().map(str::to_string).collect();
    let exported = exported();
    let without: Vec<&String> = exported.difference(&tried).collect();
    let too_many: Vec<&String> = tried.difference(&exported).collect();
    assert!(
        without.is_empty() && too_many.is_empty(),
        "c_tests/faults/bad_input.c: no cells for {without:?}, cells for {too_many:?}, which are not exported"
    );
}

/// The functions that the shared library exports.
fn exported() -> BTreeSet<String> {
    let library = common::library().join("libcsapp.so");
    let symbols = common::succeed(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(library),
    );
    symbols
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .map(str::to_string)
        .collect()
}

/// A checked function has a line of FAILURES in c_tests/api/, which shows each way to fail under each error handler.
#[test]
fn every_checked_function_has_a_failure() {
    // These cannot fail, or end the program.
    let without = "Alarm Free Freeaddrinfo Getpgrp Pause Pthread_exit Pthread_self Sio_error Sleep";
    // c_tests/api/checked_buffered.c shows how these fail.
    let elsewhere = "Rio_readinitb Rio_readlineb Rio_readn Rio_readnb Rio_writen";
    let folder = fs::read_dir(common::root().join("c_tests/api")).expect("the suites");
    let sources: String = folder
        .map(|file| fs::read_to_string(file.expect("a suite").path()).expect("its text"))
        .collect();
    for function in exported() {
        let is_checked = function.starts_with(char::is_uppercase);
        let is_exempt = [without, elsewhere]
            .iter()
            .any(|names| names.split(' ').any(|name| name == function));
        let has_line = sources.contains(&format!("CALL({function},"));
        assert!(
            !is_checked || has_line != is_exempt,
            "{function}: no line of FAILURES in c_tests/api/, or no exception any more"
        );
    }
}

#[test]
fn every_suite_is_in_the_table() {
    let in_folder = |folder| {
        let path = common::root().join("c_tests").join(folder);
        fs::read_dir(path).expect("a folder of suites")
    };
    let files = ["api", "faults", "hosts", "threads"]
        .into_iter()
        .flat_map(in_folder);
    let paths = files.map(|file| file.expect("a file").path());
    let suites = paths.filter(|path| path.extension().is_some_and(|end| end == "c"));
    let names = suites.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    let mut table = SUITES.to_vec();
    table.sort_unstable();
    assert_eq!(names, table);
}

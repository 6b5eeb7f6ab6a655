//! Faults by another tool: a program copies a file through the library, strace makes its system calls fail, and the
//! copy has to be the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;
use crate::common::{C, Link};

/// The program copy.c; `None`, with a message, where strace is missing or may not trace.
fn copier(test: &str, link: Link) -> Option<PathBuf> {
    let traced = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output();
    if !traced.is_ok_and(|output| output.status.success()) {
        common::skipped("strace is not installed (Debian: strace), or may not trace here");
        return None;
    }
    let copy = C::new("c_tests/programs/copy.c")
        .flags(["-std=gnu11", "-O1", "-Wall", "-Wextra"])
        .link(link);
    Some(copy.build(&common::scratch(test)))
}

/// Copies a text of many lines by `call` while strace tampers with the calls on `victim`, one of the
/// two files, as `injection` says. Returns how many calls of the library failed, by its account,
/// and how many of the system by strace's.
fn copy(program: &Path, call: &str, victim: &str, injection: &str) -> (usize, usize) {
    let dir = program.parent().expect("it lies in a directory");
    let text: String = (0..2_000).map(|i| format!("line {i}\n")).collect();
    let (from, to, log) = (dir.join("from"), dir.join("to"), dir.join("log"));
    std::fs::write(&from, &text).expect("the directory is ours");
    let system_call = injection.split(':').next().expect("it comes first");
    let failures = common::succeed(
        Command::new("strace")
            .arg("-o")
            .arg(&log)
            .args(["-e", &format!("trace={system_call}")])
            .args(["-e", &format!("inject={injection}")])
            .arg("-P")
            .arg(dir.join(victim))
            .arg(program)
            .arg(call)
            .args([&from, &to]),
    );
    let copied = std::fs::read(&to).expect("it has been copied to");
    assert!(
        copied == text.as_bytes(),
        "{call}, {injection}: the copy differs"
    );
    let log = std::fs::read_to_string(&log).expect("strace has written it");
    let injected = log.matches("(INJECTED)").count();
    assert!(injected > 0, "{call}, {injection}: no fault in\n{log}");
    let failures = failures.trim().parse().expect("a number");
    (failures, injected)
}

/// Runs `test` with the shared library and with the static one, for each reading call.
fn for_each_call(name: &str, test: impl Fn(&Path, &str)) {
    for link in [Link::Shared, Link::Static] {
        let Some(program) = copier(&format!("strace-{name}-{link:?}"), link) else {
            return;
        };
        for call in ["rio_readn", "rio_readnb", "rio_readlineb"] {
            test(&program, call);
        }
    }
}

#[test]
fn interrupted_calls_start_again() {
    for_each_call("interrupted", |program, call| {
        for (victim, injection) in [
            ("from", "read:error=EINTR:when=1+2"),
            ("to", "write:error=EINTR:when=1+2"),
        ] {
            assert_eq!(copy(program, call, victim, injection).0, 0, "{call}");
        }
    });
}

#[test]
fn after_an_error_nothing_is_missing() {
    for_each_call("failing", |program, call| {
        for reason in ["EIO", "ECONNRESET"] {
            // rio_readn may fail with something gathered, which it cannot say. So that it does not,
            // what fails is the first read of a call: a whole PIECE comes at a time.
            let injection = format!("read:error={reason}:when=3+5");
            let (failures, injected) = copy(program, call, "from", &injection);
            assert_eq!(failures, injected, "{call}: {reason}");
            let injection = format!("write:error={reason}:when=2+4");
            let (failures, injected) = copy(program, call, "to", &injection);
            assert_eq!(failures, injected, "{call}: {reason}");
        }
    });
}

#[test]
fn a_write_of_0_bytes_is_an_error() {
    for_each_call("sated", |program, call| {
        let (failures, injected) = copy(program, call, "to", "write:retval=0:when=2+7");
        assert_eq!(failures, injected, "{call}");
    });
}

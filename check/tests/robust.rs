//! Correct programs that are hard to watch behave as without csapp-check, and are not blamed for anything.

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use support::{Compiler, Link, check, csapp_check, program, root, scratch};

/// Compiles check/tests/programs/NAME.c.
fn compile(name: &str, link: Link, flags: &[&str]) -> PathBuf {
    let dir = scratch(&format!(
        "{name}-{link:?}{}",
        flags.concat().replace(['=', ','], "-")
    ));
    let (object, program) = (dir.join("program.o"), dir.join(name));
    let source = root().join(format!("check/tests/programs/{name}.c"));
    let compiler = Compiler("cc", "-O1");
    compiler.compile(&source, &object, &[flags, &["-D_GNU_SOURCE"]].concat());
    compiler.link_with(&object, &program, link, flags);
    program
}

#[track_caller]
fn is_fine(name: &str) {
    for link in [Link::Shared, Link::Object] {
        let program = compile(name, link, &[]);
        let checked = check(&[], &[program.to_str().expect("UTF-8")], "");
        let context = format!("{name} {link:?}: {:?}\n{}", checked.output, checked.log);
        assert!(checked.output.status.success(), "{context}");
        assert_eq!(checked.stdout(), "ok\n", "{context}");
        assert_eq!(checked.log, "", "{context}");
    }
}

macro_rules! fine {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            is_fine(stringify!($name));
        }
    )*};
}
fine!(
    cancelled,
    closes_all,
    jumps,
    keeps,
    legal,
    polls,
    prints,
    runs_out,
    small_stack,
    spawns,
    storm
);

#[test]
fn with_sanitizers() {
    let compilers = [
        ("gcc", "address"),
        ("gcc", "thread"),
        ("clang", "address"),
        ("clang", "thread"),
    ];
    for (compiler, sanitizer) in compilers {
        let dir = scratch(&format!("sanitized-{compiler}-{sanitizer}"));
        let program = dir.join("cancelled");
        let mut command = Command::new(compiler);
        command
            .arg(format!("-fsanitize={sanitizer}"))
            .args(["-g", "-D_GNU_SOURCE"]);
        command.arg(format!("-I{}", support::built().display()));
        command
            .arg(root().join("check/tests/programs/cancelled.c"))
            .arg("-o")
            .arg(&program);
        command
            .arg(support::built().join("csapp.o"))
            .arg("-pthread");
        if !command.output().is_ok_and(|output| output.status.success()) {
            support::skipped(&format!(
                "{compiler} -fsanitize={sanitizer} does not link here"
            ));
            continue;
        }
        let program = program.to_str().expect("UTF-8");
        // Itself, and run by a program that is watched.
        for command in [
            &[program] as &[&str],
            &["sh", "-c", "\"$0\"; exit $?", program],
        ] {
            let checked = check(&[], command, "");
            let context = format!(
                "{compiler} {sanitizer}: {:?}\n{}",
                checked.output, checked.log
            );
            assert_eq!(checked.stdout(), "ok\n", "{context}");
            assert_eq!(checked.log, "", "{context}");
        }
    }
}

#[test]
fn crash_and_abort_leave_what_was_found() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    char byte;
    int fd = Open("/dev/null", O_RDONLY, 0);
    Close(fd);
    read(fd, &byte, 1);
    raise(SIGSEGV);
    return 0;
}
"#;
    let program = program("crash", source, Link::Object);
    let checked = check(&[], &[program.to_str().expect("UTF-8")], "");
    assert_eq!(checked.kinds(), ["closed-use"], "{}", checked.log);
    assert_eq!(checked.json["ended"]["signal"], libc::SIGSEGV);
    fs::metadata(program).expect("still there");
}

#[test]
fn killed_with_csapp_check() {
    let mut child = csapp_check()
        .args([
            "perl",
            "-e",
            "$| = 1; print qq(begun\\n); sleep 20; print qq(alive\\n)",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("text");
    child.kill().expect("it is a child");
    child.wait().expect("it is a child");
    out.read_line(&mut line).expect("text");
    assert_eq!(line, "begun\n");
}

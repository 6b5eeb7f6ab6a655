//! Correct programs that are hard to watch behave as without csapp-check, and are not blamed for anything.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use super::support::{c, check, csapp_check, program};
use crate::common::{C, Link, links, run_with, scratch};

/// The program check/tests/programs/NAME.c.
fn watched(name: &str) -> C {
    c(format!("check/tests/programs/{name}.c")).flags(["-D_GNU_SOURCE"])
}

#[track_caller]
fn is_fine(name: &str) {
    for link in [Link::Shared, Link::Object] {
        let program = watched(name).link(link).build(&scratch(name));
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
    loads,
    locks,
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
        let flag = format!("-fsanitize={sanitizer}");
        if !links(compiler, &flag) {
            continue;
        }
        let program = watched("cancelled").compiler(compiler).flags([flag]);
        let program = program.link(Link::Object).build(&scratch("cancelled"));
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
fn faults_on_a_small_stack() {
    let program = watched("small_stack_faults").build(&scratch("small_stack_faults"));
    let checked = check(&[], &[program.to_str().expect("UTF-8")], "");
    assert_eq!(checked.stdout(), "ok\n", "{:?}", checked.output);
    let mut kinds = checked.kinds();
    kinds.sort_unstable();
    let expected = [
        "closed-use",
        "double-close",
        "lost-bytes",
        "lost-bytes",
        "unsafe-in-handler",
    ];
    assert_eq!(kinds, expected, "{}", checked.log);
}

/// However a program ends, what was found until then is told, and csapp-check ends like it.
#[test]
fn any_end_leaves_what_was_found() {
    let source = r#"
#include "csapp.h"
int main(int argc, char **argv)
{
    char byte;
    int *volatile nowhere = NULL;
    int fd = Open("/dev/null", O_RDONLY, 0);
    Close(fd);
    read(fd, &byte, 1);
    switch (argc > 1 ? argv[1][0] : '-') {
    case 's': return *nowhere;
    case 'a': abort();
    case '_': _exit(3);
    case 'q': quick_exit(4);
    case 't': pthread_exit(NULL);
    case 'k': raise(SIGKILL);
    }
    exit(5);
}
"#;
    let program = program("ends", source, Link::Object);
    for (how, status, signal) in [
        ("segv", None, Some(libc::SIGSEGV)),
        ("abort", None, Some(libc::SIGABRT)),
        ("_exit", Some(3), None),
        ("quick_exit", Some(4), None),
        ("thread", Some(0), None),
        ("kill", None, Some(libc::SIGKILL)),
        ("exit", Some(5), None),
    ] {
        let checked = check(&[], &[program.to_str().expect("UTF-8"), how], "");
        assert_eq!(checked.kinds(), ["closed-use"], "{how}: {}", checked.log);
        let ended = &checked.json["ended"];
        assert_eq!(ended["signal"].as_i64(), signal.map(i64::from), "{how}");
        assert_eq!(ended["status"].as_i64(), status, "{how}");
        assert_eq!(checked.output.status.code().map(i64::from), status, "{how}");
        assert_eq!(checked.output.status.signal(), signal, "{how}");
    }
}

/// A report that cannot be written is told before the program runs.
#[test]
fn what_cannot_be_written() {
    for option in ["--log-file", "--json", "--timeline"] {
        let path = format!("{option}=/nowhere/report");
        let output = run_with(csapp_check().args([&path, "echo", "it ran"]), "");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(output.stdout, b"", "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            said,
            "csapp-check: /nowhere/report: No such file or directory\n"
        );
    }
}

/// A file that takes nothing is found out when the report is written, after the program's end.
#[test]
fn what_turns_out_not_to_be_writable() {
    for (option, name) in [
        ("--chaos=7", "--log-file"),
        ("--json=/dev/null", "--timeline"),
        ("--", "--json"),
    ] {
        let full = format!("{name}=/dev/full");
        let output = run_with(csapp_check().args([&full, option, "echo", "it ran"]), "");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(output.stdout, b"it ran\n", "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said, "csapp-check: /dev/full: No space left on device\n");
    }
}

/// Two reports in one file, or one in the program's output, are refused before the program runs.
#[test]
fn reports_need_files_of_their_own() {
    let dir = scratch("one-file");
    let (file, link) = (dir.join("report"), dir.join("link"));
    std::os::unix::fs::symlink(&file, &link).expect("a new name");
    let (file, link) = (file.display(), link.display());
    for (options, why) in [
        (
            [format!("--log-file={file}"), format!("--json={link}")],
            format!("--log-file and --json name one file: {link}"),
        ),
        (
            [format!("--json={file}"), format!("--timeline={file}")],
            format!("--json and --timeline name one file: {file}"),
        ),
        (
            ["--chaos".into(), "--json=-".into()],
            "--json=-: standard output is the program's; ./- is a file".into(),
        ),
        (
            ["--chaos".into(), "--log-file=-".into()],
            "--log-file=-: standard output is the program's; ./- is a file".into(),
        ),
    ] {
        let output = run_with(csapp_check().args(options).args(["echo", "it ran"]), "");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(output.stdout, b"", "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said, format!("csapp-check: {why}\n"));
    }
    // What is no file may take several.
    let options = ["--log-file=/dev/null", "--json=/dev/null", "true"];
    assert!(run_with(csapp_check().args(options), "").status.success());
}

/// Where a limit leaves no room for the shared memory, that is told in one line.
#[test]
fn limits() {
    for (limit, hint) in [
        ("-v 1000000", "(see ulimit -v)\n"),
        ("-f 1", "(see ulimit -f)\n"),
    ] {
        let script = format!("ulimit {limit}; exec \"$0\" echo it ran");
        let built = csapp_check().get_program().to_owned();
        let output = run_with(Command::new("sh").args(["-c", &script]).arg(built), "");
        assert_eq!(output.status.code(), Some(126), "{output:?}");
        assert_eq!(output.stdout, b"", "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.ends_with(hint), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// A program finds those of the descriptors 0, 1 and 2 closed that csapp-check does.
#[test]
fn closed_standard_descriptors() {
    let built = csapp_check().get_program().to_owned();
    for (closed, program) in [
        ("<&-", "cat"),
        (">&-", "/bin/echo x"),
        ("2>&-", "ls /nowhere"),
    ] {
        let run = |command: &str| {
            let script = format!("{command} {program} {closed}");
            run_with(Command::new("sh").args(["-c", &script]).arg(&built), "")
        };
        let (plain, watched) = (run(""), run("\"$0\""));
        assert_eq!(plain, watched, "{program} {closed}");
        assert!(!plain.status.success(), "{program} {closed}");
    }
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

/// A program that writes past the end of something in its memory fails there, and does not write into the records.
#[test]
fn records_lie_apart() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long from[3] = {0}, to[3] = {0};
    char access[3][8], line[512];
    while (fgets(line, sizeof line, maps)) {
        memmove(from, from + 1, sizeof from - sizeof *from);
        memmove(to, to + 1, sizeof to - sizeof *to);
        memmove(access, access + 1, sizeof access - sizeof *access);
        sscanf(line, "%lx-%lx %7s", &from[2], &to[2], access[2]);
        if (to[0] == from[1] && to[1] == from[2] && !strcmp(access[1], "rw-s"))
            return strcmp(access[0], "---p") || strcmp(access[2], "---p");
    }
    return 2;
}
"#;
    let program = program("apart", source, Link::Object);
    let checked = check(&[], &[program.to_str().expect("UTF-8")], "");
    assert_eq!(
        checked.output.status.code(),
        Some(0),
        "{:?}",
        checked.output
    );
}

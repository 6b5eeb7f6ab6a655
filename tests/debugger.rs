//! The library in gdb, as a C programmer sees it. gdb loads the library's script by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::common;
use crate::common::{is_installed, library, root, run, scratch, succeed};

/// The prefix that all tests here install with.
fn prefix() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        library();
        let prefix = scratch("debugger");
        succeed(
            Command::new("make")
                .args(["install", "PYTHON="])
                .arg(format!("PREFIX={}", prefix.display()))
                .current_dir(root()),
        );
        prefix
    })
}

/// Compiles c_tests/programs/`name`.c with what is installed, of which `library` is a file.
fn compile(name: &str, library: &str) -> PathBuf {
    let program = scratch(&format!("debugged-{name}")).join(name);
    let lib = prefix().join("lib").display().to_string();
    succeed(
        common::cc()
            .arg("-g")
            .arg(format!("-I{}", prefix().join("include").display()))
            .arg(root().join(format!("c_tests/programs/{name}.c")))
            .arg("-o")
            .arg(&program)
            .args([format!("-L{lib}"), format!("-l:{library}")])
            .arg(format!("-Wl,-rpath,{lib}")),
    );
    program
}

/// The script as it lies in the prefix.
fn script() -> PathBuf {
    let found = succeed(
        Command::new("find")
            .arg(prefix())
            .args(["-name", "*-gdb.py"]),
    );
    PathBuf::from(found.trim())
}

/// What gdb says to these commands. It looks for scripts in the prefix, as an installed one does in its own.
fn gdb<S: AsRef<str>>(program: &Path, commands: &[S]) -> String {
    let scripts = prefix().join("share/gdb/auto-load");
    let mut command = Command::new("timeout");
    command
        .args(["120", "gdb", "-nx", "-batch"])
        .args(["-iex", "set debuginfod enabled off"])
        .args(["-iex", "set breakpoint pending on", "-iex", "set width 0"])
        .arg("-iex")
        .arg(format!(
            "set auto-load scripts-directory {}",
            scripts.display()
        ))
        .arg("-iex")
        .arg(format!("add-auto-load-safe-path {}", scripts.display()))
        .current_dir(program.parent().expect("its directory"));
    for given in commands {
        command.args(["-ex", given.as_ref()]);
    }
    let output = run(command.arg(program));
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What gdb has to print for each reader of readers.c: its value begins and ends like this.
const SHOWN: [(&str, &str, &str); 11] = [
    (
        "never",
        "rio_t, not initialised or damaged: rio_fd 0, rio_cnt 0, rio_bufptr 0x0",
        "",
    ),
    (
        "garbage",
        "rio_t, not initialised or damaged: rio_fd -1515870811, rio_cnt -1515870811, rio_bufptr 0xa5a5",
        "",
    ),
    (
        "damaged",
        "rio_t, not initialised or damaged: ",
        "rio_cnt 9000, ",
    ),
    ("fresh", "rio_t on descriptor 0, nothing unread", ""),
    ("one", "rio_t on descriptor ", ", 1 byte unread: \"x\""),
    (
        "line",
        "rio_t on descriptor ",
        r#", 19 bytes unread: "Host: example.org\r\n""#,
    ),
    (
        "*pointer",
        "rio_t on descriptor ",
        r#", 19 bytes unread: "Host: example.org\r\n""#,
    ),
    (
        "copy",
        "rio_t on descriptor ",
        r#", 19 bytes unread: "Host: example.org\r\n""#,
    ),
    (
        "returned()",
        "rio_t on descriptor ",
        r#", 19 bytes unread: "Host: example.org\r\n""#,
    ),
    (
        "strange",
        "rio_t on descriptor ",
        r#", 7 bytes unread: "\"\\\t\000\a\033\377""#,
    ),
    (
        "suspended",
        "rio_t on descriptor ",
        ", waits for rio_readnb to be called again",
    ),
];

/// Checks what gdb prints for the readers, in whatever way it got to know the script.
fn check_readers(program: &Path, before: &[String]) {
    let mut commands = before.to_vec();
    commands.extend(["break look", "run", "up"].map(str::to_owned));
    for (reader, ..) in SHOWN {
        commands.push(format!("echo {reader}:"));
        commands.push(format!("print {reader}"));
    }
    commands.push("print longest".to_owned());
    commands.push("set print elements 3".to_owned());
    commands.push("print line".to_owned());
    commands.push("print/r fresh.rio_cnt".to_owned());
    let said = gdb(program, &commands);
    for (reader, begins, holds) in SHOWN {
        let label = format!("{reader}:$");
        let line = said.lines().find(|line| line.starts_with(&label));
        let value = line.and_then(|line| line.split_once(" = "));
        assert!(
            value.is_some_and(|(_, value)| value.starts_with(begins) && value.contains(holds)),
            "{reader} is not {begins}...{holds}:\n{said}"
        );
    }
    let longest = format!(", 1000 bytes unread: \"{}\"...", "x".repeat(200));
    for part in [&longest, ", 19 bytes unread: \"Hos\"..."] {
        assert!(said.contains(part), "no {part} in:\n{said}");
    }
}

#[test]
fn readers_are_shown_as_what_they_are() {
    if is_installed("gdb", "gdb") {
        check_readers(&compile("readers", "libcsapp.so"), &[]);
    }
}

/// As the guide has it for csapp.o and libcsapp.a.
#[test]
fn readers_are_shown_in_a_static_program_once_the_script_is_sourced() {
    if is_installed("gdb", "gdb") {
        let source = format!("source {}", script().display());
        check_readers(&compile("readers", "libcsapp.a"), &[source]);
    }
}

/// In the library's own source, not in what the compiler has inlined there of Rust's.
#[test]
fn a_breakpoint_on_any_function_is_in_the_library_s_source() {
    if !is_installed("gdb", "gdb") {
        return;
    }
    if !cfg!(target_arch = "x86_64") {
        common::skipped("only on x86-64 does gdb stop at a function's first line");
        return;
    }
    let names = fs::read_to_string(library().join("api.txt")).expect("the list of exports");
    let mut commands = vec!["break main".to_owned(), "run".to_owned()];
    commands.extend(names.lines().map(|name| format!("break {name}")));
    commands.push("info breakpoints".to_owned());
    let said = gdb(&compile("readers", "libcsapp.so"), &commands);
    let places: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(" keep y "))
        .collect();
    assert_eq!(places.len(), names.lines().count() + 1, "{said}");
    for place in places {
        // These are one jump each, to a function in C; there are no lines for that.
        let is_jump = ["_printf>", "_dprintf>", "_eprintf>", "_vdprintf>"]
            .iter()
            .any(|end| place.ends_with(end));
        assert!(
            place.contains(" in csapp::") && place.contains(" at src/")
                || place.contains(" in main at ")
                || is_jump,
            "{place}"
        );
    }
}

/// Through calls that read and write, a step at a time.
#[test]
fn steps_stay_in_the_library_s_source() {
    if !is_installed("gdb", "gdb") {
        return;
    }
    let mut commands = vec!["break Rio_readlineb", "run"];
    // The program may end before the last step.
    commands.extend(["step"; 100]);
    commands.push("backtrace");
    commands.extend(["step"; 300]);
    let said = gdb(&compile("steps", "libcsapp.so"), &commands);
    for part in [
        "Breakpoint 1, csapp::capi::rio::Rio_readlineb (rp=0x",
        "traced!(checked_readlineb(rp, usrbuf, maxlen))",
        "csapp::rio::",
        "in main () at",
    ] {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
    for part in [
        "\ncore::",
        "\nerrno::",
        " in core::",
        " in errno::",
        "/rustc/",
        "/src/rio.rs: No such",
    ] {
        assert!(!said.contains(part), "{part:?} in:\n{said}");
    }
}

/// Where the tree that the library was built in is gone.
#[test]
fn lines_come_from_the_installed_source() {
    if !is_installed("gdb", "gdb") {
        return;
    }
    let gone = format!("set substitute-path {} /no/such/tree", root().display());
    let said = gdb(
        &compile("readers", "libcsapp.so"),
        &[
            gone.as_str(),
            "break main",
            "run",
            "list Rio_readlineb",
            "info source",
        ],
    );
    let located = format!(
        "Located in {}/share/csapp/src/capi/rio.rs",
        prefix().display()
    );
    assert!(
        said.contains("fn Rio_readlineb(") && said.contains(&located),
        "{said}"
    );
}

/// CSAPP_ON_ERROR=abort, as docs/servers.md has it: the debugger stops where the program is, in the call that failed.
#[test]
fn an_abort_leaves_the_failed_call_on_the_stack() {
    if !is_installed("gdb", "gdb") {
        return;
    }
    for library in ["libcsapp.so", "libcsapp.a"] {
        let commands = ["set environment CSAPP_ON_ERROR abort", "run", "backtrace"];
        let said = gdb(&compile("fails", library), &commands);
        for part in [
            "Open error: /no/such/file: No such file or directory\n",
            "received signal SIGABRT",
            "Open (",
            " in read_settings (name=",
            "fails.c:",
            " in main () at",
        ] {
            assert!(said.contains(part), "{library}: no {part:?} in:\n{said}");
        }
    }
}

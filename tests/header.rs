//! The header: what is checked in is what the sources generate, and every compiler takes it.

mod common;

use std::fs;
use std::process::Command;

#[test]
fn the_checked_in_header_is_the_generated_one() {
    let header = common::scratch("header").join("csapp.h");
    common::succeed(
        Command::new("make")
            .arg("header")
            .arg(format!("HEADER={}", header.display()))
            .current_dir(common::root()),
    );
    let generated = fs::read_to_string(header).unwrap();
    let checked_in = fs::read_to_string(common::root().join("include/csapp.h")).unwrap();
    assert!(
        generated == checked_in,
        "include/csapp.h is not what src/capi/ and include/csapp.h.in say: run `make header`"
    );
}

const C: [&str; 8] = ["c90", "gnu90", "c99", "c11", "c17", "c2x", "gnu11", "gnu17"];
const CXX: [&str; 6] = ["c++11", "c++14", "c++17", "c++20", "c++2b", "gnu++17"];

/// Includes the header twice and names something of it.
const ONLY_THE_HEADER: &str = "#include \"csapp.h\"\n#include \"csapp.h\"\nextern rio_t rio;\n";

/// Uses the four functions that two editions disagree about.
const BOTH_EDITIONS: &str = r#"#include "csapp.h"
int main(int argc, char **argv)
{
    unsigned short port = 80;
    const char *const service = "http";
    char text[8] = "8080";
    if (argc > 9)
        return Open_listenfd(80) + Open_listenfd("80") + Open_listenfd(argv[1]) + Open_listenfd(port)
            + Open_clientfd("localhost", 80) + Open_clientfd("localhost", "80")
            + open_listenfd(text) + open_listenfd(service) + open_listenfd(atoi("80"))
            + open_clientfd(argv[1], argv[2]) + open_clientfd(argv[1], port + 1);
    return 0;
}
"#;

/// The compilers that are there, with the language and the standards that each is asked for.
fn compilers() -> Vec<(&'static str, &'static str, &'static [&'static str])> {
    let all: [(_, _, &[_]); 4] = [
        ("gcc", "c", &C),
        ("clang", "c", &C),
        ("g++", "c++", &CXX),
        ("clang++", "c++", &CXX),
    ];
    let is_there = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let found: Vec<_> = all
        .into_iter()
        .filter(|(name, ..)| is_there(name))
        .collect();
    assert!(
        found.iter().any(|(.., standards)| standards[0] == "c90"),
        "no gcc and no clang"
    );
    found
}

/// Compiles `text`, with every warning an error.
fn compile(compiler: &str, language: &str, standard: &str, flags: &[&str], text: &str) -> String {
    let mut command = Command::new(compiler);
    command
        .args([
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-Wwrite-strings",
            "-fsyntax-only",
        ])
        .arg(format!("-std={standard}"))
        .args(flags)
        .arg("-I")
        .arg(common::root().join("include"))
        .args(["-x", language, "-"]);
    let output = common::run_with(&mut command, text);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    said
}

#[test]
fn every_standard_takes_it_without_a_warning() {
    for (compiler, language, standards) in compilers() {
        for standard in standards {
            for flags in [
                &["-Wredundant-decls"][..],
                &["-Wredundant-decls", "-D_GNU_SOURCE"],
                &["-DCSAPP_EXTRAS"],
            ] {
                let said = compile(compiler, language, standard, flags, ONLY_THE_HEADER);
                assert!(
                    said.is_empty(),
                    "{compiler} -std={standard} {flags:?}:\n{said}"
                );
            }
        }
    }
}

#[test]
fn ports_of_both_editions_compile_without_a_flag() {
    for (compiler, language, standards) in compilers() {
        for standard in standards.iter().filter(|&&standard| standard != "c90") {
            let said = compile(compiler, language, standard, &[], BOTH_EDITIONS);
            assert!(said.is_empty(), "{compiler} -std={standard}:\n{said}");
        }
    }
}

#[test]
fn csapp_edition_forces_one_kind_of_port() {
    let with_int = "#include \"csapp.h\"\nint open_listenfd(int port);\n\
                    int (*server)(int) = open_listenfd;\n\
                    int (*client)(const char *, int) = Open_clientfd;\n";
    let with_string = "#include \"csapp.h\"\nint open_listenfd(const char *port);\n\
                       int (*server)(const char *) = open_listenfd;\n";
    assert_eq!(
        compile("gcc", "c", "c11", &["-DCSAPP_EDITION=2"], with_int),
        ""
    );
    assert_eq!(
        compile("gcc", "c", "c11", &["-DCSAPP_EDITION=3"], with_string),
        ""
    );
    let said = compile("gcc", "c", "c11", &["-DCSAPP_EDITION=1"], ONLY_THE_HEADER);
    assert!(said.contains("2 (int) or 3 (string)"), "{said}");
}

#[test]
fn a_wrong_port_is_still_an_error() {
    let text = "#include \"csapp.h\"\nint f(double *p) { return open_listenfd(p); }\n";
    let said = compile("gcc", "c", "c11", &[], text);
    assert!(said.contains("incompatible pointer type"), "{said}");
}

#[test]
fn too_little_from_the_system_is_said_in_one_error() {
    let text = "#include <stdio.h>\n#include \"csapp.h\"\n";
    let said = compile("gcc", "c", "c99", &[], text);
    assert!(said.contains("csapp.h needs POSIX.1-2008"), "{said}");
    assert_eq!(said.matches("error:").count(), 1, "{said}");
    assert_eq!(
        compile("gcc", "c", "c99", &["-D_POSIX_C_SOURCE=200809L"], text),
        ""
    );
    assert_eq!(compile("gcc", "c", "gnu99", &[], text), "");
}

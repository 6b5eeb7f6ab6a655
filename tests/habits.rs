//! Old habits: small programs such as people have written with csapp.h for twenty years, compiled
//! without any flag for it, against both libraries. Each has to do its job.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::Link;

/// Compiles c_tests/programs/`name`.c. What the compiler would have to say is a failure.
fn compile(compiler: &str, name: &str, flags: &[&str], link: Link) -> PathBuf {
    static BUILDS: AtomicUsize = AtomicUsize::new(0);
    let build = BUILDS.fetch_add(1, Ordering::Relaxed);
    let program = common::scratch(&format!("habit-{name}-{build}")).join(name);
    let language = if compiler == "g++" { "c++" } else { "c" };
    let output = common::run(
        Command::new(compiler)
            .args(flags)
            .arg(format!("-I{}", common::library().display()))
            .args(["-x", language])
            .arg(common::root().join(format!("c_tests/programs/{name}.c")))
            .args(["-x", "none", "-o"])
            .arg(&program)
            .args(link.arguments())
            .arg("-lpthread"),
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty(),
        "{compiler} {flags:?} {link:?} {name}.c:\n{said}"
    );
    program
}

/// Has `check` look at the program in each way to build it.
fn with_each(compilers: &[&str], name: &str, flags: &[&str], check: impl Fn(&Path)) {
    for compiler in compilers {
        for link in [Link::Shared, Link::Static] {
            check(&compile(compiler, name, flags, link));
        }
    }
}

const C: &[&str] = &["gcc"];
const C_AND_CXX: &[&str] = &["gcc", "g++"];

/// What a program prints that has to succeed.
fn output(program: &Path) -> String {
    common::succeed(&mut Command::new(program))
}

#[test]
fn functions_of_the_program_s_own() {
    with_each(C_AND_CXX, "own_names", &[], |program| {
        assert_eq!(output(program), "mine: unix\nmine: application\n");
    });
}

#[test]
fn the_linker_wraps_what_the_library_calls() {
    let wrap = ["-Wl,--wrap,fork,--wrap,waitpid"];
    let program = compile("gcc", "wrap", &wrap, Link::Static);
    assert_eq!(output(&program), "1 fork, 1 waitpid\n");
}

#[test]
fn additions_of_the_program_s_own() {
    with_each(C_AND_CXX, "own_extras", &[], |program| {
        output(program);
    });
}

#[test]
fn the_common_additions() {
    with_each(C_AND_CXX, "extras", &["-DCSAPP_EXTRAS"], |program| {
        output(program);
    });
}

#[test]
fn maxline_of_a_small_array() {
    with_each(C_AND_CXX, "small_array", &[], |program| {
        output(program);
    });
    let sanitizer = [
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    for flags in [&sanitizer[..], &["-O2", "-D_FORTIFY_SOURCE=2", "-Wall"]] {
        with_each(C_AND_CXX, "small_array", flags, |program| {
            output(program);
        });
    }
}

#[test]
fn strict_c99_with_every_warning_an_error() {
    let strict = ["-std=c99", "-Wall", "-Wextra", "-Werror"];
    with_each(C, "strict", &strict, |program| {
        assert_eq!(output(program), "alarm\n144\n");
    });
}

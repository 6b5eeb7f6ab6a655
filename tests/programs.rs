//! Programs as people write them, of every edition and in C++: they compile without special flags, link with both
//! libraries, and work over the loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use crate::common;
use crate::common::{Link, library, root, run, run_with, scratch, succeed};

fn source(name: &str) -> PathBuf {
    root().join("c_tests/programs").join(name)
}

/// Compiles c_tests/programs/`name` as it would be in a project: the header is in its directory,
/// and there is no flag but those given and the library. Runs it.
fn outcome(compiler: &str, name: &str, flags: &[&str], link: Link) -> Output {
    let stem = name.replace('.', "-");
    let dir = scratch(&format!("{stem}-{}-{link:?}", flags.concat()));
    fs::copy(source(name), dir.join(name)).expect("the program's source");
    fs::copy(library().join("csapp.h"), dir.join("csapp.h")).expect("the header");
    succeed(
        Command::new(compiler)
            .args(flags)
            .arg(name)
            .args(["-o", "prog"])
            .args(link.arguments())
            .current_dir(&dir),
    );
    run(&mut common::program(dir.join("prog")))
}

/// Checks what the program says, and its status, with the shared and with the static library.
#[track_caller]
fn expect(compiler: &str, name: &str, flags: &[&str], (status, out, err): (i32, &str, &str)) {
    for link in [Link::Shared, Link::Static] {
        let output = outcome(compiler, name, flags, link);
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(
            (
                output.status.code(),
                said(&output.stdout),
                said(&output.stderr)
            ),
            (Some(status), out.to_owned(), err.to_owned()),
            "{name} {flags:?} {link:?}"
        );
    }
}

fn cc() -> String {
    common::cc().get_program().to_string_lossy().into_owned()
}

fn cxx() -> String {
    std::env::var("CXX").unwrap_or_else(|_| "c++".into())
}

#[test]
fn a_program_of_the_second_edition() {
    let out = "server: connected to 127.0.0.1, family AF_INET, length 16\n\
               client: line one\nclient: line two\nclient: the end\n\
               server: status 7\n";
    expect(&cc(), "second_edition.c", &[], (0, out, ""));
    expect(
        &cc(),
        "second_edition.c",
        &["-DCSAPP_EDITION=2"],
        (0, out, ""),
    );
}

fn third_edition(flags: &[&str]) {
    let why = match cc().contains("musl") {
        true => "Unrecognized service",
        false => "Servname not supported for ai_socktype",
    };
    let said = "server: connected to 127.0.0.1\nclient: hello 0\n\
                server: connected to 127.0.0.1\nclient: hello 1\n\
                server: connected to 127.0.0.1\nclient: hello 2\nserved 3\n";
    let complained =
        format!("getaddrinfo failed (127.0.0.1:no-such-service): {why}\nthe end: {why}\n");
    expect(&cc(), "third_edition.c", flags, (1, said, &complained));
}

#[test]
fn a_program_of_the_third_edition() {
    third_edition(&[]);
}

#[test]
fn a_program_with_gnu_source() {
    third_edition(&["-D_GNU_SOURCE"]);
}

#[test]
fn a_program_in_cxx() {
    let said = (
        0,
        "by number\nby string\nOpen error: /nowhere/file: No such file or directory\n-1 1\n\
         no name: Name or service not known\n",
        "",
    );
    expect(&cxx(), "modern.cc", &[], said);
    expect(&cxx(), "modern.cc", &["-std=c++17"], said);
}

#[test]
fn a_port_may_be_of_any_type() {
    expect(
        &cc(),
        "ports.c",
        &["-Wall", "-Werror"],
        (0, "each listens\n", ""),
    );
}

/// Its own function is used by its own code; the library's wrappers call the library's.
#[test]
fn a_program_with_own_functions_of_the_same_names() {
    let said = (
        0,
        "my own: called\nerrors 1, writes 1, signals 1\nthrough the pipe\n-1\n\
         errors 1, writes 1, reads 0, signals 1\n",
        "Open error: /nowhere/file: No such file or directory\nDup2 error: Bad file descriptor\n",
    );
    expect(&cc(), "own_functions.c", &[], said);
}

/// Both bring what std and the compiler need in every library, and the linker keeps one of each.
#[test]
fn a_program_with_another_library_in_rust() {
    let dir = scratch("another-library");
    let sum = "#[unsafe(no_mangle)] pub extern \"C\" fn sum(n: i32) -> i32 {\n\
               let all: Vec<i32> = (1..=n).collect();\n\
               std::panic::catch_unwind(|| all.iter().sum()).unwrap_or(-1)\n}\n";
    fs::write(dir.join("sum.rs"), sum).expect("the other library's source");
    let program = "#include \"csapp.h\"\nint sum(int n);\n\
                   int main(void) { sio_printf(\"%d\\n\", sum(10)); Close(-1); }\n";
    fs::write(dir.join("prog.c"), program).expect("the program's source");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    succeed(
        Command::new(rustc)
            .args([
                "--edition",
                "2024",
                "-O",
                "--crate-type",
                "staticlib",
                "sum.rs",
            ])
            .current_dir(&dir),
    );
    let ours = library().join("csapp.o");
    for libraries in [
        [Path::new("libsum.a"), &ours],
        [&ours, Path::new("libsum.a")],
    ] {
        succeed(
            Command::new(cc())
                .arg(format!("-I{}", library().display()))
                .arg("prog.c")
                .args(libraries)
                .args(["-o", "prog", "-pthread", "-ldl", "-lm"])
                .current_dir(&dir),
        );
        let output = run(&mut Command::new(dir.join("prog")));
        assert_eq!(output.status.code(), Some(1), "{libraries:?} {output:?}");
        assert_eq!(output.stdout, b"55\n", "{libraries:?}");
    }
}

/// A project of the commonest kind, whose Makefile says `prog: prog.o csapp.o`, into whose directory
/// csapp.h and csapp.o have been copied.
fn make_project(name: &str, makefile: &str, stale_source: Option<SystemTime>) -> (String, Output) {
    let dir = scratch(name);
    fs::write(dir.join("Makefile"), makefile).expect("the Makefile");
    fs::copy(source("filter.c"), dir.join("prog.c")).expect("the program's source");
    if let Some(time) = stale_source {
        let text = "#error \"csapp.c was compiled\"\n";
        fs::write(dir.join("csapp.c"), text).expect("the old source");
        set_time(&dir.join("csapp.c"), time);
    }
    for file in ["csapp.h", "csapp.o"] {
        fs::copy(library().join(file), dir.join(file)).expect("it is built");
    }
    let made = Command::new("make")
        .env_remove("MAKEFLAGS")
        .current_dir(&dir)
        .output()
        .expect("make runs");
    assert!(made.status.success(), "{name}: {made:?}");
    let ran = run_with(&mut Command::new(dir.join("prog")), "one\ntwo\nthree");
    (String::from_utf8_lossy(&made.stdout).into_owned(), ran)
}

fn set_time(path: &Path, time: SystemTime) {
    let file = fs::File::options().write(true).open(path);
    file.and_then(|file| file.set_modified(time))
        .expect("the file is ours");
}

#[test]
fn a_makefile_with_csapp_o_goes_on_working() {
    let makefiles = [
        "all: prog\nprog: prog.o csapp.o\n",
        "CC = gcc\nCFLAGS = -O2 -Wall -Werror -I .\nLIB = -lpthread\nall: prog\n\
         prog: prog.c csapp.o\n\t$(CC) $(CFLAGS) -o prog prog.c csapp.o $(LIB)\n",
    ];
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    for (number, makefile) in makefiles.iter().enumerate() {
        for stale_source in [None, Some(SystemTime::now() - year)] {
            let name = format!("project-{number}-{}", stale_source.is_some());
            let (said, ran) = make_project(&name, makefile, stale_source);
            assert!(!said.contains("csapp.c"), "{said}");
            assert!(ran.status.success(), "{name}: {ran:?}");
            assert_eq!(ran.stdout, b"1 one\n2 two\n3 three", "{name}");
        }
    }
}

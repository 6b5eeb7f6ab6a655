//! Old habits: small programs such as people have written with csapp.h for twenty years, compiled
//! without any flag for it, against both libraries. Each has to do its job.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::Link;
use common::server::Server;

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

/// Starts a server of c_tests/programs/, on a port that the system chooses.
fn serve(program: &Path) -> Server {
    let dir = program.parent().expect("its directory");
    Server::start(Command::new(program).arg("0"), dir)
}

/// Sends lines one by one, and takes each back.
fn echo(stream: &TcpStream, lines: &[&str]) {
    let mut answers = BufReader::new(stream);
    for line in lines {
        let mut writer = stream;
        writer.write_all(line.as_bytes()).expect("to send");
        let mut answer = String::new();
        answers.read_line(&mut answer).expect("an answer");
        assert_eq!(answer, *line);
    }
}

#[test]
fn the_guard_of_the_book_and_an_int_for_accept() {
    with_each(C, "guard", &[], |program| {
        let mut server = serve(program);
        assert_eq!(server.ask(""), "welcome\n");
        assert!(server.end().success());
    });
}

#[test]
fn an_iterative_echo_server_of_the_second_edition() {
    with_each(C_AND_CXX, "echo_2e", &[], |program| {
        let mut server = serve(program);
        for _ in 0..2 {
            let client = server.connect();
            echo(&client, &["hello\n", "\n", "a second line\n"]);
            let port = client.local_addr().expect("its address").port();
            drop(client);
            let line = server.printed();
            let place = format!(" (127.0.0.1) port {port}\n");
            assert!(
                line.starts_with("connected to ") && line.ends_with(&place),
                "{line}"
            );
            for bytes in [6, 1, 14] {
                assert_eq!(server.printed(), format!("received {bytes} bytes\n"));
            }
        }
    });
}

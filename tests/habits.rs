//! Old habits: small programs as people have written them with csapp.h for twenty years. Each compiles without
//! special flags, with both libraries, and works.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::common;
use crate::common::server::Server;
use crate::common::{C, Link};

/// Compiles c_tests/programs/`name`.c, in silence.
fn compile(compiler: &str, name: &str, flags: &[&str], link: Link) -> PathBuf {
    C::new(format!("c_tests/programs/{name}.c"))
        .compiler(compiler)
        .flags(flags)
        .link(link)
        .link_flags(["-lpthread"])
        .build(&common::scratch(&format!("habit-{name}")))
}

/// Has `check` look at the program in each way to build it.
fn with_each(compilers: &[&str], name: &str, flags: &[&str], check: impl Fn(&Path)) {
    for compiler in compilers {
        for link in [Link::Shared, Link::Static] {
            check(&compile(compiler, name, flags, link));
        }
    }
}

const C_ALONE: &[&str] = &["gcc"];
const C_AND_CXX: &[&str] = &["gcc", "g++"];

/// What a program prints that has to succeed.
fn output(program: &Path) -> String {
    common::succeed(&mut Command::new(program))
}

#[test]
fn functions_of_the_program_s_own() {
    with_each(C_AND_CXX, "shell_lab", &[], |program| {
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
    with_each(C_AND_CXX, "with_extras", &["-DCSAPP_EXTRAS"], |program| {
        output(program);
    });
}

#[test]
fn maxline_of_a_small_array() {
    let unseen = "-Wno-stringop-overflow"; // gcc warns of it, and it works all the same
    with_each(C_AND_CXX, "small_array", &[unseen], |program| {
        output(program);
    });
    let sanitizer = [
        unseen,
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    for flags in [
        &sanitizer[..],
        &[unseen, "-O2", "-D_FORTIFY_SOURCE=2", "-Wall"],
    ] {
        with_each(C_AND_CXX, "small_array", flags, |program| {
            output(program);
        });
    }
}

#[test]
fn strict_c99_with_every_warning_an_error() {
    let strict = ["-std=c99", "-Wall", "-Wextra", "-Werror"];
    with_each(C_ALONE, "strict", &strict, |program| {
        assert_eq!(output(program), "alarm\n144\n");
    });
}

/// Starts a server of c_tests/programs/, on a port that the system chooses.
fn serve(program: &Path) -> Server {
    let dir = program.parent().expect("its directory");
    Server::start(Command::new(program).arg("0"), dir)
}

/// [`serve`], with the word of the environment on what a failing wrapper does.
fn serve_with(program: &Path, ending: &str) -> Server {
    let dir = program.parent().expect("its directory");
    let mut command = Command::new(program);
    Server::start(command.arg("0").env("CSAPP_ON_ERROR", ending), dir)
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
    with_each(C_ALONE, "guard", &[], |program| {
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
            assert_eq!(server.printed(), "3 lines\n");
        }
    });
}

#[test]
fn a_concurrent_echo_server_with_a_bounded_buffer_and_its_client() {
    let clients = RefCell::new(Vec::new());
    with_each(C_AND_CXX, "echo_client", &[], |client| {
        clients.borrow_mut().push(client.to_owned());
    });
    let clients = clients.into_inner();
    with_each(C_AND_CXX, "echo_threads", &[], |program| {
        let mut server = serve(program);
        let port = server.port.to_string();
        let text = "one line\n\nanother, and its end\n".repeat(20);
        // More clients than workers and places in the buffer, some of which just wait.
        let waiting: Vec<_> = (0..3).map(|_| server.connect()).collect();
        std::thread::scope(|scope| {
            for client in clients.iter().cycle().take(12) {
                let (text, port) = (&text, &port);
                scope.spawn(move || {
                    let mut command = Command::new(client);
                    let output = common::run_with(command.args(["localhost", port]), text);
                    assert!(output.status.success(), "{output:?}");
                    assert_eq!(String::from_utf8_lossy(&output.stdout), *text);
                });
            }
        });
        for stream in &waiting {
            echo(stream, &["at last\n"]);
        }
        let expected = 12 * text.len() + 3 * "at last\n".len();
        let lines = 12 * text.lines().count() + 3;
        let last = (0..lines).map(|_| server.printed()).last();
        assert_eq!(last, Some(format!("{expected}\n")));
        assert_eq!(server.said(), "");
    });
}

/// Breaks a connection off by a reset, as closing with an answer unread does: while the server waits
/// for the next line, or where it is stuck with what nobody takes.
fn break_off(server: &Server, stuck: bool) {
    let mut stream = server.connect();
    stream.write_all(b"hello\n").expect("to send");
    stream.peek(&mut [0]).expect("an answer");
    if stuck {
        stream.set_nonblocking(true).expect("to be set");
        let line = "and again\n".repeat(4096);
        // Until neither side has room, and the same a little later.
        for _ in 0..2 {
            while stream.write(line.as_bytes()).is_ok() {}
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn a_server_that_is_not_rebuilt_outlives_clients_that_break_off() {
    let servers = [
        ("echo_2e", "return"),
        ("echo_each", "return"),
        ("echo_each", "thread_exit"),
    ];
    for (name, ending) in servers {
        with_each(C_AND_CXX, name, &[], |program| {
            let server = serve_with(program, ending);
            for stuck in [false, true, false] {
                break_off(&server, stuck);
                echo(&server.connect(), &["the next\n", "client\n"]);
            }
            let said = server.said();
            let reset = "Rio_readlineb error: Connection reset by peer\n";
            assert!(said.contains(reset), "{name}, {ending}: {said}");
        });
    }
}

#[test]
fn a_server_that_is_not_rebuilt_ends_as_the_book_has_it() {
    with_each(C_AND_CXX, "echo_each", &[], |program| {
        let mut server = serve_with(program, "exit");
        break_off(&server, false);
        assert_eq!(server.end().code(), Some(1));
        let reset = "Rio_readlineb error: Connection reset by peer\n";
        assert_eq!(server.said(), reset);
    });
}

#[test]
fn a_shell_with_job_control() {
    let dir = common::scratch("habit-scripts");
    let script = |name: &str, text: &str| {
        let path = dir.join(name);
        fs::write(&path, text).expect("to write");
        path.display().to_string()
    };
    // What a terminal would send to the shell comes from its job. Neither job has children, which
    // a signal to the group could meet in mid-fork; the count ends them should no signal come.
    let interrupted = script(
        "interrupted",
        "kill -INT $PPID\n\
         while test $((i += 1)) -lt 20000000; do :; done\n",
    );
    let suspended = script(
        "suspended",
        "trap resumed=1 CONT\n\
         kill -TSTP $PPID\n\
         while test $((i += 1)) -lt 20000000 -a -z \"$resumed\"; do :; done\n\
         echo ${resumed:+resumed}\n",
    );
    let dialogue = [
        ("/bin/echo hello", "hello\n"),
        ("/bin/false", "[1] failed with 1\n"),
        (&format!("/bin/sh {interrupted}"), "[1] killed by 2\n"),
        (&format!("/bin/sh {suspended}"), "[1] stopped by 20\n"),
        ("jobs", "[1] stopped\n"),
        ("fg 1", "resumed\n"),
        ("/bin/sleep 30 &", "[1] /bin/sleep\n"),
        ("/bin/sleep 30 &", "[2] /bin/sleep\n"),
        ("stop 1", "[1] stopped by 20\n"),
        ("jobs", "[1] stopped\n[2] background\n"),
        ("bg 1", ""),
        ("jobs", "[1] background\n[2] background\n"),
        ("kill 2", "[2] killed by 9\n"),
        ("kill 1", "[1] killed by 9\n"),
        ("/bin/true &", "[1] /bin/true\n"),
        ("wait", "[1] done\n"),
        ("/no/such/program", "[1] failed with 1\n"),
        ("jobs", ""),
        ("quit", ""),
    ];
    let typed: String = dialogue.iter().flat_map(|(line, _)| [line, "\n"]).collect();
    let expected: String = dialogue.iter().map(|(_, answer)| *answer).collect();
    with_each(C_AND_CXX, "jobshell", &[], |program| {
        let output = common::run_with(&mut Command::new(program), &typed);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            said,
            "Execve error: /no/such/program: No such file or directory\n"
        );
    });
}

#[test]
fn a_thread_ends_alone_where_no_descriptor_is_free() {
    with_each(C_AND_CXX, "few_descriptors", &[], |program| {
        for way in ["handler", "own", "again", "listen", "thread"] {
            let mut command = Command::new(program);
            command.arg(way);
            if ["listen", "thread"].contains(&way) {
                command.env("CSAPP_ON_ERROR", "thread_exit");
            }
            let output = common::run(&mut command);
            let (said, why) = (&output.stdout[..], &output.stderr[..]);
            assert_eq!(said, b"the program goes on\n", "{way}: {output:?}");
            assert_eq!(
                why, b"Open error: /dev/null: Too many open files\n",
                "{way}"
            );
        }
    });
}

const HANDLED: &str =
    "handler: Open error: /no/such/file: No such file or directory\nthe program goes on\n";

#[test]
fn handlers_where_no_thread_can_be_made() {
    with_each(C_ALONE, "confined", &[], |program| {
        for choice in ["exit", "return", "thread_exit", "abort"] {
            let output = common::run(
                Command::new(program)
                    .arg("alone")
                    .env("CSAPP_ON_ERROR", choice),
            );
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                HANDLED,
                "{choice}: {output:?}"
            );
        }
    });
}

/// Copies a program, and what the dynamic linker loads with it, into a root of their own.
fn jail(program: &Path) -> PathBuf {
    let root = program.parent().expect("its directory").join("jail");
    let libraries = common::succeed(Command::new("ldd").arg(program));
    assert!(!libraries.contains("libgcc_s"), "{libraries}");
    let paths = libraries
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for path in paths.map(Path::new).chain([program]) {
        let inside = root.join(path.strip_prefix("/").expect("an absolute path"));
        fs::create_dir_all(inside.parent().expect("its directory")).expect("a directory");
        fs::copy(path, inside).expect("a copy");
    }
    root
}

#[test]
fn handlers_in_a_jail_with_libc_alone() {
    let confine = ["--user", "--map-root-user"];
    if !common::run(
        Command::new("unshare")
            .args(confine)
            .args(["chroot", "/", "true"]),
    )
    .status
    .success()
    {
        return common::skipped("unshare cannot make a namespace for chroot here");
    }
    with_each(C_ALONE, "confined", &[], |program| {
        let root = jail(program);
        let run = |arguments: &[&str], choice: &str| {
            common::run(
                Command::new("unshare")
                    .args(confine)
                    .arg("chroot")
                    .args([&root, program])
                    .args(arguments)
                    .env("CSAPP_ON_ERROR", choice),
            )
        };
        for choice in ["exit", "return", "thread_exit", "abort"] {
            let output = run(&[], choice);
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                HANDLED,
                "{choice}: {output:?}"
            );
        }
        // A thread cannot end there: the program does, in order.
        let output = run(&["thread"], "exit");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(output.stderr, b"the thread fails\n");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(HANDLED.starts_with(&*said) && !said.is_empty(), "{said}");
    });
}

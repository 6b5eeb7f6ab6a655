//! The header: the file that is checked in is what the sources generate, and every compiler accepts it.

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

/// As C++ programs wrap C headers by habit.
#[test]
fn it_stands_inside_extern_c() {
    let text = "extern \"C\" {\n#include \"csapp.h\"\n}\n\
                int f(unsigned short port, char *text) { return open_listenfd(port) + open_listenfd(text)\n\
                + open_listenfd(\"80\") + Open_listenfd(80) + open_clientfd(\"host\", 80ul) + Open_clientfd(text, text); }\n";
    for (compiler, language, standards) in compilers() {
        for standard in standards.iter().filter(|_| language == "c++") {
            let said = compile(compiler, language, standard, &["-DCSAPP_EXTRAS"], text);
            assert_eq!(said, "", "{compiler} -std={standard}");
        }
    }
}

/// In a namespace, where what it includes has been included before.
#[test]
fn it_stands_inside_a_namespace() {
    let header = fs::read_to_string(common::root().join("include/csapp.h")).expect("the header");
    let is_include = |line: &&str| line.starts_with("#include <");
    let includes: Vec<&str> = header.lines().filter(is_include).collect();
    let text = format!(
        "{}\nnamespace cs {{\n#include \"csapp.h\"\n}}\n\
         int f() {{ return cs::open_listenfd(80) + cs::open_clientfd(\"host\", \"80\"); }}\n",
        includes.join("\n")
    );
    for (compiler, language, _) in compilers() {
        if language == "c++" {
            assert_eq!(compile(compiler, language, "c++17", &[], &text), "");
        }
    }
}

/// What the book's header says of the functions whose parameters are `const` here.
const BOOKS_PROTOTYPES: &str = r#"#include "csapp.h"
void unix_error(char *msg);
void posix_error(int code, char *msg);
void gai_error(int code, char *msg);
void dns_error(char *msg);
void app_error(char *msg) { puts(msg); }
ssize_t sio_puts(char s[]);
void sio_error(char s[]);
ssize_t Sio_puts(char s[]);
void Sio_error(char s[]);
void Bind(int sockfd, struct sockaddr *my_addr, int addrlen);
void Connect(int sockfd, struct sockaddr *serv_addr, int addrlen);
ssize_t rio_writen(int fd, void *usrbuf, size_t n);
void Rio_writen(int fd, void *usrbuf, size_t n);
int main(void) { char text[] = "why"; unix_error(text); app_error(text); return open_listenfd(PORT); }
"#;

const PORTS_2E: &str = "int open_clientfd(char *hostname, int port);\n\
    int open_listenfd(int port) { return port - 7; }\n\
    int Open_clientfd(char *hostname, int port);\nint Open_listenfd(int port);\n";

const PORTS_3E: &str = "int open_clientfd(char *hostname, char *port);\n\
    int open_listenfd(char *port) { return *port - '7'; }\n\
    int Open_clientfd(char *hostname, char *port);\nint Open_listenfd(char *port);\n";

#[test]
fn the_books_prototypes_may_be_repeated_with_csapp_edition() {
    let before_c23 = |standard: &&&str| standard.as_bytes()[1] != b'2';
    for (compiler, language, standards) in compilers() {
        for standard in standards
            .iter()
            .filter(before_c23)
            .filter(|_| language == "c")
        {
            for (edition, ports, port) in [
                ("-DCSAPP_EDITION=2", PORTS_2E, "-DPORT=7"),
                ("-DCSAPP_EDITION=3", PORTS_3E, "-DPORT=text"),
            ] {
                let text = BOOKS_PROTOTYPES.replace("int main", &format!("{ports}int main"));
                let said = compile(compiler, language, standard, &[edition, port], &text);
                assert_eq!(said, "", "{compiler} -std={standard} {edition}");
            }
        }
    }
}

/// Calls that hand over an array and a size that is not its own; `OTHER` is the size.
const CALLS_WITH_A_BUFFER: [&str; 19] = [
    "Rio_readlineb(&rio, buf, OTHER)",
    "rio_readlineb(&rio, buf, OTHER)",
    "Rio_readnb(&rio, buf, OTHER)",
    "rio_readnb(&rio, buf, OTHER)",
    "Rio_readn(0, buf, OTHER)",
    "rio_readn(0, buf, OTHER)",
    "Rio_writen(1, text, OTHER)",
    "rio_writen(1, text, OTHER)",
    "Read(0, buf, OTHER)",
    "Write(1, text, OTHER)",
    "Fgets(buf, OTHER, stdin)",
    "Inet_ntop(AF_INET, text, buf, OTHER)",
    "Getnameinfo((SA *)text, sizeof text, buf, OTHER, NULL, 0, 0)",
    "Getnameinfo((SA *)text, sizeof text, NULL, 0, buf, OTHER, 0)",
    "Gethostbyaddr(text, OTHER, AF_INET)",
    "Setsockopt(0, SOL_SOCKET, SO_REUSEADDR, text, OTHER)",
    "Read(0, Malloc(sizeof buf), OTHER)",
    "Read(0, Calloc(10, sizeof buf / 10), OTHER)",
    "Read(0, Realloc(Malloc(1), sizeof buf), OTHER)",
];

#[test]
fn gcc_warns_of_a_buffer_smaller_than_its_size_and_of_no_other() {
    let in_function = |(number, call): (usize, &&str)| {
        format!(
            "void f{number}(void) {{ rio_t rio; char buf[100], text[100] = \"text\"; Rio_readinitb(&rio, 0); \
             (void)text; (void)buf; (void){call}; }}\n"
        )
    };
    let functions = CALLS_WITH_A_BUFFER.iter().enumerate().map(in_function);
    let text = format!("#include \"csapp.h\"\n{}", functions.collect::<String>());
    for (flag, is_right) in [("-DOTHER=MAXLINE", false), ("-DOTHER=sizeof buf", true)] {
        let mut command = Command::new("gcc");
        command.args(["-Wall", "-O1", flag, "-S", "-o", "/dev/null", "-I"]);
        command
            .arg(common::root().join("include"))
            .args(["-x", "c", "-"]);
        let output = common::run_with(&mut command, &text);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        for (number, call) in CALLS_WITH_A_BUFFER.iter().enumerate() {
            let line = format!("<stdin>:{}:", number + 2);
            let is_warned = said
                .lines()
                .any(|said| said.starts_with(&line) && said.contains("warning:"));
            assert_eq!(!is_warned, is_right, "{call} {flag}:\n{said}");
        }
    }
}

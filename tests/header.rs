//! The header: the file that is checked in is what the sources generate, and every compiler accepts it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::common;

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

/// The columns of a prototype or a comment.
const LINE: usize = 100;

/// A function of the header as a reader sees it.
struct Documented {
    name: String,
    /// In one line, without the attributes above it.
    prototype: String,
    /// How many lines it has there.
    lines: usize,
    /// The paragraphs of the comment. Items of a list stay apart, by a newline.
    comment: Vec<String>,
}

/// The functions that have a comment right above them.
fn documented() -> Vec<Documented> {
    let header = fs::read_to_string(common::root().join("include/csapp.h")).expect("the header");
    let comments = header.split("/**").skip(1);
    comments.filter_map(as_function).collect()
}

fn as_function(text: &str) -> Option<Documented> {
    let (comment, code) = text.split_once("*/")?;
    let code: Vec<&str> = code
        .trim_start()
        .lines()
        .skip_while(|line| line.starts_with("CSAPP_"))
        .collect();
    let end = code.iter().position(|line| line.ends_with(';'))?;
    let prototype: Vec<&str> = code[..=end].iter().map(|line| line.trim()).collect();
    let prototype = prototype.join(" ");
    let (before, _) = prototype.split_once('(')?;
    if before.starts_with("typedef") || before.starts_with('#') {
        return None;
    }
    let name = before.rsplit([' ', '*']).next()?.to_owned();
    let text = comment
        .lines()
        .map(|line| line.trim().trim_start_matches('*').trim());
    let text: Vec<&str> = text.collect();
    let text = text.join("\n").trim().replace("\n- ", "\0- ");
    let comment = text
        .split("\n\n")
        .map(|part| part.replace('\n', " ").replace('\0', "\n"));
    Some(Documented {
        name,
        lines: end + 1,
        comment: comment.collect(),
        prototype,
    })
}

impl Documented {
    /// The names of its parameters.
    fn parameters(&self) -> Vec<String> {
        let parameters = self.prototype.split_once('(').map_or("", |(_, rest)| rest);
        let parameters = parameters.replace("(void*)", "").replace("(void)", "");
        let parameters = parameters
            .split(')')
            .next()
            .unwrap_or_default()
            .replace("(*", " ");
        let names = parameters
            .split(',')
            .filter_map(|one| one.trim().rsplit([' ', '*']).next());
        names
            .filter(|name| !["", "void", "..."].contains(name))
            .map(str::to_owned)
            .collect()
    }

    /// What is wrong with its comment: it says what the function does, then perhaps more, then `Returns ...` if there is
    /// a value, then perhaps `Errors: ...`, and then the source in brackets.
    fn wrongs(&self) -> Vec<String> {
        let mut wrongs = Vec::new();
        let mut expect = |is_right: bool, what: &str| {
            if !is_right {
                wrongs.push(format!("{}: {what}", self.name));
            }
        };
        let what = self.comment[0].as_str();
        let verb = what.split(' ').next().unwrap_or_default();
        let is_verb = verb.starts_with(char::is_uppercase) && verb.ends_with('s');
        expect(is_verb, "the comment begins with a verb such as \"Reads\"");
        let source = self.comment.last().map_or("", String::as_str);
        let is_source = source.starts_with('[') && source.ends_with(']');
        expect(
            is_source && self.comment.len() > 1,
            "the comment ends with the source in brackets",
        );
        let kinds = self.comment.iter().map(|part| match part.as_str() {
            part if part.starts_with("Returns ") => 1,
            part if part.starts_with("Errors:") => 2,
            part if part.starts_with('[') => 3,
            _ => 0,
        });
        let kinds: Vec<u32> = kinds.collect();
        expect(
            kinds.is_sorted(),
            "the order is: what, Returns, Errors, source",
        );
        let is_pointer = self.prototype.starts_with("void *");
        let has_value = is_pointer || !self.prototype.starts_with("void ");
        let count = kinds.iter().filter(|&&kind| kind == 1).count();
        expect(
            count == usize::from(has_value),
            "Returns is there exactly if there is a value",
        );
        for parameter in self.parameters() {
            let is_named = self
                .comment
                .iter()
                .any(|part| part.contains(&format!("`{parameter}`")));
            expect(
                is_named,
                &format!("the comment does not say what `{parameter}` is"),
            );
        }
        for (part, kind) in self.comment.iter().zip(&kinds) {
            let mut items = part.split("\n- ");
            let text = items.next().unwrap_or_default();
            expect(
                *kind >= 2 || text.ends_with('.'),
                "a paragraph ends with a full stop",
            );
            for item in items {
                let (names, cause) = item.split_once(": ").unwrap_or_default();
                let are_names =
                    !names.is_empty() && names.split(", ").all(|name| name.starts_with('E'));
                expect(
                    *kind == 2 && are_names,
                    &format!("\"{item}\" is no error and its cause"),
                );
                let is_phrase = !cause.ends_with('.');
                expect(is_phrase, "a cause has no full stop");
            }
        }
        wrongs
    }
}

/// A function and its comment, for the tests of the test below.
const RIGHT: &str = "/**\n * Reads `n`\n * bytes.\n *\n * Returns `n`.\n *\n * Errors:\n * - EIO, EINTR: the\n *   cause\n *\n * [POSIX, read]\n */\nCSAPP_MUST_USE\nint f(int n);\n";

#[test]
fn each_function_has_a_comment_of_one_form() {
    let functions = documented();
    let names: BTreeSet<String> = functions.iter().map(|one| one.name.clone()).collect();
    let declared: BTreeSet<String> = common::header::prototypes().into_keys().collect();
    assert_eq!(names, declared);
    let wrongs: Vec<String> = functions.iter().flat_map(Documented::wrongs).collect();
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));

    let wrongs = |text: &str| {
        as_function(text.trim_start_matches("/**"))
            .expect("a function")
            .wrongs()
            .len()
    };
    assert_eq!(wrongs(RIGHT), 0);
    for (right, wrong) in [
        ("Reads", "Read"),
        (
            "`n`\n * bytes.\n *\n * Returns `n`.",
            "n\n * bytes.\n *\n * Returns n.",
        ),
        (" * Returns `n`.\n *\n", ""),
        ("int f", "void f"),
        ("Returns `n`.\n *\n", "Returns `n`.\n *\n * And more.\n *\n"),
        ("\n * [POSIX, read]", ""),
        ("bytes.", "bytes"),
        ("EIO, EINTR: the", "EIO  the"),
        ("cause\n", "cause.\n"),
    ] {
        assert!(RIGHT.contains(right), "{right}");
        assert_ne!(wrongs(&RIGHT.replace(right, wrong)), 0, "{wrong}");
    }
}

#[test]
fn each_prototype_that_fits_is_in_one_line() {
    for one in documented() {
        let fits = one.prototype.len() <= LINE;
        assert_eq!(fits, one.lines == 1, "{}", one.prototype);
    }
    let header = fs::read_to_string(common::root().join("include/csapp.h")).expect("the header");
    for line in header.lines().filter(|line| line.starts_with(" *")) {
        assert!(line.len() <= LINE, "{line}");
    }
}

#[test]
fn doxygen_documents_each_function_without_a_warning() {
    if !common::is_installed("doxygen", "doxygen") {
        return;
    }
    let dir = common::scratch("doxygen");
    for (name, settings) in [
        ("plain", ""),
        (
            "brief",
            "JAVADOC_AUTOBRIEF=YES\nOPTIMIZE_OUTPUT_FOR_C=YES\n",
        ),
    ] {
        let out = dir.join(name);
        let settings = format!(
            "INPUT={}\nOUTPUT_DIRECTORY={}\nQUIET=YES\nHAVE_DOT=NO\nGENERATE_LATEX=NO\nGENERATE_XML=YES\n\
             PREDEFINED=CSAPP_EXTRAS\n{settings}",
            common::root().join("include/csapp.h").display(),
            out.display()
        );
        let output = common::run_with(Command::new("doxygen").arg("-"), &settings);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
        let xml = fs::read_to_string(out.join("xml/csapp_8h.xml")).expect("what doxygen writes");
        for name in common::header::prototypes().into_keys() {
            assert!(xml.contains(&format!("<name>{name}</name>")), "{name}");
        }
    }
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

//! The interface is exactly what was promised: header and library are compared with
//! c_tests/programs/conformance.c, which has it written out by hand.

use std::collections::BTreeSet;

use crate::common;
use crate::common::{C, Link, header, library, run_with, scratch, succeed};

const EXTRAS: &str = "-DCSAPP_EXTRAS";

/// Names that the header declares besides functions: the types, rio_t's fields, and what it says
/// once more after the system's headers.
const TYPES_AND_VARIABLES: [&str; 9] = [
    "SA",
    "handler_t",
    "csapp_error_handler_t",
    "rio_t",
    "rio_fd",
    "rio_cnt",
    "rio_bufptr",
    "rio_buf",
    "environ",
];

/// The macros without the library's prefix that it defines; the last five stand for functions.
const MACROS: [&str; 13] = [
    "__CSAPP_H__",
    "RIO_BUFSIZE",
    "MAXLINE",
    "MAXBUF",
    "LISTENQ",
    "DEF_MODE",
    "DEF_UMASK",
    "sio_assert",
    "gai_error",
    "open_clientfd",
    "open_listenfd",
    "Open_clientfd",
    "Open_listenfd",
];

type Names = BTreeSet<String>;

fn names<'a>(words: impl IntoIterator<Item = &'a str>) -> Names {
    words.into_iter().map(str::to_owned).collect()
}

/// Panics if names are missing or too many, and says which.
#[track_caller]
fn expect(promised: &Names, found: &Names, place: &str) {
    let missing: Vec<_> = promised.difference(found).collect();
    let unknown: Vec<_> = found.difference(promised).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "{place}: {missing:?} are missing, {unknown:?} are too many"
    );
}

/// Compiles the conformance program, runs it and returns the functions that it names.
fn functions(flags: &[&str], link: Link) -> Names {
    let program = C::new("c_tests/programs/conformance.c")
        .flags(["-std=c11", "-Wall", "-Wextra", "-Wpedantic"])
        .flags(flags)
        .link(link)
        .build(&scratch("conformance"));
    names(succeed(&mut common::program(program)).lines())
}

/// A function's symbol: <netdb.h> may have another gai_error, so that one has a name of its own.
fn symbols(functions: &Names) -> Names {
    let symbol = |name: &str| name.replace("gai_error", "csapp_gai_error");
    functions.iter().map(|name| symbol(name)).collect()
}

/// The symbols that a library or an object offers.
fn defined(arguments: &[&str], file: &str) -> Names {
    let table = succeed(
        common::nm()
            .args(arguments)
            .args(["--defined-only", "--extern-only", "--format=posix"])
            .arg(library().join(file)),
    );
    let entries = table
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    let symbols = entries.filter(|fields| fields.len() > 1);
    names(symbols.map(|fields| fields[0]).collect::<Vec<_>>())
}

/// The names in declarations.
fn declared(declarations: Vec<header::Declaration>) -> Names {
    declarations.into_iter().map(|one| one.name).collect()
}

/// The macros that text defines, by the preprocessor's own list.
fn macros(flags: &[&str], text: &str) -> Names {
    let flags: Vec<&str> = flags.iter().copied().chain(["-dM"]).collect();
    let list = header::preprocessed("c", &flags, text);
    let defined = list
        .lines()
        .filter_map(|line| line.strip_prefix("#define "));
    names(defined.map(|line| line.split([' ', '(']).next().unwrap_or_default()))
}

#[test]
fn shared_and_static_hold_every_function_with_its_prototype() {
    for flags in [
        &[][..],
        &[EXTRAS],
        &["-DCSAPP_EDITION=3"],
        &["-D_GNU_SOURCE"],
    ] {
        let shared = functions(flags, Link::Shared);
        expect(&shared, &functions(flags, Link::Static), "static");
        assert!(shared.contains("rio_readlineb") && shared.contains("Pthread_once"));
        assert_eq!(shared.contains("Pipe"), flags == [EXTRAS], "{flags:?}");
    }
}

#[test]
fn the_libraries_export_these_functions_and_nothing_else() {
    let promised = symbols(&functions(&[EXTRAS], Link::Shared));
    for (flags, file) in [
        (&["--dynamic"][..], "libcsapp.so"),
        (&[], "libcsapp.a"),
        (&[], "csapp.o"),
    ] {
        expect(&promised, &defined(flags, file), file);
    }
}

#[test]
fn the_header_declares_these_names_and_nothing_else() {
    for flags in [&[][..], &[EXTRAS]] {
        let mut promised = symbols(&functions(flags, Link::Shared));
        promised.extend(names(TYPES_AND_VARIABLES));
        let has_cxx = run_with(common::cc().args(["-E", "-x", "c++", "-"]), "")
            .status
            .success();
        let languages: &[&str] = if has_cxx { &["c", "c++"] } else { &["c"] };
        for language in languages {
            let found = declared(header::declared(language, flags));
            let mut promised = promised.clone();
            if *language == "c++" && !found.contains("environ") {
                promised.remove("environ"); // glibc's <unistd.h> always has it there
            }
            expect(&promised, &found, &format!("{language} {flags:?}"));
        }
    }
}

#[test]
fn the_header_defines_these_macros_and_nothing_else() {
    let header = std::fs::read_to_string(library().join("csapp.h")).expect("the header");
    let includes: String = header
        .lines()
        .filter(|line| line.starts_with("#include <"))
        .flat_map(|line| [line, "\n"])
        .collect();
    for flags in [&[][..], &[EXTRAS]] {
        // What it asks the system for, glibc's headers have of themselves here.
        let systems = macros(flags, &format!("#define _DEFAULT_SOURCE 1\n{includes}"));
        let all = macros(flags, "#include \"csapp.h\"\n");
        let own: Names = all.difference(&systems).cloned().collect();
        let is_prefixed = |name: &&String| name.starts_with("CSAPP_");
        let bare: Names = own
            .iter()
            .filter(|name| !is_prefixed(name))
            .cloned()
            .collect();
        expect(&names(MACROS), &bare, &format!("macros {flags:?}"));
        for name in [
            "CSAPP_H",
            "CSAPP_VERSION",
            "CSAPP_DUALSTACK",
            "CSAPP_REUSEPORT",
        ] {
            assert!(own.contains(name), "{name}");
        }
    }
}

#[test]
fn a_name_too_many_would_be_noticed() {
    let text = "__attribute__((noreturn)) void f(int (*g)(void), char h[3]);\nextern char **v;\n\
                typedef struct { int field; char array[8]; } t;\nenum { ONE, TWO };\n\
                handler_t *Signal(int signum);\ntypedef void of_function(int);\n";
    let expected = [
        "f",
        "v",
        "field",
        "array",
        "t",
        "enum",
        "ONE",
        "TWO",
        "Signal",
        "of_function",
    ];
    assert_eq!(declared(header::declarations(text)), names(expected));
}

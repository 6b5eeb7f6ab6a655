//! What the library exports, what it needs, and how large it is: the shared library and csapp.o as they ship.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;
use crate::common::{header, library, succeed};

/// The ready-made error handlers. A program compares what csapp_set_error_handler returns with their
/// addresses, so the library has to use the program's view of them.
const HANDLERS: [&str; 4] = [
    "csapp_error_abort",
    "csapp_error_exit",
    "csapp_error_return",
    "csapp_error_thread_exit",
];

fn shared() -> PathBuf {
    library().join("libcsapp.so")
}

fn object() -> PathBuf {
    library().join("csapp.o")
}

/// What a tool says about a file.
fn ask(tool: &str, arguments: &[&str], file: &Path) -> String {
    let mut command = match tool {
        "nm" => common::nm(),
        tool => Command::new(tool),
    };
    succeed(command.args(arguments).arg(file))
}

/// The functions that the header declares, as the linker knows them.
fn declared() -> BTreeSet<String> {
    header::prototypes().into_keys().collect()
}

/// The kind (T, W, ...) and the name of each symbol that `nm` lists.
fn symbols(arguments: &[&str], file: &Path) -> Vec<(String, String)> {
    ask("nm", arguments, file)
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace().rev();
            let (name, kind) = (fields.next()?, fields.next()?);
            Some((kind.to_owned(), name.to_owned()))
        })
        .collect()
}

/// The symbols of the API that relocations of a file refer to.
fn api_in_relocations(file: &Path) -> BTreeSet<String> {
    let declared = declared();
    let relocations = ask("readelf", &["-rW"], file);
    assert!(
        relocations.contains("__errno_location"),
        "these are not the relocations of {}:\n{relocations}",
        file.display()
    );
    relocations
        .split_whitespace()
        .map(|word| word.split('@').next().unwrap_or(word).to_owned())
        .filter(|word| declared.contains(word))
        .collect()
}

#[test]
fn the_shared_library_exports_what_the_header_declares() {
    let exported = symbols(&["-D", "--defined-only"], &shared());
    assert!(exported.iter().all(|(kind, _)| kind == "T"), "{exported:?}");
    let exported: BTreeSet<String> = exported.into_iter().map(|(_, name)| name).collect();
    assert_eq!(exported, declared());
}

#[test]
fn in_the_object_the_api_is_weak_and_nothing_else_is_global() {
    let globals = symbols(&["--extern-only", "--defined-only"], &object());
    let strong: Vec<_> = globals.iter().filter(|(kind, _)| kind != "W").collect();
    assert!(strong.is_empty(), "{strong:?}");
    let weak: BTreeSet<String> = globals.into_iter().map(|(_, name)| name).collect();
    assert_eq!(weak, declared());
}

/// A call from one function of the API to another would go through the symbol, and so to a program's
/// own function of that name.
#[test]
fn a_programs_own_function_cannot_change_what_the_library_does() {
    let handlers = HANDLERS.map(str::to_owned).into();
    assert_eq!(api_in_relocations(&object()), handlers);
    assert_eq!(api_in_relocations(&shared()), handlers);
}

#[test]
fn the_shared_library_is_libcsapp_so_1_and_needs_libc_alone() {
    let dynamic = ask("readelf", &["-dW"], &shared());
    let values = |tag: &str| -> Vec<String> {
        let lines = dynamic.lines().filter(|line| line.contains(tag));
        lines
            .filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned()))
            .collect()
    };
    assert_eq!(values("(SONAME)"), ["libcsapp.so.1"]);
    let needed = values("(NEEDED)");
    assert!(
        needed == ["libc.so.6"] || needed == ["libc.so"],
        "{needed:?}"
    ); // glibc's, musl's
    assert_eq!(values("(RPATH)"), [""; 0]);
    assert_eq!(values("(RUNPATH)"), [""; 0]);
    assert!(dynamic.contains("BIND_NOW"), "{dynamic}");
    assert!(!dynamic.contains("TEXTREL"), "{dynamic}");
}

#[test]
fn memory_is_writable_or_executable_but_not_both() {
    let segments = ask("readelf", &["-lW"], &shared());
    let mut stacks = 0;
    for line in segments.lines() {
        // Type, offset, two addresses, two sizes, then the flags, set apart, and the alignment.
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.len() < 8 || !fields[1].starts_with("0x") {
            continue;
        }
        let flags = fields[6..fields.len() - 1].concat();
        assert!(!(flags.contains('W') && flags.contains('E')), "{line}");
        stacks += u32::from(fields[0] == "GNU_STACK");
    }
    assert_eq!(stacks, 1, "without its mark the stack is executable");
    let sections = ask("readelf", &["-SW"], &object());
    let stack = sections
        .lines()
        .find(|line| line.contains(".note.GNU-stack"));
    let flags = stack.expect("the mark").split_whitespace().rev().nth(3);
    assert_eq!(flags, Some("00"), "no X among the flags: {stack:?}");
}

#[test]
fn nothing_runs_when_the_library_is_loaded() {
    if ask("readelf", &["-hW"], &shared()).contains("AArch64") {
        // There, what the compiler adds asks which atomics the processor has.
        return;
    }
    let sections = ask("readelf", &["-SW"], &object());
    for name in [".init", ".ctors", ".preinit", ".fini", ".dtors"] {
        assert!(
            !sections.contains(&format!(" {name}")),
            "{name}\n{sections}"
        );
    }
    let dynamic = ask("readelf", &["-dW"], &shared());
    for tag in ["INIT", "FINI", "PREINIT"] {
        assert!(!dynamic.contains(&format!("({tag}")), "{tag}\n{dynamic}");
    }
}

#[test]
fn it_is_small() {
    let size = |name: &str| {
        fs::metadata(library().join(name))
            .expect("it is built")
            .len()
    };
    // 64,312 bytes with the API of the book alone. Since then: hosts and names 4.6 KB, waits beside an error queue 2 KB,
    // csapp_accept 0.9, copies of a rio_t 1.6, sanitizers 3, the calls in time 6, what is told of a failure 8.5 KB; and 26 KB
    // less by what the Makefile has beside SMALL, by one function that makes most calls of libc, by one question for the
    // place of errno, and by parts of messages that are one word each.
    let (shared, archive) = if cfg!(target_arch = "x86_64") && common::rust_minor() >= 90 {
        (64 << 10, 78 << 10)
    } else {
        (70 << 10, 82 << 10) // GNU's linker fills up a page
    };
    assert!(size("libcsapp.so") <= shared, "{}", size("libcsapp.so"));
    assert!(size("libcsapp.a") <= archive, "{}", size("libcsapp.a"));
    assert_eq!(
        ask("ar", &["t"], &library().join("libcsapp.a")),
        "csapp.o\n"
    );
}

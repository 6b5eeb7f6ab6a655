//! Sanitizers see what the library does with a program's memory. The table has a tool, a compiler, a form of the
//! library and a mistake in each row, which is a test. The report has to name the line of the program.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, OnceLock};

use crate::common::{C, Link, is_installed, links, run, scratch};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Tool {
    Address,
    Thread,
    Memory,
}

/// How a program is built.
type Build = (Tool, &'static str, Link);

/// c_tests/programs/`name`.c, compiled once for all tests that run it; None if this cannot be.
fn compiled(name: &'static str, build: Build) -> Option<PathBuf> {
    type Programs = HashMap<(&'static str, Build), Arc<OnceLock<Option<PathBuf>>>>;
    static PROGRAMS: OnceLock<Mutex<Programs>> = OnceLock::new();
    let mut programs = PROGRAMS
        .get_or_init(Mutex::default)
        .lock()
        .expect("no panic");
    let program = programs.entry((name, build)).or_default().clone();
    drop(programs);
    program.get_or_init(|| compile(name, build)).clone()
}

fn compile(name: &str, (tool, compiler, link): Build) -> Option<PathBuf> {
    let flag = match tool {
        Tool::Address => "-fsanitize=address,undefined",
        Tool::Thread => "-fsanitize=thread",
        Tool::Memory => "-fsanitize=memory",
    };
    let can_name_lines = compiler != "clang" || is_installed("llvm-symbolizer", "llvm");
    (can_name_lines && links(compiler, flag)).then(|| {
        C::new(format!("c_tests/programs/{name}.c"))
            .compiler(compiler)
            .flags(["-g", "-fno-omit-frame-pointer", "-w", flag])
            .link(link)
            .build(&scratch("sanitized"))
    })
}

fn run_sanitized(program: &PathBuf, arguments: &[&str]) -> Output {
    run(Command::new(program)
        .args(arguments)
        .env(
            "ASAN_OPTIONS",
            "detect_leaks=0:detect_stack_use_after_return=1",
        )
        .env("TSAN_OPTIONS", "exitcode=66")
        .env("CSAPP_ON_ERROR", "return"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A mistake of faulty.c is reported as `error`, with the line of the call.
fn is_reported(build: Build, mistake: &str, error: &str) {
    let Some(program) = compiled("faulty", build) else {
        return;
    };
    let output = run_sanitized(&program, &[mistake]);
    let (said, report) = (text(&output.stdout), text(&output.stderr));
    let line = said.lines().next().unwrap_or_default();
    assert!(
        !output.status.success(),
        "{build:?} {mistake}: {said}{report}"
    );
    assert!(
        report.contains(error) && report.contains(&format!("faulty.c:{line}")),
        "{build:?} {mistake}: no {error:?} at line {line} in:\n{report}"
    );
    // The function that the program has called is in the stack as well.
    let is_named = !mistake.contains("checked") || report.contains(" Rio_");
    assert!(is_named, "{build:?} {mistake}: no Rio_ in:\n{report}");
}

/// Two threads with something between them are reported, with a line where they use it; not if a mutex orders them.
fn race_is_reported(build: Build, between: &str) {
    let Some(program) = compiled("shared_reader", build) else {
        return;
    };
    let (what, call) = between.split_once('_').expect("what, and the call");
    let output = run_sanitized(&program, &[what, "unordered", call]);
    let report = text(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(66),
        "{build:?} {between}:\n{report}"
    );
    assert!(
        report.contains("data race") && report.contains(" use "),
        "{build:?} {between}: no line of use() in:\n{report}"
    );
    let output = run_sanitized(&program, &[what, "ordered", call]);
    let report = text(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{build:?} {between}:\n{report}"
    );
}

/// A correct program is none of a sanitizer's business.
fn is_silent(build: Build, name: &'static str, arguments: &[&str]) {
    let Some(program) = compiled(name, build) else {
        return;
    };
    let output = run_sanitized(&program, arguments);
    let (said, report) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success() && said.contains("right"),
        "{build:?}: {said}{report}"
    );
    assert!(
        !report.contains("Sanitizer") && !report.contains("runtime error"),
        "{build:?}: {report}"
    );
}

/// What AddressSanitizer calls a mistake of this name.
fn address_error(mistake: &str) -> &'static str {
    match mistake.split('_').next() {
        Some("heap" | "long" | "tiny") => "AddressSanitizer: heap-buffer-overflow",
        Some("stack") => "AddressSanitizer: stack-buffer-overflow",
        Some("freed" | "gone") => "AddressSanitizer: heap-use-after-free",
        Some("returned") => "AddressSanitizer: stack-use-after-return",
        _ => panic!("no such mistake: {mistake}"),
    }
}

/// Makes the tests of one column of the table.
macro_rules! column {
    ($column:ident, $tool:ident, $compiler:literal, $link:ident) => {
        mod $column {
            use super::*;
            const BUILD: Build = (Tool::$tool, $compiler, Link::$link);

            #[test]
            fn right_use() {
                is_silent(BUILD, "faulty", &["none"]);
            }

            #[test]
            fn everything() {
                is_silent(BUILD, "everything", &[]);
            }

            cells!($tool);
        }
    };
}

macro_rules! tests {
    ($check:expr; $($name:ident)+) => {
        $(#[test]
        fn $name() {
            $check(stringify!($name));
        })+
    };
}

macro_rules! cells {
    (Address) => {
        tests! {
            |mistake| is_reported(BUILD, mistake, address_error(mistake));
            heap_readlineb heap_checkedreadlineb heap_aheadreadlineb
            heap_readnb heap_checkedreadnb heap_aheadreadnb heap_straightreadnb
            heap_readn heap_checkedreadn heap_writen heap_checkedwriten heap_puts
            heap_limitedreadlineb heap_limitedreadnb heap_limitedreadn heap_limitedwriten heap_moved
            stack_readlineb stack_aheadreadlineb stack_readnb stack_aheadreadnb stack_readn stack_writen
            freed_readlineb freed_checkedreadlineb freed_aheadreadlineb
            freed_readnb freed_checkedreadnb freed_aheadreadnb freed_straightreadnb
            freed_readn freed_writen freed_puts
            returned_readlineb returned_aheadreadlineb returned_readnb returned_aheadreadnb
            returned_readn returned_writen
            long_line
            gone_readlineb gone_readnb gone_readinitb
            tiny_readlineb tiny_readnb tiny_readinitb
        }
    };
    (Thread) => {
        tests! {
            |between| race_is_reported(BUILD, between);
            reader_readlineb reader_checkedreadlineb reader_limitedreadlineb reader_readnb reader_readinitb
            buffer_readlineb buffer_checkedreadlineb buffer_readnb
        }
    };
    (Memory) => {
        tests! {
            |mistake| is_reported(BUILD, mistake, "MemorySanitizer: use-of-uninitialized-value");
            unset_writen unset_checkedwriten unset_limitedwriten unset_puts
        }
    };
}

column!(address_gcc_object, Address, "gcc", Object);
column!(address_gcc_archive, Address, "gcc", Static);
column!(address_gcc_shared, Address, "gcc", Shared);
column!(address_clang_object, Address, "clang", Object);
column!(address_clang_archive, Address, "clang", Static);
column!(address_clang_shared, Address, "clang", Shared);
column!(thread_gcc_object, Thread, "gcc", Object);
column!(thread_gcc_archive, Thread, "gcc", Static);
column!(thread_gcc_shared, Thread, "gcc", Shared);
column!(thread_clang_object, Thread, "clang", Object);
column!(thread_clang_archive, Thread, "clang", Static);
column!(thread_clang_shared, Thread, "clang", Shared);
column!(memory_clang_object, Memory, "clang", Object);
column!(memory_clang_archive, Memory, "clang", Static);
column!(memory_clang_shared, Memory, "clang", Shared);

//! The move from the book's csapp.c to the library: each step of docs/from-csapp-c.md, with Makefiles as courses have
//! them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{is_installed, library, root, run, run_with, scratch, succeed};

/// Rules with CFLAGS and LDFLAGS alone, csapp.h as a prerequisite, and a hand-in that cleans up first.
const COURSE_MAKEFILE: &str = r#"CC = gcc
CFLAGS = -g -Wall -Werror
LDFLAGS = -lpthread

all: prog

csapp.o: csapp.c csapp.h
	$(CC) $(CFLAGS) -c csapp.c

prog.o: prog.c csapp.h
	$(CC) $(CFLAGS) -c prog.c

prog: prog.o csapp.o
	$(CC) $(CFLAGS) prog.o csapp.o -o prog $(LDFLAGS)

handin:
	(make clean; cd ..; tar cf handin.tar project)

clean:
	rm -f *~ *.o prog core
"#;

/// A directory with a project of a course in it, as the course hands it out, but for csapp.c and csapp.h.
fn project(name: &str) -> PathBuf {
    let dir = scratch(&format!("moving-{name}")).join("project");
    fs::create_dir(&dir).expect("a directory");
    fs::write(dir.join("Makefile"), COURSE_MAKEFILE).expect("the Makefile");
    let program = root().join("c_tests/programs/filter.c");
    fs::copy(program, dir.join("prog.c")).expect("the program");
    dir
}

fn copy_library(files: &[&str], dir: &Path) {
    for file in files {
        fs::copy(library().join(file), dir.join(file)).expect("it is built");
    }
}

/// `make` in a directory, whatever make this test is run by.
fn make(dir: &Path) -> Command {
    let mut command = Command::new("make");
    command
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .current_dir(dir);
    command
}

/// The project is built by its Makefile, and its program works.
#[track_caller]
fn expect_builds(dir: &Path) {
    succeed(&mut make(dir));
    let numbered = run_with(&mut Command::new(dir.join("prog")), "one\ntwo");
    assert!(numbered.status.success(), "{numbered:?}");
    assert_eq!(numbered.stdout, b"1 one\n2 two");
}

/// What make says on standard error where it fails.
#[track_caller]
fn complaint(dir: &Path) -> String {
    let output = run(&mut make(dir));
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn two_files_in_place_of_the_books_are_enough() {
    let dir = project("unchanged");
    copy_library(&["csapp.c", "csapp.h"], &dir);
    expect_builds(&dir);
    succeed(make(&dir).arg("clean"));
    expect_builds(&dir);
}

#[test]
fn a_hand_in_is_built_by_the_grader() {
    let dir = project("hand-in");
    copy_library(&["csapp.c", "csapp.h"], &dir);
    expect_builds(&dir);
    succeed(make(&dir).arg("handin"));
    let graders = scratch("moving-grader");
    let archive = dir.with_file_name("handin.tar");
    succeed(
        Command::new("tar")
            .arg("xf")
            .arg(archive)
            .current_dir(&graders),
    );
    expect_builds(&graders.join("project"));
}

#[test]
fn an_archive_of_sources_alone_is_built_by_the_grader() {
    let dir = project("sources");
    copy_library(&["csapp.c", "csapp.h"], &dir);
    expect_builds(&dir);
    let graders = scratch("moving-sources-grader");
    let packed = "tar cf - *.c *.h Makefile | tar xf - -C \"$0\"";
    succeed(
        Command::new("sh")
            .args(["-c", packed])
            .arg(&graders)
            .current_dir(&dir),
    );
    expect_builds(&graders);
}

#[test]
fn a_repository_that_ignores_objects_is_built_by_the_grader() {
    if !is_installed("git", "git") {
        return;
    }
    let dir = project("git");
    copy_library(&["csapp.c", "csapp.h"], &dir);
    fs::write(dir.join(".gitignore"), "*.o\nprog\n").expect("a list");
    expect_builds(&dir);
    let script = "git init -q . && git add . && \
        git -c user.name=Student -c user.email=student@localhost commit -qm 'the project' && git clone -q . \"$0\"";
    let clone = scratch("moving-git-grader").join("clone");
    succeed(
        Command::new("sh")
            .args(["-c", script])
            .arg(&clone)
            .current_dir(&dir),
    );
    assert!(!clone.join("csapp.o").exists());
    expect_builds(&clone);
}

/// As five public programs have it, three of which compile a csapp.o as well.
#[test]
fn a_program_may_include_csapp_c() {
    let dir = project("included");
    copy_library(&["csapp.c", "csapp.h"], &dir);
    let program = fs::read_to_string(dir.join("prog.c")).expect("the program");
    assert!(program.contains("#include \"csapp.h\""));
    let program = program.replace("#include \"csapp.h\"", "#include \"csapp.c\"");
    fs::write(dir.join("prog.c"), program).expect("the program");
    expect_builds(&dir);
    let alone = COURSE_MAKEFILE
        .replace("csapp.o", "")
        .replace("\n: csapp.c csapp.h\n", "\nunused:\n");
    let linked = alone.replace(
        "LDFLAGS = ",
        &format!(
            "LDFLAGS = -L{0} -lcsapp -Wl,-rpath,{0} ",
            library().display()
        ),
    );
    fs::write(dir.join("Makefile"), linked).expect("the Makefile");
    succeed(make(&dir).arg("clean"));
    expect_builds(&dir);
}

/// With the lines of the guide, and its changes to the rules; the library is installed.
#[test]
fn the_guides_lines_suit_such_a_makefile() {
    if !is_installed("pkg-config", "pkgconf") {
        return;
    }
    library();
    let prefix = scratch("moving-prefix");
    succeed(
        Command::new("make")
            .args(["install", "PYTHON="])
            .arg(format!("PREFIX={}", prefix.display()))
            .current_dir(root()),
    );
    let guide = fs::read_to_string(root().join("docs/from-csapp-c.md")).expect("the guide");
    let lines = guide
        .split("```make\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let lines = lines.expect("the lines for a Makefile");
    let dir = project("installed");
    let rule = "csapp.o: csapp.c csapp.h\n\t$(CC) $(CFLAGS) -c csapp.c\n";
    assert!(COURSE_MAKEFILE.contains(rule));
    let makefile = COURSE_MAKEFILE
        .replace(rule, "")
        .replace(" csapp.o", "")
        .replace(" csapp.h", "")
        .replace("\nall: prog", &format!("\n{lines}\nall: prog"));
    fs::write(dir.join("Makefile"), makefile).expect("the Makefile");
    let lib = prefix.join("lib");
    succeed(make(&dir).env("PKG_CONFIG_PATH", lib.join("pkgconfig")));
    let mut program = Command::new(dir.join("prog"));
    let numbered = run_with(program.env("LD_LIBRARY_PATH", lib), "one\ntwo");
    assert_eq!(numbered.stdout, b"1 one\n2 two");
}

#[test]
fn what_make_says_on_the_way_is_in_the_guide() {
    let guide = fs::read_to_string(root().join("docs/from-csapp-c.md")).expect("the guide");
    let expect = |said: &str, message: &str| {
        assert!(said.contains(message), "no {message:?} in {said}");
        assert!(guide.contains(message), "no {message:?} in the guide");
    };
    let dir = project("messages");
    expect(&complaint(&dir), "No rule to make target 'csapp.h'");
    copy_library(&["csapp.h"], &dir);
    expect(&complaint(&dir), "No rule to make target 'csapp.c'");
    // A grader's own csapp.c beside the library's csapp.h.
    let theirs = "#include \"csapp.h\"\nvoid unix_error(char *msg) { puts(msg); }\n";
    fs::write(dir.join("csapp.c"), theirs).expect("a file");
    let said = complaint(&dir).replace(['‘', '’'], "'");
    expect(&said, "conflicting types for 'unix_error'");
    copy_library(&["csapp.c"], &dir);
    let elsewhere = make(&dir)
        .args(["csapp.o", "CFLAGS=-U__x86_64__ -U__aarch64__ -U__riscv"])
        .output();
    let said = elsewhere.expect("make runs").stderr;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("csapp.c holds machine code for "), "{said}");
    assert!(guide.contains("csapp.c holds machine code for x86-64"));
    // An object that nothing makes again.
    let rule = "csapp.o: csapp.c csapp.h\n\t$(CC) $(CFLAGS) -c csapp.c\n";
    let makefile = COURSE_MAKEFILE
        .replace(rule, "")
        .replace("prog: prog.o csapp.o", "prog: prog.o");
    fs::write(dir.join("Makefile"), makefile).expect("the Makefile");
    expect(&complaint(&dir), "csapp.o: No such file or directory");
}

/// csapp.c with every warning an error, by each compiler; a program with it works.
#[test]
fn compilers_take_csapp_c_without_a_warning() {
    let dir = project("compilers");
    copy_library(&["csapp.c", "csapp.h"], &dir);
    for (compiler, language, standards) in [
        ("gcc", "c", &["c90", "c99", "gnu17", "c2x"][..]),
        ("clang", "c", &["c99", "gnu17"]),
        ("g++", "c++", &["c++11", "c++20"]),
        ("clang++", "c++", &["c++17"]),
    ] {
        if !is_installed(compiler, compiler) {
            continue;
        }
        for standard in standards {
            let flags = [
                "-O2",
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "-x",
                language,
            ];
            succeed(
                Command::new(compiler)
                    .arg(format!("-std={standard}"))
                    .args(flags)
                    .args(["-c", "csapp.c", "-o", "csapp.o"])
                    .current_dir(&dir),
            );
            expect_builds(&dir);
        }
    }
}

//! The C programs in docs/ compile without a warning, and the Makefile for projects builds its variants.

mod common;

use std::fs;
use std::process::Command;

use common::{Link, library, root, scratch, succeed};

#[test]
fn programs_in_the_documentation_compile() {
    let dir = scratch("docs");
    let mut count = 0;
    for entry in fs::read_dir(root().join("docs")).expect("the directory docs") {
        let path = entry.expect("a page").path();
        if path.extension().is_none_or(|kind| kind != "md") {
            continue;
        }
        let text = fs::read_to_string(path).expect("a page");
        for block in text.split("```c\n").skip(1) {
            let code = block.split("```").next().expect("a program");
            let program = dir.join(format!("program{count}"));
            count += 1;
            fs::write(program.with_extension("c"), code).expect("a source file");
            succeed(
                common::cc()
                    .args(["-Wall", "-Werror"])
                    .arg(format!("-I{}", library().display()))
                    .arg(program.with_extension("c"))
                    .arg("-o")
                    .arg(&program)
                    .args(Link::Shared.arguments()),
            );
        }
    }
    assert!(count >= 2, "only {count} programs found");
}

#[test]
fn the_makefile_for_projects_builds_every_variant() {
    library();
    let prefix = scratch("project-prefix");
    succeed(
        Command::new("make")
            .args(["install", "PYTHON="])
            .arg(format!("PREFIX={}", prefix.display()))
            .current_dir(root()),
    );
    let project = scratch("project");
    fs::copy(root().join("examples/Makefile"), project.join("Makefile")).expect("a Makefile");
    let code = "#include \"csapp.h\"\nint main(void) { return puts(csapp_version()) < 0; }\n";
    fs::write(project.join("prog.c"), code).expect("a source file");
    for target in ["all", "static", "sanitize", "debug"] {
        succeed(
            Command::new("make")
                .arg(target)
                .arg(format!("CSAPP={}", prefix.display()))
                .current_dir(&project),
        );
        let said =
            succeed(Command::new(project.join("prog")).env("ASAN_OPTIONS", "detect_leaks=0"));
        assert_eq!(said.trim(), env!("CARGO_PKG_VERSION"), "make {target}");
    }
}

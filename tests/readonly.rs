//! A build that may not write in the source tree, for example from a packaged source, or as a user that does not own
//! the tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;

/// What `make` and cargo read.
const SOURCES: [&str; 14] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "cbindgen.toml",
    "check",
    "Makefile",
    "cross.mk",
    "install.mk",
    "csapp.ld",
    "csapp.c.sh",
    "examples",
    "include",
    "src",
    "tests",
];

#[test]
fn make_builds_elsewhere_and_leaves_the_sources_alone() {
    let scratch = common::scratch("readonly");
    let (source, out) = (scratch.join("source"), scratch.join("out"));
    fs::create_dir(&source).unwrap();
    for name in SOURCES {
        common::succeed(
            Command::new("cp")
                .arg("-r")
                .arg(common::root().join(name))
                .arg(&source),
        );
    }
    let before = contents(&source);
    common::succeed(Command::new("chmod").args(["-R", "a-w"]).arg(&source));

    common::succeed(
        Command::new("make")
            .arg("all")
            .arg(format!("BUILD={}", out.join("build").display()))
            // Kept from run to run, for the dependencies in it.
            .env(
                "CARGO_TARGET_DIR",
                concat!(env!("CARGO_TARGET_TMPDIR"), "/readonly-target"),
            )
            .current_dir(&source),
    );

    // The superuser could have written all the same.
    assert_eq!(contents(&source), before);
    assert!(out.join("build/csapp.o").exists());
    common::succeed(Command::new("chmod").args(["-R", "u+w"]).arg(&source));
}

/// Every file below `dir`, with what is in it.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

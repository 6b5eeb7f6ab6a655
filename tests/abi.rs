//! Programs that were linked with an earlier version keep working: unless the soname changes, no exported symbol is
//! removed, and no type or layout changes.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::common::{is_installed, library, root, run, scratch, succeed};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `make TARGET` prints.
fn make(target: &str) -> String {
    library();
    succeed(
        Command::new("make")
            .args(["-s", target])
            .current_dir(root()),
    )
}

/// The numbers of a version such as 1.0.0.
fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect()
}

#[test]
fn no_symbol_of_an_earlier_version_is_missing() {
    let exported = make("abi-symbols");
    let exported: BTreeSet<&str> = exported.lines().collect();
    let mut is_listed = false;
    for entry in fs::read_dir(root().join("abi")).expect("the directory abi") {
        let path = entry.expect("a list").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let Some(version) = name.strip_suffix(".symbols") else {
            continue;
        };
        if numbers(version)[0] != numbers(VERSION)[0] {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a list");
        let promised: BTreeSet<&str> = text.lines().collect();
        let gone: Vec<_> = promised.difference(&exported).collect();
        assert!(gone.is_empty(), "{version} exported {gone:?}");
        if version == VERSION {
            is_listed = true;
            let new: Vec<_> = exported.difference(&promised).collect();
            assert!(
                new.is_empty(),
                "{new:?} are missing from abi/{name}: `make abi-baseline`"
            );
        }
    }
    assert!(is_listed, "no abi/{VERSION}.symbols: `make abi-baseline`");
}

#[test]
fn types_and_layouts_are_those_of_the_baseline() {
    if !is_installed("abidiff", "abigail-tools") {
        return;
    }
    let now = scratch("abi").join("now.abi");
    fs::write(&now, make("abi-dump")).expect("a dump");
    let compared = run(Command::new("abidiff")
        .arg("--suppressions")
        .arg(root().join("abi/compilers.suppr"))
        .arg(root().join(format!("abi/{VERSION}.abi")))
        .arg(&now));
    assert!(
        compared.status.success(),
        "{}",
        String::from_utf8_lossy(&compared.stdout)
    );
}

//! A short form of `make fuzz`: the fuzz targets run on their seeds, and for some seconds more.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;

/// Where `make fuzz` builds.
fn built() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch
        .parent()
        .expect("it is in the target directory")
        .join("fuzz")
}

/// Runs every target for so many seconds; says why where that cannot be.
fn fuzz(seconds: u32) {
    let library = common::library().join("libcsapp.so");
    let mut script = Command::new("sh");
    script
        .arg(common::root().join("fuzz/run.sh"))
        .arg(built())
        .arg(seconds.to_string())
        .arg(library);
    let output = common::run(&mut script);
    let (said, why) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    match output.status.code() {
        Some(2) => common::skipped(&why),
        _ => assert!(output.status.success(), "{said}{why}"),
    }
}

/// Building the targets takes most of a minute, so that is left to `make fuzz`.
#[test]
fn every_fuzz_target_passes_its_seeds() {
    if built().join("corpus").is_dir() {
        fuzz(3);
    } else {
        common::skipped("the fuzz targets are not built; `make fuzz` does that");
    }
}

#[test]
#[ignore = "takes five minutes"]
fn every_fuzz_target_runs_for_a_while() {
    fuzz(80);
}

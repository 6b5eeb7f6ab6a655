//! The Python module: its own tests, with the library that ships.

mod common;

use std::process::Command;

use common::{library, root, run, scratch, succeed};

#[test]
fn its_tests_pass() {
    succeed(
        Command::new("python3")
            .args([
                "-W",
                "error",
                "-m",
                "unittest",
                "discover",
                "-s",
                "python/tests",
            ])
            .env("PYTHONPATH", root().join("python"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("CSAPP_LIBRARY", library().join("libcsapp.so.1"))
            .current_dir(root()),
    );
}

#[test]
fn pip_installs_it_with_its_library() {
    let dir = scratch("venv");
    if !run(Command::new("python3").args(["-m", "venv"]).arg(&dir))
        .status
        .success()
    {
        eprintln!("SKIPPED: this Python makes no virtual environments (Debian: python3-venv)");
        return;
    }
    let installed = run(Command::new(dir.join("bin/pip"))
        .args(["install", "--quiet", "./python"])
        .env("CSAPP_LIBRARY", library().join("libcsapp.so.1"))
        .current_dir(root()));
    if !installed.status.success() {
        let said = String::from_utf8_lossy(&installed.stderr);
        assert!(
            said.contains("No matching distribution found for setuptools"),
            "{said}"
        );
        eprintln!("SKIPPED: pip cannot get setuptools, for want of a network");
        return;
    }
    let said = succeed(
        Command::new(dir.join("bin/python"))
            .args([
                "-c",
                "import csapp; print(csapp.version(), csapp.CDLL._name)",
            ])
            .current_dir(&dir),
    );
    assert!(said.starts_with(env!("CARGO_PKG_VERSION")));
    assert!(said.contains("site-packages/csapp/libcsapp.so.1"), "{said}");
}

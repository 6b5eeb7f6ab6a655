//! The Python module: its own tests, with the library that ships.

mod common;

use std::process::Command;

use common::{library, root, succeed};

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

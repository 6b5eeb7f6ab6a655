//! The Python module: its own tests, with the library that ships.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::common;
use crate::common::{library, root, run, scratch, skipped, succeed};

/// The Pythons of this machine that the module is for: python3, and others by their numbers, pyenv's as well.
fn interpreters() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("python3")];
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    for minor in 9..=15 {
        found.push(format!("python3.{minor}").into());
        if let Ok(versions) = fs::read_dir(home.join(".pyenv/versions")) {
            let prefix = format!("3.{minor}.");
            let versions = versions.filter_map(Result::ok).map(|entry| entry.path());
            let fitting = versions.filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
            });
            found.extend(fitting.map(|path| path.join("bin/python3")));
        }
    }
    let works = |python: &PathBuf| {
        Command::new(python)
            .args(["-c", "import ctypes"])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    found.retain(works);
    found
}

#[test]
fn its_tests_pass() {
    for python in interpreters() {
        succeed(
            Command::new(&python)
                .args(["-W", "error", "-m", "unittest", "discover"])
                .args(["-s", "python/tests"])
                .env("PYTHONPATH", root().join("python"))
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("CSAPP_LIBRARY", library().join("libcsapp.so.1"))
                .current_dir(root()),
        );
    }
}

/// The tests that CPython has of its own buffered reader, as far as they apply to one of a descriptor.
#[test]
fn the_standard_library_s_tests_of_a_reader_pass() {
    let told = run(Command::new("python3")
        .args(["-W", "ignore", "python/tests/stdlib_io.py"])
        .env("PYTHONPATH", root().join("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("CSAPP_LIBRARY", library().join("libcsapp.so.1"))
        .current_dir(root()));
    let said = String::from_utf8_lossy(&told.stderr);
    common::skipped_by(&said);
    assert!(
        told.status.success() || said.contains("SKIPPED: "),
        "{said}"
    );
}

/// A new virtual environment, or None where this Python makes none.
fn environment(name: &str) -> Option<PathBuf> {
    let dir = scratch(name);
    if run(Command::new("python3").args(["-m", "venv"]).arg(&dir))
        .status
        .success()
    {
        return Some(dir);
    }
    skipped("this Python makes no virtual environments (Debian: python3-venv)");
    None
}

#[test]
fn a_wheel_has_its_library_in_it() {
    let Some(dir) = environment("venv") else {
        return;
    };
    let made = run(Command::new(dir.join("bin/pip"))
        .args(["wheel", "--quiet", "--no-deps", "--wheel-dir"])
        .arg(dir.join("wheels"))
        .arg("./python")
        .env("CSAPP_LIBRARY", library().join("libcsapp.so.1"))
        .current_dir(root()));
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(
            said.contains("No matching distribution found for setuptools"),
            "{said}"
        );
        skipped("pip cannot download setuptools");
        return;
    }
    let wheels: Vec<_> = fs::read_dir(dir.join("wheels"))
        .expect("the wheel's directory")
        .map(|entry| entry.expect("a wheel").path())
        .collect();
    let [wheel] = &wheels[..] else {
        panic!("one wheel, not {wheels:?}");
    };
    let name = wheel.file_name().expect("a name").to_string_lossy();
    let start = concat!(
        "csapp-",
        env!("CARGO_PKG_VERSION"),
        "-py3-none-manylinux_2_"
    );
    assert!(name.starts_with(start), "{name}");
    // Installed elsewhere, with no network and no Rust.
    succeed(
        Command::new(dir.join("bin/pip"))
            .args(["install", "--quiet", "--no-index"])
            .arg(wheel)
            .env("PATH", "/usr/bin:/bin"),
    );
    let said = succeed(
        Command::new(dir.join("bin/python"))
            .args([
                "-c",
                "import csapp; print(csapp.version(), csapp.CDLL._name)",
            ])
            .env_remove("CSAPP_LIBRARY")
            .current_dir(&dir),
    );
    assert!(said.starts_with(env!("CARGO_PKG_VERSION")));
    assert!(said.contains("site-packages/csapp/libcsapp.so.1"), "{said}");
}

/// `make check-long`: the wheel from a source distribution, which brings the library's sources along, and
/// the types by mypy.
#[test]
#[ignore = "downloads mypy and builds the library once more"]
fn a_source_distribution_builds_and_the_types_hold() {
    let Some(dir) = environment("venv-long") else {
        return;
    };
    let tools = run(Command::new(dir.join("bin/pip")).args([
        "install",
        "--quiet",
        "build",
        "mypy",
        "setuptools>=77",
    ]));
    if !tools.status.success() {
        skipped("pip cannot download build and mypy");
        return;
    }
    let python = dir.join("bin/python");
    // From the source distribution alone: build unpacks it elsewhere.
    succeed(
        Command::new(&python)
            .args(["-m", "build", "--no-isolation", "--outdir"])
            .arg(dir.join("built"))
            .arg("python")
            .env_remove("CSAPP_LIBRARY")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("BUILD")
            .current_dir(root()),
    );
    let wheel = format!("csapp-{}-py3-none-manylinux_2_", env!("CARGO_PKG_VERSION"));
    let wheel = fs::read_dir(dir.join("built"))
        .expect("what was built")
        .map(|entry| entry.expect("a file").path())
        .find(|path| path.display().to_string().contains(&wheel))
        .expect("a wheel");
    succeed(
        Command::new(dir.join("bin/pip"))
            .args(["install", "--quiet", "--no-index"])
            .arg(wheel),
    );
    let consumer = "import csapp\n\
        def first(host: str, port: int) -> bytes:\n\
        \x20   with csapp.Rio(csapp.open_clientfd(host, port)) as server:\n\
        \x20       for line in server:\n\
        \x20           return line\n\
        \x20   return server.read(1) + server.readline()\n";
    let typed = dir.join("typed.py");
    fs::write(&typed, consumer).expect("a program");
    let mypy = |arguments: &[&str]| {
        run(Command::new(&python)
            .args(["-m", "mypy", "--strict"])
            .args(arguments)
            .current_dir(&dir))
    };
    for arguments in [["-p", "csapp"].as_slice(), &["typed.py"]] {
        let told = mypy(arguments);
        assert!(
            told.status.success(),
            "{}",
            String::from_utf8_lossy(&told.stdout)
        );
    }
    fs::write(&typed, consumer.replace("-> bytes", "-> str")).expect("a program");
    assert!(
        !mypy(&["typed.py"]).status.success(),
        "the types are not seen"
    );
}

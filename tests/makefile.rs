//! What `make` offers beside the library: the demonstration, the first thing that the README has people
//! type, and the benchmarks.

mod common;

use std::fs;
use std::process::Command;

/// Checks what `make demo` says, with these variables.
fn demo(variables: &[&str]) {
    common::library();
    let said = common::succeed(
        Command::new("make")
            .arg("demo")
            .args(variables)
            .current_dir(common::root()),
    );
    let line = |start: &str| {
        said.lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("no line {start:?}:\n{said}"))
    };
    assert!(line("echoserver:").contains("port"), "{said}");
    // "echoclient: 12345 lines, 678901 bytes, ..."
    let words: Vec<&str> = line("echoclient:").split_whitespace().collect();
    let before_lines = words.windows(2).find(|pair| pair[1].starts_with("lines"));
    let count = before_lines.and_then(|pair| pair[0].replace(',', "").parse().ok());
    assert!(count > Some(1_000_u64), "{said}");
    assert!(line("Python:").len() > "Python:".len(), "{said}");
    assert!(line("demo:").contains("every byte came back"), "{said}");
}

#[test]
fn the_demo_carries_a_file_there_and_back() {
    demo(&[]);
}

#[test]
fn the_demo_needs_no_rust_where_build_is_there() {
    let empty = common::scratch("demo-without-rust");
    demo(&[
        "CARGO=no-such-cargo",
        &format!("CARGO_TARGET_DIR={}", empty.display()),
    ]);
}

/// A peer of the benchmarks takes part if its header is found.
#[test]
fn benchmarks_leave_out_peers_that_are_not_installed() {
    let headers = common::scratch("peers");
    let with_peers = |compiler: &str| {
        let said = common::succeed(
            Command::new("make")
                .args(["--dry-run", "--always-make", "bench"])
                .arg(format!("CC={compiler}"))
                .current_dir(common::root()),
        );
        ["-DWITH_SKALIBS", "-DWITH_LIBEVENT", "-DWITH_BUFREADER"].map(|flag| said.contains(flag))
    };
    let compiler = format!("cc -nostdinc -I{}", headers.display());
    assert_eq!(with_peers(&compiler), [false, false, true]);
    fs::create_dir(headers.join("event2")).expect("a directory");
    fs::write(headers.join("event2/buffer.h"), "").expect("a header");
    assert_eq!(with_peers(&compiler), [false, true, true]);
}

/// `make check` ends with what was left out and why, and with how many tests there were.
#[test]
fn the_last_lines_sum_up() {
    let tally = |script: &str| {
        let output = common::run(
            Command::new("python3")
                .arg(common::root().join("tests/tally.py"))
                .args(["sh", "-c", script]),
        );
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said)
    };
    let result = |passed: u32, failed: u32| {
        format!("echo 'test result: x. {passed} passed; {failed} failed; 1 ignored; 0 measured'\n")
    };
    let one = format!(
        "echo '     Running tests/a.rs'\n\
         echo 'test a ... ok'\n\
         echo 'test b ... ignored, takes an hour'\n\
         echo 'SKIPPED: no tool' >&2\n\
         echo 'SKIPPED: no tool' >&2\n{}",
        result(2, 0)
    );
    let (status, said) = tally(&format!("{one}{one}"));
    assert_eq!(status, Some(0));
    assert!(
        said.ends_with(
            "Left out:\n    b: takes an hour (make check-long) (2 times)\n    \
             no tool (4 times)\n4 passed, 0 failed, 6 skipped\n"
        ),
        "{said}"
    );
    let (status, said) = tally(&format!("echo ' Running a'\n{}exit 101", result(3, 2)));
    assert_eq!(status, Some(101));
    assert!(
        said.ends_with("\n3 passed, 2 failed, 0 skipped\n"),
        "{said}"
    );
    // A test program that is killed says no result; neither does one that is not compiled.
    let (status, said) = tally(&format!("{one}echo ' Running tests/b.rs'; kill $$"));
    assert_eq!(status, Some(128 + 15));
    assert!(
        said.ends_with("\n2 passed, 1 failed, 3 skipped\n"),
        "{said}"
    );
    let (status, said) = tally("exit 101");
    assert_eq!(status, Some(101));
    assert!(said.ends_with("0 passed, 1 failed, 0 skipped\n"), "{said}");
    assert_eq!(tally("true").0, Some(1));
}

//! The targets of `make` besides the library: the list of targets, the demonstration, the benchmarks, the summary
//! of `make check`; and what make says about mistakes.

use std::fs;
use std::process::Command;
use std::sync::Mutex;

use crate::common;

/// Checks what `make demo` says, with these variables.
fn demo(variables: &[&str]) {
    // Both link the same programs.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock();
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

/// Runs make with these arguments, and returns whether it succeeds, and what it says.
fn make(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new("make");
    let output = common::run(command.args(arguments).current_dir(common::root()));
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.success(), said.concat())
}

#[test]
fn help_lists_each_target() {
    let (succeeds, help) = make(&["help"]);
    assert!(succeeds, "{help}");
    // Parts of other targets, and what tests call.
    let internal = "all cargo test-programs check-target cross-tools install-check uninstall-check abi-symbols abi-dump";
    let mut count = 0;
    for file in [
        "Makefile",
        "cross.mk",
        "install.mk",
        "examples/examples.mk",
        "check/check.mk",
    ] {
        let text = fs::read_to_string(common::root().join(file)).expect("a makefile");
        let phony = text
            .lines()
            .filter_map(|line| line.strip_prefix(".PHONY: "));
        for target in phony.flat_map(str::split_whitespace) {
            let is_listed = help.contains(&format!("  make {target} "));
            let is_internal = internal.split(' ').any(|name| name == target);
            assert!(is_listed != is_internal, "{file}: {target}\n{help}");
            count += usize::from(is_listed);
        }
    }
    assert!(count > 15, "only {count} targets");
}

/// A mistake is named before anything is built, with what to type instead.
#[test]
fn mistakes_are_named_with_what_to_type() {
    for (arguments, expected) in [
        (
            &["check", "SUITE=nosuch"][..],
            &["\"nosuch\"", " rio ", " docs "][..],
        ),
        (&["check", "SUITE=rio docs"], &["\"rio docs\""]),
        (
            &["mutants", "MODULES=nosuch"],
            &["\"nosuch\"", "rio net sio report line"],
        ),
        (
            &["install", "PREFIX=here"],
            &["PREFIX", "absolute path", "\"here\""],
        ),
        (
            &["all", "CC=no-such-cc", "BUILD=/nonexistent"],
            &["no-such-cc", "CC="],
        ),
    ] {
        let (succeeds, said) = make(arguments);
        assert!(!succeeds, "{arguments:?}: {said}");
        for part in expected {
            assert!(said.contains(part), "{arguments:?}: {said}");
        }
        assert!(!said.contains("Compiling"), "{arguments:?}: {said}");
    }
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

/// On a machine that has only a shell, root reads first what is installed and how much; another user reads what to
/// type.
#[test]
fn setup_says_what_it_installs() {
    let bare = common::scratch("setup");
    for tool in ["cat", "mktemp", "rm", "sed", "sh"] {
        let path = common::succeed(Command::new("sh").args(["-c", "command -v $0", tool]));
        std::os::unix::fs::symlink(path.trim(), bare.join(tool)).expect("a link");
    }
    let script = |name: &str, text: &str| {
        fs::write(bare.join(name), format!("#!/bin/sh\n{text}\n")).expect("a script");
        common::succeed(Command::new("chmod").arg("+x").arg(bare.join(name)));
    };
    script(
        "apt-cache",
        "test \"$2\" != abigail-tools # which this release has not",
    );
    script(
        "apt-get",
        "case \"$*\" in
            *--assume-no*) echo '0 upgraded, 47 newly installed'; echo 'Need to get 81 MB'; exit 1 ;;
            install*) echo \"$*\" >>\"$LOG\" ;;
        esac",
    );
    let setup = |user: u32| {
        script("id", &format!("echo {user}"));
        common::run(
            Command::new("sh")
                .arg(common::root().join("tests/setup.sh"))
                .env("PATH", &bare)
                .env("LOG", bare.join("log")),
        )
    };
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();

    let output = setup(1000);
    assert!(!output.status.success(), "{output:?}");
    assert!(
        said(&output).contains("sudo apt-get install check g++"),
        "{output:?}"
    );
    assert!(!bare.join("log").exists(), "not even tried");

    let output = setup(0);
    assert!(output.status.success(), "{output:?}");
    assert!(
        said(&output).ends_with("apt-get installs: 47 newly installed\nNeed to get 81 MB\n"),
        "{output:?}"
    );
    let installed = fs::read_to_string(bare.join("log")).expect("what was installed");
    assert!(
        installed.contains(" valgrind ") && installed.contains(" iproute2 "),
        "{installed}"
    );
    assert!(!installed.contains("abigail-tools"), "{installed}");
}

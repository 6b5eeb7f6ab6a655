//! Well-known programs under csapp-check: the same output and status as without it, and no report that is not true.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::{check, csapp_check, is_installed, scratch};

/// The program and its arguments; what it works on is made by `prepare`.
const COMMANDS: &[&[&str]] = &[
    &["ls", "-a", "files"],
    &["sort", "-n", "numbers"],
    &["cat", "numbers", "numbers"],
    &["grep", "-c", "7", "numbers"],
    &["wc", "numbers"],
    &["head", "-3", "numbers"],
    &["tail", "-3", "numbers"],
    &["cut", "-c1", "numbers"],
    &["uniq", "-c", "numbers"],
    &["sed", "-n", "5,10p", "numbers"],
    &["awk", "{ s += $1 } END { print s }", "numbers"],
    &["find", "files", "-type", "f"],
    &["diff", "numbers", "files/1"],
    &["cmp", "numbers", "numbers"],
    &["tar", "cf", "/dev/null", "files"],
    &["gzip", "-c", "numbers"],
    &["xz", "-c", "numbers"],
    &["md5sum", "numbers"],
    &["stat", "-c", "%s", "numbers"],
    &["paste", "files/1", "files/2", "files/3"],
    &["join", "files/1", "files/2"],
    &["comm", "files/1", "files/2"],
    &["split", "-l", "5000", "numbers", "part."],
    &[
        "dd",
        "if=numbers",
        "of=/dev/null",
        "bs=1k",
        "count=3",
        "status=none",
    ],
    &["cp", "-r", "files", "copy"],
    &["rm", "-rf", "copy"],
    &["mkdir", "-p", "a/b"],
    &["env", "-i", "/bin/echo", "hello"],
    &["timeout", "5", "sleep", "0.01"],
    &["nice", "ls", "files"],
    &["dash", "-c", "echo a | cat; (exit 3)"],
    &["make", "-s"],
    &["gcc", "hello.c", "-o", "hello"],
    &["clang", "hello.c", "-o", "hello"],
    &["git", "--version"],
    &[
        "python3",
        "-c",
        "import subprocess; print(subprocess.run(['ls', 'files'], capture_output=True).stdout)",
    ],
    &[
        "perl",
        "-e",
        "open F, 'numbers'; print scalar(<F>); system('echo hi'); print `ls files`",
    ],
    &[
        "sqlite3",
        ":memory:",
        "create table t(a); insert into t values (1); select * from t",
    ],
    &["curl", "-s", "file:///etc/hostname"],
    &["openssl", "dgst", "-sha256", "numbers"],
    &["file", "hello.c"],
    &["objdump", "-h", "/bin/true"],
    &["readelf", "-h", "/bin/true"],
    &["strings", "/bin/true"],
];

fn prepare(dir: &Path) {
    let numbers = |from: u32, to: u32| (from..to).map(|n| format!("{n}\n")).collect::<String>();
    fs::create_dir(dir.join("files")).expect("a new directory");
    fs::write(dir.join("numbers"), numbers(1, 20_000)).expect("a new file");
    for n in 1..4 {
        fs::write(dir.join(format!("files/{n}")), numbers(n * 100, 400)).expect("a new file");
    }
    fs::write(dir.join("hello.c"), "int main(void) { return 0; }\n").expect("a new file");
    fs::write(
        dir.join("Makefile"),
        "all:\n\t@echo one; echo two\n\t@ls files | wc -l\n",
    )
    .expect("a new file");
}

/// What was looked at and is true, as two parts of a report of one kind. From binutils 2.44 on, ld ends with the
/// libraries that it has read still open.
const TRUE: [[&str; 2]; 1] = [[
    " in libbfd",
    "descriptors opened here by fopen are still open",
]];

#[test]
fn programs_of_the_system() {
    let dir = scratch("silence");
    prepare(&dir);
    let mut tried = 0;
    for command in COMMANDS {
        if !is_installed(command[0]) {
            continue;
        }
        tried += 1;
        let plain = Command::new(command[0])
            .args(&command[1..])
            .current_dir(&dir)
            .stdin(Stdio::null())
            .output();
        let plain = plain.expect("it is installed");
        let log = dir.join("log");
        let mut run = csapp_check();
        run.arg(format!("--log-file={}", log.display()))
            .args(*command)
            .current_dir(&dir)
            .stdin(Stdio::null());
        let watched = run.output().expect("csapp-check");
        assert_eq!(watched.stdout, plain.stdout, "{command:?}");
        assert_eq!(
            String::from_utf8_lossy(&watched.stderr),
            String::from_utf8_lossy(&plain.stderr),
            "{command:?}"
        );
        assert_eq!(watched.status, plain.status, "{command:?}");
        let said = fs::read_to_string(&log).expect("a report");
        let is_true = TRUE.iter().any(|parts| {
            parts.iter().all(|part| said.contains(part)) && said.contains("\n1 kind of fault")
        });
        assert!(said.is_empty() || is_true, "{command:?}: {said}");
    }
    assert!(tried >= 30, "only {tried} programs are installed");
}

/// bash does close a pipe twice in a child, as strace shows: that report is true.
#[test]
fn bash_closes_a_pipe_twice() {
    let checked = check(
        &[],
        &[
            "bash",
            "-c",
            "f() { cat; }; echo $(echo 1 | f); ls | wc -l; (exit 3)",
        ],
        "",
    );
    assert_eq!(checked.output.status.code(), Some(3));
    assert!(
        checked.kinds().iter().all(|kind| *kind == "double-close"),
        "{}",
        checked.log
    );
}

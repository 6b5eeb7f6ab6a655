//! The command line: options, exit statuses, signals, and what is said where a program cannot be watched.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::support::{c, check, csapp_check, program};
use crate::common;
use crate::common::{Link, links, root, run_with, scratch, skipped};

fn run(arguments: &[&str]) -> Output {
    run_with(csapp_check().args(arguments), "")
}

/// The directory with the library and csapp-check, as `make` leaves them.
fn built() -> &'static Path {
    common::csapp_check().parent().expect("its directory")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A program with a fault that nothing prevents it from going on after.
fn faulty(name: &str) -> String {
    let source = r#"
#include "csapp.h"
static void twice(int fd)
{
    close(fd);
    close(fd);
}
int main(void)
{
    twice(dup(0));
    return 7;
}
"#;
    program(name, source, Link::Object)
        .to_str()
        .expect("UTF-8")
        .to_owned()
}

#[test]
fn status_is_the_programs() {
    assert_eq!(run(&["sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(run(&["true"]).status.code(), Some(0));
    let output = run(&["sh", "-c", "kill -TERM $$"]);
    assert_eq!(output.status.signal(), Some(libc::SIGTERM), "{output:?}");
}

#[test]
fn error_exitcode_only_with_reports() {
    let program = faulty("exitcode");
    assert_eq!(run(&[&program]).status.code(), Some(7));
    assert_eq!(
        run(&["--error-exitcode=99", &program]).status.code(),
        Some(99)
    );
    assert_eq!(
        run(&["--error-exitcode=99", "sh", "-c", "exit 3"])
            .status
            .code(),
        Some(3)
    );
}

#[test]
fn bad_options_are_told_and_end_with_2() {
    for bad in [
        &["--nonsense", "true"] as &[&str],
        &[],
        &["--error-exitcode=x", "true"],
        &["--chaos-faults", "true"],
    ] {
        let output = run(bad);
        assert_eq!(output.status.code(), Some(2), "{bad:?}: {output:?}");
        assert!(!said(&output).is_empty(), "{bad:?}");
    }
}

#[test]
fn what_cannot_run_is_told() {
    let output = run(&["/nowhere/program"]);
    assert_eq!(output.status.code(), Some(127));
    assert!(said(&output).contains("/nowhere/program: "), "{output:?}");
    let output = run(&["/etc/passwd"]);
    assert_eq!(output.status.code(), Some(126));
    assert!(said(&output).contains("not executable"), "{output:?}");
}

#[test]
fn a_seed_after_a_blank_is_told() {
    let output = run(&["--chaos", "7", "true"]);
    assert_eq!(output.status.code(), Some(127));
    let expected = "csapp-check: 7: no such program in PATH; if it is the seed, write --chaos=7\n";
    assert_eq!(said(&output), expected);
    for other in [
        &["7", "true"] as &[&str],
        &["--chaos=3", "7"],
        &["--chaos", "seven"],
    ] {
        assert!(!said(&run(other)).contains("seed"), "{other:?}");
    }
}

#[test]
fn static_program_is_told_in_one_line() {
    if !links("cc", "-static") {
        return;
    }
    let dir = scratch("static");
    fs::write(dir.join("s.c"), "int main(void) { return 0; }\n").expect("a new file");
    let program = c(dir.join("s.c")).flags(["-static"]).link(Link::Static);
    let program = program.build(&dir);
    let program = program.to_str().expect("UTF-8");
    let output = run(&[program]);
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    assert!(said(&output).contains("linked statically"), "{output:?}");
    assert_eq!(said(&output).lines().count(), 1, "{output:?}");
    static_children_are_told(&dir, &said(&output));
}

/// The program `s` in `dir` is run by others, in each way and several times; what is said of it is `line`.
fn static_children_are_told(dir: &Path, line: &str) {
    const CHILDREN: &str = r#"
#include "csapp.h"
#include <spawn.h>
int main(int argc, char **argv)
{
    char *name = argv[2], *words[] = {name, NULL};
    pid_t pid = 0;
    int i;
    for (i = 0; i < 2; i++) {
        if (*argv[1] == 's' && posix_spawn(&pid, name, NULL, NULL, words, environ))
            return 1;
        if (*argv[1] == 'p' && posix_spawnp(&pid, name, NULL, NULL, words, environ))
            return 1;
        if (*argv[1] == 'v' && (pid = vfork()) == 0)
            execv(name, words), _exit(1);
        if (*argv[1] == 'f' && (pid = fork()) == 0)
            execvp(name, words), _exit(1);
        if (*argv[1] == 'l' && (pid = fork()) == 0)
            execl(name, name, (char *)NULL), _exit(1);
        waitpid(pid, NULL, 0);
    }
    return 0;
}
"#;
    let children = program("children", CHILDREN, Link::Object);
    let children = children.to_str().expect("UTF-8");
    let full = dir.join("s");
    let full = full.to_str().expect("UTF-8");
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").expect("set"));
    let of_relative = line.replace(full, &format!("{}/./s", dir.display()));
    let script = format!("{full}; {full}");
    for (command, expected) in [
        (&["sh", "-c", &script] as &[&str], line),
        (&["sh", "-c", "exec ./s"], &of_relative),
        (&["bash", "-c", "./s; ./s"], &of_relative),
        (&[children, "spawn", full], line),
        (&[children, "p", "s"], line),
        (&[children, "vfork", "./s"], &of_relative),
        (&[children, "fork", "s"], line),
        (&[children, "l", full], line),
        // What does not run is no child.
        (&[children, "vfork", "/etc/passwd"], ""),
        (&[children, "fork", "passwd-of-nobody"], ""),
        (&[children, "l", "true"], ""),
        (&[children, "fork", "true"], ""),
    ] {
        let mut check = csapp_check();
        let check = check.args(command).current_dir(dir).env("PATH", &path);
        let output = run_with(check, "");
        assert_eq!(said(&output), expected, "{command:?}");
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
}

#[test]
fn setuid_program_is_told() {
    // Only a setuid program of another user counts.
    let Some(setuid) = ["/usr/bin/passwd", "/bin/su"]
        .iter()
        .find(|path| Path::new(path).exists())
    else {
        skipped("there is no setuid program here");
        return;
    };
    // Root runs setuid programs of root like any other: nobody, where nobody can reach it.
    let dir = std::env::temp_dir().join(format!("csapp-check-setuid-{}", std::process::id()));
    fs::create_dir(&dir).expect("a new directory");
    for name in ["csapp-check", "libcsapp_check.so"] {
        fs::copy(built().join(name), dir.join(name)).expect("a copy");
    }
    for path in [
        &dir,
        &dir.join("csapp-check"),
        &dir.join("libcsapp_check.so"),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("they are ours");
    }
    // SAFETY: asks.
    let as_other = || {
        if unsafe { libc::geteuid() } == 0 {
            let mut nobody = Command::new("setpriv");
            nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            nobody.arg(dir.join("csapp-check"));
            nobody
        } else {
            Command::new(dir.join("csapp-check"))
        }
    };
    let child = format!("{setuid} --help >/dev/null; exit 3");
    let as_child = run_with(as_other().args(["sh", "-c", &child]), "");
    let output = run_with(as_other().arg(setuid), "");
    fs::remove_dir_all(&dir).expect("it is there");
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    assert!(said(&output).contains("setuid"), "{output:?}");
    assert_eq!(as_child.status.code(), Some(3), "{as_child:?}");
    assert_eq!(said(&as_child), said(&output));
    // To this user it may be like any other.
    // SAFETY: asks.
    if unsafe { libc::geteuid() } == 0 {
        assert_eq!(said(&run(&["sh", "-c", &child])), "");
    }
}

#[test]
fn suppressions() {
    let program = faulty("suppressed");
    let dir = scratch("suppressions");
    let list = dir.join("list");
    let option = format!("--suppressions={}", list.display());
    for (text, is_silent) in [
        ("double-close twice\n", true),
        ("# a comment\n\n* suppressed.c:*\n", true),
        ("double-close tw*e # all of it\n", true),
        ("leak twice\n", false),
        ("double-close other\n", false),
    ] {
        fs::write(&list, text).expect("writable");
        let checked = check(&[&option], &[&program], "");
        assert_eq!(
            checked.reports().is_empty(),
            is_silent,
            "{text:?}: {}",
            checked.log
        );
    }
    fs::write(&list, "no-such-kind *\n").expect("writable");
    let output = run(&[&option, &program]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(said(&output).contains("list:1: "), "{output:?}");
}

#[test]
fn json_has_what_the_schema_says() {
    let program = faulty("schema");
    let checked = check(&[], &[&program], "");
    let json = &checked.json;
    assert_eq!(json["schema"], 1);
    assert_eq!(json["program"][0], program.as_str());
    assert_eq!(json["ended"]["status"], 7);
    let report = &checked.reports()[0];
    for key in [
        "kind", "place", "message", "evidence", "why", "count", "pid", "stacks",
    ] {
        assert!(!report[key].is_null(), "{key}: {report}");
    }
    assert_eq!(report["place"]["function"], "twice");
    assert_eq!(report["stacks"][0][0]["function"], "twice");
    assert_eq!(report["stacks"][0][1]["function"], "main");
}

/// Whether a value is as docs/report.schema.json has it. None: there is no validator here.
fn is_valid(report: &serde_json::Value) -> Option<bool> {
    const VALIDATE: &str = "import json, sys, jsonschema\n\
        schema = json.load(open(sys.argv[1]))\n\
        jsonschema.Draft202012Validator.check_schema(schema)\n\
        print(jsonschema.Draft202012Validator(schema).is_valid(json.load(sys.stdin)))";
    let schema = root().join("docs/report.schema.json");
    let mut command = Command::new("python3");
    command.args(["-c", VALIDATE]).arg(schema);
    let output = run_with(&mut command, &report.to_string());
    match output.stdout.as_slice() {
        b"True\n" => Some(true),
        b"False\n" => Some(false),
        _ => {
            assert!(said(&output).contains("No module named"), "{output:?}");
            skipped("python3-jsonschema is not installed");
            None
        }
    }
}

#[test]
fn json_is_valid_by_the_schema() {
    let program = faulty("valid");
    for command in [&[program.as_str()] as &[&str], &["sh", "-c", "kill -9 $$"]] {
        let mut report = check(&[], command, "").json;
        if is_valid(&report) == Some(false) {
            panic!("{report}");
        }
        report["ended"] = serde_json::json!({});
        assert_ne!(is_valid(&report), Some(true), "{report}");
    }
    // Each kind is in the schema.
    let mut report = check(&[], &[&program], "").json;
    let kinds = fs::read_to_string(root().join("check/src/shared.rs")).expect("text");
    let kinds = kinds
        .split("Kind {")
        .nth(1)
        .and_then(|rest| rest.split('}').next());
    for kind in kinds.expect("the list").split('"').skip(1).step_by(2) {
        report["reports"][0]["kind"] = kind.into();
        assert_ne!(is_valid(&report), Some(false), "{kind}");
    }
    report["reports"][0]["kind"] = "other".into();
    assert_ne!(is_valid(&report), Some(true));
}

/// The script of docs/grading.md, taken from the page, grades three programs.
#[test]
fn the_page_for_graders_has_a_script_that_works() {
    if !common::is_installed("jq", "jq") {
        return;
    }
    let page = fs::read_to_string(root().join("docs/grading.md")).expect("the page");
    let script = page
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let dir = scratch("grading");
    fs::write(dir.join("grade.sh"), script.expect("a script")).expect("writable");
    for file in ["csapp.h", "csapp.o"] {
        fs::copy(built().join(file), dir.join(file)).expect("built");
    }
    fs::write(dir.join("input"), "one\n").expect("writable");
    fs::write(dir.join("ignored"), "double-close main\n").expect("writable");
    for (student, source) in [
        ("alice", "lost_bytes"),
        ("bob", "closed_use"),
        ("carol", "double_close"),
    ] {
        fs::create_dir(dir.join(student)).expect("writable");
        let source = root().join(format!("examples/broken/{source}.c"));
        fs::copy(source, dir.join(student).join("proxy.c")).expect("a program");
    }
    let path = format!("{}:{}", built().display(), env!("PATH"));
    let mut command = Command::new("sh");
    command.args(["grade.sh", "alice", "bob", "carol"]);
    let output = run_with(command.current_dir(&dir).env("PATH", path), "");
    let graded = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<_> = graded.lines().collect();
    assert_eq!(lines.len(), 3, "{output:?}");
    assert!(
        lines[0].starts_with("alice: status 99, lost-bytes at proxy.c:"),
        "{graded}"
    );
    assert!(
        lines[1].starts_with("bob: status 99, closed-use at proxy.c:"),
        "{graded}"
    );
    assert!(lines[2].starts_with("carol: status "), "{graded}");
    for student in ["alice", "bob"] {
        let text = fs::read_to_string(dir.join(student).join("report.txt")).expect("a report");
        assert!(text.starts_with("proxy.c:"), "{text}");
    }
}

#[test]
fn signals_are_passed_on() {
    let source = r#"
#include "csapp.h"
static void stop(int signal)
{
    (void)signal;
    _exit(42);
}
int main(void)
{
    Signal(SIGTERM, stop);
    Write(1, "ready\n", 6);
    for (;;)
        pause();
}
"#;
    let program = program("passed_on", source, Link::Object);
    let mut child = csapp_check()
        .arg(program)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut out, &mut line).expect("text");
    assert_eq!(line, "ready\n");
    // SAFETY: a child of this test that was not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    assert_eq!(child.wait().expect("a child").code(), Some(42));
}

#[test]
fn ignored_sigpipe_stays_ignored() {
    let script = "trap '' PIPE; exec \"$0\" sh -c 'trap - PIPE; kill -PIPE $$; echo survived'";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(common::csapp_check())
        .output()
        .expect("sh");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "survived\n");
}

#[test]
fn status_shows_what_threads_wait_for() {
    let source = fs::read_to_string(root().join("examples/broken/hang.c")).expect("text");
    let line = source
        .lines()
        .position(|line| line.contains("FAULT"))
        .expect("marked")
        + 1;
    let program = program("waiting", &source, Link::Object);
    let mut child = csapp_check().arg(program).spawn().expect("it runs");
    let pid = child.id().to_string();
    let place = format!("waiting.c:{line} (main): in read, descriptor 3");
    let mut text = String::new();
    for _ in 0..200 {
        let output = run(&["--status", &pid]);
        text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.contains(&place) && text.contains("in P (sem_wait)") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // SAFETY: a child of this test that was not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    let _ = child.wait();
    assert!(text.contains(&place), "{text}");
    assert!(text.contains("in P (sem_wait)"), "{text}");
    assert!(
        text.contains("its writing end is open in process"),
        "{text}"
    );
}

#[test]
fn status_of_a_stranger() {
    let output = run(&["--status", &std::process::id().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("is not watched"), "{output:?}");
}

/// Each option of --help has an entry in the manual page, the short ones too.
#[test]
fn the_manual_has_each_option() {
    let page = root().join("check/man/csapp-check.1");
    let page = fs::read_to_string(page).expect("the page");
    let entries: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with(".It Fl "))
        .collect();
    let entries = entries.join(" ");
    let help = run(&["--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let ends = [' ', ',', '[', '='];
    // A description follows after two blanks.
    let lines = help
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'));
    let options = lines.filter_map(|line| line.split("  ").next());
    let words = options.flat_map(|line| line.split(ends).filter(|word| word.starts_with('-')));
    let mut count = 0;
    for word in words {
        let name = word.strip_prefix('-').expect("filtered");
        let mut known = entries.split([' ', ',']);
        assert!(known.any(|known| known == name), "{word}: {entries}");
        count += 1;
    }
    assert!(count >= 12, "{help}");
}

/// The library goes from function to function by jumps, and has symbols for the outermost alone.
#[test]
fn the_function_that_the_program_called_is_named() {
    const LEAKS: &str = r#"
#include "csapp.h"

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int listener = Socket(AF_INET, SOCK_STREAM, 0), i;
    char port[10];

    Listen(listener, 9);
    getsockname(listener, (SA *)&address, &len);
    sprintf(port, "%d", ntohs(address.sin_port));
    for (i = 0; i < 3; i++)
        Open_clientfd("localhost", port);
    for (i = 0; i < 3; i++)
        Accept(listener, NULL, NULL);
    for (i = 0; i < 3; i++)
        open("/", O_RDONLY);
}
"#;
    for link in [Link::Shared, Link::Object] {
        let leaks = program("leaks", LEAKS, link);
        let log = check(&[], &[leaks.to_str().expect("UTF-8")], "").log;
        for name in ["Open_clientfd", "Accept", "open"] {
            let part = format!(" opened here by {name} are still open");
            assert!(log.contains(&part), "{link:?}, {name}: {log}");
        }
    }
}

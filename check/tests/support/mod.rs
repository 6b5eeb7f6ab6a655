//! What the tests of csapp-check share: the command as it is installed, C programs, and what was reported.

#![allow(dead_code)] // each test binary uses its part

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The directory of the whole project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("check/ lies in the project")
}

/// The directory with the library and csapp-check, as `make` leaves them. Built on first use.
pub fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        succeed(
            Command::new("make")
                .args(["-s", "all", "csapp-check"])
                .current_dir(root()),
        );
        root().join(std::env::var_os("BUILD").unwrap_or_else(|| "build".into()))
    })
}

/// A fresh directory for what the test called `name` makes.
pub fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap_or_else(|why| panic!("{}: {why}", dir.display()));
    dir
}

/// Says what this machine leaves untested, past the test harness, which keeps what passing tests print.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

pub fn is_installed(tool: &str) -> bool {
    let mut look = Command::new("sh");
    look.args(["-c", "command -v \"$0\" >/dev/null", tool])
        .status()
        .is_ok_and(|status| status.success())
}

#[track_caller]
pub fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|why| panic!("cannot run {command:?}: {why}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// How a program gets the functions of csapp.h.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// libcsapp.so
    Shared,
    /// csapp.o
    Object,
    /// A csapp.c of its own, by the book's algorithm.
    Own,
}

/// A C compiler with its flags.
#[derive(Clone, Copy, Debug)]
pub struct Compiler(pub &'static str, pub &'static str);

impl Compiler {
    fn command(self) -> Command {
        let mut command = Command::new(self.0);
        command.args(["-g", self.1, "-Wall", "-Wno-unused-result", "-Werror"]);
        command.arg(format!("-I{}", built().display()));
        command
    }

    pub fn compile(self, source: &Path, to: &Path, flags: &[&str]) {
        succeed(
            self.command()
                .args(flags)
                .arg("-c")
                .arg(source)
                .arg("-o")
                .arg(to),
        );
    }

    pub fn link(self, object: &Path, to: &Path, link: Link) {
        self.link_with(object, to, link, &[]);
    }

    pub fn link_with(self, object: &Path, to: &Path, link: Link, flags: &[&str]) {
        let dir = built().display();
        let mut command = self.command();
        command
            .args(flags)
            .arg(object)
            .arg("-o")
            .arg(to)
            .arg("-pthread");
        match link {
            Link::Shared => command.args([
                format!("-L{dir}"),
                "-lcsapp".into(),
                format!("-Wl,-rpath,{dir}"),
            ]),
            Link::Object => command.arg(built().join("csapp.o")),
            Link::Own => command.arg("-fcommon").arg(own_csapp(self)),
        };
        succeed(&mut command);
    }
}

/// The object of a csapp.c as courses hand it out.
fn own_csapp(compiler: Compiler) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = format!(
        "csapp-{}{}-{}.o",
        compiler.0,
        compiler.1,
        std::process::id()
    );
    let object = dir.join(name);
    if !object.exists() {
        let fresh = object.with_extension(format!("{:?}", std::thread::current().id()));
        compiler.compile(&root().join("check/tests/support/csapp.c"), &fresh, &[]);
        fs::rename(&fresh, &object).expect("the same directory");
    }
    object
}

/// Compiles and links a program of C that is given as text. Returns its path.
pub fn program(name: &str, source: &str, link: Link) -> PathBuf {
    let dir = scratch(name);
    let file = dir.join(format!("{name}.c"));
    fs::write(&file, source).expect("a new file");
    let object = dir.join("program.o");
    Compiler("cc", "-O1").compile(&file, &object, &[]);
    let program = dir.join(name);
    Compiler("cc", "-O1").link(&object, &program, link);
    program
}

/// csapp-check with its options.
pub fn csapp_check() -> Command {
    Command::new(built().join("csapp-check"))
}

/// What a run under csapp-check came to.
pub struct Checked {
    pub output: Output,
    pub json: Value,
    /// The report as text.
    pub log: String,
}

impl Checked {
    pub fn reports(&self) -> &[Value] {
        self.json["reports"]
            .as_array()
            .expect("the schema has it")
            .as_slice()
    }

    pub fn kinds(&self) -> Vec<&str> {
        self.reports()
            .iter()
            .filter_map(|report| report["kind"].as_str())
            .collect()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }
}

/// Runs a command under csapp-check, with these options and this standard input.
#[track_caller]
pub fn check(options: &[&str], command: &[&str], input: &str) -> Checked {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let base = dir.join(format!("report-{}-{number}", std::process::id()));
    let (log, json) = (base.with_extension("log"), base.with_extension("json"));
    let mut run = csapp_check();
    run.arg(format!("--log-file={}", log.display()))
        .arg(format!("--json={}", json.display()));
    let output = run_with(run.args(options).arg("--").args(command), input);
    let text =
        fs::read_to_string(&json).unwrap_or_else(|why| panic!("{command:?}: {why}: {output:?}"));
    let checked = Checked {
        output,
        json: serde_json::from_str(&text).expect("JSON"),
        log: fs::read_to_string(&log).expect("a report"),
    };
    let _ = (fs::remove_file(log), fs::remove_file(json));
    checked
}

/// Runs a command to its end, with `input` as its standard input.
#[track_caller]
pub fn run_with(command: &mut Command, input: &str) -> Output {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped
        .spawn()
        .unwrap_or_else(|why| panic!("cannot run {command:?}: {why}"));
    // Some read nothing, and have ended by now.
    let _ = child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input.as_bytes());
    child.wait_with_output().expect("the child is ours")
}

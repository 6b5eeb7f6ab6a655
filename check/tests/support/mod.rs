//! What the tests of csapp-check share: the command as it is installed, C programs, and what was reported.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::{self, run_with, scratch, succeed};
pub use common::root;

/// The directory with the library and csapp-check, as `make` leaves them. Built on first use.
pub fn built() -> &'static Path {
    common::csapp_check().parent().expect("its directory")
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

/// csapp-check with its options. Ctrl-C and Ctrl-\ reach it, also if the tests run in the background of a script.
pub fn csapp_check() -> Command {
    let mut command = Command::new(common::csapp_check());
    // SAFETY: signal may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::signal(libc::SIGQUIT, libc::SIG_DFL);
            Ok(())
        });
    }
    command
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

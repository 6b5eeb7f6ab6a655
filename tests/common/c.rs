//! C programs that the tests compile with the library as it ships.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use super::{is_installed, library, root, run, run_with, skipped};

/// The C compiler: $CC, or cc. (Of `make check-cross`: TEST_CC, since CC is for this machine.)
pub fn cc() -> Command {
    let given = std::env::var_os("TEST_CC").or_else(|| std::env::var_os("CC"));
    Command::new(given.unwrap_or_else(|| "cc".into()))
}

/// How a C program gets the functions of csapp.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// libcsapp.so
    Shared,
    /// libcsapp.a
    Static,
    /// csapp.o
    Object,
    /// The library as csapp.c.
    Source,
    /// A csapp.c of its own, as courses hand it out.
    Own,
}

impl Link {
    /// The compiler's arguments for it; they follow the source files.
    pub fn arguments(self) -> Vec<String> {
        let dir = library().display();
        match self {
            Link::Shared => vec![
                format!("-L{dir}"),
                "-lcsapp".into(),
                format!("-Wl,-rpath,{dir}"),
            ],
            Link::Static => vec![format!("{dir}/libcsapp.a")],
            Link::Object => vec![format!("{dir}/csapp.o")],
            Link::Source => vec![format!("{dir}/csapp.c")],
            Link::Own => vec![format!("{}/check/tests/support/csapp.c", root().display())],
        }
    }
}

/// A C program, and how to build it. What the compiler has to say is a failure.
#[derive(Clone, Debug)]
pub struct C {
    source: PathBuf,
    compiler: OsString,
    flags: Vec<String>,
    link: Link,
    link_flags: Vec<String>,
}

impl C {
    /// The program of this file, whose path begins at the project's directory or is absolute.
    pub fn new(source: impl AsRef<Path>) -> C {
        C {
            source: root().join(source),
            compiler: cc().get_program().into(),
            flags: Vec::new(),
            link: Link::Shared,
            link_flags: Vec::new(),
        }
    }

    /// By another compiler than [`cc`].
    pub fn compiler(mut self, name: &str) -> C {
        self.compiler = name.into();
        self
    }

    /// Flags for compiling and for linking.
    pub fn flags<F: AsRef<str>>(mut self, more: impl IntoIterator<Item = F>) -> C {
        self.flags.extend(owned(more));
        self
    }

    /// In another way than with the shared library.
    pub fn link(mut self, link: Link) -> C {
        self.link = link;
        self
    }

    /// Flags for linking alone, and other libraries.
    pub fn link_flags<F: AsRef<str>>(mut self, more: impl IntoIterator<Item = F>) -> C {
        self.link_flags.extend(owned(more));
        self
    }

    /// Builds the program in this directory. It has the name of its source.
    #[track_caller]
    pub fn build(&self, dir: &Path) -> PathBuf {
        let program = dir.join(self.source.file_stem().expect("a file"));
        let library = self.link.arguments().into_iter();
        let library = library.map(|argument| match argument.ends_with(".c") {
            true => self.object(Path::new(&argument)),
            false => argument.into(),
        });
        let mut command = self.command();
        command
            .arg(self.object(&self.source))
            .args(&self.link_flags)
            .args(library);
        silent(command.arg("-o").arg(&program));
        program
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.compiler);
        command.args(&self.flags);
        command
    }

    /// What the compiler makes of a source file. An earlier build may have left it: it is compiled again if a file that it
    /// reads has changed since.
    #[track_caller]
    fn object(&self, source: &Path) -> PathBuf {
        let mut command = self.command();
        command
            .args(["-Werror", "-c", &format!("-I{}", library().display())])
            .arg(source);
        let written = format!("{command:?}");
        let mut hash = DefaultHasher::new();
        written.hash(&mut hash);
        let stem = source.file_stem().expect("a file").to_string_lossy();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("objects")
            .join(format!("{stem}-{:x}", hash.finish()));
        let [object, fresh, reads, begun] =
            ["object.o", "object.fresh", "object.d", "command"].map(|file| dir.join(file));

        // Other tests may want the same one at the same time.
        static LOCKS: Mutex<BTreeMap<PathBuf, Arc<Mutex<()>>>> = Mutex::new(BTreeMap::new());
        let mut locks = LOCKS.lock().expect("nothing panics with the lock held");
        let lock = locks.entry(dir.clone()).or_default().clone();
        drop(locks);
        let _held = lock.lock().unwrap_or_else(PoisonError::into_inner);

        let changed = |path: &Path| path.metadata().map(|it| (it.ctime(), it.ctime_nsec()));
        let is_left = || {
            let begun_at = changed(&begun)?;
            let reads = fs::read_to_string(&reads)?;
            let files = reads.split([' ', '\n', '\\']);
            let mut files = files.filter(|word| !word.is_empty()).skip(1);
            let is_older = |file| changed(Path::new(file)).is_ok_and(|at| at < begun_at);
            Ok::<bool, std::io::Error>(changed(&object)? > begun_at && files.all(is_older))
        };
        if !is_left().unwrap_or(false) {
            fs::create_dir_all(&dir).expect("a directory");
            fs::write(&begun, written).expect("a file");
            silent(command.args(["-MD", "-o"]).arg(&fresh));
            fs::rename(&fresh, &object).expect("a new name");
        }
        object
    }
}

fn owned<F: AsRef<str>>(flags: impl IntoIterator<Item = F>) -> impl Iterator<Item = String> {
    flags.into_iter().map(|flag| flag.as_ref().to_owned())
}

/// Runs a compiler that is to succeed and to say nothing.
#[track_caller]
fn silent(command: &mut Command) {
    let output = run(command);
    let said = String::from_utf8_lossy(&output.stderr);
    let is_silent = output.status.success() && said.is_empty();
    assert!(is_silent, "{command:?}: {}\n{said}", output.status);
}

/// Whether a compiler links with this flag; if not, says why.
pub fn links(compiler: &str, flag: &str) -> bool {
    if !is_installed(compiler, compiler) {
        return false;
    }
    let mut command = Command::new(compiler);
    command.args([flag, "-x", "c", "-", "-o", "/dev/null"]);
    let empty = run_with(&mut command, "int main(void) { return 0; }");
    if !empty.status.success() {
        skipped(&format!(
            "{compiler} {flag} does not link here (Debian: libclang-rt-dev for clang)"
        ));
    }
    empty.status.success()
}

//! Runs the program, and waits for its end.

use std::collections::{HashMap, HashSet};
use std::ffi::CString;
use std::fs::{self, File, Metadata};
use std::io::Error;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use crate::arguments::{Arguments, CANNOT_RUN, Failure, Outcome, USAGE, without_number};
use crate::ends::End;
use crate::places::Places;
use crate::report::Reporter;
use crate::shared::*;
use crate::{elf, json, memory, status, timeline};

const LIBRARY: &str = "libcsapp_check.so";
/// How often the shared memory is looked at.
const INTERVAL: Duration = Duration::from_millis(20);
/// Within so long, a second Ctrl-\ ends the program.
const TWICE: Duration = Duration::from_secs(2);

const CHAOS: u32 = 1;
const CHAOS_FAULTS: u32 = 2;

/// Returns the exit status: the program's, or the one that was asked for.
pub fn run(arguments: &Arguments) -> Outcome<i32> {
    let name = Path::new(&arguments.program[0]);
    let path = elf::find(name).map_err(|failure| hint(failure, arguments))?;
    let program = elf::check(&path)?;
    let library = library()?;
    if arguments.chaos_faults && arguments.chaos.is_none() {
        return Err(Failure::new(USAGE, "--chaos-faults needs --chaos"));
    }
    check_names(arguments)?;
    let (file, shared) = memory::create().map_err(no_memory)?;
    for path in [&arguments.json, &arguments.timeline].into_iter().flatten() {
        // Before the program runs, not after it.
        let made = File::create(path);
        made.map_err(|why| Failure::new(USAGE, format!("{}: {why}", path.display())))?;
    }
    let places = Places::new(shared);
    let mut reporter = Reporter::new(shared, &places, arguments)?;
    check_files(arguments)?;
    if let Some(seed) = arguments.chaos {
        let seed = seed.unwrap_or_else(random);
        shared.seed.set(seed);
        shared.chaos.set(
            CHAOS
                | if arguments.chaos_faults {
                    CHAOS_FAULTS
                } else {
                    0
                },
        );
        reporter.say(&format!("csapp-check: --chaos={seed}"));
    }
    shared.timeline.set(u32::from(arguments.timeline.is_some()));
    // SAFETY: asks for a number.
    shared.command.set(unsafe { libc::getpid() });
    prepare_environment(&file, &library, program.first.as_deref());
    let signals = Signals::block();
    let pid = signals.start(&path, arguments, shared)?;
    let mut watch = Watch {
        file: &file,
        shared,
        places: &places,
        signals,
        pid,
        ended: HashMap::new(),
        killed_by: HashMap::new(),
        last_quit: None,
        unended: Vec::new(),
        looked_at: HashSet::new(),
    };
    let status = watch.until_end(&mut reporter);
    reporter.tell_new(true);
    if shared.processes_seen.get() == 0 {
        reporter.say(&format!(
            "csapp-check: {} was not watched: {LIBRARY} could not start in it",
            name.display()
        ));
    }
    reporter.summary();
    if let Some(page) = &arguments.timeline {
        timeline::write(page, arguments, shared, &places, watch.unended)?;
    }
    if let Some(path) = &arguments.json {
        json::write(path, arguments, &reporter, status)?;
    }
    reporter.finish()?;
    match arguments
        .error_exitcode
        .filter(|_| !reporter.reports.is_empty())
    {
        Some(code) => Ok(i32::from(code)),
        None => Ok(as_the_program(status)),
    }
}

/// A seed is no argument of its own: --chaos may stand alone.
fn hint(mut failure: Failure, arguments: &Arguments) -> Failure {
    let name = arguments.program[0].to_string_lossy();
    if arguments.chaos == Some(None) && name.parse::<u64>().is_ok() {
        failure.text += &format!("; if it is the seed, write --chaos={name}");
    }
    failure
}

/// The options that name a file to write, as far as they are given.
fn outputs(arguments: &Arguments) -> Vec<(&'static str, &PathBuf)> {
    let all = [
        ("--log-file", &arguments.log_file),
        ("--json", &arguments.json),
        ("--timeline", &arguments.timeline),
    ];
    let given = all.into_iter();
    given
        .filter_map(|(option, path)| Some((option, path.as_ref()?)))
        .collect()
}

/// To other programs, "-" is standard output, which is the watched program's.
fn check_names(arguments: &Arguments) -> Outcome<()> {
    let dash = |(_, path): &(&str, &PathBuf)| path.as_os_str() == "-";
    match outputs(arguments).into_iter().find(dash) {
        None => Ok(()),
        Some((option, _)) => Err(Failure::new(
            USAGE,
            format!("{option}=-: standard output is the program's; ./- is a file"),
        )),
    }
}

/// Each has a file of its own, or the last would replace what the others have written. They are there by now.
fn check_files(arguments: &Arguments) -> Outcome<()> {
    let mut known = HashMap::new();
    for (option, path) in outputs(arguments) {
        let Some(file) = path.metadata().ok().filter(Metadata::is_file) else {
            continue;
        };
        if let Some(other) = known.insert((file.dev(), file.ino()), option) {
            let text = format!("{other} and {option} name one file: {}", path.display());
            return Err(Failure::new(USAGE, text));
        }
    }
    Ok(())
}

fn no_memory(why: Error) -> Failure {
    let gigabytes = size_of::<Shared>() >> 30;
    let text = without_number(&why.to_string());
    let hint = match why.raw_os_error() {
        Some(libc::ENOMEM) => " (see ulimit -v)",
        Some(libc::EFBIG) => " (see ulimit -f)",
        _ => "",
    };
    Failure::new(
        CANNOT_RUN,
        format!("cannot reserve {gigabytes} GB, of which little is used: {text}{hint}"),
    )
}

fn random() -> u64 {
    let mut bytes = [0; 4];
    // SAFETY: fills in the array.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    u64::from(u32::from_ne_bytes(bytes))
}

/// Ends as the program did: by the same signal, if it was one.
fn as_the_program(status: i32) -> i32 {
    if !libc::WIFSIGNALED(status) {
        return libc::WEXITSTATUS(status);
    }
    let signal = libc::WTERMSIG(status);
    // SAFETY: this process ends here; a core of it would replace the program's.
    unsafe {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        libc::signal(signal, libc::SIG_DFL);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut set);
        libc::sigprocmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::raise(signal);
    }
    128 + signal
}

/// The library lies beside the command, or where it was installed.
fn library() -> Outcome<PathBuf> {
    let own = std::env::current_exe().map_err(|why| Failure::new(CANNOT_RUN, why))?;
    let dir = own.parent().unwrap_or(Path::new("/"));
    let places = [
        dir.join(LIBRARY),
        dir.join("../lib/csapp-check").join(LIBRARY),
    ];
    let found = places.iter().find(|path| path.exists());
    let found = found
        .ok_or_else(|| Failure::new(CANNOT_RUN, format!("{} is missing", places[0].display())))?;
    let path = fs::canonicalize(found).map_err(|why| Failure::new(CANNOT_RUN, why))?;
    if path
        .as_os_str()
        .as_bytes()
        .iter()
        .any(|byte| b" :".contains(byte))
    {
        let text = format!(
            "{}: LD_PRELOAD takes no path with a blank or a colon in it",
            path.display()
        );
        return Err(Failure::new(CANNOT_RUN, text));
    }
    Ok(path)
}

fn prepare_environment(file: &File, library: &Path, first: Option<&str>) {
    let mut preload = std::ffi::OsString::new();
    if let Some(first) = first {
        preload.push(first);
        preload.push(":");
    }
    preload.push(library);
    if let Some(given) = std::env::var_os("LD_PRELOAD") {
        preload.push(":");
        preload.push(given);
    }
    // AddressSanitizer ends a program whose first library is not its own, as it is where a watched program runs one.
    let mut sanitizer = std::env::var_os("ASAN_OPTIONS").unwrap_or_default();
    sanitizer.push(":verify_asan_link_order=0");
    // SAFETY: this process has one thread.
    unsafe {
        std::env::set_var("ASAN_OPTIONS", sanitizer);
        std::env::set_var("LD_PRELOAD", preload);
        std::env::set_var(
            VARIABLE,
            format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()),
        );
    }
}

/// The signals of this process: all are waited for, none interrupts.
struct Signals {
    all: libc::sigset_t,
    before: libc::sigset_t,
}

impl Signals {
    fn block() -> Signals {
        // SAFETY: zero bytes are a valid set, and are filled in.
        unsafe {
            let mut signals = Signals {
                all: std::mem::zeroed(),
                before: std::mem::zeroed(),
            };
            libc::sigfillset(&mut signals.all);
            libc::sigprocmask(libc::SIG_BLOCK, &signals.all, &mut signals.before);
            signals
        }
    }

    /// Starts the program, with the signals as this process found them.
    fn start(&self, path: &Path, arguments: &Arguments, shared: &Shared) -> Outcome<i32> {
        let bad = |_| Failure::new(USAGE, "an argument has a zero byte in it");
        let file = CString::new(path.as_os_str().as_bytes()).map_err(bad)?;
        let words: Result<Vec<_>, _> = arguments
            .program
            .iter()
            .map(|word| CString::new(word.clone().into_vec()))
            .collect();
        let words = words.map_err(bad)?;
        let mut argv: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
        argv.push(std::ptr::null());
        // SAFETY: asks.
        let has_terminal = (0..3).any(|fd| unsafe { libc::isatty(fd) } == 1);
        shared.quit_is_ours.set(u32::from(has_terminal));
        // SAFETY: between fork and exec only system calls; the strings and the array outlive them.
        unsafe {
            let parent = libc::getpid();
            let pid = libc::fork();
            if pid < 0 {
                return Err(Failure::new(
                    CANNOT_RUN,
                    format!("fork: {}", Error::last_os_error()),
                ));
            }
            if pid > 0 {
                return Ok(pid);
            }
            // If this process is killed, so is the program: to whoever kills it, they are one.
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() != parent {
                libc::_exit(CANNOT_RUN);
            }
            if sigpipe_was_default() {
                libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            }
            if has_terminal {
                libc::signal(libc::SIGQUIT, libc::SIG_IGN);
            }
            for fd in (0..3).filter(|fd| CLOSED.get() >> fd & 1 != 0) {
                libc::close(fd);
            }
            libc::sigprocmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut());
            libc::execv(file.as_ptr(), argv.as_ptr());
            let why = Error::last_os_error();
            let why = without_number(&why.to_string());
            eprintln!("csapp-check: {}: {why}", path.display());
            libc::_exit(CANNOT_RUN);
        }
    }

    /// The next signal, if one comes within the interval.
    fn next(&self) -> Option<libc::siginfo_t> {
        let time = libc::timespec {
            tv_sec: 0,
            tv_nsec: INTERVAL.as_nanos() as i64,
        };
        // SAFETY: zero bytes are a valid siginfo_t, which is filled in.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            (libc::sigtimedwait(&self.all, &mut info, &time) > 0).then_some(info)
        }
    }
}

/// Rust's runtime ignores SIGPIPE before main, and opens what is closed of the descriptors 0, 1 and 2; this looks before
/// that.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;
static SIGPIPE_IGNORED: AtomicU32 = AtomicU32::new(0);
/// A bit for each.
static CLOSED: AtomicU32 = AtomicU32::new(0);

extern "C" fn look() {
    // SAFETY: zero bytes are a valid action, which is filled in.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGPIPE, std::ptr::null(), &mut action);
        SIGPIPE_IGNORED.set(u32::from(action.sa_sigaction == libc::SIG_IGN));
        for fd in (0..3).filter(|fd| libc::fcntl(*fd, libc::F_GETFD) < 0) {
            CLOSED.set(CLOSED.get() | 1 << fd);
        }
    }
}

fn sigpipe_was_default() -> bool {
    SIGPIPE_IGNORED.get() == 0
}

/// What is done while the program runs.
struct Watch<'a> {
    file: &'a File,
    shared: &'a Shared,
    places: &'a Places<'a>,
    signals: Signals,
    pid: i32,
    /// Since when.
    ended: HashMap<i32, Instant>,
    /// By which signal, as far as one was seen while they were zombies.
    killed_by: HashMap<i32, i32>,
    last_quit: Option<Instant>,
    unended: Vec<timeline::Unended>,
    /// The programs of children.
    looked_at: HashSet<PathBuf>,
}

impl Watch<'_> {
    /// Returns the program's status, as wait has it.
    fn until_end(&mut self, reporter: &mut Reporter<'_>) -> i32 {
        loop {
            if let Some(info) = self.signals.next() {
                match info.si_signo {
                    libc::SIGCHLD => (),
                    libc::SIGQUIT if info.si_code == libc::SI_KERNEL => self.quit(reporter),
                    // From a terminal or its shell, the program has it as well.
                    signal if info.si_code <= 0 => self.pass_on(signal),
                    _ => (),
                }
            }
            reporter.tell_new(false);
            status::answer(self.shared, self.places);
            let status = self.wait();
            self.collect(reporter, status);
            self.tell_unwatched(reporter, status.is_some());
            if let Some(status) = status {
                return status;
            }
        }
    }

    fn pass_on(&self, signal: i32) {
        // SAFETY: the program is this process's child, and not waited for yet.
        unsafe { libc::kill(self.pid, signal) };
    }

    fn quit(&mut self, reporter: &mut Reporter<'_>) {
        if self.last_quit.is_some_and(|last| last.elapsed() < TWICE) {
            self.pass_on(libc::SIGKILL);
        }
        self.last_quit = Some(Instant::now());
        reporter.say(&status::text(self.shared, self.places));
    }

    /// Tells of each program that a process has become, and that cannot be watched: once.
    fn tell_unwatched(&mut self, reporter: &mut Reporter<'_>, is_over: bool) {
        for program in &self.shared.programs {
            if !is_over && program.state.swap_from(READY, LOOKED_AT) {
                continue;
            }
            let path = program.path();
            let is_new = program.state.swap_from(LOOKED_AT, 0)
                || (is_over && program.state.swap_from(READY, 0));
            // It may be gone by now, as a test's programs are.
            if !is_new || !path.is_file() || !self.looked_at.insert(path.clone()) {
                continue;
            }
            match elf::check(&path) {
                Err(failure) if failure.status == CANNOT_RUN => {
                    reporter.say(&format!("csapp-check: {}", failure.text));
                }
                _ => (),
            }
        }
    }

    fn wait(&self) -> Option<i32> {
        let mut status = 0;
        // SAFETY: fills in the number.
        let pid = unsafe { libc::waitpid(self.pid, &mut status, libc::WNOHANG | libc::WUNTRACED) };
        if pid == self.pid && libc::WIFSTOPPED(status) {
            // As the program: its shell shall see that the job has stopped.
            // SAFETY: stops this process.
            unsafe { libc::raise(libc::SIGSTOP) };
            self.pass_on(libc::SIGCONT);
            return None;
        }
        (pid == self.pid).then_some(status)
    }

    /// Tells what the processes have left that have ended, and gives their records back. With the program's own
    /// status, those that are left are told of as they are.
    fn collect(&mut self, reporter: &mut Reporter<'_>, status: Option<i32>) {
        let is_over = status.is_some();
        let processes: Vec<_> = self.shared.live().collect();
        // Children first, so that their parents can be told of them.
        for process in processes.into_iter().rev() {
            let pid = process.pid.get();
            if pid == CLAIMED && !is_over {
                continue;
            }
            let state = if pid == self.pid && is_over {
                State::Gone
            } else {
                state(pid.abs())
            };
            let is_superseded = pid < 0;
            let knows_itself = process.end.get() == EXITED;
            let is_done = is_superseded
                || match state {
                    State::Alive => false,
                    State::Zombie(_) => knows_itself || is_over,
                    State::Gone => true,
                };
            if !is_superseded && !matches!(state, State::Alive) {
                self.ended.entry(pid).or_insert_with(Instant::now);
            }
            if let State::Zombie(signal @ 1..) = state {
                self.killed_by.insert(pid, signal);
            }
            if !is_done {
                continue;
            }
            let killed_by = self.killed_by.remove(&pid);
            let told = process.status.get();
            let signal = match status.filter(|_| pid == self.pid) {
                Some(status) => Some(signal_of(status)),
                None if knows_itself => Some(0),
                None if told > 0 => Some(signal_of(told - 1)),
                None => killed_by,
            };
            reporter.tell_new(false);
            reporter.tell_end(&End {
                process,
                signal,
                ended: &self.ended,
                places: self.places,
            });
            self.unended.extend(timeline::unended(self.shared, process));
            memory::recycle(self.file, self.shared, process);
        }
    }
}

enum State {
    Alive,
    /// With the signal that killed it, if one did.
    Zombie(i32),
    Gone,
}

fn state(pid: i32) -> State {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return State::Gone;
    };
    let Some((_, rest)) = stat.rsplit_once(')') else {
        return State::Alive;
    };
    let rest = rest.trim();
    if !rest.starts_with(['Z', 'X']) {
        return State::Alive;
    }
    // The last field is what its parent will get from wait.
    let status = rest.rsplit(' ').next().and_then(|last| last.parse().ok());
    State::Zombie(status.map_or(0, signal_of))
}

/// The signal that killed a process with this status; 0 if none did.
fn signal_of(status: i32) -> i32 {
    if libc::WIFSIGNALED(status) {
        libc::WTERMSIG(status)
    } else {
        0
    }
}

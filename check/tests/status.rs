//! Where does it hang? By --status and by Ctrl-\ at a terminal: each way to wait is told, with its place, for what it
//! waits, and who has the other end.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::support::{c, csapp_check, program};
use crate::common::{Link, root, run_with, scratch};

/// More than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program of check/tests/programs, and the lines that are marked in it.
struct Marked {
    name: &'static str,
    source: String,
    program: PathBuf,
}

impl Marked {
    fn new(name: &'static str, link: Link) -> Marked {
        let source = root().join(format!("check/tests/programs/{name}.c"));
        let source = fs::read_to_string(source).expect("text");
        let program = program(&format!("{name}_{link:?}"), &source, link);
        Marked {
            name,
            source,
            program,
        }
    }

    /// "NAME.c:LINE", as the program was compiled.
    fn place(&self, mark: &str) -> String {
        let is_it = |line: &str| line.contains(&format!("/* MARK {mark} */"));
        let index = self.source.lines().position(is_it);
        let line = index.unwrap_or_else(|| panic!("{}: no {mark}", self.name)) + 1;
        let file = self.program.file_name().expect("a name").to_string_lossy();
        format!("{file}.c:{line}")
    }
}

/// Ends a csapp-check, what it watches and their children.
struct Killed(Child);

impl Killed {
    /// Runs the program under csapp-check, with nothing to read.
    fn run(program: &Path) -> Killed {
        let mut command = csapp_check();
        command.arg(program).stdin(Stdio::null()).process_group(0);
        Killed(command.spawn().expect("it runs"))
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        // SAFETY: a process group that this test has made, whose leader was not waited for.
        unsafe { libc::kill(-(self.0.id() as i32), libc::SIGKILL) };
        let _ = self.0.wait();
    }
}

fn status(pid: u32) -> String {
    let output = run_with(csapp_check().args(["--status", &pid.to_string()]), "");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What --status says of a program once all of it waits: as soon as it says all of this.
fn status_with(watched: &Killed, wanted: &[String]) -> String {
    let start = Instant::now();
    loop {
        let text = status(watched.0.id());
        let missing: Vec<_> = wanted
            .iter()
            .filter(|wanted| !text.contains(wanted.as_str()))
            .collect();
        if missing.is_empty() {
            return text;
        }
        assert!(start.elapsed() < PATIENCE, "{missing:#?} not in:\n{text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn every_wait(link: Link) {
    let waits = Marked::new("waits", link);
    let watched = Killed::run(&waits.program);
    let at = |mark: &str| waits.place(mark);
    let wanted = [
        format!(
            "{} (takes_first): in pthread_mutex_lock, for ",
            at("second")
        ),
        format!(
            "{} (takes_second): in pthread_mutex_lock, for ",
            at("first")
        ),
        format!(
            "{} (waits_for_condition): in pthread_cond_wait, for ",
            at("cond")
        ),
        "      it waits for condition (0x".into(),
        format!(
            "{} (reads_locked): in pthread_rwlock_rdlock, for ",
            at("rwlock")
        ),
        format!(
            "{} (at_barrier): in pthread_barrier_wait, for ",
            at("barrier")
        ),
        format!(
            "{} (joins): in Pthread_join (pthread_join), for ",
            at("join")
        ),
        format!(", created at {} (main)", at("created")),
        format!(
            "{} (waits_for_child): in Waitpid (waitpid), for ",
            at("waitpid")
        ),
        format!(", forked at {} (waits_for_child), which runs", at("fork")),
        format!("{} (waits_for_child): in pause, for ", at("pause")),
        format!("{} (polls): in poll, for ", at("poll")),
        format!("{} (selects): in Select (select), for ", at("select")),
        format!("{} (epolls): in epoll_wait, for ", at("epoll")),
        format!(
            "{} (reads_lines): in Rio_readlineb (read), descriptor ",
            at("server")
        ),
        format!(
            "a rio_t that is initialised at {} (reads_lines) holds ",
            at("init")
        ),
        format!("{} (asks): in Read (read), descriptor ", at("client")),
        format!(
            "{} (accepts): in Accept (accept), descriptor ",
            at("accept")
        ),
        ": in the program's own code\n".into(),
        " and 12 more: ".into(),
    ];
    let text = status_with(&watched, &wanted);
    let lines: Vec<_> = text.lines().collect();
    // What is said below the line of a wait.
    let below = |mark: &str| -> Vec<&str> {
        let start = lines
            .iter()
            .position(|line| line.starts_with("  thread") && line.contains(&at(mark)))
            .unwrap_or_else(|| panic!("{mark}: {text}"));
        let end = lines[start + 1..]
            .iter()
            .position(|line| !line.starts_with("      "));
        lines[start + 1..][..end.unwrap_or(lines.len() - start - 1)].to_vec()
    };
    let says = |mark: &str, what: &str| {
        let lines = below(mark);
        assert!(
            lines.iter().any(|line| line.contains(what)),
            "{mark}: {what:?} is not in {lines:#?}\n{text}"
        );
    };
    // Each of the two waits for the other.
    says("second", "it waits for second (0x");
    says("second", ", which thread ");
    says("second", "deadlock: thread ");
    says("first", "deadlock: thread ");
    assert!(!below("cond").iter().any(|line| line.contains("deadlock")));
    // Twenty threads have one story.
    let stories = lines.iter().filter(|line| line.contains(&at("sem")));
    assert_eq!(stories.count(), 1, "{text}");
    says("sem", &format!("called from {} (semaphore)", at("caller")));
    says("sem", "it waits for buffer+8 (0x");
    for mark in ["poll", "select", "epoll"] {
        says(mark, ", to be read, is a pipe's reading end, from pipe at ");
        says(mark, "its writing end is open in process ");
        assert!(
            !below(mark).iter().any(|line| line.contains("and ")),
            "{text}"
        );
    }
    says("server", "is a connection to 127.0.0.1:");
    says("server", "holds 0 unread bytes of it");
    says("client", "is a connection to 127.0.0.1:");
    says("client", &at("connect"));
    for mark in ["server", "client"] {
        says(mark, "no bytes are on their way, and both ends are open");
        says(mark, "its other end is descriptor ");
    }
    says("accept", "is listening on ");
}

#[test]
fn every_wait_shared() {
    every_wait(Link::Shared);
}

#[test]
fn every_wait_object() {
    every_wait(Link::Object);
}

/// The csapp-check that runs the program answers; if it cannot, --status looks by itself.
/// What was a rio_t on the stack of a function that has returned is something else by now.
#[test]
fn a_reader_that_is_gone_holds_nothing() {
    let source = r#"
#include "csapp.h"
__attribute__((noinline)) static void reads_line(int fd)
{
    char line[MAXLINE];
    rio_t rio;
    Rio_readinitb(&rio, fd);
    Rio_readlineb(&rio, line, MAXLINE);
}
__attribute__((noinline)) static int overwrites(void)
{
    volatile char bytes[40000];
    int i;
    for (i = 0; i < 40000; i++)
        bytes[i] = 'A';
    return bytes[i - 1];
}
int main(void)
{
    int ends[2];
    char byte;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    write(ends[1], "line\n", 5);
    reads_line(ends[0]);
    overwrites();
    read(ends[0], &byte, 1);
    return 0;
}
"#;
    let watched = Killed::run(&program("gone", source, Link::Object));
    let said = status_with(&watched, &["in read, descriptor 3".into()]);
    assert!(!said.contains("a rio_t"), "{said}");
}

#[test]
fn a_stopped_csapp_check_is_not_needed() {
    let watched = Killed::run(&quits().program);
    let waits = [format!("{} (main): in Read (read)", quits().place("read"))];
    let asked = status_with(&watched, &waits);
    // SAFETY: a child of this test that was not waited for.
    unsafe { libc::kill(watched.0.id() as i32, libc::SIGSTOP) };
    let alone = status(watched.0.id());
    assert_eq!(without_numbers(&alone), without_numbers(&asked));
}

/// The end of a connection is no byte to be read, and the bytes before it are counted.
#[test]
fn a_peer_that_has_closed() {
    let source = r#"
#include "csapp.h"
#include <poll.h>
int main(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listenfd = Open_listenfd("0"), i, fds[2];
    char port[16];
    struct pollfd never[2];

    getsockname(listenfd, (SA *)&address, &length);
    sprintf(port, "%d", ntohs(address.sin_port));
    for (i = 0; i < 2; i++) {
        int client = Open_clientfd("127.0.0.1", port);

        fds[i] = Accept(listenfd, NULL, NULL);
        Rio_writen(client, "abc", (size_t)(3 * i));
        Close(client);
        never[i].fd = fds[i];
        never[i].events = POLLPRI;
    }
    poll(never, 2, -1);
    return 0;
}
"#;
    let watched = Killed::run(&program("peer_closed", source, Link::Object));
    let left = "      3 bytes wait here to be read; the other end has closed\n".to_owned();
    let said = status_with(&watched, &[left]);
    assert!(said.contains("      the other end has closed\n"), "{said}");
}

/// A thread that makes call after call is told of in one of them: its name, descriptor and place belong together.
#[test]
fn a_thread_that_spins() {
    let source = r#"
#include "csapp.h"
static void *spins(void *unused)
{
    char byte;

    for (;;) {
        read(10, &byte, 1);
        write(11, &byte, 1);
    }
    return unused;
}
int main(void)
{
    pthread_t thread;

    Dup2(Open("/dev/zero", O_RDONLY, 0), 10);
    Dup2(Open("/dev/null", O_WRONLY, 0), 11);
    Pthread_create(&thread, NULL, spins, NULL);
    Pthread_join(thread, NULL);
    return 0;
}
"#;
    let place = |call: &str| {
        let index = source.lines().position(|line| line.contains(call));
        format!(".c:{} (spins)", index.expect("it is made") + 1)
    };
    let calls = [
        (place("read("), ": in read, descriptor 10"),
        (place("write("), ": in write, descriptor 11"),
    ];
    let watched = Killed::run(&program("spins", source, Link::Object));
    status_with(&watched, &["(spins)".into()]);
    let mut found = 0;
    for _ in 0..20 {
        let said = status(watched.0.id());
        for line in said.lines().filter(|line| line.contains("(spins): in ")) {
            let is_true = calls
                .iter()
                .any(|(place, call)| line.contains(&format!("{place}{call}")));
            assert!(is_true, "{line}");
            found += 1;
        }
    }
    assert!(found > 0, "it was never in a call");
}

/// A write that stdio makes is a wait like another one.
#[test]
fn a_write_of_libc() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    static char text[1 << 20];
    int ends[2];

    if (pipe(ends) < 0)
        unix_error("pipe");
    Dup2(ends[1], STDOUT_FILENO);
    Close(ends[1]);
    memset(text, 'x', sizeof text - 1);
    fputs(text, stdout);
    return 0;
}
"#;
    let watched = Killed::run(&program("fills", source, Link::Object));
    let wanted = [
        ": in write, which a function of libc has called, descriptor 1",
        "      its reading end is open in process ",
    ];
    status_with(&watched, &wanted.map(str::to_owned));
}

/// What a document shows after `start`, up to the end of the block.
fn transcript(document: &str, start: &str) -> String {
    let text = fs::read_to_string(root().join(document)).expect("the document");
    let (_, shown) = text.split_once(start).expect("the transcript");
    let (shown, _) = shown.split_once("```").expect("the end of it");
    shown.to_owned()
}

/// What docs/checking.md shows is what is said, but for the numbers of processes, addresses and seconds.
#[test]
fn the_page_shows_what_is_said() {
    let shown = transcript("docs/checking.md", "$ csapp-check ./hang\n^\\");
    let source = root().join("examples/broken/hang.c");
    let source = fs::read_to_string(source).expect("the program");
    let watched = Killed::run(&program("hang", &source, Link::Object));
    let waits = [": in read, descriptor 3", "in P (sem_wait)"];
    let said = status_with(&watched, &waits.map(str::to_owned));
    assert_eq!(without_numbers(&said), without_numbers(&shown));
}

/// The README's proxy: the report as it is written while the program runs, and where it hangs after that.
#[test]
fn the_readme_shows_what_is_said() {
    let shown = transcript("README.md", "$ csapp-check ./proxy 15213\n");
    let (report, waits) = shown.split_once("^\\").expect("Ctrl-\\");
    let source = root().join("examples/broken/proxy.c");
    let dir = scratch("readme");
    let proxy = c(&source).link(Link::Object).build(&dir);
    let source = fs::read_to_string(source).expect("the program");

    let origin = TcpListener::bind("127.0.0.1:0").expect("a port");
    let unused = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = unused.local_addr().expect("its port").port();
    drop(unused);
    let log = dir.join("log");
    let mut command = csapp_check();
    command.arg(format!("--log-file={}", log.display()));
    command.arg(proxy).arg(port.to_string()).process_group(0);
    let watched = Killed(command.spawn().expect("it runs"));
    status_with(&watched, &["in Accept".to_owned()]);
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let origin = origin.local_addr().expect("its port");
    let request = format!("GET http://{origin}/ HTTP/1.0\r\nHost: {origin}\r\n\r\n");
    client.write_all(request.as_bytes()).expect("it reads"); // all at once
    let said = status_with(&watched, &["in Rio_readlineb".to_owned()]);

    let said = without_numbers(&said);
    assert!(said.starts_with(&without_numbers(waits)), "{said}");
    let start = Instant::now();
    let written = loop {
        let written = fs::read_to_string(&log).expect("the log");
        if written.lines().count() >= report.lines().count() || start.elapsed() > PATIENCE {
            break written;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(without_numbers(&written), without_numbers(report));
    let place = "examples/broken/proxy.c's fault is not in the README";
    let fault = source.lines().position(|line| line.contains("FAULT"));
    let fault = fault.expect("marked") + 1;
    assert!(report.starts_with(&format!("proxy.c:{fault}: ")), "{place}");
}

fn without_numbers(text: &str) -> String {
    let is_number = |word: &str| {
        let digits = word.trim_matches(|c: char| "(),.:".contains(c));
        digits.starts_with("0x") || digits.parse::<f64>().is_ok()
    };
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        if is_number(word.trim_end()) {
            "N "
        } else {
            word
        }
    });
    words.collect()
}

/// csapp-check at a terminal of its own.
struct Terminal {
    watched: Killed,
    master: File,
    said: String,
}

fn quits() -> &'static Marked {
    static QUITS: OnceLock<Marked> = OnceLock::new();
    QUITS.get_or_init(|| Marked::new("quits", Link::Object))
}

impl Terminal {
    fn new(way: &str) -> Terminal {
        let (mut master, mut slave) = (-1, -1);
        // SAFETY: fills in the two numbers, of new descriptors that are nobody else's.
        let (master, slave) = unsafe {
            let (name, settings, size) = (
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            );
            assert_eq!(
                libc::openpty(&mut master, &mut slave, name, settings, size),
                0
            );
            libc::fcntl(master, libc::F_SETFD, libc::FD_CLOEXEC);
            (File::from_raw_fd(master), File::from_raw_fd(slave))
        };
        let end = || Stdio::from(slave.try_clone().expect("a descriptor"));
        let mut command = csapp_check();
        command.arg(&quits().program).arg(way);
        command.stdin(end()).stdout(end()).stderr(end());
        // SAFETY: two system calls, which make the terminal that of a new session.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let watched = Killed(command.spawn().expect("it runs"));
        drop(slave);
        let mut terminal = Terminal {
            watched,
            master,
            said: String::new(),
        };
        terminal.reads("ready");
        terminal
    }

    fn types(&mut self, text: &[u8]) {
        self.master.write_all(text).expect("a terminal");
    }

    /// Reads until the terminal shows this. Returns what it has shown since.
    #[track_caller]
    fn reads(&mut self, wanted: &str) -> String {
        let start = Instant::now();
        while !self.said.contains(wanted) {
            self.reads_for(Duration::from_millis(50));
            assert!(
                start.elapsed() < PATIENCE,
                "{wanted:?} not in: {}",
                self.said
            );
        }
        std::mem::take(&mut self.said)
    }

    fn reads_for(&mut self, time: Duration) {
        let start = Instant::now();
        while let Some(left) = time.checked_sub(start.elapsed()) {
            let mut ready = libc::pollfd {
                fd: self.master.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            };
            let mut bytes = [0; 4096];
            // SAFETY: one entry.
            if unsafe { libc::poll(&mut ready, 1, left.as_millis() as i32 + 1) } == 1 {
                let count = self.master.read(&mut bytes).unwrap_or(0);
                self.said += &String::from_utf8_lossy(&bytes[..count]);
                if count == 0 {
                    return;
                }
            }
        }
    }

    /// Ctrl-\ tells where the program waits, and it goes on waiting there.
    #[track_caller]
    fn tells_on_quit(&mut self) -> String {
        let place = format!(
            "{} (main): in Read (read), descriptor ",
            quits().place("read")
        );
        let mut said = String::new();
        let start = Instant::now();
        // It may be on its way to the call.
        while !said.contains(&place) {
            assert!(start.elapsed() < PATIENCE, "{place} not in: {said}");
            self.types(b"\x1c");
            said = self.reads("thread");
            // The second one within two seconds would be its end.
            self.reads_for(Duration::from_millis(2100));
            said += &std::mem::take(&mut self.said);
        }
        // SAFETY: a child of this test that was not waited for.
        assert_eq!(unsafe { libc::kill(self.watched.0.id() as i32, 0) }, 0);
        assert!(matches!(self.watched.0.try_wait(), Ok(None)), "{said}");
        said
    }
}

#[test]
fn ctrl_backslash_tells_and_the_second_one_kills() {
    let mut terminal = Terminal::new("");
    terminal.tells_on_quit();
    terminal.types(b"\x1c");
    terminal.reads("thread");
    terminal.types(b"\x1c");
    let status = terminal.watched.0.wait().expect("a child");
    assert_eq!(status.signal(), Some(libc::SIGKILL));
}

#[test]
fn ctrl_backslash_with_a_program_that_ignores_it() {
    Terminal::new("ignores").tells_on_quit();
}

#[test]
fn ctrl_backslash_with_a_program_that_handles_it() {
    let said = Terminal::new("handles").tells_on_quit();
    assert!(said.contains("caught"), "{said}");
}

#[test]
fn ctrl_backslash_with_a_program_that_blocks_all_signals() {
    Terminal::new("blocks").tells_on_quit();
}

#[test]
fn ctrl_backslash_tells_of_children() {
    let said = Terminal::new("forks").tells_on_quit();
    let processes = said.matches("process ").count();
    assert!(processes >= 2, "{said}");
}

//! The servers of examples/ under load and with hostile clients: a thousand connections at once with every byte
//! compared, clients that never end a line, clients that vanish at every possible moment. Each time the next client
//! is served, and no descriptor, thread or process is left over.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common;
use crate::common::server::Server;
use crate::common::{C, Link};

/// How long anything may take. Only what hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a program is compiled.
#[derive(Clone, Copy, Debug)]
enum Build {
    Plain(Link),
    Sanitized,
}

const SHARED: Build = Build::Plain(Link::Shared);
const STATIC: Build = Build::Plain(Link::Static);

/// Compiles a C file of the project into a directory of its own.
fn compile(source: &str, build: Build) -> PathBuf {
    let (link, flags) = match build {
        Build::Plain(link) => (link, "-O2"),
        Build::Sanitized => (Link::Static, "-fsanitize=address,undefined"),
    };
    C::new(source)
        .flags(["-std=gnu11", "-g", flags, "-Wall", "-Wextra"])
        .link(link)
        .build(&common::scratch("load"))
}

/// Starts a server of examples/, on a port that the system chooses.
fn serve(name: &str, build: Build, before: &[&str], after: &[&str]) -> Server {
    let program = compile(&format!("examples/{name}.c"), build);
    let dir = program.parent().expect("its directory");
    Server::start(
        Command::new(&program)
            .args(before)
            .arg("0")
            .args(after)
            .env("ASAN_OPTIONS", "detect_leaks=0"),
        dir,
    )
}

/// The servers that echo lines, but for the one that serves one client after the other.
const ECHO_SERVERS: [&str; 5] = [
    "echoserver",
    "echoserver_process",
    "echoserver_prethreaded",
    "echoserver_select",
    "echoserver_epoll",
];

/// Starts an echo server that can serve `clients` at once.
fn serve_echo(name: &str, build: Build, clients: usize) -> Server {
    let threads = clients.to_string();
    let after: &[&str] = match name {
        "echoserver_prethreaded" => &[&threads],
        _ => &[],
    };
    serve(name, build, &[], after)
}

/// Has `clients` clients at once send some `bytes` bytes each to an echo server and compare what comes back.
fn crowd(program: &Path, server: &Server, clients: usize, bytes: usize) -> String {
    const ADDRESSES: usize = 5;
    common::succeed(
        Command::new(program)
            .arg(server.port.to_string())
            .args([clients, ADDRESSES, bytes].map(|number| number.to_string())),
    )
}

/// Lets this process and its children have as many descriptors as they may. False, and a line that says so,
/// where that is fewer than `needed`.
fn can_have_descriptors(needed: usize) -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: both calls get a valid structure, and keep no pointer to it.
    let outcome = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit)
    };
    assert_eq!(outcome, 0, "a limit may be raised up to the hard one");
    let enough = limit.rlim_max >= needed as libc::rlim_t;
    if !enough {
        common::skipped(&format!(
            "{needed} descriptors are needed, the hard limit is {}",
            limit.rlim_max
        ));
    }
    enough
}

/// What a server holds: descriptors, threads, and children that live or have not been waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Footprint {
    descriptors: usize,
    threads: usize,
    children: usize,
}

impl Footprint {
    fn of(server: &Server) -> Footprint {
        let pid = server.id();
        let entries = |of: &str| {
            let dir = format!("/proc/{pid}/{of}");
            fs::read_dir(dir).expect("the server lives").count()
        };
        let parent = |process: fs::DirEntry| {
            let stat = fs::read_to_string(process.path().join("stat")).ok()?;
            let behind_name = &stat[stat.rfind(')')? + 2..];
            behind_name.split(' ').nth(1)?.parse().ok()
        };
        let processes = fs::read_dir("/proc").expect("/proc");
        Footprint {
            descriptors: entries("fd"),
            threads: entries("task"),
            children: processes
                .filter_map(|process| parent(process.ok()?))
                .filter(|parent: &u32| *parent == pid)
                .count(),
        }
    }

    /// Waits until `server` holds what it held before.
    #[track_caller]
    fn expect_again(self, server: &Server) {
        let start = Instant::now();
        loop {
            let now = Footprint::of(server);
            if now == self {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{self:?} before, {now:?} now");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A crowd at an echo server, and nothing left of it.
fn echo_a_crowd(name: &str, build: Build, clients: usize, bytes: usize) {
    if !can_have_descriptors(clients + 100) {
        return;
    }
    let program = compile("c_tests/programs/crowd.c", build);
    let server = serve_echo(name, build, clients);
    let before = Footprint::of(&server);
    let start = Instant::now();
    let said = crowd(&program, &server, clients, bytes);
    println!("{name}, {build:?}: {:.1?}: {said}", start.elapsed());
    before.expect_again(&server);
    assert_eq!(server.said(), "", "{name}");
}

macro_rules! crowds {
    ($($name:ident $build:ident $server:literal;)+) => {
        $(#[test]
        fn $name() {
            echo_a_crowd($server, $build, 1000, 40_000);
        })+
    };
}

mod a_thousand_clients_at_once {
    use super::*;

    crowds! {
        thread_each_shared SHARED "echoserver";
        thread_each_static STATIC "echoserver";
        process_each_shared SHARED "echoserver_process";
        process_each_static STATIC "echoserver_process";
        thread_pool_shared SHARED "echoserver_prethreaded";
        thread_pool_static STATIC "echoserver_prethreaded";
        select_shared SHARED "echoserver_select";
        select_static STATIC "echoserver_select";
        epoll_shared SHARED "echoserver_epoll";
        epoll_static STATIC "echoserver_epoll";
    }
}

#[test]
#[ignore = "a minute or two: 5,000 clients at each server"]
fn five_thousand_clients_at_once() {
    for name in ["echoserver", "echoserver_process", "echoserver_epoll"] {
        for build in [SHARED, STATIC] {
            echo_a_crowd(name, build, 5000, 100_000);
        }
    }
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
    let limit = Some(PATIENCE);
    stream.set_read_timeout(limit).expect("a time limit");
    stream.set_write_timeout(limit).expect("a time limit");
    stream
}

/// Sends all of a request and takes what comes until the server hangs up.
fn ask(server: &Server, request: &[u8]) -> Vec<u8> {
    let mut stream = connect(server);
    let mut answer = Vec::new();
    stream.write_all(request).expect("to send");
    stream.read_to_end(&mut answer).expect("an answer");
    answer
}

/// Runs `work` while `count` clients send `opening` and then a byte now and then, and never end the
/// line. What each is left with: its connection, and how many of the bytes it could send.
fn beside_slow_clients(
    server: &Server,
    count: usize,
    opening: &[u8],
    work: impl FnOnce(),
) -> Vec<(TcpStream, usize)> {
    let mut slow: Vec<_> = (0..count)
        .map(|_| {
            let mut stream = connect(server);
            stream.write_all(opening).expect("to send");
            (stream, 0)
        })
        .collect();
    let done = AtomicBool::new(false);
    let started = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for (stream, sent) in &mut slow {
                    // One that the server has hung up on has no more to say.
                    *sent += usize::from(stream.write_all(b"x").is_ok());
                }
                started.store(true, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(50));
            }
        });
        // Whatever becomes of the work, the others come to an end.
        struct Done<'a>(&'a AtomicBool);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _done = Done(&done);
        while !started.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
        work();
    });
    slow
}

#[test]
fn slow_clients_of_an_echo_server_disturb_nobody_and_get_their_lines() {
    const SLOW: usize = 300;
    let program = compile("c_tests/programs/crowd.c", SHARED);
    for name in ECHO_SERVERS {
        let server = serve_echo(name, SHARED, SLOW + 20);
        let before = Footprint::of(&server);
        let slow = beside_slow_clients(&server, SLOW, b"", || {
            crowd(&program, &server, 20, 200_000);
        });
        for (stream, sent) in &slow {
            let mut stream = stream;
            stream.write_all(b"\n").expect("to send");
            let mut line = vec![0; sent + 1];
            stream.read_exact(&mut line).expect("an answer");
            let (last, rest) = line.split_last().expect("a line");
            assert!(
                *last == b'\n' && rest.iter().all(|byte| *byte == b'x'),
                "{name}"
            );
        }
        drop(slow);
        before.expect_again(&server);
        assert_eq!(server.said(), "", "{name}");
    }
}

/// A web server with a page, a large file and a CGI program.
struct Site {
    server: Server,
    page: String,
    large: String,
}

impl Site {
    fn serve(build: Build) -> Site {
        let adder = compile("examples/adder.c", STATIC);
        let root = adder.parent().expect("its directory").join("root");
        let page = "<p>A page\n".to_owned();
        let large = (0..200_000).fold(String::new(), |text, line| text + &format!("{line}\n"));
        fs::create_dir(&root).expect("a directory");
        fs::write(root.join("page.html"), &page).expect("a file");
        fs::write(root.join("large.txt"), &large).expect("a file");
        let programs = adder.parent().expect("its directory").display().to_string();
        let root = root.display().to_string();
        Site {
            server: serve("tinyweb", build, &["-c", &programs], &[&root]),
            page,
            large,
        }
    }

    /// The address of something on it, as a proxy wants it.
    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.server.port)
    }
}

fn get(server: &Server, target: &str) -> String {
    let answer = ask(server, format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes());
    String::from_utf8(answer).expect("text")
}

/// Has some clients at once get everything several times, by way of `server`.
#[track_caller]
fn browse(server: &Server, site: &Site, target: impl Fn(&str) -> String + Sync) {
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                for _ in 0..3 {
                    for (path, content) in [("/page.html", &site.page), ("/large.txt", &site.large)]
                    {
                        let answer = get(server, &target(path));
                        let (header, body) = answer.split_once("\r\n\r\n").expect("an answer");
                        assert!(header.starts_with("HTTP/1.1 200 OK\r\n"), "{header}");
                        assert!(body == content, "{path}: {} bytes", body.len());
                    }
                    let sum = get(server, &target("/cgi-bin/adder?a=19&b=23"));
                    assert!(sum.contains(">42<"), "{sum}");
                }
            });
        }
    });
}

/// The header of a request that has not come to its end.
const ENDLESS: &[u8] = b"GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\nX-Slow: ";

#[test]
fn slow_clients_of_the_web_server_disturb_nobody() {
    let site = Site::serve(SHARED);
    let before = Footprint::of(&site.server);
    drop(beside_slow_clients(&site.server, 300, ENDLESS, || {
        browse(&site.server, &site, str::to_owned);
    }));
    before.expect_again(&site.server);
}

/// Clients that drip their headers are sent away when a request's time is over, each of them, and another client
/// beside them does not notice.
fn a_crowd_that_drips_is_sent_away(count: usize) {
    const REQUEST_TIME: Duration = Duration::from_secs(10);
    let site = Site::serve(SHARED);
    let before = Footprint::of(&site.server);
    let mut took = Vec::new();
    let crowd = beside_slow_clients(&site.server, count, ENDLESS, || {
        let start = Instant::now();
        while start.elapsed() < REQUEST_TIME + Duration::from_secs(4) {
            let asked = Instant::now();
            assert!(get(&site.server, "/page.html").ends_with(&site.page));
            took.push(asked.elapsed());
            thread::sleep(Duration::from_millis(20));
        }
    });
    for (mut stream, _) in crowd {
        stream.set_nonblocking(true).expect("a flag");
        // To a client that went on, the answer may be lost by a reset.
        let end = stream.read_to_end(&mut Vec::new());
        assert!(
            !end.is_err_and(|why| why.kind() == ErrorKind::WouldBlock),
            "one is still served"
        );
    }
    took.sort();
    let (usual, worst) = (took[took.len() * 9 / 10], took[took.len() - 1]);
    println!(
        "beside {count} clients that drip, {} requests: nine of ten within {usual:?}, the last within {worst:?}",
        took.len()
    );
    assert!(usual < Duration::from_millis(100), "{usual:?}");
    before.expect_again(&site.server);
}

#[test]
fn a_small_crowd_that_drips_is_sent_away() {
    a_crowd_that_drips_is_sent_away(60);
}

#[test]
#[ignore = "500 connections at once"]
fn a_large_crowd_that_drips_is_sent_away() {
    a_crowd_that_drips_is_sent_away(500);
}

/// More of them than the proxy serves at once: they are sent away after some time.
#[test]
fn slow_clients_of_the_proxy_do_not_keep_the_others_out() {
    let site = Site::serve(SHARED);
    let proxy = serve("proxy", SHARED, &[], &[]);
    let before = Footprint::of(&proxy);
    drop(beside_slow_clients(&proxy, 300, ENDLESS, || {
        browse(&proxy, &site, |path| site.url(path));
    }));
    before.expect_again(&proxy);
}

#[test]
#[ignore = "half a minute: more slow clients than the web server takes"]
fn slow_clients_beyond_the_web_server_s_limit_do_not_keep_the_others_out() {
    let site = Site::serve(SHARED);
    let before = Footprint::of(&site.server);
    drop(beside_slow_clients(&site.server, 1200, ENDLESS, || {
        browse(&site.server, &site, str::to_owned);
    }));
    before.expect_again(&site.server);
}

/// How a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    /// By close; a reset all the same, where something has come that it has not read.
    Close,
    /// By a reset, whatever is under way in either direction.
    Reset,
    /// It says that no more will come, and goes without waiting for an answer.
    Shutdown,
}

const WAYS_TO_LEAVE: [Leaving; 3] = [Leaving::Close, Leaving::Reset, Leaving::Shutdown];

fn leave(stream: TcpStream, how: Leaving) {
    match how {
        Leaving::Close => {}
        Leaving::Shutdown => {
            // It may have been broken off from there.
            let _ = stream.shutdown(Shutdown::Write);
        }
        Leaving::Reset => {
            let linger = libc::linger {
                l_onoff: 1,
                l_linger: 0,
            };
            // SAFETY: the option's value is a linger of that size.
            let outcome = unsafe {
                libc::setsockopt(
                    stream.as_raw_fd(),
                    libc::SOL_SOCKET,
                    libc::SO_LINGER,
                    (&raw const linger).cast(),
                    size_of_val(&linger) as libc::socklen_t,
                )
            };
            assert_eq!(outcome, 0);
        }
    }
}

/// Sends as much of `request` as goes without waiting.
fn send_what_fits(stream: &mut TcpStream, mut request: &[u8]) {
    stream.set_nonblocking(true).expect("to be set");
    while !request.is_empty() {
        match stream.write(request) {
            Ok(count) => request = &request[count..],
            Err(why) if why.kind() == ErrorKind::WouldBlock => break,
            Err(why) => panic!("{why}"),
        }
    }
    stream.set_nonblocking(false).expect("to be set");
}

/// Clients that vanish, one after the other and then all at once: after each byte of `request`, the
/// last one included, and with some of the answer to `demanding` read.
fn vanish(server: &Server, request: &[u8], demanding: &[u8], is_one_at_a_time: bool) {
    const TAKEN: &[usize] = &[0, 1, 2, 17, 100, 1000, 8192, 50_000];
    for at_once in [false, true] {
        let mut waiting = Vec::new();
        let mut gone = |stream, how| {
            if at_once {
                waiting.push((stream, how));
            } else {
                leave(stream, how);
            }
        };
        // Where one client is served at a time, those that wait in the queue get no answer.
        let taken = if at_once && is_one_at_a_time {
            &[0]
        } else {
            TAKEN
        };
        for how in WAYS_TO_LEAVE {
            for sent in 0..=request.len() {
                let mut stream = connect(server);
                stream.write_all(&request[..sent]).expect("to send");
                gone(stream, how);
            }
            for &taken in taken {
                let mut stream = connect(server);
                send_what_fits(&mut stream, demanding);
                stream.read_exact(&mut vec![0; taken]).expect("an answer");
                gone(stream, how);
            }
        }
        for (stream, how) in waiting {
            leave(stream, how);
        }
    }
}

fn clients_vanish_from_an_echo_server(name: &str, build: Build) {
    let program = compile("c_tests/programs/crowd.c", SHARED);
    let server = serve_echo(name, build, 200);
    let before = Footprint::of(&server);
    let is_one_at_a_time = name == "echoserver_iterative";
    let lines = "a line that comes back\n".repeat(20_000);
    vanish(
        &server,
        b"hello\n\nhalf a line",
        lines.as_bytes(),
        is_one_at_a_time,
    );
    let next = if is_one_at_a_time { 1 } else { 3 };
    crowd(&program, &server, next, 100_000);
    before.expect_again(&server);
}

fn clients_vanish_from_the_web_server(_: &str, build: Build) {
    let site = Site::serve(build);
    let before = Footprint::of(&site.server);
    let large = b"GET /large.txt HTTP/1.1\r\nHost: x\r\n\r\n";
    for request in [
        "GET /page.html HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /cgi-bin/adder?a=1&b=2 HTTP/1.0\r\n\r\n",
    ] {
        vanish(&site.server, request.as_bytes(), large, false);
    }
    browse(&site.server, &site, str::to_owned);
    before.expect_again(&site.server);
}

fn clients_vanish_from_the_proxy(_: &str, build: Build) {
    let site = Site::serve(SHARED);
    let proxy = serve("proxy", build, &[], &[]);
    let before = Footprint::of(&proxy);
    let request = |path| format!("GET {} HTTP/1.0\r\n\r\n", site.url(path)).into_bytes();
    vanish(
        &proxy,
        &request("/page.html"),
        &request("/large.txt"),
        false,
    );
    browse(&proxy, &site, |path| site.url(path));
    before.expect_again(&proxy);
}

/// Whether the proxy passes on an answer of the server below, of whose body so many bytes came.
fn passes_on(got: &str, count: std::ops::RangeInclusive<usize>) -> bool {
    let header = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n";
    got.split_once("\r\n\r\n").is_some_and(|(fields, body)| {
        format!("{fields}\r\n").starts_with(header)
            && "0123456789".starts_with(body)
            && count.contains(&body.len())
    })
}

/// The other side of the proxy: servers that vanish at every moment.
fn servers_vanish_from_the_proxy(_: &str, build: Build) {
    let answer =
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123456789";
    let listener = TcpListener::bind("127.0.0.1:0").expect("a server");
    let port = listener.local_addr().expect("its address").port();
    let proxy = serve("proxy", build, &[], &[]);
    let before = Footprint::of(&proxy);
    // Not in a scope, which would wait for the server where the test has failed.
    let server = thread::spawn(move || {
        for how in WAYS_TO_LEAVE {
            for sent in 0..=answer.len() {
                let (mut stream, _) = listener.accept().expect("a connection");
                // Half of those that reset do so with the request unread.
                if how != Leaving::Reset || sent % 2 == 0 {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        stream.read_exact(&mut byte).expect("a request");
                        request.extend(byte);
                    }
                }
                stream
                    .write_all(&answer.as_bytes()[..sent])
                    .expect("to send");
                leave(stream, how);
            }
        }
    });
    for how in WAYS_TO_LEAVE {
        for sent in 0..=answer.len() {
            // A name of its own for each, or the cache would know the last one.
            let target = format!("http://127.0.0.1:{port}/{how:?}{sent}");
            let got = get(&proxy, &target);
            let refuses = got.starts_with("HTTP/1.1 502 ");
            let body = sent.checked_sub(answer.len() - 10);
            match (how, body) {
                // One that resets takes back what has not been read yet. One that resets at once may
                // not even count as connected.
                (Leaving::Reset, body) => assert!(
                    got.is_empty() || refuses || passes_on(&got, 0..=body.unwrap_or(0)),
                    "{got}"
                ),
                (_, None) => assert!(refuses, "{sent}: {got}"),
                (_, Some(body)) => assert!(passes_on(&got, body..=body), "{sent}: {got}"),
            }
        }
    }
    server.join().expect("the server");
    // What came whole has been kept, and nothing else.
    for sent in 0..=answer.len() {
        let got = get(&proxy, &format!("http://127.0.0.1:{port}/Close{sent}"));
        if sent == answer.len() {
            assert!(passes_on(&got, 10..=10), "{got}");
        } else {
            assert!(got.starts_with("HTTP/1.1 502 "), "{sent}: {got}");
        }
    }
    before.expect_again(&proxy);
}

macro_rules! vanishing {
    ($($name:ident $check:ident $server:literal;)+) => {
        $(mod $name {
            use super::*;

            #[test]
            fn shared() {
                $check($server, SHARED);
            }

            #[test]
            fn statically() {
                $check($server, STATIC);
            }

            #[test]
            fn sanitized() {
                $check($server, Build::Sanitized);
            }
        })+
    };
}

mod vanishing_at_every_moment {
    use super::*;

    vanishing! {
        iterative clients_vanish_from_an_echo_server "echoserver_iterative";
        thread_each clients_vanish_from_an_echo_server "echoserver";
        process_each clients_vanish_from_an_echo_server "echoserver_process";
        thread_pool clients_vanish_from_an_echo_server "echoserver_prethreaded";
        select clients_vanish_from_an_echo_server "echoserver_select";
        epoll clients_vanish_from_an_echo_server "echoserver_epoll";
        web clients_vanish_from_the_web_server "tinyweb";
        proxy clients_vanish_from_the_proxy "proxy";
        behind_the_proxy servers_vanish_from_the_proxy "proxy";
    }
}

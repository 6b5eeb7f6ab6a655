//! Builds the programs of examples/ and runs each on real input: as `make examples` leaves them,
//! under gcc's sanitizers, and under valgrind.

mod corpus;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use crate::common;
use crate::common::server::Server;
use crate::common::{C, Link};

/// How a program is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Sanitized,
    UnderValgrind,
    /// Under csapp-check, which is to say nothing.
    Checked,
    /// Under csapp-check --chaos with this seed.
    Chaos(u32),
}

impl Way {
    fn is_checked(self) -> bool {
        matches!(self, Way::Checked | Way::Chaos(_))
    }
}

const PROGRAMS: [&str; 18] = [
    "cpfile",
    "wordfreq",
    "statcheck",
    "lsdir",
    "sharing",
    "redirect",
    "stdiotrap",
    "hostinfo",
    "echoclient",
    "echoserver",
    "echoserver_iterative",
    "echoserver_process",
    "echoserver_prethreaded",
    "echoserver_select",
    "echoserver_epoll",
    "tinyweb",
    "proxy",
    "conncap",
];

/// The directory of the programs; they are compiled once for each kind.
fn programs(way: Way) -> &'static Path {
    static PLAIN: OnceLock<PathBuf> = OnceLock::new();
    static SANITIZED: OnceLock<PathBuf> = OnceLock::new();
    if way != Way::Sanitized {
        return PLAIN.get_or_init(|| {
            // Not CFLAGS, which cargo would compile the library for once more, while other tests use it.
            let warnings = "WARNINGS=-Wall -Wextra -Wpedantic -Werror";
            let mut make = Command::new("make");
            common::succeed(
                make.args(["examples", warnings])
                    .current_dir(common::root()),
            );
            common::library().to_owned()
        });
    }
    SANITIZED.get_or_init(|| {
        let dir = common::scratch("examples-sanitized");
        for program in PROGRAMS {
            C::new(format!("examples/{program}.c"))
                .flags(["-O1", "-g", "-fsanitize=address,undefined"])
                .flags(["-fno-sanitize-recover=all"])
                .link(Link::Static)
                .build(&dir);
        }
        dir
    })
}

fn program(way: Way, name: &str) -> Command {
    let path = programs(way).join(name);
    let mut command = if way == Way::UnderValgrind {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
        valgrind.arg(path);
        valgrind
    } else if way.is_checked() {
        let mut check = Command::new(common::csapp_check());
        check.arg("--error-exitcode=99");
        if let Way::Chaos(seed) = way {
            check.arg(format!("--chaos={seed}"));
        }
        check.arg(path);
        check
    } else {
        Command::new(path)
    };
    command
        .env("ASAN_OPTIONS", "detect_leaks=0")
        .env("TZ", "UTC");
    command
}

/// Runs `program` with `input` as its standard input; its output, status included.
fn feed(command: &mut Command, input: &Path) -> std::process::Output {
    common::run(command.stdin(fs::File::open(input).expect("the input")))
}

/// A text with what lines may have: NUL bytes, more than a buffer, no newline at the end. With chaos it is short.
fn text(way: Way, dir: &Path) -> PathBuf {
    let mut bytes = fs::read(common::root().join("README.md")).expect("a text");
    let lines = if matches!(way, Way::Chaos(_)) {
        bytes.truncate(2_000);
        100
    } else {
        2_000
    };
    bytes.extend(std::iter::repeat_n(b'z', 20_000));
    bytes.extend(b"\n\0binary\0\n\n");
    for line in 0..lines {
        bytes.extend(format!("{line} {}\n", "word ".repeat(line % 40)).bytes());
    }
    bytes.extend(b"no newline");
    let path = dir.join("text");
    fs::write(&path, bytes).expect("to write");
    path
}

fn cpfile(way: Way, dir: &Path) {
    let text = text(way, dir);
    for how in ["line", "block", "readn"] {
        let output = feed(program(way, "cpfile").arg(how), &text);
        assert!(output.status.success());
        assert!(output.stdout == fs::read(&text).expect("the text"), "{how}");
    }
    assert_eq!(
        common::run(&mut program(way, "cpfile")).status.code(),
        Some(2)
    );
}

fn wordfreq(way: Way, dir: &Path) {
    let text = text(way, dir);
    let bytes = fs::read(&text).expect("the text");
    let mut counts = std::collections::HashMap::<Vec<u8>, usize>::new();
    for word in bytes.split(|b| !(b.is_ascii_alphabetic() || *b > 127 || *b == b'\'')) {
        let start = word.iter().position(|b| *b != b'\'').unwrap_or(word.len());
        let end = word
            .iter()
            .rposition(|b| *b != b'\'')
            .map_or(start, |end| end + 1);
        if start < end {
            *counts
                .entry(word[start..end].to_ascii_lowercase())
                .or_default() += 1;
        }
    }
    let mut list: Vec<_> = counts.into_iter().collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let total: usize = list.iter().map(|entry| entry.1).sum();
    let mut expected = format!("{total} words, {} different ones\n", list.len()).into_bytes();
    for (word, count) in &list {
        expected.extend(format!("{count:7} ").bytes());
        expected.extend(word);
        expected.push(b'\n');
    }
    let mut command = program(way, "wordfreq");
    let output = common::run(command.args(["-n", "100000"]).arg(&text));
    assert!(
        output.stdout == expected,
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

fn statcheck(way: Way, dir: &Path) {
    fs::write(dir.join("file"), "12345").expect("a file");
    fs::hard_link(dir.join("file"), dir.join("second")).expect("a link");
    symlink("file", dir.join("link")).expect("a link");
    common::succeed(Command::new("mkfifo").arg(dir.join("fifo")));
    common::succeed(Command::new("chmod").arg("4640").arg(dir.join("file")));
    let _socket = std::os::unix::net::UnixListener::bind(dir.join("socket")).expect("a socket");
    common::succeed(
        Command::new("touch")
            .args(["-d", "2001-02-03 04:05:06 UTC"])
            .arg(dir.join("file")),
    );
    let mut command = program(way, "statcheck");
    command.args(["file", "link", "fifo", "socket", ".", "/dev/null", "none"]);
    let output = common::run(command.current_dir(dir));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout);
    for line in [
        "file\n  type         regular file\n  permissions  rwSr----- (4640)\n",
        "  size         5 bytes, ",
        "  links        2\n",
        "  written      2001-02-03 04:05:06.000000000 UTC\n",
        "link\n  type         symbolic link\n  target       file\n",
        "fifo\n  type         fifo\n",
        "socket\n  type         socket\n",
        ".\n  type         directory\n",
        "/dev/null\n  type         character device\n  device       major 1, minor 3\n",
    ] {
        assert!(said.contains(line), "{line:?} in\n{said}");
    }
    assert!(String::from_utf8_lossy(&output.stderr).contains("none: No such file or directory"));
    let followed = common::run(program(way, "statcheck").arg("-L").arg(dir.join("link")));
    assert!(String::from_utf8_lossy(&followed.stdout).contains("regular file"));
}

fn lsdir(way: Way, dir: &Path) {
    use std::os::unix::fs::MetadataExt;
    fs::write(dir.join("a"), "").expect("a file");
    fs::write(dir.join("b c"), "").expect("a file");
    let said = common::succeed(program(way, "lsdir").arg(dir));
    let mut lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.pop(), Some("4 entries"));
    for name in ["a", "b c", "."] {
        let inode = fs::metadata(dir.join(name)).expect("it").ino();
        assert!(
            lines.contains(&format!("{inode:10} {name}").as_str()),
            "{said}"
        );
    }
    // An error in the middle of a directory is not its end.
    if way == Way::Plain {
        let shim = dir.join("shim.so");
        fs::write(dir.join("shim.c"), "#include <dirent.h>\n#include <errno.h>\nstruct dirent *readdir(DIR *d) { (void)d; errno = EIO; return 0; }\n").expect("a file");
        common::succeed(
            common::cc()
                .args(["-shared", "-fPIC", "-o"])
                .arg(&shim)
                .arg(dir.join("shim.c")),
        );
        let output = common::run(program(way, "lsdir").arg(dir).env("LD_PRELOAD", &shim));
        assert_eq!(output.status.code(), Some(1));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("readdir error: Input/output error")
        );
    }
}

fn sharing(way: Way, dir: &Path) {
    let said = common::succeed(program(way, "sharing").arg(dir));
    for line in [
        "A: position 3, to read ",
        "B: position 0, to read and write",
        "The parent's position moved too",
        "A: position 6, to read ",
        "0 names",
        "\"ghij\"",
    ] {
        assert!(said.contains(line), "{line:?} in\n{said}");
    }
    assert_eq!(said.matches("child fd").count(), 1, "{said}");
    assert_eq!(fs::read_dir(dir).expect("the directory").count(), 0);
}

fn redirect(way: Way, dir: &Path) {
    fs::write(dir.join("in"), "first\nsecond\n").expect("a file");
    let run = |options: &[&str]| {
        let mut command = program(way, "redirect");
        command
            .args(options)
            .arg(dir.join("in"))
            .arg(dir.join("out"));
        common::run(command.args(["sh", "-c", "cat; echo oops >&2; exit 7"]))
    };
    let output = run(&[]);
    let file = || fs::read_to_string(dir.join("out")).expect("its output");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(file(), "first\nsecond\noops\n");
    assert!(output.stdout.is_empty());
    let output = run(&["-e"]);
    assert_eq!(file(), "first\nsecond\n");
    assert_eq!(output.stdout, b"oops\n");
}

fn stdiotrap(way: Way, _dir: &Path) {
    let said = common::succeed(&mut program(way, "stdiotrap"));
    for line in [
        "the request cannot be sent: Illegal seek",
        "no answer in half a second: Resource temporarily unavailable\n  after fflush: sum 3\n",
        "closing fails: Bad file descriptor",
        "  1 + 10 = 11\n  2 + 20 = 22\n  3 + 30 = 33\n",
    ] {
        assert!(said.contains(line), "{line:?} in\n{said}");
    }
}

fn hostinfo(way: Way, _dir: &Path) {
    let said = common::succeed(program(way, "hostinfo").args(["127.0.0.1", "80"]));
    assert!(said.starts_with("IPv4 127.0.0.1 port 80 "), "{said}");
    let said = common::succeed(program(way, "hostinfo").arg("::1"));
    assert!(said.starts_with("IPv6 ::1 "), "{said}");
    let output = common::run(program(way, "hostinfo").args(["127.0.0.1", "no-such-service"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Getaddrinfo error: "));
}

fn echo(way: Way, dir: &Path) {
    let text = text(way, dir);
    for name in PROGRAMS
        .iter()
        .filter(|name| name.starts_with("echoserver"))
    {
        let server = Server::start(program(way, name).arg("0"), dir);
        // A client that vanishes in the middle of a line, with answers unread.
        let mut vanished = server.connect();
        vanished
            .write_all(&b"line\n".repeat(10_000))
            .expect("to send");
        vanished.write_all(b"half").expect("to send");
        drop(vanished);
        // One with half a line must not hold up the others (but where there is one at a time).
        let mut slow = (*name != "echoserver_iterative").then(|| server.connect());
        if let Some(slow) = &mut slow {
            slow.write_all(b"half a ").expect("to send");
        }
        let port = server.port.to_string();
        let mut clients = Vec::new();
        for _ in 0..2 {
            let mut client = Command::new(programs(Way::Plain).join("echoclient"));
            client
                .args(["127.0.0.1", &port])
                .arg(&text)
                .stdout(Stdio::piped());
            clients.push(client.spawn().expect("a client"));
        }
        for client in clients {
            let output = client.wait_with_output().expect("its end");
            assert!(output.status.success(), "{name}");
            assert!(String::from_utf8_lossy(&output.stdout).contains("sent, echoed and compared"));
        }
        if let Some(mut slow) = slow {
            slow.write_all(b"line\n").expect("to send");
            let mut line = String::new();
            BufReader::new(slow)
                .read_line(&mut line)
                .expect("an answer");
            assert_eq!(line, "half a line\n", "{name}");
        }
    }
}

/// tinyweb over a directory with everything that it must not give away.
fn start_tinyweb(way: Way, dir: &Path) -> Server {
    let root = dir.join("root");
    fs::create_dir_all(root.join("sub")).expect("a directory");
    for file in fs::read_dir(common::root().join("examples/site")).expect("the site") {
        let file = file.expect("a file");
        fs::copy(file.path(), root.join(file.file_name())).expect("a copy");
    }
    fs::write(dir.join("secret"), "secret").expect("a file");
    fs::write(root.join(".hidden"), "secret").expect("a file");
    fs::write(root.join("empty.txt"), "").expect("a file");
    fs::write(root.join("hello.txt"), "hello\n").expect("a file");
    fs::write(root.join("sub/<b>&.txt"), "text").expect("a file");
    symlink(dir.join("secret"), root.join("link")).expect("a link");
    symlink(dir, root.join("up")).expect("a link");
    let cgi = dir.join("cgi-bin");
    let _ = fs::remove_dir_all(&cgi);
    fs::create_dir_all(&cgi).expect("a directory");
    let adder = programs(Way::Plain).join("cgi-bin/adder");
    fs::hard_link(adder, cgi.join("adder")).expect("a link");
    for (name, header) in [
        ("empty", "Status: 204 No Content"),
        ("unchanged", "Status: 304"),
        ("reset", "Status: 205"),
        ("found", "Location: http://a/b"),
        ("moved", "Status: 301 Moved\\nLocation: http://a/b"),
        ("other", "Location: http://a/b\\nStatus: 303"),
        ("word", "Status: fine"),
        ("digits", "Status: 2000"),
        ("interim", "Status: 100"),
        ("blank", "Location : http://a/b"),
        ("cr", "Location: http://a/\\rX-Hidden: yes"),
        ("slow", "Content-Type: text/plain'; sleep 1; printf '"),
        ("endless", "Location: http://a/b'; exit; '"),
        ("large", &format!("Location: /{}", "l".repeat(9000))),
    ] {
        // Written by a process of its own: a program that is open for writing in another thread's
        // child cannot be run.
        common::succeed(
            Command::new("sh")
                .args(["-c", r#"printf %s "$1" >"$0"; chmod 755 "$0""#])
                .arg(cgi.join(name))
                .arg(format!("#!/bin/sh\nprintf '{header}\\n\\nunasked'\n")),
        );
    }
    let mut command = program(way, "tinyweb");
    command.arg("-c").arg(cgi);
    Server::start(command.arg("0").arg(root), dir)
}

fn tinyweb(way: Way, dir: &Path) {
    let server = start_tinyweb(way, dir);
    let page = fs::read_to_string(common::root().join("examples/site/index.html")).expect("a page");
    let answer = server.get("/");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(&format!("Content-Length: {}\r\n", page.len())));
    assert!(answer.contains("Content-Type: text/html; charset=utf-8\r\n"));
    assert!(answer.ends_with(&format!("\r\n\r\n{page}")));
    for (path, status) in [
        ("/picture.png", 200),
        ("/empty.txt", 200),
        ("/sub", 301),
        ("/sub/", 200),
        ("/none", 404),
        ("/link", 403),
        ("/up/secret", 404),
        ("/../secret", 403),
        ("/%2e%2e/secret", 403),
        ("/sub/..%2f../secret", 403),
        ("/.hidden", 403),
        ("/%00", 400),
        ("/a%0d%0aX:y", 400),
        ("/%zz", 400),
        ("secret", 400),
        ("/cgi-bin/../secret", 404),
        ("/cgi-bin/none", 404),
    ] {
        let answer = server.get(path);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {answer}"
        );
        assert!(!answer.ends_with("secret"), "{path}: {answer}");
    }
    assert!(
        server
            .get("/sub/")
            .contains("<a href=\"./%3Cb%3E%26.txt\">&#60;b&#62;&#38;.txt</a>")
    );
    assert!(server.get("//sub").contains("Location: /sub/\r\n"));
    let sum = server.get("/cgi-bin/adder?a=19&b=23");
    assert!(sum.contains("<b id=\"sum\">42</b>"), "{sum}");
    assert!(!server.get("/cgi-bin/adder?a=<script>").contains("<script>"));

    let answer = server.get("/cgi-bin/empty");
    assert!(
        answer.starts_with("HTTP/1.1 204 No Content\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    let answer = server.get("/cgi-bin/large");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");

    // Two requests at once on a connection that is kept, the second the last one.
    let both = server.ask("HEAD /style.css HTTP/1.1\r\nHost: x\r\n\r\nGET /style.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(both.matches("HTTP/1.1 200 OK").count(), 2, "{both}");
    assert_eq!(both.matches("font:").count(), 1, "{both}");

    let long = "x".repeat(9000);
    let many = "A: b\r\n".repeat(4000);
    for (request, status) in [
        ("POST / HTTP/1.0\r\n\r\n", 405),
        ("BREW / HTTP/1.0\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\n\r\n", 505),
        ("GET / HTTP/1.0\r\nA : b\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", 400),
        ("nonsense\r\n\r\n", 400),
        (&format!("GET /{long} HTTP/1.0\r\n\r\n"), 414),
        (&format!("GET / HTTP/1.0\r\nA: {long}\r\n\r\n"), 431),
        (&format!("GET / HTTP/1.0\r\n{many}\r\n"), 431),
    ] {
        let answer = server.ask(request);
        let start = &request[..request.len().min(60)];
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{start:?}: {answer}"
        );
    }

    // Clients that vanish with an answer under way.
    for _ in 0..20 {
        let mut stream = server.connect();
        let _ = stream.write_all(b"GET /picture.png HTTP/1.0\r\n\r\n");
    }
    assert!(server.get("/").ends_with(&page));

    // A client that drips its header is told to go, and others are served meanwhile.
    if way == Way::Plain {
        let mut slow = server.connect();
        slow.write_all(b"GET / HTTP/1.1\r\n").expect("to send");
        let start = Instant::now();
        let mut writer = slow.try_clone().expect("a second handle");
        let drip = std::thread::spawn(move || {
            while writer.write_all(b"a").is_ok() && start.elapsed() < Duration::from_secs(15) {
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        assert!(server.get("/").ends_with(&page));
        let mut answer = String::new();
        let _ = slow.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(start.elapsed() < Duration::from_secs(15));
        drop(slow);
        drip.join().expect("the dripping client");
    }
}

/// Every request of tests/examples/tinyweb.http gets the answer that is written there.
fn tinyweb_by_the_book(way: Way, dir: &Path) {
    let server = start_tinyweb(way, dir);
    let complaints: Vec<String> = tinyweb_cases()
        .iter()
        .flat_map(|case| case.complaints(&corpus::exchange(server.port, &case.request)))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn tinyweb_cases() -> Vec<corpus::Case> {
    let variables = [
        ("{get}", r"GET /hello.txt HTTP/1.1\r\n"),
        ("{host}", r"Host: x\r\n"),
        ("{ok}", r"GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n"),
    ];
    corpus::cases("tinyweb.http", &variables)
}

/// On a signal to end, a server takes no more clients and hangs up on those that ask for nothing, but
/// brings an answer that is under way to its end.
fn ends_in_order(way: Way, dir: &Path) {
    let web_dir = dir.join("web");
    fs::create_dir_all(&web_dir).expect("a directory");
    let web = start_tinyweb(way, &web_dir);
    let slow = format!("http://127.0.0.1:{}/cgi-bin/slow", web.port);
    let proxy = Server::start(program(way, "proxy").arg("0"), dir);
    end_in_order(proxy, "INT", &slow);
    end_in_order(web, "TERM", "/cgi-bin/slow");
}

fn end_in_order(mut server: Server, signal: &str, slow: &str) {
    let mut idle = server.connect();
    let mut asking = server.connect();
    let request = format!("GET {slow} HTTP/1.1\r\nHost: x\r\n\r\n");
    asking.write_all(request.as_bytes()).expect("to ask");
    // Long enough for the request to be read, not for the answer to be there.
    std::thread::sleep(Duration::from_millis(500));
    let id = server.id().to_string();
    common::succeed(Command::new("kill").args(["-s", signal, &id]));
    let mut answer = String::new();
    idle.read_to_string(&mut answer).expect("the end");
    assert_eq!(answer, "");
    asking.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("Connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("unasked"), "{answer}");
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
    drop((idle, asking));
    let status = server.end();
    assert!(status.success(), "{status}");
}

/// A web server that answers every request as it is told, and remembers what it was asked.
struct Origin {
    port: u16,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Origin {
    fn start() -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").expect("an origin server");
        let origin = Origin {
            port: listener.local_addr().expect("an address").port(),
            answer: Arc::default(),
            asked: Arc::default(),
        };
        let (answer, asked) = (origin.answer.clone(), origin.asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                    request.extend(byte);
                }
                asked.lock().expect("the requests").push(request);
                let _ = stream.write_all(&answer.lock().expect("the answer"));
            }
        });
        origin
    }

    /// Has it give another answer; what it has been asked so far.
    fn answer_by(&self, answer: &[u8]) -> Vec<Vec<u8>> {
        *self.answer.lock().expect("the answer") = answer.to_owned();
        std::mem::take(&mut *self.asked.lock().expect("the requests"))
    }

    fn cases(&self) -> Vec<corpus::Case> {
        let url = format!("http://127.0.0.1:{}/case{{n}}", self.port);
        let get = format!(r"GET {url} HTTP/1.1\r\n");
        let variables = [
            ("{get}", get.as_str()),
            ("{url}", &url),
            ("{host}", r"Host: x\r\n"),
        ];
        corpus::cases("proxy.http", &variables)
    }
}

/// What a server says about a page of 5 bytes, with nothing about caching.
const FINE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// Every case of tests/examples/proxy.http is as it is written there.
fn proxy_by_the_book(way: Way, dir: &Path) {
    let proxy = Server::start(program(way, "proxy").arg("0"), dir);
    let origin = Origin::start();
    let mut complaints = Vec::new();
    for case in origin.cases() {
        let expected = case.details.iter().find_map(|(kind, _)| match kind {
            'k' => Some(1),
            'a' => Some(2),
            _ => None,
        });
        origin.answer_by(case.all('<').next().unwrap_or(FINE));
        let mut answer = corpus::exchange(proxy.port, &case.request);
        if expected.is_some() {
            answer.extend(corpus::exchange(proxy.port, &case.request));
        }
        let asked = origin.answer_by(FINE);
        complaints.extend(case.complaints(&answer));
        let said: Vec<String> = asked
            .iter()
            .map(|request| String::from_utf8_lossy(request).into_owned())
            .collect();
        if expected.is_some_and(|count| asked.len() != count) {
            complaints.push(format!("{}: the server was asked: {said:?}", case.about));
        }
        let request = asked.first().map_or(&b""[..], |request| request);
        for part in case.all('>').filter(|part| !corpus::holds(request, part)) {
            let part = String::from_utf8_lossy(part);
            complaints.push(format!("{}: no {part:?} in {said:?}", case.about));
        }
        for part in case.all('?').filter(|part| corpus::holds(request, part)) {
            let part = String::from_utf8_lossy(part);
            complaints.push(format!("{}: {part:?} in {said:?}", case.about));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(proxy.said(), "");
}

/// The cache stays within its size, keys and all.
fn proxy_cache_size(way: Way, dir: &Path) {
    let proxy = Server::start(program(way, "proxy").arg("0"), dir);
    let origin = Origin::start();
    origin.answer_by(FINE);
    let url = |n: usize| format!("http://127.0.0.1:{}/{n}{}", origin.port, "k".repeat(4000));
    // 400 keys of 4 KiB are more than the cache holds, and 100 are less.
    let count = 400;
    for n in 0..count {
        assert!(proxy.get(&url(n)).ends_with("hello"));
    }
    origin.answer_by(FINE);
    for n in (0..count).rev() {
        proxy.get(&url(n));
    }
    let asked = origin.answer_by(FINE).len();
    assert!((count - 256..count - 100).contains(&asked), "{asked}");
}

fn proxy(way: Way, dir: &Path) {
    let web = start_tinyweb(Way::Plain, dir);
    let scratch = dir.join("proxy");
    fs::create_dir_all(&scratch).expect("a directory");
    let proxy = Server::start(program(way, "proxy").arg("0"), &scratch);
    let port = web.port;
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let page = fs::read_to_string(common::root().join("examples/site/index.html")).expect("a page");

    assert!(proxy.get(&url("/")).ends_with(&page));
    assert!(proxy.get(&url("/cgi-bin/adder?a=2&b=3")).contains(">5<"));
    assert!(
        proxy
            .get("http://127.0.0.1:1/")
            .starts_with("HTTP/1.1 502 ")
    );
    assert!(proxy.get("ftp://127.0.0.1/").starts_with("HTTP/1.1 400 "));
    assert!(
        proxy
            .ask("CONNECT a:443 HTTP/1.1\r\n\r\n")
            .starts_with("HTTP/1.1 501 ")
    );
    let length = "GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"
        .replace("GET /", &format!("GET {}", url("/")));
    assert!(proxy.ask(&length).starts_with("HTTP/1.1 400 "));
    // What hides a field from the proxy, and may not hide it from the server.
    for field in [
        "Host : other",
        "A: b\r\n Host: other",
        "A: b\rHost: other",
        "Ho\0\nst: other",
        "A: b\0",
        ": b",
        "Host",
    ] {
        let answer = proxy.ask(&format!("GET {} HTTP/1.0\r\n{field}\r\n\r\n", url("/")));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{field:?}: {answer}");
    }
    // A URL is taken as a whole, or not at all.
    let origin = TcpListener::bind("127.0.0.1:0").expect("an origin server");
    let path = format!("/{}end", "p".repeat(8050));
    let address = origin.local_addr().expect("an address");
    let asked = std::thread::spawn(move || {
        let (stream, _) = origin.accept().expect("a client");
        let mut line = String::new();
        BufReader::new(stream)
            .read_line(&mut line)
            .expect("a request");
        line
    });
    proxy.get(&format!("http://{address}{path}"));
    let _ = TcpStream::connect(address); // ends the wait where the proxy did not come
    let line = asked.join().expect("the origin server");
    assert_eq!(line, format!("GET {path} HTTP/1.0\r\n"));
    let too_long = url(&format!("/?{}", "0".repeat(9000)));
    assert!(proxy.get(&too_long).starts_with("HTTP/1.1 414 "));
    let line = format!("GET {} HTTP/1.0", url("/"));
    assert!(
        proxy
            .ask(&format!("{line:9000}\r\n\r\n"))
            .starts_with("HTTP/1.1 414 ")
    );
    // Clients that vanish end their own threads alone.
    for _ in 0..20 {
        let mut stream = proxy.connect();
        let _ =
            stream.write_all(format!("GET {} HTTP/1.0\r\n\r\n", url("/picture.png")).as_bytes());
    }
    // What is cached outlives the server; what is dynamic or too large does not.
    let large = dir.join("root/large.txt");
    fs::write(&large, "l".repeat(200_000)).expect("a file");
    assert!(
        proxy
            .get(&url("/large.txt"))
            .ends_with(&"l".repeat(200_000))
    );
    for i in 0..12 {
        fs::write(
            dir.join(format!("root/{i}.txt")),
            i.to_string().repeat(90_000 / (1 + i / 10)),
        )
        .expect("a file");
        assert!(proxy.get(&url(&format!("/{i}.txt"))).contains(" 200 OK"));
        proxy.get(&url("/")); // keeps the page recent
    }
    drop(web);
    assert!(
        proxy
            .get(&format!("http://127.0.0.1:{}/", 1))
            .contains(" 502 ")
    );
    let text = |path: &str, port: u16| proxy.get(&format!("http://127.0.0.1:{port}{path}"));
    assert!(text("/", port).ends_with(&page));
    assert!(text("/11.txt", port).contains(" 200 OK"));
    assert!(
        text("/0.txt", port).contains(" 502 "),
        "the least recently used one"
    );
    assert!(text("/large.txt", port).contains(" 502 "));
    assert!(text("/cgi-bin/adder?a=2&b=3", port).contains(" 502 "));
}

fn conncap(way: Way, dir: &Path) {
    let csv = dir.join("connections.csv");
    let mut command = program(way, "conncap");
    // With chaos, half of the connections are slow to come.
    let count = if matches!(way, Way::Chaos(_)) {
        "50"
    } else {
        "1100"
    };
    let said = common::succeed(
        command
            .args(["-k", "2", "-d", "100", "-o"])
            .arg(&csv)
            .arg(count),
    );
    for line in [
        &format!("{count} held"),
        &format!("from 127.0.0.1: {count}"),
        "sent ",
        "read ",
        "closed         0 held",
    ] {
        assert!(said.contains(line), "{line:?} in\n{said}");
    }
    let csv = fs::read_to_string(csv).expect("the figures");
    assert!(
        csv.lines()
            .any(|line| line.starts_with(&format!("idle,{count},"))),
        "{csv}"
    );
    assert!(
        csv.lines().all(|line| line.split(',').count() == 8),
        "{csv}"
    );
}

/// A module for each program, a test for each way to run it.
macro_rules! examples {
    ($($example:ident: $($name:ident $way:ident)+;)+) => {
        $(mod $example {
            $(#[test]
            fn $name() {
                let dir = super::common::scratch(concat!("examples-", stringify!($example), "-", stringify!($name)));
                super::$example(super::Way::$way, &dir);
            })+
        })+
    };
}

examples! {
    cpfile: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    wordfreq: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    statcheck: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    lsdir: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    sharing: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    redirect: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    stdiotrap: plain Plain sanitized Sanitized under_valgrind UnderValgrind;
    hostinfo: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    echo: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    tinyweb: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    tinyweb_by_the_book: plain Plain sanitized Sanitized checked Checked;
    proxy: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
    proxy_by_the_book: plain Plain sanitized Sanitized checked Checked;
    proxy_cache_size: plain Plain;
    ends_in_order: plain Plain sanitized Sanitized checked Checked;
    conncap: plain Plain sanitized Sanitized under_valgrind UnderValgrind checked Checked;
}

/// The programs do with chaos what they do without it. stdiotrap, which shows traps, is not there: it is caught in them.
fn with_chaos(seeds: std::ops::RangeInclusive<u32>) {
    type Example = fn(Way, &Path);
    let examples: [(&str, Example); 11] = [
        ("cpfile", cpfile),
        ("wordfreq", wordfreq),
        ("statcheck", statcheck),
        ("lsdir", lsdir),
        ("sharing", sharing),
        ("redirect", redirect),
        ("hostinfo", hostinfo),
        ("echo", echo),
        ("tinyweb_by_the_book", tinyweb_by_the_book),
        ("proxy_by_the_book", proxy_by_the_book),
        ("conncap", conncap),
    ];
    for seed in seeds {
        for (name, example) in examples {
            let began = Instant::now();
            let dir = common::scratch(&format!("examples-chaos-{seed}-{name}"));
            example(Way::Chaos(seed), &dir);
            println!("--chaos={seed} {name}: {:?}", began.elapsed());
            let _ = fs::remove_dir_all(dir);
        }
    }
}

#[test]
fn with_a_seed_of_chaos() {
    with_chaos(1..=1);
}

/// In two halves, which run at once.
#[test]
#[ignore = "many minutes: a hundred seeds of chaos"]
fn with_a_hundred_seeds_of_chaos() {
    with_chaos(1..=100);
}

#[test]
#[ignore = "many minutes: a hundred seeds of chaos"]
fn with_another_hundred_seeds_of_chaos() {
    with_chaos(101..=200);
}

/// Sends what has been made of the requests of a corpus, behind their first `kept` bytes, for FUZZ_SECONDS; what
/// comes back is an answer or nothing. `before` is told the numbers, before each request.
fn fuzz(
    server: &Server,
    requests: &[Vec<u8>],
    kept: usize,
    before: impl Fn(&mut corpus::Numbers) + Sync,
) {
    let seconds = std::env::var("FUZZ_SECONDS").map_or(120, |text| text.parse().expect("seconds"));
    let end = Instant::now() + Duration::from_secs(seconds);
    let seed = std::time::UNIX_EPOCH.elapsed().expect("a time").as_nanos() as u64 | 1;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let before = &before;
            scope.spawn(move || {
                let mut numbers = corpus::Numbers(seed.wrapping_mul(2 * thread + 1));
                let mut count = 0;
                while Instant::now() < end {
                    let mut request = requests[numbers.below(requests.len())].clone();
                    numbers.mutate(&mut request, kept, requests);
                    before(&mut numbers);
                    let answer = corpus::exchange(server.port, &request);
                    assert!(
                        answer.is_empty() || answer.starts_with(b"HTTP/1.1 "),
                        "{:?}: {:?}",
                        String::from_utf8_lossy(&request),
                        String::from_utf8_lossy(&answer)
                    );
                    count += 1;
                }
                println!("{count} requests of the seed {seed}, thread {thread}");
            });
        }
    });
}

#[test]
#[ignore = "two minutes of damaged requests"]
fn tinyweb_stands_damaged_requests() {
    let server = start_tinyweb(Way::Sanitized, &common::scratch("examples-fuzz-tinyweb"));
    let requests: Vec<Vec<u8>> = tinyweb_cases()
        .into_iter()
        .map(|case| case.request)
        .collect();
    fuzz(&server, &requests, 0, |_| {});
    assert!(server.get("/hello.txt").ends_with("hello\n"));
}

/// The first bytes of a request stay, so that it goes to no other host.
#[test]
#[ignore = "two minutes of damaged requests and answers"]
fn proxy_stands_damaged_requests_and_answers() {
    let scratch = common::scratch("examples-fuzz-proxy");
    let proxy = Server::start(program(Way::Sanitized, "proxy").arg("0"), &scratch);
    let origin = Origin::start();
    let start = format!("GET http://127.0.0.1:{}/", origin.port).into_bytes();
    let mut answers = vec![FINE.to_owned()];
    let mut requests = Vec::new();
    for case in origin.cases() {
        answers.extend(case.all('<').map(<[u8]>::to_owned));
        if case.request.starts_with(&start) {
            requests.push(case.request);
        }
    }
    fuzz(&proxy, &requests, start.len(), |numbers| {
        let mut answer = answers[numbers.below(answers.len())].clone();
        numbers.mutate(&mut answer, 0, &answers);
        origin.answer_by(&answer);
    });
    origin.answer_by(FINE);
    let url = format!("http://127.0.0.1:{}/at-last", origin.port);
    assert!(proxy.get(&url).ends_with("hello"));
}

#[test]
#[ignore = "a minute: 60,000 connections"]
fn conncap_holds_60_000_connections() {
    let said = common::succeed(program(Way::Plain, "conncap").args(["-k", "3", "60000"]));
    assert!(said.contains("60000 held"), "{said}");
    println!("{said}");
}

#[test]
#[ignore = "half a minute, and needs wrk"]
fn tinyweb_answers_every_request_of_wrk() {
    if !common::is_installed("wrk", "wrk") {
        return;
    }
    let server = start_tinyweb(Way::Plain, &common::scratch("examples-wrk"));
    let url = format!("http://127.0.0.1:{}/", server.port);
    let said = common::succeed(Command::new("wrk").args(["-t1", "-c100", "-d30", &url]));
    assert!(
        !said.contains("Non-2xx") && !said.contains("Socket errors"),
        "{said}"
    );
    println!("{said}");
}

#[test]
#[ignore = "needs chromium"]
fn a_browser_loads_all_parts_of_the_page() {
    if !common::is_installed("chromium", "chromium") {
        return;
    }
    let dir = common::scratch("examples-browser");
    let server = start_tinyweb(Way::Plain, &dir);
    let proxy_dir = dir.join("proxy");
    fs::create_dir_all(&proxy_dir).expect("a directory");
    let proxy = Server::start(program(Way::Plain, "proxy").arg("0"), &proxy_dir);
    let url = format!("http://127.0.0.1:{}/", server.port);
    for through_proxy in [false, true] {
        let mut browser = Command::new("chromium");
        browser.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ]);
        browser.args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]);
        browser.arg(format!(
            "--user-data-dir={}",
            dir.join(format!("browser-{through_proxy}")).display()
        ));
        if through_proxy {
            browser.arg(format!("--proxy-server=http://127.0.0.1:{}", proxy.port));
            browser.arg("--proxy-bypass-list=<-loopback>");
        }
        let page =
            common::succeed(browser.args(["--virtual-time-budget=5000", "--dump-dom", &url]));
        assert!(
            page.contains("style sheet: true, picture: 240 x 120, script: true"),
            "{page}"
        );
        assert!(page.contains("= 42"), "{page}");
    }
}

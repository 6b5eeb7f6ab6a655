//! Well-known programs under csapp-check: the same output and status as without it, and no report that is not true.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::support::{check, csapp_check};
use crate::common;
use crate::common::scratch;

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
    &["xargs", "-P", "4", "-n", "1", "-a", "names", "cat"],
    &[
        "sort",
        "--parallel=2",
        "-R",
        "--random-source=numbers",
        "numbers",
    ],
    &["busybox", "sh", "-c", "echo one | cat; (exit 3)"],
    &[
        "zsh",
        "-c",
        "echo a | cat; coproc cat; print -p hi; read -p x; echo $x; (exit 3)",
    ],
    &["ksh", "-c", "echo a | cat; (exit 3)"],
    &[
        "mawk",
        "BEGIN { while ((\"ls files\" | getline x) > 0) n++; print n; system(\"echo hi\") }",
    ],
    &[
        "gawk",
        "BEGIN { c = \"cat\"; print 1 |& c; close(c, \"to\"); c |& getline x; print x }",
    ],
    &["tclsh", "Tcl"],
    &["expect", "Expect"],
    &["bc", "-q", "Bc"],
    &["jq", ".", "Json"],
    &[
        "lua5.4",
        "-e",
        "local f = io.popen('ls files'); print(f:read('a')); f:close()",
    ],
    &[
        "ruby",
        "-e",
        "t = Thread.new { puts 1 }; t.join; puts `ls files`; fork { puts 2 }; Process.wait",
    ],
    &[
        "php",
        "-r",
        "echo shell_exec('ls files'); foreach ([1, 2, 3] as $i) $f[] = tmpfile();",
    ],
    &[
        "node",
        "-e",
        "const cp = require('child_process'); console.log(String(cp.execSync('ls files'))); \
         require('fs').readFile('numbers', (e, data) => console.log(data.length))",
    ],
    &["java", "-version"],
    &["guile", "-c", "(display 1)"],
    &["ocaml", "-version"],
    &["sbcl", "--noinform", "--eval", "(progn (print 1) (exit))"],
    &["erl", "-noshell", "-eval", "io:format(\"hi~n\"), halt()."],
    &["go", "version"],
    &["pigz", "-n", "-p", "4", "-c", "numbers"],
    &["zstd", "-q", "-T2", "-c", "numbers"],
    &["bzip2", "-c", "numbers"],
    &["zip", "-q", "-X", "-", "hello.c"],
    &["rsync", "-a", "files/", "mirror"],
    &["git", "init", "-q", "repository"],
    &["git", "diff", "--no-index", "numbers", "files/1"],
    &[
        "vim",
        "-Nu",
        "NONE",
        "-n",
        "-es",
        "-c",
        "r files/1",
        "-c",
        "w! edited",
        "-c",
        "q!",
    ],
    &["ssh", "-V"],
    &["dig", "-v"],
    &["cmake", "--version"],
    &[
        "parallel",
        "--will-cite",
        "-k",
        "echo",
        ":::",
        "1",
        "2",
        "3",
    ],
    &["lsof", "-v"],
    &["gdb", "-batch", "-ex", "print 1"],
    &["strace", "-o", "/dev/null", "true"],
    &["script", "-qec", "echo hi", "/dev/null"],
    &["setsid", "-w", "echo", "hi"],
    &["flock", "lock", "echo", "hi"],
    &["openssl", "enc", "-base64", "-in", "numbers"],
    &["wget", "-q", "-O", "-", "http://127.0.0.1:1/"],
    &["tmux", "-V"],
];

fn prepare(dir: &Path) {
    let numbers = |from: u32, to: u32| (from..to).map(|n| format!("{n}\n")).collect::<String>();
    fs::create_dir(dir.join("files")).expect("a new directory");
    fs::write(dir.join("numbers"), numbers(1, 20_000)).expect("a new file");
    for n in 1..4 {
        fs::write(dir.join(format!("files/{n}")), numbers(n * 100, 400)).expect("a new file");
    }
    fs::write(dir.join("hello.c"), "int main(void) { return 0; }\n").expect("a new file");
    for (name, text) in [
        ("names", "files/1\nfiles/1\n"),
        ("Tcl", "puts [exec echo hi]\n"),
        (
            "Expect",
            "spawn -noecho cat\nsend hi\\r\nexpect \"hi\\r\\nhi\\r\\n\"\nclose\nwait\n",
        ),
        ("Bc", "2 ^ 100\nquit\n"),
        ("Json", "[1, {\"a\": 2}]\n"),
    ] {
        fs::write(dir.join(name), text).expect("a new file");
    }
    fs::write(
        dir.join("Makefile"),
        "all:\n\t@echo one; echo two\n\t@ls files | wc -l\n",
    )
    .expect("a new file");
}

/// What was looked at and is true: the program, and the kind of its reports. From binutils 2.44 on, ld ends with the
/// libraries that it has read still open. strace shows the others' second close; gdb, that nobody joins sbcl's thread.
/// If dig ends before its threads begin, it leaves the pipes of their loops.
const TRUE: [[&str; 2]; 7] = [
    ["gcc", "leak"],
    ["clang", "leak"],
    ["ksh", "double-close"],
    ["erl", "double-close"],
    ["sbcl", "unjoined-thread"],
    ["rsync", "errno-in-handler"],
    ["dig", "leak"],
];

/// All files below a directory, and what is in them.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let entry = entry.expect("an entry");
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_str().expect("UTF-8");
        if path.is_dir() {
            let below = files(&path).into_iter();
            all.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            all.insert(name.to_owned(), fs::read(&path).expect("a file"));
        }
    }
    all
}

#[test]
fn programs_of_the_system() {
    let dir = scratch("silence");
    let [plain_in, watched_in] = ["plain", "watched"].map(|name| dir.join(name).join("work"));
    for work in [&plain_in, &watched_in] {
        fs::create_dir_all(work).expect("a new directory");
        prepare(work);
    }
    let mut tried = 0;
    for command in COMMANDS {
        if !common::has(command[0]) {
            continue;
        }
        tried += 1;
        let plain = Command::new(command[0])
            .args(&command[1..])
            .current_dir(&plain_in)
            .stdin(Stdio::null())
            .output();
        let plain = plain.expect("it is installed");
        let json = dir.join("report.json");
        let mut run = csapp_check();
        run.arg("--log-file=/dev/null")
            .arg(format!("--json={}", json.display()))
            .args(*command)
            .current_dir(&watched_in)
            .stdin(Stdio::null());
        let watched = run.output().expect("csapp-check");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&watched.stdout), text(&plain.stdout), "{command:?}");
        assert_eq!(text(&watched.stderr), text(&plain.stderr), "{command:?}");
        assert_eq!(watched.status, plain.status, "{command:?}");
        let json: Value =
            serde_json::from_slice(&fs::read(&json).expect("a report")).expect("JSON");
        for report in json["reports"].as_array().expect("reports") {
            let kind = report["kind"].as_str().expect("a kind");
            assert!(
                TRUE.contains(&[command[0], kind]),
                "{command:?}: {report:#}"
            );
        }
    }
    let left = [&plain_in, &watched_in].map(|work| files(work));
    let names = left
        .each_ref()
        .map(|files| files.keys().collect::<Vec<_>>());
    assert_eq!(names[0], names[1]);
    for (name, bytes) in &left[0] {
        assert!(*bytes == left[1][name], "{name} differs");
    }
    assert!(tried >= 30, "only {tried} programs are installed");
}

/// A server that listens at the socket `s` in its directory: its command, what it is asked, and what it answers.
struct Service {
    command: &'static [&'static str],
    request: &'static str,
    answer: &'static str,
}

const HTTP: &str = "GET / HTTP/1.0\r\n\r\n";

const SERVICES: &[Service] = &[
    Service {
        command: &["nginx", "-p", ".", "-c", "nginx.conf", "-e", "errors"],
        request: HTTP,
        answer: "hello",
    },
    Service {
        command: &["lighttpd", "-D", "-f", "lighttpd.conf"],
        request: HTTP,
        answer: "hello",
    },
    Service {
        command: &[
            "redis-server",
            "--port",
            "0",
            "--unixsocket",
            "s",
            "--save",
            "",
        ],
        request: "PING\r\nQUIT\r\n",
        answer: "+PONG",
    },
    Service {
        command: &["memcached", "-u", "root", "-s", "s"],
        request: "version\r\nquit\r\n",
        answer: "VERSION",
    },
    Service {
        command: &["socat", "UNIX-LISTEN:s,fork", "EXEC:echo hello"],
        request: "",
        answer: "hello",
    },
    Service {
        command: &[
            "perl",
            "-MIO::Socket::UNIX",
            "-e",
            "$SIG{CHLD} = 'IGNORE'; $s = IO::Socket::UNIX->new(Local => 's', Listen => 5); \
             while ($c = $s->accept) { if (!fork) { print $c 'hello'; exit } close $c }",
        ],
        request: "",
        answer: "hello",
    },
    Service {
        command: &[
            "python3",
            "-c",
            "import socketserver as s\nclass H(s.StreamRequestHandler):\n def handle(self):\n  self.wfile.write(b'hello')\n\
             class S(s.ThreadingMixIn, s.UnixStreamServer): pass\nS('s', H).serve_forever()",
        ],
        request: "",
        answer: "hello",
    },
    Service {
        command: &[
            "ruby",
            "-rsocket",
            "-e",
            "s = UNIXServer.new('s'); loop { Thread.new(s.accept) { |c| c.puts 'hello'; c.close } }",
        ],
        request: "",
        answer: "hello",
    },
    Service {
        command: &[
            "node",
            "-e",
            "require('http').createServer((q, r) => r.end('hello')).listen('s')",
        ],
        request: HTTP,
        answer: "hello",
    },
];

impl Service {
    /// Starts it, asks it `times` times, and ends it. Returns what csapp-check has to say.
    fn ask(&self, dir: &Path, times: u32) -> String {
        fs::write(
            dir.join("nginx.conf"),
            "daemon off; worker_processes 2; pid pid; events {}\n\
             http { access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f;\n\
             uwsgi_temp_path u; scgi_temp_path c; server { listen unix:s; return 200 hello; } }\n",
        )
        .expect("a new file");
        fs::write(dir.join("index.html"), "hello").expect("a new file");
        let lighttpd = format!(
            "server.document-root = \"{0}\"\nserver.bind = \"{0}/s\"\nindex-file.names = (\"index.html\")\n",
            dir.display()
        );
        fs::write(dir.join("lighttpd.conf"), lighttpd).expect("a new file");
        let log = dir.join("log");
        let mut command = csapp_check();
        command
            .arg(format!("--log-file={}", log.display()))
            .args(self.command)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = command.spawn().expect("csapp-check");
        let mut answers = Vec::new();
        for _ in 0..1000 {
            if let Ok(mut client) = UnixStream::connect(dir.join("s")) {
                let mut answer = String::new();
                let limit = Some(Duration::from_secs(20));
                client.set_read_timeout(limit).expect("a time limit");
                let _ = client.write_all(self.request.as_bytes());
                let _ = client.read_to_string(&mut answer);
                answers.push(answer);
            }
            if answers.len() == times as usize || server.try_wait().expect("a child").is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(if answers.is_empty() {
                20
            } else {
                0
            }));
        }
        // SAFETY: a child of this test that was not waited for, or a number that is not given out again so soon.
        unsafe { libc::kill(server.id() as i32, libc::SIGTERM) };
        server.wait().expect("a child");
        assert_eq!(answers.len(), times as usize, "{:?}", self.command);
        for answer in answers {
            assert!(answer.contains(self.answer), "{:?}: {answer}", self.command);
        }
        fs::read_to_string(log).expect("a report")
    }
}

#[test]
fn servers_of_the_system() {
    for service in SERVICES {
        let name = service.command[0];
        if !common::has(name) {
            continue;
        }
        // The path of a socket has to be short.
        let dir = std::env::temp_dir().join(format!("csapp-check-{}-{name}", std::process::id()));
        fs::create_dir(&dir).expect("a new directory");
        let said = service.ask(&dir, 20);
        assert_eq!(said, "", "{:?}", service.command);
        fs::remove_dir_all(dir).expect("it is there");
    }
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

//! A server program under test, and clients to it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A server that is ended with the test, which fails if a checker had something to say.
pub struct Server {
    child: Child,
    pub port: u16,
    /// What it prints after the line with its port.
    output: BufReader<ChildStdout>,
    said: PathBuf,
    /// How it ended, if the test has waited for that.
    ended: Option<ExitStatus>,
    /// Under csapp-check, which says what it has found when the server has ended.
    is_checked: bool,
}

impl Server {
    /// Starts a server, which prints its port at the end of its first line.
    pub fn start(command: &mut Command, scratch: &Path) -> Server {
        let said = scratch.join("server-said");
        let errors = fs::File::create(&said).expect("a file for the server's messages");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("a server");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        output.read_line(&mut line).expect("its first line");
        let port = line
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port in {line:?}"));
        Server {
            child,
            port,
            output,
            said,
            ended: None,
            is_checked: Path::new(command.get_program()).ends_with("csapp-check"),
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        let limit = Some(Duration::from_secs(20));
        stream.set_read_timeout(limit).expect("a time limit");
        stream
    }

    /// Sends `request` and returns all that comes until the server hangs up.
    pub fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("to send");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Asks for a page, and returns the whole answer.
    pub fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.0\r\n\r\n"))
    }

    /// The next line that it prints.
    pub fn printed(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("its next line");
        line
    }

    /// What it has written to standard error so far, but for the seed of csapp-check --chaos.
    pub fn said(&self) -> String {
        let said = fs::read_to_string(&self.said).expect("its messages");
        let lines = said.split_inclusive('\n');
        lines
            .filter(|line| !line.starts_with("csapp-check: --chaos="))
            .collect()
    }

    /// Waits until it has ended by itself, and says how.
    pub fn end(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("its status");
        self.ended = Some(status);
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let alive = self.ended.is_some() || self.child.try_wait().expect("its state").is_none();
        if self.is_checked && alive && self.ended.is_none() {
            let id = self.id().to_string();
            let _ = Command::new("kill").args(["-s", "TERM", &id]).status();
        } else {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        if !std::thread::panicking() {
            assert!(alive, "the server has ended");
            let said = self.said();
            let complaints = ["==", "runtime error", " of fault"];
            assert!(
                !complaints.iter().any(|words| said.contains(words)),
                "{said}"
            );
        }
    }
}

//! Requests with the answers that they have to get: the cases of tinyweb.http and proxy.http.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::common;

/// A line of a data file, and those below it.
pub struct Case {
    pub about: String,
    pub request: Vec<u8>,
    pub statuses: String,
    /// Lines that belong to it, by their first character.
    pub details: Vec<(char, Vec<u8>)>,
}

/// Reads a data file, whose head says what is in it.
pub fn cases(name: &str, variables: &[(&str, &str)]) -> Vec<Case> {
    let path = common::root().join("tests/examples").join(name);
    let text = fs::read_to_string(path).expect("a data file");
    let mut cases: Vec<Case> = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let mut line = line.to_owned();
        for (variable, value) in variables {
            line = line.replace(variable, value);
        }
        let is_new = line.contains(" | ");
        line = line.replace("{n}", &(cases.len() + usize::from(is_new)).to_string());
        if let Some((statuses, rest)) = line.split_once(" | ") {
            let (request, about) = rest.rsplit_once(" | ").expect("three columns");
            cases.push(Case {
                about: about.to_owned(),
                request: bytes(request),
                statuses: statuses.to_owned(),
                details: Vec::new(),
            });
        } else {
            let (kind, text) = line.split_at(1);
            let kind = kind.chars().next().expect("a kind");
            let case = cases.last_mut().expect("a case above its details");
            case.details
                .push((kind, bytes(text.strip_prefix(' ').unwrap_or(text))));
        }
    }
    cases
}

/// Puts bytes for \r and the like, and repeats what is in braces.
fn bytes(text: &str) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(inner) = rest.strip_prefix('{') {
            let mut depth = 1;
            let end = inner.find(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth == 0
            });
            let (inner, after) = inner.split_at(end.expect("a closing brace"));
            let (what, count) = inner.rsplit_once('*').expect("what, and how often");
            found.extend(bytes(what).repeat(count.parse().expect("a number")));
            rest = &after[1..];
        } else if let Some(escape) = rest.strip_prefix('\\') {
            let (byte, len) = match &escape[..1] {
                "r" => (b'\r', 1),
                "n" => (b'\n', 1),
                "t" => (b'\t', 1),
                "0" => (0, 1),
                "x" => (u8::from_str_radix(&escape[1..3], 16).expect("a byte"), 3),
                other => panic!("\\{other} in {text}"),
            };
            found.push(byte);
            rest = &escape[len..];
        } else {
            found.extend(first.to_string().bytes());
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// Sends `request` and nothing after it; all that comes back.
pub fn exchange(port: u16, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(30)))
        .expect("a time limit");
    let _ = stream.write_all(request); // it may have hung up already
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // a reset is an end
    answer
}

pub fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The statuses of the answers in `text`.
pub fn statuses(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let found: Vec<&str> = text
        .match_indices("HTTP/1.1 ")
        .filter_map(|(at, start)| text.get(at + start.len()..at + start.len() + 3))
        .collect();
    if found.is_empty() {
        "-".to_owned()
    } else {
        found.join(" ")
    }
}

impl Case {
    /// The details of a kind.
    pub fn all(&self, kind: char) -> impl Iterator<Item = &[u8]> {
        self.details
            .iter()
            .filter(move |detail| detail.0 == kind)
            .map(|detail| detail.1.as_slice())
    }

    /// Says what is wrong with an answer; nothing if it is as it has to be.
    pub fn complaints(&self, answer: &[u8]) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut complain = |what: String| {
            let start = String::from_utf8_lossy(&answer[..answer.len().min(400)]).into_owned();
            complaints.push(format!("{}: {what}: {start:?}", self.about));
        };
        let found = statuses(answer);
        if found != self.statuses {
            complain(format!("{found} instead of {}", self.statuses));
        }
        for (kind, part) in &self.details {
            let has_it = holds(answer, part);
            if (*kind == '+' && !has_it) || (*kind == '!' && has_it) {
                complain(format!("{kind} {:?}", String::from_utf8_lossy(part)));
            }
        }
        complaints
    }
}

/// Numbers that look random (xorshift), the same for the same seed.
pub struct Numbers(pub u64);

impl Numbers {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// Changes `text` behind its first `kept` bytes, a few times.
    pub fn mutate(&mut self, text: &mut Vec<u8>, kept: usize, others: &[Vec<u8>]) {
        const SPECIAL: &[u8] = b"\r\n\t \0:,;=/?#%\"\\.-+09aZ\x7f\x80\xff";
        for _ in 0..=self.below(8) {
            let at = kept + self.below(text.len().saturating_sub(kept) + 1);
            let end = (at + self.below(16)).min(text.len());
            match self.below(6) {
                0 => text.insert(at, SPECIAL[self.below(SPECIAL.len())]),
                1 => text.insert(at, self.below(256) as u8),
                2 => drop(text.drain(at..end)),
                3 => {
                    let part = text[at..end].repeat(1 + self.below(30));
                    text.splice(at..at, part);
                }
                4 if at < text.len() => text[at] ^= 1 << self.below(8),
                _ => {
                    let other = &others[self.below(others.len())];
                    let from = self.below(other.len() + 1);
                    let to = (from + self.below(60)).min(other.len());
                    text.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
    }
}

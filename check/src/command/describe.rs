//! What was found becomes sentences.

use std::io::Error;

use crate::arguments::without_number;
use crate::places::{Place, Places};
use crate::shared::*;

/// Something to tell: what happened and where, with what before it, and why that matters.
#[derive(Clone, Debug)]
pub struct Report {
    pub kind: Kind,
    pub place: Place,
    pub message: String,
    pub evidence: Vec<String>,
    pub why: &'static str,
    pub count: u32,
    pub pid: i32,
    /// The stacks behind it, that of the fault first.
    pub stacks: Vec<u32>,
}

impl Report {
    /// The same fault at the same place, in any process.
    pub fn is_same(&self, other: &Report) -> bool {
        self.kind == other.kind && self.place.long() == other.place.long()
    }
}

/// A signal by its name.
pub fn signal_name(signal: i64) -> String {
    const NAMES: &[&str] = &[
        "0",
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    let name = usize::try_from(signal)
        .ok()
        .and_then(|signal| NAMES.get(signal));
    name.map_or_else(|| format!("signal {signal}"), |name| (*name).to_owned())
}

pub fn errno_text(errno: i64) -> String {
    without_number(&Error::from_raw_os_error(errno as i32).to_string())
}

/// "1 byte", "2 bytes".
pub fn counted(n: i64, what: &str) -> String {
    let ending = match what {
        _ if n == 1 => "",
        "process" => "es",
        _ => "s",
    };
    format!("{n} {what}{ending}")
}

/// A finding, with the places of its calls.
struct Story<'a> {
    finding: &'a Finding,
    places: &'a Places<'a>,
}

impl Story<'_> {
    fn number(&self, i: usize) -> i64 {
        self.finding.numbers[i].get()
    }

    fn has(&self, i: usize) -> bool {
        self.finding.stacks[i].get() != 0
    }

    /// Where the i-th call was made.
    fn at(&self, i: usize) -> String {
        self.places.place(self.finding.stacks[i].get()).long()
    }

    /// The i-th call by the name that the program uses: "Close" for a close inside of it.
    fn call(&self, i: usize) -> String {
        let through = self.places.through(self.finding.stacks[i].get());
        through.unwrap_or_else(|| Call::of(self.finding.calls[i].get()).name().to_owned())
    }

    fn thread(&self) -> &'static str {
        match self.number(0) {
            0 => "by another thread",
            1 => "by the same thread",
            _ => "before the fork",
        }
    }

    fn errno(&self, i: usize) -> String {
        errno_text(self.number(i))
    }
}

/// The text of a finding.
struct Words {
    message: String,
    evidence: Vec<String>,
    why: &'static str,
}

pub fn describe(finding: &Finding, places: &Places<'_>) -> Report {
    let story = Story { finding, places };
    let kind = Kind::of(finding.kind.get());
    let words = words(kind, &story);
    Report {
        kind,
        place: places.place(finding.stacks[0].get()),
        message: words.message,
        evidence: words.evidence,
        why: words.why,
        count: finding.count.get(),
        pid: finding.pid.get(),
        stacks: finding
            .stacks
            .iter()
            .map(Cell::get)
            .filter(|id| *id != 0)
            .collect(),
    }
}

fn words(kind: Kind, story: &Story<'_>) -> Words {
    match kind {
        Kind::DoubleClose | Kind::ClosedUse | Kind::ForeignUse | Kind::ClosedUnderWait => {
            descriptor(kind, story)
        }
        Kind::LostBytes => lost_bytes(story),
        Kind::UnsafeInHandler | Kind::ErrnoInHandler => handler(kind, story),
        _ => other(kind, story),
    }
}

fn descriptor(kind: Kind, story: &Story<'_>) -> Words {
    let fd = story.finding.fd.get();
    let name = story.finding.text.read();
    let to_whom = if name.is_empty() {
        String::new()
    } else {
        format!(" ({name})")
    };
    let closed = || format!("closed first at {}, {}", story.at(1), story.thread());
    let given = || {
        format!(
            "{} at {} has given number {fd} out again{to_whom}",
            story.call(2),
            story.at(2)
        )
    };
    match kind {
        Kind::DoubleClose if story.number(1) != 0 => Words {
            message: format!("descriptor {fd} is closed a second time"),
            evidence: vec![format!("{}; since then {}", closed(), given())],
            why: "this close hits the new owner of the number: close each descriptor once, and then set its variable to -1",
        },
        Kind::DoubleClose => Words {
            message: format!("descriptor {fd} is closed a second time"),
            evidence: std::iter::once(closed()).chain(opened(story)).collect(),
            why: "if the number had been given out again meanwhile, this close would have hit its new owner",
        },
        Kind::ClosedUse => Words {
            message: format!(
                "{} is called on descriptor {fd}, which is closed",
                story.call(0)
            ),
            evidence: std::iter::once(format!("closed at {}, {}", story.at(1), story.thread()))
                .chain(opened(story))
                .collect(),
            why: "it fails with EBADF, or uses the file that gets this number next",
        },
        Kind::ForeignUse => Words {
            message: format!(
                "{} is called on descriptor {fd}, which this thread has closed",
                story.call(0)
            ),
            evidence: vec![format!("closed at {}; since then {}", story.at(1), given())],
            why: "it reads or writes the bytes of the new owner of this number",
        },
        _ => Words {
            message: format!(
                "descriptor {fd} is closed while another thread waits in {} on it",
                story.call(1)
            ),
            evidence: std::iter::once(format!(
                "thread {} waits at {}",
                story.number(0),
                story.at(1)
            ))
            .chain(opened(story))
            .collect(),
            why: "the other thread keeps waiting, on a number that may be given out again: let one thread own the descriptor, or call shutdown first",
        },
    }
}

fn opened(story: &Story<'_>) -> Option<String> {
    story
        .has(2)
        .then(|| format!("opened by {} at {}", story.call(2), story.at(2)))
}

fn lost_bytes(story: &Story<'_>) -> Words {
    let fd = story.finding.fd.get();
    let bytes = counted(story.number(0), "byte");
    let ahead = || {
        let first = if story.has(2) {
            format!(", which was initialised at {}", story.at(2))
        } else {
            String::new()
        };
        format!("read ahead at {} into the rio_t{first}", story.at(1))
    };
    let (message, mut evidence) = match story.number(1) {
        0 => (
            format!(
                "{} throws away {bytes} that were read ahead on descriptor {fd}",
                story.call(0)
            ),
            vec![ahead()],
        ),
        1 => (
            format!(
                "a second rio_t reads descriptor {fd}, but the first still holds {bytes} of it"
            ),
            vec![ahead()],
        ),
        2 => (
            format!(
                "{} passes over {bytes} of descriptor {fd} that a rio_t has read ahead",
                story.call(0)
            ),
            vec![ahead()],
        ),
        3 => (
            format!("a stdio stream reads descriptor {fd}, but a rio_t still holds {bytes} of it"),
            vec![ahead()],
        ),
        5 => (
            format!(
                "{} reads {bytes} of descriptor {fd} ahead into a copy of a rio_t, which is overwritten then",
                story.call(0)
            ),
            vec![format!(
                "the rio_t was initialised at {}, and has none of them",
                story.at(1)
            )],
        ),
        _ => (
            format!(
                "{} passes over {bytes} of descriptor {fd} that a stdio stream has read ahead",
                story.call(0)
            ),
            Vec::new(),
        ),
    };
    if story.number(1) == 1 && story.has(3) {
        evidence.push(format!("the second was initialised at {}", story.at(3)));
    }
    Words {
        message,
        evidence,
        why: if story.number(1) == 5 {
            "these bytes are lost: use a pointer to the rio_t instead of a copy"
        } else {
            "these bytes are lost, or come out of order: set up one buffer for each connection, and read only through it"
        },
    }
}

fn handler(kind: Kind, story: &Story<'_>) -> Words {
    let signal = signal_name(story.number(0));
    match kind {
        Kind::UnsafeInHandler => Words {
            message: match story.places.inside(story.finding.stacks[0].get()) {
                Some(outer) => format!(
                    "{outer}, which calls {}, is called in a handler of {signal}",
                    story.call(0)
                ),
                None => format!("{} is called in a handler of {signal}", story.call(0)),
            },
            evidence: std::iter::once(format!("the handler was installed at {}", story.at(1)))
                .chain(written_as(&story.call(0)).map(str::to_owned))
                .collect(),
            why: "it is not async-signal-safe: the signal may have interrupted it, or malloc, halfway (signal-safety(7))",
        },
        _ => Words {
            message: format!("the handler of {signal} that is installed here changes errno"),
            evidence: vec![format!(
                "from {} ({}) to {} ({})",
                story.number(1),
                errno_text(story.number(1)),
                story.number(2),
                errno_text(story.number(2))
            )],
            why: "the interrupted code may read errno next: save errno at the beginning of the handler, and restore it at the end",
        },
    }
}

/// What the source may have instead of a call that the compiler has put there.
pub fn written_as(call: &str) -> Option<&'static str> {
    match call {
        "puts" | "putchar" => Some("a printf that only prints a text is compiled as this call"),
        "fwrite" | "fputc" => Some("an fprintf that only prints a text is compiled as this call"),
        _ => None,
    }
}

fn other(kind: Kind, story: &Story<'_>) -> Words {
    let fd = story.finding.fd.get();
    match kind {
        Kind::ErrorAsNumber if story.number(1) != 0 => Words {
            message: format!("{} is given -1 as a number of bytes", story.call(0)),
            evidence: vec![format!(
                "{} at {} failed ({}) and returned -1",
                story.call(1),
                story.at(1),
                story.errno(0)
            )],
            why: "check a result before you use it as a number",
        },
        Kind::ErrorAsNumber => Words {
            message: format!("{} is called on descriptor {fd}", story.call(0)),
            evidence: vec![format!(
                "the last call that failed is {} at {} ({})",
                story.call(1),
                story.at(1),
                story.errno(0)
            )],
            why: "check a result before you use it as a descriptor",
        },
        Kind::SharedArgument => Words {
            message: format!(
                "a second thread gets the same {} as its argument",
                if story.number(3) != 0 {
                    "variable of the creator's stack"
                } else {
                    "memory"
                }
            ),
            evidence: vec![format!(
                "the first got it at {}, when its value was {}; now it is {}, and nothing made the creator wait until the first had read it",
                story.at(1),
                story.number(0),
                story.number(1)
            )],
            why: "a thread may read another one's value: give each thread memory of its own from malloc, or the number itself, (void *)(long)fd",
        },
        Kind::StdioForked => {
            let stream = if story.number(1) != 0 {
                "stdout"
            } else {
                "a stream"
            };
            let text = story.finding.text.read();
            Words {
                message: format!(
                    "{} were in the buffer of {stream} at this fork, and {} have written them",
                    counted(story.number(0), "byte"),
                    if story.number(2) != 0 {
                        "two children"
                    } else {
                        "both processes"
                    }
                ),
                evidence: vec![format!("they begin with {text:?}")],
                why: "call fflush before fork, or end the child with _exit",
            }
        }
        Kind::LoopAtEnd => Words {
            message: match story.number(0) {
                0 => format!(
                    "{} has reached the end of file {} times in a row on descriptor {fd}",
                    story.call(0),
                    story.number(1)
                ),
                errno => format!(
                    "{} has failed {} times in a row on descriptor {fd} ({})",
                    story.call(0),
                    story.number(1),
                    errno_text(errno)
                ),
            },
            evidence: Vec::new(),
            why: if story.number(0) == i64::from(libc::EAGAIN) {
                "the loop keeps a processor busy until bytes come: wait for them by poll, select or epoll_wait"
            } else if story.number(0) != 0 {
                "it fails each time: a loop that ends at 0 must also end at -1"
            } else {
                "no more bytes will come: test the result, and end the loop at 0, too; whoever sent them may be gone"
            },
        },
        Kind::FellThrough => Words {
            message: format!(
                "{} fails, and the child continues with the code of its parent",
                story.call(0)
            ),
            evidence: vec![
                format!(
                    "{}; then the child calls {} at {}, as its parent has done",
                    story.errno(0),
                    story.call(1),
                    story.at(1)
                ),
                format!("forked at {}", story.at(2)),
            ],
            why: "end the child if exec returns: _exit(127)",
        },
        _ => Words {
            message: kind.name().into(),
            evidence: Vec::new(),
            why: "",
        },
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn plurals() {
        assert_eq!(super::counted(1, "process"), "1 process");
        assert_eq!(super::counted(2, "process"), "2 processes");
        assert_eq!(super::counted(0, "thread"), "0 threads");
    }
}

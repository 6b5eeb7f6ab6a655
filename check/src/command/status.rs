//! Where does it hang? What each thread of each watched process waits for, and which thread or process could end the wait.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::{Duration, Instant};

use crate::arguments::{Failure, Outcome};
use crate::describe::counted;
use crate::memory;
use crate::peers::{Peers, process_name, process_state};
use crate::places::Places;
use crate::shared::*;

/// So long, --status waits for an answer of the csapp-check that runs the program, which may be stopped.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of more threads, descriptors or processes, only the first are named.
const NAMED: usize = 8;

/// Prints it for the processes that are watched with `pid`.
pub fn of_process(pid: i32) -> Outcome<()> {
    let shared = memory::of_process(pid).ok_or_else(|| {
        Failure::new(
            1,
            format!("process {pid} is not watched by a csapp-check of yours"),
        )
    })?;
    let told = ask(shared).unwrap_or_else(|| text(shared, &Places::new(shared)));
    print!("{told}");
    Ok(())
}

/// Asks the csapp-check that runs the program: it may read the program's memory where others may not (Yama).
fn ask(shared: &Shared) -> Option<String> {
    let question = shared.status_asked.add(1) + 1;
    let start = Instant::now();
    while shared.status_told.load(Acquire) < question {
        if start.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let length = shared.status_length.get() as usize;
    let bytes = shared.status_text.iter().take(length).map(Cell::get);
    Some(String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned())
}

/// Answers --status, if it has asked.
pub fn answer(shared: &Shared, places: &Places<'_>) {
    let question = shared.status_asked.get();
    if shared.status_told.get() == question {
        return;
    }
    let text = text(shared, places);
    let bytes = &text.as_bytes()[..text.len().min(STATUS)];
    for (cell, byte) in shared.status_text.iter().zip(bytes) {
        cell.set(*byte);
    }
    shared.status_length.set(bytes.len() as u32);
    shared.status_told.store(question, Release);
}

pub fn text(shared: &Shared, places: &Places<'_>) -> String {
    let peers = Peers::new();
    let mut text = String::new();
    for process in shared
        .live()
        .filter(|process| (1..CLAIMED).contains(&process.pid.get()) && process.end.get() == RUNNING)
    {
        let pid = process.pid.get();
        let threads: Vec<_> = process
            .all_threads()
            .filter(|thread| thread.state.get() == ALIVE)
            .filter(|thread| !matches!(process_state(thread.tid.get()), None | Some('Z' | 'X')))
            .map(|thread| Waiting {
                process,
                thread,
                call: thread.in_call(),
                places,
                peers: &peers,
            })
            .collect();
        let stopped = match process_state(pid) {
            Some('T' | 't') => ", stopped by a signal",
            _ => "",
        };
        let _ = writeln!(
            text,
            "process {pid} ({}), {}{stopped}",
            process_name(pid),
            counted(threads.len() as i64, "thread")
        );
        for (story, alike) in gathered(&threads) {
            text += &told(&story, &alike);
        }
    }
    text
}

/// What is the same for all threads that wait in the same place for the same.
#[derive(PartialEq, Eq, Hash, Clone)]
struct Story {
    what: String,
    details: String,
}

/// A thread, and for how many seconds it has been in its call, if it is in one.
type Since = (i32, Option<f64>);

/// The stories in the order of their first threads, with each thread that one is about, and since when it waits.
fn gathered(threads: &[Waiting<'_>]) -> Vec<(Story, Vec<Since>)> {
    let mut stories: Vec<(Story, Vec<Since>)> = Vec::new();
    let mut known: HashMap<Story, usize> = HashMap::new();
    for waiting in threads {
        let story = waiting.story();
        let index = *known.entry(story.clone()).or_insert_with(|| {
            stories.push((story, Vec::new()));
            stories.len() - 1
        });
        stories[index]
            .1
            .push((waiting.thread.tid.get(), waiting.seconds()));
    }
    stories
}

fn told(story: &Story, alike: &[Since]) -> String {
    let names = alike.iter().map(|(tid, _)| tid.to_string());
    let times = || alike.iter().filter_map(|(_, seconds)| *seconds);
    let shortest = seconds(times().fold(f64::INFINITY, f64::min));
    let longest = seconds(times().fold(0.0, f64::max));
    let how_long = match times().count() {
        0 => String::new(),
        _ if shortest == longest => format!(", for {longest}"),
        _ => format!(", for {shortest} to {longest}"),
    };
    let threads = if alike.len() == 1 {
        "thread"
    } else {
        "threads"
    };
    format!(
        "  {threads} {}: {}{how_long}\n{}",
        list(names),
        story.what,
        story.details
    )
}

fn seconds(seconds: f64) -> String {
    match seconds as u64 {
        0..100 => format!("{seconds:.1} s"),
        whole @ 100..7200 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// "1, 2, 3", or the first of them and how many there are besides.
fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    if names.len() <= NAMED + 1 {
        return names.join(", ");
    }
    format!(
        "{} and {} more",
        names[..NAMED].join(", "),
        names.len() - NAMED
    )
}

struct Waiting<'a> {
    process: &'a Process,
    thread: &'a Thread,
    call: InCall,
    places: &'a Places<'a>,
    peers: &'a Peers,
}

impl Waiting<'_> {
    /// The thread's number, which /proc takes as it takes its process's, also when the first thread has ended.
    fn tid(&self) -> i32 {
        self.thread.tid.get()
    }

    fn call(&self) -> Call {
        Call::of(self.call.call)
    }

    fn seconds(&self) -> Option<f64> {
        let since = self.call.since;
        let now = memory::now();
        (self.call() != Call::None && since != 0).then(|| now.saturating_sub(since) as f64 / 1e9)
    }

    fn story(&self) -> Story {
        use Call::{
            Barrier, CondTimedwait, CondWait, EpollPwait, EpollWait, Join, MutexLock, Poll, Ppoll,
            Pselect, ReadLock, Select, SemWait, Wait, Wait3, Wait4, Waitid, Waitpid, WriteLock,
        };
        let call = self.call();
        let mut details = String::new();
        if call == Call::None {
            return self.no_call();
        }
        let stack = self.call.stack;
        let through = self.places.through(stack);
        let mut what = format!("{}: in ", self.places.place(stack).long());
        match through.filter(|name| name != call.name()) {
            Some(name) => what += &format!("{name} ({})", call.name()),
            None => what += call.name(),
        }
        let callers = self.places.callers(stack);
        if !callers.is_empty() {
            let _ = writeln!(details, "      called from {}", callers.join(", "));
        }
        let fd = self.call.fd;
        if fd >= 0 {
            what += &format!(", descriptor {fd}");
            self.descriptor(fd, "", &mut details);
        }
        match call {
            MutexLock | ReadLock | WriteLock | SemWait | CondWait | CondTimedwait | Barrier => {
                self.lock(&mut details);
            }
            Wait | Waitpid | Waitid | Wait3 | Wait4 => self.children(&mut details),
            Join => self.joined(&mut details),
            Poll | Ppoll => self.several(self.polled(), &mut details),
            Select | Pselect => self.several(self.selected(), &mut details),
            EpollWait | EpollPwait => {
                let epoll = self.call.on[0] as i32;
                self.several(
                    Some(self.peers.watched_by_epoll(self.tid(), epoll)),
                    &mut details,
                );
            }
            _ => (),
        }
        Story { what, details }
    }

    /// Outside of all calls that are watched: in the program's own code, or in a system call that libc makes for another
    /// one, as fflush does.
    fn no_call(&self) -> Story {
        let mut details = String::new();
        if matches!(process_state(self.tid()), Some('R' | 'T' | 't') | None) {
            let what = "in the program's own code".into();
            return Story { what, details };
        }
        let path = format!("/proc/{}/syscall", self.tid());
        let call = fs::read_to_string(path).unwrap_or_default();
        let mut words = call.split(' ');
        let number = words.next().and_then(|word| word.parse::<i64>().ok());
        let on_descriptor = [
            (libc::SYS_read, "read"),
            (libc::SYS_write, "write"),
            (libc::SYS_readv, "readv"),
            (libc::SYS_writev, "writev"),
            (libc::SYS_recvfrom, "recv"),
            (libc::SYS_sendto, "send"),
        ];
        let name = on_descriptor.iter().find(|(it, _)| Some(*it) == number);
        let fd = words.next().and_then(|word| word.strip_prefix("0x"));
        let fd = fd.and_then(|word| i32::from_str_radix(word, 16).ok());
        let what = match (name, fd, number) {
            (Some((_, name)), Some(fd), _) => {
                self.descriptor(fd, "", &mut details);
                format!("in {name}, which a function of libc has called, descriptor {fd}")
            }
            (_, _, Some(number)) => {
                format!("waits in something that csapp-check does not watch (system call {number})")
            }
            _ => "waits in something that csapp-check does not watch".into(),
        };
        Story { what, details }
    }

    fn descriptor(&self, fd: i32, wanted: &str, text: &mut String) {
        let Some(entry) = usize::try_from(fd)
            .ok()
            .and_then(|fd| self.process.fds.get(fd))
        else {
            return;
        };
        let tid = self.tid();
        let mut what = self.peers.what_is(tid, fd, entry);
        if entry.state.get() == OPEN {
            let through = self.places.through(entry.open_stack.get());
            let call = through.unwrap_or_else(|| Call::of(entry.open_call.get()).name().into());
            let place = self.places.place(entry.open_stack.get()).long();
            what += &format!(", from {call} at {place}");
        }
        let _ = writeln!(text, "      descriptor {fd}{wanted} is {what}");
        self.readers(fd, entry, text);
        for line in self.peers.other_ends(tid, fd) {
            let _ = writeln!(text, "      {line}");
        }
    }

    fn readers(&self, fd: i32, entry: &Fd, text: &mut String) {
        let used = (self.process.rios_used.get() as usize).min(RIOS);
        let reads = |rio: &&Rio| {
            rio.address.get() != 0
                && rio.fd.get() == fd
                && rio.generation.get() == entry.generation.get()
        };
        for rio in self.process.rios[..used].iter().filter(reads) {
            let Some(unread) = self.unread(rio) else {
                continue;
            };
            let unread = counted(unread.into(), "unread byte");
            let at = match rio.init_stack.get() {
                0 => String::new(),
                stack => format!(
                    " that is initialised at {}",
                    self.places.place(stack).long()
                ),
            };
            let _ = writeln!(text, "      a rio_t{at} holds {unread} of it");
        }
    }

    /// What a rio_t holds unread, out of the process's memory. None: the memory is used for something else by now.
    fn unread(&self, rio: &Rio) -> Option<i32> {
        let address = rio.address.get();
        let mut header = [0; 16];
        if !memory::peek(self.tid(), address, &mut header) {
            return None;
        }
        let word = |at: usize| i32::from_ne_bytes(header[at..at + 4].try_into().expect("4 bytes"));
        let (fd, count) = (word(0), word(4).max(0));
        let next = usize::from_ne_bytes(header[8..].try_into().expect("8 bytes"));
        let is_inside = |at: usize| (address + 16..=address + 16 + 8192).contains(&at);
        let ends = next.wrapping_add(count as usize);
        (fd == rio.fd.get() && (count == 0 || (is_inside(next) && is_inside(ends))))
            .then_some(count)
    }

    /// Each of the descriptors, and what for.
    fn several(&self, all: Option<Vec<(i32, &'static str)>>, text: &mut String) {
        let Some(all) = all else {
            *text += "      its descriptors are in memory that cannot be read from here\n";
            return;
        };
        for (fd, what_for) in all.iter().take(NAMED) {
            self.descriptor(*fd, what_for, text);
        }
        if all.len() > NAMED {
            let _ = writeln!(
                text,
                "      and {}",
                counted((all.len() - NAMED) as i64, "more descriptor")
            );
        }
        if all.is_empty() {
            *text += "      it waits for no descriptor\n";
        }
    }

    /// What poll was given, out of the process's memory.
    fn polled(&self) -> Option<Vec<(i32, &'static str)>> {
        let count = self.call.on[1].min(FDS);
        let mut bytes = vec![0; count * size_of::<libc::pollfd>()];
        if !memory::peek(self.tid(), self.call.on[0], &mut bytes) {
            return None;
        }
        let entries = bytes.chunks(size_of::<libc::pollfd>()).map(|entry| {
            (
                i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]),
                i16::from_ne_bytes([entry[4], entry[5]]),
            )
        });
        let wanted = |events: i16| match (events & libc::POLLIN != 0, events & libc::POLLOUT != 0) {
            (true, true) => ", to be read or written,",
            (true, false) => ", to be read,",
            (false, true) => ", to be written,",
            (false, false) => "",
        };
        let used = entries.filter(|(fd, _)| *fd >= 0);
        Some(used.map(|(fd, events)| (fd, wanted(events))).collect())
    }

    /// The sets that select was given: it changes them when it returns.
    fn selected(&self) -> Option<Vec<(i32, &'static str)>> {
        let count = self.call.on[0].min(FDS);
        let sets = [", to be read,", ", to be written,", ""];
        let mut all = Vec::new();
        for (set, what_for) in self.call.on[1..].iter().zip(sets) {
            let mut bytes = vec![0u8; count.div_ceil(64) * 8];
            if *set == 0 {
                continue;
            }
            if !memory::peek(self.tid(), *set, &mut bytes) {
                return None;
            }
            let is_in = |fd: &usize| bytes[fd / 8] >> (fd % 8) & 1 != 0;
            all.extend((0..count).filter(is_in).map(|fd| (fd as i32, what_for)));
        }
        Some(all)
    }

    fn lock(&self, text: &mut String) {
        let address = self.call.on[0];
        let image = self.process.image.get();
        let name = self.places.variable(image, address);
        let name = name.map_or(format!("{address:#x}"), |name| {
            format!("{name} ({address:#x})")
        });
        let _ = write!(text, "      it waits for {name}");
        let owner = self.holder(self.thread);
        match owner {
            Some(owner) if owner == self.tid() => {
                *text += ", which it holds itself";
            }
            Some(owner) => *text += &format!(", which thread {owner} holds"),
            None => (),
        }
        let others = self.process.all_threads().filter(|other| {
            let same_place = other.stack.get() == self.call.stack;
            other.call.get() != 0
                && other.on[0].get() == address
                && other.state.get() == ALIVE
                && !same_place
        });
        let others = list(others.map(|other| other.tid.get().to_string()));
        if !others.is_empty() {
            let _ = write!(text, ", as does thread {others}");
        }
        text.push('\n');
        if let Some(circle) = self.circle() {
            let _ = writeln!(text, "      deadlock: thread {circle}");
        }
    }

    /// Which thread holds the mutex that this one waits for.
    fn holder(&self, thread: &Thread) -> Option<i32> {
        // glibc's mutex: a lock, a count, and the thread that holds it.
        let mut words = [0; 12];
        let is_there = Call::of(thread.call.get()) == Call::MutexLock
            && memory::peek(self.tid(), thread.on[0].get(), &mut words);
        let owner = i32::from_ne_bytes([words[8], words[9], words[10], words[11]]);
        (is_there && owner > 0).then_some(owner)
    }

    /// Threads that hold what the next of them waits for, back to this one.
    fn circle(&self) -> Option<String> {
        let first = self.tid();
        let mut circle = vec![first];
        let mut owner = self.holder(self.thread)?;
        while owner != first {
            if circle.contains(&owner) {
                return None;
            }
            circle.push(owner);
            let by_tid =
                |thread: &&Thread| thread.tid.get() == owner && thread.state.get() == ALIVE;
            owner = self.holder(self.process.all_threads().find(by_tid)?)?;
        }
        circle.push(first);
        let pairs = circle
            .windows(2)
            .map(|pair| format!("{} waits for {}", pair[0], pair[1]));
        Some(pairs.collect::<Vec<_>>().join(", "))
    }

    fn joined(&self, text: &mut String) {
        let handle = self.call.on[0];
        let is_it = |thread: &&Thread| {
            thread.handle.get() == handle && matches!(thread.state.get(), CREATED | ALIVE)
        };
        if let Some(thread) = self.process.all_threads().find(is_it) {
            let place = self.places.place(thread.create_stack.get()).long();
            let _ = writeln!(
                text,
                "      it waits for the end of thread {}, created at {place}",
                thread.tid.get()
            );
        }
    }

    fn children(&self, text: &mut String) {
        let wanted = self.call.on[0] as i32;
        let left: Vec<_> = self
            .process
            .all_children()
            .filter(|child| child.waited.get() == 0)
            .filter(|child| wanted <= 0 || child.pid.get() == wanted)
            .collect();
        for child in left.iter().take(NAMED) {
            let pid = child.pid.get();
            let state = match process_state(pid) {
                None | Some('Z' | 'X') => "which has ended",
                Some('T' | 't') => "which a signal has stopped",
                Some(_) => "which runs",
            };
            let place = self.places.place(child.stack.get()).long();
            let _ = writeln!(
                text,
                "      it waits for child {pid} ({}), forked at {place}, {state}",
                process_name(pid)
            );
        }
        if left.len() > NAMED {
            let _ = writeln!(text, "      and for {} more", left.len() - NAMED);
        }
        if left.is_empty() {
            *text += "      there is no child to wait for\n";
        }
    }
}

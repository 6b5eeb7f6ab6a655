//! Where does it hang? What each thread of each watched process waits for, and which thread or process could end the wait.

use std::fmt::Write as _;
use std::fs;

use crate::arguments::{Failure, Outcome};
use crate::describe::counted;
use crate::memory;
use crate::places::Places;
use crate::shared::*;

/// Prints it for the processes that are watched with `pid`.
pub fn of_process(pid: i32) -> Outcome<()> {
    let shared = memory::of_process(pid).ok_or_else(|| {
        Failure::new(
            1,
            format!("process {pid} is not watched by a csapp-check of yours"),
        )
    })?;
    print!("{}", text(shared, &Places::new(shared)));
    Ok(())
}

pub fn text(shared: &Shared, places: &Places<'_>) -> String {
    let mut text = String::new();
    for process in shared
        .live()
        .filter(|process| (1..CLAIMED).contains(&process.pid.get()) && process.end.get() == RUNNING)
    {
        let pid = process.pid.get();
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let alive: Vec<_> = process
            .all_threads()
            .filter(|thread| thread.state.get() == ALIVE)
            .collect();
        let _ = writeln!(
            text,
            "process {pid} ({}), {}",
            name.trim(),
            counted(alive.len() as i64, "thread")
        );
        for thread in alive {
            text += &Waiting {
                shared,
                process,
                thread,
                places,
            }
            .text();
        }
    }
    text
}

struct Waiting<'a> {
    shared: &'a Shared,
    process: &'a Process,
    thread: &'a Thread,
    places: &'a Places<'a>,
}

impl Waiting<'_> {
    fn text(&self) -> String {
        let thread = self.thread;
        let tid = thread.tid.get();
        let call = Call::of(thread.call.get());
        let mut text = format!("  thread {tid}");
        if call == Call::None {
            text += ": in the program's own code\n";
            return text;
        }
        let stack = thread.stack.get();
        let name = self
            .places
            .through(stack)
            .unwrap_or_else(|| call.name().into());
        let _ = write!(text, ": {}: in {name}", self.places.place(stack).long());
        if name != call.name() {
            let _ = write!(text, " ({})", call.name());
        }
        let fd = thread.fd.get();
        if fd >= 0 {
            let _ = write!(text, ", descriptor {fd}");
        }
        text.push('\n');
        self.descriptor(fd, &mut text);
        if matches!(
            call,
            Call::MutexLock | Call::SemWait | Call::CondWait | Call::CondTimedwait | Call::Barrier
        ) {
            self.lock(call, &mut text);
        }
        if matches!(
            call,
            Call::Wait | Call::Waitpid | Call::Waitid | Call::Wait3 | Call::Wait4
        ) {
            self.children(&mut text);
        }
        text
    }

    fn descriptor(&self, fd: i32, text: &mut String) {
        let Some(entry) = usize::try_from(fd)
            .ok()
            .and_then(|fd| self.process.fds.get(fd))
        else {
            return;
        };
        let pid = self.process.pid.get();
        let link = fs::read_link(format!("/proc/{pid}/fd/{fd}"))
            .map(|link| link.display().to_string())
            .unwrap_or_default();
        let name = entry.name.read();
        let what = if name.is_empty() { link.clone() } else { name };
        let _ = write!(text, "      descriptor {fd} is {what}");
        if entry.state.get() == OPEN {
            let through = self.places.through(entry.open_stack.get());
            let call = through.unwrap_or_else(|| Call::of(entry.open_call.get()).name().into());
            let _ = write!(
                text,
                ", from {call} at {}",
                self.places.place(entry.open_stack.get()).long()
            );
        }
        text.push('\n');
        self.readers(fd, entry, text);
        if link.starts_with("pipe:") {
            self.other_ends(pid, fd, &link, text);
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
            let unread = self
                .unread(rio)
                .map_or("an unknown number of bytes".into(), |n| {
                    counted(n.into(), "byte")
                });
            let _ = writeln!(
                text,
                "      a rio_t that is initialised at {} holds {unread} of it",
                self.places.place(rio.init_stack.get()).long()
            );
        }
    }

    /// rio_cnt, out of the process's memory.
    fn unread(&self, rio: &Rio) -> Option<i32> {
        let mut count = 0i32;
        let local = libc::iovec {
            iov_base: (&raw mut count).cast(),
            iov_len: 4,
        };
        let remote = libc::iovec {
            iov_base: (rio.address.get() + 4) as *mut _,
            iov_len: 4,
        };
        // SAFETY: copies four bytes, if they are there.
        let copied =
            unsafe { libc::process_vm_readv(self.process.pid.get(), &local, 1, &remote, 1, 0) };
        (copied == 4).then(|| count.max(0))
    }

    /// The processes with the same pipe: if none writes, its reader waits for its own other end.
    fn other_ends(&self, pid: i32, own: i32, link: &str, text: &mut String) {
        for other in self
            .shared
            .live()
            .map(|process| process.pid.get())
            .filter(|pid| *pid > 0)
        {
            let Ok(entries) = fs::read_dir(format!("/proc/{other}/fd")) else {
                continue;
            };
            for entry in entries.flatten() {
                let number = entry.file_name().to_string_lossy().into_owned();
                let is_it =
                    fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy() == link);
                if !is_it || (other == pid && number == own.to_string()) {
                    continue;
                }
                let flags = fs::read_to_string(format!("/proc/{other}/fdinfo/{number}"))
                    .unwrap_or_default();
                let mode = flags
                    .lines()
                    .find_map(|line| line.strip_prefix("flags:"))
                    .unwrap_or("")
                    .trim();
                let end = if mode.ends_with('1') {
                    "writing"
                } else {
                    "reading"
                };
                let _ = writeln!(
                    text,
                    "      its {end} end is open in process {other}, descriptor {number}"
                );
            }
        }
    }

    fn lock(&self, call: Call, text: &mut String) {
        let address = self.thread.on.get();
        let others = self.process.all_threads().filter(|other| {
            other.tid.get() != self.thread.tid.get()
                && other.call.get() != 0
                && other.on.get() == address
                && other.state.get() == ALIVE
        });
        let _ = write!(text, "      it waits for {address:#x}");
        if call == Call::MutexLock {
            if let Some(owner) = self.owner(address).filter(|owner| *owner > 0) {
                let _ = write!(text, ", which thread {owner} holds");
            }
        }
        let others: Vec<_> = others.map(|other| other.tid.get().to_string()).collect();
        if !others.is_empty() {
            let _ = write!(text, ", as does thread {}", others.join(", "));
        }
        text.push('\n');
    }

    /// glibc's mutex: a lock, a count, and the thread that holds it.
    fn owner(&self, address: usize) -> Option<i32> {
        let mut words = [0i32; 3];
        let local = libc::iovec {
            iov_base: words.as_mut_ptr().cast(),
            iov_len: 12,
        };
        let remote = libc::iovec {
            iov_base: address as *mut _,
            iov_len: 12,
        };
        // SAFETY: copies twelve bytes, if they are there.
        let copied =
            unsafe { libc::process_vm_readv(self.process.pid.get(), &local, 1, &remote, 1, 0) };
        (copied == 12).then_some(words[2])
    }

    fn children(&self, text: &mut String) {
        let left: Vec<_> = self
            .process
            .all_children()
            .filter(|child| child.waited.get() == 0)
            .collect();
        let Some(first) = left.first() else { return };
        let pids: Vec<_> = left
            .iter()
            .map(|child| child.pid.get().to_string())
            .collect();
        let _ = writeln!(
            text,
            "      children: {} (forked at {})",
            pids.join(", "),
            self.places.place(first.stack.get()).long()
        );
    }
}

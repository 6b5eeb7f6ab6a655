//! What a process has not closed, freed or waited for when it ends.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::describe::{Report, counted, written_as};
use crate::places::Places;
use crate::shared::*;

/// How long a program may leave children that it looks for now and then.
const PATIENCE: Duration = Duration::from_secs(1);
/// What kills a program may kill its children, too: whoever ends so shortly before it could not be waited for.
const TOGETHER: Duration = Duration::from_millis(500);
/// The same for a program whose handler has left children before, which needs less proof.
const LEFT_BEFORE: Duration = Duration::from_millis(100);

/// A process that has ended, and how.
pub struct End<'a> {
    pub process: &'a Process,
    /// The signal that killed it, if that is known; 0 if it ended by itself.
    pub signal: Option<i32>,
    /// Processes that ended before it, and when that was seen.
    pub ended: &'a HashMap<i32, Instant>,
    pub places: &'a Places<'a>,
}

impl End<'_> {
    pub fn reports(&self) -> Vec<Report> {
        if self.process.end.get() == EXECED {
            return Vec::new();
        }
        let mut reports = self.sigpipe();
        reports.extend(self.leaks());
        reports.extend(self.threads());
        reports.extend(self.children());
        reports
    }

    fn was_killed(&self) -> bool {
        self.signal != Some(0)
    }

    fn report(
        &self,
        kind: Kind,
        stack: u32,
        message: String,
        evidence: Vec<String>,
        why: &'static str,
    ) -> Report {
        let place = self.places.place(stack);
        Report {
            kind,
            place,
            message,
            evidence,
            why,
            count: 1,
            pid: self.process.pid.get(),
            stacks: vec![stack],
        }
    }

    fn sigpipe(&self) -> Vec<Report> {
        if self.signal != Some(libc::SIGPIPE) {
            return Vec::new();
        }
        let writes = |thread: &&Thread| Call::of(thread.call.get()).writes();
        let Some(thread) = self.process.all_threads().find(writes) else {
            return Vec::new();
        };
        let fd = thread.fd.get();
        let Some(entry) = usize::try_from(fd)
            .ok()
            .and_then(|fd| self.process.fds.get(fd))
        else {
            return Vec::new();
        };
        // A filter whose reader has seen enough ends like this, and should.
        if entry.flags.get() & (SOCKET | PIPE) == 0 || (entry.flags.get() & SOCKET == 0 && fd <= 2)
        {
            return Vec::new();
        }
        let name = entry.name.read();
        let stack = thread.stack.get();
        let call = self
            .places
            .through(stack)
            .unwrap_or_else(|| Call::of(thread.call.get()).name().into());
        let mut evidence: Vec<String> = written_as(&call).map(str::to_owned).into_iter().collect();
        if entry.flags.get() & ENDED != 0 {
            let place = self.places.place(entry.end_stack.get());
            evidence.push(format!("a call at {} had met the end of it", place.long()));
        }
        // The peer of a Unix domain socket usually has no name.
        let to_whom = if name.is_empty() {
            String::new()
        } else {
            format!(" ({name})")
        };
        let message = format!(
            "{call} on descriptor {fd}{to_whom}, whose other end is closed, kills the process by SIGPIPE"
        );
        let why = "ignore SIGPIPE, and the call fails with EPIPE instead";
        vec![self.report(Kind::Sigpipe, stack, message, evidence, why)]
    }

    fn leaks(&self) -> Vec<Report> {
        // A loop that the compiler has unrolled has several stacks for one place.
        let mut groups: BTreeMap<String, Vec<(i32, &Fd)>> = BTreeMap::new();
        for (number, fd) in self.process.open_fds() {
            // A process that sends a descriptor to all others, as nginx does, leaves most of them with one too many.
            let is_left = Call::of(fd.open_call.get()) == Call::Received
                && fd.use_ops.get() == fd.open_ops.get();
            let is_own = fd.flags.get() & (INHERITED | LISTENS) == 0
                && number > 2
                && fd.open_stack.get() != 0
                && !is_left
                && !self.is_watched(fd);
            if is_own {
                let place = self.places.place(fd.open_stack.get());
                groups.entry(place.long()).or_default().push((number, fd));
            }
        }
        let mut reports = Vec::new();
        for all in groups.into_values() {
            let mut idle: Vec<_> = all
                .iter()
                .filter(|(number, fd)| self.is_idle(*number, fd, &all))
                .collect();
            // If some were left while others were opened, nobody is busy with the newest either: unless the program was
            // ended while it worked.
            if !idle.is_empty() && !self.was_killed() && self.is_alone() {
                idle = all
                    .iter()
                    .filter(|(_, fd)| fd.flags.get() & POLLED == 0)
                    .collect();
            }
            if !self.has_grown(&idle) {
                continue;
            }
            // All of them are open, also those that a thread is busy with.
            let Some((number, last)) = all.last() else {
                continue;
            };
            let stack = last.open_stack.get();
            let name = last.name.read();
            let name = if name.is_empty() {
                format!("number {number}")
            } else {
                name
            };
            let message = format!(
                "{} opened here by {} are still open (the last: {name})",
                counted(all.len() as i64, "descriptor"),
                self.names(&all)
            );
            let ended = all
                .iter()
                .filter(|(_, fd)| fd.flags.get() & ENDED != 0)
                .count();
            let evidence = if ended > 0 {
                let how_many = if ended == all.len() {
                    "all of them".into()
                } else {
                    format!("{ended} of them")
                };
                vec![format!("the program had met the end of {how_many}")]
            } else {
                Vec::new()
            };
            let why = "each uses up a number; when there are no more, nothing can be opened";
            let mut report = self.report(Kind::Leak, stack, message, evidence, why);
            report.count = all.len() as u32;
            reports.push(report);
        }
        reports
    }

    /// The calls that opened these: one line may have several.
    fn names(&self, fds: &[(i32, &Fd)]) -> String {
        let ways = fds
            .iter()
            .map(|(_, fd)| (fd.open_stack.get(), fd.open_call.get()));
        let ways: BTreeSet<_> = ways.collect();
        let name = |(stack, call)| {
            let name = || Call::of(call).name().into();
            self.places.through(stack).unwrap_or_else(name)
        };
        let names: BTreeSet<String> = ways.into_iter().map(name).collect();
        Vec::from_iter(names).join(" and ")
    }

    /// Whether it is one end of a pipe or socketpair whose other end the process has, too, and waits for: a way to wake
    /// itself up, which it needs as long as it waits.
    fn is_watched(&self, fd: &Fd) -> bool {
        let call = Call::of(fd.open_call.get());
        let of = |fd: &Fd| (fd.open_stack.get(), fd.open_tid.get(), fd.open_nth.get());
        let is_polled = |(_, other): (i32, &Fd)| {
            of(other) == of(fd) && other.flags.get() & (POLLED | ENDED) == POLLED
        };
        matches!(call, Call::Pipe | Call::Socketpair) && self.process.open_fds().any(is_polled)
    }

    /// Whether several calls that came the same way have left some of these: not so many parts of a program, one each.
    fn has_grown(&self, fds: &[&(i32, &Fd)]) -> bool {
        let mut ways: BTreeMap<Vec<String>, HashSet<(i32, u32)>> = BTreeMap::new();
        for (_, fd) in fds {
            let call = (fd.open_tid.get(), fd.open_nth.get());
            ways.entry(self.places.way(fd.open_stack.get()))
                .or_default()
                .insert(call);
        }
        ways.values().any(|calls| calls.len() > 1)
    }

    /// Whether one thread at most was left.
    fn is_alone(&self) -> bool {
        let threads = self.process.all_threads();
        threads.filter(|thread| thread.state.get() == ALIVE).count() <= 1
    }

    /// Whether nobody was busy with it any more: its thread has ended, or has turned to others since, or to nothing that
    /// it opened after it met the end.
    fn is_idle(&self, number: i32, fd: &Fd, group: &[(i32, &Fd)]) -> bool {
        let mut threads = self.process.all_threads();
        if threads.any(|thread| thread.call.get() != 0 && thread.fd.get() == number) {
            return false;
        }
        let user = self
            .process
            .all_threads()
            .find(|thread| thread.tid.get() == fd.use_tid.get() && thread.state.get() == ALIVE);
        let Some(user) = user else { return true };
        let opened_since = |other: &Fd| {
            other.open_tid.get() == user.tid.get() && other.open_ops.get() > fd.use_ops.get()
        };
        let newer = |other: &Fd| {
            let taken = other.use_tid.get() == user.tid.get();
            opened_since(other) || (taken && other.taken_ops.get() > fd.use_ops.get())
        };
        // The newest usually has the highest number.
        let has_newer = || group.iter().rev().any(|(_, other)| newer(other));
        if fd.flags.get() & ENDED != 0 {
            // A client may send its end first, and then wait for an answer, which the thread gets from elsewhere.
            let was_made_for_it =
                user.creator.get() == fd.open_tid.get() && user.born.get() >= fd.open_nth.get();
            let is_busy = || {
                was_made_for_it || (self.process.open_fds()).any(|(_, other)| opened_since(other))
            };
            let has_gone_on = || self.is_alone() || user.ops.get() != fd.use_ops.get();
            return has_newer() || (has_gone_on() && !is_busy());
        }
        let several = self.process.threads_used.get() > 1;
        let unused = fd.use_ops.get() == fd.open_ops.get();
        if fd.flags.get() & POLLED != 0 || (several && unused) {
            return false;
        }
        has_newer()
    }

    fn threads(&self) -> Vec<Report> {
        let is_left = |thread: &&Thread| {
            thread.state.get() == GONE
                && thread.joined.get() == 0
                && thread.detached.get() == 0
                && thread.create_stack.get() != 0
        };
        let joins = self
            .process
            .all_threads()
            .any(|thread| Call::of(thread.call.get()) == Call::Join);
        if self.was_killed() && joins {
            return Vec::new();
        }
        let mut groups: BTreeMap<String, (u32, i64)> = BTreeMap::new();
        for thread in self.process.all_threads().filter(is_left) {
            let stack = thread.create_stack.get();
            groups
                .entry(self.places.place(stack).long())
                .or_insert((stack, 0))
                .1 += 1;
        }
        let least = if self.was_killed() { 2 } else { 1 };
        let groups = groups.into_values().filter(|(_, count)| *count >= least);
        groups
            .map(|(stack, count)| {
                let verb = if count == 1 {
                    "has ended, and was"
                } else {
                    "have ended, and were"
                };
                let message = format!(
                    "{} created here {verb} neither joined nor detached",
                    counted(count, "thread")
                );
                let why = "each keeps its stack until somebody joins it";
                let mut report = self.report(Kind::Unjoined, stack, message, Vec::new(), why);
                report.count = count as u32;
                report
            })
            .collect()
    }

    fn children(&self) -> Vec<Report> {
        if self.process.ignores_children.get() != 0 {
            return Vec::new();
        }
        let together = match self.process.fewer.get() {
            0 => TOGETHER,
            _ => LEFT_BEFORE,
        };
        let is_left = |child: &&Child| {
            let ended = self.ended.get(&child.pid.get());
            let known = child.zombie.get() != 0
                || (self.was_killed() && ended.is_some_and(|at| at.elapsed() > together));
            child.waited.get() == 0 && child.stack.get() != 0 && known
        };
        let mut groups: BTreeMap<String, (u32, Vec<i32>)> = BTreeMap::new();
        for child in self.process.all_children().filter(is_left) {
            let stack = child.stack.get();
            groups
                .entry(self.places.place(stack).long())
                .or_insert((stack, Vec::new()))
                .1
                .push(child.pid.get());
        }
        if let Some(report) = self.fewer(&groups) {
            return vec![report];
        }
        // A program that looks for them now and then, or in a handler, may have had no time to.
        if self.process.polls_children.get() != 0 {
            let is_old = |pid: &i32| {
                self.ended
                    .get(pid)
                    .is_some_and(|at| at.elapsed() > PATIENCE)
            };
            for (_, pids) in groups.values_mut() {
                pids.retain(is_old);
            }
        }
        let may_be_late = self.was_killed() || self.process.polls_children.get() != 0;
        let least = if may_be_late { 2 } else { 1 };
        let groups = groups.into_values().filter(|(_, pids)| pids.len() >= least);
        groups
            .map(|(stack, pids)| {
                let children = if pids.len() == 1 {
                    "1 child".into()
                } else {
                    format!("{} children", pids.len())
                };
                let verb = if pids.len() == 1 {
                    "has ended, and was"
                } else {
                    "have ended, and were"
                };
                let message = format!("{children} created here {verb} never waited for");
                let why =
                    "each stays in the process table as a zombie: wait for it, or ignore SIGCHLD";
                let mut report = self.report(Kind::Unreaped, stack, message, Vec::new(), why);
                report.count = pids.len() as u32;
                report
            })
            .collect()
    }

    /// A handler that was called once for several children, and waited for one.
    fn fewer(&self, groups: &BTreeMap<String, (u32, Vec<i32>)>) -> Option<Report> {
        let (stack, pids) = groups
            .values()
            .next()
            .filter(|_| self.process.fewer.get() > 0)?;
        let handler = self.process.fewer_stack.get();
        let message = "the SIGCHLD handler that is installed here returns while children that have ended are left".into();
        let evidence = vec![format!(
            "{} of those forked at {} {} never waited for",
            pids.len(),
            self.places.place(*stack).long(),
            if pids.len() == 1 { "was" } else { "were" }
        )];
        let why = "one SIGCHLD may stand for several children: wait in a loop, until waitpid(-1, .., WNOHANG) finds no more";
        let mut report = self.report(Kind::ReapedFewer, handler, message, evidence, why);
        report.stacks.push(*stack);
        Some(report)
    }
}

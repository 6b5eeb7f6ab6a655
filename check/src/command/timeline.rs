//! The timeline: one page of HTML that needs nothing else. A row for each descriptor, a bar for the time it was open,
//! marks for what was done with it; a row for each thread, with what it waited for. Pointing at something tells where
//! in the program it comes from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering::Acquire;

use crate::arguments::{Arguments, Failure, Outcome, USAGE};
use crate::describe::counted;
use crate::memory;
use crate::places::Places;
use crate::shared::*;

const STYLE: &str = include_str!("timeline.css");
const SCRIPT: &str = include_str!("timeline.js");

/// Rows beyond so many are gathered: those that were opened at the same place share one.
const ROWS: usize = 200;
/// Bars and marks of a row beyond so many are thinned out.
const MARKS: usize = 450;
const LEFT: f64 = 330.0;
const WIDTH: f64 = 1070.0;
const HEIGHT: f64 = 18.0;

/// Something that happened, in nanoseconds since the first of all.
#[derive(Clone)]
struct Moment {
    from: u64,
    to: u64,
    call: Call,
    tid: i32,
    stack: u32,
    result: i32,
}

#[derive(Clone, Default)]
struct Row {
    label: String,
    /// Where the descriptor was opened: what rows are gathered by.
    place: String,
    bars: Vec<Moment>,
    marks: Vec<Moment>,
    /// The calls that had not returned at the end.
    unended: Vec<Moment>,
}

/// A call that a thread was in when its process ended.
pub struct Unended {
    pid: i32,
    moment: Moment,
    fd: i32,
}

/// The calls that the threads of a process are in.
pub fn unended(shared: &Shared, process: &Process) -> Vec<Unended> {
    let now = memory::now();
    let waits = process
        .all_threads()
        .filter(|thread| thread.state.get() == ALIVE && thread.call.get() != 0);
    let calls = waits.map(|thread| Unended {
        pid: process.pid.get(),
        moment: Moment {
            from: thread.since.get(),
            to: now,
            call: Call::of(thread.call.get()),
            tid: thread.tid.get(),
            stack: thread.stack.get(),
            result: 0,
        },
        fd: thread.fd.get(),
    });
    calls.filter(|_| shared.timeline.get() != 0).collect()
}

pub fn write(
    page: &Path,
    arguments: &Arguments,
    shared: &Shared,
    places: &Places<'_>,
    mut left: Vec<Unended>,
) -> Outcome<()> {
    let running = shared.live().filter(|process| process.pid.get() > 0);
    left.extend(running.flat_map(|process| unended(shared, process)));
    let events = events(shared);
    let start = events
        .iter()
        .map(|event| event.time.get())
        .chain(left.iter().map(|left| left.moment.from))
        .min()
        .unwrap_or(0);
    let end = events
        .iter()
        .map(|event| event.time.get() + event.duration.get())
        .chain(left.iter().map(|left| left.moment.to))
        .max()
        .unwrap_or(start);
    let mut rows = Rows {
        start,
        end,
        places,
        descriptors: Vec::new(),
        open: BTreeMap::new(),
        threads: BTreeMap::new(),
        one_process: events
            .windows(2)
            .all(|two| two[0].pid.get() == two[1].pid.get()),
    };
    events.iter().for_each(|event| rows.add(event));
    left.iter().for_each(|left| rows.add_unended(left));
    let lost = shared.events_used.get().saturating_sub(EVENTS as u64);
    let mut times: Vec<u64> = rows
        .descriptors
        .iter()
        .chain(rows.threads.values())
        .flat_map(|row| row.bars.iter().chain(&row.marks).chain(&row.unended))
        .flat_map(|moment| [moment.from, moment.to])
        .collect();
    times.push(0);
    let text = Page {
        axis: Axis::new(times),
        rows: &rows,
        lost,
        arguments,
    }
    .text();
    fs::write(page, text).map_err(|why| Failure::new(USAGE, format!("{}: {why}", page.display())))
}

fn events(shared: &Shared) -> Vec<&Event> {
    let used = (shared.events_used.get() as usize).min(EVENTS);
    let mut events: Vec<_> = shared.events[..used]
        .iter()
        .filter(|event| event.call.load(Acquire) != 0)
        .collect();
    events.sort_by_key(|event| event.time.get());
    events
}

fn opens(call: Call) -> bool {
    use Call::{
        Accept, Dup, Dup2, EpollCreate, Eventfd, Fcntl, Fopen, Freopen, Inotify, Memfd, Mkstemp,
        Open, Opendir, Pipe, Popen, Received, Signalfd, Socket, Socketpair, Timerfd, Tmpfile,
    };
    matches!(
        call,
        Accept
            | Dup
            | Dup2
            | EpollCreate
            | Eventfd
            | Fcntl
            | Fopen
            | Freopen
            | Inotify
            | Memfd
            | Mkstemp
            | Open
            | Opendir
            | Pipe
            | Popen
            | Received
            | Signalfd
            | Socket
            | Socketpair
            | Timerfd
            | Tmpfile
    )
}

fn closes(call: Call) -> bool {
    matches!(
        call,
        Call::Close | Call::Fclose | Call::Pclose | Call::Closedir
    )
}

struct Rows<'a> {
    start: u64,
    end: u64,
    places: &'a Places<'a>,
    descriptors: Vec<Row>,
    /// Which row a descriptor of a process has now.
    open: BTreeMap<(i32, i32), usize>,
    threads: BTreeMap<(i32, i32), Row>,
    one_process: bool,
}

impl Rows<'_> {
    fn add(&mut self, event: &Event) {
        let from = event.time.get() - self.start;
        let moment = Moment {
            from,
            to: from + event.duration.get(),
            call: Call::of(event.call.get()),
            tid: event.tid.get(),
            stack: event.stack.get(),
            result: event.result.get(),
        };
        let (pid, fd) = (event.pid.get(), event.fd.get());
        // accept is told twice: as a wait on the listening descriptor, and as the opening of the new one.
        let is_opening = opens(moment.call) && moment.result == fd && event.duration.get() == 0;
        if fd < 0 {
            self.thread(pid, moment.tid).marks.push(moment);
        } else if is_opening {
            self.end_bar(pid, fd, from);
            self.begin_bar(pid, fd, moment);
        } else if closes(moment.call) {
            self.end_bar(pid, fd, from);
        } else {
            let index = self.row(pid, fd);
            self.descriptors[index].marks.push(moment);
        }
    }

    fn thread(&mut self, pid: i32, tid: i32) -> &mut Row {
        let row = self.threads.entry((pid, tid)).or_default();
        row.label = format!("process {pid}, thread {tid}");
        row
    }

    fn add_unended(&mut self, left: &Unended) {
        let moment = Moment {
            from: left.moment.from - self.start,
            to: left.moment.to - self.start,
            ..left.moment.clone()
        };
        let Unended { pid, fd, .. } = *left;
        if fd >= 0 {
            let index = self.row(pid, fd);
            self.descriptors[index].unended.push(moment.clone());
        }
        self.thread(pid, moment.tid).unended.push(moment);
    }

    /// What the call was made for, by the name that the program's author knows.
    fn name(&self, moment: &Moment) -> String {
        let through = self.places.through(moment.stack);
        through.unwrap_or_else(|| moment.call.name().into())
    }

    fn begin_bar(&mut self, pid: i32, fd: i32, moment: Moment) {
        let place = self.places.place(moment.stack).long();
        let label = format!("{}{fd} {} {place}", self.owner(pid), self.name(&moment));
        let bar = Moment {
            to: self.end - self.start,
            ..moment
        };
        self.open.insert((pid, fd), self.descriptors.len());
        self.descriptors.push(Row {
            label,
            place,
            bars: vec![bar],
            unended: Vec::new(),
            marks: Vec::new(),
        });
    }

    fn end_bar(&mut self, pid: i32, fd: i32, at: u64) {
        let index = self.open.remove(&(pid, fd));
        if let Some(bar) = index.and_then(|index| self.descriptors[index].bars.last_mut()) {
            bar.to = at;
        }
    }

    /// The process, if there are several.
    fn owner(&self, pid: i32) -> String {
        if self.one_process {
            String::new()
        } else {
            format!("{pid}: ")
        }
    }

    /// The row of a descriptor; one that was not seen to be opened was there before.
    fn row(&mut self, pid: i32, fd: i32) -> usize {
        if let Some(index) = self.open.get(&(pid, fd)) {
            return *index;
        }
        let index = self.descriptors.len();
        let label = format!("{}{fd} (inherited)", self.owner(pid));
        self.descriptors.push(Row {
            label,
            place: "inherited".into(),
            ..Row::default()
        });
        self.open.insert((pid, fd), index);
        index
    }

    /// As many rows as a person can look at: descriptors that were opened at the same place share one.
    fn descriptors(&self) -> Vec<Row> {
        if self.descriptors.len() <= ROWS {
            return self.descriptors.clone();
        }
        let by_place = |row: &Row| row.place.clone();
        gathered(self.descriptors.iter(), by_place, |count, place| {
            format!("{count} descriptors, from {place}")
        })
    }

    /// Threads that have ended their waits share one row, if there are many.
    fn threads(&self) -> Vec<Row> {
        let all = || self.threads.values();
        if all().count() <= ROWS {
            return all().cloned().collect();
        }
        let what = |row: &Row| match row.unended.first() {
            Some(wait) => format!("that wait at {}", self.places.place(wait.stack).long()),
            None => "that wait for nothing at the end".into(),
        };
        gathered(all(), what, |count, what| format!("{count} threads {what}"))
    }
}

/// One row for those that have the same key.
fn gathered<'a>(
    rows: impl Iterator<Item = &'a Row>,
    key: impl Fn(&Row) -> String,
    label: impl Fn(usize, &str) -> String,
) -> Vec<Row> {
    let mut all: BTreeMap<String, (usize, Row)> = BTreeMap::new();
    for row in rows {
        let (count, gathered) = all.entry(key(row)).or_default();
        *count += 1;
        gathered.bars.extend(row.bars.iter().cloned());
        gathered.marks.extend(row.marks.iter().cloned());
        gathered.unended.extend(row.unended.iter().cloned());
    }
    all.into_iter()
        .map(|(key, (count, row))| Row {
            label: label(count, &key),
            ..row
        })
        .collect()
}

/// Where a time is on the page. A long time in which nothing happens takes no more room than shown here, so that what
/// happened before a hang is seen.
struct Axis {
    /// Times, and where they are.
    points: Vec<(u64, f64)>,
    /// The times that are cut, from and to.
    cuts: Vec<(u64, u64)>,
}

impl Axis {
    fn new(mut times: Vec<u64>) -> Axis {
        times.sort_unstable();
        times.dedup();
        let gaps: Vec<u64> = times.windows(2).map(|two| two[1] - two[0]).collect();
        let most = most_of_one(&gaps);
        let drawn: f64 = gaps.iter().map(|gap| (*gap as f64).min(most)).sum();
        let mut axis = Axis {
            points: vec![(0, LEFT)],
            cuts: Vec::new(),
        };
        let mut x = LEFT;
        for two in times.windows(2) {
            let gap = (two[1] - two[0]) as f64;
            x += WIDTH * gap.min(most) / drawn.max(1.0);
            axis.points.push((two[1], x));
            if gap > 2.0 * most {
                axis.cuts.push((two[0], two[1]));
            }
        }
        axis
    }

    fn x(&self, at: u64) -> f64 {
        let behind = self.points.partition_point(|(time, _)| *time <= at);
        let (before, from) = self.points[behind.saturating_sub(1)];
        match self.points.get(behind) {
            Some((after, to)) => {
                from + (to - from) * (at - before) as f64 / (after - before) as f64
            }
            None => from,
        }
    }
}

/// How much of one gap is drawn: a tenth of all, or a half if there are few gaps.
fn most_of_one(gaps: &[u64]) -> f64 {
    let share = (2.0 / gaps.len().max(1) as f64).max(0.1);
    let mut most = gaps.iter().max().map_or(1.0, |gap| *gap as f64);
    for _ in 0..100 {
        let drawn: f64 = gaps.iter().map(|gap| (*gap as f64).min(most)).sum();
        if most <= share * drawn {
            break;
        }
        most = (share * drawn).max(1.0);
    }
    most
}

struct Page<'a> {
    rows: &'a Rows<'a>,
    axis: Axis,
    lost: u64,
    arguments: &'a Arguments,
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn time(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.1} µs", nanoseconds as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanoseconds as f64 / 1e6),
        _ => format!("{:.1} s", nanoseconds as f64 / 1e9),
    }
}

fn hue(tid: i32) -> i32 {
    tid.wrapping_mul(97).rem_euclid(360)
}

impl Page<'_> {
    fn text(&self) -> String {
        let words: Vec<_> = self
            .arguments
            .program
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        let title = escaped(&words.join(" "));
        let parts = [
            ("descriptors", self.rows.descriptors()),
            ("threads", self.rows.threads()),
        ];
        let mut svg = String::new();
        let mut y = HEIGHT;
        for (heading, rows) in &parts {
            let _ = writeln!(
                svg,
                "<text class=\"heading\" x=\"4\" y=\"{:.0}\">{heading}</text>",
                y + 14.0
            );
            y += HEIGHT;
            for row in rows {
                self.row(row, y, &mut svg);
                y += HEIGHT;
            }
        }
        let count = self.rows.descriptors.len();
        let lost = match self.lost {
            0 => String::new(),
            lost => format!(" The last {lost} events found no room."),
        };
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>\n{STYLE}</style>\
             </head>\n<body><h1>{title}</h1>\n<p>{count} descriptors, {} in all. A bar is the time that a descriptor was open. A mark \
             is a call on it. A colour is a thread. A red bar is a call that had not returned at the end. Point at one \
             to see its place.{lost}</p>\n{}\
             <svg width=\"{:.0}\" height=\"{y:.0}\">\n{}{svg}</svg>\n<div id=\"tip\" hidden></div>\n\
             <script>\n{SCRIPT}</script></body></html>\n",
            time(self.rows.end - self.rows.start),
            self.still_waiting(),
            LEFT + WIDTH + 20.0,
            self.scale(y),
        )
    }

    /// The calls that had not returned, those of the most threads first.
    fn still_waiting(&self) -> String {
        let mut all: BTreeMap<String, (usize, u64)> = BTreeMap::new();
        for row in self.rows.threads.values() {
            for moment in &row.unended {
                let place = self.rows.places.place(moment.stack).long();
                let what = format!("{place}: in {}", self.rows.name(moment));
                let (count, longest) = all.entry(what).or_default();
                *count += 1;
                *longest = (moment.to - moment.from).max(*longest);
            }
        }
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        if all.is_empty() {
            return String::new();
        }
        let mut text = "<p>At the end, these threads were still waiting:</p>\n<ul>\n".to_owned();
        for (what, (count, longest)) in all.iter().take(12) {
            let threads = counted(*count as i64, "thread");
            let _ = writeln!(
                text,
                "<li>{}, for {} ({threads})</li>",
                escaped(what),
                time(*longest)
            );
        }
        text + "</ul>\n"
    }

    fn x(&self, at: u64) -> f64 {
        self.axis.x(at)
    }

    fn scale(&self, height: f64) -> String {
        let mut svg = String::new();
        for tenth in 0..=10 {
            let x = LEFT + WIDTH * f64::from(tenth) / 10.0;
            let after = self.axis.points.partition_point(|(_, at)| *at < x);
            let last = self.axis.points.len() - 1;
            let (behind, ahead) = (
                self.axis.points[after.saturating_sub(1)],
                self.axis.points[after.min(last)],
            );
            let part = (x - behind.1) / (ahead.1 - behind.1).max(1e-9);
            let at = behind.0 + ((ahead.0 - behind.0) as f64 * part.clamp(0.0, 1.0)) as u64;
            let _ = writeln!(
                svg,
                "<line class=\"scale\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"14\" y2=\"{height:.0}\"/>"
            );
            if tenth % 2 == 0 {
                let _ = writeln!(
                    svg,
                    "<text class=\"scale\" text-anchor=\"{}\" x=\"{x:.1}\" y=\"11\">{}</text>",
                    if tenth == 10 { "end" } else { "start" },
                    time(at)
                );
            }
        }
        for (from, to) in &self.axis.cuts {
            let (x, end) = (self.x(*from), self.x(*to));
            let _ = writeln!(
                svg,
                "<rect class=\"cut\" x=\"{x:.1}\" y=\"14\" width=\"{:.1}\" height=\"{:.0}\"><title>nothing happens for {}: \
                 shown shorter than it is</title></rect>",
                end - x,
                height - 14.0,
                time(to - from)
            );
        }
        svg
    }

    fn row(&self, row: &Row, y: f64, svg: &mut String) {
        let label = escaped(&row.label);
        let short: String = row.label.chars().take(52).collect();
        let waits = if row.unended.is_empty() { "" } else { " waits" };
        let _ = writeln!(
            svg,
            "<text class=\"label{waits}\" x=\"4\" y=\"{:.1}\"><title>{label}</title>{}</text>",
            y + 13.0,
            escaped(&short)
        );
        let step = row.bars.len().div_ceil(MARKS).max(1);
        for bar in row.bars.iter().step_by(step) {
            self.shape("bar", bar, y + 4.0, HEIGHT - 8.0, svg);
        }
        let step = row.marks.len().div_ceil(MARKS).max(1);
        for mark in row.marks.iter().step_by(step) {
            self.shape("mark", mark, y + 2.0, HEIGHT - 4.0, svg);
        }
        for wait in row.unended.iter().take(MARKS) {
            self.shape("unended", wait, y + 2.0, HEIGHT - 4.0, svg);
        }
        if let Some(wait) = row.unended.first() {
            let (x, end) = (self.x(wait.from), self.x(wait.to));
            let text = format!(
                "in {}, {}",
                self.rows.name(wait),
                self.rows.places.place(wait.stack).short()
            );
            // Inside of the bar, or left of it if it is short.
            let fits = 7.0 * text.len() as f64 <= end - x;
            let (x, anchor) = if fits {
                (x + 4.0, "start")
            } else {
                (x - 4.0, "end")
            };
            let inside = if fits { "inside" } else { "beside" };
            let _ = writeln!(
                svg,
                "<text class=\"{inside}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                y + 13.0,
                escaped(&text)
            );
        }
    }

    fn shape(&self, class: &str, moment: &Moment, y: f64, height: f64, svg: &mut String) {
        let (x, end) = (self.x(moment.from), self.x(moment.to));
        let place = self.rows.places.place(moment.stack).long();
        let result = match class {
            "mark" => format!(" = {}", moment.result),
            "unended" => " has not returned".into(),
            _ => String::new(),
        };
        let title = format!(
            "{}{result} at {place}, thread {}, after {} for {}",
            self.rows.name(moment),
            moment.tid,
            time(moment.from),
            time(moment.to - moment.from)
        );
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height}\" style=\"--hue:{}\">\
             <title>{}</title></rect>",
            (end - x).max(2.0),
            hue(moment.tid),
            escaped(&title)
        );
    }
}

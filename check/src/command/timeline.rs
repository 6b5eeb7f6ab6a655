//! The timeline: one page of HTML that needs nothing else. A row for each descriptor, a bar for the time it was open,
//! marks for what was done with it; a row for each thread, with what it waited for. Pointing at something tells where
//! in the program it comes from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering::Acquire;

use crate::arguments::{Arguments, Failure, Outcome, USAGE};
use crate::places::Places;
use crate::shared::*;

const STYLE: &str = include_str!("timeline.css");

/// Rows beyond so many are gathered: those that were opened at the same place share one.
const ROWS: usize = 200;
/// Bars and marks of a row beyond so many are thinned out.
const MARKS: usize = 500;
const LEFT: f64 = 330.0;
const WIDTH: f64 = 1100.0;
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
}

pub fn write(
    page: &Path,
    arguments: &Arguments,
    shared: &Shared,
    places: &Places<'_>,
) -> Outcome<()> {
    let events = events(shared);
    let start = events
        .iter()
        .map(|event| event.time.get())
        .min()
        .unwrap_or(0);
    let end = events
        .iter()
        .map(|event| event.time.get() + event.duration.get())
        .max()
        .unwrap_or(start);
    let mut rows = Rows {
        start,
        end,
        places,
        descriptors: Vec::new(),
        open: BTreeMap::new(),
        threads: BTreeMap::new(),
    };
    events.iter().for_each(|event| rows.add(event));
    let lost = shared.events_used.get().saturating_sub(EVENTS as u64);
    let text = Page {
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
            let row = self.threads.entry((pid, moment.tid)).or_default();
            row.label = format!("process {pid}, thread {}", moment.tid);
            row.marks.push(moment);
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

    fn begin_bar(&mut self, pid: i32, fd: i32, moment: Moment) {
        let place = self.places.place(moment.stack).long();
        let label = format!("{pid}: {fd} {} {place}", moment.call.name());
        let bar = Moment {
            to: self.end - self.start,
            ..moment
        };
        self.open.insert((pid, fd), self.descriptors.len());
        self.descriptors.push(Row {
            label,
            place,
            bars: vec![bar],
            marks: Vec::new(),
        });
    }

    fn end_bar(&mut self, pid: i32, fd: i32, at: u64) {
        let index = self.open.remove(&(pid, fd));
        if let Some(bar) = index.and_then(|index| self.descriptors[index].bars.last_mut()) {
            bar.to = at;
        }
    }

    /// The row of a descriptor; one that was not seen to be opened was there before.
    fn row(&mut self, pid: i32, fd: i32) -> usize {
        if let Some(index) = self.open.get(&(pid, fd)) {
            return *index;
        }
        let index = self.descriptors.len();
        let label = format!("{pid}: {fd} (inherited)");
        self.descriptors.push(Row {
            label,
            place: "inherited".into(),
            ..Row::default()
        });
        self.open.insert((pid, fd), index);
        index
    }

    /// As many rows as a person can look at.
    fn gathered(&self) -> Vec<Row> {
        if self.descriptors.len() <= ROWS {
            return self.descriptors.clone();
        }
        let mut places: BTreeMap<&str, (usize, Row)> = BTreeMap::new();
        for row in &self.descriptors {
            let (count, gathered) = places.entry(&row.place).or_default();
            *count += 1;
            gathered.bars.extend(row.bars.iter().cloned());
            gathered.marks.extend(row.marks.iter().cloned());
        }
        let label = |place: &str, count| format!("{count} descriptors, from {place}");
        places
            .into_iter()
            .map(|(place, (count, row))| Row {
                label: label(place, count),
                ..row
            })
            .collect()
    }
}

struct Page<'a> {
    rows: &'a Rows<'a>,
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
        0..10_000 => format!("{nanoseconds} ns"),
        10_000..10_000_000 => format!("{:.1} µs", nanoseconds as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} ms", nanoseconds as f64 / 1e6),
        _ => format!("{:.1} s", nanoseconds as f64 / 1e9),
    }
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
        let mut rows = self.rows.gathered();
        rows.extend(self.rows.threads.values().cloned());
        let height = HEIGHT * (rows.len() + 2) as f64;
        let mut svg = String::new();
        for (index, row) in rows.iter().enumerate() {
            self.row(row, HEIGHT * (index + 1) as f64, &mut svg);
        }
        let count = self.rows.descriptors.len();
        let lost = match self.lost {
            0 => String::new(),
            lost => format!(" The last {lost} events found no room."),
        };
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>\n{STYLE}</style>\
             </head>\n<body><h1>{title}</h1>\n<p>{count} descriptors, {} in all. A bar is the time that a descriptor was open, a mark \
             is a call on it, a colour is a thread. Point at one to see where it comes from.{lost}</p>\n\
             <svg width=\"{:.0}\" height=\"{height:.0}\">\n{}{svg}</svg></body></html>\n",
            time(self.rows.end - self.rows.start),
            LEFT + WIDTH + 20.0,
            self.scale(height),
        )
    }

    fn x(&self, at: u64) -> f64 {
        let length = (self.rows.end - self.rows.start).max(1);
        LEFT + WIDTH * at as f64 / length as f64
    }

    fn scale(&self, height: f64) -> String {
        let length = self.rows.end - self.rows.start;
        let mut svg = String::new();
        for tenth in 0..=10 {
            let at = length / 10 * tenth;
            let x = self.x(at);
            let _ = writeln!(
                svg,
                "<line class=\"scale\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"14\" y2=\"{height:.0}\"/>"
            );
            if tenth % 2 == 0 {
                let _ = writeln!(
                    svg,
                    "<text class=\"scale\" x=\"{x:.1}\" y=\"11\">{}</text>",
                    time(at)
                );
            }
        }
        svg
    }

    fn row(&self, row: &Row, y: f64, svg: &mut String) {
        let label = escaped(&row.label);
        let short: String = row.label.chars().take(52).collect();
        let _ = writeln!(
            svg,
            "<text class=\"label\" x=\"4\" y=\"{:.1}\"><title>{label}</title>{}</text>",
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
    }

    fn shape(&self, class: &str, moment: &Moment, y: f64, height: f64, svg: &mut String) {
        let (x, end) = (self.x(moment.from), self.x(moment.to));
        let hue = moment.tid.wrapping_mul(97).rem_euclid(360);
        let place = self.rows.places.place(moment.stack).long();
        let result = if class == "mark" {
            format!(" = {}", moment.result)
        } else {
            String::new()
        };
        let title = format!(
            "{}{result} at {place}, thread {}, after {} for {}",
            moment.call.name(),
            moment.tid,
            time(moment.from),
            time(moment.to - moment.from)
        );
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height}\" style=\"--hue:{hue}\">\
             <title>{}</title></rect>",
            (end - x).max(2.0),
            escaped(&title)
        );
    }
}

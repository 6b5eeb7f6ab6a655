//! The documents say about speed what docs/bench.csv says: in the charts, and in each figure of docs/performance.md
//! and the README.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::common::{root, scratch, succeed};

/// docs/bench.csv: the best time in nanoseconds and the number of units, by suite, workload and contestant.
struct Measured(BTreeMap<[String; 3], (f64, f64)>);

impl Measured {
    fn read() -> Self {
        let text = fs::read_to_string(root().join("docs/bench.csv")).expect("the results");
        let rows = text.lines().skip(2).map(|row| {
            let cells: Vec<&str> = row.split(',').collect();
            let [suite, workload, contestant, best, _, units] = cells[..] else {
                panic!("not a result: {row}");
            };
            let number = |cell: &str| cell.parse().unwrap_or_else(|_| panic!("no number: {row}"));
            let key = [suite, workload, contestant].map(str::to_string);
            (key, (number(best), number(units)))
        });
        Self(rows.collect())
    }

    fn get(&self, suite: &str, workload: &str, contestant: &str) -> (f64, f64) {
        let key = [suite, workload, contestant].map(str::to_string);
        *self
            .0
            .get(&key)
            .unwrap_or_else(|| panic!("no result {key:?}"))
    }

    /// Nanoseconds of one line or call.
    fn each(&self, suite: &str, workload: &str, contestant: &str) -> f64 {
        let (best, units) = self.get(suite, workload, contestant);
        best / units
    }

    /// How many times as long as `reference` a contestant takes.
    fn ratio(&self, suite: &str, workload: &str, contestant: &str, reference: &str) -> f64 {
        self.get(suite, workload, contestant).0 / self.get(suite, workload, reference).0
    }

    /// What a call of the library takes more than one of `reference`.
    fn more(&self, suite: &str, workload: &str, reference: &str) -> f64 {
        self.each(suite, workload, OURS) - self.each(suite, workload, reference)
    }

    fn milliseconds(&self, workload: &str, contestant: &str) -> f64 {
        self.get("lines", workload, contestant).0 / 1e6
    }
}

const OURS: &str = "libcsapp.so";
const LARGE: &str = "fgets_unlocked 64K";

/// The kinds of lines, as the page calls them and as the results do.
const LINES: [(&str, &str); 6] = [
    ("1 to 20 bytes", "1-20"),
    ("20 to 100 bytes", "20-100"),
    ("80 to 300 bytes", "80-300"),
    ("2,000 to 8,000 bytes", "2000-8000"),
    ("a web server's log", "web log"),
    ("HTTP headers", "HTTP headers"),
];

/// The passages of docs/performance.md that have figures, as they have to be, with all the figures of each.
fn passages(measured: &Measured) -> Vec<String> {
    let mut passages = Vec::new();
    for (title, workload) in LINES {
        let of = |name| measured.ratio("lines", workload, name, OURS);
        passages.push(format!(
            "| {title} | {:.1} ns | {:.2} × | {:.2} × | {:.2} × | {:.2} × |",
            measured.each("lines", workload, OURS),
            of(LARGE),
            of("getline"),
            of("fgets"),
            of("book"),
        ));
    }
    for (before, suite, workload, reference) in [
        ("4 KiB to a file | `write`", "writen", "file 4096", "plain"),
        ("4 KiB to a pipe | `write`", "writen", "pipe 4096", "plain"),
        (
            "64 KiB to a file | `write`",
            "writen",
            "file 65536",
            "plain",
        ),
        (
            "64 KiB to a pipe | `write`",
            "writen",
            "pipe 65536",
            "plain",
        ),
        (
            "lines of 2,000 to 8,000 bytes | `fgets_unlocked` with 64 KiB",
            "lines",
            "2000-8000",
            LARGE,
        ),
        ("`rio_readnb`, 8 KiB | `read`", "readnb", "8192", "read"),
        ("4 KiB from a file | `read`", "readn", "file 4096", "plain"),
        ("`socket` and `connect`", "connect", "by number", "plain"),
        (
            "`rio_readnb`, 16 bytes | the book's algorithm",
            "readnb",
            "16",
            "book",
        ),
        (
            "`rio_readnb`, 64 KiB | the book's algorithm",
            "readnb",
            "65536",
            "book",
        ),
        (
            "with a number | the book's algorithm",
            "connect",
            "by number",
            "book",
        ),
        (
            "header lines | the book's algorithm",
            "requests",
            "14 headers",
            "book",
        ),
        (
            "the same with the book's algorithm",
            "web server",
            "time per request",
            "book",
        ),
        ("whose functions do nothing", "load", "dlopen", "C library"),
    ] {
        let ratio = measured.ratio(suite, workload, OURS, reference);
        passages.push(format!("{before} | {ratio:.2} × |"));
    }
    let mut of_floor = LINES.map(|(_, workload)| measured.ratio("lines", workload, OURS, "floor"));
    of_floor.sort_by(f64::total_cmp);
    let [least, .., most] = of_floor;
    passages.extend([
        format!("libcsapp takes {least:.2} to {most:.2} times the floor"),
        format!(
            "checks, {:.0} ns a call",
            measured.more("readnb", "8192", "read")
        ),
        format!(
            "checks and a loop, {:.0} ns a call",
            measured.more("readn", "file 4096", "plain")
        ),
        format!(
            "takes {:.0} ns longer than `write` for 4 KiB to a file, and {:.0} ns for 64 KiB",
            measured.more("writen", "file 4096", "plain"),
            measured.more("writen", "file 65536", "plain")
        ),
        format!(
            "4 KiB over TCP take {:.2} × the time",
            measured.ratio("writen", "tcp 4096", OURS, "plain")
        ),
        format!(
            "takes {:.1} ms of the {:.1} ms",
            measured.milliseconds("2000-8000", "kernel"),
            measured.milliseconds("2000-8000", OURS)
        ),
        format!("takes {:.1} ms.", measured.milliseconds("2000-8000", LARGE)),
    ]);
    passages
}

/// A page's text, each paragraph in one line.
fn page(name: &str) -> String {
    let text = fs::read_to_string(root().join(name)).expect("a page");
    text.replace("\n|", "\0|")
        .replace("\n\n", "\0")
        .replace('\n', " ")
        .replace('\0', "\n")
}

#[test]
fn figures_of_the_page_are_those_measured() {
    let mut page = page("docs/performance.md");
    let (there, missing): (Vec<String>, Vec<String>) = passages(&Measured::read())
        .into_iter()
        .partition(|passage| page.contains(passage));
    assert!(
        missing.is_empty(),
        "docs/performance.md is not what docs/bench.csv has. It should say:\n{}",
        missing.join("\n")
    );
    for passage in there {
        page = page.replacen(&passage, "", 1);
    }
    // What is left has no figure, nor has the README outside its chart. (250 ms is what the library waits.)
    page += &self::page("README.md").replace("250 ms", "");
    let words: Vec<&str> = page.split_whitespace().collect();
    for pair in words.windows(2) {
        let is_figure = ["×", "ns", "ms", "times", "%"].contains(&pair[1])
            && pair[0].starts_with(|c: char| c.is_ascii_digit());
        assert!(!is_figure, "no passage of the test has {pair:?}");
    }
}

/// The README's text in place of the small chart.
#[test]
fn the_readme_says_what_its_chart_shows() {
    let measured = Measured::read();
    let shown = |workload: &str| {
        let each = |name| measured.each("lines", workload, name);
        format!(
            "libcsapp {:.0}, fgets_unlocked with 64 KiB {:.0}, getline {:.0}, fgets {:.0}, the book's algorithm {:.0}",
            each(OURS),
            each(LARGE),
            each("getline"),
            each("fgets"),
            each("book"),
        )
    };
    let text = format!(
        "alt=\"Nanoseconds to read a short line: {}. A line of a web log: {}.\"",
        shown("1-20"),
        shown("web log")
    );
    assert!(page("README.md").contains(&text), "README.md: {text}");
}

/// What the whole chart's text says of the contestants.
#[test]
fn the_fastest_is_the_fastest() {
    let measured = Measured::read();
    let peers = [
        "fgets",
        LARGE,
        "getline",
        "skalibs",
        "libevent",
        "BufReader",
        "book",
    ];
    for workload in ["1-20", "20-100", "80-300", "HTTP headers"] {
        for name in peers {
            let ratio = measured.ratio("lines", workload, name, OURS);
            assert!(ratio > 1.0, "not the fastest: {name} at {workload}");
        }
    }
}

#[test]
fn charts_are_drawn_from_the_results() {
    let drawn = scratch("charts");
    fs::copy(root().join("docs/bench.csv"), drawn.join("bench.csv")).expect("the results");
    succeed(
        Command::new("python3")
            .args(["-B", "benches/chart.py"])
            .arg(&drawn)
            .current_dir(root()),
    );
    for chart in ["bench.svg", "lines.svg"] {
        let read = |path| fs::read_to_string(path).expect("a chart");
        let (found, wanted) = (
            read(root().join("docs").join(chart)),
            read(drawn.join(chart)),
        );
        assert!(
            found == wanted,
            "docs/{chart} is not what docs/bench.csv has: run `python3 benches/chart.py docs`"
        );
    }
}

//! The page of --timeline: complete, without anything from outside, and drawn by a real browser.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Link, check, is_installed, program, scratch, succeed};

/// A program that opens the same file so many times; the page of it.
fn page_of(name: &str, times: u32) -> (PathBuf, String) {
    let source = format!(
        r#"
#include "csapp.h"
int main(void)
{{
    char byte;
    int i;
    for (i = 0; i < {times}; i++) {{
        int fd = Open("/etc/passwd", O_RDONLY, 0);
        if (read(fd, &byte, 1) != 1)
            return 1;
        Close(fd);
    }}
    return 0;
}}
"#
    );
    let program = program(name, &source, Link::Object);
    let page = scratch(&format!("{name}-page")).join("page.html");
    let option = format!("--timeline={}", page.display());
    let checked = check(&[&option], &[program.to_str().expect("UTF-8")], "");
    assert!(checked.output.status.success(), "{:?}", checked.output);
    let text = fs::read_to_string(&page).expect("a page");
    (page, text)
}

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn few_descriptors_have_a_row_each() {
    let (_, text) = page_of("timeline_few", 10);
    assert_eq!(count(&text, "class=\"bar\""), 10);
    assert_eq!(count(&text, "class=\"mark\""), 10);
    assert_eq!(count(&text, "<text class=\"label\""), 10);
    assert!(
        text.contains("read = 1 at timeline_few.c:9 (main), thread "),
        "{text}"
    );
}

#[test]
fn many_descriptors_are_gathered_by_their_place() {
    let (_, text) = page_of("timeline_many", 10_000);
    assert!(
        text.contains("10000 descriptors, from timeline_many.c:8 (main)"),
        "no gathered row"
    );
    assert!(count(&text, "<rect") <= 1000, "{}", count(&text, "<rect"));
    assert!(text.len() < 500_000, "{}", text.len());
}

#[test]
fn nothing_comes_from_outside() {
    let (_, text) = page_of("timeline_alone", 3);
    for outside in ["http:", "https:", "<link", "<script", "url(", "@import"] {
        assert!(!text.contains(outside), "{outside}");
    }
}

#[test]
fn a_browser_draws_it() {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| is_installed(name))
    else {
        support::skipped("no browser is installed (Debian: chromium)");
        return;
    };
    let (page, _) = page_of("timeline_browser", 10);
    let picture = page.with_extension("png");
    let headless = |arguments: &[&str]| {
        let url = format!("file://{}", page.display());
        let profile = format!(
            "--user-data-dir={}",
            page.with_extension("profile").display()
        );
        let mut command = Command::new(browser);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1480,500",
            &profile,
        ]);
        succeed(command.args(arguments).arg(url))
    };
    headless(&[&format!("--screenshot={}", picture.display())]);
    assert!(
        kilobytes(&picture) > 4,
        "{}: an empty page",
        picture.display()
    );
    // What the browser has made of it: ten bars that have a place, and say something when pointed at.
    let tree = headless(&["--dump-dom"]);
    assert_eq!(count(&tree, "class=\"bar\""), 10, "{tree}");
    assert_eq!(count(&tree, "<title>open"), 10, "{tree}");
}

/// The size of the picture in kilobytes: one of a blank page is compressed to nearly nothing.
fn kilobytes(picture: &Path) -> usize {
    fs::read(picture).expect("a picture").len() / 1000
}

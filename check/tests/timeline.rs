//! The page of --timeline: complete, without anything from outside, and drawn by a real browser.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::support::{check, csapp_check, program};
use crate::common;
use crate::common::{Link, root, run_with, scratch, skipped};
use serde_json::{Value, json};

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
    for outside in [
        "http:", "https:", "<link", "src=", "href=", "import", "fetch", "url(",
    ] {
        assert!(!text.contains(outside), "{outside}");
    }
}

/// Chromium, told what to do through a pair of pipes: messages of JSON that end with a zero byte.
struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: Value,
    count: u64,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    /// None if none is installed.
    fn open(page: &Path) -> Option<Browser> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let Some(name) = names.into_iter().find(|name| common::has(name)) else {
            skipped("no browser is installed (Debian: chromium)");
            return None;
        };
        let (commands, to) = pipe();
        let (from, answers) = pipe();
        let profile = page.with_extension("profile");
        let mut command = Command::new(name);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
        ]);
        command.args(["--window-size=1480,700", "--force-color-profile=srgb"]);
        command.arg(format!("--user-data-dir={}", profile.display()));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let ends = (commands.as_raw_fd(), answers.as_raw_fd());
        // SAFETY: four system calls. Both go past 4 first, so that neither takes the other's place.
        unsafe {
            command.pre_exec(move || {
                let reads = libc::fcntl(ends.0, libc::F_DUPFD, 10);
                let writes = libc::fcntl(ends.1, libc::F_DUPFD, 10);
                libc::dup2(reads, 3);
                libc::dup2(writes, 4);
                Ok(())
            });
        }
        let child = command.spawn().expect("it runs");
        let mut browser = Browser {
            child,
            to,
            from: BufReader::new(from),
            session: Value::Null,
            count: 0,
        };
        drop((commands, answers));
        let url = format!("file://{}", page.display());
        let target = browser.ask("Target.createTarget", json!({ "url": url }))["targetId"].clone();
        let attach = json!({ "targetId": target, "flatten": true });
        browser.session = browser.ask("Target.attachToTarget", attach)["sessionId"].clone();
        // Until then the page is the empty one before it, or none.
        let is_there = "document.URL.startsWith('file:') && document.readyState == 'complete'";
        while browser.value(is_there) != true {
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(browser)
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.answer(method, parameters);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    fn answer(&mut self, method: &str, parameters: Value) -> Value {
        self.count += 1;
        let mut message = json!({ "id": self.count, "method": method, "params": parameters });
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.to
            .write_all(format!("{message}\0").as_bytes())
            .expect("a browser that reads");
        loop {
            let mut bytes = Vec::new();
            self.from.read_until(0, &mut bytes).expect("an answer");
            assert_eq!(bytes.pop(), Some(0), "{method}: the browser has ended");
            let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
            if answer["id"] == self.count {
                return answer;
            }
        }
    }

    /// The value of an expression of JavaScript in the page.
    fn value(&mut self, expression: &str) -> Value {
        let question = json!({ "expression": expression, "returnByValue": true });
        self.answer("Runtime.evaluate", question)["result"]["result"]["value"].clone()
    }

    /// What the page shows at the pointer, when it points at the first element of this kind.
    fn says(&mut self, selector: &str) -> String {
        let place = format!(
            "(() => {{ const e = document.querySelector('{selector}'); e.scrollIntoView({{block: 'center'}}); \
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        );
        let place = self.value(&place);
        let moved = json!({ "type": "mouseMoved", "x": place[0], "y": place[1] });
        self.ask("Input.dispatchMouseEvent", moved);
        let shown = "document.getElementById('tip').checkVisibility() && document.getElementById('tip').textContent";
        self.value(shown).as_str().unwrap_or("").to_owned()
    }
}

/// The reading and the writing end, neither of which a program that is started inherits.
fn pipe() -> (File, File) {
    let mut ends = [-1; 2];
    // SAFETY: fills in the numbers of new descriptors, which are nobody else's.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]))
    }
}

#[test]
fn a_browser_draws_it() {
    let (page, _) = page_of("timeline_browser", 10);
    let Some(mut browser) = Browser::open(&page) else {
        return;
    };
    assert_eq!(
        browser.value("document.querySelectorAll('rect.bar').length"),
        10
    );
    let drawn = "[...document.querySelectorAll('rect.bar')].every(b => b.getBoundingClientRect().width >= 2 \
        && getComputedStyle(b).fill != 'rgb(0, 0, 0)')";
    assert_eq!(browser.value(drawn), true);
    // Ten rows, one below the other, each bar right of the one before.
    let order = "[...document.querySelectorAll('rect.bar')].map(b => b.getBoundingClientRect()) \
        .every((b, i, all) => i == 0 || (b.y > all[i - 1].y && b.x > all[i - 1].x))";
    assert_eq!(browser.value(order), true);
    assert_eq!(
        browser.value("document.getElementById('tip').checkVisibility()"),
        false
    );
    let says = browser.says("rect.mark");
    let place = "read = 1 at timeline_browser.c:9 (main), thread ";
    assert!(
        says.contains(place) || says.contains("Open at timeline_browser.c:8"),
        "{says}"
    );
}

/// The proxy of check/tests/programs/proxy_hangs.c, which SIGINT ends where it hangs.
fn page_of_proxy() -> (PathBuf, String) {
    let source = root().join("check/tests/programs/proxy_hangs.c");
    let source = fs::read_to_string(source).expect("the program");
    let program = program("proxy", &source, Link::Object);
    let page = scratch("proxy-page").join("page.html");
    let mut command = csapp_check();
    command
        .arg(format!("--timeline={}", page.display()))
        .arg(program);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let out = child.stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("text");
    // Until the last request has come to its halt.
    let waits = |text: &str| {
        text.matches("in Rio_readlineb (read)").count() == 2 && text.contains("Rio_readn (read)")
    };
    let pid = child.id().to_string();
    let start = Instant::now();
    loop {
        let output = run_with(csapp_check().args(["--status", &pid]), "");
        if waits(&String::from_utf8_lossy(&output.stdout)) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{output:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
    // SAFETY: a child of this test that was not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let _ = child.wait();
    let text = fs::read_to_string(&page).expect("a page");
    (page, text)
}

#[test]
fn a_wait_that_does_not_end_is_marked() {
    let (page, text) = page_of_proxy();
    let source = root().join("check/tests/programs/proxy_hangs.c");
    let source = fs::read_to_string(source).expect("the program");
    for (mark, function, call) in [
        ("server", "serve", "Rio_readlineb"),
        ("proxy", "forward", "Rio_readlineb"),
        ("client", "main", "Rio_readn"),
    ] {
        let is_it = |line: &str| line.contains(&format!("/* MARK {mark} */"));
        let line = source.lines().position(is_it).expect("marked") + 1;
        let listed = format!("<li>proxy.c:{line} ({function}): in {call}, for ");
        assert!(text.contains(&listed), "{listed}");
    }
    // Each in its descriptor's row and in its thread's.
    assert_eq!(count(&text, "class=\"unended\""), 6);
    let Some(mut browser) = Browser::open(&page) else {
        return;
    };
    // Their bars go to the right end, and hover tells the place.
    let ends = "[...document.querySelectorAll('rect.unended')].map(b => Math.round(b.getBoundingClientRect().right))";
    let ends = browser.value(ends);
    let ends = ends.as_array().expect("numbers");
    assert!(ends.iter().all(|end| end == &ends[0]), "{ends:?}");
    let says = browser.says("rect.unended");
    assert!(says.contains(" has not returned at proxy.c:"), "{says}");
    let fits = browser.value("document.documentElement.scrollWidth <= innerWidth");
    assert_eq!(fits, true);
    let colour = browser.value("getComputedStyle(document.querySelector('rect.unended')).fill");
    assert_eq!(colour, "rgb(211, 23, 60)");
}

//! The manual pages: clean, complete, and in agreement with the header.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::copy::on_own_network;
use crate::common::{C, header, is_installed, root, run, run_with, scratch, succeed};

/// The pages, in order of their names.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root().join("man"))
        .expect("the directory man")
        .map(|entry| entry.expect("a page").path())
        .collect();
    pages.sort();
    pages
}

fn text(page: &PathBuf) -> String {
    fs::read_to_string(page).expect("a page")
}

/// The lines of a section.
fn section<'a>(page: &'a str, title: &str) -> Vec<&'a str> {
    page.lines()
        .skip_while(|line| *line != format!(".Sh {title}"))
        .skip(1)
        .take_while(|line| !line.starts_with(".Sh "))
        .collect()
}

/// The functions in a page's SYNOPSIS that have a prototype there, which tests/generated.rs has written.
fn synopsis(page: &str) -> BTreeSet<&str> {
    let lines = section(page, "SYNOPSIS");
    let with_result = lines.windows(2).filter(|pair| pair[0].starts_with(".Ft "));
    let calls = with_result.filter_map(|pair| pair[1].strip_prefix(".Fn "));
    calls.filter_map(|call| call.split(' ').next()).collect()
}

#[test]
fn mandoc_has_nothing_to_say() {
    succeed(
        Command::new("mandoc")
            .args(["-Tlint", "-W", "warning"])
            .args(pages())
            .arg(root().join("check/man/csapp-check.1")),
    );
}

/// mandoc takes the full stop of ".Xr sem_post 3." for a part of the section, and says nothing.
#[test]
fn references_name_a_section() {
    let all = pages().into_iter();
    for page in all.chain([root().join("check/man/csapp-check.1")]) {
        for line in text(&page).lines() {
            let Some((_, reference)) = line.split_once("Xr ") else {
                continue;
            };
            let section = reference.split(' ').nth(1).unwrap_or_default();
            let is_section = matches!(section.as_bytes(), [b'1'..=b'8']);
            assert!(is_section, "{}: {line}", page.display());
        }
    }
}

/// On a terminal of 80 columns, of which man-db uses 78.
#[test]
fn nothing_is_too_wide_for_a_terminal() {
    if !is_installed("man", "man-db") {
        return;
    }
    for page in pages() {
        let shown = run(Command::new("man")
            .arg("--local-file")
            .arg(&page)
            .env("MANWIDTH", "78")
            .env("MANPAGER", "cat"));
        let warnings = String::from_utf8_lossy(&shown.stderr);
        assert!(shown.status.success(), "{warnings}");
        assert_eq!(warnings, "", "{}", page.display());
        // The foot says whose page it is; the head does too before groff 1.23, which has a title of its own there.
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        let mut lines = text.lines();
        let (head, foot) = (lines.next().expect("a page"), lines.last().expect("a page"));
        assert!(foot.contains("libcsapp"), "{foot}");
        let titles = [
            "libcsapp",
            "Library Functions Manual",
            "Miscellaneous Information Manual",
            "General Commands Manual",
        ];
        assert!(titles.iter().any(|title| head.contains(title)), "{head}");
        assert!(
            !head.contains("BSD") && !foot.contains("BSD"),
            "{head}\n{foot}"
        );
        let synopsis = text.lines().skip_while(|line| *line != "SYNOPSIS");
        let rows = synopsis.take_while(|line| *line != "DESCRIPTION").count();
        assert!(rows > 1, "{}", page.display());
        assert!(rows <= 60, "{}: {rows} lines of SYNOPSIS", page.display());
    }
}

#[test]
fn every_page_has_its_sections() {
    for page in pages() {
        let titles: &[&str] = match page.extension() {
            Some(section) if section == "7" => &["SYNOPSIS", "EXAMPLES", "SEE ALSO", "STANDARDS"],
            _ => &[
                "SYNOPSIS",
                "RETURN VALUES",
                "ERRORS",
                "EXAMPLES",
                "SEE ALSO",
                "STANDARDS",
            ],
        };
        for title in titles {
            assert!(
                !section(&text(&page), title).is_empty(),
                "{}: {title}",
                page.display()
            );
        }
    }
}

#[test]
fn every_function_is_in_a_synopsis_and_in_its_name() {
    let texts: Vec<String> = pages().iter().map(text).collect();
    let mut documented = BTreeSet::new();
    for page in &texts {
        let names: Vec<&str> = section(page, "NAME")
            .into_iter()
            .filter_map(|line| line.strip_prefix(".Nm "))
            .map(|name| name.trim_end_matches(" ,"))
            .collect();
        for name in synopsis(page) {
            assert!(names.contains(&name), "{name} is missing from NAME");
            assert!(documented.insert(name), "{name} is in two pages");
        }
    }
    let declared = header::prototypes();
    assert_eq!(documented, declared.keys().map(String::as_str).collect());
}

/// The errno values that a header comment lists, each with its cause, by the function below it.
fn listed_errors() -> Vec<(String, Vec<String>)> {
    let header = fs::read_to_string(root().join("include/csapp.h")).expect("the header");
    let mut found = Vec::new();
    for part in header.split("/**").skip(1) {
        let (comment, code) = part.split_once("*/").expect("a comment that ends");
        let errors: Vec<String> = comment
            .lines()
            .filter_map(|line| line.strip_prefix(" * - E"))
            .filter_map(|entry| entry.split_once(": "))
            .flat_map(|(names, _)| names.split(", E"))
            .map(|name| format!("E{name}"))
            .collect();
        let name = code
            .lines()
            .find(|line| line.contains('(') && !line.starts_with("CSAPP_"))
            .and_then(|prototype| prototype.split_once('('))
            .and_then(|(before, _)| before.rsplit([' ', '*', '\n']).next());
        if let Some(name) = name.filter(|_| !errors.is_empty()) {
            found.push((name.to_owned(), errors));
        }
    }
    found
}

#[test]
fn errors_of_the_header_are_in_the_pages() {
    let listed = listed_errors();
    assert!(listed.len() >= 14, "{listed:?}");
    for (function, errors) in listed {
        let page = pages()
            .iter()
            .map(text)
            .find(|page| synopsis(page).contains(function.as_str()))
            .unwrap_or_else(|| panic!("{function} is in no page"));
        let section = section(&page, "ERRORS");
        for error in errors {
            assert!(
                section
                    .iter()
                    .any(|line| line.starts_with(".It") && line.contains(&format!("Er {error}"))),
                "{function} fails with {error}, which its page does not say"
            );
        }
    }
}

/// Compiles every example, and returns the programs by page and number, such as rio.3-1.
fn examples() -> BTreeMap<String, PathBuf> {
    let dir = scratch("man-examples");
    let mut programs = BTreeMap::new();
    for page in pages() {
        let title = page
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let examples = section(&text(&page), "EXAMPLES").join("\n");
        for (index, block) in examples.split(".Bd -literal").skip(1).enumerate() {
            let code = block
                .split_once('\n')
                .and_then(|(_, code)| code.split_once("\n.Ed"))
                .map(|(code, _)| code.replace("\\e", "\\"))
                .expect("a display that ends");
            let name = format!("{title}-{}", index + 1);
            let source = dir.join(format!("{name}.c"));
            fs::write(&source, code).expect("a source file");
            let program = C::new(source)
                .flags(["-Wall", "-Wextra", "-Wpedantic"])
                .build(&dir);
            programs.insert(name, program);
        }
    }
    programs
}

/// The clients and servers among the examples, on their fixed ports.
const ON_THE_NETWORK: &str = r#"
python3 -m http.server 80 --bind 127.0.0.1 >/dev/null 2>&1 &
tries=0
until "$1" 2>/dev/null; do tries=$((tries + 1)); test $tries -lt 300; sleep 0.1; done
kill $!
"$2" &
python3 "$CLIENT" localhost read read
kill $!
wait $! || true
"$3" 2>&1 &
python3 "$CLIENT" localhost rude echo
"#;

/// What a program prints that gets a SIGINT as soon as it has a handler for it.
fn interrupted(program: &mut Command) -> String {
    let child = program.stdout(Stdio::piped()).spawn().expect("a program");
    let status = format!("/proc/{}/status", child.id());
    let is_caught = |line: &str| {
        let mask = line.strip_prefix("SigCgt:").map(str::trim);
        mask.and_then(|mask| u64::from_str_radix(mask, 16).ok())
            .is_some_and(|mask| mask & 2 != 0)
    };
    while !fs::read_to_string(&status)
        .expect("it waits for the signal")
        .lines()
        .any(is_caught)
    {
        std::thread::sleep(Duration::from_millis(1));
    }
    succeed(Command::new("kill").args(["-INT", &child.id().to_string()]));
    let output = child.wait_with_output().expect("the child is ours");
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn examples_do_what_they_say() {
    let programs = examples();
    let names: Vec<&str> = programs.keys().map(String::as_str).collect();
    let known = [
        "csapp.7-1",
        "csapp_file.3-1",
        "csapp_memory.3-1",
        "csapp_mutex.3-1",
        "csapp_process.3-1",
        "csapp_readlineb.3-1",
        "csapp_set_error_handler.3-1",
        "csapp_set_error_handler.3-2",
        "csapp_set_error_handler.3-3",
        "csapp_set_error_handler.3-4",
        "csapp_signal.3-1",
        "csapp_socket.3-1",
        "csapp_stdio.3-1",
        "csapp_thread.3-1",
        "csapp_wrappers.3-1",
        "open_clientfd.3-1",
        "open_clientfd.3-2",
        "rio.3-1",
        "rio.3-2",
        "sio.3-1",
    ];
    assert_eq!(names, known, "each example is run below");
    let program = |name: &str| Command::new(&programs[name]);

    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        succeed(&mut program("csapp.7-1")),
        format!("compiled with {version}, running with {version}\n")
    );

    let lines = "one\n\nlast";
    let copied = run_with(&mut program("rio.3-1"), lines);
    assert_eq!(String::from_utf8_lossy(&copied.stdout), lines);

    let copied = run_with(&mut program("csapp_readlineb.3-1"), lines);
    assert_eq!(String::from_utf8_lossy(&copied.stdout), lines);

    assert_eq!(
        succeed(&mut program("rio.3-2")),
        "no whole line yet\none line\n"
    );

    let said = succeed(program("csapp_wrappers.3-1").args(["/bin/echo", "hello"]));
    assert_eq!(said, "hello\n");
    let told = run(program("csapp_wrappers.3-1").arg("/bin/false"));
    assert_eq!(told.status.code(), Some(1));
    let unused = run(&mut program("csapp_wrappers.3-1"));
    assert_eq!(
        String::from_utf8_lossy(&unused.stderr),
        "usage: run PROGRAM [ARGUMENT ...]\n"
    );

    assert_eq!(
        succeed(&mut program("csapp_process.3-1")),
        "child 0: status 0\nchild 1: status 1\nchild 2: status 2\n"
    );
    assert_eq!(
        succeed(&mut program("csapp_signal.3-1")),
        "the child has ended\n"
    );
    assert_eq!(succeed(&mut program("csapp_thread.3-1")), "2000\n");
    assert_eq!(succeed(&mut program("csapp_mutex.3-1")), "42\n");
    assert_eq!(
        succeed(program("csapp_socket.3-1").arg("127.0.0.1")),
        "127.0.0.1\n"
    );
    let licence = root().join("LICENSE");
    let text = fs::read_to_string(&licence).expect("the licence");
    assert_eq!(succeed(program("csapp_memory.3-1").arg(&licence)), text);
    assert_eq!(
        succeed(program("csapp_stdio.3-1").arg(&licence)).trim_end(),
        text.lines().next().expect("its title")
    );
    let listed = succeed(program("csapp_file.3-1").arg(root().join("man")));
    let listed: BTreeSet<&str> = listed
        .lines()
        .filter(|name| !name.starts_with('.'))
        .collect();
    let files: BTreeSet<String> = pages()
        .iter()
        .filter_map(|page| Some(page.file_name()?.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(listed, files.iter().map(String::as_str).collect());

    let failed = run(&mut program("csapp_set_error_handler.3-2"));
    assert_eq!(failed.status.code(), Some(0));
    assert_eq!(
        String::from_utf8_lossy(&failed.stderr),
        "Open error: /no/such/file: No such file or directory\n"
    );

    let logged = run(&mut program("csapp_set_error_handler.3-3"));
    assert_eq!(logged.status.code(), Some(1));
    assert!(logged.stderr.is_empty());

    let failed = run(&mut program("csapp_set_error_handler.3-4"));
    assert_eq!(failed.status.code(), Some(0));
    assert_eq!(
        String::from_utf8_lossy(&failed.stderr),
        "Accept error: Bad file descriptor\n".repeat(2)
    );

    assert_eq!(interrupted(&mut program("sio.3-1")), "caught signal 2\n");

    let servers = [
        &programs["open_clientfd.3-1"],
        &programs["open_clientfd.3-2"],
        &programs["csapp_set_error_handler.3-1"],
    ];
    if let Some(said) = on_own_network(ON_THE_NETWORK, &servers) {
        assert_eq!(
            said,
            "HTTP/1.0 200 OK\r\nhello\nhello\n\
            Rio_readlineb error: Connection reset by peer\nhello\n"
        );
    }
}

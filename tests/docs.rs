//! The C programs in docs/ and the README do what the text around them says, and the Makefile for projects builds its
//! variants.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;
use crate::common::copy::on_own_network;
use crate::common::{C, files, library, root, run_with, scratch, succeed};

/// Compiles the C programs of a page, and returns them in its order. Each test has its own copies.
fn programs(page: &str) -> Vec<PathBuf> {
    let thread = std::thread::current();
    let test = thread.name().expect("a test's thread has its name");
    let dir = scratch(&format!("{test}-{}", page.replace('/', "-")));
    let text = fs::read_to_string(root().join(page)).expect("a page");
    let mut programs = Vec::new();
    for block in text.split("```c\n").skip(1) {
        let code = block.split("```").next().expect("a program");
        let source = dir.join(format!("program{}.c", programs.len() + 1));
        fs::write(&source, code).expect("a source file");
        programs.push(C::new(source).flags(["-Wall"]).build(&dir));
    }
    programs
}

#[test]
fn programs_in_the_documentation_compile() {
    for entry in fs::read_dir(root().join("docs")).expect("the directory docs") {
        let path = entry.expect("a page").path();
        if path.extension().is_some_and(|kind| kind == "md") {
            let page = path.file_name().expect("a name").to_string_lossy();
            if page != "servers.md" {
                programs(&format!("docs/{page}"));
            }
        }
    }
}

#[test]
fn the_program_in_the_readme_copies_lines() {
    let programs = programs("README.md");
    let copied = run_with(&mut Command::new(&programs[0]), "one\n\nlast");
    assert_eq!(String::from_utf8_lossy(&copied.stdout), "one\n\nlast");
}

/// The Python of python/README.md, by ctypes alone and by the module. First there is no listener, then there is one.
const README_PYTHON: &str = r#"
cd "$1"
python3 -c "$2" 2>&1 | tail -n 1
python3 - <<'END' &
import socket
listener = socket.create_server(("127.0.0.1", 8080))
for is_last in False, True:
    peer, _ = listener.accept()
    if is_last:
        assert peer.makefile("rb").readline() == b"hello\n"
    peer.sendall(b"one\ntwo\n")
    peer.close()
END
python3 "$CLIENT" localhost read
python3 -c "$3"
"#;

#[test]
fn the_python_in_its_readme_connects() {
    let text = fs::read_to_string(root().join("python/README.md")).expect("the README");
    let blocks: Vec<&str> = text
        .split("```python\n")
        .skip(1)
        .map(|block| block.split("```").next().expect("a program"))
        .collect();
    let [by_module, by_ctypes] = blocks[..] else {
        panic!("two programs, not {}", blocks.len());
    };
    let library = library().join("libcsapp.so");
    let by_ctypes = by_ctypes.replace("build/libcsapp.so", &library.display().to_string());
    let by_module = format!(
        "import os, sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, 'python')\n\
        os.environ['CSAPP_LIBRARY'] = '{}'\n{by_module}",
        library.display()
    );
    let arguments = [&root().display().to_string(), &by_ctypes, &by_module];
    if let Some(said) = on_own_network(README_PYTHON, &arguments) {
        assert_eq!(
            said,
            "ConnectionRefusedError: [Errno 111] Connection refused\none\nb'two\\n'\n"
        );
    }
}

/// What the guide says about a client that resets its connection: it ends the server as it was, with status
/// 1, but not under CSAPP_ON_ERROR, nor as it is afterwards, nor one with threads. That also outlives
/// a lack of descriptors, and serves the clients that came meanwhile.
const SERVERS: &str = r#"
"$1" 8080 2>&1 &
python3 "$CLIENT" localhost rude
status=0
wait $! || status=$?
echo "before: status $status"
CSAPP_ON_ERROR=return "$1" 8080 2>&1 &
python3 "$CLIENT" localhost rude echo
kill $!
wait $! || true
echo "after:"
"$2" 8080 2>&1 &
python3 "$CLIENT" localhost rude echo
kill $!
wait $! || true
echo "threads:"
reports=$(mktemp)
"$3" 8080 2>"$reports" &
python3 "$CLIENT" localhost rude echo
timeout 60 sh -c 'until grep -q reset "$0"; do sleep 0.01; done' "$reports" # by the other thread
kill $!
wait $! || true
cat "$reports"
(exec 2>"$reports" 3>&- 4>&-; ulimit -n 5; exec "$3" 8080) &
python3 "$CLIENT" localhost echo
python3 - "$reports" <<'END'
import socket, struct, sys, time
first, second = [socket.create_connection(("localhost", 8080)) for _ in range(2)]
second.sendall(b"waited\n")
while "Accept error: Too many open files\n" not in open(sys.argv[1]):
    time.sleep(0.01)
first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
first.close()
print(second.makefile().readline(), end="")
END
kill $!
wait $! || true
rm "$reports"
echo "in order:"
for signal in TERM INT; do
    "$4" 8080 2>&1 &
    python3 "$CLIENT" localhost echo
    python3 - $! $signal <<'END'
import os, signal, socket, sys
waiting = socket.create_connection(("localhost", 8080))
waiting.sendall(b"half a line\nand a")
print(f"{waiting.recv(100)}\n", end="", flush=True) # at once: the server prints as well
os.kill(int(sys.argv[1]), getattr(signal, "SIG" + sys.argv[2]))
print(f"{waiting.recv(100)}\n", end="", flush=True) # at once: the server prints as well
END
    wait $!
done
echo "closed:"
"$5" 8080 <&- >&- 2>&- &
python3 "$CLIENT" localhost read
kill $!
wait $! || true
sed 's/^    open_standard_descriptors();//; s/^static void open/__attribute__((unused)) &/' "$5.c" >"$5.bad.c"
library=$(dirname "$(ldd "$5" | sed -n 's/.*libcsapp.so.1 => \([^ ]*\).*/\1/p')")
cc -I"$library" "$5.bad.c" -o "$5.bad" -L"$library" -lcsapp -Wl,-rpath,"$library"
"$5.bad" 8080 <&- >&- 2>&- &
python3 "$CLIENT" localhost read
kill $!
wait $! || true
echo "workers:"
"$6" 8080 2>&1 &
python3 "$CLIENT" 127.0.0.1 read read
test ! -e /proc/net/if_inet6 || python3 "$CLIENT" ::1 read read
"#;

#[test]
fn the_servers_of_the_guide_do_what_it_says() {
    let programs = programs("docs/servers.md");
    assert_eq!(programs.len(), 6, "each program is run below");
    if let Some(said) = on_own_network(SERVERS, &programs) {
        let reset = "Rio_readlineb error: Connection reset by peer\n";
        let (expected, addresses) = said.split_at(said.find("workers:").expect("the workers"));
        let (expected, endings) =
            expected.split_at(expected.find("in order:").expect("those that end"));
        let in_order = "hello\nb'half a line\\n'\nb''\nended in order\n";
        let in_order_early = "hello\nb'half a line\\n'\nended in order\nb''\n";
        assert_eq!(
            endings.replace(in_order_early, in_order),
            format!("in order:\n{in_order}{in_order}closed:\nhello\ndescriptor 1 is a client\n")
        );
        let (others, threads) = expected.split_at(expected.find("threads:").expect("the threads"));
        assert_eq!(
            others,
            format!("{reset}before: status 1\n{reset}hello\nafter:\n{reset}hello\n")
        );
        assert_eq!(threads, format!("threads:\nhello\n{reset}hello\nwaited\n"));
        let v6 = "workers:\nyou are ::ffff:127.0.0.1\nyou are ::ffff:127.0.0.1\nyou are ::1\nyou are ::1\n";
        let v4_alone = "workers:\nyou are 127.0.0.1\nyou are 127.0.0.1\n";
        assert!(addresses == v6 || addresses == v4_alone, "{addresses}");
    }
}

/// What is typed without reading the page.
#[test]
fn the_programs_of_the_documentation_say_what_is_wrong() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("its address").port().to_string();
    let complaint = |command: &mut Command| {
        let output = common::run(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        assert!(!said.contains("Success"), "{command:?}: {said}");
        said
    };
    for program in programs("docs/servers.md") {
        for port in ["65536", "-1", "8080x", "no-such-service", ""] {
            let said = complaint(Command::new(&program).arg(port));
            assert!(said.contains(port), "{program:?} {port:?}: {said}");
            assert!(said.contains("port"), "{program:?} {port:?}: {said}");
        }
        let said = complaint(Command::new(&program).arg(&taken));
        assert!(
            said.contains("Address already in use"),
            "{program:?}: {said}"
        );
    }
    let copy = &programs("README.md")[0];
    let said = complaint(Command::new(copy).args(["127.0.0.1", "65536"]));
    assert!(said.contains("65536"), "{said}");
    let said = complaint(Command::new(copy).args(["a.invalid", "80"]));
    assert!(said.contains("a.invalid"), "{said}");
    let said = complaint(Command::new(copy).args(["127.0.0.1", "1"]));
    assert!(said.contains("Connection refused"), "{said}");
}

#[test]
fn the_makefile_for_projects_builds_every_variant() {
    library();
    let prefix = scratch("project-prefix");
    succeed(
        Command::new("make")
            .args(["install", "PYTHON="])
            .arg(format!("PREFIX={}", prefix.display()))
            .current_dir(root()),
    );
    let project = scratch("project");
    fs::copy(root().join("examples/Makefile"), project.join("Makefile")).expect("a Makefile");
    let code = "#include \"csapp.h\"\nint main(void) { return puts(csapp_version()) < 0; }\n";
    fs::write(project.join("prog.c"), code).expect("a source file");
    every_variant_says(&project, &prefix, env!("CARGO_PKG_VERSION"));
    let mut elsewhere = Command::new("make");
    let elsewhere = common::run(elsewhere.arg("CSAPP=/nonexistent").current_dir(&project));
    let said = String::from_utf8_lossy(&elsewhere.stderr).into_owned();
    assert!(
        !elsewhere.status.success() && said.contains("make CSAPP="),
        "{said}"
    );
    let mut clean = Command::new("make");
    succeed(
        clean
            .args(["clean", "CSAPP=/nonexistent"])
            .current_dir(&project),
    );
    assert!(!project.join("prog").exists());

    // A program of two files, as the Makefile's comment says.
    let makefile = fs::read_to_string(project.join("Makefile")).expect("the Makefile");
    let makefile = makefile.replace(
        "PROGRAMS = $(patsubst %.c,%,$(wildcard *.c))",
        "PROGRAMS = prog",
    );
    fs::write(
        project.join("Makefile"),
        makefile + "\nprog: prog.o half.o\n",
    )
    .expect("a Makefile");
    fs::write(project.join("half.c"), "int half(void) { return 21; }\n").expect("a source file");
    let code = "#include \"csapp.h\"\nint half(void);\nint main(void) { Sio_putl(2 * half()); return 0; }\n";
    fs::write(project.join("prog.c"), code).expect("a source file");
    every_variant_says(&project, &prefix, "42");
}

/// Builds `project`'s prog in each way that its Makefile has.
#[track_caller]
fn every_variant_says(project: &Path, prefix: &Path, expected: &str) {
    for target in ["all", "static", "sanitize", "debug"] {
        succeed(
            Command::new("make")
                .arg(target)
                .arg(format!("CSAPP={}", prefix.display()))
                .current_dir(project),
        );
        let said =
            succeed(Command::new(project.join("prog")).env("ASAN_OPTIONS", "detect_leaks=0"));
        assert_eq!(said.trim(), expected, "make {target}");
    }
}

/// The files and directories that the documents name by their path from the project's directory are there; among
/// them the tests that SECURITY.md names for its promises.
#[test]
fn files_that_are_named_exist() {
    let entries = fs::read_dir(root()).expect("the project");
    let folders: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !["build", "target", "vendor"].contains(&name.as_str()))
        .collect();
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let spans = text.split('`').skip(1).step_by(2);
        let paths = spans.filter(|span| {
            let folder = span.split_once('/').map(|(folder, _)| folder);
            let is_placeholder = span.contains(|c: char| " *$\n\"':".contains(c))
                || ["VERSION", "X.Y.Z", "NAME", "TARGET"]
                    .iter()
                    .any(|part| span.contains(part));
            !is_placeholder
                && folder.is_some_and(|folder| folders.iter().any(|name| name == folder))
        });
        let before = count;
        for path in paths {
            assert!(
                root().join(path).exists(),
                "{} names {path}",
                page.display()
            );
            count += 1;
        }
        let least = if page.ends_with("SECURITY.md") { 20 } else { 0 };
        assert!(
            count - before >= least,
            "{}: too few files named",
            page.display()
        );
    }
    assert!(count >= 80, "only {count} files named");
}

/// The commands of examples/README.md are found as they stand there, from the project's directory.
#[test]
fn commands_of_the_examples_are_found() {
    let text = fs::read_to_string(root().join("examples/README.md")).expect("the page");
    let is_example = |word: &str| root().join(format!("examples/{word}.c")).exists();
    let mut count = 0;
    let inline = text.split('`').skip(1).step_by(2);
    let inline = inline.filter(|code| code.ends_with('&'));
    let commands = text.lines().filter_map(|line| line.strip_prefix("$ "));
    for command in commands.chain(inline) {
        let mut words = command.split([' ', ';', '|']);
        assert!(!words.any(is_example), "no path: {command}");
        for word in command
            .split(' ')
            .filter_map(|word| word.strip_prefix("build/"))
        {
            assert!(is_example(word) || word == "cgi-bin", "{command}");
            count += 1;
        }
    }
    assert!(count >= 15, "only {count} commands");
}

/// A filter that fits no test succeeds, and has tested nothing.
#[test]
fn commands_of_the_documents_run_tests() {
    let this = std::env::current_exe().expect("the test program");
    let tests = succeed(Command::new(this).arg("--list"));
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for (_, command) in text
            .lines()
            .filter_map(|line| line.split_once("cargo test -p tests "))
        {
            let filters = command.split_whitespace();
            for filter in filters.take_while(|word| !["#", "|"].contains(word)) {
                assert!(
                    filter.starts_with('-') || tests.contains(filter),
                    "{}: no test has {filter} in its name",
                    page.display()
                );
                count += 1;
            }
        }
    }
    assert!(count >= 10, "only {count} filters");
}

/// The pages of the project that a code host shows.
fn pages() -> Vec<PathBuf> {
    let names = files(".md").into_iter();
    names.map(|name| root().join(name)).collect()
}

/// The anchors that a code host gives the headings of a page.
fn anchors(page: &str) -> Vec<String> {
    let mut in_code = false;
    page.lines()
        .filter(|line| {
            in_code ^= line.trim_start().starts_with("```");
            !in_code && line.starts_with('#')
        })
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    let mut dead = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let pictures = text
            .split("src=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        for link in targets.chain(pictures) {
            if link.contains("://") || link.contains(char::is_whitespace) {
                continue;
            }
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().expect("its directory").join(file)
            };
            let leads = target.exists()
                && (anchor.is_empty()
                    || fs::read_to_string(&target)
                        .is_ok_and(|text| anchors(&text).iter().any(|found| found == anchor)));
            if !leads {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(count > 50, "only {count} links found");
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

/// The pictures of a page: what stands in the place of each, by Markdown's `![text](file)` and by `<img alt="text">`.
fn alternatives(page: &str) -> Vec<String> {
    let in_markdown = page.split("![").skip(1).map(|rest| {
        let end = rest.find("](").expect("a picture's file");
        rest[..end].to_string()
    });
    let in_html = page.split("<img").skip(1).map(|rest| {
        let (tag, _) = rest.split_once('>').expect("the tag's end");
        let alternative = tag
            .split_once("alt=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        alternative.map_or_else(String::new, |(text, _)| text.to_string())
    });
    in_markdown.chain(in_html).collect()
}

/// A picture has a text in its place, of at least three words.
#[test]
fn pictures_have_a_text() {
    assert_eq!(
        alternatives("![](a.png) <img src=\"b\"> <img alt=\"A b c\"\n src=\"c\"> ![d e f](d)"),
        ["", "d e f", "", "A b c"]
    );
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for alternative in alternatives(&text) {
            count += 1;
            let words = alternative.split_whitespace().count();
            assert!(
                words >= 3,
                "{}: a picture says {alternative:?}",
                page.display()
            );
        }
    }
    assert!(count >= 4, "only {count} pictures");
}

//! Each kind of fault: the broken program is named at its line, and the mended one is not mentioned; linked with
//! libcsapp.so, with csapp.o, and with a csapp.c of its own, by gcc and by clang.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::{Checked, c, check};
use crate::common;
use crate::common::{C, Link, root, scratch};

const LINKS: [Link; 3] = [Link::Shared, Link::Object, Link::Own];

/// A program of examples/broken: where its fault is, and of which kind.
struct Broken {
    name: String,
    source: PathBuf,
    line: u64,
    kind: String,
}

fn broken() -> Vec<Broken> {
    let dir = root().join("examples/broken");
    let mut all = Vec::new();
    for entry in fs::read_dir(&dir).expect("it is there") {
        let source = entry.expect("readable").path();
        if source.extension().is_none_or(|extension| extension != "c") {
            continue;
        }
        let text = fs::read_to_string(&source).expect("text");
        let marked: Vec<_> = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains("FAULT: "))
            .collect();
        let [(index, line)] = marked[..] else {
            panic!("{}: one line is marked FAULT", source.display())
        };
        let kind = line
            .split("FAULT: ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
            .expect("a kind");
        let name = source
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        // These two never end: status.rs looks at them.
        if name != "hang" && name != "proxy" {
            all.push(Broken {
                name,
                line: index as u64 + 1,
                kind: kind.to_owned(),
                source,
            });
        }
    }
    all
}

impl Broken {
    fn run(&self, program: &C, dir: &Path) -> Checked {
        let program = program.build(dir);
        check(&[], &[program.to_str().expect("UTF-8")], "nosuch\n")
    }

    /// docs/checking.md (`page`) has the message.
    fn is_named(&self, program: &C, dir: &Path, page: &str) {
        let checked = self.run(program, dir);
        let context = format!("{program:?}:\n{}", checked.log);
        let reports = checked.reports();
        assert_eq!(reports.len(), 1, "{context}");
        assert_eq!(reports[0]["kind"], self.kind.as_str(), "{context}");
        let place = &reports[0]["place"];
        assert_eq!(place["line"], self.line, "{context}");
        assert!(
            place["file"]
                .as_str()
                .is_some_and(|file| file.ends_with(&format!("/{}.c", self.name))),
            "{context}"
        );
        let start = format!("{}.c:{}: ", self.name, self.line);
        assert!(checked.log.starts_with(&start), "{context}");
        let message = checked.log.lines().next().expect("a line");
        assert!(
            page.contains(&format!("    {message}\n")),
            "docs/checking.md: {context}"
        );
    }

    fn is_silent(&self, program: &C, dir: &Path) {
        let checked = self.run(program, dir);
        let context = format!("{program:?}:\n{}", checked.log);
        assert_eq!(checked.log, "", "{context}");
        assert!(checked.reports().is_empty(), "{context}");
        assert!(
            checked.output.status.success(),
            "{context}: {:?}",
            checked.output
        );
    }
}

fn all_kinds(compiler: &str, level: &str, links: &[Link]) {
    if !common::is_installed(compiler, compiler) {
        return;
    }
    let page = fs::read_to_string(root().join("docs/checking.md")).expect("the page");
    let dir = scratch(&format!("kinds-{compiler}{level}"));
    for broken in broken() {
        for &link in links {
            let program = c(&broken.source)
                .compiler(compiler)
                .flags([level])
                .link(link);
            broken.is_named(&program, &dir, &page);
            broken.is_silent(&program.flags(["-DMENDED"]), &dir);
        }
    }
}

#[test]
fn gcc_names_each() {
    all_kinds("gcc", "-O0", &LINKS);
}

#[test]
fn gcc_names_each_optimised() {
    all_kinds("gcc", "-O2", &[Link::Own]);
}

#[test]
fn clang_names_each() {
    all_kinds("clang", "-O1", &LINKS);
}

#[test]
fn every_kind_has_its_program() {
    let shown: Vec<_> = broken().into_iter().map(|broken| broken.kind).collect();
    let source = fs::read_to_string(root().join("check/src/shared.rs")).expect("text");
    let list = source
        .split("Kind {")
        .nth(1)
        .and_then(|rest| rest.split('}').next())
        .expect("the list of kinds");
    let kinds = list.split('"').skip(1).step_by(2);
    for kind in kinds {
        assert!(
            shown.iter().any(|name| name == kind),
            "no program of examples/broken shows {kind}"
        );
    }
}

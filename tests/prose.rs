//! The language of the documents: no misspelt word, and no phrase of tests/phrases, the phrases that a reader had to
//! read twice.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use common::{is_installed, root, scratch, succeed};

/// Of a line of a document, what is a sentence's text: code and the targets of links are not.
fn without_code(line: &str) -> String {
    let mut text = String::new();
    for (number, part) in line.split('`').enumerate() {
        text += if number % 2 == 0 { part } else { "X" };
    }
    let mut parts = text.split("](");
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        text += part.split_once(')').map_or(part, |(_, rest)| rest);
    }
    text.replace(['[', ']', '*', '#', '<', '>'], " ")
}

/// A passage of a file: the number of its first line, and its text in one line.
type Passage = (usize, String);

/// Gathers lines to passages. `None` ends a passage.
fn passages<'a>(lines: impl Iterator<Item = (usize, Option<&'a str>)>) -> Vec<Passage> {
    let mut found: Vec<Passage> = Vec::new();
    let mut is_open = false;
    for (number, line) in lines {
        match line.map(str::trim).filter(|line| !line.is_empty()) {
            Some(line) if is_open => {
                let (_, text) = found.last_mut().expect("an open passage");
                text.push(' ');
                text.push_str(line);
            }
            Some(line) => found.push((number, line.to_string())),
            None => {}
        }
        is_open = line.is_some_and(|line| !line.trim().is_empty());
    }
    found
}

/// A document's passages: paragraphs, items of lists, cells of tables.
fn of_markdown(text: &str) -> Vec<Passage> {
    let mut in_code = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        if is_fence || in_code || line.starts_with("    ") {
            lines.push((number, None));
        } else if line.starts_with('|') {
            for cell in line.split('|') {
                lines.extend([(number, None), (number, Some(cell)), (number, None)]);
            }
        } else {
            if line.trim_start().starts_with(['-', '#']) {
                lines.push((number, None));
            }
            lines.push((number, Some(line)));
        }
    }
    let passages = passages(lines.into_iter()).into_iter();
    passages
        .map(|(number, text)| (number, without_code(&text)))
        .collect()
}

/// What diction finds in the passages of files, by the project's own list of phrases alone. `test` is the test's name.
fn phrases_in(test: &str, files: &[(String, Vec<Passage>)]) -> String {
    let mut input = String::new();
    for (name, passages) in files {
        for (number, text) in passages {
            // diction takes a sentence to begin with a capital and to end with a dot.
            let first = text.find(char::is_alphanumeric).unwrap_or(0);
            let (before, text) = text.split_at(first);
            let capital = text.get(..1).unwrap_or_default().to_uppercase();
            let rest = text.get(1..).unwrap_or_default();
            writeln!(
                input,
                "#line {number} \"{name}\"\n{before}{capital}{rest}.\n"
            )
            .expect("a string");
        }
    }
    let input_file = scratch(test).join("text");
    fs::write(&input_file, input).expect("the text");
    succeed(
        Command::new("diction")
            .args(["--suggest", "--ignore-double-words", "--no-default-file"])
            .args(["--file", "tests/phrases"])
            .stdin(fs::File::open(input_file).expect("the text"))
            .current_dir(root()),
    )
}

/// The files of the project whose name ends in this, except what was built.
fn files(ending: &str) -> Vec<String> {
    let listed = succeed(
        Command::new("find")
            .args([
                ".",
                "(",
                "-name",
                "target",
                "-o",
                "-name",
                "build",
                "-o",
                "-name",
                "node_modules",
            ])
            .args([
                ")",
                "-prune",
                "-o",
                "-name",
                &format!("*{ending}"),
                "-print",
            ])
            .current_dir(root()),
    );
    listed.lines().map(|line| line[2..].to_string()).collect()
}

#[test]
fn no_phrase_has_to_be_read_twice() {
    if !is_installed("diction", "diction") {
        return;
    }
    let read = |name: &str| fs::read_to_string(root().join(name)).expect("a file");
    let texts: Vec<(String, Vec<Passage>)> = files(".md")
        .into_iter()
        .map(|name| {
            let passages = of_markdown(&read(&name));
            (name, passages)
        })
        .collect();
    let count: usize = texts.iter().map(|(_, passages)| passages.len()).sum();
    assert!(count > 500, "only {count} passages");
    let found = phrases_in("no_phrase", &texts);
    assert!(found.contains("No phrases in "), "{found}");
}

/// Each phrase of the list is found, and its exceptions are not.
#[test]
fn each_phrase_of_the_list_is_found() {
    if !is_installed("diction", "diction") {
        return;
    }
    let list = fs::read_to_string(root().join("tests/phrases")).expect("the list");
    let (mut texts, mut expected) = (Vec::new(), Vec::new());
    for rule in list.lines() {
        let (phrase, advice) = rule.split_once('\t').expect("a phrase and what to write");
        assert!(phrase.starts_with(' '), "{rule}: whole words only");
        let page = format!("# A page\n\n| `x` | it{phrase}, `y` |\n");
        texts.push((phrase.trim().to_string(), of_markdown(&page)));
        expected.push((phrase.trim(), advice != "!"));
    }
    let code = "A sentence.\n\n```\nwho is mended for ever\n```\n\nWith `who` in it.\n";
    texts.push(("code".to_string(), of_markdown(code)));
    expected.push(("code", false));
    let found = phrases_in("each_phrase", &texts);
    for (name, is_found) in expected {
        let place = format!("{name}:");
        let is_there = found.lines().any(|line| line.starts_with(&place));
        assert_eq!(is_there, is_found, "{name}: {found}");
    }
}

#[test]
fn no_word_is_misspelt() {
    if is_installed("codespell", "codespell") {
        succeed(Command::new("codespell").current_dir(root()));
    }
}

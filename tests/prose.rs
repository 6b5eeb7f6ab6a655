//! The language of documents, manual pages and comments: no misspelt word, and no phrase of tests/phrases, the phrases
//! that a reader had to read twice.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::common::{files, is_installed, root, scratch, succeed};

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

/// A manual page's passages. What a macro shows, a name mostly, is an X.
fn of_manual(text: &str) -> Vec<Passage> {
    let mut in_display = false;
    let lines = (1..).zip(text.lines()).map(|(number, line)| {
        in_display = in_display && !line.starts_with(".Ed") || line.starts_with(".Bd");
        let ends_passage = [".Pp", ".Sh", ".Ss", ".It", ".Bl", ".El", ".Nd", ".\\"]
            .iter()
            .any(|name| line.starts_with(name));
        if in_display || ends_passage {
            (number, None)
        } else {
            (number, Some(if line.starts_with('.') { "X" } else { line }))
        }
    });
    passages(lines)
}

/// The passages of comments, in C and Rust, or behind `#` in what a shell or Python reads.
fn of_comments(text: &str, marks: &[&str]) -> Vec<Passage> {
    let mut in_block = false;
    let mut in_code = false;
    let lines = (1..).zip(text.lines()).map(|(number, line)| {
        let line = line.trim();
        let start = marks.iter().find_map(|mark| {
            let at = if in_block { Some(0) } else { line.find(mark) }?;
            // In a string that is an address, or half of a path.
            let is_comment = at == 0 || line[..at].ends_with(' ');
            is_comment.then_some(at)
        });
        let comment = start.map(|at| {
            let comment = &line[at..];
            let end = comment.find("*/");
            in_block = (in_block || comment.starts_with("/*")) && end.is_none();
            comment[..end.unwrap_or(comment.len())]
                .trim_start_matches(['/', '*', '#', '!', ' '])
                .trim_end_matches(['/', '*', ' '])
        });
        in_code ^= comment.is_some_and(|comment| comment.starts_with("```"));
        (number, comment.filter(|_| !in_code))
    });
    let passages = passages(lines).into_iter();
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

/// A file's passages, by its name's ending.
fn of_file(name: &str) -> Vec<Passage> {
    let text = fs::read_to_string(root().join(name)).expect("a file");
    let (_, ending) = name.rsplit_once('.').unwrap_or_default();
    match ending {
        "md" => of_markdown(&text),
        "1" | "3" | "7" => of_manual(&text),
        "rs" | "c" | "h" | "in" => of_comments(&text, &["//", "/*"]),
        _ => of_comments(&text, &["#"]),
    }
}

#[test]
fn no_phrase_has_to_be_read_twice() {
    if !is_installed("diction", "diction") {
        return;
    }
    let endings = [
        ".md", ".1", ".3", ".7", ".rs", ".c", ".h", ".h.in", ".py", ".sh", ".mk", "Makefile",
    ];
    let texts: Vec<(String, Vec<Passage>)> = endings
        .into_iter()
        .flat_map(files)
        .map(|name| (name.clone(), of_file(&name)))
        .collect();
    for ending in endings {
        let of_kind = texts.iter().filter(|(name, _)| name.ends_with(ending));
        let count: usize = of_kind.map(|(_, passages)| passages.len()).sum();
        assert!(count > 10, "only {count} passages in *{ending}");
    }
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
    let c = &["//", "/*"];
    let with_phrase = |text: &str| text.replace('~', "mended");
    for (name, passages, is_found) in [
        ("code", of_markdown(code), false),
        (
            "block",
            of_comments(&with_phrase("int i;\n/* It is\n   ~. */\n"), c),
            true,
        ),
        (
            "line",
            of_comments(&with_phrase("    /// It is\n    /// ~.\n"), c),
            true,
        ),
        (
            "behind",
            of_comments(&with_phrase("int i; // It is ~\n"), c),
            true,
        ),
        (
            "shell",
            of_comments(&with_phrase("# It is\n# ~.\n"), &["#"]),
            true,
        ),
        (
            "statement",
            of_comments(&with_phrase("it is ~; /* It is */ it is ~;\n"), c),
            false,
        ),
        (
            "address",
            of_comments(&with_phrase("\"http://it is ~\"\n"), c),
            false,
        ),
        (
            "manual",
            of_manual(&with_phrase("It is\n~ by\n.Fn f .\n")),
            true,
        ),
        (
            "macro",
            of_manual(&with_phrase("It is\n.Fn ~\n.Bd\nIt is ~\n.Ed\n")),
            false,
        ),
    ] {
        texts.push((name.to_string(), passages));
        expected.push((name, is_found));
    }
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

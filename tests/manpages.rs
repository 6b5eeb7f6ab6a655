//! The manual pages: clean, complete, and in agreement with the header.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{Link, root, scratch, succeed};

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

/// A prototype as far as it matters: no spaces around stars and commas, no names of macros.
fn normal(prototype: &str) -> String {
    let mut text = prototype.split_whitespace().collect::<Vec<_>>().join(" ");
    for (from, to) in [
        (" *", "*"),
        ("* ", "*"),
        (", ", ","),
        (" (", "("),
        ("( ", "("),
    ] {
        text = text.replace(from, to);
    }
    text
}

/// The words of an mdoc line, in which quotation marks join.
fn arguments(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().expect("a word").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The prototypes of a page's SYNOPSIS, by name.
fn synopsis(page: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut result = String::new();
    for line in section(page, "SYNOPSIS") {
        if let Some(kind) = line.strip_prefix(".Ft ") {
            result = kind.to_owned();
        } else if let Some(call) = line.strip_prefix(".Fn ") {
            let words = arguments(call);
            let prototype = format!("{result} {}({})", words[0], words[1..].join(","));
            if !result.is_empty() {
                found.insert(words[0].clone(), normal(&prototype));
            }
            result.clear();
        }
    }
    found
}

/// The prototypes of the header, by name.
fn declared() -> BTreeMap<String, String> {
    let header = fs::read_to_string(root().join("include/csapp.h")).expect("the header");
    let mut code = String::new();
    let mut rest = header.as_str();
    while let Some(start) = rest.find("/*") {
        code += &rest[..start];
        rest = rest[start..]
            .find("*/")
            .map_or("", |end| &rest[start + end + 2..]);
    }
    code += rest;
    let code = code.replace("\\\n", " ").replace("extern \"C\" {", "");
    let lines: Vec<&str> = code.lines().filter(|line| !line.starts_with('#')).collect();
    let mut found = BTreeMap::new();
    for statement in lines.join(" ").split([';', '{', '}']) {
        let statement = without_attributes(statement);
        let Some(open) = statement.find('(') else {
            continue;
        };
        let Some(name) = statement[..open]
            .split([' ', '*'])
            .rfind(|word| !word.is_empty())
        else {
            continue;
        };
        let is_prototype = statement[..open].trim().contains([' ', '*'])
            && !statement.starts_with("typedef")
            && !statement.contains("return ")
            && !statement.starts_with("static ");
        if is_prototype {
            found.insert(name.to_owned(), normal(&statement));
        }
    }
    found
}

/// A declaration without what only the compiler wants to know.
fn without_attributes(statement: &str) -> String {
    let mut text = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    while let Some(start) = text.find("CSAPP_") {
        let word = text[start..]
            .find(|letter: char| !letter.is_ascii_uppercase() && letter != '_')
            .unwrap_or(text.len() - start);
        let mut end = start + word;
        if text[end..].starts_with('(') {
            end += text[end..]
                .find(')')
                .map_or(text.len() - end, |close| close + 1);
        }
        text.replace_range(start..end, "");
    }
    text.trim().to_owned()
}

#[test]
fn mandoc_has_nothing_to_say() {
    succeed(
        Command::new("mandoc")
            .args(["-Tlint", "-W", "warning"])
            .args(pages()),
    );
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
fn synopsis_and_header_agree() {
    let mut documented = BTreeMap::new();
    for page in pages() {
        let page = text(&page);
        let names: Vec<&str> = section(&page, "NAME")
            .into_iter()
            .filter_map(|line| line.strip_prefix(".Nm "))
            .map(|name| name.trim_end_matches(" ,"))
            .collect();
        for (name, prototype) in synopsis(&page) {
            assert!(
                names.contains(&name.as_str()),
                "{name} is missing from NAME"
            );
            documented.insert(name, prototype);
        }
    }
    assert_eq!(documented, declared());
}

#[test]
fn examples_compile() {
    let dir = scratch("man-examples");
    let mut count = 0;
    for page in pages() {
        let examples = section(&text(&page), "EXAMPLES").join("\n");
        for block in examples.split(".Bd -literal").skip(1) {
            let code = block
                .split_once('\n')
                .and_then(|(_, code)| code.split_once("\n.Ed"))
                .map(|(code, _)| code.replace("\\e", "\\"))
                .expect("a display that ends");
            let name = dir.join(format!("example{count}"));
            count += 1;
            fs::write(name.with_extension("c"), code).expect("a source file");
            succeed(
                common::cc()
                    .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"])
                    .arg(format!("-I{}", common::library().display()))
                    .arg(name.with_extension("c"))
                    .arg("-o")
                    .arg(&name)
                    .args(Link::Shared.arguments()),
            );
        }
    }
    assert!(count >= 5, "only {count} examples found");
}

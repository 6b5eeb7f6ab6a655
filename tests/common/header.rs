//! What csapp.h declares, as the compiler sees it.

use std::collections::BTreeMap;

use super::{cc, library, run_with};

/// One declaration of C.
pub struct Declaration {
    /// What it declares: a function, a variable, a type, a field or an enumerator.
    pub name: String,
    /// It whole, without attributes and in one line.
    pub text: String,
    pub is_function: bool,
}

/// What the preprocessor makes of a text that may include csapp.h.
#[track_caller]
pub fn preprocessed(language: &str, flags: &[&str], text: &str) -> String {
    let mut command = cc();
    command
        .args(["-E", "-x", language])
        .args(flags)
        .arg(format!("-I{}", library().display()))
        .arg("-");
    let output = run_with(&mut command, text);
    assert!(
        output.status.success(),
        "{flags:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the header declares itself, apart from what it includes.
#[track_caller]
pub fn declared(language: &str, flags: &[&str]) -> Vec<Declaration> {
    let mut own = String::new();
    let mut is_own = false;
    for line in preprocessed(language, flags, "#include \"csapp.h\"\n").lines() {
        // A line `# 12 "FILE"` says where the next ones come from.
        if line.starts_with("# ") {
            is_own = line.contains("/csapp.h\"");
        } else if is_own {
            own.push_str(line);
            own.push('\n');
        }
    }
    declarations(&own)
}

/// The prototypes of the header's functions by name, with all options on.
#[track_caller]
pub fn prototypes() -> BTreeMap<String, String> {
    declared("c", &["-DCSAPP_EXTRAS"])
        .into_iter()
        .filter(|declaration| declaration.is_function)
        .map(|declaration| (declaration.name, declaration.text))
        .collect()
}

/// The declarations of a text; each declares the last name before its parameters. Braces part
/// declarations like semicolons, so that fields and enumerators count too; what is in
/// parentheses, brackets or quotes does not.
pub fn declarations(text: &str) -> Vec<Declaration> {
    let text = without_attributes(text)
        .replace("\"C\"", "")
        .replace("\"C++\"", "");
    let mut found = Vec::new();
    let (mut depth, mut start) = (0, 0);
    let (mut last, mut word) = (String::new(), String::new());
    // The first bracket, which ends the name.
    let mut bracket = None;
    for (end, letter) in text.char_indices() {
        if depth == 0 && (letter.is_alphanumeric() || letter == '_') {
            word.push(letter);
            continue;
        }
        if !word.is_empty() && bracket.is_none() {
            last = word.clone();
        }
        word.clear();
        match letter {
            '(' | '[' => {
                bracket = bracket.or(Some(letter));
                depth += 1;
            }
            ')' | ']' => depth -= 1,
            ';' | '{' | '}' | ',' if depth == 0 => {
                let words: Vec<&str> = text[start..end].split_whitespace().collect();
                let is_type = words.first() == Some(&"typedef");
                let name = std::mem::take(&mut last);
                // `extern "C" {` and `typedef struct {` declare nothing.
                if !["", "extern", "struct"].contains(&name.as_str()) {
                    found.push(Declaration {
                        name,
                        text: words.join(" "),
                        is_function: bracket == Some('(') && !is_type,
                    });
                }
                bracket = None;
                start = end + 1;
            }
            _ => {}
        }
    }
    found
}

/// The text without what only the compiler wants to know.
fn without_attributes(text: &str) -> String {
    let mut parts = text.split("__attribute__");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut depth = 0;
        let end = part.find(|letter| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            depth == 0 && letter == ')'
        });
        kept.push_str(end.map_or(part, |end| &part[end + 1..]));
    }
    kept
}

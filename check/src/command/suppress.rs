//! Reports that a user does not want to see: lines "KIND PATTERN" in a file.

use std::fs;
use std::path::Path;

use crate::arguments::{Failure, Outcome, USAGE};
use crate::describe::Report;
use crate::places::{Place, Places};
use crate::shared::Kind;

#[derive(Default)]
pub struct Suppressions(Vec<Line>);

struct Line {
    /// None: any.
    kind: Option<Kind>,
    pattern: String,
}

impl Suppressions {
    pub fn read(path: &Path) -> Outcome<Suppressions> {
        let text = fs::read_to_string(path)
            .map_err(|why| Failure::new(USAGE, format!("{}: {why}", path.display())))?;
        let lines = text
            .lines()
            .enumerate()
            .map(|(i, line)| (i + 1, line.split('#').next().unwrap_or("").trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty());
        let parsed = lines.map(|(number, line)| {
            Line::parse(line).ok_or_else(|| {
                let known: Vec<_> = Kind::ALL[1..].iter().map(|kind| kind.name()).collect();
                let text = format!(
                    "{}:{number}: expected \"KIND PATTERN\", KIND being * or one of {}",
                    path.display(),
                    known.join(", ")
                );
                Failure::new(USAGE, text)
            })
        });
        Ok(Suppressions(parsed.collect::<Outcome<_>>()?))
    }

    /// Whether a line's pattern matches a function, file or file:line of the report's first stack.
    pub fn cover(&self, report: &Report, places: &Places<'_>) -> bool {
        let stack = report
            .stacks
            .first()
            .map_or_else(Vec::new, |id| places.stack(*id));
        let of_kind = self
            .0
            .iter()
            .filter(|line| line.kind.is_none_or(|kind| kind == report.kind));
        of_kind.into_iter().any(|line| {
            stack
                .iter()
                .chain([&report.place])
                .any(|place| line.matches(place))
        })
    }
}

impl Line {
    fn parse(line: &str) -> Option<Line> {
        let (kind, pattern) = line.split_once(char::is_whitespace)?;
        let known = Kind::ALL[1..].iter().find(|known| known.name() == kind);
        if kind != "*" && known.is_none() {
            return None;
        }
        Some(Line {
            kind: known.copied(),
            pattern: pattern.trim().to_owned(),
        })
    }

    fn matches(&self, place: &Place) -> bool {
        let file = place
            .file
            .as_deref()
            .and_then(|file| file.rsplit('/').next());
        let names = [
            place.function.clone(),
            file.map(str::to_owned),
            Some(place.short()),
            Some(place.module.clone()),
        ];
        names.iter().flatten().any(|name| fits(&self.pattern, name))
    }
}

/// Whether a pattern, in which * stands for anything, fits all of a name.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|i| rest.is_char_boundary(i) && fits(after, &rest[i..]))
        }),
    }
}

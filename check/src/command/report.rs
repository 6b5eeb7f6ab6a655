//! The report as text: each fault once, when it is found, and a summary at the end.

use std::collections::HashSet;
use std::fs::File;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering::Acquire;
use std::time::{Duration, Instant};

use crate::arguments::{Arguments, Failure, Outcome, USAGE};
use crate::describe::{Report, counted, describe};
use crate::ends::End;
use crate::places::Places;
use crate::shared::*;
use crate::suppress::Suppressions;

/// How long a fault may turn out to be meant.
const PATIENCE: Duration = Duration::from_millis(200);

pub struct Reporter<'a> {
    shared: &'a Shared,
    pub places: &'a Places<'a>,
    suppressions: Suppressions,
    to: Box<dyn Write>,
    log_file: Option<PathBuf>,
    /// Why something could not be written to the log file.
    failure: Option<Failure>,
    is_coloured: bool,
    pub reports: Vec<Report>,
    /// Which findings were told, and since when the others are known.
    told: HashSet<usize>,
    pending: Vec<(usize, Instant)>,
    pub descriptors_left: u32,
    pub threads_left: u32,
}

impl<'a> Reporter<'a> {
    pub fn new(
        shared: &'a Shared,
        places: &'a Places<'a>,
        arguments: &Arguments,
    ) -> Outcome<Reporter<'a>> {
        let suppressions = match &arguments.suppressions {
            Some(path) => Suppressions::read(path)?,
            None => Suppressions::default(),
        };
        let to: Box<dyn Write> = match &arguments.log_file {
            Some(path) => Box::new(
                File::create(path)
                    .map_err(|why| Failure::new(USAGE, format!("{}: {why}", path.display())))?,
            ),
            None => Box::new(std::io::stderr()),
        };
        let is_coloured = arguments.log_file.is_none() && std::io::stderr().is_terminal();
        Ok(Reporter {
            shared,
            places,
            suppressions,
            to,
            log_file: arguments.log_file.clone(),
            failure: None,
            is_coloured,
            reports: Vec::new(),
            told: HashSet::new(),
            pending: Vec::new(),
            descriptors_left: 0,
            threads_left: 0,
        })
    }

    /// Tells what is new. At the end, also what was still uncertain.
    pub fn tell_new(&mut self, is_end: bool) {
        for (index, finding) in self.shared.findings().enumerate() {
            if self.told.contains(&index) {
                continue;
            }
            let state = finding.state.load(Acquire);
            let is_due = state == READY || (state == PENDING && (is_end || self.has_waited(index)));
            if is_due {
                self.told.insert(index);
                if !self.places.is_loaders(finding.stacks[0].get()) {
                    self.tell(describe(finding, self.places));
                }
            }
        }
    }

    fn has_waited(&mut self, index: usize) -> bool {
        match self.pending.iter().find(|(known, _)| *known == index) {
            Some((_, since)) => since.elapsed() > PATIENCE,
            None => {
                self.pending.push((index, Instant::now()));
                false
            }
        }
    }

    /// Tells what a process has left.
    pub fn tell_end(&mut self, end: &End<'_>) {
        for report in end.reports() {
            match report.kind {
                Kind::Leak => self.descriptors_left += report.count,
                Kind::Unjoined => self.threads_left += report.count,
                _ => (),
            }
            self.tell(report);
        }
    }

    fn tell(&mut self, report: Report) {
        if self.suppressions.cover(&report, self.places) {
            return;
        }
        if let Some(known) = self.reports.iter_mut().find(|known| known.is_same(&report)) {
            known.count += report.count;
            return;
        }
        self.print(&report);
        self.reports.push(report);
    }

    fn print(&mut self, report: &Report) {
        let (bold, plain) = if self.is_coloured {
            ("\x1b[1m", "\x1b[0m")
        } else {
            ("", "")
        };
        let mut text = format!(
            "{bold}{}: {}{plain}\n",
            report.place.short(),
            report.message
        );
        for line in report
            .evidence
            .iter()
            .map(String::as_str)
            .chain([report.why])
            .filter(|line| !line.is_empty())
        {
            text += &format!("    {line}\n");
        }
        self.write(&text);
    }

    pub fn say(&mut self, line: &str) {
        self.write(&format!("{line}\n"));
    }

    /// In one piece, so that it is not mixed with the program's. There is nobody to tell if standard error fails.
    fn write(&mut self, text: &str) {
        let result = self.to.write_all(text.as_bytes());
        if let (Err(why), Some(path)) = (result, &self.log_file) {
            let failure = || Failure::new(USAGE, format!("{}: {why}", path.display()));
            self.failure.get_or_insert_with(failure);
        }
    }

    /// Whether the log file has all that was written to it.
    pub fn finish(&mut self) -> Outcome<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// How often each was met that was told once, and what there was in all.
    pub fn summary(&mut self) {
        self.refresh_counts();
        if self.shared.unwatched.get() > 0 {
            let text = format!(
                "csapp-check: {} more were not watched: too many at once",
                counted(self.shared.unwatched.get().into(), "process")
            );
            self.say(&text);
        }
        let lost = self
            .shared
            .findings_used
            .get()
            .saturating_sub(FINDINGS as u32);
        if lost > 0 {
            self.say(&format!("csapp-check: {lost} more reports found no room"));
        }
        if self.reports.is_empty() {
            return;
        }
        for report in &self.reports.clone() {
            let counts_itself = matches!(
                report.kind,
                Kind::Leak | Kind::Unjoined | Kind::Unreaped | Kind::LoopAtEnd
            );
            if report.count > 1 && !counts_itself {
                self.say(&format!(
                    "{}: {} times ({})",
                    report.place.short(),
                    report.count,
                    report.kind.name()
                ));
            }
        }
        let kinds: HashSet<_> = self
            .reports
            .iter()
            .map(|report| report.kind as u32)
            .collect();
        let mut text = match (self.reports.len(), kinds.len()) {
            (reports, kinds) if reports == kinds => {
                format!("{} of fault", counted(kinds as i64, "kind"))
            }
            (reports, kinds) => format!(
                "{} of {}",
                counted(reports as i64, "report"),
                counted(kinds as i64, "kind")
            ),
        };
        if self.descriptors_left > 0 {
            text += &format!(
                "; {} left",
                counted(self.descriptors_left.into(), "descriptor")
            );
        }
        if self.threads_left > 0 {
            text += &format!(
                "; {} neither joined nor detached",
                counted(self.threads_left.into(), "thread")
            );
        }
        self.say(&text);
    }

    fn refresh_counts(&mut self) {
        let mut counts: Vec<u32> = vec![0; self.reports.len()];
        for finding in self.shared.findings() {
            let place = self.places.place(finding.stacks[0].get());
            let kind = Kind::of(finding.kind.get());
            if let Some(index) = self
                .reports
                .iter()
                .position(|report| report.kind == kind && report.place.long() == place.long())
            {
                counts[index] += finding.count.get();
            }
        }
        for (report, count) in self
            .reports
            .iter_mut()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
        {
            report.count = count;
        }
    }
}

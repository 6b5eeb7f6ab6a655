//! Chaos: a program that takes a short read for a whole message fails, one that does not passes, and the same seed
//! gives the same decisions.

mod support;

use std::process::Command;

use support::{Link, csapp_check, program, run_with};

/// Sends itself 50 messages of 40 bytes, and reads them by `read_whole`.
fn messages(name: &str, read_whole: &str) -> String {
    let source = format!(
        r#"
#include "csapp.h"
static ssize_t read_whole(int fd, char *to)
{{
    {read_whole}
}}
int main(void)
{{
    char sent[40], got[40];
    int ends[2], i;
    memset(sent, 'x', sizeof sent);
    if (pipe(ends) < 0)
        return 2;
    for (i = 0; i < 50; i++) {{
        Write(ends[1], sent, sizeof sent);
        ssize_t n = read_whole(ends[0], got);
        printf("%d ", (int)n);
        if (n != sizeof got)
            return 1;
    }}
    return 0;
}}
"#
    );
    program(name, &source, Link::Object)
        .to_str()
        .expect("UTF-8")
        .to_owned()
}

fn run(seed: u32, program: &str) -> (Option<i32>, String) {
    let output = run_with(
        csapp_check().arg(format!("--chaos={seed}")).arg(program),
        "",
    );
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn a_short_read_is_found_within_ten_seeds() {
    let hasty = messages("hasty", "return read(fd, to, 40);");
    assert_eq!(
        Command::new(&hasty)
            .output()
            .expect("it runs")
            .status
            .code(),
        Some(0)
    );
    let failed = (1..=10)
        .filter(|seed| run(*seed, &hasty).0 == Some(1))
        .count();
    assert_eq!(failed, 10);
}

#[test]
fn whoever_reads_on_passes() {
    let patient = messages("patient", "return rio_readn(fd, to, 40);");
    for seed in 1..=20 {
        assert_eq!(run(seed, &patient).0, Some(0), "--chaos={seed}");
    }
}

#[test]
fn the_same_seed_decides_the_same() {
    let hasty = messages("again", "return read(fd, to, 40);");
    let mut different = 0;
    for seed in 1..=5 {
        let first = run(seed, &hasty);
        assert_eq!(first, run(seed, &hasty), "--chaos={seed}");
        different += usize::from(first != run(seed + 100, &hasty));
    }
    assert!(different > 0, "all seeds decide the same");
}

#[test]
fn the_seed_is_printed() {
    let output = run_with(csapp_check().args(["--chaos", "true"]), "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("csapp-check: --chaos="), "{said}");
}

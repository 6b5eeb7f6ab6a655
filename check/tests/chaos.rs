//! Chaos: a program that takes a short read for a whole message fails, one that does not passes, and the same seed
//! gives the same decisions.

use std::process::Command;

use super::support::{c, csapp_check, program};
use crate::common::{Link, run_with, scratch};

/// Compiles check/tests/programs/chaos/NAME.c, or its fixed twin.
fn compile(test: &str, name: &str, is_mended: bool) -> String {
    let define = if is_mended { "-DMENDED" } else { "-DBROKEN" };
    let program = c(format!("check/tests/programs/chaos/{name}.c"))
        .flags(["-D_GNU_SOURCE", define])
        .link(Link::Object)
        .build(&scratch(&format!("chaos-{test}-{name}{define}")));
    program.to_str().expect("UTF-8").to_owned()
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

/// Without chaos the program does well, on a busy machine every third time at least; with it, it fails within ten seeds. Its
/// fixed twin does well with each, and nothing is said about it.
fn is_found(name: &str, options: &[&str]) {
    let broken = compile("found", name, false);
    let mut plain = (0..50).map(|_| run_with(&mut Command::new(&broken), ""));
    assert!(
        plain.any(|output| output.status.success()),
        "{name} always fails without chaos"
    );
    let of = |seed: u32, program: &str| {
        let seed = format!("--chaos={seed}");
        run_with(csapp_check().arg(seed).args(options).arg(program), "")
    };
    assert!(
        (1..=10).any(|seed| !of(seed, &broken).status.success()),
        "{name} stands ten seeds"
    );
    let mended = compile("found", name, true);
    for seed in 1..=10 {
        let output = of(seed, &mended);
        assert!(output.status.success(), "{name}, {seed}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, format!("csapp-check: --chaos={seed}\n"), "{name}");
    }
}

macro_rules! found {
    ($($name:ident $(with $option:literal)?;)+) => {$(
        #[test]
        fn $name() {
            is_found(stringify!($name), &[$($option)?]);
        }
    )+};
}
found! {
    short_read;
    short_write;
    aborted;
    slow_connect;
    late_thread;
    interrupted with "--chaos-faults";
    no_descriptors with "--chaos-faults";
    no_memory with "--chaos-faults";
    reset with "--chaos-faults";
}

#[test]
fn the_same_seed_decides_the_same() {
    let hasty = compile("same", "short_read", false);
    let mut different = 0;
    for seed in 1..=5 {
        let first = run(seed, &hasty);
        assert_eq!(first, run(seed, &hasty), "--chaos={seed}");
        different += usize::from(first != run(seed + 100, &hasty));
    }
    assert!(different > 0, "all seeds decide the same");
}

/// Calls each function often, and prints the errors that it met.
const ERRORS: &str = r#"
#define _GNU_SOURCE
#include "csapp.h"
#include <poll.h>

static void tell(const char *call, int failed)
{
    if (failed)
        printf("%s %s\n", call, strerrorname_np(errno));
}

int main(void)
{
    int i, fd, ends[2], pair[2];
    struct pollfd none = { -1, 0, 0 };
    char byte;
    pid_t pid;

    while (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        ;
    for (i = 0; i < 400; i++) {
        fd = open("/dev/null", O_WRONLY);
        tell("open", fd < 0);
        if (fd >= 0)
            close(fd);
        tell("pipe", pipe(ends) < 0 ? 1 : (close(ends[0]), close(ends[1]), 0));
        tell("write", write(pair[0], "x", 1) < 0 ? 1 : (recv(pair[1], &byte, 1, MSG_DONTWAIT), 0));
        tell("read", send(pair[1], "x", 1, 0) == 1 && read(pair[0], &byte, 1) < 0);
        tell("poll", poll(&none, 1, 0) < 0);
        void *volatile memory = malloc(8);
        tell("malloc", memory == NULL);
        free(memory);
        if (i % 8 == 0) {
            pid = fork();
            if (pid == 0)
                _exit(0);
            tell("fork", pid < 0);
            while (pid > 0 && waitpid(pid, NULL, 0) < 0)
                tell("waitpid", 1);
        }
    }
    return 0;
}
"#;

#[test]
fn faults_are_those_that_the_manual_page_names() {
    let program = program("errors", ERRORS, Link::Object);
    let mut seen = std::collections::BTreeSet::new();
    for seed in 1..=3 {
        let said = |faults: &[&str]| {
            let mut command = csapp_check();
            command.arg(format!("--chaos={seed}")).args(faults);
            let output = run_with(command.arg(&program), "");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert_eq!(said(&[]), "", "--chaos={seed}");
        let errors = said(&["--chaos-faults"]);
        assert_eq!(errors, said(&["--chaos-faults"]), "--chaos={seed}");
        seen.extend(errors.lines().map(str::to_owned));
    }
    let expected = [
        "fork EAGAIN",
        "fork ENOMEM",
        "malloc ENOMEM",
        "open EINTR",
        "open EMFILE",
        "pipe EMFILE",
        "poll EINTR",
        "read ECONNRESET",
        "read EINTR",
        "waitpid EINTR",
        "write EINTR",
        "write EPIPE",
    ];
    assert!(seen.iter().eq(expected), "{seen:?}");
}

#[test]
fn the_seed_is_printed() {
    let output = run_with(csapp_check().args(["--chaos", "true"]), "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("csapp-check: --chaos="), "{said}");
}

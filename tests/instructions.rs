//! How many instructions a call takes that finds its bytes in the buffer, against stored
//! figures. Unlike times, they are the same on a busy machine; valgrind counts them.

mod common;

use std::process::Command;

use common::Link;

/// What 1,000 calls may take, the loop around them and one refill in 800 included: a tenth
/// more than what they took when this was written (noted behind each). Valgrind's processor
/// has no AVX-512, so this is the way that AVX2 takes.
const ALLOWED: [(&str, u64); 3] = [
    ("rio_readlineb", 157_000), // 142,162
    ("Rio_readlineb", 183_000), // 166,162
    ("rio_readnb", 137_000),    // 124,153
];

#[test]
fn a_call_that_finds_its_bytes_in_the_buffer_takes_few_instructions() {
    if !cfg!(target_arch = "x86_64") {
        println!("skipped: the stored figures are those of x86-64");
        return;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed, and nothing else counts instructions");
        return;
    }
    let program = common::scratch("instructions").join("instructions");
    common::succeed(
        common::cc()
            .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"])
            .arg(format!("-I{}", common::library().display()))
            .arg(common::root().join("c_tests/instructions.c"))
            .arg("-o")
            .arg(&program)
            .args(Link::Shared.arguments()),
    );
    for (call, allowed) in ALLOWED {
        let count = |times: &str| -> u64 {
            let output = common::run(
                Command::new("valgrind")
                    .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
                    .arg(&program)
                    .args([call, times]),
            );
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{call}: {said}");
            let collected = said.split("Collected : ").nth(1).unwrap_or_default();
            let digits = collected.split_whitespace().next().unwrap_or_default();
            digits
                .parse()
                .unwrap_or_else(|_| panic!("no count in: {said}"))
        };
        // The difference leaves out how the program starts and ends.
        let taken = (count("3000") - count("1000")) / 2;
        assert!(
            taken <= allowed,
            "1,000 calls of {call} take {taken} instructions; {allowed} are allowed"
        );
    }
}

//! A copy of this machine on which a test installs what it likes: see tests/stranger/copy.sh.

use std::process::Command;

use super::{library, root, scratch, succeed};

/// Runs a script of tests/stranger on a copy, and returns what it printed; None where no copy can be made.
pub fn on_a_copy(script: &str, arguments: &[String]) -> Option<String> {
    library();
    let can_mount = Command::new("unshare")
        .args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !can_mount {
        eprintln!("SKIPPED: a copy of this machine needs root, and the right to mount");
        return None;
    }
    let said = succeed(
        Command::new("unshare")
            .args(["-m", "sh", "-eu"])
            .arg(root().join("tests/stranger").join(script))
            .arg(root())
            .args(arguments)
            .env("VERSION", env!("CARGO_PKG_VERSION"))
            .current_dir(scratch(&format!("copy-{script}"))),
    );
    for line in said.lines().filter(|line| line.starts_with("SKIPPED")) {
        eprintln!("{line}");
    }
    (!said.contains("SKIPPED: no overlay")).then_some(said)
}

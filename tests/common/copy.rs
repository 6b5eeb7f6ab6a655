//! A copy of this machine on which a test installs what it likes (see tests/user/copy.sh), and a network
//! where every port is free.

use std::ffi::OsStr;
use std::process::Command;

use super::{library, root, scratch, skipped, skipped_by, succeed};

/// Runs a script of tests/user on a copy, and returns what it printed; None where no copy can be made.
pub fn on_a_copy(script: &str, arguments: &[String]) -> Option<String> {
    library();
    let can_mount = Command::new("unshare")
        .args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !can_mount {
        skipped("only root, with the right to mount, can make a copy of this machine");
        return None;
    }
    let said = succeed(
        Command::new("unshare")
            .args(["-m", "sh", "-eu"])
            .arg(root().join("tests/user").join(script))
            .arg(root())
            .args(arguments)
            .env("VERSION", env!("CARGO_PKG_VERSION"))
            .current_dir(scratch(&format!("copy-{script}"))),
    );
    skipped_by(&said);
    (!said.contains("SKIPPED: no overlay")).then_some(said)
}

/// Runs a shell script in a network of its own, where only the loopback device is, and returns what it printed;
/// None where there can be none. What the script leaves running ends with it. $CLIENT is a client.
pub fn on_own_network<S: AsRef<OsStr>>(script: &str, arguments: &[S]) -> Option<String> {
    let isolated = |limit: &str, script: &str| {
        let mut command = Command::new("timeout");
        command
            .args([limit, "unshare", "--net", "--pid", "--fork", "--kill-child"])
            .args(["sh", "-euc", script, "sh"])
            .args(arguments)
            .env("CLIENT", root().join("tests/user/client.py"));
        command
    };
    let can_have_one = isolated("20", "ip link set lo up")
        .output()
        .is_ok_and(|output| output.status.success());
    if !can_have_one {
        skipped("only root, with ip (Debian: iproute2), can make a network for a test");
        return None;
    }
    let script = format!("ip link set lo up\n{script}");
    Some(succeed(&mut isolated("120", &script)))
}

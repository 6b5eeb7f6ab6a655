//! The Debian packages, unpacked into a root of their own and used from there, and the source tarball. They take the longest,
//! and tests start in the order of their names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;
use crate::common::copy::on_a_copy;
use crate::common::{csapp_check, is_installed, library, root, run, scratch, skipped, succeed};

#[test]
fn debian_packages_hold_what_a_program_needs() {
    if !is_installed("dh", "debhelper") || !is_installed("dh_python3", "dh-python") {
        return;
    }
    csapp_check(); // which other tests would build at the same time
    let made = succeed(Command::new("make").args(["-s", "deb"]).current_dir(root()));
    let packages: Vec<&str> = made.lines().filter(|line| line.ends_with(".deb")).collect();
    assert_eq!(packages.len(), 5, "{made}");
    let paths: Vec<String> = packages
        .iter()
        .map(|package| root().join(package).display().to_string())
        .collect();
    if let Some(said) = on_a_copy("debian.sh", &paths) {
        assert!(said.ends_with("purge: fine\n"), "{said}");
    }
    lintian_finds_no_error(&paths);
    let dir = scratch("debian");
    for package in packages {
        succeed(
            Command::new("dpkg-deb")
                .arg("-x")
                .arg(root().join(package))
                .arg(&dir),
        );
    }
    let multiarch = succeed(common::cc().arg("-print-multiarch"));
    let lib = dir.join("usr/lib").join(multiarch.trim());
    let source = program_in(&dir);
    succeed(
        common::cc()
            .arg(format!("-I{}", dir.join("usr/include").display()))
            .arg(&source)
            .arg("-o")
            .arg(dir.join("prog"))
            .arg(format!("-L{}", lib.display()))
            .arg("-lcsapp"),
    );
    let said = succeed(Command::new(dir.join("prog")).env("LD_LIBRARY_PATH", &lib));
    assert_eq!(said.trim(), env!("CARGO_PKG_VERSION"));
    let said = succeed(
        Command::new("python3")
            .args(["-c", "import csapp; print(csapp.version())"])
            .env("PYTHONPATH", dir.join("usr/lib/python3/dist-packages"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("LD_LIBRARY_PATH", &lib),
    );
    assert_eq!(said.trim(), env!("CARGO_PKG_VERSION"));
}

/// Writes prog.c, which prints the library's version.
fn program_in(dir: &Path) -> PathBuf {
    let source = dir.join("prog.c");
    let text = "#include \"csapp.h\"\nint main(void) { return puts(csapp_version()) < 0; }\n";
    fs::write(&source, text).expect("a source file");
    source
}

/// Except that the maintainer has no address, unless the builder gave one.
fn lintian_finds_no_error(packages: &[String]) {
    if !is_installed("lintian", "lintian") {
        return;
    }
    let said = run(Command::new("lintian")
        .arg("--suppress-tags=bogus-mail-host,bogus-mail-host-in-debian-changelog")
        .args(packages));
    let said = String::from_utf8_lossy(&said.stdout);
    assert!(!said.contains("E: "), "{said}");
}

/// With nothing downloaded before and no network, where this machine lets us go without.
#[test]
fn the_source_tarball_builds_without_network() {
    if !root().join(".git").exists() {
        skipped("make dist needs a git repository, and this is none");
        return;
    }
    library();
    let built = scratch("dist");
    succeed(
        Command::new("make")
            .arg("dist")
            .arg(format!("BUILD={}", built.display()))
            .current_dir(root()),
    );
    let name = concat!("csapp-", env!("CARGO_PKG_VERSION"));
    succeed(
        Command::new("tar")
            .arg("-xzf")
            .arg(built.join(format!("{name}.tar.gz")))
            .arg("-C")
            .arg(&built),
    );
    let tree = built.join(name);
    let can_unshare = Command::new("unshare")
        .args(["-n", "true"])
        .status()
        .is_ok_and(|status| status.success());
    let mut make = if can_unshare {
        let mut alone = Command::new("unshare");
        alone.args(["-n", "make"]);
        alone
    } else {
        skipped("cutting off the network needs root; cargo is told to stay offline");
        Command::new("make")
    };
    succeed(
        make.arg("-s")
            .env("CARGO_HOME", built.join("cargo-home"))
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("BUILD")
            .current_dir(&tree),
    );
    program_in(&tree);
    succeed(
        common::cc()
            .args(["-Ibuild", "prog.c", "-o", "prog", "build/csapp.o"])
            .current_dir(&tree),
    );
    let said = succeed(&mut Command::new(tree.join("prog")));
    assert_eq!(said.trim(), env!("CARGO_PKG_VERSION"));
    fs::remove_dir_all(&built).expect("77 MB of crates are ours to remove");
}

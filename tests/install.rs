//! `make install` installs all that a user needs: each test installs into a root of its own, and uses only what is
//! there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;
use crate::common::copy::on_a_copy;
use crate::common::{is_installed, library, root, run, scratch, skipped, succeed};

/// A C program that says what it runs with.
const PROGRAM: &str = include_str!("user/prog.c");

const SAYS: &str = concat!(env!("CARGO_PKG_VERSION"), " a line\n");

/// Installed for all of a machine, then used by a user with only that, then removed.
#[test]
fn an_installed_library_serves_a_user_and_uninstall_leaves_nothing() {
    if let Some(said) = on_a_copy("install.sh", &[]) {
        assert!(said.ends_with("uninstall: fine\n"), "{said}");
    }
}

fn make(target: &str, destination: &Path) {
    library();
    succeed(
        Command::new("make")
            .args([target, "PREFIX=/opt/csapp"])
            .arg(format!("DESTDIR={}", destination.display()))
            .current_dir(root()),
    );
}

/// Installs, and returns the root and the prefix within it.
fn install(name: &str) -> (PathBuf, PathBuf) {
    let root = scratch(&format!("install-{name}"));
    make("install", &root);
    let prefix = root.join("opt/csapp");
    (root, prefix)
}

/// Every file and link under a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let listed = succeed(
        Command::new("find")
            .arg(dir)
            .args(["!", "-type", "d", "-print"]),
    );
    listed.lines().map(PathBuf::from).collect()
}

/// What pkg-config says to an ordinary user of the installed tree.
fn pkg_config(root: &Path, arguments: &[&str]) -> Vec<String> {
    let said = succeed(
        Command::new("pkg-config")
            .args(arguments)
            .arg("csapp")
            .env("PKG_CONFIG_SYSROOT_DIR", root)
            .env("PKG_CONFIG_LIBDIR", root.join("opt/csapp/lib/pkgconfig")),
    );
    said.split_whitespace().map(str::to_owned).collect()
}

fn compile(dir: &Path, before: &[&str], after: &[String]) -> PathBuf {
    std::fs::write(dir.join("prog.c"), PROGRAM).expect("a source file");
    succeed(
        common::cc()
            .args(before)
            .args(["prog.c", "-o", "prog"])
            .args(after)
            .current_dir(dir),
    );
    dir.join("prog")
}

#[test]
fn uninstall_leaves_nothing() {
    let (root, prefix) = install("uninstall");
    assert!(files(&root).len() > 50);
    make("uninstall", &root);
    assert_eq!(files(&root), Vec::<PathBuf>::new());
    assert!(!prefix.exists(), "directories are left");
}

/// What make says on standard error when it fails.
fn refusal(arguments: &[&str]) -> String {
    let output = run(Command::new("make").args(arguments).current_dir(root()));
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn paths_that_would_not_work_are_refused() {
    library();
    for (variable, value) in [
        ("PREFIX", "/tmp/with space"),
        ("PREFIX", "relative"),
        ("LIBDIR", "lib"),
        ("DESTDIR", "/tmp/with space"),
    ] {
        for target in ["install", "uninstall"] {
            let said = refusal(&["--dry-run", target, &format!("{variable}={value}")]);
            assert!(
                said.contains(&format!("{variable} has to be")) && said.contains(value),
                "{said}"
            );
        }
    }
}

/// A machine without Rust, or with an old one, and without an earlier build.
#[test]
fn without_rust_make_says_what_is_needed() {
    let dir = scratch("no-rust");
    let old = dir.join("old-cargo");
    let script = "#!/bin/sh\ntest \"$1\" = --version || exit 101\necho cargo 1.63.0\n";
    std::fs::write(&old, script).expect("a script");
    succeed(Command::new("chmod").arg("+x").arg(&old));
    let needed = concat!("Rust ", env!("CARGO_PKG_RUST_VERSION"), " or later");
    for (cargo, reason) in [
        ("no-such-cargo", "This machine has no no-such-cargo."),
        (&old.display().to_string(), "This machine has Rust 1.63.0."),
    ] {
        let said = refusal(&[
            "all",
            &format!("CARGO={cargo}"),
            &format!("CARGO_TARGET_DIR={}", dir.display()),
            &format!("BUILD={}", dir.join("build").display()),
        ]);
        for part in [needed, reason, "https://rustup.rs", "csapp.o"] {
            assert!(said.contains(part), "no {part:?} in: {said}");
        }
    }
}

#[test]
fn uninstall_spares_what_others_put_there() {
    let (root, prefix) = install("others");
    let theirs = ["lib/pkgconfig", "share/man/man3", "include"]
        .map(|dir| prefix.join(dir).join("csapp-no-more"));
    for file in &theirs {
        std::fs::write(file, "").expect("a file");
    }
    make("uninstall", &root);
    let mut left = files(&root);
    left.sort();
    let mut theirs = theirs.to_vec();
    theirs.sort();
    assert_eq!(left, theirs);
}

#[test]
fn the_shared_library_is_versioned() {
    let (_, prefix) = install("versioned");
    let lib = prefix.join("lib");
    let real = format!("libcsapp.so.{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lib.join("libcsapp.so").canonicalize().ok(),
        Some(lib.join(&real))
    );
    assert_eq!(
        lib.join("libcsapp.so.1").canonicalize().ok(),
        Some(lib.join(&real))
    );
    let sections = succeed(Command::new("readelf").arg("-SW").arg(lib.join(&real)));
    assert!(sections.contains(".gnu_debuglink") && !sections.contains(".debug_info"));
}

#[test]
fn pkg_config_builds_a_shared_program() {
    let (root, prefix) = install("shared");
    let program = compile(&root, &[], &pkg_config(&root, &["--cflags", "--libs"]));
    let said = succeed(Command::new(program).env("LD_LIBRARY_PATH", prefix.join("lib")));
    assert_eq!(said, SAYS);
}

#[test]
fn pkg_config_builds_a_static_program() {
    let (root, _) = install("static");
    let arguments = pkg_config(&root, &["--cflags", "--static", "--libs"]);
    assert!(arguments.contains(&"-pthread".to_owned()));
    let program = compile(&root, &["-static"], &arguments);
    assert_eq!(succeed(&mut Command::new(program)), SAYS);
}

#[test]
fn the_object_is_all_that_a_project_hands_in() {
    let (root, prefix) = install("object");
    let object = pkg_config(&root, &["--variable=object"]);
    assert_eq!(object, [prefix.join("lib/csapp.o").display().to_string()]);
    let work = scratch("install-handed-in");
    let source = pkg_config(&root, &["--variable=source"]);
    assert_eq!(
        source,
        [prefix.join("include/csapp.c").display().to_string()]
    );
    for file in ["lib/csapp.o", "include/csapp.h", "include/csapp.c"] {
        let name = Path::new(file).file_name().expect("a name");
        std::fs::copy(prefix.join(file), work.join(name)).expect("a copy");
    }
    for library in ["csapp.o", "csapp.c"] {
        let program = compile(&work, &[], &[library.to_owned()]);
        assert_eq!(succeed(&mut Command::new(program)), SAYS);
    }
}

#[test]
fn cmake_finds_both_libraries() {
    if !is_installed("cmake", "cmake") {
        return;
    }
    let (root, prefix) = install("cmake");
    std::fs::write(root.join("prog.c"), PROGRAM).expect("a source file");
    let lists = "cmake_minimum_required(VERSION 3.10)\nproject(user C)\n\
        find_package(csapp 1.0 REQUIRED)\n\
        add_executable(shared prog.c)\ntarget_link_libraries(shared csapp::csapp)\n\
        add_executable(static prog.c)\ntarget_link_libraries(static csapp::csapp_static)\n";
    std::fs::write(root.join("CMakeLists.txt"), lists).expect("a CMakeLists.txt");
    let configure = |version: &str| {
        std::fs::write(
            root.join("CMakeLists.txt"),
            lists.replace("csapp 1.0", &format!("csapp {version}")),
        )
        .expect("a CMakeLists.txt");
        run(Command::new("cmake")
            .args(["-S", ".", "-B", "out"])
            .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()))
            .current_dir(&root))
    };
    assert!(!configure("2.0").status.success());
    assert!(configure("1.0").status.success());
    succeed(
        Command::new("cmake")
            .args(["--build", "out"])
            .current_dir(&root),
    );
    for program in ["out/shared", "out/static"] {
        assert_eq!(succeed(&mut Command::new(root.join(program))), SAYS);
    }
    let needed = |program: &str| {
        let said = succeed(Command::new("readelf").arg("-d").arg(root.join(program)));
        said.contains("[libcsapp.so.1]")
    };
    assert!(needed("out/shared") && !needed("out/static"));
}

#[test]
fn gdb_names_frames_and_arguments() {
    if !is_installed("gdb", "gdb") {
        return;
    }
    let (root, prefix) = install("gdb");
    let mut flags = pkg_config(&root, &["--cflags", "--libs"]);
    flags.push(format!("-Wl,-rpath,{}", prefix.join("lib").display()));
    let program = compile(&root, &["-g"], &flags);
    let said = succeed(
        Command::new("gdb")
            .args(["-nx", "-batch", "-iex", "set debuginfod enabled off"])
            .args(["-ex", "set breakpoint pending on", "-ex", "break write"])
            .args(["-ex", "run", "-ex", "backtrace"])
            .arg(&program),
    );
    for frame in [
        "csapp::rio::writen",
        "Rio_writen (fd=",
        "in main () at prog.c:",
    ] {
        assert!(said.contains(frame), "no {frame:?} in:\n{said}");
    }
}

#[test]
fn python_finds_module_and_library() {
    let (_, prefix) = install("python");
    let module = files(&prefix)
        .into_iter()
        .find(|file| file.ends_with("csapp/__init__.py"))
        .expect("the installed module");
    let said = succeed(
        Command::new("python3")
            .args(["-c", "import csapp; print(csapp.version())"])
            .env(
                "PYTHONPATH",
                module.parent().and_then(Path::parent).expect("a directory"),
            )
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    );
    assert_eq!(said.trim(), env!("CARGO_PKG_VERSION"));
}

/// What a guide links to is installed beside it, or on the web.
#[test]
fn links_of_the_guides_lead_somewhere() {
    let (_, prefix) = install("links");
    let guides: Vec<PathBuf> = files(&prefix)
        .into_iter()
        .filter(|file| file.extension().is_some_and(|name| name == "md"))
        .collect();
    assert!(guides.len() >= 3, "{guides:?}");
    let mut followed = 0;
    for guide in guides {
        let text = std::fs::read_to_string(&guide).expect("a guide");
        let dir = guide.parent().expect("a directory");
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            assert!(dir.join(target).exists(), "{}: {target}", guide.display());
            followed += 1;
        }
    }
    assert!(followed > 0, "no guide links to another file");
}

/// cargo-c's tree is a part of ours, with the same links, and programs are built from it.
#[test]
#[ignore = "builds the library once more"]
fn cargo_cinstall_leaves_the_same_tree() {
    if run(Command::new("cargo").args(["cinstall", "--version"]))
        .stdout
        .is_empty()
    {
        skipped("cargo-c is not installed");
        return;
    }
    let (ours, _) = install("cargo-c-ours");
    let root = scratch("install-cargo-c");
    succeed(
        Command::new("cargo")
            .args(["cinstall", "--locked", "--release"])
            .args(["--prefix=/opt/csapp", "--libdir=lib"])
            .arg(format!("--destdir={}", root.display()))
            .arg(format!(
                "--target-dir={}",
                scratch("cargo-c-target").display()
            ))
            .current_dir(common::root()),
    );
    let below = |root: &Path| -> Vec<PathBuf> {
        let strip = |path: PathBuf| path.strip_prefix(root).expect("below").to_owned();
        files(root).into_iter().map(strip).collect()
    };
    let (theirs, all) = (below(&root), below(&ours));
    for file in &theirs {
        assert!(all.contains(file), "{} is not ours", file.display());
    }
    let missing: Vec<_> = all.iter().filter(|file| !theirs.contains(file)).collect();
    for file in missing {
        let name = file.display().to_string();
        assert!(
            [
                "/csapp.o",
                "/csapp.c",
                "/cmake/",
                "/python",
                "/.debug/",
                "/share/gdb/",
                "/share/csapp/"
            ]
            .iter()
            .any(|part| name.contains(part)),
            "{name} is missing"
        );
    }
    let header = "opt/csapp/include/csapp.h";
    assert_eq!(
        std::fs::read(root.join(header)).expect("their header"),
        std::fs::read(ours.join(header)).expect("our header")
    );
    let library = root.join("opt/csapp/lib/libcsapp.so");
    let dynamic = succeed(Command::new("readelf").arg("-d").arg(&library));
    assert!(dynamic.contains("soname: [libcsapp.so.1]"), "{dynamic}");
    let program = compile(&root, &[], &pkg_config(&root, &["--cflags", "--libs"]));
    let lib = root.join("opt/csapp/lib");
    let said = succeed(Command::new(program).env("LD_LIBRARY_PATH", lib));
    assert_eq!(said, SAYS);
    let arguments = pkg_config(&root, &["--cflags", "--static", "--libs"]);
    let program = compile(&root, &["-static"], &arguments);
    assert_eq!(succeed(&mut Command::new(program)), SAYS);
}

#[test]
fn man_shows_a_page_for_every_function() {
    if !is_installed("man", "man-db") {
        return;
    }
    let (_, prefix) = install("man");
    let pages = prefix.join("share/man");
    let shown = |name: &str| {
        run(Command::new("man")
            .arg("-M")
            .arg(&pages)
            .arg(name)
            .env("MANWIDTH", "80")
            .env("MANPAGER", "cat"))
    };
    let page = shown("rio_readlineb");
    assert!(String::from_utf8_lossy(&page.stdout).contains("RIO(3)"));
    let exported = succeed(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(prefix.join("lib/libcsapp.so")),
    );
    for name in exported.lines().filter_map(|line| line.split(' ').nth(2)) {
        assert!(
            pages.join(format!("man3/{name}.3")).exists(),
            "no manual page for {name}"
        );
    }
}

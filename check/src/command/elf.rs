//! Whether a program can be watched at all, found out before it runs.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf::{DT_NEEDED, ET_DYN, ET_EXEC};
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _};

use crate::arguments::{CANNOT_RUN, Failure, NOT_FOUND, Outcome};

/// A program that can be watched.
#[derive(Default)]
pub struct Program {
    /// The sanitizer's library that has to come first.
    pub first: Option<String>,
}

/// The file that execvp would run.
pub fn find(name: &Path) -> Outcome<PathBuf> {
    let is_program = |path: &Path| {
        path.metadata()
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    if name.as_os_str().as_encoded_bytes().contains(&b'/') {
        return match name.metadata() {
            Err(why) => Err(Failure::new(
                NOT_FOUND,
                format!("{}: {why}", name.display()),
            )),
            Ok(_) if is_program(name) => Ok(name.to_owned()),
            Ok(_) => Err(Failure::new(
                CANNOT_RUN,
                format!("{}: not a program (not executable)", name.display()),
            )),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let found = std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|path| is_program(path));
    found.ok_or_else(|| {
        Failure::new(
            NOT_FOUND,
            format!("{}: no such program in PATH", name.display()),
        )
    })
}

/// Looks at a file, or at the interpreter that a script names.
pub fn check(path: &Path) -> Outcome<Program> {
    check_within(path, 4)
}

fn check_within(path: &Path, scripts: u32) -> Outcome<Program> {
    let cannot = |why: &str| {
        Failure::new(
            CANNOT_RUN,
            format!("cannot watch {}: {why}", path.display()),
        )
    };
    let bytes = fs::read(path).map_err(|why| cannot(&why.to_string()))?;
    if let Some(script) = bytes.strip_prefix(b"#!") {
        let line = script.split(|byte| *byte == b'\n').next().unwrap_or(b"");
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_whitespace();
        let interpreter = words.next().unwrap_or("/bin/sh");
        return match (words.next(), scripts) {
            (_, 0) => Err(cannot("scripts that are interpreted by scripts")),
            (Some(name), _) if interpreter.ends_with("/env") && !name.starts_with('-') => {
                check_within(&find(Path::new(name))?, scripts - 1)
            }
            _ => check_within(Path::new(interpreter), scripts - 1),
        };
    }
    if path.metadata().is_ok_and(|file| file.mode() & 0o6000 != 0) && !runs_as_itself(path) {
        return Err(cannot(
            "it is setuid or setgid, and the loader preloads nothing into such a program",
        ));
    }
    let Ok(elf) = ElfFile64::<Endianness>::parse(&*bytes) else {
        return Err(cannot(
            "it is not a 64-bit ELF program, nor a script that begins with #!",
        ));
    };
    let machine = if cfg!(target_arch = "x86_64") {
        object::elf::EM_X86_64
    } else {
        object::elf::EM_AARCH64
    };
    if elf.elf_header().e_machine(elf.endian()) != machine {
        return Err(cannot("it is for another processor"));
    }
    if !matches!(elf.elf_header().e_type(elf.endian()), ET_DYN | ET_EXEC) {
        return Err(cannot("it is not a program"));
    }
    let interpreter = elf
        .elf_program_headers()
        .iter()
        .find_map(|header| header.interpreter(elf.endian(), &*bytes).ok()?);
    let Some(interpreter) = interpreter else {
        return Err(cannot(
            "it is linked statically (-static), so that none of its calls can be seen; link it dynamically",
        ));
    };
    if String::from_utf8_lossy(interpreter).contains("musl") {
        return Err(cannot(
            "it is linked with musl, and csapp-check knows glibc",
        ));
    }
    program(&elf, &bytes).ok_or_else(|| cannot("its dynamic section is damaged"))
}

fn runs_as_itself(path: &Path) -> bool {
    // SAFETY: asks for numbers.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    path.metadata().is_ok_and(|file| {
        (file.mode() & 0o4000 == 0 || file.uid() == user)
            && (file.mode() & 0o2000 == 0 || file.gid() == group)
    })
}

fn program(elf: &ElfFile64<Endianness>, bytes: &[u8]) -> Option<Program> {
    let endian = elf.endian();
    let mut program = Program::default();
    let sections = elf.elf_section_table();
    let Ok(Some((dynamic, strings))) = sections.dynamic(endian, bytes) else {
        return Some(program);
    };
    let strings = sections.strings(endian, bytes, strings).ok()?;
    for entry in dynamic
        .iter()
        .filter(|entry| entry.d_tag(endian) == u64::from(DT_NEEDED))
    {
        let name = entry.string(endian, strings).ok()?;
        let name = String::from_utf8_lossy(name).into_owned();
        if [
            "libasan.so",
            "libtsan.so",
            "libubsan.so",
            "libclang_rt.asan",
        ]
        .iter()
        .any(|known| name.starts_with(known))
        {
            program.first.get_or_insert(name);
        }
    }
    Some(program)
}

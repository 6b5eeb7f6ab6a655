//! Which programs the processes run: the command tells of those that cannot be watched.

use std::ffi::{CStr, c_char, c_int};
use std::sync::atomic::Ordering::Release;

use crate::shared::*;
use crate::state::{KeepErrno, shared};

/// Notes the program that exec or posix_spawn is given, found as they find it. Returns the note, which goes if exec
/// returns. Also in a child of vfork, which records nothing else.
///
/// # Safety
/// `path` is null or a string.
pub unsafe fn note(path: *const c_char, is_searched: bool) -> Option<&'static Program> {
    let program = shared()?
        .programs
        .iter()
        .find(|program| program.state.swap_from(0, PENDING))?;
    let kept = KeepErrno::new();
    // SAFETY: the caller's string, if there is one.
    let name = unsafe { path.as_ref().map(|path| CStr::from_ptr(path).to_bytes()) };
    let is_known = name.is_some_and(|name| {
        if is_searched && !name.contains(&b'/') {
            search(program, name)
        } else {
            program.set_path(b"", name)
        }
    });
    let state = if is_known { READY } else { 0 };
    program.state.store(state, Release);
    drop(kept);
    is_known.then_some(program)
}

/// As execvp: the first of the directories in PATH that has it.
fn search(program: &Program, name: &[u8]) -> bool {
    // SAFETY: the environment is as the process has it.
    let list = unsafe { libc::getenv(c"PATH".as_ptr()).as_ref() };
    // SAFETY: getenv returns a string.
    let list = list.map_or(c"/bin:/usr/bin", |list| unsafe { CStr::from_ptr(list) });
    let mut dirs = list.to_bytes().split(|byte| *byte == b':');
    dirs.any(|dir| program.set_path(dir, name) && program.is_there())
}

impl Program {
    /// The path of `name` in a directory, which is empty for the current one. Whether it fits.
    fn set_path(&self, dir: &[u8], name: &[u8]) -> bool {
        let mut here = [0u8; PATH];
        let is_from_root = dir.first().or(name.first()) == Some(&b'/');
        if !is_from_root {
            // SAFETY: the kernel fills in no more than is said.
            let length = unsafe { libc::syscall(libc::SYS_getcwd, here.as_mut_ptr(), PATH) };
            if length <= 0 {
                return false;
            }
        }
        let here = here.split(|byte| *byte == 0).next().unwrap_or(b"");
        let parts = [here, dir, name];
        let given = parts.iter().filter(|part| !part.is_empty());
        let bytes = given.enumerate().flat_map(|(at, part)| {
            let slash: &[u8] = if at == 0 { b"" } else { b"/" };
            slash.iter().chain(part.iter())
        });
        let mut cells = self.path.iter();
        bytes.chain(&[0]).all(|byte| {
            let cell = cells.next();
            cell.inspect(|cell| cell.set(*byte)).is_some()
        })
    }

    fn is_there(&self) -> bool {
        let (path, mode): (_, c_int) = (self.path.as_ptr(), libc::X_OK);
        // SAFETY: asks, with a string.
        unsafe { libc::syscall(libc::SYS_faccessat, libc::AT_FDCWD, path, mode) == 0 }
    }
}

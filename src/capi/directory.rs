//! Directories

use core::ffi::{c_char, c_int};
use core::ptr;

use libc::{DIR, dirent};

use super::{ended_or_failed, wrapped};
use crate::sys::{self, Errno};

/// opendir, checked: opens the directory `name`, to be given back by Closedir. NULL if the error
/// handler returns. [CS:APP 3e, section 10.7; POSIX, opendir]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Opendir(name: *const c_char) -> *mut DIR {
    // SAFETY: the caller's string.
    wrapped(c"Opendir error", ptr::null_mut(), || unsafe {
        given!(name => libc::opendir(name), or ptr::null_mut())
    })
}

/// readdir, checked: the next entry of a directory, valid until the next call for `dirp`. NULL with
/// errno 0 at the end; NULL with another errno if there was an error and the error handler
/// returns. [CS:APP 3e, section 10.7; POSIX, readdir]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Readdir(dirp: *mut DIR) -> *mut dirent {
    let (entry, has_failed) = ended_or_failed(
        c"Readdir error",
        // SAFETY: the caller's directory.
        || unsafe { given!(dirp => libc::readdir(dirp), or ptr::null_mut()) },
        |entry| entry.is_null(),
    );
    if entry.is_null() && !has_failed {
        sys::set_errno(Errno(0));
    }
    entry
}

/// closedir, checked: gives a directory back. Returns 0; -1 if the error handler returns.
/// [CS:APP 3e, section 10.7; POSIX, closedir]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Closedir(dirp: *mut DIR) -> c_int {
    // SAFETY: the caller's directory.
    wrapped(c"Closedir error", -1, || unsafe {
        given!(dirp => libc::closedir(dirp), or -1)
    })
}

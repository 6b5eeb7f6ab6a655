//! Directories

use core::ffi::{c_char, c_int};
use core::ptr;

use libc::{DIR, dirent};

use super::checked::{
    BY_POINTER, NON_NULL, ON_FILE, attempt_cleared, non_null, report_failure, wrap,
};
use crate::sys::{self, Errno};

/// Opens the directory `name`.
///
/// Returns a directory stream, which the caller closes with Closedir.
///
/// [CS:APP 3e, section 10.7; POSIX, opendir]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Opendir(name: *const c_char) -> *mut DIR {
    wrap!(
        c"Opendir",
        libc::opendir(name),
        BY_POINTER | ON_FILE | NON_NULL[0]
    )
}

/// Reads the next entry of the directory stream `dirp`.
///
/// Returns the entry, which is valid until the next call on `dirp`. Returns NULL with errno 0 at
/// the end of the directory, and NULL with another errno after an error.
///
/// [CS:APP 3e, section 10.7; POSIX, readdir]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Readdir(dirp: *mut DIR) -> *mut dirent {
    let mut entry = ptr::null_mut();
    let mut read = || {
        // SAFETY: the caller's directory.
        entry = unsafe { libc::readdir(dirp) };
        entry.is_null()
    };
    let outcome = non_null(dirp).and_then(|_| attempt_cleared(&mut read));
    if report_failure(c"Readdir", outcome).is_ok() && entry.is_null() {
        sys::set_errno(Errno(0));
    }
    entry
}

/// Closes the directory stream `dirp`.
///
/// Returns 0.
///
/// [CS:APP 3e, section 10.7; POSIX, closedir]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Closedir(dirp: *mut DIR) -> c_int {
    wrap!(c"Closedir", libc::closedir(dirp), NON_NULL[0])
}

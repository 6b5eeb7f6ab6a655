//! Memory mapping

use core::ffi::{c_int, c_void};

use libc::{off_t, size_t};

use super::checked::{attempt, report_failure, wrap};

/// Maps `len` bytes of the file `fd` from `offset` on, or `len` bytes of new memory, as `prot`
/// and `flags` say. `addr` is a hint, unless `flags` has MAP_FIXED; NULL means no hint.
///
/// Returns the address of the mapping, or MAP_FAILED on failure.
///
/// [CS:APP 3e, section 9.8.4; POSIX, mmap]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Mmap(
    addr: *mut c_void,
    len: size_t,
    prot: c_int,
    flags: c_int,
    fd: c_int,
    offset: off_t,
) -> *mut c_void {
    // SAFETY: with MAP_FIXED, the caller is responsible for what is at `addr`.
    let outcome = attempt(libc::MAP_FAILED, || unsafe {
        libc::mmap(addr, len, prot, flags, fd, offset)
    });
    report_failure(c"Mmap", outcome).unwrap_or(libc::MAP_FAILED)
}

/// Removes the mappings of the pages in the `length` bytes from `start` on.
///
/// [CS:APP 3e, section 9.8.4; POSIX, munmap]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Munmap(start: *mut c_void, length: size_t) {
    wrap!(c"Munmap", libc::munmap(start, length));
}

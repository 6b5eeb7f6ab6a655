//! Standard I/O
//!
//! If a signal handler without SA_RESTART interrupts a call on a stream, nothing tells how many bytes the call has
//! moved. So only Fopen restarts. Signal installs handlers with SA_RESTART.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;

use libc::{FILE, size_t};

use super::check_buffer;
use super::checked::{
    attempt, attempt_cleared, non_null, report_failure, report_failure_on, restart,
};
use crate::sys::Result;

/// Refuses NULL and a buffer of a size that no object has: libc would go on to whatever lies behind it.
fn check_transfer(
    stream: *mut FILE,
    buffer: *const c_void,
    size: size_t,
    nmemb: size_t,
) -> Result<()> {
    non_null(stream)?;
    check_buffer(buffer, size.saturating_mul(nmemb))
}

/// Writes what the stream `fp` has buffered, and closes it.
///
/// [CS:APP 3e, section 10.10; C11, fclose]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fclose(fp: *mut FILE) {
    // SAFETY: the caller's stream.
    let outcome = non_null(fp).and_then(|_| attempt(libc::EOF, || unsafe { libc::fclose(fp) }));
    let _ = report_failure(c"Fclose", outcome);
}

/// Opens a stream on the descriptor `fd`, in the mode `type`.
///
/// Returns the stream, which the caller closes with Fclose; that closes the descriptor as well.
///
/// [CS:APP 3e, section 10.11; POSIX, fdopen]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fdopen(fd: c_int, r#type: *const c_char) -> *mut FILE {
    // SAFETY: the caller's string.
    let outcome = non_null(r#type)
        .and_then(|_| attempt(ptr::null_mut(), || unsafe { libc::fdopen(fd, r#type) }));
    report_failure(c"Fdopen", outcome).unwrap_or(ptr::null_mut())
}

/// Reads a line of at most `n` - 1 bytes from `stream` into `ptr`, with its newline, and stores
/// a NUL after it.
///
/// Returns `ptr`. Returns NULL at the end of the file, and after an error; ferror distinguishes
/// the two.
///
/// Errors:
/// - EINVAL: `n` is below 1
///
/// [CS:APP 3e, section 10.10; C11, fgets]
/// cbindgen:prefix=CSAPP_WRITES(1, 2)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fgets(
    ptr: *mut c_char,
    n: c_int,
    stream: *mut FILE,
) -> *mut c_char {
    let room = usize::try_from(n).ok().filter(|&n| n > 0);
    let mut line = core::ptr::null_mut();
    let outcome =
        check_transfer(stream, ptr.cast(), 1, room.unwrap_or(usize::MAX)).and_then(|()| {
            // SAFETY: the caller's buffer and stream.
            attempt_cleared(|| unsafe {
                line = libc::fgets(ptr, n, stream);
                line.is_null() && libc::ferror(stream) != 0
            })
        });
    let _ = report_failure(c"Fgets", outcome);
    line
}

/// Opens the file `filename` as a stream in the mode `mode`.
///
/// Returns the stream, which the caller closes with Fclose.
///
/// [CS:APP 3e, section 10.10; C11, fopen]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fopen(filename: *const c_char, mode: *const c_char) -> *mut FILE {
    let outcome = non_null(filename).and(non_null(mode)).and_then(|_| {
        // SAFETY: the caller's strings.
        restart(|| attempt(ptr::null_mut(), || unsafe { libc::fopen(filename, mode) }))
    });
    // SAFETY: the caller's string.
    unsafe { report_failure_on(c"Fopen", filename, outcome) }.unwrap_or(ptr::null_mut())
}

/// Writes the string `ptr` to `stream`.
///
/// [CS:APP 3e, section 10.10; C11, fputs]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fputs(ptr: *const c_char, stream: *mut FILE) {
    // SAFETY: the caller's string and stream.
    let outcome = non_null(ptr)
        .and(non_null(stream))
        .and_then(|_| attempt(libc::EOF, || unsafe { libc::fputs(ptr, stream) }));
    let _ = report_failure(c"Fputs", outcome);
}

/// Reads `nmemb` items of `size` bytes each from `stream` into `ptr`.
///
/// Returns the number of whole items read. It is below `nmemb` at the end of the file, and after
/// an error; ferror distinguishes the two.
///
/// [CS:APP 3e, section 10.10; C11, fread]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fread(
    ptr: *mut c_void,
    size: size_t,
    nmemb: size_t,
    stream: *mut FILE,
) -> size_t {
    let mut count = 0;
    let outcome = check_transfer(stream, ptr, size, nmemb).and_then(|()| {
        // SAFETY: the caller's buffer and stream.
        attempt_cleared(|| unsafe {
            count = libc::fread(ptr, size, nmemb, stream);
            count < nmemb && libc::ferror(stream) != 0
        })
    });
    let _ = report_failure(c"Fread", outcome);
    count
}

/// Writes `nmemb` items of `size` bytes each from `ptr` to `stream`.
///
/// [CS:APP 3e, section 10.10; C11, fwrite]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fwrite(
    ptr: *const c_void,
    size: size_t,
    nmemb: size_t,
    stream: *mut FILE,
) {
    let outcome = check_transfer(stream, ptr, size, nmemb).and_then(|()| {
        // SAFETY: the caller's buffer and stream.
        attempt(false, || unsafe {
            libc::fwrite(ptr, size, nmemb, stream) == nmemb || size == 0
        })
    });
    let _ = report_failure(c"Fwrite", outcome);
}

//! Standard I/O
//!
//! If a signal handler without SA_RESTART interrupts a call on a stream, nothing tells how many bytes the call has
//! moved. So only Fopen restarts. Signal installs handlers with SA_RESTART.

use core::ffi::{c_char, c_int, c_void};

use libc::{FILE, size_t};

use super::check_buffer;
use super::checked::{
    BY_POINTER, NON_NULL, ON_FILE, RESTART, attempt, attempt_cleared, non_null, report_failure,
    wrap,
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
    wrap!(c"Fclose", libc::fclose(fp), NON_NULL[0]);
}

/// Opens a stream on the descriptor `fd`, in the mode `type`.
///
/// Returns the stream, which the caller closes with Fclose; that closes the descriptor as well.
///
/// [CS:APP 3e, section 10.11; POSIX, fdopen]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fdopen(fd: c_int, r#type: *const c_char) -> *mut FILE {
    wrap!(
        c"Fdopen",
        libc::fdopen(fd, r#type),
        BY_POINTER | NON_NULL[1]
    )
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
    wrap!(
        c"Fopen",
        libc::fopen(filename, mode),
        BY_POINTER | RESTART | ON_FILE | NON_NULL[0] | NON_NULL[1]
    )
}

/// Writes the string `ptr` to `stream`.
///
/// [CS:APP 3e, section 10.10; C11, fputs]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fputs(ptr: *const c_char, stream: *mut FILE) {
    wrap!(
        c"Fputs",
        libc::fputs(ptr, stream),
        NON_NULL[0] | NON_NULL[1]
    );
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

//! Standard I/O
//!
//! What a stream had moved when a signal handler without SA_RESTART interrupted it cannot be known,
//! so apart from Fopen nothing here starts again. Signal installs handlers with SA_RESTART.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;

use libc::{FILE, size_t};

use super::{check_buffer, checked, ended_or_failed, wrapped, wrapped_restarting};
use crate::sys::Errno;

/// Whether stream and buffer cannot be right: one is NULL, or the buffer has a size that no object has, and
/// libc would go on to whatever lies behind it. Reports that.
fn is_refused(
    message: &CStr,
    stream: *mut FILE,
    buffer: *const c_void,
    size: size_t,
    nmemb: size_t,
) -> bool {
    let outcome = if stream.is_null() {
        Err(Errno(libc::EFAULT))
    } else {
        check_buffer(buffer, size.saturating_mul(nmemb))
    };
    checked(message, outcome).is_err()
}

/// fclose, checked: writes what is buffered and closes `fp`. [CS:APP 3e, section 10.10; C11, fclose]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fclose(fp: *mut FILE) {
    // SAFETY: the caller's stream.
    wrapped(c"Fclose error", libc::EOF, || unsafe {
        given!(fp => libc::fclose(fp), or libc::EOF)
    });
}

/// fdopen, checked: a stream on the descriptor `fd`, in the mode `type`. NULL if the error handler
/// returns. [CS:APP 3e, section 10.11; POSIX, fdopen]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fdopen(fd: c_int, r#type: *const c_char) -> *mut FILE {
    // SAFETY: the caller's string.
    wrapped(c"Fdopen error", ptr::null_mut(), || unsafe {
        given!(r#type => libc::fdopen(fd, r#type), or ptr::null_mut())
    })
}

/// fgets, checked: reads a line, at most n - 1 bytes, into `ptr`. Returns ptr; NULL at the end of the
/// file, or after an error if the error handler returns (ferror tells).
/// [CS:APP 3e, section 10.10; C11, fgets]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fgets(
    ptr: *mut c_char,
    n: c_int,
    stream: *mut FILE,
) -> *mut c_char {
    let message = c"Fgets error";
    let room = if n < 1 { usize::MAX } else { n as usize };
    if is_refused(message, stream, ptr.cast(), 1, room) {
        return ptr::null_mut();
    }
    let (line, _) = ended_or_failed(
        message,
        // SAFETY: the caller's buffer and stream.
        || unsafe { libc::fgets(ptr, n, stream) },
        // SAFETY: the caller's stream.
        |line| line.is_null() && unsafe { libc::ferror(stream) } != 0,
    );
    line
}

/// fopen, checked: opens the file `filename` as a stream in the mode `mode`. Starts again when a signal
/// handler ran. NULL if the error handler returns. [CS:APP 3e, section 10.10; C11, fopen]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fopen(filename: *const c_char, mode: *const c_char) -> *mut FILE {
    // SAFETY: the caller's strings.
    wrapped_restarting(c"Fopen error", ptr::null_mut(), || unsafe {
        given!(filename, mode => libc::fopen(filename, mode), or ptr::null_mut())
    })
}

/// fputs, checked: writes the string `ptr`. [CS:APP 3e, section 10.10; C11, fputs]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fputs(ptr: *const c_char, stream: *mut FILE) {
    // SAFETY: the caller's string and stream.
    wrapped(c"Fputs error", libc::EOF, || unsafe {
        given!(ptr, stream => libc::fputs(ptr, stream), or libc::EOF)
    });
}

/// fread, checked: reads `nmemb` items of `size` bytes into `ptr`. Returns the number of whole items,
/// fewer at the end of the file, or after an error if the error handler returns (ferror tells).
/// [CS:APP 3e, section 10.10; C11, fread]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fread(
    ptr: *mut c_void,
    size: size_t,
    nmemb: size_t,
    stream: *mut FILE,
) -> size_t {
    let message = c"Fread error";
    if is_refused(message, stream, ptr, size, nmemb) {
        return 0;
    }
    let (count, _) = ended_or_failed(
        message,
        // SAFETY: the caller's buffer and stream.
        || unsafe { libc::fread(ptr, size, nmemb, stream) },
        // SAFETY: the caller's stream.
        |count| count < nmemb && unsafe { libc::ferror(stream) } != 0,
    );
    count
}

/// fwrite, checked: writes `nmemb` items of `size` bytes from `ptr`.
/// [CS:APP 3e, section 10.10; C11, fwrite]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fwrite(
    ptr: *const c_void,
    size: size_t,
    nmemb: size_t,
    stream: *mut FILE,
) {
    let message = c"Fwrite error";
    if is_refused(message, stream, ptr, size, nmemb) {
        return;
    }
    wrapped(message, false, || {
        // SAFETY: the caller's buffer and stream.
        let count = unsafe { libc::fwrite(ptr, size, nmemb, stream) };
        count == nmemb || size == 0
    });
}

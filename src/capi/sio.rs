//! Signal-safe output

use core::ffi::{CStr, c_char, c_int, c_long, c_uint};

use libc::ssize_t;

use super::{handler, or_minus_one};
use crate::sio::{Output, ROOM, string};
use crate::sys::{self, Result};

/// Writes the string `s` to standard output. NULL is written as "(null)".
///
/// Returns the number of bytes written.
///
/// [CS:APP 3e, section 8.5.5; POSIX, write]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn sio_puts(s: *const c_char) -> ssize_t {
    // SAFETY: a C string or NULL.
    or_minus_one(unsafe { puts(s) })
}

/// Writes the number `v` in decimal to standard output.
///
/// Returns the number of bytes written.
///
/// [CS:APP 3e, section 8.5.5; POSIX, write]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn sio_putl(v: c_long) -> ssize_t {
    or_minus_one(putl(v))
}

/// Writes the string `s` to standard output, and ends the program by _exit(1), which does not
/// call what atexit registered.
///
/// [CS:APP 3e, section 8.5.5]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn sio_error(s: *const c_char) -> ! {
    // SAFETY: a C string or NULL.
    let _ = unsafe { puts(s) };
    sys::exit_at_once(1)
}

/// Writes the string `s` to standard output, as sio_puts does, and reports a failure.
///
/// If the error handler is csapp_error_exit, it ends the program by _exit(1), because a signal
/// handler must not call exit.
///
/// Returns the number of bytes written.
///
/// [CS:APP 3e, section 8.5.5; POSIX, write]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sio_puts(s: *const c_char) -> ssize_t {
    // SAFETY: a C string or NULL.
    report_failure(c"Sio_puts error", unsafe { puts(s) })
}

/// Writes the number `v` in decimal to standard output, as sio_putl does, and reports a failure
/// as Sio_puts does.
///
/// Returns the number of bytes written.
///
/// [CS:APP 3e, section 8.5.5; POSIX, write]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sio_putl(v: c_long) -> ssize_t {
    report_failure(c"Sio_putl error", putl(v))
}

/// Writes the string `s` to standard output, and ends the program by _exit(1): an alias of
/// sio_error.
///
/// [CS:APP 3e, section 8.5.5]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sio_error(s: *const c_char) -> ! {
    // SAFETY: a C string or NULL.
    let _ = unsafe { puts(s) };
    sys::exit_at_once(1)
}

/// Writes the failed `assertion` with its `file`, `line` and `function` to standard error, and
/// ends the program by abort. The macro sio_assert calls it.
///
/// [CMU 15-213]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn __sio_assert_fail(
    assertion: *const c_char,
    file: *const c_char,
    line: c_uint,
    function: *const c_char,
) -> ! {
    unsafe extern "C" {
        #[link_name = "csapp_c_assert_fail"]
        fn report(
            assertion: *const c_char,
            file: *const c_char,
            line: c_uint,
            function: *const c_char,
        );
    }
    // SAFETY: C strings or NULL.
    unsafe { report(assertion, file, line, function) };
    sys::abort()
}

unsafe fn puts(s: *const c_char) -> Result<usize> {
    let mut room = [0; ROOM];
    let mut output = Output::new(libc::STDOUT_FILENO, &mut room);
    // SAFETY: a C string or NULL.
    output.put(unsafe { string(s) }.to_bytes());
    output.finish()
}

#[allow(clippy::useless_conversion)] // a long has 32 bits on some systems
fn putl(v: c_long) -> Result<usize> {
    let mut room = [0; ROOM];
    let mut output = Output::new(libc::STDOUT_FILENO, &mut room);
    output.put_signed(i64::from(v));
    output.finish()
}

/// Reports a failure, as may be done in a signal handler.
fn report_failure(message: &CStr, outcome: Result<usize>) -> ssize_t {
    if let Err(reason) = outcome {
        handler::fail_in_signal_handler(message, reason);
    }
    or_minus_one(outcome)
}

/// The formatting half of the sio_printf family, for the C half (src/sio_printf.c), which knows
/// how to fetch arguments.
pub(super) unsafe extern "C-unwind" fn vdprintf(
    fd: c_int,
    format: *const c_char,
    fetch: unsafe extern "C" fn(*mut core::ffi::c_void, crate::sio::Kind) -> core::ffi::c_ulong,
    arguments: *mut core::ffi::c_void,
) -> ssize_t {
    let mut room = [0; ROOM];
    let mut output = Output::new(fd, &mut room);
    // SAFETY: `format` is a C string or NULL, `fetch` and `arguments` belong together, and the
    // program gave the arguments that its format asks for.
    unsafe {
        crate::sio::format(&mut output, string(format).to_bytes(), &mut |kind| {
            fetch(arguments, kind)
        });
    }
    or_minus_one(output.finish())
}

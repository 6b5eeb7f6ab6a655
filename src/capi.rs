//! The C interface: every function of `include/csapp.h`, one file per section, in the header's
//! order. An exported function checks its arguments, calls one module, and turns the outcome into
//! what C expects. It never calls another exported function: a program may have one of the same
//! name, and its own must not change what the library does.
//!
//! Each is unsafe to call from Rust for the same reason that it is in C: pointers must
//! be NULL where that has a defined answer, or valid for what the comment says is read or
//! written there. Each comment is written for C programmers, who meet it in the header.

#![allow(clippy::missing_safety_doc)]

use core::ffi::{CStr, c_char, c_int, c_void};

use crate::report::{self, Reason};
use crate::sys::{self, Errno, Result};

/// A call of libc that follows these pointers. NULL would crash there; here it is an error like others:
/// the call is not made, and the outcome is the failing value with EFAULT in `errno`.
macro_rules! given {
    ($($pointer:ident),+ => $call:expr, or $failure:expr) => {
        if $($pointer.is_null())||+ {
            $crate::capi::set_fault();
            $failure
        } else {
            $call
        }
    };
}

pub mod error;
pub mod process;
pub mod signal;
pub mod sio;
pub mod sio_printf;
pub mod unix_io;
pub mod directory;
pub mod memory;
pub mod stdio;
pub mod alloc;
pub mod socket;
pub mod names;
pub mod thread;
pub mod semaphore;
pub mod rio;
pub mod net;
pub mod ext;
pub mod extras;

/// What an exported function returns: the value, or -1 with `errno`.
pub(crate) fn or_minus_one<T: TryInto<isize>>(outcome: Result<T>) -> isize {
    match outcome {
        Ok(value) => value.try_into().unwrap_or(isize::MAX),
        Err(reason) => {
            sys::set_errno(reason);
            -1
        }
    }
}

/// The failing half of a checked wrapper: if there is an error, reports it as
/// `name error: reason` and lets the error handler decide what is next; afterwards `errno`
/// is that error.
pub(crate) fn checked<T>(message: &CStr, outcome: Result<T>) -> Result<T> {
    if let Err(reason) = outcome {
        sys::set_errno(reason);
        report::report(message, Reason::Errno(reason));
    }
    outcome
}

// The checked wrappers of libc's own functions. They need no module: each makes one call of libc, by
// its ordinary symbol, in one of the forms below.

/// Makes a call of libc that says by `failure` that it failed and sets `errno`; on failure
/// reports it, and returns `failure` if the error handler returns. A success leaves `errno` as
/// it was, whatever libc did with it on the way.
#[inline]
pub(crate) fn wrapped<T: PartialEq + Copy>(
    message: &CStr,
    failure: T,
    call: impl FnOnce() -> T,
) -> T {
    let before = sys::errno();
    let value = call();
    if value == failure {
        report_errno(message);
    } else {
        sys::set_errno(before);
    }
    value
}

/// Reports what `errno` says; afterwards it still does.
#[cold]
fn report_errno(message: &CStr) {
    report::report(message, Reason::Errno(sys::errno()));
}

/// [`wrapped`], for calls that a signal may interrupt and that then start again.
#[inline]
pub(crate) fn wrapped_restarting<T: PartialEq + Copy>(
    message: &CStr,
    failure: T,
    mut call: impl FnMut() -> T,
) -> T {
    wrapped(message, failure, || {
        loop {
            let value = call();
            if value != failure || sys::errno() != Errno(libc::EINTR) {
                return value;
            }
        }
    })
}

/// [`wrapped_restarting`], for calls that wait on `fd` for as long as its `option` (SO_RCVTIMEO or
/// SO_SNDTIMEO) says: signals that keep coming do not put the end of that time off.
#[inline]
pub(crate) fn wrapped_in_time<T: PartialEq + Copy>(
    message: &CStr,
    failure: T,
    (fd, option): (c_int, c_int),
    mut call: impl FnMut() -> T,
) -> T {
    let outcome = sys::restart_in_time(fd, option, || sys::attempt(failure, &mut call));
    checked(message, outcome).unwrap_or(failure)
}

/// [`wrapped`], for calls that return their error code and leave `errno` alone, as the pthread
/// functions do. After an error `errno` is that code, so that a program whose error handler
/// returns can tell.
#[inline]
pub(crate) fn wrapped_code(message: &CStr, call: impl FnOnce() -> c_int) {
    wrapped_code_but(0, message, call);
}

/// [`wrapped_code`], for calls that return one code which is no error.
#[inline]
pub(crate) fn wrapped_code_but(fine: c_int, message: &CStr, call: impl FnOnce() -> c_int) -> c_int {
    let code = unfailing(call);
    if code != 0 && code != fine {
        report_code(message, code);
    }
    code
}

/// Reports an error code that was returned; afterwards `errno` has it too.
#[cold]
fn report_code(message: &CStr, code: c_int) {
    sys::set_errno(Errno(code));
    report_errno(message);
}

/// [`wrapped`], for calls that return one of getaddrinfo's codes.
#[inline]
pub(crate) fn wrapped_resolver(message: &CStr, call: impl FnOnce() -> c_int) {
    let before = sys::errno();
    match call() {
        0 => sys::set_errno(before),
        code => report::report(message, report::resolver_reason(code)),
    }
}

/// Makes a call whose failing value may also be a normal end; what tells them apart is `errno`,
/// cleared before. Reports a failure. Returns the value, and whether it was one.
pub(crate) fn ended_or_failed<T: Copy>(
    message: &CStr,
    call: impl FnOnce() -> T,
    is_failing: impl FnOnce(T) -> bool,
) -> (T, bool) {
    let before = sys::errno();
    sys::set_errno(Errno(0));
    let value = call();
    let reason = sys::errno();
    let has_failed = reason != Errno(0) && is_failing(value);
    if has_failed {
        report::report(message, Reason::Errno(reason));
    } else {
        sys::set_errno(before);
    }
    (value, has_failed)
}

/// What `given` does about a NULL.
#[cold]
pub(crate) fn set_fault() {
    sys::set_errno(Errno(libc::EFAULT));
}

/// Makes a call that cannot fail, and leaves `errno` as it was.
#[inline]
pub(crate) fn unfailing<T>(call: impl FnOnce() -> T) -> T {
    let before = sys::errno();
    let value = call();
    sys::set_errno(before);
    value
}

/// A string that a C program may leave out.
///
/// # Safety
/// `text` must be NULL or end in a NUL, and stay as it is for as long as the result is used.
pub(crate) unsafe fn optional<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// Refuses a count that no object can have, such as an error code cast to `size_t`.
pub(crate) fn check_count(count: usize) -> Result<()> {
    if count > isize::MAX as usize {
        return Err(Errno(libc::EINVAL));
    }
    Ok(())
}

/// The same, and refuses NULL where there is something to transfer.
pub(crate) fn check_buffer(start: *const c_void, count: usize) -> Result<()> {
    check_count(count)?;
    if start.is_null() && count > 0 {
        return Err(Errno(libc::EFAULT));
    }
    Ok(())
}

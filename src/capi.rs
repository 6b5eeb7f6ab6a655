//! The doors: every function of `include/csapp.h`, one file per section, in the header's
//! order. A door looks at what C handed over, calls one room, and turns the outcome into
//! what C expects. It never calls another door: a program may have a function of the same
//! name, and its own must not change what the library does.
//!
//! Every door is unsafe to call from Rust for the same reason that it is in C: pointers must
//! be NULL where that has a defined answer, or valid for what the comment says is read or
//! written there. Each comment is written for C programmers, who meet it in the header.

#![allow(clippy::missing_safety_doc)]

use core::ffi::{CStr, c_char, c_void};

use crate::report::{self, Reason};
use crate::sys::{self, Errno, Result};

pub mod error;
pub mod rio;
pub mod net;
pub mod ext;

/// Ends a door: the value, or `errno` and -1.
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

/// A string that a C program handed over; for NULL, a text that says so.
///
/// # Safety
/// `text` must be NULL or end in a NUL, and stay as it is for as long as the result is used.
pub(crate) unsafe fn message<'a>(text: *const c_char) -> &'a CStr {
    // SAFETY: the caller's promise.
    unsafe { optional(text) }.unwrap_or(c"(null)")
}

/// A string that a C program may leave out.
///
/// # Safety
/// As for [`message`].
pub(crate) unsafe fn optional<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// Refuses a count that no object can have, such as an error code cast to `size_t`, and
/// NULL where there is something to transfer.
pub(crate) fn check_buffer(start: *const c_void, count: usize) -> Result<()> {
    if isize::try_from(count).is_err() {
        return Err(Errno(libc::EINVAL));
    }
    if start.is_null() && count > 0 {
        return Err(Errno(libc::EFAULT));
    }
    Ok(())
}

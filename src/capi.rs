//! The C interface: every function of `include/csapp.h`, one file per section, in the header's
//! order. An exported function checks its arguments, calls one module, and converts the outcome to
//! what C expects. It never calls another exported function: a program may define a function of the
//! same name, which must not change what the library does.
//!
//! Each function is unsafe to call from Rust for the same reason as in C: a pointer must be valid for
//! what the comment says is read or written there, or NULL if the comment allows it. The comments are
//! written for C programmers, and become those of the header.

#![allow(clippy::missing_safety_doc)]

use core::ffi::{CStr, c_char, c_void};

use crate::sys::{self, Errno, Result};

mod checked;
mod handler;

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

/// Returns what an exported function returns: the count, which is at most SSIZE_MAX, or -1 with `errno` set.
#[inline(always)]
pub(crate) fn or_minus_one(outcome: Result<usize>) -> isize {
    match outcome {
        Ok(count) => count as isize,
        Err(reason) => minus_one(reason),
    }
}

/// Sets `errno`, and returns -1.
#[cold]
#[inline(never)]
pub(crate) fn minus_one(reason: Errno) -> isize {
    sys::set_errno(reason);
    -1
}

/// Returns the string, or `None` for NULL.
///
/// # Safety
/// `text` must be NULL or end with a NUL, and must not change while the result is used.
pub(crate) unsafe fn optional<'a>(text: *const c_char) -> Option<&'a CStr> {
    // Not `is_null`: a debugger that stops at the start of the caller would show Rust's core library.
    if text as usize == 0 {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(text) })
}

/// Fails with EINVAL if no object can have this size, such as a negative number converted to `size_t`.
pub(crate) fn check_count(count: usize) -> Result<()> {
    if count > isize::MAX as usize {
        return Err(Errno(libc::EINVAL));
    }
    Ok(())
}

/// Checks the count as [`check_count`] does, and fails with EFAULT if `start` is NULL and `count` is not 0.
pub(crate) fn check_buffer(start: *const c_void, count: usize) -> Result<()> {
    check_count(count)?;
    if start.is_null() && count > 0 {
        return Err(Errno(libc::EFAULT));
    }
    Ok(())
}

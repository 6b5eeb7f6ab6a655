//! The C interface: every function of `include/csapp.h`, one file per section, in the header's
//! order. An exported function checks its arguments, calls one module, and turns the outcome into
//! what C expects. It never calls another exported function: a program may have one of the same
//! name, and its own must not change what the library does.
//!
//! Each is unsafe to call from Rust for the same reason that it is in C: pointers must
//! be NULL where that has a defined answer, or valid for what the comment says is read or
//! written there. Each comment is written for C programmers: it becomes the header's.

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

/// A string that a C program may leave out.
///
/// # Safety
/// `text` must be NULL or end in a NUL, and stay as it is for as long as the result is used.
pub(crate) unsafe fn optional<'a>(text: *const c_char) -> Option<&'a CStr> {
    // Not `is_null`: where a function begins with this, a debugger would stop in Rust's core library.
    if text as usize == 0 {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(text) })
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

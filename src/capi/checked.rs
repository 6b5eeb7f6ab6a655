//! The parts of checked wrappers. A **source** makes one call of libc, by its ordinary symbol, and returns a `Result`.
//! A **combinator** repeats the call, or turns one error into a success. The one **sink** reports a failure:
//!
//! ```text
//! let outcome = restart(|| attempt(-1, || unsafe { libc::dup2(fd1, fd2) }));
//! report_failure(c"Dup2", outcome).unwrap_or(-1)
//! ```
//!
//! Sources leave `errno` unchanged, even if libc changes it. Only the sink sets it, after a failure.
//!
//! "Add a wrapper" in CONTRIBUTING.md lists the places that a new wrapper touches.

use core::ffi::{CStr, c_char, c_int};

use super::handler;
use crate::report::Reason;
use crate::sys::{self, Errno, Result, Unresolved};

/// The result of a source that has other errors than those of errno.
pub(super) type Outcome<T> = core::result::Result<T, Reason>;

pub(super) const FAULT: Errno = Errno(libc::EFAULT);

/// Returns the pointer, or EFAULT if it is NULL, which would crash libc.
#[inline]
pub(super) fn non_null<P: Pointer>(pointer: P) -> Result<P> {
    if pointer.is_null() {
        Err(FAULT)
    } else {
        Ok(pointer)
    }
}

/// A pointer of either kind.
pub(super) trait Pointer: Copy {
    fn is_null(self) -> bool;
}

impl<T> Pointer for *const T {
    fn is_null(self) -> bool {
        self.is_null()
    }
}

impl<T> Pointer for *mut T {
    fn is_null(self) -> bool {
        self.is_null()
    }
}

// Sources.

// A call that cannot fail.
pub(super) use crate::sys::keep_errno;

/// Makes a call that returns `failure` if it fails, with the reason in `errno`.
#[inline]
pub(super) fn attempt<T: PartialEq>(failure: T, call: impl FnOnce() -> T) -> Result<T> {
    let errno = sys::Place::find();
    let before = errno.get();
    let value = call();
    let reason = errno.get();
    errno.set(before);
    if value == failure {
        Err(reason)
    } else {
        Ok(value)
    }
}

/// Makes a call that returns its error code, as the pthread functions do.
#[inline]
pub(super) fn attempt_code(call: impl FnOnce() -> c_int) -> Result<c_int> {
    match keep_errno(call) {
        0 => Ok(0),
        code => Err(Errno(code)),
    }
}

/// Makes a call that returns one of getaddrinfo's codes.
#[inline]
pub(super) fn attempt_resolver(call: impl FnOnce() -> c_int) -> Outcome<()> {
    keep_errno(|| {
        sys::set_errno(Errno(0)); // so that it tells something of a failure
        match call() {
            0 => Ok(()),
            code => Err(unresolved(code).unwrap_or(Reason::Resolver(code))),
        }
    })
}

/// Returns the reason if the resolver failed, with `code`, because the system refused it something. The code alone may hide
/// that: without a free descriptor, the resolver knows no host.
#[cold]
#[inline(never)]
pub(super) fn unresolved(code: c_int) -> Option<Reason> {
    let errno = sys::errno();
    let want = Unresolved { code, errno }.want().or(match code {
        libc::EAI_SYSTEM => Some(errno),
        _ => None,
    });
    want.map(Reason::Errno)
}

/// Makes a call that may have failed if it returns true. Clears `errno` first, because only `errno` distinguishes a failure
/// from a normal end.
#[inline]
pub(super) fn attempt_cleared(call: impl FnOnce() -> bool) -> Result<()> {
    keep_errno(|| {
        sys::set_errno(Errno(0));
        let may_have_failed = call();
        match sys::errno() {
            Errno(0) => Ok(()),
            reason if may_have_failed => Err(reason),
            _ => Ok(()),
        }
    })
}

// Combinators. `restart` and `restart_in_time` are the same as for the system calls.

pub(super) use crate::sys::{restart, restart_in_time};

/// Turns the error `reason` into a success, with its number as the value.
#[inline]
pub(super) fn allow(reason: c_int, outcome: Result<c_int>) -> Result<c_int> {
    match outcome {
        Err(Errno(code)) if code == reason => Ok(code),
        outcome => outcome,
    }
}

// The sink.

/// If the call has failed, sets `errno`, reports `name error: reason`, and runs the error handler.
#[inline]
pub(super) fn report_failure<T>(name: &CStr, outcome: Result<T>) -> Result<T> {
    if let Err(reason) = outcome {
        // SAFETY: a C string.
        unsafe { fail(name.as_ptr(), reason) };
    }
    outcome
}

/// Reports a failure for the wrappers. Has few parameters, because every wrapper calls it.
///
/// # Safety
/// `name` must be a C string.
#[cold]
#[inline(never)]
unsafe fn fail(name: *const c_char, reason: Errno) {
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name) };
    handler::fail_on(&[name, c" error"], reason.into());
}

/// [`report_failure`] for a call on a file. The message names the file: `name error: path: reason`.
///
/// # Safety
/// `path` must be NULL or a C string, unless the system has refused it.
#[inline]
pub(super) unsafe fn report_failure_on<T>(
    name: &CStr,
    path: *const c_char,
    outcome: Result<T>,
) -> Result<T> {
    if let Err(reason) = outcome {
        // SAFETY: a C string; the caller's promise.
        unsafe { fail_on_file(name.as_ptr(), path, reason) };
    }
    outcome
}

/// # Safety
/// `name` must be a C string; `path` as for [`report_failure_on`].
#[cold]
#[inline(never)]
unsafe fn fail_on_file(name: *const c_char, path: *const c_char, reason: Errno) {
    // With these reasons, the path may be unchecked, not readable, or a page long.
    const NOT_NAMED: [c_int; 4] = [libc::EFAULT, libc::EINVAL, libc::ENOMEM, libc::ENAMETOOLONG];
    if path.is_null() || NOT_NAMED.contains(&reason.0) {
        // SAFETY: the caller's promise.
        return unsafe { fail(name, reason) };
    }
    // SAFETY: the caller's promise.
    let (name, path) = unsafe { (CStr::from_ptr(name), CStr::from_ptr(path)) };
    handler::fail_on(&[name, c" error: ", shown(path)], reason.into());
}

/// Returns an argument as a message shows it.
pub(super) fn shown(argument: &CStr) -> &CStr {
    if argument.is_empty() {
        c"\"\""
    } else {
        argument
    }
}

/// Returns what follows the message of a call on a host and a port, each of which is optional.
pub(super) fn destination<'a>(host: Option<&'a CStr>, port: Option<&'a CStr>) -> [&'a CStr; 4] {
    match (host.filter(|host| !host.is_empty()), port) {
        (Some(host), Some(port)) if is_ipv6(host) => [c": [", host, c"]:", port],
        (Some(host), Some(port)) => [c": ", host, c":", port],
        (Some(host), None) => [c": ", host, c"", c""],
        (None, Some(port)) => [c": port ", shown(port), c"", c""],
        (None, None) => [c""; 4],
    }
}

fn is_ipv6(host: &CStr) -> bool {
    // SAFETY: a C string.
    unsafe { !libc::strchr(host.as_ptr(), c_int::from(b':')).is_null() }
}

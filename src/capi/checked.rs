//! The parts of checked wrappers. Most wrappers are one [`wrap!`], which names the function of libc, by its ordinary
//! symbol, and the rules by which it is called:
//!
//! ```text
//! wrap!(c"Dup2", libc::dup2(fd1, fd2), RESTART)
//! ```
//!
//! The others are composed. A **source** makes one call of libc and returns a `Result`. A **combinator** repeats the call.
//! The one **sink** reports a failure:
//!
//! ```text
//! let outcome = restart_in_time(fd, libc::SO_SNDTIMEO, || attempt(-1, || unsafe { libc::write(fd, buf, count) }));
//! report_failure(c"Write", outcome).unwrap_or(-1)
//! ```
//!
//! Sources leave `errno` unchanged, even if libc changes it. Only the sink sets it, after a failure.
//!
//! "Add a wrapper" in CONTRIBUTING.md lists the places that a new wrapper touches.

use core::ffi::{CStr, c_char, c_int};
use core::ptr;

use super::handler;
use crate::report::{Part, Reason, parts};
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

// Most wrappers.

/// How [`wrap!`] makes a call: any of these. Without BY_POINTER and BY_CODE, the call returns a c_int, -1 if it fails.
pub(super) type Rules = c_int;

/// The call returns a pointer, NULL if it fails.
pub(super) const BY_POINTER: Rules = 1 << 16;
/// The call returns its error code, as the pthread functions do.
pub(super) const BY_CODE: Rules = 1 << 17;
/// The call restarts if a signal handler interrupts it.
pub(super) const RESTART: Rules = 1 << 18;
/// The first argument is the path of a file, which the message names.
pub(super) const ON_FILE: Rules = 1 << 19;
/// The first, the second argument must not be NULL, which would crash libc: EFAULT.
pub(super) const NON_NULL: [Rules; 2] = [1 << 20, 1 << 21];
/// What [`wrapped_call`] has for these: a bit for each argument that may be NULL.
pub(super) const ANY_NULL: Rules = NON_NULL[0] | NON_NULL[1];
/// The first argument is the ID of a thread, to libc its address. If it is NULL, nothing was stored in it: ESRCH.
pub(super) const THREAD: Rules = 1 << 22 | NON_NULL[0];
/// The error `reason` is a success.
pub(super) const fn allowing(reason: c_int) -> Rules {
    reason + 1 // 0: none
}

/// Makes one call of libc with at most three arguments of a register each, by [`Rules`]. Returns what the call returned; if
/// the call has failed, after it has set `errno`, reported `name error: reason`, and run the error handler.
macro_rules! wrap {
    ($name:literal, $($function:ident)::+($($argument:ident),*) $(, $rules:expr)?) => {{
        use super::checked::{ANY_NULL, wrapped_call};
        let [a, b, c, ..] = [$($argument as usize,)* 0, 0, 0];
        let function = $($function)::+ as *const ();
        // SAFETY: the caller's promise, which is that of the function.
        unsafe {
            if false {
                $($function)::+($($argument),*) // for the types alone
            } else {
                let value = wrapped_call(a, b, c, ANY_NULL $(^ ($rules))?, $name.as_ptr(), function);
                // So that a backtrace has the wrapper: with an instruction behind it, the call is no jump.
                core::arch::asm!("", options(nomem, nostack, preserves_flags));
                value as _
            }
        }
    }};
}

pub(super) use wrap;

/// What [`wrap!`] expands to: one function for all wrappers, because each copy of it takes as much room as ten wrappers.
///
/// # Safety
/// `function` must be one that takes so many of the words, and the caller must have its promise. `name` must be a C string.
#[inline(never)]
pub(super) unsafe fn wrapped_call(
    a: usize,
    b: usize,
    c: usize,
    rules: Rules,
    name: *const c_char,
    function: *const (),
) -> isize {
    type Function = unsafe extern "C" fn(usize, usize, usize) -> isize;
    // SAFETY: arguments and results that fit into a register are passed as words are; those that it does not take, it ignores.
    let function = unsafe { core::mem::transmute::<*const (), Function>(function) };
    // The bit is set if the word may be NULL: one branch for each word.
    let is_missing = |word, index: usize| word | (rules & NON_NULL[index]) as usize == 0;
    let has = |rule| rules & rule != 0;
    if is_missing(a, 0) || is_missing(b, 1) {
        let reason = if has(THREAD & !NON_NULL[0]) {
            libc::ESRCH
        } else {
            libc::EFAULT
        };
        // SAFETY: the caller's promise.
        let value = unsafe { failed_call(Errno(reason), rules, name, a as *const c_char) };
        return value.unwrap_or(-1);
    }
    let errno = sys::ErrnoLocation::find();
    let before = errno.get();
    loop {
        // SAFETY: the caller's promise.
        let value = unsafe { function(a, b, c) };
        let mut reason = errno.get();
        errno.set(before);
        if has(BY_CODE) {
            reason = Errno(value as c_int);
            if reason == Errno(0) {
                return value;
            }
        } else if has(BY_POINTER) {
            if value != 0 {
                return value;
            }
        } else if value as c_int != -1 {
            return value;
        }
        // SAFETY: the caller's promise.
        if let Some(value) = unsafe { failed_call(reason, rules, name, a as *const c_char) } {
            return value;
        }
    }
}

/// What follows if the call has failed. Returns what it returns then, or `None` if the call restarts.
///
/// # Safety
/// As [`wrapped_call`].
#[cold]
#[inline(never)]
unsafe fn failed_call(
    reason: Errno,
    rules: Rules,
    name: *const c_char,
    path: *const c_char,
) -> Option<isize> {
    let has = |rule| rules & rule != 0;
    if reason.0 == libc::EINTR && has(RESTART) {
        return None;
    }
    if rules & 0xffff != reason.0 + 1 {
        let path = if has(ON_FILE) { path } else { ptr::null() };
        // SAFETY: the caller's promise.
        unsafe { fail(name, path, reason) };
    }
    Some(if has(BY_CODE) {
        reason.0 as isize
    } else if has(BY_POINTER) {
        0
    } else {
        -1
    })
}

// Sources.

// A call that cannot fail.
pub(super) use crate::sys::keep_errno;

/// Makes a call that returns `failure` if it fails, with the reason in `errno`.
#[inline]
pub(super) fn attempt<T: PartialEq>(failure: T, call: impl FnOnce() -> T) -> Result<T> {
    let errno = sys::ErrnoLocation::find();
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

/// Clears `errno` for `call`, so that it tells something of a failure, and keeps what it was.
#[inline(always)]
pub(super) fn with_cleared_errno<T>(call: impl FnOnce(sys::ErrnoLocation) -> T) -> T {
    let errno = sys::ErrnoLocation::find();
    let before = errno.get();
    errno.set(Errno(0));
    let value = call(errno);
    errno.set(before);
    value
}

/// Makes a call that returns one of getaddrinfo's codes.
#[inline]
pub(super) fn attempt_resolver(call: impl FnOnce() -> c_int) -> Outcome<()> {
    with_cleared_errno(|_| match call() {
        0 => Ok(()),
        code => Err(unresolved(code).unwrap_or(Reason::Resolver(code))),
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
    with_cleared_errno(|errno| match (call(), errno.get()) {
        (false, _) | (_, Errno(0)) => Ok(()),
        (true, reason) => Err(reason),
    })
}

// The combinator, which is the same as for the system calls.

pub(super) use crate::sys::restart_in_time;

// The sink.

/// If the call has failed, sets `errno`, reports `name error: reason`, and runs the error handler.
#[inline]
pub(super) fn report_failure<T>(name: &CStr, outcome: Result<T>) -> Result<T> {
    if let Err(reason) = outcome {
        // SAFETY: a C string.
        unsafe { fail(name.as_ptr(), ptr::null(), reason) };
    }
    outcome
}

/// Reports a failure of a call, and names its file, unless that is NULL: `name error: path: reason`. Has few parameters,
/// because many wrappers call it.
///
/// # Safety
/// `name` must be a C string. `path` must be NULL or a C string, unless the system has refused it.
#[cold]
#[inline(never)]
unsafe fn fail(name: *const c_char, path: *const c_char, reason: Errno) {
    // With these reasons, the path may be unchecked, not readable, or a page long.
    const NOT_NAMED: [c_int; 4] = [libc::EFAULT, libc::EINVAL, libc::ENOMEM, libc::ENAMETOOLONG];
    // SAFETY: the caller's promise.
    let (name, path) = unsafe { (Part::new(name), Part::new(path)) };
    let name = name.unwrap_or(c"".into());
    match path {
        Some(path) if !NOT_NAMED.contains(&reason.0) => {
            handler::fail_on(&parts![name, c" error: ", shown(path)], reason.into());
        }
        _ => handler::fail_on(&parts![name, c" error"], reason.into()),
    }
}

/// Returns an argument as a message shows it.
pub(super) fn shown(argument: Part) -> Part {
    if argument.is_empty() {
        c"\"\"".into()
    } else {
        argument
    }
}

/// Returns what follows the message of a call on a host and a port, each of which is optional.
pub(super) fn destination<'a>(host: Option<Part<'a>>, port: Option<Part<'a>>) -> [Part<'a>; 4] {
    match (host.filter(|host| !host.is_empty()), port) {
        (Some(host), Some(port)) if is_ipv6(host) => parts![c": [", host, c"]:", port],
        (Some(host), Some(port)) => parts![c": ", host, c":", port],
        (Some(host), None) => parts![c": ", host, c"", c""],
        (None, Some(port)) => parts![c": port ", shown(port), c"", c""],
        (None, None) => parts![c"", c"", c"", c""],
    }
}

fn is_ipv6(host: Part) -> bool {
    sys::find(host.text().to_bytes(), b':').is_some()
}

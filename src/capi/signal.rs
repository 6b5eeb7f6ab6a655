//! Signals

use core::ffi::c_int;
use core::mem;

use libc::{sighandler_t, sigset_t};

use super::checked::{NON_NULL, report_failure, wrap};
use super::minus_one;
use crate::sys::{self, Errno, call, undeclared};

/// Installs `handler` for the signal `signum`: a function, SIG_IGN or SIG_DFL.
///
/// Unlike signal, it means the same on every system: the handler stays installed, only its own
/// signal is blocked while it runs, and interrupted system calls restart if they can
/// (SA_RESTART).
///
/// Returns the previous handler, or SIG_ERR on failure.
///
/// [CS:APP 3e, section 8.5.5; POSIX, sigaction]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Signal(signum: c_int, handler: sighandler_t) -> sighandler_t {
    // SAFETY: a sigaction of zeros is a valid one: no flags, an empty mask.
    let (mut action, mut before): (libc::sigaction, libc::sigaction) = unsafe { mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the mask is ours.
    unsafe { libc::sigemptyset(&mut action.sa_mask) };
    sys::about_to_pass(&action);
    // SAFETY: both structures are ours.
    let outcome = unsafe { call!(libc::sigaction(signum, &raw const action, &raw mut before)) };
    let before = report_failure(c"Signal", outcome).map(|_| before.sa_sigaction);
    before.unwrap_or(libc::SIG_ERR)
}

/// Changes the set of blocked signals by `set` as `how` says (SIG_BLOCK, SIG_UNBLOCK or
/// SIG_SETMASK), and stores the previous set at `oldset`. Either pointer may be NULL.
///
/// [CS:APP 3e, section 8.5.4; POSIX, sigprocmask]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sigprocmask(
    how: c_int,
    set: *const sigset_t,
    oldset: *mut sigset_t,
) {
    wrap!(c"Sigprocmask", libc::sigprocmask(how, set, oldset));
}

/// Removes every signal from `set`.
///
/// [CS:APP 3e, section 8.5.4; POSIX, sigemptyset]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sigemptyset(set: *mut sigset_t) {
    wrap!(c"Sigemptyset", libc::sigemptyset(set), NON_NULL[0]);
}

/// Adds every signal to `set`.
///
/// [CS:APP 3e, section 8.5.4; POSIX, sigfillset]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sigfillset(set: *mut sigset_t) {
    wrap!(c"Sigfillset", libc::sigfillset(set), NON_NULL[0]);
}

/// Adds the signal `signum` to `set`.
///
/// [CS:APP 3e, section 8.5.4; POSIX, sigaddset]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sigaddset(set: *mut sigset_t, signum: c_int) {
    wrap!(c"Sigaddset", libc::sigaddset(set, signum), NON_NULL[0]);
}

/// Removes the signal `signum` from `set`.
///
/// [CS:APP 3e, section 8.5.4; POSIX, sigdelset]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sigdelset(set: *mut sigset_t, signum: c_int) {
    wrap!(c"Sigdelset", libc::sigdelset(set, signum), NON_NULL[0]);
}

/// Tests whether the signal `signum` is in `set`.
///
/// Returns 1 if it is, and 0 if it is not.
///
/// [CS:APP 3e, section 8.5.4; POSIX, sigismember]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sigismember(set: *const sigset_t, signum: c_int) -> c_int {
    wrap!(c"Sigismember", libc::sigismember(set, signum), NON_NULL[0])
}

/// Suspends the calling thread until a signal handler has run; until then, exactly the signals
/// in `set` are blocked.
///
/// Returns -1 with errno EINTR, without calling the error handler; any other error is reported.
///
/// [CS:APP 3e, section 8.5.7; POSIX, sigsuspend]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sigsuspend(set: *const sigset_t) -> c_int {
    // SAFETY: the caller's set.
    let outcome = unsafe { call!(undeclared::sigsuspend(set)) };
    match outcome {
        Err(interrupted @ Errno(libc::EINTR)) => minus_one(interrupted) as c_int,
        outcome => report_failure(c"Sigsuspend", outcome).unwrap_or(-1),
    }
}

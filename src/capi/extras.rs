//! Wrappers that people add

use core::ffi::{c_char, c_int};

use libc::{
    pthread_cond_t, pthread_condattr_t, pthread_mutex_t, pthread_mutexattr_t, sem_t, timespec,
};

use super::checked::{allow, attempt, attempt_code, non_null, report_failure, report_failure_on};
use super::net::{self, OnFailure};
use crate::sys::{Errno, undeclared};

/// Initialises `mutex` with the attributes `attr` (NULL: the default ones).
///
/// [POSIX, pthread_mutex_init]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_init(
    mutex: *mut pthread_mutex_t,
    attr: *const pthread_mutexattr_t,
) {
    // SAFETY: the caller's mutex.
    let outcome = non_null(mutex)
        .and_then(|_| attempt_code(|| unsafe { libc::pthread_mutex_init(mutex, attr) }));
    let _ = report_failure(c"Pthread_mutex_init", outcome);
}

/// Locks `mutex`, and waits if another thread holds it.
///
/// [POSIX, pthread_mutex_lock]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_lock(mutex: *mut pthread_mutex_t) {
    // SAFETY: the caller's mutex.
    let outcome =
        non_null(mutex).and_then(|_| attempt_code(|| unsafe { libc::pthread_mutex_lock(mutex) }));
    let _ = report_failure(c"Pthread_mutex_lock", outcome);
}

/// Locks `mutex` if it is free, without waiting.
///
/// Returns 0, or EBUSY if `mutex` is locked; that is not reported.
///
/// [POSIX, pthread_mutex_trylock]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int {
    // SAFETY: the caller's mutex.
    let outcome = non_null(mutex)
        .and_then(|_| attempt_code(|| unsafe { libc::pthread_mutex_trylock(mutex) }));
    let outcome = allow(libc::EBUSY, outcome);
    report_failure(c"Pthread_mutex_trylock", outcome).unwrap_or_else(|Errno(code)| code)
}

/// Unlocks `mutex`.
///
/// [POSIX, pthread_mutex_unlock]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_unlock(mutex: *mut pthread_mutex_t) {
    // SAFETY: the caller's mutex.
    let outcome =
        non_null(mutex).and_then(|_| attempt_code(|| unsafe { libc::pthread_mutex_unlock(mutex) }));
    let _ = report_failure(c"Pthread_mutex_unlock", outcome);
}

/// Destroys `mutex`, which must not be locked.
///
/// [POSIX, pthread_mutex_destroy]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_destroy(mutex: *mut pthread_mutex_t) {
    // SAFETY: the caller's mutex.
    let outcome = non_null(mutex)
        .and_then(|_| attempt_code(|| unsafe { libc::pthread_mutex_destroy(mutex) }));
    let _ = report_failure(c"Pthread_mutex_destroy", outcome);
}

/// Initialises the condition variable `cond` with the attributes `attr` (NULL: the default
/// ones).
///
/// [POSIX, pthread_cond_init]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_init(
    cond: *mut pthread_cond_t,
    attr: *const pthread_condattr_t,
) {
    // SAFETY: the caller's condition.
    let outcome = non_null(cond)
        .and_then(|_| attempt_code(|| unsafe { libc::pthread_cond_init(cond, attr) }));
    let _ = report_failure(c"Pthread_cond_init", outcome);
}

/// Unlocks `mutex`, waits until the condition variable `cond` is signalled, and locks `mutex`
/// again.
///
/// [POSIX, pthread_cond_wait]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_wait(
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
) {
    // SAFETY: the caller's condition and mutex.
    let outcome = non_null(cond)
        .and(non_null(mutex))
        .and_then(|_| attempt_code(|| unsafe { libc::pthread_cond_wait(cond, mutex) }));
    let _ = report_failure(c"Pthread_cond_wait", outcome);
}

/// Waits as Pthread_cond_wait does for `cond` with `mutex`, but no longer than until the
/// absolute time `abstime`.
///
/// Returns 0, or ETIMEDOUT if the time has come; that is not reported.
///
/// [POSIX, pthread_cond_timedwait]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_timedwait(
    cond: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    abstime: *const timespec,
) -> c_int {
    let outcome = non_null(cond)
        .and(non_null(mutex))
        .and(non_null(abstime))
        .and_then(|_| {
            // SAFETY: the caller's condition, mutex and time.
            attempt_code(|| unsafe { libc::pthread_cond_timedwait(cond, mutex, abstime) })
        });
    let outcome = allow(libc::ETIMEDOUT, outcome);
    report_failure(c"Pthread_cond_timedwait", outcome).unwrap_or_else(|Errno(code)| code)
}

/// Wakes at least one of the threads that wait for the condition variable `cond`.
///
/// [POSIX, pthread_cond_signal]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_signal(cond: *mut pthread_cond_t) {
    // SAFETY: the caller's condition.
    let outcome =
        non_null(cond).and_then(|_| attempt_code(|| unsafe { libc::pthread_cond_signal(cond) }));
    let _ = report_failure(c"Pthread_cond_signal", outcome);
}

/// Wakes all threads that wait for the condition variable `cond`.
///
/// [POSIX, pthread_cond_broadcast]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_broadcast(cond: *mut pthread_cond_t) {
    // SAFETY: the caller's condition.
    let outcome =
        non_null(cond).and_then(|_| attempt_code(|| unsafe { libc::pthread_cond_broadcast(cond) }));
    let _ = report_failure(c"Pthread_cond_broadcast", outcome);
}

/// Destroys the condition variable `cond`, for which no thread may be waiting.
///
/// [POSIX, pthread_cond_destroy]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_destroy(cond: *mut pthread_cond_t) {
    // SAFETY: the caller's condition.
    let outcome =
        non_null(cond).and_then(|_| attempt_code(|| unsafe { libc::pthread_cond_destroy(cond) }));
    let _ = report_failure(c"Pthread_cond_destroy", outcome);
}

/// Creates a pipe, and stores its descriptors at `fds`: fds[0] to read from, fds[1] to write to.
/// The caller closes both.
///
/// Returns 0.
///
/// [POSIX, pipe]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pipe(fds: *mut c_int) -> c_int {
    // SAFETY: the caller's two places.
    let outcome = attempt(-1, || unsafe { libc::pipe(fds) });
    report_failure(c"Pipe", outcome).unwrap_or(-1)
}

/// Replaces the program by `file`, which is searched for in PATH, with the arguments `argv`, an
/// array that ends with NULL, and the environment of this process. Does not return if it
/// succeeds.
///
/// [POSIX, exec]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Execvp(file: *const c_char, argv: *const *mut c_char) {
    // SAFETY: the caller's string and list.
    let outcome = non_null(file)
        .and(non_null(argv))
        .and_then(|_| attempt(-1, || unsafe { libc::execvp(file, argv.cast()) }));
    // SAFETY: the caller's string.
    let _ = unsafe { report_failure_on(c"Execvp", file, outcome) };
}

/// Destroys the semaphore `sem`, for which no thread may be waiting.
///
/// [POSIX, sem_destroy]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sem_destroy(sem: *mut sem_t) {
    // SAFETY: the caller's semaphore.
    let outcome =
        non_null(sem).and_then(|_| attempt(-1, || unsafe { undeclared::sem_destroy(sem) }));
    let _ = report_failure(c"Sem_destroy", outcome);
}

/// Connects to the port `port` of the host `hostname`: an alias of open_clientfd, which is
/// re-entrant. The port is a string.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
///
/// [CS:APP 2e, section 12.7]
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn open_clientfd_r(
    hostname: *const c_char,
    port: *const c_char,
) -> c_int {
    // SAFETY: both are C strings or NULL.
    unsafe { net::client(hostname, port, -1, &OnFailure::Plain) }
}

/// Connects to the port `port` of the host `hostname`, as open_clientfd_r does, and reports a
/// failure.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
///
/// [CS:APP 2e, section 12.7]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Open_clientfd_r(
    hostname: *const c_char,
    port: *const c_char,
) -> c_int {
    // SAFETY: both are C strings or NULL.
    unsafe {
        net::client(
            hostname,
            port,
            -1,
            &OnFailure::Checked(c"Open_clientfd_r error"),
        )
    }
}

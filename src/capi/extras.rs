//! Wrappers that people add

use core::ffi::{c_char, c_int};

use libc::{
    pthread_cond_t, pthread_condattr_t, pthread_mutex_t, pthread_mutexattr_t, sem_t, timespec,
};

use super::checked::{allow, attempt, attempt_code, non_null, report_failure, report_failure_on};
use super::net::{self, OnFailure};
use crate::sys::{Errno, undeclared};

/// pthread_mutex_init, checked. [POSIX, pthread_mutex_init]
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

/// pthread_mutex_lock, checked. [POSIX, pthread_mutex_lock]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_lock(mutex: *mut pthread_mutex_t) {
    // SAFETY: the caller's mutex.
    let outcome =
        non_null(mutex).and_then(|_| attempt_code(|| unsafe { libc::pthread_mutex_lock(mutex) }));
    let _ = report_failure(c"Pthread_mutex_lock", outcome);
}

/// pthread_mutex_trylock, checked. Returns 0, or EBUSY if another thread holds the mutex.
/// [POSIX, pthread_mutex_trylock]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int {
    // SAFETY: the caller's mutex.
    let outcome = non_null(mutex)
        .and_then(|_| attempt_code(|| unsafe { libc::pthread_mutex_trylock(mutex) }));
    let outcome = allow(libc::EBUSY, outcome);
    report_failure(c"Pthread_mutex_trylock", outcome).unwrap_or_else(|Errno(code)| code)
}

/// pthread_mutex_unlock, checked. [POSIX, pthread_mutex_unlock]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_unlock(mutex: *mut pthread_mutex_t) {
    // SAFETY: the caller's mutex.
    let outcome =
        non_null(mutex).and_then(|_| attempt_code(|| unsafe { libc::pthread_mutex_unlock(mutex) }));
    let _ = report_failure(c"Pthread_mutex_unlock", outcome);
}

/// pthread_mutex_destroy, checked. [POSIX, pthread_mutex_destroy]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_destroy(mutex: *mut pthread_mutex_t) {
    // SAFETY: the caller's mutex.
    let outcome = non_null(mutex)
        .and_then(|_| attempt_code(|| unsafe { libc::pthread_mutex_destroy(mutex) }));
    let _ = report_failure(c"Pthread_mutex_destroy", outcome);
}

/// pthread_cond_init, checked. [POSIX, pthread_cond_init]
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

/// pthread_cond_wait, checked. [POSIX, pthread_cond_wait]
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

/// pthread_cond_timedwait, checked. Returns 0, or ETIMEDOUT once the time `abstime` has come.
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

/// pthread_cond_signal, checked. [POSIX, pthread_cond_signal]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_signal(cond: *mut pthread_cond_t) {
    // SAFETY: the caller's condition.
    let outcome =
        non_null(cond).and_then(|_| attempt_code(|| unsafe { libc::pthread_cond_signal(cond) }));
    let _ = report_failure(c"Pthread_cond_signal", outcome);
}

/// pthread_cond_broadcast, checked. [POSIX, pthread_cond_broadcast]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_broadcast(cond: *mut pthread_cond_t) {
    // SAFETY: the caller's condition.
    let outcome =
        non_null(cond).and_then(|_| attempt_code(|| unsafe { libc::pthread_cond_broadcast(cond) }));
    let _ = report_failure(c"Pthread_cond_broadcast", outcome);
}

/// pthread_cond_destroy, checked. [POSIX, pthread_cond_destroy]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_destroy(cond: *mut pthread_cond_t) {
    // SAFETY: the caller's condition.
    let outcome =
        non_null(cond).and_then(|_| attempt_code(|| unsafe { libc::pthread_cond_destroy(cond) }));
    let _ = report_failure(c"Pthread_cond_destroy", outcome);
}

/// pipe, checked: creates a pipe and stores its two descriptors at `fds`: fds[0] to read from,
/// fds[1] to write to. Returns 0; -1 if the error handler returns. [POSIX, pipe]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pipe(fds: *mut c_int) -> c_int {
    // SAFETY: the caller's two places.
    let outcome = attempt(-1, || unsafe { libc::pipe(fds) });
    report_failure(c"Pipe", outcome).unwrap_or(-1)
}

/// execvp, checked: as Execve with this process' environment, and searches PATH for `file`.
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

/// sem_destroy, checked. [POSIX, sem_destroy]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sem_destroy(sem: *mut sem_t) {
    // SAFETY: the caller's semaphore.
    let outcome =
        non_null(sem).and_then(|_| attempt(-1, || unsafe { undeclared::sem_destroy(sem) }));
    let _ = report_failure(c"Sem_destroy", outcome);
}

/// An alias of open_clientfd, which is re-entrant. The port is a string. [CS:APP 2e, section
/// 12.7]
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn open_clientfd_r(
    hostname: *const c_char,
    port: *const c_char,
) -> c_int {
    // SAFETY: both are C strings or NULL.
    unsafe { net::client(hostname, port, -1, &OnFailure::Plain) }
}

/// open_clientfd_r, checked: see Open_clientfd.
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

//! Wrappers that people add

use core::ffi::{c_char, c_int};

use libc::{
    pthread_cond_t, pthread_condattr_t, pthread_mutex_t, pthread_mutexattr_t, sem_t, timespec,
};

use super::checked::{BY_CODE, NON_NULL, ON_FILE, allowing, wrap};
use super::net::{self, OnFailure};
use crate::sys::undeclared;

/// Initialises `mutex` with the attributes `attr` (NULL: the default ones).
///
/// [POSIX, pthread_mutex_init]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_init(
    mutex: *mut pthread_mutex_t,
    attr: *const pthread_mutexattr_t,
) {
    wrap!(
        c"Pthread_mutex_init",
        libc::pthread_mutex_init(mutex, attr),
        BY_CODE | NON_NULL[0]
    );
}

/// Locks `mutex`, and waits if another thread holds it.
///
/// [POSIX, pthread_mutex_lock]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_lock(mutex: *mut pthread_mutex_t) {
    wrap!(
        c"Pthread_mutex_lock",
        libc::pthread_mutex_lock(mutex),
        BY_CODE | NON_NULL[0]
    );
}

/// Locks `mutex` if it is free, without waiting.
///
/// Returns 0, or EBUSY if `mutex` is locked; that is not reported.
///
/// [POSIX, pthread_mutex_trylock]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int {
    wrap!(
        c"Pthread_mutex_trylock",
        libc::pthread_mutex_trylock(mutex),
        BY_CODE | NON_NULL[0] | allowing(libc::EBUSY)
    )
}

/// Unlocks `mutex`.
///
/// [POSIX, pthread_mutex_unlock]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_unlock(mutex: *mut pthread_mutex_t) {
    wrap!(
        c"Pthread_mutex_unlock",
        libc::pthread_mutex_unlock(mutex),
        BY_CODE | NON_NULL[0]
    );
}

/// Destroys `mutex`, which must not be locked.
///
/// [POSIX, pthread_mutex_destroy]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_mutex_destroy(mutex: *mut pthread_mutex_t) {
    wrap!(
        c"Pthread_mutex_destroy",
        libc::pthread_mutex_destroy(mutex),
        BY_CODE | NON_NULL[0]
    );
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
    wrap!(
        c"Pthread_cond_init",
        libc::pthread_cond_init(cond, attr),
        BY_CODE | NON_NULL[0]
    );
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
    wrap!(
        c"Pthread_cond_wait",
        libc::pthread_cond_wait(cond, mutex),
        BY_CODE | NON_NULL[0] | NON_NULL[1]
    );
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
    unsafe extern "C" fn timedwait(
        cond: *mut pthread_cond_t,
        mutex: *mut pthread_mutex_t,
        abstime: *const timespec,
    ) -> c_int {
        if abstime.is_null() {
            return libc::EFAULT;
        }
        // SAFETY: the caller's condition, mutex and time.
        unsafe { libc::pthread_cond_timedwait(cond, mutex, abstime) }
    }
    wrap!(
        c"Pthread_cond_timedwait",
        timedwait(cond, mutex, abstime),
        BY_CODE | NON_NULL[0] | NON_NULL[1] | allowing(libc::ETIMEDOUT)
    )
}

/// Wakes at least one of the threads that wait for the condition variable `cond`.
///
/// [POSIX, pthread_cond_signal]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_signal(cond: *mut pthread_cond_t) {
    wrap!(
        c"Pthread_cond_signal",
        libc::pthread_cond_signal(cond),
        BY_CODE | NON_NULL[0]
    );
}

/// Wakes all threads that wait for the condition variable `cond`.
///
/// [POSIX, pthread_cond_broadcast]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_broadcast(cond: *mut pthread_cond_t) {
    wrap!(
        c"Pthread_cond_broadcast",
        libc::pthread_cond_broadcast(cond),
        BY_CODE | NON_NULL[0]
    );
}

/// Destroys the condition variable `cond`, for which no thread may be waiting.
///
/// [POSIX, pthread_cond_destroy]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cond_destroy(cond: *mut pthread_cond_t) {
    wrap!(
        c"Pthread_cond_destroy",
        libc::pthread_cond_destroy(cond),
        BY_CODE | NON_NULL[0]
    );
}

/// Creates a pipe, and stores its descriptors at `fds`: fds[0] to read from, fds[1] to write to.
/// The caller closes both.
///
/// Returns 0.
///
/// [POSIX, pipe]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pipe(fds: *mut c_int) -> c_int {
    wrap!(c"Pipe", libc::pipe(fds))
}

/// Replaces the program by `file`, which is searched for in PATH, with the arguments `argv`, an
/// array that ends with NULL, and the environment of this process. Does not return if it
/// succeeds.
///
/// [POSIX, exec]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Execvp(file: *const c_char, argv: *const *mut c_char) {
    let argv: *const *const c_char = argv.cast();
    wrap!(
        c"Execvp",
        libc::execvp(file, argv),
        ON_FILE | NON_NULL[0] | NON_NULL[1]
    );
}

/// Destroys the semaphore `sem`, for which no thread may be waiting.
///
/// [POSIX, sem_destroy]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sem_destroy(sem: *mut sem_t) {
    wrap!(c"Sem_destroy", undeclared::sem_destroy(sem), NON_NULL[0]);
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

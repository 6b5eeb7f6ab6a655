//! Semaphores

use core::ffi::{c_int, c_uint};

use libc::sem_t;

use super::{wrapped, wrapped_restarting};
use crate::sys::undeclared;

/// sem_init, checked: makes `sem` a semaphore with the value `value`, which processes share if
/// `pshared` is not 0. [CS:APP 3e, section 12.5.2; POSIX, sem_init]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sem_init(sem: *mut sem_t, pshared: c_int, value: c_uint) {
    // SAFETY: the caller's semaphore.
    wrapped(c"Sem_init error", -1, || unsafe {
        given!(sem => undeclared::sem_init(sem, pshared, value), or -1)
    });
}

/// sem_wait, checked: waits until the semaphore is above 0 and takes 1 off it. Starts again when a
/// signal handler ran. [CS:APP 3e, section 12.5.2; POSIX, sem_wait]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn P(sem: *mut sem_t) {
    // SAFETY: the caller's semaphore.
    wrapped_restarting(c"P error", -1, || unsafe {
        given!(sem => libc::sem_wait(sem), or -1)
    });
}

/// sem_post, checked: adds 1 to the semaphore. [CS:APP 3e, section 12.5.2; POSIX, sem_post]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn V(sem: *mut sem_t) {
    // SAFETY: the caller's semaphore.
    wrapped(c"V error", -1, || unsafe {
        given!(sem => libc::sem_post(sem), or -1)
    });
}

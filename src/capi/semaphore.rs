//! Semaphores

use core::ffi::{c_int, c_uint};

use libc::sem_t;

use super::checked::{NON_NULL, RESTART, wrap};
use crate::sys::undeclared;

/// Initialises the semaphore `sem` with the value `value`. Processes share it if `pshared` is
/// not 0; otherwise the threads of this process do.
///
/// [CS:APP 3e, section 12.5.2; POSIX, sem_init]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sem_init(sem: *mut sem_t, pshared: c_int, value: c_uint) {
    wrap!(
        c"Sem_init",
        undeclared::sem_init(sem, pshared, value),
        NON_NULL[0]
    );
}

/// Waits until the semaphore `sem` is above 0, and subtracts 1.
///
/// [CS:APP 3e, section 12.5.2; POSIX, sem_wait]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn P(sem: *mut sem_t) {
    wrap!(c"P", libc::sem_wait(sem), RESTART | NON_NULL[0]);
}

/// Adds 1 to the semaphore `sem`.
///
/// [CS:APP 3e, section 12.5.2; POSIX, sem_post]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn V(sem: *mut sem_t) {
    wrap!(c"V", libc::sem_post(sem), NON_NULL[0]);
}

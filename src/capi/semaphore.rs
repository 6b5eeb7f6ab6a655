//! Semaphores

use core::ffi::{c_int, c_uint};

use libc::sem_t;

use super::checked::{attempt, non_null, report_failure, restart};
use crate::sys::undeclared;

/// Initialises the semaphore `sem` with the value `value`. Processes share it if `pshared` is
/// not 0; otherwise the threads of this process do.
///
/// [CS:APP 3e, section 12.5.2; POSIX, sem_init]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sem_init(sem: *mut sem_t, pshared: c_int, value: c_uint) {
    // SAFETY: the caller's semaphore.
    let outcome = non_null(sem)
        .and_then(|_| attempt(-1, || unsafe { undeclared::sem_init(sem, pshared, value) }));
    let _ = report_failure(c"Sem_init", outcome);
}

/// Waits until the semaphore `sem` is above 0, and subtracts 1.
///
/// [CS:APP 3e, section 12.5.2; POSIX, sem_wait]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn P(sem: *mut sem_t) {
    // SAFETY: the caller's semaphore.
    let outcome =
        non_null(sem).and_then(|_| restart(|| attempt(-1, || unsafe { libc::sem_wait(sem) })));
    let _ = report_failure(c"P", outcome);
}

/// Adds 1 to the semaphore `sem`.
///
/// [CS:APP 3e, section 12.5.2; POSIX, sem_post]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn V(sem: *mut sem_t) {
    // SAFETY: the caller's semaphore.
    let outcome = non_null(sem).and_then(|_| attempt(-1, || unsafe { libc::sem_post(sem) }));
    let _ = report_failure(c"V", outcome);
}

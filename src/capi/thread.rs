//! Threads

use core::ffi::c_void;
use core::ptr;

use libc::{pthread_attr_t, pthread_t};

use super::checked::{
    BY_CODE, FAULT, NON_NULL, THREAD, attempt_code, keep_errno, non_null, report_failure, wrap,
};
use super::handler;
use crate::sys::undeclared::pthread_once_t;
use crate::sys::{self, undeclared};

/// Starts a thread that runs `routine` with the argument `argp` and the attributes `attrp`
/// (NULL: the default ones), and stores its ID at `tidp`.
///
/// [CS:APP 3e, section 12.3.2; POSIX, pthread_create]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_create(
    tidp: *mut pthread_t,
    attrp: *const pthread_attr_t,
    routine: Option<unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void>,
    argp: *mut c_void,
) {
    handler::choose();
    let outcome = non_null(tidp).and(routine.ok_or(FAULT)).and_then(|_| {
        // SAFETY: the caller's structures and routine.
        attempt_code(|| unsafe { undeclared::pthread_create(tidp, attrp, routine, argp) })
    });
    let _ = report_failure(c"Pthread_create", outcome);
}

/// Waits until the thread `tid` ends, and stores its return value at `thread_return`, unless
/// that is NULL.
///
/// [CS:APP 3e, section 12.3.4; POSIX, pthread_join]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_join(tid: pthread_t, thread_return: *mut *mut c_void) {
    wrap!(
        c"Pthread_join",
        libc::pthread_join(tid, thread_return),
        BY_CODE | THREAD
    );
}

/// Asks the thread `tid` to end.
///
/// [CS:APP 3e, section 12.3.3; POSIX, pthread_cancel]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cancel(tid: pthread_t) {
    wrap!(
        c"Pthread_cancel",
        undeclared::pthread_cancel(tid),
        BY_CODE | THREAD
    );
}

/// Detaches the thread `tid`: its resources are freed when it ends, and no thread can join it.
///
/// [CS:APP 3e, section 12.3.5; POSIX, pthread_detach]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_detach(tid: pthread_t) {
    wrap!(
        c"Pthread_detach",
        libc::pthread_detach(tid),
        BY_CODE | THREAD
    );
}

/// Ends the calling thread with the return value `retval`, after running its clean-up handlers.
/// Cannot fail.
///
/// [CS:APP 3e, section 12.3.3; POSIX, pthread_exit]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_exit(retval: *mut c_void) -> ! {
    // SAFETY: the caller's value.
    unsafe { sys::exit_thread(retval) }
}

/// Returns the ID of the calling thread. Cannot fail.
///
/// [CS:APP 3e, section 12.3.2; POSIX, pthread_self]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_self() -> pthread_t {
    // SAFETY: pthread_self takes nothing.
    keep_errno(|| unsafe { libc::pthread_self() })
}

/// Calls `init_function` exactly once per `once_control`.
///
/// [CS:APP 3e, section 12.3.6; POSIX, pthread_once]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_once(
    once_control: *mut pthread_once_t,
    init_function: Option<unsafe extern "C-unwind" fn()>,
) {
    let routine = init_function.map_or(ptr::null(), |routine| routine as *const c_void);
    wrap!(
        c"Pthread_once",
        undeclared::pthread_once(once_control, routine),
        BY_CODE | NON_NULL[0] | NON_NULL[1]
    );
}

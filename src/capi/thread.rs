//! Threads

use core::ffi::c_void;

use libc::{pthread_attr_t, pthread_t};

use super::{unfailing, wrapped_code};
use crate::report;
use crate::sys::undeclared::pthread_once_t;
use crate::sys::{self, undeclared};

/// Whether a pthread_t is one that nothing was stored in; to libc it is the address of a thread.
#[allow(clippy::unnecessary_cast)] // here a number, there a pointer
fn is_no_thread(tid: pthread_t) -> bool {
    tid as usize == 0
}

/// pthread_create, checked: runs `routine(argp)` in a new thread with the attributes `attrp` (NULL: the
/// usual ones), and stores its ID at `tidp`. [CS:APP 3e, section 12.3.2; POSIX, pthread_create]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_create(
    tidp: *mut pthread_t,
    attrp: *const pthread_attr_t,
    routine: Option<unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void>,
    argp: *mut c_void,
) {
    report::settle_handler();
    // SAFETY: the caller's structures and routine.
    wrapped_code(c"Pthread_create error", || unsafe {
        match routine {
            Some(_) => {
                given!(tidp => undeclared::pthread_create(tidp, attrp, routine, argp), or libc::EFAULT)
            }
            None => libc::EFAULT,
        }
    });
}

/// pthread_join, checked: waits until the thread `tid` ends, and stores what it returned at
/// `thread_return` (unless NULL). [CS:APP 3e, section 12.3.4; POSIX, pthread_join]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_join(tid: pthread_t, thread_return: *mut *mut c_void) {
    // SAFETY: the caller's thread and room.
    wrapped_code(c"Pthread_join error", || unsafe {
        if is_no_thread(tid) {
            libc::ESRCH
        } else {
            libc::pthread_join(tid, thread_return)
        }
    });
}

/// pthread_cancel, checked: asks the thread `tid` to end. [CS:APP 3e, section 12.3.3; POSIX,
/// pthread_cancel]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_cancel(tid: pthread_t) {
    // SAFETY: the caller's thread.
    wrapped_code(c"Pthread_cancel error", || unsafe {
        if is_no_thread(tid) {
            libc::ESRCH
        } else {
            undeclared::pthread_cancel(tid)
        }
    });
}

/// pthread_detach, checked: nobody will wait for the thread `tid`; what it uses goes when it ends.
/// [CS:APP 3e, section 12.3.5; POSIX, pthread_detach]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_detach(tid: pthread_t) {
    // SAFETY: the caller's thread.
    wrapped_code(c"Pthread_detach error", || unsafe {
        if is_no_thread(tid) {
            libc::ESRCH
        } else {
            libc::pthread_detach(tid)
        }
    });
}

/// pthread_exit: ends the calling thread, which returns `retval`. Its clean-up handlers run.
/// [CS:APP 3e, section 12.3.3; POSIX, pthread_exit]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_exit(retval: *mut c_void) -> ! {
    // SAFETY: the caller's value.
    unsafe { sys::exit_thread(retval) }
}

/// pthread_self: the ID of the calling thread. [CS:APP 3e, section 12.3.2; POSIX, pthread_self]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_self() -> pthread_t {
    // SAFETY: pthread_self takes nothing.
    unfailing(|| unsafe { libc::pthread_self() })
}

/// pthread_once, checked: calls `init_function` unless somebody has done so by `once_control` before.
/// [CS:APP 3e, section 12.3.6; POSIX, pthread_once]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pthread_once(
    once_control: *mut pthread_once_t,
    init_function: Option<unsafe extern "C-unwind" fn()>,
) {
    // SAFETY: the caller's control and function.
    wrapped_code(c"Pthread_once error", || unsafe {
        match init_function {
            Some(_) => {
                given!(once_control => undeclared::pthread_once(once_control, init_function), or libc::EFAULT)
            }
            None => libc::EFAULT,
        }
    });
}

//! Cancellation, and the clean-up of a call that does not return.

use core::ffi::c_int;

/// Makes `call`, which does not wait long. The thread can be cancelled only after it.
pub(super) fn uncancelled<T>(call: impl FnOnce() -> T) -> T {
    let before = set_cancel_state(PTHREAD_CANCEL_DISABLE);
    // SAFETY: should a handler jump out, the thread can be cancelled again at any time.
    let value = unsafe { with_cleanup(&before, restore_cancel_state, call) };
    set_cancel_state(before);
    value
}

/// As <pthread.h> has it.
const PTHREAD_CANCEL_DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

/// Sets whether the calling thread can be cancelled, and returns the previous state.
fn set_cancel_state(state: c_int) -> c_int {
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let mut before = 0;
    // SAFETY: `before` can be stored to.
    unsafe { pthread_setcancelstate(state, &mut before) };
    before
}

extern "C" fn restore_cancel_state(before: &c_int) {
    set_cancel_state(*before);
}

/// Makes `call`. If it does not return (its thread is cancelled or exits, or a signal handler jumps out of it), calls
/// `clean_up` with the current `state`, whose variable parts are in cells.
///
/// pthread_cleanup_push of older glibc versions used the same functions. Unlike today's version, they tell
/// siglongjmp which clean-ups it jumps over, so that no dead frame stays registered, and they need no sigsetjmp.
///
/// # Safety
/// `clean_up(state)` must be sound at any point of `call`, if nothing of `call` or its caller runs
/// afterwards.
#[cfg(target_env = "gnu")]
pub unsafe fn with_cleanup<S, T>(
    state: &S,
    clean_up: unsafe extern "C" fn(&S),
    call: impl FnOnce() -> T,
) -> T {
    use core::ffi::c_void;
    use core::mem::{self, MaybeUninit};
    use core::ptr;

    type Routine = unsafe extern "C" fn(*mut c_void);
    /// struct _pthread_cleanup_buffer of <pthread.h>
    #[repr(C)]
    struct Buffer {
        routine: Option<Routine>,
        argument: *mut c_void,
        cancel_type: c_int,
        previous: *mut Buffer,
    }
    unsafe extern "C" {
        fn _pthread_cleanup_push(buffer: *mut Buffer, routine: Routine, argument: *mut c_void);
        fn _pthread_cleanup_pop(buffer: *mut Buffer, is_to_be_run: c_int);
    }
    // SAFETY: a thin reference is passed as a pointer is.
    let routine = unsafe { mem::transmute::<unsafe extern "C" fn(&S), Routine>(clean_up) };
    let mut buffer = MaybeUninit::uninit();
    let buffer = buffer.as_mut_ptr();
    // SAFETY: push fills the buffer in; that and `state` live until pop, or until the routine has run.
    unsafe { _pthread_cleanup_push(buffer, routine, ptr::from_ref(state).cast_mut().cast()) };
    let value = call();
    // SAFETY: it is the last one pushed, since `call` has popped its own.
    unsafe { _pthread_cleanup_pop(buffer, 0) };
    value
}

/// Makes `call`. If it does not return, the descriptors that it has opened stay open: on this system, a jump
/// would leave a dead frame registered.
#[cfg(not(target_env = "gnu"))]
#[allow(clippy::missing_safety_doc)] // as above
pub unsafe fn with_cleanup<S, T>(
    _: &S,
    _: unsafe extern "C" fn(&S),
    call: impl FnOnce() -> T,
) -> T {
    call()
}

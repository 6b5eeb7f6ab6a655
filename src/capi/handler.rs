//! What follows a failure: a line that says what failed, and the error handler, which receives the line and ends the
//! program, the thread or only the call (CS:APP 3e, section 8.3 and appendix A).

use core::ffi::{CStr, c_char};
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::ext::{
    csapp_error_abort, csapp_error_exit, csapp_error_return, csapp_error_thread_exit,
};
use crate::report::{self, Part, Reason, parts};
use crate::sys::{self, Errno};

/// An error handler, which receives the line. Declared "C-unwind" because it may end its thread.
pub type Handler = unsafe extern "C-unwind" fn(message: *const c_char);

/// A handler as C passes it, possibly NULL.
pub type HandlerPointer = Option<Handler>;

/// The error handler. Null until its first use, when the environment chooses it.
static HANDLER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// The environment variable that chooses the first handler.
const ON_ERROR: &CStr = c"CSAPP_ON_ERROR";

/// Sets `errno`, and calls the error handler with `message: reason`. If the handler returns, sets `errno` to the reason
/// again and returns.
#[cold]
#[inline(never)]
pub(super) fn fail(message: &CStr, reason: Reason) {
    fail_on(&parts![message], reason);
}

/// [`fail`], with a message in parts, one of which may be the file or the host.
#[cold]
#[inline(never)]
pub(super) fn fail_on(message: &[Part], reason: Reason) {
    sys::set_errno(reason.errno().unwrap_or(sys::errno()));
    tell(message, reason);
}

/// [`fail`], with `errno` unchanged.
#[cold]
#[inline(never)]
pub(super) fn report(message: &CStr, reason: Reason) {
    tell(&parts![message], reason);
}

/// [`report`], with the reason in `errno`.
#[cold]
#[inline(never)]
pub(super) fn report_errno(message: &CStr) {
    report(message, Reason::Errno(sys::errno()));
}

/// [`report`], with a message in parts.
#[cold]
#[inline(never)]
pub(super) fn tell(message: &[Part], reason: Reason) {
    let errno = sys::errno();
    report::with_line(message, reason, &mut |line| {
        // SAFETY: the handler is a ready-made one, or what the program gave us as one.
        unsafe { handler()(line.as_ptr()) }
    });
    sys::set_errno(errno);
}

/// [`fail`], for a call that may have been made in a signal handler. There the default handler's exit could wait
/// forever, for a lock of stdio or in a function that atexit registered.
#[cold]
#[inline(never)]
pub(super) fn fail_in_signal_handler(message: &CStr, reason: Errno) {
    if is(handler(), csapp_error_exit) {
        report::with_line(&parts![message], reason.into(), &mut report::write_line);
        sys::exit_at_once(1);
    }
    fail(message, reason.into());
}

/// Replaces the error handler, and returns the previous one.
pub(super) fn set(new: Handler) -> Handler {
    // Chooses the environment's handler if there is none yet: it is the previous one then.
    handler();
    // The preparation allocates memory, which a signal handler must not do.
    if may_end_thread(new) && !sys::may_be_in_signal_handler() {
        sys::prepare_to_exit_threads();
    }
    let before = HANDLER.swap(new as *mut (), Ordering::AcqRel);
    // SAFETY: `handler` has seen to it that what was stored is a Handler.
    unsafe { mem::transmute::<*mut (), Handler>(before) }
}

/// Lets the environment choose the handler, unless there is one, and prepares for it while memory and descriptors are free.
pub(super) fn choose() {
    if may_end_thread(handler()) {
        sys::prepare_to_exit_threads();
    }
}

/// Whether a handler may end its thread, as any handler of the program may.
fn may_end_thread(handler: Handler) -> bool {
    let others: [Handler; 3] = [csapp_error_exit, csapp_error_return, csapp_error_abort];
    !others.iter().any(|&other| is(handler, other))
}

fn is(one: Handler, other: Handler) -> bool {
    one as *const () == other as *const ()
}

/// The error handler in force.
fn handler() -> Handler {
    let current = HANDLER.load(Ordering::Acquire);
    if !current.is_null() {
        // SAFETY: only `set` and the line below store here, and they store a Handler.
        return unsafe { mem::transmute::<*mut (), Handler>(current) };
    }
    let (first, refused) = first();
    // Another thread may do the same at this moment. The handler that is stored first counts.
    let stored = HANDLER.compare_exchange(
        ptr::null_mut(),
        first as *mut (),
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    if let (Ok(_), Some(choice)) = (stored, refused) {
        let why = c" is none of exit, return, thread_exit, abort; taken as exit";
        let message = parts![ON_ERROR, c"=", choice, why];
        report::with_line(&message, Reason::Unsaid, &mut report::write_line);
    }
    handler()
}

/// Returns the handler that the environment chooses, or the one that ends the program. Also returns the value of the
/// variable, if it is not valid.
fn first() -> (Handler, Option<&'static CStr>) {
    let Some(choice) = sys::environment(ON_ERROR) else {
        return (csapp_error_exit, None);
    };
    // No patterns, which the compiler compares a byte at a time.
    match choice {
        name if name == c"exit" => (csapp_error_exit, None),
        name if name == c"return" => (csapp_error_return, None),
        name if name == c"thread_exit" => (csapp_error_thread_exit, None),
        name if name == c"abort" => (csapp_error_abort, None),
        _ => (csapp_error_exit, Some(choice)),
    }
}

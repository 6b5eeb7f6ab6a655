//! What happens after a failure: the line on standard error, and the error handler, which ends the program, the thread
//! or only the call (CS:APP 3e, section 8.3 and appendix A).

use core::ffi::CStr;
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::ext::{csapp_error_exit, csapp_error_return, csapp_error_thread_exit};
use crate::report::{self, Reason};
use crate::sys::{self, Errno};

/// What runs after a report. Declared "C-unwind" because it may end its thread.
pub type Handler = unsafe extern "C-unwind" fn();

/// A handler as C hands it over, NULL included.
pub type HandlerPointer = Option<Handler>;

/// The error handler. Null until it is first asked for: then the environment chooses.
static HANDLER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// The environment variable that chooses the first handler.
const ON_ERROR: &CStr = c"CSAPP_ON_ERROR";

/// Sets `errno`, writes `message: reason` to standard error and runs the error handler. If that returns, so does
/// this, and `errno` is the reason again.
#[cold]
pub(super) fn fail(message: &CStr, reason: Reason) {
    if let Reason::Errno(errno) = reason {
        sys::set_errno(errno);
    }
    report(message, reason);
}

/// Reports what `errno` says.
#[cold]
pub(super) fn report_errno(message: &CStr) {
    report(message, Reason::Errno(sys::errno()));
}

/// [`fail`], with `errno` as it is.
#[cold]
pub(super) fn report(message: &CStr, reason: Reason) {
    let errno = sys::errno();
    report::write_line(&[message], reason);
    // SAFETY: the handler is a ready-made one, or what the program gave us as one.
    unsafe { handler()() };
    sys::set_errno(errno);
}

/// [`fail`], for a call that may have been made in a signal handler. There the default handler's exit, with stdio's
/// locks and what atexit registered, could wait for ever.
#[cold]
pub(super) fn fail_in_signal_handler(message: &CStr, reason: Errno) {
    if handler() as usize == csapp_error_exit as *const () as usize {
        report::write_line(&[message], Reason::Errno(reason));
        sys::exit_at_once(1);
    }
    fail(message, Reason::Errno(reason));
}

/// Replaces the error handler and returns the one before.
pub(super) fn set(new: Handler) -> Handler {
    // Without this, the one before could be the environment's, not yet chosen.
    handler();
    // A handler of the program's own may end its thread as well.
    let never_do = [
        csapp_error_exit as *const (),
        csapp_error_return as *const (),
    ];
    if !never_do.contains(&(new as *const ())) {
        sys::prepare_to_exit_threads();
    }
    let before = HANDLER.swap(new as *mut (), Ordering::AcqRel);
    // SAFETY: `handler` has seen to it that what was stored is a Handler.
    unsafe { mem::transmute::<*mut (), Handler>(before) }
}

/// Lets the environment choose the handler, unless there is one: before something can be short.
pub(super) fn settle() {
    handler();
}

/// The error handler in force.
fn handler() -> Handler {
    let current = HANDLER.load(Ordering::Acquire);
    if !current.is_null() {
        // SAFETY: only `set` and the line below store here, and they store a Handler.
        return unsafe { mem::transmute::<*mut (), Handler>(current) };
    }
    let (first, refused) = first();
    // Another thread may have done the same meanwhile; the one that stores it has the word.
    let stored = HANDLER.compare_exchange(
        ptr::null_mut(),
        first as *mut (),
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    if let (Ok(_), Some(choice)) = (stored, refused) {
        let why = c" is none of exit, return, thread_exit; taken as exit";
        report::write_line(&[ON_ERROR, c"=", choice, why], Reason::Unsaid);
    }
    handler()
}

/// The handler that the environment asks for, or the one that ends the program; and the variable's value, if it is not
/// one of those it may have.
fn first() -> (Handler, Option<&'static CStr>) {
    let Some(choice) = sys::environment(ON_ERROR) else {
        return (csapp_error_exit, None);
    };
    match choice.to_bytes() {
        b"exit" => (csapp_error_exit, None),
        b"return" => (csapp_error_return, None),
        b"thread_exit" => {
            sys::prepare_to_exit_threads();
            (csapp_error_thread_exit, None)
        }
        _ => (csapp_error_exit, Some(choice)),
    }
}

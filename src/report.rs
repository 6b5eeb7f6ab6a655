//! Telling the user what failed (CS:APP 3e, section 8.3 and appendix A), and ending the
//! program, the thread or only the call, as the error handler says.

use core::ffi::{CStr, c_int};
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

// The ready-made handlers are exported functions: a program compares what it gets back with their names.
use crate::capi::ext::{csapp_error_exit, csapp_error_return, csapp_error_thread_exit};
use crate::rio;
use crate::sys::{self, Errno, Unresolved};

/// The second half of a report, after the message and a colon.
#[derive(Debug, Clone, Copy)]
pub enum Reason {
    /// The text of an errno value.
    Errno(Errno),
    /// The text of one of getaddrinfo's codes.
    Resolver(Unresolved),
    /// The text of `h_errno`.
    Host,
    /// Nothing: the message says it all.
    Unsaid,
}

/// What runs after a report. Declared "C-unwind" because it may end its thread.
pub type Handler = unsafe extern "C-unwind" fn();

/// A handler as C hands it over, NULL included.
pub type HandlerPointer = Option<Handler>;

/// The error handler. Null until somebody asks: then the environment decides.
static HANDLER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// The environment variable that chooses the first handler.
const ON_ERROR: &CStr = c"CSAPP_ON_ERROR";

/// Writes `msg: reason` to standard error and runs the error handler. If that returns, so
/// does this, and `errno` is what it was.
#[cold]
pub fn report(msg: &CStr, reason: Reason) {
    let before = sys::errno();
    write_line(&[msg], reason);
    // SAFETY: the handler is one of the ready-made three, or what the program gave us as one.
    unsafe { handler()() };
    sys::set_errno(before);
}

/// [`report`], for a call that may have been made in a signal handler. There the default handler's
/// exit, with stdio's locks and what atexit registered, could wait for ever.
#[cold]
pub fn report_in_signal_handler(msg: &CStr, reason: Errno) {
    let current = handler();
    if current as usize == csapp_error_exit as *const () as usize {
        write_line(&[msg], Reason::Errno(reason));
        sys::exit_at_once(1);
    }
    report(msg, Reason::Errno(reason));
}

/// The most parts of a message.
const MOST_PARTS: usize = 5;

/// Writes `msg: reason`, or just the message, as one line to standard error, however long it is by
/// one system call, so that the lines of threads and processes do not mix. A failure to do so stays
/// unsaid: there is nowhere left to say it. `errno` stays as it is.
pub fn write_line(msg: &[&CStr], reason: Reason) {
    debug_assert!(msg.len() <= MOST_PARTS);
    let mut text = [0; sys::ERROR_TEXT];
    let reason = match reason {
        Reason::Errno(reason) => Some(sys::error_text(reason, &mut text)),
        Reason::Resolver(why) if why.code == libc::EAI_SYSTEM => {
            Some(sys::error_text(why.errno, &mut text))
        }
        Reason::Resolver(why) => Some(sys::resolver_text(why.code)),
        Reason::Host => Some(sys::host_text()),
        Reason::Unsaid => None,
    };
    let mut line: [&[u8]; MOST_PARTS + 3] = [b""; MOST_PARTS + 3];
    for (piece, part) in line.iter_mut().zip(msg) {
        *piece = part.to_bytes();
    }
    if let Some(reason) = reason {
        line[MOST_PARTS] = b": ";
        line[MOST_PARTS + 1] = reason.to_bytes();
    }
    line[MOST_PARTS + 2] = b"\n";
    let _ = rio::writen_together(libc::STDERR_FILENO, line);
}

/// Replaces the error handler and returns the one before.
pub fn set_handler(new: Handler) -> Handler {
    // Were it the first word about the handler, the environment's would have to go before it.
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
pub fn settle_handler() {
    handler();
}

/// The error handler in force.
fn handler() -> Handler {
    let current = HANDLER.load(Ordering::Acquire);
    if !current.is_null() {
        // SAFETY: only `set_handler` and the line below store here, and they store a Handler.
        return unsafe { mem::transmute::<*mut (), Handler>(current) };
    }
    let (first, refused) = first_handler();
    // Another thread may have done the same meanwhile; the one that stores it has the word.
    let stored = HANDLER.compare_exchange(
        ptr::null_mut(),
        first as *mut (),
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    if let (Ok(_), Some(choice)) = (stored, refused) {
        let why = c" is none of exit, return, thread_exit; taken as exit";
        write_line(&[ON_ERROR, c"=", choice, why], Reason::Unsaid);
    }
    handler()
}

/// The handler that the environment asks for, or without its word the one that ends the program; and the
/// environment's word, where that is none of those it may say.
fn first_handler() -> (Handler, Option<&'static CStr>) {
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

/// getaddrinfo's code as a reason.
pub fn resolver_reason(code: c_int) -> Reason {
    Reason::Resolver(Unresolved {
        code,
        errno: sys::errno(),
    })
}

//! Beyond the book

use core::ffi::{c_char, c_int, c_uint, c_void};

use libc::{size_t, sockaddr, socklen_t, ssize_t};

use super::handler::{self, HandlerPointer};
use super::net::{self, OnFailure};
use super::rio::traced;
use super::{optional, or_minus_one, rio};
use crate::net::Listening;
use crate::report;
use crate::rio::{Kernel, line, rio_t};
use crate::sys::{self, Deadline, Errno, PeerRoom};

/// One socket for IPv6 and IPv4 together (clears IPV6_V6ONLY; RFC 3493, section 5.3).
pub const CSAPP_DUALSTACK: c_uint = 1;

/// Several listening sockets on one port, one per worker; the kernel spreads the connections
/// over them (SO_REUSEPORT, socket(7)).
pub const CSAPP_REUSEPORT: c_uint = 2;

/// Sets the error handler of the process: the function that is called when a checked wrapper fails or one of the
/// _error functions is called. NULL stands for csapp_error_exit. May be called at any time, from any thread, and in
/// a signal handler.
///
/// The handler gets the message, "Name error: reason" without a newline, and decides everything: whether and where
/// the message is written, and whether the program ends. errno has the reason. If it returns, the failed call
/// returns its failing value (-1 or NULL) with errno as it was. It may end its thread or the process, or
/// siglongjmp out. The message is valid until the handler returns; copy what is to be kept. The ready-made
/// handlers below may be called by a handler of the program's own.
///
/// Without a call, the environment variable CSAPP_ON_ERROR chooses: exit (the default), return, thread_exit or
/// abort. It is read once, by the first open_listenfd, csapp_listen, Pthread_create or failure, and not in a
/// program that runs with more rights than its user.
///
/// Returns the handler that was in force before.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_set_error_handler(handler: HandlerPointer) -> HandlerPointer {
    Some(handler::set(handler.unwrap_or(csapp_error_exit)))
}

/// The default error handler: writes `message` as one line to standard error (NULL: writes nothing), and ends the
/// program by exit(1), so that stdio's buffers are written and a shell sees the failure. If another thread is ending
/// the program this way already, waits for the end.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_error_exit(message: *const c_char) {
    // SAFETY: a C string or NULL.
    unsafe { write(message) };
    sys::exit(1)
}

/// An error handler that writes `message` as one line to standard error (NULL: writes nothing) and returns: the
/// failed wrapper returns its failing value (-1 or NULL) with errno set, and the program goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_error_return(message: *const c_char) {
    // SAFETY: a C string or NULL.
    unsafe { write(message) };
}

/// An error handler that writes `message` as one line to standard error (NULL: writes nothing) and ends only the
/// calling thread, as pthread_exit(NULL) does: its clean-up handlers run. Descriptors that the thread had
/// opened stay open. If the system cannot end a thread (glibc without its libgcc_s.so.1), ends the program as
/// csapp_error_exit does.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_error_thread_exit(message: *const c_char) {
    // SAFETY: a C string or NULL.
    unsafe { write(message) };
    if !sys::prepare_to_exit_threads() {
        sys::exit(1);
    }
    // SAFETY: nobody can do anything with NULL.
    unsafe { sys::exit_thread(core::ptr::null_mut()) }
}

/// An error handler for debugging: writes `message` as one line to standard error (NULL: writes nothing) and calls
/// abort(), which leaves a core or stops a debugger, with the failed call on the stack.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_error_abort(message: *const c_char) {
    // SAFETY: a C string or NULL.
    unsafe { write(message) };
    sys::abort()
}

/// # Safety
/// `message` must be a C string or NULL.
unsafe fn write(message: *const c_char) {
    // SAFETY: the caller's promise.
    if let Some(message) = unsafe { optional(message) } {
        report::write_line(message);
    }
}

/// open_clientfd with a time limit of `timeout_ms` milliseconds from the call on, for all
/// addresses together; negative: none. A look-up of names counts but cannot be cut short.
///
/// Returns what open_clientfd returns, and -1 with errno ETIMEDOUT when time is up.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_connect(
    host: *const c_char,
    port: *const c_char,
    timeout_ms: c_int,
) -> c_int {
    // SAFETY: both are C strings or NULL.
    unsafe { net::client(host, port, timeout_ms, &OnFailure::Plain) }
}

/// open_listenfd on one address of one host only, the first of "localhost", say, (NULL: on all of this
/// machine's), with a queue of `backlog` connections (below 1: LISTENQ), and with
/// `flags` 0 or any of:
///   CSAPP_DUALSTACK  IPv6 and IPv4 on one socket; where there is no IPv6, IPv4 alone. Without
///                    it, an IPv6 socket takes IPv6 alone, unless host is NULL and this machine
///                    is in no IPv4 network
///   CSAPP_REUSEPORT  let other sockets with this flag share the port
///
/// Returns what open_listenfd returns, and -1 with errno EINVAL for any other flag.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_listen(
    host: *const c_char,
    port: *const c_char,
    backlog: c_int,
    flags: c_uint,
) -> c_int {
    if flags & !(CSAPP_DUALSTACK | CSAPP_REUSEPORT) != 0 {
        sys::set_errno(Errno(libc::EINVAL));
        return -1;
    }
    let how = Listening {
        backlog: if backlog < 1 { net::LISTENQ } else { backlog },
        reuse_port: flags & CSAPP_REUSEPORT != 0,
        dual_stack: Some(flags & CSAPP_DUALSTACK != 0),
    };
    // SAFETY: both are C strings or NULL.
    unsafe { net::listener(host, port, how, &OnFailure::Plain) }
}

/// Accepts a connection from the listening socket `listenfd`, and waits `timeout_ms` milliseconds for one
/// (0: takes only one that is there already; negative: no limit). Stores the other end's address at `addr`,
/// unless that is NULL, and the address's length at `addrlen`, which holds the size of the room
/// before. Unlike Accept, does not restart if a signal interrupts it. A connection that its client has
/// given up meanwhile is no error (accept(2), Error handling). Works on blocking and O_NONBLOCK sockets.
/// On a blocking one from which others accept too, by other calls than this, such a call may take the
/// connection at the last moment; then this call waits on for the next one, past its limit.
///
/// Returns the connection's descriptor, which is close-on-exec and the caller's to close; or -1 with
/// errno, and the connection, if there is one, waits for the next call:
///   ETIMEDOUT  no connection in time
///   EINTR  a signal handler ran
///   EMFILE, ENFILE  no free descriptor
///   EFAULT  addr is not NULL, and addrlen is
///   EINVAL  listenfd does not listen; or the length at addrlen is negative
///   others  as accept(2) has them
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_accept(
    listenfd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    timeout_ms: c_int,
) -> c_int {
    // SAFETY: the caller's room for the address, or NULL.
    let outcome = unsafe { PeerRoom::new(addr, addrlen) }
        .and_then(|peer| crate::net::accept(listenfd, peer, Deadline::from_timeout(timeout_ms)));
    outcome.unwrap_or_else(|reason| {
        sys::set_errno(reason);
        -1
    })
}

/// rio_readlineb with a time limit for the whole line, of `timeout_ms` milliseconds from the call on; 0: takes a line only
/// if it is there already; negative: no limit. Unlike rio_readlineb, waits on an O_NONBLOCK descriptor, and does not restart
/// if a signal interrupts it. Does not change the descriptor's flags.
///
/// Returns what rio_readlineb returns; and -1 with errno, and nothing consumed, so that the next call finds the line from
/// its start:
///   ETIMEDOUT  time is up; never sooner than the limit
///   EINTR  a signal handler ran
/// A descriptor that is neither a socket nor O_NONBLOCK, such as a pipe, is read once bytes are there. If another process
/// takes them first, the call waits on, past its limit. [POSIX, poll and recv]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_readlineb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    maxlen: size_t,
    timeout_ms: c_int,
) -> ssize_t {
    traced!(readlineb(rp, usrbuf, maxlen, timeout_ms))
}

#[inline(never)]
unsafe fn readlineb(rp: *mut rio_t, usrbuf: *mut c_void, maxlen: usize, timeout: c_int) -> ssize_t {
    // SAFETY: as rio_readlineb.
    unsafe { line::readlineb(rp, usrbuf, maxlen, timeout.max(-1), rio::wait_for_line) }
}

/// rio_readnb with a time limit for all n bytes, as csapp_readlineb has it for a line. After ETIMEDOUT or EINTR the next call
/// finds the bytes that had come; if those were more than RIO_BUFSIZE, it has to be the same call, as with rio_readnb.
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_readnb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    n: size_t,
    timeout_ms: c_int,
) -> ssize_t {
    traced!(readnb(rp, usrbuf, n, timeout_ms))
}

#[inline(never)]
unsafe fn readnb(rp: *mut rio_t, usrbuf: *mut c_void, n: usize, timeout: c_int) -> ssize_t {
    // SAFETY: as rio_readnb.
    unsafe { rio::readnb(rp, usrbuf, n, timeout.max(-1), rio::wait_for_bytes) }
}

/// rio_readn with a time limit for all n bytes, as csapp_readlineb has it for a line. Stores at `moved`, unless that is NULL,
/// how many bytes have come, whatever the result: those are in usrbuf, and the next call is to ask for the rest.
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_readn(
    fd: c_int,
    usrbuf: *mut c_void,
    n: size_t,
    timeout_ms: c_int,
    moved: *mut size_t,
) -> ssize_t {
    traced!(readn(fd, usrbuf, n, timeout_ms, moved))
}

#[inline(never)]
unsafe fn readn(
    fd: c_int,
    usrbuf: *mut c_void,
    n: usize,
    timeout: c_int,
    moved: *mut usize,
) -> ssize_t {
    let source = Kernel::InTime(Deadline::from_timeout(timeout));
    // SAFETY: usrbuf is writable for what comes, or NULL.
    let (come, outcome) = unsafe { rio::try_readn(source, fd, usrbuf, n) };
    // SAFETY: the caller's size_t, or NULL.
    unsafe { store(moved, come) };
    or_minus_one(outcome)
}

/// rio_writen with a time limit for all n bytes, as csapp_readlineb has it for a line. Stores at `moved`, unless that is NULL,
/// how many bytes have been written, whatever the result. Raises no SIGPIPE on a socket. A pipe or terminal that is not
/// O_NONBLOCK is written to once it takes bytes; a terminal may take fewer than it said, and make the call wait past its limit.
/// cbindgen:prefix=CSAPP_READS(2, 3)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_writen(
    fd: c_int,
    usrbuf: *const c_void,
    n: size_t,
    timeout_ms: c_int,
    moved: *mut size_t,
) -> ssize_t {
    traced!(writen(fd, usrbuf, n, timeout_ms, moved))
}

#[inline(never)]
unsafe fn writen(
    fd: c_int,
    usrbuf: *const c_void,
    n: usize,
    timeout: c_int,
    moved: *mut usize,
) -> ssize_t {
    let sink = Kernel::InTime(Deadline::from_timeout(timeout));
    // SAFETY: usrbuf is readable for n bytes, or NULL.
    let (gone, outcome) = unsafe { rio::try_writen(sink, fd, usrbuf, n) };
    // SAFETY: the caller's size_t, or NULL.
    unsafe { store(moved, gone) };
    or_minus_one(outcome)
}

/// # Safety
/// `at` must be NULL or writable.
unsafe fn store(at: *mut size_t, count: usize) {
    if !at.is_null() {
        sys::about_to_store(at.cast(), size_of::<size_t>());
        // SAFETY: the caller's promise.
        unsafe { at.write(count) };
    }
}

/// The version of the library that the program runs with, as "1.0.0". CSAPP_VERSION is that of the header it was
/// compiled with.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn csapp_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

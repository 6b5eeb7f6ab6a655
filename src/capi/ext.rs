//! Beyond the book

use core::ffi::{c_char, c_int, c_uint, c_void};

use libc::{size_t, sockaddr, socklen_t, ssize_t};

use super::handler::{self, HandlerPointer};
use super::net::{self, OnFailure};
use super::rio::traced;
use super::{minus_one, optional, or_minus_one, rio};
use crate::net::Listening;
use crate::report;
use crate::rio::{Kernel, Moved, line, rio_t};
use crate::sys::{self, Deadline, Errno, PeerRoom};

/// A flag of csapp_listen: one socket for IPv6 and IPv4 (clears IPV6_V6ONLY; RFC 3493, section
/// 5.3). Without IPv6, the socket takes IPv4 alone.
pub const CSAPP_DUALSTACK: c_uint = 1;

/// A flag of csapp_listen: several sockets listen on one port, such as one per worker, and the
/// kernel spreads the connections over them (SO_REUSEPORT).
pub const CSAPP_REUSEPORT: c_uint = 2;

/// Sets the error handler of the process to `handler`, or to csapp_error_exit if that is NULL.
///
/// The library calls the error handler when a checked wrapper fails, or when the program calls
/// one of the _error functions. The handler receives the message, such as "Name error: reason",
/// without a newline; errno holds the reason. The handler decides whether and where to write the
/// message, and whether to end the program. If it returns, the failed wrapper returns its
/// failure value. It may also end its thread, or leave by siglongjmp. The message is valid until
/// the handler returns. A handler may call the ready-made handlers below.
///
/// Until the first call, the environment variable CSAPP_ON_ERROR chooses the handler: exit (the
/// default), return, thread_exit or abort. It is read once, by the first open_listenfd,
/// csapp_listen, Pthread_create or failure; a program that runs with more rights than its user
/// ignores it.
///
/// May be called at any time, from any thread, and in a signal handler. Cannot fail.
///
/// Returns the previous handler.
///
/// [libcsapp 1.0]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_set_error_handler(handler: HandlerPointer) -> HandlerPointer {
    Some(handler::set(handler.unwrap_or(csapp_error_exit)))
}

/// Writes `message` as one line to standard error, and ends the program by exit(1): the default
/// error handler.
///
/// Writes nothing if `message` is NULL. exit writes what stdio has buffered. If another thread
/// is already ending the program in this way, waits for the end.
///
/// [libcsapp 1.0]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_error_exit(message: *const c_char) {
    // SAFETY: a C string or NULL.
    unsafe { write(message) };
    sys::exit(1)
}

/// Writes `message` as one line to standard error, and returns: an error handler that lets the
/// program continue.
///
/// Writes nothing if `message` is NULL. The failed wrapper then returns its failure value.
///
/// [libcsapp 1.0]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_error_return(message: *const c_char) {
    // SAFETY: a C string or NULL.
    unsafe { write(message) };
}

/// Writes `message` as one line to standard error, and ends only the calling thread, as
/// pthread_exit(NULL) does: an error handler for servers with a thread per client.
///
/// Writes nothing if `message` is NULL. The thread's clean-up handlers run; descriptors that it
/// has opened stay open. If the system cannot end a thread (glibc without libgcc_s.so.1), ends
/// the program as csapp_error_exit does.
///
/// [libcsapp 1.0]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_error_thread_exit(message: *const c_char) {
    // SAFETY: a C string or NULL.
    unsafe { write(message) };
    if !sys::prepare_to_exit_threads() {
        sys::exit(1);
    }
    // SAFETY: NULL points to nothing.
    unsafe { sys::exit_thread(core::ptr::null_mut()) }
}

/// Writes `message` as one line to standard error, and calls abort: an error handler for
/// debugging.
///
/// Writes nothing if `message` is NULL. A core file or a debugger shows the failed call on the
/// stack.
///
/// [libcsapp 1.0]
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

/// Connects to the port `port` of the host `host`, as open_clientfd does, within `timeout_ms`
/// milliseconds.
///
/// The limit holds for all addresses together; a negative one means no limit. The look-up of the
/// host counts, but cannot be cut short.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
///
/// Errors: those of open_clientfd, and
/// - ETIMEDOUT: the time is up
///
/// [libcsapp 1.0]
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

/// Opens a socket that listens on the port `port` of one address of the host `host`, as
/// open_listenfd does for all addresses.
///
/// Uses the first address of `host`, such as "localhost"; NULL stands for all addresses of this
/// machine. The queue holds `backlog` connections (below 1: LISTENQ). `flags` is 0 or any of
/// CSAPP_DUALSTACK and CSAPP_REUSEPORT. Without CSAPP_DUALSTACK, an IPv6 socket takes IPv6
/// alone, unless `host` is NULL and this machine is in no IPv4 network.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_listenfd does.
///
/// Errors: those of open_listenfd, and
/// - EINVAL: `flags` has another flag (-1)
/// - ENXIO: there is no such host (-2)
/// - EAGAIN, EIO: no name server answers, or the name server failed (-2)
///
/// [libcsapp 1.0]
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_listen(
    host: *const c_char,
    port: *const c_char,
    backlog: c_int,
    flags: c_uint,
) -> c_int {
    if flags & !(CSAPP_DUALSTACK | CSAPP_REUSEPORT) != 0 {
        return minus_one(Errno(libc::EINVAL)) as c_int;
    }
    let how = Listening {
        backlog: if backlog < 1 { net::LISTENQ } else { backlog },
        reuse_port: flags & CSAPP_REUSEPORT != 0,
        dual_stack: Some(flags & CSAPP_DUALSTACK != 0),
    };
    // SAFETY: both are C strings or NULL.
    unsafe { net::listener(host, port, how, &OnFailure::Plain) }
}

/// Accepts a connection from the listening socket `listenfd` within `timeout_ms` milliseconds.
///
/// A limit of 0 accepts only a connection that is already there; a negative one means no limit.
/// Stores the peer's address at `addr`, unless that is NULL, and its length at `addrlen`, as
/// Accept does. Ignores a connection that its client has aborted. Works on blocking and
/// O_NONBLOCK sockets, and changes no flag. If another process or thread accepts from a blocking
/// socket by another function, it may take the connection first; then this call waits for the
/// next one, past its limit.
///
/// Returns the connection's close-on-exec descriptor, which the caller closes. After a failure,
/// a connection stays in the queue for the next call.
///
/// Errors:
/// - ETIMEDOUT: the time is up
/// - EINTR: a signal handler ran
/// - EMFILE, ENFILE: no descriptor is free
/// - EFAULT: `addrlen` is NULL and `addr` is not
/// - EINVAL: `listenfd` does not listen, or the length at `addrlen` is negative
///
/// [libcsapp 1.0; POSIX, poll and accept]
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
    outcome.unwrap_or_else(|reason| minus_one(reason) as c_int)
}

/// Reads the next line, of at most `maxlen` - 1 bytes, through `rp` into `usrbuf`, as
/// rio_readlineb does, within `timeout_ms` milliseconds.
///
/// The limit holds for the whole line; 0 takes only a line that is already there; a negative one
/// means no limit. Unlike rio_readlineb, waits if the descriptor is O_NONBLOCK. Does not change
/// the descriptor's flags. A failed call consumes nothing: the next call finds the line from its
/// start.
///
/// If the descriptor is neither a socket nor O_NONBLOCK, such as a pipe, and another process
/// takes the bytes first, the call waits past its limit.
///
/// Returns the number of bytes without the NUL, or 0 at the end of the file.
///
/// Errors: those of rio_readlineb, and
/// - ETIMEDOUT: the time is up, never earlier than the limit
/// - EINTR: a signal handler ran
///
/// [libcsapp 1.0; POSIX, poll and recv]
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
unsafe extern "C" fn readlineb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    maxlen: usize,
    timeout: c_int,
) -> ssize_t {
    // SAFETY: as rio_readlineb.
    unsafe { line::readlineb(rp, usrbuf, maxlen, timeout.max(-1), rio::wait_for_line) }
}

/// Reads `n` bytes through `rp` into `usrbuf`, as rio_readnb does, within `timeout_ms`
/// milliseconds.
///
/// The limit works as with csapp_readlineb. After ETIMEDOUT or EINTR, the next call finds the
/// bytes that had come; if they were more than RIO_BUFSIZE, the same call has to be repeated, as
/// with rio_readnb.
///
/// Returns `n`, or fewer if the file ended first (0 if it had ended already).
///
/// Errors: those of rio_readnb, and
/// - ETIMEDOUT: the time is up, never earlier than the limit
/// - EINTR: a signal handler ran
///
/// [libcsapp 1.0; POSIX, poll and recv]
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
unsafe extern "C" fn readnb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    n: usize,
    timeout: c_int,
) -> ssize_t {
    // SAFETY: as rio_readnb.
    unsafe { rio::readnb(rp, usrbuf, n, timeout.max(-1), rio::wait_for_bytes) }
}

/// Reads `n` bytes from the descriptor `fd` into `usrbuf`, as rio_readn does, within
/// `timeout_ms` milliseconds.
///
/// The limit works as with csapp_readlineb. Stores at `moved`, unless that is NULL, the number
/// of bytes read, even if the call fails. These bytes are in `usrbuf`; another call may read the
/// rest.
///
/// Returns `n`, or fewer if the file ended first (0 if it had ended already).
///
/// Errors: those of rio_readn, and
/// - ETIMEDOUT: the time is up, never earlier than the limit
/// - EINTR: a signal handler ran
///
/// [libcsapp 1.0; POSIX, poll and recv]
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
unsafe extern "C" fn readn(
    fd: c_int,
    usrbuf: *mut c_void,
    n: usize,
    timeout: c_int,
    moved: *mut usize,
) -> ssize_t {
    let source = Kernel::InTime(Deadline::from_timeout(timeout));
    // SAFETY: usrbuf is writable for what comes, or NULL; and the caller's size_t, or NULL.
    unsafe { store(moved, rio::try_readn(source, fd, usrbuf, n)) }
}

/// Writes all `n` bytes at `usrbuf` to the descriptor `fd`, as rio_writen does, within
/// `timeout_ms` milliseconds.
///
/// The limit works as with csapp_readlineb. Stores at `moved`, unless that is NULL, the number
/// of bytes written, even if the call fails. Raises no SIGPIPE on a socket. A terminal that is
/// not O_NONBLOCK may take fewer bytes than poll promises; then the call waits past its limit.
///
/// Returns `n`, never fewer.
///
/// Errors: those of rio_writen, and
/// - ETIMEDOUT: the time is up, never earlier than the limit
/// - EINTR: a signal handler ran
///
/// [libcsapp 1.0; POSIX, poll and send]
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
unsafe extern "C" fn writen(
    fd: c_int,
    usrbuf: *const c_void,
    n: usize,
    timeout: c_int,
    moved: *mut usize,
) -> ssize_t {
    let sink = Kernel::InTime(Deadline::from_timeout(timeout));
    // SAFETY: usrbuf is readable for n bytes, or NULL.
    let gone = match unsafe { rio::bytes(usrbuf, n) } {
        Ok(bytes) => crate::rio::writen(sink, fd, bytes),
        Err(reason) => Moved::nothing(reason),
    };
    // SAFETY: the caller's size_t, or NULL.
    unsafe { store(moved, gone) }
}

/// Stores at `at`, if that is not NULL, how many bytes a call has moved. Returns what the call returns.
///
/// # Safety
/// `at` must be writable or NULL.
unsafe fn store(at: *mut size_t, moved: Moved) -> ssize_t {
    if !at.is_null() {
        sys::about_to_store(at.cast(), size_of::<size_t>());
        // SAFETY: the caller's promise.
        unsafe { at.write(moved.count) };
    }
    or_minus_one(moved.outcome())
}

/// Returns the version of the library that the program runs with, such as "1.0.0". CSAPP_VERSION
/// is the version of the header that the program was compiled with. Cannot fail.
///
/// [libcsapp 1.0]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn csapp_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

//! Robust I/O

use core::ffi::{c_int, c_void};
use core::slice;

use libc::{size_t, ssize_t};

use super::{check_buffer, handler, minus_one, or_minus_one};
use crate::rio::line;
use crate::rio::{self, Kernel, Moved, rio_t};
use crate::sys::{self, Deadline, Errno, Result, Room};

/// Ends a function of the API with a call. In a program with ThreadSanitizer, whose reports show the program's line
/// only if it is told of, that goes by `sys::traced`.
#[collapse_debuginfo(yes)] // so that debuggers stop in the function of the API
macro_rules! traced {
    ($call:ident($($argument:ident),+)) => {{
        if sys::SANITIZER.tsan_entry != 0 {
            use sys::Word;
            const NO: Word = Word::uninit();
            let [a, b, c, d, e, ..] = [$(Word::new($argument as usize),)+ NO, NO, NO];
            // SAFETY: the caller's promise; `call` is handed the words that it takes.
            unsafe {
                let call = core::mem::transmute::<*const (), sys::TracedCall>($call as *const ());
                sys::traced(a, b, c, d, e, call)
            }
        } else {
            // SAFETY: the caller's promise.
            unsafe { $call($($argument),+) }
        }
    }};
}

pub(super) use traced;

/// Reads `n` bytes from the descriptor `fd` into `usrbuf`, by as many calls of read as
/// necessary.
///
/// If `fd` is O_NONBLOCK, waits until it is readable. After an error, `usrbuf` holds the bytes
/// that had come, but the caller does not learn how many: if that matters, call rio_readnb or
/// csapp_readn. Do not mix rio_readn with the buffered functions on one descriptor.
///
/// Returns `n`, or fewer if the file ended first (0 if it had ended already).
///
/// Errors:
/// - EAGAIN: the timeout of a blocking descriptor (SO_RCVTIMEO) ran out
/// - EFAULT: `usrbuf` is NULL and `n` is not 0
///
/// [CS:APP 3e, section 10.5.1; POSIX, read]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rio_readn(fd: c_int, usrbuf: *mut c_void, n: size_t) -> ssize_t {
    traced!(readn(fd, usrbuf, n))
}

/// Writes all `n` bytes at `usrbuf` to the descriptor `fd`, by as many calls of write as
/// necessary.
///
/// If `fd` is O_NONBLOCK, waits until it is writable. If `fd` is a socket whose peer has gone,
/// the call fails without raising SIGPIPE; a pipe raises it as write does. After an error, the
/// caller does not learn how many bytes were written: if that matters, call csapp_writen.
///
/// Returns `n`, never fewer.
///
/// Errors:
/// - EAGAIN: the timeout of a blocking descriptor (SO_SNDTIMEO) ran out
/// - EFAULT: `usrbuf` is NULL and `n` is not 0
/// - ENOSPC: the device takes no more bytes: write returned 0
/// - EPIPE, ECONNRESET: the peer has gone
///
/// [CS:APP 3e, section 10.5.1; POSIX, write]
/// cbindgen:prefix=CSAPP_READS(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rio_writen(fd: c_int, usrbuf: *const c_void, n: size_t) -> ssize_t {
    traced!(writen(fd, usrbuf, n))
}

/// Makes `rp` a buffered reader of the descriptor `fd`, with nothing read ahead.
///
/// Discards what `rp` had read ahead, and makes it usable again if it refused further calls (see
/// rio_readnb). The caller closes `fd`. If `rp` is NULL, sets errno to EFAULT and does nothing
/// else.
///
/// [CS:APP 3e, section 10.5.2]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rio_readinitb(rp: *mut rio_t, fd: c_int) {
    traced!(readinitb(rp, fd));
}

/// Reads `n` bytes through `rp` into `usrbuf`. A program may mix calls of rio_readnb and
/// rio_readlineb.
///
/// A failed call consumes nothing: the next call, of either function, finds all bytes again.
/// There is one exception: if the failed call had gathered more than RIO_BUFSIZE bytes, these
/// stay in `usrbuf`. Then the same call with the same `usrbuf` and at least the same `n`
/// continues after them, and until then every other call on `rp`, except rio_readinitb, fails
/// with EINVAL.
///
/// If nothing is read ahead and at least RIO_BUFSIZE bytes are still missing, reads them
/// directly into `usrbuf`.
///
/// Returns `n`, or fewer if the file ended first (0 if it had ended already).
///
/// Errors:
/// - EAGAIN: the timeout (SO_RCVTIMEO) ran out, or the descriptor is O_NONBLOCK and has no more
///   bytes yet
/// - EFAULT: `rp` is NULL, or `usrbuf` is NULL and `n` is not 0
/// - EINVAL: `rp` was never initialised, is damaged, or expects another call to be repeated
///
/// [CS:APP 3e, section 10.5.2; POSIX, read]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rio_readnb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    n: size_t,
) -> ssize_t {
    // SAFETY: rp is a rio_t or NULL, usrbuf writable for what comes or NULL.
    unsafe { readnb(rp, usrbuf, n, PLAIN, slow_bytes) }
}

/// Reads the next line through `rp` into `usrbuf`: the bytes up to and including the newline,
/// then a NUL.
///
/// Reads at most `maxlen` - 1 bytes, so that a longer line comes in pieces. The last line of a
/// file may lack its newline. Bytes may have any value, including 0. Nothing after the NUL is
/// written. If `maxlen` is 1, stores a NUL, reads nothing and returns 0.
///
/// A failed call consumes nothing, as with rio_readnb: after a timeout in the middle of a line,
/// the next call returns the whole line. On an O_NONBLOCK descriptor, the call fails with EAGAIN
/// until the line is complete, so it never blocks an event loop.
///
/// Returns the number of bytes without the NUL; 0 at the end of the file, with `usrbuf`
/// unchanged.
///
/// Errors: those of rio_readnb, and
/// - EINVAL: `maxlen` is 0
///
/// [CS:APP 3e, section 10.5.2; POSIX, read]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rio_readlineb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    maxlen: size_t,
) -> ssize_t {
    // SAFETY: rp is a rio_t or NULL, usrbuf writable for the line and its NUL or NULL.
    unsafe { line::readlineb(rp, usrbuf, maxlen, PLAIN, slow_line) }
}

/// Reads `n` bytes from the descriptor `fd` into `usrbuf`, as rio_readn does, and reports a
/// failure.
///
/// Returns `n`, or fewer if the file ended first (0 if it had ended already).
///
/// [CS:APP 3e, appendix A; POSIX, read]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Rio_readn(fd: c_int, usrbuf: *mut c_void, n: size_t) -> ssize_t {
    traced!(checked_readn(fd, usrbuf, n))
}

/// Writes all `n` bytes at `usrbuf` to the descriptor `fd`, as rio_writen does, and reports a
/// failure.
///
/// [CS:APP 3e, appendix A; POSIX, write]
/// cbindgen:prefix=CSAPP_READS(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Rio_writen(fd: c_int, usrbuf: *const c_void, n: size_t) {
    traced!(checked_writen(fd, usrbuf, n));
}

/// Makes `rp` a buffered reader of the descriptor `fd`, as rio_readinitb does, and reports a
/// NULL `rp`.
///
/// [CS:APP 3e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Rio_readinitb(rp: *mut rio_t, fd: c_int) {
    traced!(checked_readinitb(rp, fd));
}

/// Reads `n` bytes through `rp` into `usrbuf`, as rio_readnb does, and reports a failure. Unlike
/// rio_readnb, waits if the descriptor is O_NONBLOCK.
///
/// Returns `n`, or fewer if the file ended first (0 if it had ended already).
///
/// [CS:APP 3e, appendix A; POSIX, read]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Rio_readnb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    n: size_t,
) -> ssize_t {
    traced!(checked_readnb(rp, usrbuf, n))
}

/// Reads the next line, of at most `maxlen` - 1 bytes, through `rp` into `usrbuf`, as
/// rio_readlineb does, and reports a failure. Unlike rio_readlineb, waits if the descriptor is
/// O_NONBLOCK.
///
/// Returns the number of bytes without the NUL, or 0 at the end of the file.
///
/// [CS:APP 3e, appendix A; POSIX, read]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Rio_readlineb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    maxlen: size_t,
) -> ssize_t {
    traced!(checked_readlineb(rp, usrbuf, maxlen))
}

/// The checked forms of calls.
macro_rules! checked_forms {
    ($($checked:ident is $call:ident($($argument:ident: $Type:ty),+), $message:literal;)+) => {$(
        #[inline(always)] // so that a backtrace has the function of the API
        unsafe extern "C" fn $checked($($argument: $Type),+) -> ssize_t {
            // SAFETY: the caller's promise.
            let count = unsafe { $call($($argument),+) };
            if count < 0 {
                handler::report_errno($message);
                return -1; // the same
            }
            count
        }
    )+};
}

checked_forms! {
    checked_readn is readn(fd: c_int, usrbuf: *mut c_void, n: usize), c"Rio_readn error";
    checked_writen is writen(fd: c_int, usrbuf: *const c_void, n: usize), c"Rio_writen error";
    checked_readinitb is readinitb(rp: *mut rio_t, fd: c_int), c"Rio_readinitb error";
    checked_readnb is waiting_readnb(rp: *mut rio_t, usrbuf: *mut c_void, n: usize), c"Rio_readnb error";
    checked_readlineb is waiting_readlineb(rp: *mut rio_t, usrbuf: *mut c_void, maxlen: usize), c"Rio_readlineb error";
}

// What the forms of each call share: the checks, and the call of the module rio.

#[inline(never)]
unsafe extern "C" fn readn(fd: c_int, usrbuf: *mut c_void, n: usize) -> ssize_t {
    // SAFETY: the caller's promise.
    or_minus_one(unsafe { try_readn(Kernel::Waiting, fd, usrbuf, n) }.outcome())
}

#[inline(always)]
pub(super) unsafe fn try_readn(source: Kernel, fd: c_int, usrbuf: *mut c_void, n: usize) -> Moved {
    if let Err(reason) = check_buffer(usrbuf, n) {
        return Moved::nothing(reason);
    }
    // SAFETY: usrbuf is not NULL, and n no more than SSIZE_MAX.
    rio::readn(source, fd, unsafe { Room::new(usrbuf, n) })
}

#[inline(never)]
unsafe extern "C" fn writen(fd: c_int, usrbuf: *const c_void, n: usize) -> ssize_t {
    // SAFETY: the caller's promise.
    let outcome = unsafe { bytes(usrbuf, n) }
        .and_then(|bytes| rio::writen_here(Kernel::Waiting, fd, bytes).outcome());
    or_minus_one(outcome)
}

/// The `n` bytes at `usrbuf`, which is not NULL unless `n` is 0.
#[inline(always)]
pub(super) unsafe fn bytes<'a>(usrbuf: *const c_void, n: usize) -> Result<&'a [u8]> {
    check_buffer(usrbuf, n)?;
    Ok(match n {
        0 => &[],
        // SAFETY: usrbuf is not NULL and readable for n bytes, no more than SSIZE_MAX.
        n => unsafe { slice::from_raw_parts(usrbuf.cast(), n) },
    })
}

#[inline(never)]
unsafe extern "C" fn readinitb(rp: *mut rio_t, fd: c_int) -> ssize_t {
    if rp.is_null() {
        return minus_one(Errno(libc::EFAULT));
    }
    rio_t::watch(rp);
    // SAFETY: rp is the caller's rio_t.
    unsafe { rio_t::init(rp, fd) };
    0
}

// How long a buffered call waits: a time limit of the program's, in milliseconds, -1 for none, or one of these.
const PLAIN: c_int = c_int::MIN;
const WAITING: c_int = c_int::MIN + 1;

#[inline(always)]
fn kernel(wait: c_int) -> Kernel {
    match wait {
        PLAIN => Kernel::Plain,
        WAITING => Kernel::Waiting,
        limit => Kernel::InTime(Deadline::from_timeout(limit)),
    }
}

/// Takes bytes that have all been read ahead; leaves everything else to `otherwise`, as [`line::readlineb`] does.
#[inline(never)]
pub(super) unsafe fn readnb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    n: usize,
    wait: c_int,
    otherwise: unsafe extern "C" fn(*mut rio_t, *mut c_void, usize, c_int) -> ssize_t,
) -> ssize_t {
    if !sys::is_sanitized() && !rp.is_null() && !usrbuf.is_null() && n as isize > 0 {
        // SAFETY: rp is the caller's rio_t, which belongs to this thread; usrbuf is writable for n bytes.
        if let Some(count) = unsafe { (*rp).take_bytes(usrbuf.cast(), n) } {
            return count as ssize_t;
        }
    }
    // SAFETY: the caller's promise.
    unsafe { otherwise(rp, usrbuf, n, wait) }
}

/// What a buffered call may use, if its arguments can be right.
#[inline(always)]
unsafe fn reader<'a>(rp: *mut rio_t, usrbuf: *mut c_void, n: usize) -> Result<&'a mut rio_t> {
    // SAFETY: rp is NULL or the caller's rio_t, which belongs to this thread.
    let reader = unsafe { rp.as_mut() }.ok_or(Errno(libc::EFAULT))?;
    rio_t::watch(rp);
    check_buffer(usrbuf, n).map(|()| reader)
}

/// Reads bytes that have not all been read ahead; has all errors.
#[inline(never)]
pub(super) unsafe extern "C" fn wait_for_bytes(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    n: usize,
    wait: c_int,
) -> ssize_t {
    // SAFETY: the caller's promise.
    let outcome = unsafe { reader(rp, usrbuf, n) }.and_then(|reader| {
        // SAFETY: usrbuf is writable for what comes, and n no more than SSIZE_MAX.
        reader.readnb(&mut kernel(wait), unsafe { Room::new(usrbuf, n) })
    });
    or_minus_one(outcome)
}

/// Reads a line that has not been read ahead; has all errors.
#[inline(never)]
pub(super) unsafe extern "C" fn wait_for_line(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    maxlen: usize,
    wait: c_int,
    stored: usize,
) -> ssize_t {
    // SAFETY: the caller's promise.
    let outcome = unsafe { reader(rp, usrbuf, maxlen) }.and_then(|reader| {
        let len = maxlen.checked_sub(1).ok_or(Errno(libc::EINVAL))?;
        // SAFETY: usrbuf is writable for the line and its NUL, and maxlen no more than SSIZE_MAX.
        let room = unsafe { Room::new(usrbuf, len) };
        let count = reader.readlineb(&mut kernel(wait), room, stored)?;
        if count > 0 || len == 0 {
            // SAFETY: count <= maxlen - 1.
            let nul = unsafe { usrbuf.cast::<u8>().add(count) };
            sys::about_to_store(nul, 1);
            // SAFETY: the line's NUL has room.
            unsafe { nul.write(0) };
        }
        Ok(count)
    });
    or_minus_one(outcome)
}

// The same for the calls that are not traced as a whole, so that tracing costs nothing for bytes that have been read ahead.

#[inline(never)]
unsafe extern "C" fn slow_bytes(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    n: usize,
    wait: c_int,
) -> ssize_t {
    traced!(wait_for_bytes(rp, usrbuf, n, wait))
}

#[inline(never)]
unsafe extern "C" fn slow_line(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    maxlen: usize,
    wait: c_int,
    stored: usize,
) -> ssize_t {
    traced!(wait_for_line(rp, usrbuf, maxlen, wait, stored))
}

#[inline(always)]
unsafe fn waiting_readnb(rp: *mut rio_t, usrbuf: *mut c_void, n: usize) -> ssize_t {
    // SAFETY: the caller's promise.
    unsafe { readnb(rp, usrbuf, n, WAITING, wait_for_bytes) }
}

#[inline(always)]
unsafe fn waiting_readlineb(rp: *mut rio_t, usrbuf: *mut c_void, maxlen: usize) -> ssize_t {
    // SAFETY: the caller's promise.
    unsafe { line::readlineb(rp, usrbuf, maxlen, WAITING, wait_for_line) }
}

//! Robust I/O

use core::ffi::{c_int, c_void};
use core::slice;

use libc::{size_t, ssize_t};

use super::{check_buffer, handler, or_minus_one};
use crate::rio::line::{self, Otherwise};
use crate::rio::{self, Kernel, rio_t};
use crate::sys::{self, Deadline, Errno, Result, Room};

/// Ends a function of the API with a call. In a program with ThreadSanitizer, whose reports show the program's line
/// only if it is told of, that goes by `sys::traced`.
#[collapse_debuginfo(yes)] // so that debuggers stop in the function of the API
macro_rules! traced {
    ($call:ident($a:ident, $b:ident $(, $c:ident $(, $d:ident $(, $e:ident)?)?)?)) => {{
        unsafe extern "C" fn call(a: usize, b: usize, _c: usize, _d: usize, _e: usize) -> ssize_t {
            // SAFETY: they are what is handed to `traced` below.
            unsafe {
                $call(
                    a as _,
                    b as _
                    $(, traced!(@ $c _c) $(, traced!(@ $d _d) $(, traced!(@ $e _e))?)?)?
                )
            }
        }
        if sys::SANITIZER.tsan_entry != 0 {
            let words = [
                $a as usize,
                $b as usize,
                0 $(+ $c as usize)?,
                0 $($(+ $d as usize)?)?,
                0 $($($(+ $e as usize)?)?)?,
            ];
            // SAFETY: the caller's promise.
            unsafe { sys::traced(words[0], words[1], words[2], words[3], words[4], call) }
        } else {
            // SAFETY: the caller's promise.
            unsafe { $call($a, $b $(, $c $(, $d $(, $e)?)?)?) }
        }
    }};
    (@ $argument:ident $word:ident) => {
        $word as _
    };
}

pub(super) use traced;

/// Reads n bytes from the descriptor `fd` into `usrbuf`, with as many calls of read as it
/// takes: short reads and interrupting signals do not show, and an O_NONBLOCK descriptor is
/// waited for. Do not mix with the buffered calls on one descriptor.
///
/// Returns n, or fewer if the file ended first (0: it had ended already), or -1 with errno:
///   EAGAIN  a blocking descriptor's timeout (SO_RCVTIMEO) ran out; signals that keep coming
///           do not put it off
///   EFAULT  usrbuf is NULL and n is not 0
///   EINVAL  n exceeds SSIZE_MAX: an error code cast to size_t
///   others  as read(2) has them
/// What had come before an error is in usrbuf, but its number is not known; use rio_readnb
/// where that matters. [CS:APP 3e, section 10.5.1; POSIX, read]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rio_readn(fd: c_int, usrbuf: *mut c_void, n: size_t) -> ssize_t {
    traced!(readn(fd, usrbuf, n))
}

/// Writes n bytes from `usrbuf` to the descriptor `fd`, with as many calls of write as it
/// takes: short writes and interrupting signals do not show, and an O_NONBLOCK descriptor is
/// waited for. Never returns a short count. If `fd` is a socket whose peer has gone, the call
/// fails and no SIGPIPE is raised; pipes and terminals raise it as ever.
///
/// Returns n, or -1 with errno:
///   EAGAIN  a blocking descriptor's timeout (SO_SNDTIMEO) ran out; signals that keep coming
///           do not put it off
///   EFAULT  usrbuf is NULL and n is not 0
///   EINVAL  n exceeds SSIZE_MAX: an error code cast to size_t; nothing was written
///   ENOSPC  the device takes no more: write returned 0
///   EPIPE, ECONNRESET  the peer has gone
///   others  as write(2) has them
/// After an error, how much was written is not known. [CS:APP 3e, section 10.5.1; POSIX, write]
/// cbindgen:prefix=CSAPP_READS(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rio_writen(fd: c_int, usrbuf: *const c_void, n: size_t) -> ssize_t {
    traced!(writen(fd, usrbuf, n))
}

/// Makes `rp` a buffered reader of the descriptor `fd`, with nothing read ahead. Also takes an
/// rio_t out of use that refused further calls. Whatever rp had read ahead is dropped. The
/// descriptor stays the program's to close. rp NULL: does nothing but set errno to EFAULT.
/// [CS:APP 3e, section 10.5.2]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rio_readinitb(rp: *mut rio_t, fd: c_int) {
    traced!(readinitb(rp, fd));
}

/// Reads n bytes through `rp` into `usrbuf`. May be mixed freely with rio_readlineb. As soon
/// as nothing is read ahead and RIO_BUFSIZE bytes or more are still wanted, they go straight
/// into usrbuf.
///
/// Returns n, or fewer if the file ended first (0: it had ended already), or -1 with errno:
///   EAGAIN  nothing there yet: a timeout (SO_RCVTIMEO) ran out, as with rio_readn, or the
///           descriptor is O_NONBLOCK
///   EFAULT  rp is NULL, or usrbuf is NULL and n is not 0
///   EINVAL  n exceeds SSIZE_MAX; or rp was never initialised or is damaged; or rp waits for
///           another call to be repeated (below)
///   others  as read(2) has them
/// A failed call consumes nothing: the next call, of either kind, finds all bytes again. Only
/// when more than RIO_BUFSIZE bytes had been gathered do they stay in usrbuf; then the same
/// call with the same usrbuf and at least the same n goes on behind them, and every other
/// call on rp but rio_readinitb fails with EINVAL. [CS:APP 3e, section 10.5.2; POSIX, read]
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

/// Reads the next line through `rp` into `usrbuf`: the bytes up to and with the newline, then
/// a NUL. At most maxlen - 1 bytes; a longer line comes in pieces, and the last line of a file may
/// lack its newline. Bytes may have any value, NUL included. Nothing beyond the NUL is
/// written, whatever maxlen says. maxlen 1 stores a NUL, reads nothing and returns 0.
///
/// Returns the number of bytes without the NUL; 0 at the end of the file, with usrbuf
/// untouched; or -1 with errno, as rio_readnb, and:
///   EINVAL  maxlen is 0
/// A failed call consumes nothing, as with rio_readnb: after a timeout in mid-line, the next
/// call gives the whole line. On an O_NONBLOCK descriptor it fails with EAGAIN until the line is
/// complete, so an event loop is never blocked. [CS:APP 3e, section 10.5.2; POSIX, read]
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

/// rio_readn, checked: an error is reported as "Rio_readn error: reason", and if the error
/// handler returns, the result is -1. [CS:APP 3e, appendix A]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Rio_readn(fd: c_int, usrbuf: *mut c_void, n: size_t) -> ssize_t {
    traced!(checked_readn(fd, usrbuf, n))
}

/// rio_writen, checked: an error is reported as "Rio_writen error: reason", and if the error
/// handler returns, errno has that reason. [CS:APP 3e, appendix A]
/// cbindgen:prefix=CSAPP_READS(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Rio_writen(fd: c_int, usrbuf: *const c_void, n: size_t) {
    traced!(checked_writen(fd, usrbuf, n));
}

/// rio_readinitb, checked: a NULL rp is reported as "Rio_readinitb error: Bad address".
/// [CS:APP 3e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Rio_readinitb(rp: *mut rio_t, fd: c_int) {
    traced!(checked_readinitb(rp, fd));
}

/// rio_readnb, checked: an error is reported as "Rio_readnb error: reason", and if the error
/// handler returns, the result is -1. [CS:APP 3e, appendix A]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Rio_readnb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    n: size_t,
) -> ssize_t {
    traced!(checked_readnb(rp, usrbuf, n))
}

/// rio_readlineb, checked: an error is reported as "Rio_readlineb error: reason", and if the
/// error handler returns, the result is -1. [CS:APP 3e, appendix A]
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
macro_rules! checked {
    ($($checked:ident is $call:ident($($argument:ident: $Type:ty),+), $message:literal;)+) => {$(
        #[inline(always)] // so that a backtrace has the function of the API
        unsafe fn $checked($($argument: $Type),+) -> ssize_t {
            // SAFETY: the caller's promise.
            let count = unsafe { $call($($argument),+) };
            if count < 0 {
                handler::report_errno($message);
            }
            count
        }
    )+};
}

checked! {
    checked_readn is readn(fd: c_int, usrbuf: *mut c_void, n: usize), c"Rio_readn error";
    checked_writen is writen(fd: c_int, usrbuf: *const c_void, n: usize), c"Rio_writen error";
    checked_readinitb is readinitb(rp: *mut rio_t, fd: c_int), c"Rio_readinitb error";
    checked_readnb is waiting_readnb(rp: *mut rio_t, usrbuf: *mut c_void, n: usize), c"Rio_readnb error";
    checked_readlineb is waiting_readlineb(rp: *mut rio_t, usrbuf: *mut c_void, maxlen: usize), c"Rio_readlineb error";
}

// What the forms of each call share: the checks, and the call of the module rio.

#[inline(never)]
unsafe fn readn(fd: c_int, usrbuf: *mut c_void, n: usize) -> ssize_t {
    // SAFETY: the caller's promise.
    or_minus_one(unsafe { try_readn(Kernel::Waiting, fd, usrbuf, n) }.1)
}

/// Returns how many bytes have come, and the outcome.
#[inline(always)]
pub(super) unsafe fn try_readn(
    source: Kernel,
    fd: c_int,
    usrbuf: *mut c_void,
    n: usize,
) -> (usize, Result<usize>) {
    if let Err(reason) = check_buffer(usrbuf, n) {
        return (0, Err(reason));
    }
    // SAFETY: usrbuf is not NULL, and n no more than SSIZE_MAX.
    let (moved, outcome) = rio::readn(source, fd, unsafe { Room::new(usrbuf, n) });
    (moved, outcome.map(|()| moved))
}

#[inline(never)]
unsafe fn writen(fd: c_int, usrbuf: *const c_void, n: usize) -> ssize_t {
    // SAFETY: the caller's promise.
    or_minus_one(unsafe { try_writen(Kernel::Waiting, fd, usrbuf, n) }.1)
}

/// Returns how many bytes have gone, and the outcome.
#[inline(always)]
pub(super) unsafe fn try_writen(
    sink: Kernel,
    fd: c_int,
    usrbuf: *const c_void,
    n: usize,
) -> (usize, Result<usize>) {
    if let Err(reason) = check_buffer(usrbuf, n) {
        return (0, Err(reason));
    }
    let bytes = match n {
        0 => &[],
        // SAFETY: usrbuf is not NULL and readable for n bytes, no more than SSIZE_MAX.
        n => unsafe { slice::from_raw_parts(usrbuf.cast(), n) },
    };
    let (moved, outcome) = rio::writen(sink, fd, bytes);
    (moved, outcome.map(|()| n))
}

#[inline(never)]
unsafe fn readinitb(rp: *mut rio_t, fd: c_int) -> ssize_t {
    if rp.is_null() {
        return or_minus_one::<isize>(Err(Errno(libc::EFAULT)));
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

/// Takes bytes that are all at hand; leaves all else to `otherwise`, as [`line::readlineb`] does.
#[inline(never)]
pub(super) unsafe fn readnb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    n: usize,
    wait: c_int,
    otherwise: Otherwise,
) -> ssize_t {
    if !sys::is_sanitized()
        && !rp.is_null()
        && !usrbuf.is_null()
        && n as isize > 0
        // SAFETY: rp is the caller's rio_t, which belongs to this thread; usrbuf is writable for n
        // bytes.
        && unsafe { (*rp).take_chunk(usrbuf.cast(), n) }
    {
        return n as ssize_t;
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

/// Reads bytes that are not all at hand; all errors.
#[inline(never)]
pub(super) unsafe fn wait_for_bytes(
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

/// Reads a line that is not at hand; all errors.
#[inline(never)]
pub(super) unsafe fn wait_for_line(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    maxlen: usize,
    wait: c_int,
) -> ssize_t {
    // SAFETY: the caller's promise.
    let outcome = unsafe { reader(rp, usrbuf, maxlen) }.and_then(|reader| {
        let len = maxlen.checked_sub(1).ok_or(Errno(libc::EINVAL))?;
        // SAFETY: usrbuf is writable for the line and its NUL, and maxlen no more than SSIZE_MAX.
        let count = reader.readlineb(&mut kernel(wait), unsafe { Room::new(usrbuf, len) })?;
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

// The same for the calls that are not traced as a whole, so that what is at hand costs nothing for it.

#[inline(never)]
unsafe fn slow_bytes(rp: *mut rio_t, usrbuf: *mut c_void, n: usize, wait: c_int) -> ssize_t {
    traced!(wait_for_bytes(rp, usrbuf, n, wait))
}

#[inline(never)]
unsafe fn slow_line(rp: *mut rio_t, usrbuf: *mut c_void, maxlen: usize, wait: c_int) -> ssize_t {
    traced!(wait_for_line(rp, usrbuf, maxlen, wait))
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

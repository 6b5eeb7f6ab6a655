//! Unix I/O

use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr;

use libc::{fd_set, mode_t, off_t, size_t, ssize_t, stat, timeval};

use super::check_count;
use super::checked::{
    NON_NULL, ON_FILE, RESTART, allowing, attempt, report_failure, restart_in_time, wrap,
};
use crate::sys::{self, Errno, Room, call};

/// Opens the file `pathname` as `flags` say. If O_CREAT creates the file, its permissions are
/// `mode` less those in the umask.
///
/// Returns a descriptor, which the caller closes.
///
/// [CS:APP 3e, section 10.3; POSIX, open]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Open(pathname: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    /// With the mode where a function without `...` has it.
    unsafe extern "C" fn open(pathname: *const c_char, flags: c_int, mode: mode_t) -> c_int {
        // SAFETY: the caller's promise.
        unsafe { libc::open(pathname, flags, mode as c_uint) }
    }
    wrap!(c"Open", open(pathname, flags, mode), RESTART | ON_FILE)
}

/// Reads at most `count` bytes from the descriptor `fd` into `buf`, by one call of read.
///
/// Returns the number of bytes read, or 0 at the end of the file.
///
/// [CS:APP 3e, section 10.4; POSIX, read]
/// cbindgen:prefix=CSAPP_WRITES(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Read(fd: c_int, buf: *mut c_void, count: size_t) -> ssize_t {
    // SAFETY: the caller's buffer.
    let read = || sys::read_once(fd, &mut unsafe { Room::new(buf, count) });
    let outcome = check_count(count).and_then(|()| restart_in_time(fd, libc::SO_RCVTIMEO, read));
    let outcome = outcome.map(|count| count as ssize_t);
    report_failure(c"Read", outcome).unwrap_or(-1)
}

/// Writes at most `count` bytes from `buf` to the descriptor `fd`, by one call of write.
///
/// Returns the number of bytes written, which may be less than `count`.
///
/// [CS:APP 3e, section 10.4; POSIX, write]
/// cbindgen:prefix=CSAPP_READS(2, 3)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Write(fd: c_int, buf: *const c_void, count: size_t) -> ssize_t {
    // SAFETY: the caller's buffer.
    let write = || attempt(-1, || unsafe { libc::write(fd, buf, count) });
    let outcome = check_count(count).and_then(|()| restart_in_time(fd, libc::SO_SNDTIMEO, write));
    report_failure(c"Write", outcome).unwrap_or(-1)
}

/// Moves the file position of the descriptor `fd` to `offset` bytes from the start (`whence`
/// SEEK_SET), the current position (SEEK_CUR) or the end (SEEK_END) of the file.
///
/// Returns the new position, in bytes from the start.
///
/// [CS:APP 3e, section 10.4; POSIX, lseek]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Lseek(fd: c_int, offset: off_t, whence: c_int) -> off_t {
    // SAFETY: lseek takes any numbers.
    let outcome = attempt(-1, || unsafe { libc::lseek(fd, offset, whence) });
    report_failure(c"Lseek", outcome).unwrap_or(-1)
}

/// Closes the descriptor `fd`.
///
/// EINTR is not reported, and close is not retried: the descriptor is closed, and another thread
/// may already have it again.
///
/// [CS:APP 3e, section 10.3; POSIX, close]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Close(fd: c_int) {
    wrap!(c"Close", libc::close(fd), allowing(libc::EINTR));
}

/// Waits until a descriptor below `n` in `readfds`, `writefds` or `exceptfds` is ready, or until
/// `timeout` has passed (NULL: no limit).
///
/// If interrupted by a signal, waits for the rest of the time; the time that the signal handler
/// takes counts.
///
/// Returns the number of ready descriptors, or 0 if the time is up.
///
/// [CS:APP 3e, section 12.2; POSIX, select]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Select(
    n: c_int,
    readfds: *mut fd_set,
    writefds: *mut fd_set,
    exceptfds: *mut fd_set,
    timeout: *mut timeval,
) -> c_int {
    // SAFETY: the caller's time, or NULL.
    let limit = unsafe { timeout.as_ref() }.copied();
    let start = limit.map_or(0, |_| sys::now_ns());
    // On Linux programs look there for the time that is left; elsewhere they find their own.
    let mut own = limit;
    let time = if cfg!(target_os = "linux") {
        timeout
    } else {
        own.as_mut().map_or(ptr::null_mut(), ptr::from_mut)
    };
    let outcome = sys::restart(|| {
        // A failed select leaves the sets as they were (POSIX).
        // SAFETY: the caller's sets, or NULL, and a time that may be written to, or NULL.
        let outcome = unsafe { call!(libc::select(n, readfds, writefds, exceptfds, time)) };
        if let (Err(Errno(libc::EINTR)), Some(limit)) = (outcome, limit) {
            // Not by what Linux says is left: the handler's own time is no part of that.
            // SAFETY: as above, and it is not NULL.
            unsafe { *time = time_left(limit, sys::now_ns() - start) };
        }
        outcome
    });
    report_failure(c"Select", outcome).unwrap_or(-1)
}

/// Returns what is left of `limit` after `passed` nanoseconds, rounded up.
fn time_left(limit: timeval, passed: i64) -> timeval {
    const SECOND: i64 = 1_000_000;
    #[allow(clippy::useless_conversion)] // not everywhere
    let (seconds, microseconds) = (i64::from(limit.tv_sec), i64::from(limit.tv_usec));
    let left = seconds
        .saturating_mul(SECOND)
        .saturating_add(microseconds)
        .saturating_sub(passed / 1000)
        .max(0);
    timeval {
        tv_sec: (left / SECOND) as _,
        tv_usec: (left % SECOND) as _,
    }
}

/// Makes the descriptor `fd2` refer to the open file description of `fd1`, and closes what it
/// referred to before.
///
/// Returns `fd2`.
///
/// [CS:APP 3e, section 10.9; POSIX, dup2]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Dup2(fd1: c_int, fd2: c_int) -> c_int {
    wrap!(c"Dup2", libc::dup2(fd1, fd2), RESTART)
}

/// Stores at `buf` the metadata of the file `filename`.
///
/// [CS:APP 3e, section 10.6; POSIX, stat]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Stat(filename: *const c_char, buf: *mut stat) {
    wrap!(c"Stat", libc::stat(filename, buf), ON_FILE | NON_NULL[1]);
}

/// Stores at `buf` the metadata of the file that the descriptor `fd` refers to.
///
/// [CS:APP 3e, section 10.6; POSIX, fstat]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fstat(fd: c_int, buf: *mut stat) {
    wrap!(c"Fstat", libc::fstat(fd, buf), NON_NULL[1]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_wait_goes_on_for_the_rest_of_its_time() {
        let left = |tv_sec, tv_usec, passed| {
            let left = time_left(timeval { tv_sec, tv_usec }, passed);
            (left.tv_sec, left.tv_usec)
        };
        const MS: i64 = 1_000_000;
        assert_eq!(left(2, 500_000, 0), (2, 500_000));
        assert_eq!(left(2, 500_000, MS), (2, 499_000));
        assert_eq!(left(2, 500_000, MS + 999), (2, 499_000));
        assert_eq!(left(2, 500_000, 600 * MS), (1, 900_000));
        assert_eq!(left(2, 500_000, 2500 * MS), (0, 0));
        assert_eq!(left(2, 500_000, i64::MAX), (0, 0));
        assert_eq!(left(0, 0, 0), (0, 0));
        let long = i32::MAX.into();
        assert_eq!(left(long, 999_999, 1000 * MS), (long - 1, 999_999));
    }
}

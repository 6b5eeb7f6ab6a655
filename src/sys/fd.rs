//! Descriptors: reading, writing, closing.

use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;

use super::buffer::Room;
use super::cancel::{uncancelled, with_cleanup};
use super::clock::Deadline;
use super::errno::{Errno, Result, call, count_or_errno, fcntl, or_errno};
use super::retry::{before_retry, is_nonblocking, would_block};
#[cfg(target_vendor = "apple")]
use super::socket::switch;
use super::wait::{poll, pollfd, wait_ready};

/// The largest number of bytes that one system call is asked to move. Linux moves no more, and refuses a count
/// that reaches beyond the address space, even if there is little to move (read(2)).
const MAX_IO: usize = 0x7fff_f000;

/// Reads once into `room`, and returns the number of bytes; 0 is the end of the file. Restarts after signals. If
/// `events` is POLLIN, waits on an O_NONBLOCK descriptor as well, as [`before_retry`] describes.
#[inline(always)]
pub fn read(fd: c_int, room: &mut Room, events: libc::c_short) -> Result<usize> {
    match attempt_read(fd, room) {
        Err(reason) => read_again(fd, room, events, reason),
        outcome => outcome,
    }
}

/// [`read`] after its first attempt has failed.
#[cold]
#[inline(never)]
fn read_again(fd: c_int, room: &mut Room, events: libc::c_short, reason: Errno) -> Result<usize> {
    let mut deadline = None;
    let mut outcome = read_first_page(fd, room, reason);
    loop {
        match outcome {
            Err(Errno(libc::EIO)) if is_ended_terminal(fd) => return Ok(0),
            Err(reason) => {
                deadline = before_retry(reason, fd, libc::SO_RCVTIMEO, events, deadline)?;
            }
            outcome => return outcome,
        }
        outcome = read_once(fd, room);
    }
}

/// Reads as [`read`] does, but waits no longer than until `deadline`, also on an O_NONBLOCK descriptor, and then
/// fails with ETIMEDOUT. A signal ends the wait with EINTR. It always waits in poll first, even without a limit:
/// after a handler with SA_RESTART, the kernel restarts read but not poll, and SO_RCVTIMEO limits read but not
/// poll.
#[inline(never)]
pub fn read_in_time(fd: c_int, room: &mut Room, deadline: Deadline) -> Result<usize> {
    loop {
        wait_in_time(fd, libc::POLLIN, deadline)?;
        match receive_now(fd, room) {
            // Another thread has taken the bytes.
            Err(reason) if would_block(reason) => {}
            Err(Errno(libc::EIO)) if is_ended_terminal(fd) => return Ok(0),
            outcome => return outcome,
        }
    }
}

/// Waits as [`wait_ready`] does, but fails with EBADF if `fd` is not open for these events, since the wait would
/// never end. Checks this only after a moment, so that a short wait costs no more.
fn wait_in_time(fd: c_int, events: libc::c_short, deadline: Deadline) -> Result<()> {
    const MOMENT_MS: i64 = 20;
    let moment = Deadline::after(MOMENT_MS).min(deadline);
    match wait_ready(fd, events, moment) {
        Err(late @ Errno(libc::ETIMEDOUT)) => {
            expect_open_for(fd, events)?;
            if moment == deadline {
                return Err(late);
            }
            wait_ready(fd, events, deadline)
        }
        outcome => outcome,
    }
}

/// Fails with EBADF if `fd` is not open for reading (POLLIN) or writing (POLLOUT), such as the wrong end of a pipe.
fn expect_open_for(fd: c_int, events: libc::c_short) -> Result<()> {
    let excluded = if events == libc::POLLIN {
        libc::O_WRONLY
    } else {
        libc::O_RDONLY
    };
    // SAFETY: F_GETFL takes no argument.
    match fcntl(fd, libc::F_GETFL, 0)? & libc::O_ACCMODE {
        mode if mode == excluded => Err(Errno(libc::EBADF)),
        _ => Ok(()),
    }
}

/// Reads once. From a socket, reads without waiting.
fn receive_now(fd: c_int, room: &mut Room) -> Result<usize> {
    let (start, len) = (room.next().cast(), room.left().min(MAX_IO));
    // SAFETY: the kernel stores at most `len` bytes at `start`, which `room` allows.
    match unsafe { call!(libc::recv(fd, start, len, libc::MSG_DONTWAIT)) } {
        Ok(count) => {
            let count = count as usize;
            // SAFETY: so many bytes have been stored.
            unsafe { room.advance(count) };
            Ok(count)
        }
        Err(Errno(libc::ENOTSOCK)) => read_once(fd, room),
        Err(reason) => read_first_page(fd, room, reason),
    }
}

/// Makes the system call read into `room`, even if its stated size is larger than the kernel accepts.
#[inline(always)]
pub fn read_once(fd: c_int, room: &mut Room) -> Result<usize> {
    attempt_read(fd, room).or_else(|reason| read_first_page(fd, room, reason))
}

/// Makes the system call read into `room`.
#[inline(always)]
fn attempt_read(fd: c_int, room: &mut Room) -> Result<usize> {
    let (start, len) = (room.next(), room.left().min(MAX_IO));
    // SAFETY: the kernel stores at most `len` bytes at `start`, which `room` allows.
    let count = count_or_errno(|| unsafe { libc::read(fd, start.cast(), len) })?;
    // SAFETY: so many bytes have been stored.
    unsafe { room.advance(count) };
    Ok(count)
}

/// Repeats a read after EFAULT, up to the end of the first page: callers state a larger size than they
/// own, and the kernel refuses a count that reaches beyond the address space, even if there is little to read.
/// Any other EFAULT is final: a datagram is lost by then, and a second read would wait for the next one.
/// Fails with `reason` if it is another one.
#[cold]
#[inline(never)]
fn read_first_page(fd: c_int, room: &mut Room, reason: Errno) -> Result<usize> {
    const PAGE: usize = 4096;
    let start = room.next();
    let len = room.left().min(MAX_IO);
    if reason != Errno(libc::EFAULT) || !reaches_beyond(start.addr(), len) {
        return Err(reason);
    }
    let len = len.min(PAGE - start.addr() % PAGE);
    // SAFETY: as in `attempt_read`.
    let count = unsafe { call!(libc::read(fd, start.cast::<c_void>(), len)) }? as usize;
    // SAFETY: so many bytes have been stored.
    unsafe { room.advance(count) };
    Ok(count)
}

/// Whether `len` bytes at `start` may reach beyond the address space, whose end is at or just below a power of two with 64 bits.
fn reaches_beyond(start: usize, len: usize) -> bool {
    let is_high = start.leading_zeros() < usize::BITS / 2 - 4;
    let end = start.saturating_add(len);
    is_high && (usize::BITS < 64 || end.leading_zeros() < start.leading_zeros())
}

/// Whether `fd` is a terminal whose other side has closed. EIO alone does not prove that: a read of a background
/// program that ignores SIGTTIN fails with EIO as well, and so may one from a broken line.
#[cold]
#[inline(never)]
fn is_ended_terminal(fd: c_int) -> bool {
    let mut polled = [pollfd(fd, 0)];
    poll(&mut polled, Deadline::past()).is_ok()
        && polled[0].revents & libc::POLLHUP != 0
        && is_terminal(fd)
}

/// Whether `fd` is a terminal. If its other side has closed, every call on it may fail with EIO.
fn is_terminal(fd: c_int) -> bool {
    // SAFETY: isatty takes any number.
    match or_errno(0, || unsafe { libc::isatty(fd) }) {
        Err(reason) => reason == Errno(libc::EIO),
        Ok(_) => true,
    }
}

/// A descriptor to write to, and whether it has turned out not to be a socket.
///
/// `send` with MSG_NOSIGNAL writes to a socket without raising SIGPIPE if the peer has gone. On any other
/// descriptor it fails without an effect; the first failure is remembered.
#[derive(Debug)]
pub struct Outlet {
    fd: c_int,
    is_other: bool,
    /// If it is not a socket, a write with a deadline goes out in pieces of at most this number of bytes.
    most: usize,
}

impl Outlet {
    /// Creates an outlet to `fd`, whose kind is not known yet.
    pub fn new(fd: c_int) -> Outlet {
        Outlet {
            fd,
            is_other: false,
            most: MAX_IO,
        }
    }

    /// Writes once, and returns how many bytes were taken. Restarts after signals. If `events` is POLLOUT, waits for an
    /// O_NONBLOCK descriptor, as [`read`] does. Never raises SIGPIPE on a socket.
    #[inline(always)]
    pub fn write(&mut self, bytes: &[u8], events: libc::c_short) -> Result<usize> {
        let mut deadline = None;
        loop {
            match self.write_once(&bytes[..bytes.len().min(MAX_IO)]) {
                Err(reason) => {
                    deadline = before_retry(reason, self.fd, libc::SO_SNDTIMEO, events, deadline)?;
                }
                outcome => return outcome,
            }
        }
    }

    /// Makes one of two calls that write the same: `send` to a socket, `write` to anything else.
    #[inline(always)]
    fn write_once(&mut self, bytes: &[u8]) -> Result<usize> {
        let start = bytes.as_ptr().cast();
        if !self.is_other {
            // SAFETY: `bytes` is readable for its whole length.
            let send = |fd| unsafe { libc::send(fd, start, bytes.len(), libc::MSG_NOSIGNAL) };
            match send_quietly(self.fd, send) {
                Err(Errno(libc::ENOTSOCK)) => self.is_other = true,
                outcome => return outcome,
            }
        }
        // SAFETY: the same.
        count_or_errno(|| unsafe { libc::write(self.fd, start, bytes.len()) })
    }

    /// Writes as [`Outlet::write`] does, but waits no longer than until `deadline`, and then fails with
    /// ETIMEDOUT. A signal ends the wait with EINTR. It always waits in poll first, as [`read_in_time`] does.
    pub fn write_in_time(&mut self, bytes: &[u8], deadline: Deadline) -> Result<usize> {
        loop {
            wait_in_time(self.fd, libc::POLLOUT, deadline)?;
            match self.send_or_write_now(&bytes[..bytes.len().min(MAX_IO)]) {
                Err(reason) if would_block(reason) => {}
                outcome => return outcome,
            }
        }
    }

    /// Writes as many bytes as a ready descriptor takes without blocking.
    fn send_or_write_now(&mut self, bytes: &[u8]) -> Result<usize> {
        let start = bytes.as_ptr().cast();
        if !self.is_other {
            let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
            // SAFETY: `bytes` is readable for its whole length.
            let send = |fd| unsafe { libc::send(fd, start, bytes.len(), flags) };
            match send_quietly(self.fd, send) {
                Err(Errno(libc::ENOTSOCK)) => {
                    self.is_other = true;
                    self.most = taken_at_once(self.fd);
                }
                outcome => return outcome,
            }
        }
        let few = bytes.len().min(self.most);
        // SAFETY: `few` is not more than the length of `bytes`.
        unsafe { call!(libc::write(self.fd, start, few)) }.map(|count| count as usize)
    }
}

/// Returns how many bytes `fd`, which is not a socket, takes without blocking once poll reports it as ready. For
/// a terminal this is only the usual number: no number is guaranteed.
fn taken_at_once(fd: c_int) -> usize {
    const PIPE_BUF: usize = 4096; // (pipe(7))
    const TERMINAL: usize = 128; // and twice as many once newlines have become two bytes
    if is_nonblocking(fd) || is_regular(fd) {
        MAX_IO
    } else if is_terminal(fd) {
        TERMINAL
    } else {
        PIPE_BUF
    }
}

fn is_regular(fd: c_int) -> bool {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat stores one, unless it fails.
    match unsafe { call!(libc::fstat(fd, status.as_mut_ptr())) } {
        // SAFETY: it has.
        Ok(_) => unsafe { status.assume_init() }.st_mode & libc::S_IFMT == libc::S_IFREG,
        Err(_) => false,
    }
}

/// Makes the call `send` on `fd`, whose MSG_NOSIGNAL prevents SIGPIPE.
#[cfg(not(target_vendor = "apple"))]
#[inline(always)]
fn send_quietly(fd: c_int, send: impl FnOnce(c_int) -> isize) -> Result<usize> {
    count_or_errno(|| send(fd))
}

/// The same on a system whose older kernels lack MSG_NOSIGNAL: sets an option of the socket, and leaves it set.
/// (Blocking the signal during the call would not help: it is sent to the process, so that any thread may get it.)
#[cfg(target_vendor = "apple")]
fn send_quietly(fd: c_int, send: impl FnOnce(c_int) -> isize) -> Result<usize> {
    match switch(fd, libc::SOL_SOCKET, libc::SO_NOSIGPIPE, true) {
        // A socket that is shut down in both directions takes no options any more.
        Err(Errno(libc::EINVAL)) => Err(Errno(libc::EPIPE)),
        outcome => outcome.and_then(|()| count_or_errno(|| send(fd))),
    }
}

/// Closes `fd`. Ignores a failure and does not retry: on Linux and the BSDs the descriptor is free even then
/// (close(2)). The thread can be cancelled only afterwards: after a cancelled close, it is unknown whether the
/// descriptor is closed.
#[inline(never)]
pub fn close(fd: c_int) {
    // SAFETY: close touches no memory.
    let _ = uncancelled(|| unsafe { call!(libc::close(fd)) });
}

/// Makes `call` with the descriptor `fd`, and closes `fd`, even if `call` does not return.
pub(super) fn with_descriptor<T>(fd: c_int, call: impl FnOnce() -> T) -> T {
    extern "C" fn close_it(fd: &c_int) {
        close(*fd);
    }
    // SAFETY: nothing uses the descriptor after `call`.
    let value = unsafe { with_cleanup(&fd, close_it, call) };
    close(fd);
    value
}

/// Makes a descriptor that was opened with O_NONBLOCK a blocking one.
pub fn set_blocking(fd: c_int) -> Result<()> {
    change_flags(fd, |before| before & !libc::O_NONBLOCK)
}

pub(super) fn change_flags(fd: c_int, change: impl FnOnce(c_int) -> c_int) -> Result<()> {
    // SAFETY: F_GETFL and F_SETFL take no pointers.
    let flags = fcntl(fd, libc::F_GETFL, 0)?;
    let flags = change(flags);
    // SAFETY: as above.
    fcntl(fd, libc::F_SETFL, flags).map(drop)
}

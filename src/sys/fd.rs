//! Descriptors: reading, writing, closing.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use super::buffer::Room;
use super::cancel::{uncancelled, with_cleanup};
use super::clock::Deadline;
use super::errno::{Errno, Result, checked, checked_int, or_errno};
use super::retry::{before_retry, is_nonblocking, would_block};
#[cfg(target_vendor = "apple")]
use super::socket::set_option;
use super::wait::{poll, pollfd, wait_ready};

/// The most bytes that one system call is asked to move. Linux moves no more, and refuses a count
/// that would reach beyond the address space, however little there is to move (read(2)).
const MAX_IO: usize = 0x7fff_f000;

/// Reads once into `room`, and returns the number of bytes; 0 is the end of the file. Restarts after signals. If `events` is
/// POLLIN, waits on an O_NONBLOCK descriptor as well, as [`before_retry`] has it.
#[inline(always)]
pub fn read(fd: c_int, room: &mut Room, events: libc::c_short) -> Result<usize> {
    let mut deadline = None;
    loop {
        match read_once(fd, room) {
            Err(Errno(libc::EIO)) if is_ended_terminal(fd) => return Ok(0),
            Err(reason) => {
                deadline = before_retry(reason, fd, libc::SO_RCVTIMEO, events, deadline)?;
            }
            outcome => return outcome,
        }
    }
}

/// [`read`], which waits until `deadline` at the most, also on an O_NONBLOCK descriptor: ETIMEDOUT. A signal ends the wait
/// with EINTR. The wait comes first, without a limit as well: by SA_RESTART a handler has read start again, but not poll,
/// and SO_RCVTIMEO is another limit.
#[inline(never)]
pub fn read_in_time(fd: c_int, room: &mut Room, deadline: Deadline) -> Result<usize> {
    loop {
        wait_in_time(fd, libc::POLLIN, deadline)?;
        match receive_now(fd, room) {
            // Another thread was quicker.
            Err(reason) if would_block(reason) => {}
            Err(Errno(libc::EIO)) if is_ended_terminal(fd) => return Ok(0),
            outcome => return outcome,
        }
    }
}

/// [`wait_ready`], which fails with EBADF where the wait would be in vain, since `fd` is not open for it. That is asked for
/// after a moment only, so that a short wait costs no more for it.
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

/// Fails with EBADF if `fd` is not open for reading (POLLIN) or writing: the other end of a pipe, say.
fn expect_open_for(fd: c_int, events: libc::c_short) -> Result<()> {
    let excluded = if events == libc::POLLIN {
        libc::O_WRONLY
    } else {
        libc::O_RDONLY
    };
    // SAFETY: F_GETFL takes no argument.
    match checked_int(|| unsafe { libc::fcntl(fd, libc::F_GETFL) })? & libc::O_ACCMODE {
        mode if mode == excluded => Err(Errno(libc::EBADF)),
        _ => Ok(()),
    }
}

/// Reads what there is from a socket, and does not wait in it; from anything else, reads once.
fn receive_now(fd: c_int, room: &mut Room) -> Result<usize> {
    let (start, len) = (room.next(), room.left().min(MAX_IO));
    // SAFETY: the kernel stores at most `len` bytes at `start`, which `room` allows.
    match checked(|| unsafe { libc::recv(fd, start.cast(), len, libc::MSG_DONTWAIT) }) {
        Err(Errno(libc::ENOTSOCK)) => return read_once(fd, room),
        Err(Errno(libc::EFAULT)) => read_first_page(fd, room).map(|count| count as usize),
        outcome => outcome,
    }
    // SAFETY: so many bytes have been stored.
    .inspect(|&count| unsafe { room.advance(count) })
}

/// Makes the system call read into `room`, however much it is said to have room for.
#[inline(always)]
pub fn read_once(fd: c_int, room: &mut Room) -> Result<usize> {
    let (start, len) = (room.next(), room.left().min(MAX_IO));
    // SAFETY: the kernel stores at most `len` bytes at `start`, which `room` allows.
    let outcome = match or_errno(-1, || unsafe { libc::read(fd, start.cast(), len) }) {
        Err(Errno(libc::EFAULT)) => read_first_page(fd, room),
        outcome => outcome,
    };
    let count = outcome? as usize;
    // SAFETY: so many bytes have been stored.
    unsafe { room.advance(count) };
    Ok(count)
}

/// [`read_once`] after EFAULT, for as much as is left of the first page: the kernel refuses a count that reaches beyond the
/// address space, however little there is to read, and callers state more room than they own. Any other EFAULT stays:
/// a datagram is gone by then, and a second read would wait for the next.
#[cold]
#[inline(never)]
fn read_first_page(fd: c_int, room: &Room) -> Result<isize> {
    const PAGE: usize = 4096;
    let start = room.next();
    if !reaches_beyond(start.addr(), room.left().min(MAX_IO)) {
        return Err(Errno(libc::EFAULT));
    }
    let len = room.left().min(PAGE - start.addr() % PAGE);
    // SAFETY: as in `read_once`.
    or_errno(-1, || unsafe { libc::read(fd, start.cast(), len) })
}

/// Whether `len` bytes at `start` may reach beyond the address space, whose end is at or just below a power of two with 64 bits.
fn reaches_beyond(start: usize, len: usize) -> bool {
    let is_high = start.leading_zeros() < usize::BITS / 2 - 4;
    let end = start.saturating_add(len);
    is_high && (usize::BITS < 64 || end.leading_zeros() < start.leading_zeros())
}

/// Whether `fd` is a terminal whose other side has closed. That is not so of each that gives EIO: one does that is read by a
/// program in the background which ignores SIGTTIN, and one whose line is broken may.
#[cold]
#[inline(never)]
fn is_ended_terminal(fd: c_int) -> bool {
    let mut polled = [pollfd(fd, 0)];
    poll(&mut polled, Deadline::past()).is_ok()
        && polled[0].revents & libc::POLLHUP != 0
        && is_terminal(fd)
}

/// Whether `fd` is a terminal; one that has ended may answer only EIO.
fn is_terminal(fd: c_int) -> bool {
    // SAFETY: isatty takes any number.
    match or_errno(0, || unsafe { libc::isatty(fd) }) {
        Err(reason) => reason == Errno(libc::EIO),
        Ok(_) => true,
    }
}

/// A descriptor to write to, and whether it has turned out not to be a socket.
///
/// `send` with MSG_NOSIGNAL is how a socket is written to without a SIGPIPE when its peer
/// has gone. On everything else it fails before it does anything; that is found out once.
#[derive(Debug)]
pub struct Outlet {
    fd: c_int,
    is_other: bool,
    /// If it is none, what is written in time is written in pieces of at most so many bytes.
    most: usize,
}

impl Outlet {
    /// An outlet to `fd`, about which nothing is known yet.
    pub fn new(fd: c_int) -> Outlet {
        Outlet {
            fd,
            is_other: false,
            most: MAX_IO,
        }
    }

    /// Writes once, and returns how many bytes were taken. Restarts after signals. If `events` is POLLOUT, waits for an
    /// O_NONBLOCK descriptor, as [`read`] has it. SIGPIPE comes from pipes and terminals only.
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
        checked(|| unsafe { libc::write(self.fd, start, bytes.len()) })
    }

    /// [`Outlet::write`], which waits until `deadline` at the most: ETIMEDOUT. A signal ends the wait with EINTR. As with
    /// [`read_in_time`], the wait comes first.
    pub fn write_in_time(&mut self, bytes: &[u8], deadline: Deadline) -> Result<usize> {
        loop {
            wait_in_time(self.fd, libc::POLLOUT, deadline)?;
            match self.send_or_write_now(&bytes[..bytes.len().min(MAX_IO)]) {
                Err(reason) if would_block(reason) => {}
                outcome => return outcome,
            }
        }
    }

    /// Writes what a descriptor that is ready takes without blocking.
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
        checked(|| unsafe { libc::write(self.fd, start, few) })
    }
}

/// How many bytes `fd`, which is no socket, takes without blocking once poll says that it is ready; of a terminal, how many it
/// usually does: there, nothing is promised.
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
    match checked_int(|| unsafe { libc::fstat(fd, status.as_mut_ptr()) }) {
        // SAFETY: it has.
        Ok(_) => unsafe { status.assume_init() }.st_mode & libc::S_IFMT == libc::S_IFREG,
        Err(_) => false,
    }
}

/// Makes the call `send` on `fd`, which asks for no SIGPIPE by MSG_NOSIGNAL.
#[cfg(not(target_vendor = "apple"))]
#[inline(always)]
fn send_quietly(fd: c_int, send: impl FnOnce(c_int) -> isize) -> Result<usize> {
    checked(|| send(fd))
}

/// The same on a system that has kernels without MSG_NOSIGNAL: by an option of the socket, which stays.
/// (To block the signal meanwhile would not do: it is sent to the process, so that any
/// thread may get it.)
#[cfg(target_vendor = "apple")]
fn send_quietly(fd: c_int, send: impl FnOnce(c_int) -> isize) -> Result<usize> {
    match set_option(fd, libc::SOL_SOCKET, libc::SO_NOSIGPIPE, 1) {
        // A socket that is shut down in both directions takes no options any more.
        Err(Errno(libc::EINVAL)) => Err(Errno(libc::EPIPE)),
        outcome => outcome.and_then(|()| checked(|| send(fd))),
    }
}

/// Closes `fd`. There is nobody to tell if that fails: on Linux and the BSDs the descriptor is
/// free even then, so it must not be repeated either (close(2)). Cancellation waits until this is over: of a
/// close that is left in the middle, nobody knows what it did.
#[inline(never)]
pub fn close(fd: c_int) {
    // SAFETY: close touches no memory.
    let _ = uncancelled(|| checked_int(|| unsafe { libc::close(fd) }));
}

/// Makes `call` with the descriptor `fd`, and closes that, also if `call` is left in the middle.
pub(super) fn with_descriptor<T>(fd: c_int, call: impl FnOnce() -> T) -> T {
    extern "C" fn close_it(fd: &c_int) {
        close(*fd);
    }
    // SAFETY: nobody uses the descriptor once `call` has been left.
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
    let flags = checked_int(|| unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    let flags = change(flags);
    // SAFETY: as above.
    checked_int(|| unsafe { libc::fcntl(fd, libc::F_SETFL, flags) }).map(drop)
}

//! Restarting after a signal, and waiting if a call would block.

use core::ffi::c_int;

use super::clock::Deadline;
use super::errno::{Errno, Result, fcntl};
use super::socket::time_limit;
use super::wait::wait_ready;

/// Repeats `call` while a signal handler interrupts it.
#[inline(always)]
pub fn restart<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(Errno(libc::EINTR)) => {}
            outcome => return outcome,
        }
    }
}

/// [`restart`] for a call whose wait on `fd` is limited by `option` (SO_RCVTIMEO or SO_SNDTIMEO). After each
/// restart, the kernel applies the whole limit again. So that repeated signals cannot delay the end forever, the
/// call fails with EAGAIN once the limit has passed since the first of them: after three times the limit at the
/// latest.
#[inline(always)]
pub fn restart_in_time<T>(
    fd: c_int,
    option: c_int,
    mut call: impl FnMut() -> Result<T>,
) -> Result<T> {
    let mut deadline = None;
    loop {
        match call() {
            Err(reason) => deadline = before_retry(reason, fd, option, NO_WAIT, deadline)?,
            outcome => return outcome,
        }
    }
}

/// The events to wait for if the call does not wait on an O_NONBLOCK descriptor.
pub const NO_WAIT: libc::c_short = 0;

/// Prepares the restart of a failed call on `fd`. After a signal, checks the time, as [`restart_in_time`]
/// describes. If an O_NONBLOCK descriptor is not ready, waits for `events`, unless that is [`NO_WAIT`].
/// `deadline` is `None` until a signal interrupts the call.
///
/// On a blocking descriptor, EAGAIN means that SO_RCVTIMEO or SO_SNDTIMEO ran out. This ends the call.
///
/// Returns the new deadline of the call, or the error that ends it.
#[cold]
#[inline(never)]
pub(super) fn before_retry(
    reason: Errno,
    fd: c_int,
    option: c_int,
    events: libc::c_short,
    deadline: Option<Deadline>,
) -> Result<Option<Deadline>> {
    if reason.0 == libc::EINTR {
        match deadline {
            None => Ok(Some(time_limit(fd, option))),
            Some(end) if end.is_past() => Err(Errno(libc::EAGAIN)),
            going_on => Ok(going_on),
        }
    } else if events != NO_WAIT && would_block(reason) && is_nonblocking(fd) {
        restart(|| wait_ready(fd, events, Deadline::never())).map(|()| None)
    } else {
        Err(reason)
    }
}

/// Whether the reason is that the call would have had to wait.
pub fn would_block(reason: Errno) -> bool {
    reason.0 == libc::EAGAIN || reason.0 == libc::EWOULDBLOCK
}

/// Whether `fd` has O_NONBLOCK.
pub fn is_nonblocking(fd: c_int) -> bool {
    // SAFETY: F_GETFL takes no argument and touches no memory of ours.
    fcntl(fd, libc::F_GETFL, 0).is_ok_and(|flags| flags & libc::O_NONBLOCK != 0)
}

//! Starting again after a signal, and waiting where a call would block.

use core::ffi::c_int;

use super::clock::Deadline;
use super::errno::{Errno, Result, checked_int};
use super::socket::time_limit;
use super::wait::wait_ready;

/// Runs `call` again for as long as a signal handler interrupts it.
#[inline(always)]
pub fn restart<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(Errno(libc::EINTR)) => {}
            outcome => return outcome,
        }
    }
}

/// [`restart`] for a call that waits on `fd` for as long as its `option` (SO_RCVTIMEO or
/// SO_SNDTIMEO) says. The kernel grants each start the whole time; so that signals that keep coming
/// cannot put its end off forever, the call ends by EAGAIN once that time has gone by since
/// the first of them: after three times the time at the latest.
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

/// The events to wait for where an O_NONBLOCK descriptor is not waited for.
pub const NO_WAIT: libc::c_short = 0;

/// Does what has to be done before a failed call on `fd` restarts: after a signal, looks at the time, as
/// [`restart_in_time`] has it; where an O_NONBLOCK descriptor is not ready, waits for `events`, unless that is [`NO_WAIT`].
/// `deadline` is `None` until a signal interrupts the call.
///
/// On a blocking descriptor EAGAIN means that SO_RCVTIMEO or SO_SNDTIMEO ran out. That is an answer, not a reason to wait.
///
/// Returns the deadline of the call from now on, or the error that it ends by.
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

/// Whether that says that a call would have had to wait.
pub fn would_block(reason: Errno) -> bool {
    reason.0 == libc::EAGAIN || reason.0 == libc::EWOULDBLOCK
}

/// Whether `fd` has O_NONBLOCK.
pub fn is_nonblocking(fd: c_int) -> bool {
    // SAFETY: F_GETFL takes no argument and touches no memory of ours.
    checked_int(|| unsafe { libc::fcntl(fd, libc::F_GETFL) })
        .is_ok_and(|flags| flags & libc::O_NONBLOCK != 0)
}

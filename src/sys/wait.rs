//! Waiting until a descriptor is ready.

use core::ffi::c_int;

use super::clock::Deadline;
use super::errno::{Errno, Result, call};
use super::retry::{is_nonblocking, restart};
use super::sanitizer::about_to_pass;
use super::socket::time_limit;

const TIMED_OUT: Errno = Errno(libc::ETIMEDOUT);

/// Returns the entry for one descriptor in the array that `poll` takes.
pub fn pollfd(fd: c_int, events: libc::c_short) -> libc::pollfd {
    libc::pollfd {
        fd,
        events,
        revents: 0,
    }
}

/// Waits until one of `polled` has an event, and returns how many have one. Returns 0 once `deadline` is past, and not
/// before. A signal ends the wait with EINTR.
#[inline(never)]
pub fn poll(polled: &mut [libc::pollfd], deadline: Deadline) -> Result<usize> {
    let count = polled.len() as libc::nfds_t;
    loop {
        let timeout = deadline.poll_timeout();
        about_to_pass(polled);
        // SAFETY: `polled` is an exclusive slice of that many entries.
        let ready = unsafe { call!(libc::poll(polled.as_mut_ptr(), count, timeout)) }?;
        if ready > 0 || deadline.is_past() {
            return Ok(ready as usize);
        }
    }
}

/// Waits until a call for one of `events` (POLLIN or POLLOUT) on `fd` will not block, or will fail.
/// Fails with ETIMEDOUT once `deadline` is past, and with EINTR if a signal interrupts the wait.
#[inline(never)]
pub fn wait_ready(fd: c_int, events: libc::c_short, deadline: Deadline) -> Result<()> {
    if fd < 0 {
        return Err(Errno(libc::EBADF)); // poll ignores negative descriptors
    }
    let mut polled = [pollfd(fd, events)];
    match poll(&mut polled, deadline)? {
        0 => Err(TIMED_OUT),
        _ if polled[0].revents == libc::POLLERR => error_queue::wait(fd, events, deadline),
        _ => Ok(()),
    }
}

/// Waits until the attempt to connect `fd` has ended. If SO_SNDTIMEO runs out first, fails with EINPROGRESS, as
/// connect does, and the attempt continues.
pub fn wait_connected(fd: c_int) -> Result<()> {
    let deadline = time_limit(fd, libc::SO_SNDTIMEO);
    match restart(|| wait_ready(fd, libc::POLLOUT, deadline)) {
        Err(TIMED_OUT) => Err(Errno(libc::EINPROGRESS)),
        outcome => outcome,
    }
}

/// [`wait_ready`] for a connection to accept from `fd`.
///
/// accept has no MSG_DONTWAIT. If the listening socket is a blocking one, and another thread or
/// process takes the connection first, accept waits for the next one, past the deadline. So of
/// the threads that wait in this function, a connection wakes one only. What it cannot prevent:
/// that another thread takes the connection in the microsecond before accept.
pub fn wait_for_connection(fd: c_int, deadline: Deadline) -> Result<()> {
    if !is_nonblocking(fd) && wait_ready(fd, libc::POLLIN, Deadline::past()).is_err() {
        #[cfg(target_os = "linux")]
        if let Ok(watch) = epoll::Watch::new(fd, libc::EPOLLIN | libc::EPOLLEXCLUSIVE) {
            match watch.wait_and_close(|watch| watch.next(deadline).map(drop)) {
                // The thread that was woken for this connection may have left without taking it.
                Err(TIMED_OUT) => return wait_ready(fd, libc::POLLIN, Deadline::past()),
                outcome => return outcome,
            }
        }
    }
    wait_ready(fd, libc::POLLIN, deadline)
}

/// While the error queue of a socket is not empty (MSG_ERRQUEUE of recv(2): outcomes of zero-copy sends, time
/// stamps, ICMP errors under IP_RECVERR), poll always reports an error. Only the program may empty the queue.
#[cfg(target_os = "linux")]
mod error_queue {
    use core::ffi::{c_int, c_short, c_void};
    use core::ptr;

    use super::epoll::Watch;
    use super::{Deadline, Errno, Result, TIMED_OUT, poll};
    use crate::sys::errno::call;
    use crate::sys::retry::would_block;
    use crate::sys::socket::get_option;

    /// The milliseconds to sleep if no event says when to continue.
    const NAP: i64 = 10;

    /// [`wait_ready`](super::wait_ready), after poll has seen only an error on `fd`.
    #[cold]
    pub fn wait(fd: c_int, events: c_short, deadline: Deadline) -> Result<()> {
        let protocol = get_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_PROTOCOL);
        if protocol == Err(Errno(libc::ENOTSOCK)) {
            return Ok(()); // such as a pipe that has no reader
        }
        let is_known = events == libc::POLLIN || protocol == Ok(libc::IPPROTO_TCP);
        match Watch::new(fd, c_int::from(events) | libc::EPOLLET) {
            Ok(watch) if is_known => watch.wait_and_close(|watch| wait_by(watch, events, deadline)),
            Ok(watch) => watch.wait_and_close(|_| nap(deadline)),
            Err(_) => nap(deadline),
        }
    }

    /// Waits for changes until one brings `events`. The first wait returns the current state at once.
    fn wait_by(watch: &Watch, events: c_short, deadline: Deadline) -> Result<()> {
        while !is_ready(watch.watched, events)? {
            if watch.next(deadline)? & !libc::EPOLLERR != 0 {
                break;
            }
        }
        Ok(())
    }

    /// Whether there is something to read; epoll handles writing. If there is a pending error, returns it,
    /// because asking for it clears it.
    fn is_ready(fd: c_int, events: c_short) -> Result<bool> {
        let asked = if events == libc::POLLIN {
            let mut byte = 0u8;
            let (start, flags) = (
                (&raw mut byte).cast::<c_void>(),
                libc::MSG_PEEK | libc::MSG_DONTWAIT,
            );
            // SAFETY: one byte can be stored there.
            unsafe { call!(libc::recv(fd, start, 1, flags)) }.map(|_| true)
        } else {
            let (start, flags) = (
                ptr::null::<c_void>(),
                libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            );
            // SAFETY: no byte is read. To TCP, sending none is only a look for errors.
            unsafe { call!(libc::send(fd, start, 0, flags)) }.map(|_| false)
        };
        match asked {
            Err(reason) if would_block(reason) => Ok(false),
            asked => asked,
        }
    }

    fn nap(deadline: Deadline) -> Result<()> {
        poll(&mut [], Deadline::after(NAP).min(deadline))?;
        if deadline.is_past() {
            return Err(TIMED_OUT);
        }
        Ok(())
    }
}

/// On other systems, sockets have no error queue.
#[cfg(not(target_os = "linux"))]
mod error_queue {
    use super::{Deadline, Result};

    pub fn wait(_: core::ffi::c_int, _: libc::c_short, _: Deadline) -> Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod epoll {
    use core::ffi::c_int;

    use super::{Deadline, Result, TIMED_OUT};
    use crate::sys::errno::call;
    use crate::sys::fd::{close, with_descriptor};

    /// An epoll instance that watches one descriptor.
    #[derive(Debug)]
    pub struct Watch {
        epoll: c_int,
        pub watched: c_int,
    }

    impl Watch {
        /// Creates an instance, which [`Watch::wait_and_close`] closes. Fails if no descriptor is free, for example.
        pub fn new(watched: c_int, events: c_int) -> Result<Watch> {
            // SAFETY: it touches no memory.
            let epoll = unsafe { call!(libc::epoll_create1(libc::EPOLL_CLOEXEC)) }?;
            let mut event = libc::epoll_event {
                events: events as u32,
                u64: 0,
            };
            let (add, event) = (libc::EPOLL_CTL_ADD, &raw mut event);
            // SAFETY: `event` is one.
            unsafe { call!(libc::epoll_ctl(epoll, add, watched, event)) }
                .map(|_| Watch { epoll, watched })
                .inspect_err(|_| close(epoll))
        }

        /// The events of the next change, as [`super::wait_ready`] waits for them.
        pub fn next(&self, deadline: Deadline) -> Result<c_int> {
            let mut event = libc::epoll_event { events: 0, u64: 0 };
            loop {
                let timeout = deadline.poll_timeout();
                let start = &raw mut event;
                // SAFETY: one event can be stored there.
                match unsafe { call!(libc::epoll_wait(self.epoll, start, 1, timeout)) }? {
                    0 if deadline.is_past() => return Err(TIMED_OUT),
                    0 => {}
                    _ => return Ok(event.events as c_int),
                }
            }
        }

        /// Closes the instance after `wait`, also if the thread ends in `wait`.
        pub fn wait_and_close(self, wait: impl FnOnce(&Watch) -> Result<()>) -> Result<()> {
            with_descriptor(self.epoll, || wait(&self))
        }
    }
}

//! Calls that wait: for descriptors, for time, for signals.

use std::ffi::{c_int, c_uint, c_void};

use libc::{epoll_event, fd_set, nfds_t, pollfd, sigset_t, timespec, timeval};

use crate::chaos;
use crate::descriptors::polled;
use crate::real::Real;
use crate::rio;
use crate::shared::*;
use crate::stack::{Site, site};
use crate::state::{Me, me};

/// What a call waits for, in the terms of its arguments: see `Thread::on`.
pub type On = [usize; 4];
pub const NOTHING: On = [0; 4];

/// The thread is in a call that waits.
#[inline(always)]
fn during<T: Copy>(
    me: &Me,
    call: Call,
    on: On,
    at: Site,
    real: impl FnOnce() -> T,
    result: impl FnOnce(T) -> isize,
) -> T {
    let stack = me.stack(at);
    let cells = &me.thread.on;
    // A handler of this thread may wait meanwhile.
    let before: On = std::array::from_fn(|i| cells[i].get());
    cells.iter().zip(on).for_each(|(cell, on)| cell.set(on));
    let doing = me.begin(call, -1, stack);
    let value = real();
    doing.end(result(value));
    cells.iter().zip(before).for_each(|(cell, on)| cell.set(on));
    value
}

/// The call waits, and what the thread finds afterwards may come from others.
#[inline(always)]
pub fn waits<T: Copy>(
    call: Call,
    on: On,
    at: Site,
    real: impl FnOnce() -> T,
    result: impl FnOnce(T) -> isize,
) -> T {
    let Some(me) = me() else { return real() };
    rio::look_at_copies(&me, None);
    let value = during(&me, call, on, at, real, result);
    me.synchronized();
    if !watches_connection(&me, call) {
        me.thread.loop_count.set(0);
    }
    value
}

/// Whether it only asks again for what the thread has read to the end. A file may have grown meanwhile; a connection
/// has not.
fn watches_connection(me: &Me, call: Call) -> bool {
    use Call::{EpollPwait, EpollWait, Poll, Ppoll, Pselect, Select};
    let entry = me.process.fd(me.thread.loop_fd.get());
    matches!(
        call,
        Poll | Ppoll | Select | Pselect | EpollWait | EpollPwait
    ) && me.thread.loop_errno.get() != libc::EAGAIN
        && entry.is_some_and(|entry| entry.flags.get() & (SOCKET | PIPE) != 0)
}

/// A signal comes instead of what is waited for.
#[inline]
pub fn interrupted() -> bool {
    chaos::fails(me(), &[libc::EINTR])
}

fn number(result: c_int) -> isize {
    result as isize
}

/// Those that are waited for only until they are connected do not count: nobody waits for them any more then.
///
/// # Safety
/// `set` has `count` entries.
unsafe fn mark_polled(set: *const pollfd, count: nfds_t) {
    let Some(me) = me() else { return };
    if set.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    let entries = unsafe { std::slice::from_raw_parts(set, count as usize) };
    let watched = entries
        .iter()
        .filter(|entry| entry.events & libc::POLLIN != 0);
    watched.for_each(|entry| polled(&me, entry.fd, true));
}

/// # Safety
/// Each is NULL or a set of `count` descriptors.
unsafe fn mark_selected(count: c_int, sets: [*mut fd_set; 3]) {
    let Some(me) = me() else { return };
    for set in sets.into_iter().filter(|set| !set.is_null()) {
        // A set may be larger than the type says: looked at as the array of words that it is.
        let word_bits = usize::BITS as usize;
        for fd in 0..count.max(0) as usize {
            // SAFETY: the caller's promise.
            let word = unsafe { *set.cast::<usize>().add(fd / word_bits) };
            if word >> (fd % word_bits) & 1 != 0 {
                polled(&me, fd as c_int, true);
            }
        }
    }
}

fn delayed(me: Option<Me>) {
    if let Some(me) = me {
        chaos::delay(&me);
    }
}

hook! {
    fn poll(set: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int {
        let at = site();
        if interrupted() {
            return -1;
        }
        // SAFETY: the caller's array.
        unsafe { mark_polled(set, count) };
        waits(Call::Poll, [set as usize, count as usize, 0, 0], at, || real(set, count, timeout), number)
    }

    fn __poll_chk(set: *mut pollfd, count: nfds_t, timeout: c_int, room: usize) -> c_int {
        let at = site();
        // SAFETY: the caller's array.
        unsafe { mark_polled(set, count) };
        if interrupted() {
            return -1;
        }
        waits(Call::Poll, [set as usize, count as usize, 0, 0], at, || real(set, count, timeout, room), number)
    }

    fn ppoll(set: *mut pollfd, count: nfds_t, timeout: *const timespec, mask: *const sigset_t) -> c_int {
        let at = site();
        if interrupted() {
            return -1;
        }
        // SAFETY: the caller's array.
        unsafe { mark_polled(set, count) };
        let call = if mask.is_null() { Call::Poll } else { Call::Ppoll };
        waits(call, [set as usize, count as usize, 0, 0], at, || real(set, count, timeout, mask), number)
    }

    fn select(count: c_int, read: *mut fd_set, write: *mut fd_set, other: *mut fd_set, timeout: *mut timeval) -> c_int {
        let at = site();
        if interrupted() {
            return -1;
        }
        // SAFETY: the caller's sets.
        unsafe { mark_selected(count, [read, write, other]) };
        let on = selected(count, [read, write, other]);
        waits(Call::Select, on, at, || real(count, read, write, other, timeout), number)
    }

    fn pselect(
        count: c_int,
        read: *mut fd_set,
        write: *mut fd_set,
        other: *mut fd_set,
        timeout: *const timespec,
        mask: *const sigset_t,
    ) -> c_int {
        let at = site();
        if interrupted() {
            return -1;
        }
        // SAFETY: the caller's sets.
        unsafe { mark_selected(count, [read, write, other]) };
        let call = if mask.is_null() { Call::Select } else { Call::Pselect };
        let on = selected(count, [read, write, other]);
        waits(call, on, at, || real(count, read, write, other, timeout, mask), number)
    }

    fn epoll_wait(epoll: c_int, events: *mut epoll_event, count: c_int, timeout: c_int) -> c_int {
        let at = site();
        if interrupted() {
            return -1;
        }
        waits(Call::EpollWait, [epoll as usize, 0, 0, 0], at, || real(epoll, events, count, timeout), number)
    }

    fn epoll_pwait(
        epoll: c_int,
        events: *mut epoll_event,
        count: c_int,
        timeout: c_int,
        mask: *const sigset_t,
    ) -> c_int {
        let at = site();
        if interrupted() {
            return -1;
        }
        let call = if mask.is_null() { Call::EpollWait } else { Call::EpollPwait };
        waits(call, [epoll as usize, 0, 0, 0], at, || real(epoll, events, count, timeout, mask), number)
    }

    fn nanosleep(time: *const timespec, left: *mut timespec) -> c_int {
        let at = site();
        sleeps(Call::Nanosleep, at, || real(time, left), number)
    }

    fn clock_nanosleep(clock: libc::clockid_t, flags: c_int, time: *const timespec, left: *mut timespec) -> c_int {
        let at = site();
        sleeps(Call::ClockNanosleep, at, || real(clock, flags, time, left), number)
    }

    fn sleep(seconds: c_uint) -> c_uint {
        let at = site();
        sleeps(Call::Sleep, at, || real(seconds), |left| left as isize)
    }

    fn usleep(time: c_uint) -> c_int {
        let at = site();
        sleeps(Call::Usleep, at, || real(time), number)
    }

    fn pause() -> c_int {
        let at = site();
        waits(Call::Pause, NOTHING, at, real, number)
    }

    fn sigsuspend(mask: *const sigset_t) -> c_int {
        let at = site();
        waits(Call::Sigsuspend, NOTHING, at, || real(mask), number)
    }

    fn sigwait(set: *const sigset_t, signal: *mut c_int) -> c_int {
        let at = site();
        waits(Call::Sigwait, NOTHING, at, || real(set, signal), number)
    }

    fn sigwaitinfo(set: *const sigset_t, info: *mut libc::siginfo_t) -> c_int {
        let at = site();
        waits(Call::Sigwaitinfo, NOTHING, at, || real(set, info), number)
    }

    fn sigtimedwait(set: *const sigset_t, info: *mut libc::siginfo_t, timeout: *const timespec) -> c_int {
        let at = site();
        waits(Call::Sigwaitinfo, NOTHING, at, || real(set, info, timeout), number)
    }

    fn sem_wait(semaphore: *mut libc::sem_t) -> c_int {
        let at = site();
        if interrupted() {
            return -1;
        }
        delayed(me());
        waits_on(Call::SemWait, semaphore as usize, at, || real(semaphore))
    }

    fn sem_timedwait(semaphore: *mut libc::sem_t, until: *const timespec) -> c_int {
        let at = site();
        if interrupted() {
            return -1;
        }
        waits_on(Call::SemWait, semaphore as usize, at, || real(semaphore, until))
    }

    fn pthread_mutex_lock(mutex: *mut libc::pthread_mutex_t) -> c_int {
        let at = site();
        delayed(me());
        static TRY: Real = Real::new(c"pthread_mutex_trylock");
        takes(Call::MutexLock, mutex as usize, at, &TRY, || real(mutex))
    }

    fn pthread_mutex_timedlock(mutex: *mut libc::pthread_mutex_t, until: *const timespec) -> c_int {
        let at = site();
        waits_on(Call::MutexLock, mutex as usize, at, || real(mutex, until))
    }

    fn pthread_rwlock_rdlock(lock: *mut libc::pthread_rwlock_t) -> c_int {
        let at = site();
        static TRY: Real = Real::new(c"pthread_rwlock_tryrdlock");
        takes(Call::ReadLock, lock as usize, at, &TRY, || real(lock))
    }

    fn pthread_rwlock_wrlock(lock: *mut libc::pthread_rwlock_t) -> c_int {
        let at = site();
        static TRY: Real = Real::new(c"pthread_rwlock_trywrlock");
        takes(Call::WriteLock, lock as usize, at, &TRY, || real(lock))
    }

    fn pthread_cond_wait(condition: *mut libc::pthread_cond_t, mutex: *mut libc::pthread_mutex_t) -> c_int {
        let at = site();
        waits_on(Call::CondWait, condition as usize, at, || real(condition, mutex))
    }

    fn pthread_cond_timedwait(
        condition: *mut libc::pthread_cond_t,
        mutex: *mut libc::pthread_mutex_t,
        until: *const timespec,
    ) -> c_int {
        let at = site();
        waits_on(Call::CondTimedwait, condition as usize, at, || real(condition, mutex, until))
    }

    fn pthread_barrier_wait(barrier: *mut libc::pthread_barrier_t) -> c_int {
        let at = site();
        waits_on(Call::Barrier, barrier as usize, at, || real(barrier))
    }
}

fn selected(count: c_int, sets: [*mut fd_set; 3]) -> On {
    let [read, write, other] = sets.map(|set| set as usize);
    [count.max(0) as usize, read, write, other]
}

/// Takes the lock at an address. If it is free, nobody will ask where the thread waits: that spares the look at the
/// stack, which is most of the cost.
#[inline(always)]
fn takes(
    call: Call,
    address: usize,
    at: Site,
    attempt: &Real,
    real: impl FnOnce() -> c_int,
) -> c_int {
    let Some(me) = me() else { return real() };
    if me.shared.timeline.get() == 0 {
        type Function = unsafe extern "C" fn(usize) -> c_int;
        // SAFETY: libc's function that takes such a lock if it is free.
        let result =
            unsafe { std::mem::transmute::<*mut c_void, Function>(attempt.address())(address) };
        if result != libc::EBUSY {
            me.steps();
            me.synchronized();
            return result;
        }
    }
    waits_on(call, address, at, real)
}

/// Waits for a lock or its like at an address.
#[inline(always)]
fn waits_on(call: Call, address: usize, at: Site, real: impl FnOnce() -> c_int) -> c_int {
    let Some(me) = me() else { return real() };
    let result = during(&me, call, [address, 0, 0, 0], at, real, number);
    me.synchronized();
    result
}

/// Waits for time to pass, after which the thread knows no more of others than before.
#[inline(always)]
fn sleeps<T: Copy>(
    call: Call,
    at: Site,
    real: impl FnOnce() -> T,
    result: impl FnOnce(T) -> isize,
) -> T {
    let Some(me) = me() else { return real() };
    rio::look_at_copies(&me, None);
    let value = during(&me, call, NOTHING, at, real, result);
    me.thread.loop_count.set(0);
    value
}

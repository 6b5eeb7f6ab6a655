//! Chaos: makes the world worse, in ways that POSIX allows. Each thread decides by the seed, its own number and how
//! often it has decided, so that the same seed gives the same decisions.

use std::ffi::c_int;

use libc::size_t;

use crate::shared::*;
use crate::stack::Site;
use crate::start;
use crate::state::{KeepErrno, Me, me, set_errno};

const ON: u32 = 1;
pub const FAULTS: u32 = 2;

/// The next number of this thread's sequence.
fn roll(me: &Me) -> u64 {
    let nth = me.thread.decisions.get();
    me.thread.decisions.set(nth + 1);
    let mut x = me.shared.seed.get()
        ^ me.process.lineage.get().rotate_left(17)
        ^ u64::from(me.thread.index.get()).rotate_left(40)
        ^ nth.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn is_on(me: &Me, what: u32) -> bool {
    me.shared.chaos.get() & what != 0
}

/// One time in `n`.
fn happens(me: &Me, n: u64) -> bool {
    roll(me) % n == 0
}

/// How many bytes are asked of a stream whose calls may come short.
#[inline]
pub fn shorten(fd: c_int, size: size_t) -> size_t {
    match me() {
        Some(me) if is_on(&me, ON) && size > 1 => shorter(&me, fd, size),
        _ => size,
    }
}

#[cold]
fn shorter(me: &Me, fd: c_int, size: size_t) -> size_t {
    let kept = KeepErrno::new();
    let short = may_be_short(fd, size) && happens(me, 3);
    drop(kept);
    // Many a program reads lines of some bytes: most short answers are of that size.
    if short {
        1 + roll(me) as usize % (size - 1).min(64)
    } else {
        size
    }
}

/// Reading pipes, terminals and stream sockets, and writing to sockets. What is written to a pipe at once stays whole.
fn may_be_short(fd: c_int, size: size_t) -> bool {
    // SAFETY: zero bytes are a valid stat and number, which the kernel fills in.
    unsafe {
        let mut kind: libc::stat = std::mem::zeroed();
        if libc::fstat(fd, &mut kind) != 0 {
            return false;
        }
        match kind.st_mode & libc::S_IFMT {
            libc::S_IFIFO => {
                size > libc::PIPE_BUF || libc::syscall(libc::SYS_fcntl, fd, libc::F_GETFL) & 3 == 0
            }
            libc::S_IFSOCK => {
                let mut kind = 0;
                let mut length = size_of::<c_int>() as libc::socklen_t;
                let to = (&raw mut kind).cast();
                libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, to, &mut length) == 0
                    && kind == libc::SOCK_STREAM
            }
            _ => false,
        }
    }
}

/// A moment's sleep, now and then.
#[inline]
pub fn delay(me: &Me) {
    if is_on(me, ON) && happens(me, 8) {
        sleep(me, 3_000_000);
    }
}

/// A connection is slow to come.
#[inline]
pub fn delay_connection(me: &Me) {
    if is_on(me, ON) && happens(me, 2) {
        sleep(me, 20_000_000);
    }
}

#[cold]
fn sleep(me: &Me, most: u64) {
    let kept = KeepErrno::new();
    let time = libc::timespec {
        tv_sec: 0,
        tv_nsec: (roll(me) % most) as i64,
    };
    // SAFETY: sleeps, not by this library's own nanosleep.
    unsafe { libc::syscall(libc::SYS_nanosleep, &raw const time, 0usize) };
    drop(kept);
}

/// The client went away before it was accepted.
#[inline]
pub fn accept_fault(me: &Me) -> Option<c_int> {
    (is_on(me, ON) && happens(me, 16)).then_some(libc::ECONNABORTED)
}

/// One of the errors that `--chaos-faults` adds.
#[inline]
pub fn fault(me: &Me, errors: &[c_int]) -> Option<c_int> {
    (is_on(me, FAULTS) && happens(me, 16)).then(|| errors[roll(me) as usize % errors.len()])
}

/// As `fault`, and tells the caller by errno. Returns whether the call is to fail.
#[inline]
pub fn fails(me: Option<Me>, errors: &[c_int]) -> bool {
    let error = me.and_then(|me| fault(&me, errors));
    error.inspect(|error| set_errno(*error)).is_some()
}

/// Whether the program itself, not a library, gets no memory this time.
#[unsafe(no_mangle)]
extern "C" fn csapp_check_no_memory(site: Site) -> bool {
    start::is_program(site.address) && fails(me(), &[libc::ENOMEM])
}

/// An error of a call that moves bytes.
#[inline]
pub fn transfer_fault(me: &Me, fd: c_int, reads: bool) -> Option<c_int> {
    delay(me);
    if !is_on(me, FAULTS) {
        return None;
    }
    let is_socket = me
        .process
        .fd(fd)
        .is_some_and(|entry| entry.flags.get() & SOCKET != 0);
    match roll(me) % 64 {
        0..2 => Some(libc::EINTR),
        2 if is_socket => Some(if reads { libc::ECONNRESET } else { libc::EPIPE }),
        _ => None,
    }
}

//! The clock that no one sets.

use core::mem::MaybeUninit;

/// Milliseconds on a clock that no one sets.
pub fn now() -> i64 {
    now_ns() / 1_000_000
}

/// Nanoseconds on that clock.
pub fn now_ns() -> i64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: CLOCK_MONOTONIC exists everywhere and a valid place to store is given; so the
    // call cannot fail, and has stored.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr());
        time.assume_init()
    };
    #[allow(clippy::useless_conversion)] // not on 32 bits
    let (seconds, nanoseconds) = (i64::from(time.tv_sec), i64::from(time.tv_nsec));
    seconds * 1_000_000_000 + nanoseconds
}

//! A clock that no program can set, and points in time on it.

use core::ffi::c_int;
use core::mem::MaybeUninit;

const NS_PER_MS: i64 = 1_000_000;

/// Returns the time in nanoseconds, on a clock that no program can set (CLOCK_MONOTONIC).
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

/// A point in time that a wait must not go beyond. Deadlines are ordered: `min` is the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    ns: i64,
}

impl Deadline {
    /// The deadline of a wait without a limit.
    pub const fn never() -> Deadline {
        Deadline { ns: i64::MAX }
    }

    /// The deadline of a call that does not wait.
    pub const fn past() -> Deadline {
        Deadline { ns: i64::MIN }
    }

    /// `ms` milliseconds from now.
    pub fn after(ms: i64) -> Deadline {
        let ns = now_ns().saturating_add(ms.saturating_mul(NS_PER_MS));
        Deadline { ns }
    }

    /// A time limit as the C interface takes it: milliseconds from now; negative: none.
    pub fn from_timeout(ms: c_int) -> Deadline {
        if ms < 0 {
            Deadline::never()
        } else {
            Deadline::after(i64::from(ms))
        }
    }

    /// Nanoseconds until then, 0 if it is past; `None` if it never comes.
    #[inline(never)] // for size: the caller is going to wait
    fn left_ns(self) -> Option<i64> {
        (self != Deadline::never()).then(|| self.ns.saturating_sub(now_ns()).max(0))
    }

    /// Milliseconds until then, 0 if it is past; `None` if it never comes. Rounded up, so that a
    /// wait of that length does not end early.
    pub fn left(self) -> Option<i64> {
        self.left_ns().map(ms_rounded_up)
    }

    /// Whether it has come.
    #[inline(never)]
    pub fn is_past(self) -> bool {
        self.left_ns() == Some(0)
    }

    /// [`Deadline::left`] as poll(2) takes it: -1 for no limit. A longer time than a
    /// c_int holds is cut, so that poll may return before the deadline.
    #[inline(never)]
    pub fn poll_timeout(self) -> c_int {
        self.left()
            .map_or(-1, |ms| c_int::try_from(ms).unwrap_or(c_int::MAX))
    }
}

fn ms_rounded_up(ns: i64) -> i64 {
    ns / NS_PER_MS + i64::from(ns % NS_PER_MS != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_rounded_up() {
        let cases = [(0, 0), (1, 1), (NS_PER_MS, 1), (NS_PER_MS + 1, 2)];
        for (ns, ms) in cases {
            assert_eq!(ms_rounded_up(ns), ms, "{ns} ns");
        }
        assert_eq!(ms_rounded_up(i64::MAX - 1), i64::MAX / NS_PER_MS + 1);
    }

    #[test]
    fn never_does_not_come() {
        let never = Deadline::never();
        assert_eq!((never.left(), never.poll_timeout()), (None, -1));
        assert!(!never.is_past());
        assert_eq!(Deadline::from_timeout(-1), never);
        assert!(Deadline::after(i64::from(c_int::MAX)) < never);
    }

    #[test]
    fn the_past_leaves_nothing() {
        for past in [
            Deadline::past(),
            Deadline::after(0),
            Deadline::after(-1),
            Deadline::from_timeout(0),
        ] {
            assert!(past.is_past());
            assert_eq!((past.left(), past.poll_timeout()), (Some(0), 0));
        }
    }

    #[test]
    fn what_is_left_is_all_there_is() {
        let hour = Deadline::after(3_600_000);
        assert!(!hour.is_past());
        assert!((3_590_000..=3_600_000).contains(&hour.poll_timeout()));
        let month = Deadline::after(31 * 24 * 3_600_000);
        assert_eq!(month.poll_timeout(), c_int::MAX);
        assert_eq!(Deadline::after(i64::MAX), Deadline::never());
    }
}

//! Copy up to and with the newline: the loop that every line of every program goes through.
//! One pass that copies and looks at once, in the widest instructions that the processor has
//! and that pay; each set of them has a file, with the same function in it.

use core::ptr;

use crate::sys::Room;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(has_avx512)]
mod avx512;
#[cfg(test)]
mod bench;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub use self::x86::{Kind, kind};

/// Stores `bytes` up to and with the first newline and returns the number of bytes; without
/// a newline, stores all of them and returns `None`. Nothing after them is touched, and nothing
/// outside of `bytes` is read.
///
/// `room` must have room for all of `bytes`. The first `stored` of them are there already, by
/// a [`Scan`].
#[inline(always)]
pub fn copy_line(bytes: &[u8], room: &mut Room, stored: usize) -> Option<usize> {
    debug_assert!(stored <= bytes.len() && bytes.len() <= room.left());
    // SAFETY: the room has room for all of `bytes`, and is nobody else's, so it lies outside of
    // them; both moves say what has been stored.
    unsafe {
        let end = widest(bytes, room.next(), stored);
        room.advance(end.unwrap_or(bytes.len()));
        end
    }
}

/// [`copy_line`] in the widest instructions.
///
/// # Safety
/// The bytes of `bytes` up to and with the newline must be writable at `to`, which lies outside
/// of them. The first `at`, no more than there are, must be stored and hold no newline.
#[inline(always)]
unsafe fn widest(bytes: &[u8], to: *mut u8, at: usize) -> Option<usize> {
    // SAFETY: at <= length.
    let rest = unsafe { bytes.get_unchecked(at..) };
    let to = to.wrapping_add(at);
    // SAFETY: the caller's promise, and `kind` names only what the processor has.
    #[cfg(target_arch = "x86_64")]
    let end = unsafe {
        match kind() {
            #[cfg(has_avx512)]
            Kind::Avx512 => avx512::copy_line(rest, to),
            Kind::Avx2 => avx2::copy_line(rest, to),
            Kind::Sse2 => sse2::copy_line(rest, to),
        }
    };
    // SAFETY: the caller's promise.
    #[cfg(target_arch = "aarch64")]
    let end = unsafe { neon::copy_line(rest, to) };
    // SAFETY: the caller's promise.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let end = unsafe { portable::copy_line(rest, to) };
    end.map(|end| at + end)
}

/// Copies `count` bytes, at least one: a few by moves that may overlap, as wide as fits, since the call of memcpy
/// would take longer than they do.
///
/// # Safety
/// They must be readable at `from` and writable at `to`, and must not overlap.
#[inline(always)]
pub unsafe fn copy_chunk(from: *const u8, to: *mut u8, count: usize) {
    // SAFETY: the caller's promise; each is asked for no more than it takes.
    unsafe {
        if count <= 16 {
            portable::put_short(from, to, count);
        } else if count > 128 {
            ptr::copy_nonoverlapping(from, to, count);
        } else if count > 64 {
            portable::put_ends::<64>(from, to, count);
        } else if count > 32 {
            portable::put_ends::<32>(from, to, count);
        } else {
            portable::put_ends::<16>(from, to, count);
        }
    }
}

/// A way to copy a line, for a function that is compiled for its instructions as a whole.
pub trait Scan {
    /// It needs so many bytes.
    const LEAST: usize;

    /// Stores bytes up to and with the first newline and returns where in `bytes` the next line
    /// starts; or stores bytes without a newline, and returns how many there are now. The first
    /// `stored` have been before, and hold none either.
    ///
    /// # Safety
    /// There are LEAST bytes, and `stored` is no more; up to and with the newline, all are writable
    /// at `to`, which lies outside of them. The processor must have the instructions.
    unsafe fn copy(bytes: &[u8], to: *mut u8, stored: usize) -> Result<*const u8, usize>;
}

/// The first bytes, where most lines end.
#[cfg(has_avx512)]
#[derive(Debug)]
pub struct Avx512Start;

#[cfg(has_avx512)]
impl Scan for Avx512Start {
    const LEAST: usize = avx512::START;

    #[inline(always)]
    unsafe fn copy(bytes: &[u8], to: *mut u8, _: usize) -> Result<*const u8, usize> {
        // SAFETY: the caller's promise.
        unsafe { avx512::copy_start(bytes.as_ptr(), to) }.ok_or(avx512::START)
    }
}

/// A [`Scan`] that goes to the end of the bytes.
macro_rules! scan_to_end {
    ($($name:ident: $copy_line:path;)+) => {
        $(#[derive(Debug)]
        pub struct $name;

        impl Scan for $name {
            const LEAST: usize = 0;

            #[inline(always)]
            unsafe fn copy(bytes: &[u8], to: *mut u8, stored: usize) -> Result<*const u8, usize> {
                // SAFETY: the caller's promise; what is found lies within `bytes`.
                unsafe {
                    let rest = bytes.get_unchecked(stored..);
                    let end = $copy_line(rest, to.add(stored));
                    end.map(|end| rest.as_ptr().add(end)).ok_or(bytes.len())
                }
            }
        })+
    };
}

#[cfg(has_avx512)]
scan_to_end! {
    Avx512Rest: avx512::copy_rest;
}
#[cfg(target_arch = "x86_64")]
scan_to_end! {
    Avx2: avx2::copy_line;
    Sse2: sse2::copy_line;
}
#[cfg(target_arch = "aarch64")]
scan_to_end! {
    Usual: neon::copy_line;
}
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
scan_to_end! {
    Usual: portable::copy_line;
}

#[cfg(test)]
mod tests;

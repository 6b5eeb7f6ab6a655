//! Copy up to and with the newline: the loop that every line of every program goes through.
//! One pass that copies and looks at once, in the widest instructions that the processor has
//! and that pay; each set of them has a file, with the same function in it.

use crate::sys::Room;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
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

/// Stores `bytes` up to and with the first newline and returns the number of bytes; without
/// a newline, stores all of them and returns `None`. Nothing after them is touched, and nothing
/// outside of `bytes` is read.
///
/// `room` must have room for all of `bytes`.
#[inline(always)]
pub fn copy_line(bytes: &[u8], room: &mut Room) -> Option<usize> {
    debug_assert!(bytes.len() <= room.left());
    // SAFETY: the room has room for all of `bytes`, and is nobody else's, so it lies outside of
    // them; both moves say what has been stored.
    unsafe {
        let end = widest(bytes, room.next());
        room.advance(end.unwrap_or(bytes.len()));
        end
    }
}

/// [`copy_line`] in the widest instructions.
///
/// # Safety
/// The bytes of `bytes` up to and with the newline must be writable at `to`, which lies outside
/// of them.
#[inline(always)]
unsafe fn widest(bytes: &[u8], to: *mut u8) -> Option<usize> {
    // SAFETY: the caller's promise, and `kind` names only what the processor has.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        match x86::kind() {
            x86::Kind::Avx512 => avx512::copy_line(bytes, to),
            x86::Kind::Avx2 => avx2::copy_line(bytes, to),
            x86::Kind::Sse2 => sse2::copy_line(bytes, to),
        }
    }
    // SAFETY: the caller's promise.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        neon::copy_line(bytes, to)
    }
    // SAFETY: the caller's promise.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    unsafe {
        portable::copy_line(bytes, to)
    }
}

#[cfg(test)]
mod tests;

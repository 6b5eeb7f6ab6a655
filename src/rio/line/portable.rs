//! Any processor: eight bytes at a time in a general register.

use core::ptr;

/// Bytes in a word.
const WIDTH: usize = 8;

/// Stores `bytes` up to and including the first newline, and returns their number. Without a newline, stores all
/// of them and returns `None`. Touches nothing after them, and reads nothing outside of `bytes`.
///
/// # Safety
/// The bytes of `bytes` up to and including the newline must be writable at `to`, which lies outside
/// of them.
#[inline(always)]
pub unsafe fn copy_line(bytes: &[u8], to: *mut u8) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk::<WIDTH>() {
        let end = first_newline(*word);
        if end != 0 {
            // SAFETY: `end` bytes are left up to and including the newline.
            unsafe { put_short(bytes.as_ptr().add(at), to.add(at), end) };
            return Some(at + end);
        }
        // SAFETY: none of these bytes is a newline, so all are stored.
        unsafe { to.add(at).cast::<[u8; WIDTH]>().write(*word) };
        at += WIDTH;
    }
    // SAFETY: the caller's promise; no newline so far.
    unsafe { copy_few(&bytes[at..], to.add(at)) }.map(|end| at + end)
}

/// [`copy_line`] a byte at a time, which takes less code: for fewer bytes than a register has. So few are left at
/// the end of rio_buf, or wanted by a call with a tiny buffer.
///
/// # Safety
/// As [`copy_line`].
#[inline(always)]
pub unsafe fn copy_few(bytes: &[u8], to: *mut u8) -> Option<usize> {
    for (at, &byte) in bytes.iter().enumerate() {
        // SAFETY: no newline came before this byte.
        unsafe { to.add(at).write(byte) };
        if byte == b'\n' {
            return Some(at + 1);
        }
    }
    None
}

/// Returns the position after the first newline in a word, or 0 without a newline.
fn first_newline(word: [u8; WIDTH]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // A newline becomes a zero byte. Subtracting 1 from each byte sets the high bit of the zero bytes, and of
    // no byte before the first of them.
    let zeros = u64::from_le_bytes(word) ^ (ONES * b'\n' as u64);
    let hits = zeros.wrapping_sub(ONES) & !zeros & (ONES << 7);
    match hits {
        0 => 0,
        hits => hits.trailing_zeros() as usize / 8 + 1,
    }
}

/// Copies `count` bytes, 1 to 16, and touches no others: by two moves that may overlap, each
/// as wide as fits. (Choosing their addresses without branches was no faster.)
///
/// # Safety
/// `count` bytes must be readable at `from` and writable at `to`; they must not overlap.
#[inline(always)]
pub unsafe fn put_short(from: *const u8, to: *mut u8, count: usize) {
    debug_assert!((1..=16).contains(&count));
    // SAFETY: every access is within the first `count` bytes: the narrower width that each branch
    // takes is at most `count`.
    unsafe {
        if count >= 8 {
            put_ends::<8>(from, to, count);
        } else if count >= 4 {
            put_ends::<4>(from, to, count);
        } else {
            put_ends::<1>(from, to, count);
            *to.add(count / 2) = *from.add(count / 2);
        }
    }
}

/// Copies the first N and the last N of `count` bytes.
///
/// # Safety
/// As [`put_short`]; `count` must be at least N.
#[inline(always)]
pub unsafe fn put_ends<const N: usize>(from: *const u8, to: *mut u8, count: usize) {
    let last = count - N;
    // SAFETY: both pieces lie within `count` bytes.
    unsafe {
        ptr::copy_nonoverlapping(from, to, N);
        ptr::copy_nonoverlapping(from.add(last), to.add(last), N);
    }
}

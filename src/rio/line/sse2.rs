//! SSE2: 16 bytes at a time. Every x86-64 has it.

use core::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8, _mm_storeu_si128,
};

use super::portable;

/// Bytes in a register.
const WIDTH: usize = 16;

/// Stores `bytes` up to and including the first newline, and returns their number. Without a newline, stores all
/// of them and returns `None`. Touches nothing after them, and reads nothing outside of `bytes`.
///
/// # Safety
/// The bytes of `bytes` up to and including the newline must be writable at `to`, which lies outside
/// of them.
#[inline(always)] // every x86-64 has SSE2
pub unsafe fn copy_line(bytes: &[u8], to: *mut u8) -> Option<usize> {
    let (from, len) = (bytes.as_ptr(), bytes.len());
    if len < WIDTH {
        // SAFETY: the caller's promise.
        return unsafe { portable::copy_few(bytes, to) };
    }
    let mut at = 0;
    loop {
        // SAFETY: at + WIDTH <= len, always.
        let (block, hits): (__m128i, _) = unsafe {
            let block = _mm_loadu_si128(from.add(at).cast());
            let newlines = _mm_set1_epi8(b'\n' as i8);
            (block, _mm_movemask_epi8(_mm_cmpeq_epi8(block, newlines)))
        };
        if hits != 0 {
            let end = at + hits.trailing_zeros() as usize + 1;
            if end <= WIDTH {
                // SAFETY: 1 to 16 bytes, up to and including the newline.
                unsafe { portable::put_short(from, to, end) };
            } else {
                // The last WIDTH bytes of the line: some of them for the second time.
                // SAFETY: end > WIDTH, and nothing beyond the newline is stored.
                unsafe {
                    let last = _mm_loadu_si128(from.add(end - WIDTH).cast());
                    _mm_storeu_si128(to.add(end - WIDTH).cast(), last);
                }
            }
            return Some(end);
        }
        // SAFETY: no newline so far, so all of these bytes are stored.
        unsafe { _mm_storeu_si128(to.add(at).cast(), block) };
        if at + WIDTH == len {
            return None;
        }
        // The last block may overlap the one before.
        at = (at + WIDTH).min(len - WIDTH);
    }
}

//! AVX2: 32 bytes at a time.

use core::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
    _mm256_storeu_si256,
};

use super::portable;

/// Bytes in a register.
const WIDTH: usize = 32;

/// Stores `bytes` up to and including the first newline, and returns their number. Without a newline, stores all
/// of them and returns `None`. Touches nothing after them, and reads nothing outside of `bytes`.
///
/// # Safety
/// The bytes of `bytes` up to and including the newline must be writable at `to`, which lies outside
/// of them. The processor must have the instructions named here.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
pub unsafe fn copy_line(bytes: &[u8], to: *mut u8) -> Option<usize> {
    let (from, len) = (bytes.as_ptr(), bytes.len());
    if len < WIDTH {
        // SAFETY: the caller's promise.
        return unsafe { portable::copy_few(bytes, to) };
    }
    let mut at = 0;
    loop {
        // SAFETY: at + WIDTH <= len, always, and the processor has the instructions.
        let (block, hits): (__m256i, _) = unsafe {
            let block = _mm256_loadu_si256(from.add(at).cast());
            let newlines = _mm256_set1_epi8(b'\n' as i8);
            (
                block,
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(block, newlines)),
            )
        };
        if hits != 0 {
            let end = at + hits.trailing_zeros() as usize + 1;
            // SAFETY: `end` bytes, the newline the last of them; the last WIDTH bytes of a longer
            // line are stored at once, some of them for the second time.
            unsafe {
                if end > WIDTH {
                    let last = _mm256_loadu_si256(from.add(end - WIDTH).cast());
                    _mm256_storeu_si256(to.add(end - WIDTH).cast(), last);
                } else if end > 16 {
                    portable::put_ends::<16>(from, to, end);
                } else {
                    portable::put_short(from, to, end);
                }
            }
            return Some(end);
        }
        // SAFETY: no newline so far, so all of these bytes are stored.
        unsafe { _mm256_storeu_si256(to.add(at).cast(), block) };
        if at + WIDTH == len {
            return None;
        }
        // The last block may overlap the one before.
        at = (at + WIDTH).min(len - WIDTH);
    }
}

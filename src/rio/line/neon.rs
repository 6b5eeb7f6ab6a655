//! NEON: 16 bytes at a time. Every aarch64 has it.

use core::arch::aarch64::{
    uint8x16_t, vceqq_u8, vdupq_n_u8, vget_lane_u64, vld1q_u8, vreinterpret_u64_u8,
    vreinterpretq_u16_u8, vshrn_n_u16, vst1q_u8,
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
#[target_feature(enable = "neon")]
#[inline]
pub unsafe fn copy_line(bytes: &[u8], to: *mut u8) -> Option<usize> {
    let (from, len) = (bytes.as_ptr(), bytes.len());
    if len < WIDTH {
        // SAFETY: the caller's promise.
        return unsafe { portable::copy_few(bytes, to) };
    }
    let mut at = 0;
    loop {
        // SAFETY: at + WIDTH <= len, always.
        let block: uint8x16_t = unsafe { vld1q_u8(from.add(at)) };
        let hits = hits(block);
        if hits != 0 {
            let end = at + hits.trailing_zeros() as usize / 4 + 1;
            if end <= WIDTH {
                // SAFETY: 1 to 16 bytes, up to and including the newline.
                unsafe { portable::put_short(from, to, end) };
            } else {
                // The last WIDTH bytes of the line: some of them for the second time.
                // SAFETY: end > WIDTH, and nothing beyond the newline is stored.
                unsafe { vst1q_u8(to.add(end - WIDTH), vld1q_u8(from.add(end - WIDTH))) };
            }
            return Some(end);
        }
        // SAFETY: no newline so far, so all of these bytes are stored.
        unsafe { vst1q_u8(to.add(at), block) };
        if at + WIDTH == len {
            return None;
        }
        // The last block may overlap the one before.
        at = (at + WIDTH).min(len - WIDTH);
    }
}

/// Returns four bits for each byte, set if the byte is a newline. (NEON has no movemask; narrowing each pair of
/// bytes by a shift is the nearest.)
#[target_feature(enable = "neon")]
#[inline]
fn hits(block: uint8x16_t) -> u64 {
    let equal = vceqq_u8(block, vdupq_n_u8(b'\n'));
    let narrow = vshrn_n_u16::<4>(vreinterpretq_u16_u8(equal));
    vget_lane_u64::<0>(vreinterpret_u64_u8(narrow))
}

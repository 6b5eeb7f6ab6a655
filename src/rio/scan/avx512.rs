//! AVX-512: 64 bytes at a time, with masked loads and stores that make every length exact
//! without a branch.

use core::arch::x86_64::{
    __m512i, _bzhi_u64, _mm512_cmpeq_epi8_mask, _mm512_loadu_epi8, _mm512_mask_storeu_epi8,
    _mm512_maskz_loadu_epi8, _mm512_set1_epi8, _mm512_storeu_epi8,
};

/// Bytes in a register.
const WIDTH: usize = 64;

/// As [`super::copy_line`] has it.
///
/// # Safety
/// The bytes of `bytes` up to and with the newline must be writable at `to`, which lies outside
/// of them. The processor must have the instructions named here.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
pub unsafe fn copy_line(bytes: &[u8], to: *mut u8) -> Option<usize> {
    if bytes.len() < 2 * WIDTH {
        // SAFETY: the caller's promise.
        return unsafe { copy_rest(bytes, to, 0) };
    }
    // Most lines end here. Where in the group they end is no branch, so there is nothing for
    // the processor to mispredict.
    // SAFETY: 2 * WIDTH bytes are there.
    match unsafe { copy_group::<2>(bytes.as_ptr(), to) } {
        // SAFETY: so many bytes are there, and they hold no newline.
        None => unsafe { copy_rest(bytes, to, 2 * WIDTH) },
        found => found,
    }
}

/// [`copy_line`] of the bytes from `at` on; those before are stored and hold no newline. Apart from
/// it, so that the way of the short lines needs no register saved.
///
/// # Safety
/// As [`copy_line`]; `at` must not exceed the length.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
#[inline(never)]
unsafe fn copy_rest(bytes: &[u8], to: *mut u8, mut at: usize) -> Option<usize> {
    while bytes.len() - at >= 4 * WIDTH {
        // SAFETY: 4 * WIDTH bytes are there from `at` on, and no newline before them.
        let group = unsafe { copy_group::<4>(bytes.as_ptr().add(at), to.add(at)) };
        if let Some(end) = group {
            return Some(at + end);
        }
        at += 4 * WIDTH;
    }
    while at < bytes.len() {
        let left = (bytes.len() - at).min(WIDTH);
        let there = _bzhi_u64(!0, left as u32);
        // SAFETY: the mask lets only bytes of `bytes` be read. Those that are stored are among
        // them, and the newline is the last.
        unsafe {
            let block = _mm512_maskz_loadu_epi8(there, bytes.as_ptr().add(at).cast());
            let hits = _mm512_cmpeq_epi8_mask(block, newlines());
            let line = there & up_to_first(hits);
            _mm512_mask_storeu_epi8(to.add(at).cast(), line, block);
            if hits != 0 {
                return Some(at + line.count_ones() as usize);
            }
        }
        at += left;
    }
    None
}

/// [`copy_line`] for exactly N registers.
///
/// # Safety
/// N * WIDTH bytes at `from` must be readable; at `to`, as many as come up to the newline.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
unsafe fn copy_group<const N: usize>(from: *const u8, to: *mut u8) -> Option<usize> {
    // SAFETY: the caller's promise.
    let blocks: [__m512i; N] =
        core::array::from_fn(|i| unsafe { _mm512_loadu_epi8(from.add(i * WIDTH).cast()) });
    let mut hits = [0; N];
    for i in 0..N {
        hits[i] = _mm512_cmpeq_epi8_mask(blocks[i], newlines());
    }
    if hits.iter().fold(0, |all, hits| all | hits) == 0 {
        for (i, &block) in blocks.iter().enumerate() {
            // SAFETY: none of these bytes is a newline, so all are stored.
            unsafe { _mm512_storeu_epi8(to.add(i * WIDTH).cast(), block) };
        }
        return None;
    }
    let mut end = 0;
    let mut before = !0; // all ones, until the newline has been passed
    for i in 0..N {
        let line = before & up_to_first(hits[i]);
        // SAFETY: the mask ends with the newline.
        unsafe { _mm512_mask_storeu_epi8(to.add(i * WIDTH).cast(), line, blocks[i]) };
        end += line.count_ones() as usize;
        before = if hits[i] == 0 { before } else { 0 };
    }
    Some(end)
}

#[target_feature(enable = "avx512f")]
fn newlines() -> __m512i {
    _mm512_set1_epi8(b'\n'.cast_signed())
}

/// The lowest bit of `hits` and all below it; without one, all bits.
#[inline]
fn up_to_first(hits: u64) -> u64 {
    hits ^ hits.wrapping_sub(1)
}

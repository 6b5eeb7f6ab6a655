//! AVX-512: 64 bytes at a time, with masked loads and stores that make every length exact
//! without a branch.

// build.rs leaves this file out with compilers that lack any of it.
#![allow(clippy::incompatible_msrv)]

use core::arch::asm;
use core::arch::x86_64::{
    __m512i, _bzhi_u64, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_set1_epi8,
    _mm512_cmpeq_epi8_mask, _mm512_loadu_epi8, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8,
    _mm512_set1_epi8, _mm512_storeu_epi8,
};
use core::hint::select_unpredictable;

/// Bytes in a register.
const WIDTH: usize = 64;

/// The number of bytes that [`copy_rest`] looks at together.
const GROUP: usize = 4 * WIDTH;

/// The number of bytes that [`copy_start`] looks at.
pub const START: usize = 2 * WIDTH;

/// Copies the bytes up to and including the newline among START bytes, and returns where the next line starts.
/// Without a newline, copies them all.
///
/// Most lines end there. The length of the line does not lead to a branch, so there is nothing for the processor to
/// mispredict. But the work on the next line can begin only when its start is known, so the computation of the start is
/// kept short. (The result of a comparison in a mask register reaches a general register later than two results of half
/// the width and their combination.)
///
/// # Safety
/// START bytes at `from` must be readable. At `to`, the bytes up to the newline must be writable.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
#[inline]
pub unsafe fn copy_start(from: *const u8, to: *mut u8) -> Option<*const u8> {
    // SAFETY: 2 * WIDTH bytes are there.
    let hits: [u64; 2] = unsafe { [hits(from), hits(from.add(WIDTH))] };
    // SAFETY: the same.
    let blocks: [__m512i; 2] = unsafe {
        [
            _mm512_loadu_epi8(from.cast()),
            _mm512_loadu_epi8(from.add(WIDTH).cast()),
        ]
    };
    if hits[0] | hits[1] == 0 {
        // SAFETY: none of these bytes is a newline, so all are stored.
        unsafe {
            _mm512_storeu_epi8(to.cast(), blocks[0]);
            _mm512_storeu_epi8(to.add(WIDTH).cast(), blocks[1]);
        }
        return None;
    }
    let (mut behind_first, mut behind_second) = (1usize, WIDTH + 1);
    // SAFETY: there is no instruction. Constants that the compiler does not see stay with `from`, which
    // is there early; otherwise it would add them last.
    unsafe {
        asm!("/* {} {} */", inout(reg) behind_first, inout(reg) behind_second,
            options(pure, nomem, nostack, preserves_flags));
    }
    let in_first = from
        .wrapping_add(behind_first)
        .wrapping_add(hits[0].trailing_zeros() as usize);
    let in_second = from
        .wrapping_add(behind_second)
        .wrapping_add(hits[1].trailing_zeros() as usize);
    let next = select_unpredictable(hits[0] == 0, in_second, in_first);
    let in_both = select_unpredictable(hits[0] == 0, up_to_first(hits[1]), 0);
    // SAFETY: the masks end with the newline.
    unsafe {
        _mm512_mask_storeu_epi8(to.cast(), up_to_first(hits[0]), blocks[0]);
        _mm512_mask_storeu_epi8(to.add(WIDTH).cast(), in_both, blocks[1]);
    }
    Some(next)
}

/// Returns a bit for each of WIDTH bytes, set if the byte is a newline.
///
/// # Safety
/// The bytes must be readable.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn hits(from: *const u8) -> u64 {
    let newlines = _mm256_set1_epi8(b'\n'.cast_signed());
    // SAFETY: the caller's promise.
    let half = |at| unsafe {
        let block = _mm256_loadu_si256(from.add(at).cast());
        let mask: u64;
        // The compiler would turn the intrinsic into a comparison with a mask register again.
        asm!("vpmovmskb {:e}, {}", out(reg) mask, in(ymm_reg) _mm256_cmpeq_epi8(block, newlines),
            options(pure, nomem, nostack, preserves_flags));
        mask
    };
    half(0) | half(WIDTH / 2) << (WIDTH / 2)
}

/// Stores `bytes` up to and including the first newline, after [`copy_start`] has copied the first START of them, if there
/// are that many, and found no newline. Returns where the next line starts; `None` without a newline. Touches nothing
/// after the newline, and reads nothing outside of `bytes`.
///
/// # Safety
/// The bytes of `bytes` up to and including the newline must be writable at `to`, which lies outside
/// of them. The processor must have the instructions named here.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
#[inline]
pub unsafe fn copy_behind_start(bytes: &[u8], to: *mut u8) -> Option<*const u8> {
    let at = if bytes.len() < START { 0 } else { START };
    let rest = &bytes[at..];
    // SAFETY: the caller's promise.
    let end = unsafe { copy_rest(rest, to.add(at)) }?;
    Some(rest.as_ptr().wrapping_add(end))
}

/// [`copy_behind_start`] for the bytes after those of [`copy_start`], or for bytes that are too few for it. Returns their
/// number, the newline included.
///
/// # Safety
/// As [`copy_behind_start`].
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
#[inline]
pub unsafe fn copy_rest(bytes: &[u8], to: *mut u8) -> Option<usize> {
    let mut at = 0;
    while bytes.len() - at >= GROUP {
        // SAFETY: GROUP bytes are there from `at` on, and no newline before them.
        let group = unsafe { copy_group(bytes.as_ptr().add(at), to.add(at)) };
        if let Some(end) = group {
            return Some(at + end);
        }
        at += GROUP;
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

/// [`copy_rest`] for exactly four registers. Without loops, which the compiler would not unroll where it saves room; then the
/// registers would be arrays in memory.
///
/// # Safety
/// GROUP bytes at `from` must be readable. At `to`, the bytes up to the newline must be writable.
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
unsafe fn copy_group(from: *const u8, to: *mut u8) -> Option<usize> {
    // SAFETY: the caller's promise.
    let load = |i: usize| unsafe { _mm512_loadu_epi8(from.add(i * WIDTH).cast()) };
    let blocks: [__m512i; 4] = [load(0), load(1), load(2), load(3)];
    let hits = |i: usize| _mm512_cmpeq_epi8_mask(blocks[i], newlines());
    let [a, b, c, d] = [hits(0), hits(1), hits(2), hits(3)];
    if a | b | c | d == 0 {
        // SAFETY: none of these bytes is a newline, so all are stored.
        let store = |i: usize| unsafe { _mm512_storeu_epi8(to.add(i * WIDTH).cast(), blocks[i]) };
        store(0);
        store(1);
        store(2);
        store(3);
        return None;
    }
    let store = |i: usize, is_in: bool, hits: u64| {
        let line = if is_in { up_to_first(hits) } else { 0 };
        // SAFETY: the mask ends with the newline, and is empty behind it.
        unsafe { _mm512_mask_storeu_epi8(to.add(i * WIDTH).cast(), line, blocks[i]) };
        line.count_ones() as usize
    };
    Some(
        store(0, true, a)
            + store(1, a == 0, b)
            + store(2, a | b == 0, c)
            + store(3, a | b | c == 0, d),
    )
}

#[target_feature(enable = "avx512f")]
fn newlines() -> __m512i {
    _mm512_set1_epi8(b'\n'.cast_signed())
}

/// Returns the lowest bit of `hits` and all bits below it, or all bits if `hits` is 0.
#[inline]
fn up_to_first(hits: u64) -> u64 {
    hits ^ hits.wrapping_sub(1)
}

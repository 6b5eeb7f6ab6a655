//! Which instructions this x86-64 processor has for us: asked once, at the first line.

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use core::sync::atomic::{AtomicU8, Ordering};

/// The sets that have a file here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    Avx512 = 1,
    Avx2 = 2,
    Sse2 = 3,
}

/// The answer, or 0 before the question. Every thread that asks gets the same answer, so it does
/// not matter who stores it, nor when the others see it.
static KNOWN: AtomicU8 = AtomicU8::new(0);

/// The widest set that the processor has and the system lets programs use.
#[inline(always)]
pub fn kind() -> Kind {
    const SSE2: u8 = Kind::Sse2 as u8;
    const AVX2: u8 = Kind::Avx2 as u8;
    const AVX512: u8 = Kind::Avx512 as u8;
    match KNOWN.load(Ordering::Relaxed) {
        AVX512 => Kind::Avx512,
        AVX2 => Kind::Avx2,
        SSE2 => Kind::Sse2,
        _ => ask(),
    }
}

#[cold]
#[inline(never)]
fn ask() -> Kind {
    let kind = widest();
    KNOWN.store(kind as u8, Ordering::Relaxed);
    kind
}

/// Asks the processor (Intel's Software Developer's Manual, volume 2, CPUID; volume 1, sections
/// 13.2 and 15.2).
fn widest() -> Kind {
    // Leaf 1, ECX: POPCNT, OSXSAVE and AVX.
    const BASE: u32 = 1 << 23 | 1 << 27 | 1 << 28;
    // Leaf 7, EBX: BMI1, AVX2 and BMI2; AVX512F and AVX512BW.
    const WITH_AVX2: u32 = 1 << 3 | 1 << 5 | 1 << 8;
    const WITH_AVX512: u32 = WITH_AVX2 | 1 << 16 | 1 << 30;
    // XCR0: what the system saves of a thread. XMM and YMM; mask registers and ZMM.
    const SAVES_YMM: u64 = 1 << 1 | 1 << 2;
    const SAVES_ZMM: u64 = SAVES_YMM | 1 << 5 | 1 << 6 | 1 << 7;

    if __cpuid(0).eax < 7 || __cpuid(1).ecx & BASE != BASE {
        return Kind::Sse2;
    }
    let has = __cpuid_count(7, 0).ebx;
    // SAFETY: OSXSAVE says that the system lets programs use xgetbv.
    let saves = unsafe { saved_state() };
    if has & WITH_AVX512 == WITH_AVX512 && saves & SAVES_ZMM == SAVES_ZMM {
        Kind::Avx512
    } else if has & WITH_AVX2 == WITH_AVX2 && saves & SAVES_YMM == SAVES_YMM {
        Kind::Avx2
    } else {
        Kind::Sse2
    }
}

#[target_feature(enable = "xsave")]
fn saved_state() -> u64 {
    // SAFETY: register 0 exists wherever xgetbv does.
    unsafe { _xgetbv(0) }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind};

    #[test]
    fn the_answer_is_that_of_the_standard_library() {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2");
        let avx512 = avx2 && is_x86_feature_detected!("avx512bw");
        let expected = match (avx512, avx2) {
            (true, _) => Kind::Avx512,
            (_, true) => Kind::Avx2,
            _ => Kind::Sse2,
        };
        assert_eq!(kind(), expected);
        assert_eq!(kind(), expected, "the second time it is remembered");
    }
}

//! Which sets of instructions this x86-64 processor has.

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};

/// The sets that have a file here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    #[cfg(has_avx512)]
    Avx512,
    Avx2,
    Sse2,
}

/// Returns the widest set that the processor has and the system lets programs use.
///
/// Asks the processor (Intel's Software Developer's Manual, volume 2, CPUID; volume 1, sections
/// 13.2 and 15.2).
pub fn widest() -> Isa {
    const OSXSAVE: u32 = 1 << 27;
    #[allow(unused_unsafe)] // which Rust 1.85 asks for
    // SAFETY: every x86-64 has the instruction, and a leaf 1; leaf 7 where leaf 0 says so.
    let (base, more) = unsafe {
        let more = match __cpuid(0).eax {
            0..7 => 0,
            _ => __cpuid_count(7, 0).ebx,
        };
        (__cpuid(1).ecx, more)
    };
    let saves = match base & OSXSAVE {
        0 => 0,
        // SAFETY: OSXSAVE says that the system lets programs use xgetbv.
        _ => unsafe { saved_state() },
    };
    widest_of(base, more, saves)
}

/// Returns the set that follows from the answers: leaf 1, ECX; leaf 7, EBX; and XCR0, the registers that the
/// system saves for a thread.
fn widest_of(base: u32, more: u32, saves: u64) -> Isa {
    // POPCNT, OSXSAVE and AVX.
    const BASE: u32 = 1 << 23 | 1 << 27 | 1 << 28;
    // BMI1, AVX2 and BMI2; AVX512F and AVX512BW.
    const WITH_AVX2: u32 = 1 << 3 | 1 << 5 | 1 << 8;
    #[cfg(has_avx512)]
    const WITH_AVX512: u32 = WITH_AVX2 | 1 << 16 | 1 << 30;
    // XMM and YMM; mask registers and ZMM.
    const SAVES_YMM: u64 = 1 << 1 | 1 << 2;
    #[cfg(has_avx512)]
    const SAVES_ZMM: u64 = SAVES_YMM | 1 << 5 | 1 << 6 | 1 << 7;

    if base & BASE != BASE || more & WITH_AVX2 != WITH_AVX2 || saves & SAVES_YMM != SAVES_YMM {
        return Isa::Sse2;
    }
    #[cfg(has_avx512)]
    if more & WITH_AVX512 == WITH_AVX512 && saves & SAVES_ZMM == SAVES_ZMM {
        return Isa::Avx512;
    }
    Isa::Avx2
}

/// # Safety
/// The system must let programs use xgetbv.
#[target_feature(enable = "xsave")]
unsafe fn saved_state() -> u64 {
    // SAFETY: register 0 exists wherever xgetbv does.
    unsafe { _xgetbv(0) }
}

#[cfg(all(test, has_avx512))]
mod tests {
    use super::{Isa, widest, widest_of};

    #[test]
    fn the_answer_is_that_of_the_standard_library() {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2");
        let avx512 = avx2 && is_x86_feature_detected!("avx512bw");
        let expected = match (avx512, avx2) {
            (true, _) => Isa::Avx512,
            (_, true) => Isa::Avx2,
            _ => Isa::Sse2,
        };
        assert_eq!(widest(), expected);
    }

    /// Every bit that a set of instructions needs, and no other, decides.
    #[test]
    fn a_set_is_taken_with_all_that_it_needs() {
        // (which answer, bit, what is left without it)
        let needed = [
            (0, 23, Isa::Sse2), // POPCNT
            (0, 27, Isa::Sse2), // OSXSAVE
            (0, 28, Isa::Sse2), // AVX
            (1, 3, Isa::Sse2),  // BMI1
            (1, 5, Isa::Sse2),  // AVX2
            (1, 8, Isa::Sse2),  // BMI2
            (1, 16, Isa::Avx2), // AVX512F
            (1, 30, Isa::Avx2), // AVX512BW
            (2, 1, Isa::Sse2),  // XMM
            (2, 2, Isa::Sse2),  // YMM
            (2, 5, Isa::Avx2),  // mask registers
            (2, 6, Isa::Avx2),  // ZMM, the upper halves
            (2, 7, Isa::Avx2),  // ZMM, the upper sixteen
        ];
        let of = |answers: [u64; 3]| widest_of(answers[0] as u32, answers[1] as u32, answers[2]);
        let mut least = [0; 3];
        for (answer, bit, _) in needed {
            least[answer] |= 1 << bit;
        }
        assert_eq!(of([0; 3]), Isa::Sse2);
        assert_eq!(of([!0; 3]), Isa::Avx512);
        assert_eq!(of(least), Isa::Avx512);
        for (answer, bit, left) in needed {
            for mut answers in [least, [!0; 3]] {
                answers[answer] &= !(1 << bit);
                assert_eq!(of(answers), left, "answer {answer} without bit {bit}");
            }
        }
    }
}

//! All variants against a loop that anybody can read: every length, alignment and position
//! of the newline, with a page on either side that cannot be touched, and marked bytes.

use proptest::prelude::*;

use super::copy_line;
use super::harness::{Harness, Place};
use crate::sys::Room;

/// Miri is a thousand times as slow.
const CASES: u32 = if cfg!(miri) { 16 } else { 256 };
const LONGEST: usize = if cfg!(miri) { 200 } else { 2000 };

fn harness() -> Harness {
    let mut harness = Harness::new();
    harness
        .variants
        .push(("for lines that are not whole", |bytes, to| {
            // SAFETY: the caller's promise is the same.
            let mut room = unsafe { Room::new(to.cast(), bytes.len()) };
            copy_line(bytes, &mut room).then(|| bytes.len() - room.left())
        }));
    harness
}

/// Bytes that come near a newline in every bit, and wrap around where words are subtracted.
fn text(len: usize) -> Vec<u8> {
    const NEAR: [u8; 10] = [
        0x0b,
        0x09,
        0x8a,
        0x0a ^ 0x80,
        0,
        0xff,
        0x1a,
        b'a',
        0x0e,
        0x02,
    ];
    (0..len).map(|i| NEAR[i * 7 % NEAR.len()]).collect()
}

#[test]
#[cfg_attr(miri, ignore = "takes hours")]
fn every_length_with_the_newline_everywhere_or_nowhere() {
    let mut harness = harness();
    for len in 0..300 {
        let mut bytes = text(len);
        for newline in 0..=len {
            if newline < len {
                bytes[newline] = b'\n';
            }
            // Up against the pages that cannot be touched, on both sides.
            harness.check(&bytes, Place::FromEnd(0), Place::FromEnd(0));
            harness.check(&bytes, Place::FromStart(0), Place::FromStart(0));
            if newline < len {
                bytes[newline] = b'x';
            }
        }
    }
}

/// Several newlines, at the same place of every register.
#[test]
#[cfg_attr(miri, ignore = "takes hours")]
fn the_first_of_newlines_at_regular_distances() {
    let mut harness = harness();
    for len in [
        17, 33, 65, 127, 128, 129, 255, 256, 257, 384, 400, 512, 1000,
    ] {
        for distance in [1, 2, 8, 16, 32, 64, 128] {
            for first in 0..distance {
                let mut bytes = text(len);
                bytes
                    .iter_mut()
                    .skip(first)
                    .step_by(distance)
                    .for_each(|byte| *byte = b'\n');
                harness.check(&bytes, Place::FromEnd(0), Place::FromEnd(0));
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hours")]
fn every_alignment_of_source_and_target() {
    let mut harness = harness();
    for len in [1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 300] {
        let mut bytes = text(len);
        bytes[len - 1] = b'\n';
        for from in 0..64 {
            for to in 0..64 {
                harness.check(&bytes, Place::FromEnd(from), Place::FromStart(to));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_at_any_place(
        bytes in proptest::collection::vec(
            prop_oneof![9 => any::<u8>(), 1 => Just(b'a')], 0..LONGEST),
        from in 0usize..200,
        to in 0usize..200,
        keep_newlines in any::<bool>(),
    ) {
        let mut bytes = bytes;
        if !keep_newlines {
            bytes.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b'\r');
        }
        harness().check(&bytes, Place::FromEnd(from), Place::FromStart(to));
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[test]
fn the_function_for_the_widest_set_is_remembered() {
    use super::{CHOSEN, Ordering, Take, avx2, isa, sse2};

    let expected: Take = match isa::widest() {
        #[cfg(has_avx512)]
        isa::Isa::Avx512 => super::avx512_start,
        isa::Isa::Avx2 => avx2,
        isa::Isa::Sse2 => sse2,
    };
    super::choose();
    assert_eq!(CHOSEN.load(Ordering::Relaxed), expected as *mut ());
}

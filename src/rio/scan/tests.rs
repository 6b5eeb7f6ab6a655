//! All variants against a loop that anybody can read: every length, alignment and position
//! of the newline, with a page on either side that cannot be touched, and marked bytes.

use std::ptr;

use proptest::prelude::*;

use super::*;

type Variant = unsafe fn(&[u8], *mut u8) -> Option<usize>;

/// The variants that this processor can run.
fn variants() -> Vec<(&'static str, Variant)> {
    let mut variants: Vec<(&str, Variant)> = vec![("widest", |bytes, to| {
        // SAFETY: the caller's promise is the same.
        unsafe { widest(bytes, to, 0) }
    })];
    variants.push(("portable", portable::copy_line));
    #[cfg(target_arch = "aarch64")]
    variants.push(("neon", neon::copy_line));
    #[cfg(target_arch = "x86_64")]
    {
        variants.push(("sse2", sse2::copy_line));
        if x86::kind() <= x86::Kind::Avx2 {
            variants.push(("avx2", avx2::copy_line));
        }
        if x86::kind() <= x86::Kind::Avx512 {
            variants.push(("avx512", avx512::copy_line));
        }
    }
    variants
}

/// A few pages of memory between two that cannot be touched.
struct Guarded {
    start: *mut u8,
}

impl Guarded {
    const PAGE: usize = 4096;
    const LEN: usize = 3 * Guarded::PAGE;

    fn new() -> Guarded {
        let whole = Guarded::LEN + 2 * Guarded::PAGE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh mapping, of which the middle part is made accessible.
        unsafe {
            let map = libc::mmap(ptr::null_mut(), whole, libc::PROT_NONE, flags, -1, 0);
            assert_ne!(map, libc::MAP_FAILED);
            let start = map.cast::<u8>().add(Guarded::PAGE);
            let rights = libc::PROT_READ | libc::PROT_WRITE;
            assert_eq!(libc::mprotect(start.cast(), Guarded::LEN, rights), 0);
            Guarded { start }
        }
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: that many bytes are accessible, and initialised by the kernel.
        unsafe { std::slice::from_raw_parts_mut(self.start, Guarded::LEN) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping of `new`, and nothing else refers to it.
        unsafe {
            let map = self.start.sub(Guarded::PAGE);
            libc::munmap(map.cast(), Guarded::LEN + 2 * Guarded::PAGE);
        }
    }
}

const MARK: u8 = 0xA5;

/// Where a piece lies in its guarded memory: `offset` bytes from the start, or from the end.
#[derive(Debug, Clone, Copy)]
enum Place {
    FromStart(usize),
    FromEnd(usize),
}

impl Place {
    fn start(self, len: usize) -> usize {
        match self {
            Place::FromStart(offset) => offset,
            Place::FromEnd(offset) => Guarded::LEN - offset - len,
        }
    }
}

struct Bench {
    variants: Vec<(&'static str, Variant)>,
    source: Guarded,
    target: Guarded,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            variants: variants(),
            source: Guarded::new(),
            target: Guarded::new(),
        }
    }

    /// Holds every variant against what `bytes` should give. What surrounds the source is
    /// newlines, which nobody may see.
    fn check(&mut self, bytes: &[u8], from: Place, to: Place) {
        let end = bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .map(|at| at + 1);
        let stored = end.unwrap_or(bytes.len());
        let at = from.start(bytes.len());
        self.source.bytes()[at.saturating_sub(64)..]
            .iter_mut()
            .take(64 + bytes.len() + 64)
            .for_each(|byte| *byte = b'\n');
        self.source.bytes()[at..at + bytes.len()].copy_from_slice(bytes);
        // The target has exactly as many bytes as are stored, which matters at its end.
        let put = to.start(stored);
        let (low, high) = (
            put.saturating_sub(80),
            (put + stored + 80).min(Guarded::LEN),
        );
        for &(name, variant) in &self.variants {
            self.target.bytes()[low..high].fill(MARK);
            let source = &self.source.bytes()[at..at + bytes.len()];
            // SAFETY: `stored` bytes are writable there.
            let found = unsafe { variant(source, self.target.start.add(put)) };
            assert_eq!(found, end, "{name}: {from:?} {to:?} length {}", bytes.len());
            let target = self.target.bytes();
            assert!(
                target[put..put + stored] == bytes[..stored],
                "{name}: bytes differ"
            );
            let around = target[low..put].iter().chain(&target[put + stored..high]);
            assert!(
                around.into_iter().all(|&byte| byte == MARK),
                "{name}: wrote outside"
            );
        }
    }
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
fn every_length_with_the_newline_everywhere_or_nowhere() {
    let mut bench = Bench::new();
    for len in 0..300 {
        let mut bytes = text(len);
        for newline in 0..=len {
            if newline < len {
                bytes[newline] = b'\n';
            }
            // Up against the pages that cannot be touched, on both sides.
            bench.check(&bytes, Place::FromEnd(0), Place::FromEnd(0));
            bench.check(&bytes, Place::FromStart(0), Place::FromStart(0));
            if newline < len {
                bytes[newline] = b'x';
            }
        }
    }
}

#[test]
fn every_alignment_of_source_and_target() {
    let mut bench = Bench::new();
    for len in [1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 300] {
        let mut bytes = text(len);
        bytes[len - 1] = b'\n';
        for from in 0..64 {
            for to in 0..64 {
                bench.check(&bytes, Place::FromEnd(from), Place::FromStart(to));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_at_any_place(
        bytes in proptest::collection::vec(
            prop_oneof![9 => any::<u8>(), 1 => Just(b'a')], 0..2000),
        from in 0usize..200,
        to in 0usize..200,
        keep_newlines in any::<bool>(),
    ) {
        let mut bytes = bytes;
        if !keep_newlines {
            bytes.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b'\r');
        }
        Bench::new().check(&bytes, Place::FromEnd(from), Place::FromStart(to));
    }
}

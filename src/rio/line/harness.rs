//! Holds the variants of the line loop against one that anybody can read, with a page on either
//! side that cannot be touched, and marked bytes. For the tests, and for the fuzz target `scan`.

#[cfg(not(miri))]
use std::ptr;

#[cfg(all(has_avx512, not(miri)))]
use super::avx512;
#[cfg(all(target_arch = "aarch64", not(miri)))]
use super::neon;
use super::portable;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use super::{avx2, isa, sse2};

/// Stores the bytes up to and including the first newline, and returns their number. Without a newline, stores all of them and
/// returns `None`.
pub type Variant = unsafe fn(&[u8], *mut u8) -> Option<usize>;

/// The two steps of AVX-512, as one.
#[cfg(all(has_avx512, not(miri)))]
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt")]
unsafe fn avx512_line(bytes: &[u8], to: *mut u8) -> Option<usize> {
    // SAFETY: the caller's promise.
    unsafe {
        let next = match bytes.len() {
            ..avx512::START => None,
            _ => avx512::copy_start(bytes.as_ptr(), to),
        };
        let next = next.or_else(|| avx512::copy_behind_start(bytes, to))?;
        Some(next.addr() - bytes.as_ptr().addr())
    }
}

/// The variants that this processor can run.
fn variants() -> Vec<(&'static str, Variant)> {
    #[cfg_attr(miri, allow(unused_mut))] // which has this one alone
    let mut variants: Vec<(&str, Variant)> = vec![("portable", portable::copy_line)];
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    variants.push(("neon", neon::copy_line));
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        variants.push(("sse2", sse2::copy_line));
        if isa::widest() <= isa::Isa::Avx2 {
            variants.push(("avx2", avx2::copy_line));
        }
        #[cfg(has_avx512)]
        if isa::widest() <= isa::Isa::Avx512 {
            variants.push(("avx512", avx512_line));
        }
    }
    variants
}

/// A few pages of memory between two that cannot be touched.
pub struct Guarded {
    start: *mut u8,
}

impl Guarded {
    const PAGE: usize = 4096;
    /// How many bytes can be touched.
    pub const LEN: usize = 3 * Guarded::PAGE;

    /// Miri sees by itself what touches memory that is not its own.
    #[cfg(miri)]
    pub fn new() -> Guarded {
        let start = Box::leak(vec![0; Guarded::LEN].into_boxed_slice()).as_mut_ptr();
        Guarded { start }
    }

    #[cfg(not(miri))]
    pub fn new() -> Guarded {
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

    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: that many bytes are accessible, and initialised by the kernel.
        unsafe { std::slice::from_raw_parts_mut(self.start, Guarded::LEN) }
    }
}

#[cfg(miri)]
impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the box of `new`, and nothing else refers to it.
        drop(unsafe { Box::from_raw(std::slice::from_raw_parts_mut(self.start, Guarded::LEN)) });
    }
}

#[cfg(not(miri))]
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
pub enum Place {
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

/// The variants, and memory to try them on.
pub struct Harness {
    pub variants: Vec<(&'static str, Variant)>,
    source: Guarded,
    target: Guarded,
}

impl Harness {
    pub fn new() -> Harness {
        Harness {
            variants: variants(),
            source: Guarded::new(),
            target: Guarded::new(),
        }
    }

    /// Holds every variant against what `bytes` should give. What surrounds the source is
    /// newlines, which the function must not see.
    pub fn check(&mut self, bytes: &[u8], from: Place, to: Place) {
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

//! The variants of the line loop, with the bench that the library's own tests hold them against.

#[cfg(target_arch = "x86_64")]
#[path = "../../src/rio/scan/avx2.rs"]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[path = "../../src/rio/scan/avx512.rs"]
mod avx512;
#[path = "../../src/rio/scan/bench.rs"]
pub mod bench;
#[cfg(target_arch = "aarch64")]
#[path = "../../src/rio/scan/neon.rs"]
mod neon;
#[path = "../../src/rio/scan/portable.rs"]
mod portable;
#[cfg(target_arch = "x86_64")]
#[path = "../../src/rio/scan/sse2.rs"]
mod sse2;
#[cfg(target_arch = "x86_64")]
#[path = "../../src/rio/scan/x86.rs"]
mod x86;

//! The variants of the line loop, with the harness that the library's own tests hold them against.

#[cfg(target_arch = "x86_64")]
#[path = "../../src/rio/line/avx2.rs"]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[path = "../../src/rio/line/avx512.rs"]
mod avx512;
#[path = "../../src/rio/line/harness.rs"]
pub mod harness;
#[cfg(target_arch = "aarch64")]
#[path = "../../src/rio/line/neon.rs"]
mod neon;
#[path = "../../src/rio/line/portable.rs"]
mod portable;
#[cfg(target_arch = "x86_64")]
#[path = "../../src/rio/line/sse2.rs"]
mod sse2;
#[cfg(target_arch = "x86_64")]
#[path = "../../src/rio/line/isa.rs"]
mod isa;

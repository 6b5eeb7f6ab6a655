//! Every call to libc that the modules make: plain values and slices in, `Result` out.
//!
//! Three things are written here and nowhere else: how -1 becomes an [`Errno`], that an
//! interrupted call restarts, and when a call that would block waits. No function
//! here changes `errno`; the C interface sets it, once, when a C call fails.
//!
//! A thread may be cancelled inside a call. That unwinding finds no destructor and no landing
//! pad in our frames, only unwind tables (see rt.rs), and a test cancels a thread in
//! every blocking call.
//!
//! Yet only `pthread_exit` is declared "C-unwind", not the functions that are cancellation points.
//! In a crate with panic = "abort", rustc adds to each call of a "C-unwind" function a landing pad that
//! aborts the process (RFC 2945), and all that keeps it from being entered is our personality
//! routine: 4 KiB of code that would be wrong if it were not dead. All that "C" lets the compiler
//! conclude, that nothing unwinds, is that our frames need no landing pads, which is so. The
//! tables that the unwinder needs are kept by -C force-unwind-tables.

mod buffer;
mod cancel;
mod clock;
mod errno;
mod fd;
mod interfaces;
mod memory;
mod process;
mod resolve;
mod retry;
mod sanitizer;
mod socket;
mod text;
mod wait;
pub mod undeclared;

pub use self::buffer::*;
pub use self::cancel::*;
pub use self::clock::*;
pub use self::errno::*;
pub use self::fd::*;
pub use self::interfaces::*;
pub use self::memory::*;
pub use self::process::*;
pub use self::resolve::*;
pub use self::retry::*;
pub use self::sanitizer::*;
pub use self::socket::*;
pub use self::text::*;
pub use self::wait::*;

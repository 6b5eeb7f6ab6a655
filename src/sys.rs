//! Every call to libc that the modules make: plain values and slices in, `Result` out.
//!
//! Three things are written here: how -1 becomes an [`Errno`], that an interrupted call restarts (both also in
//! capi/checked.rs, for the calls of checked wrappers), and when a call that would block waits. No function
//! here changes `errno`; the C interface sets it, once, when a C call fails.
//!
//! A thread may be cancelled inside a call. The unwinding then finds no destructor and no landing pad in our frames, only
//! unwind tables (see rt.rs). A test cancels a thread in every blocking call.
//!
//! However, only `pthread_exit` is declared "C-unwind", not the functions that are cancellation points. In a crate with
//! panic = "abort", rustc adds a landing pad that aborts the process to each call of a "C-unwind" function (RFC 2945). Only
//! our personality routine would keep the unwinder from entering it: 4 KiB of code that would be wrong if it ran. From "C"
//! the compiler concludes that nothing unwinds, and so that our frames need no landing pads, which is true. -C
//! force-unwind-tables keeps the tables that the unwinder needs.

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

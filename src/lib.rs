//! libcsapp: the support library of *Computer Systems: A Programmer's Perspective*,
//! for C programs.
//!
//! There are two paths through the code. A module calls those to its right, and none to its left:
//!
//! ```text
//! checked wrappers:  C program -> capi -> libc
//! everything else:   C program -> capi -> report -> sio -> rio | net -> sys -> libc
//! ```
//!
//! `capi` is the C interface: it checks arguments, and turns `Result` into what C expects. Most checked wrappers (`Dup2`)
//! make one call of libc, and some do what another function does (`Rio_readn`); capi/checked.rs has the parts of
//! wrappers, and capi/handler.rs what follows a failure. The other modules do more than a call of libc: `rio` is the
//! robust I/O package, `net` connects and listens by name, `sio` is output for signal handlers, `report` composes the
//! line about a failure. `sys` makes their calls of libc: values and slices in, `Result` out.
//!
//! `make header` generates `include/csapp.h` from `capi`. The Rust interface exists for this project's own tests and
//! promises nothing.

#![cfg_attr(panic = "abort", no_std)]

// A panic must never unwind into a C program, so a build that unwinds stops here. Those with debug
// assertions do not, since `cargo test` builds like that, and ships nothing.
#[cfg(all(panic = "unwind", not(debug_assertions)))]
compile_error!(
    "libcsapp ships with panic=\"abort\" only: build it with `make`, or with \
     `cargo rustc --release --crate-type cdylib,staticlib` under the profiles of Cargo.toml. \
     (`cargo test` works in the dev profile; `cargo test --release` does not.)"
);

// On these systems, time_t has 64 bits in the C library, and 32 in the crate libc.
#[cfg(all(target_env = "musl", target_pointer_width = "32"))]
compile_error!("libcsapp cannot be built for 32-bit systems with musl");

pub mod sys;
pub mod rio;
pub mod net;
pub mod sio;
pub mod report;
pub mod capi;
#[cfg(panic = "abort")]
mod rt;

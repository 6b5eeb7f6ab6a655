//! libcsapp_check.so: takes the place of the functions of libc by which a program opens, reads, waits, forks and so
//! on, records in shared memory what they do, and finds there what cannot be right. It changes no result and no
//! errno, allocates nothing and takes no lock, so that it may run wherever the program may call: in a signal handler,
//! in a child of fork, in a thread with a small stack.
//!
//! The part for descriptors is descriptors.rs, what moves bytes is in transfer.rs, and so on; state.rs finds the
//! record of the calling thread, stack.rs says where a call comes from, and find.rs writes down what is wrong.

#[path = "shared.rs"]
pub mod shared;

#[path = "preload/real.rs"]
#[macro_use]
mod real;

#[path = "preload/chaos.rs"]
mod chaos;
#[path = "preload/descriptors.rs"]
mod descriptors;
#[path = "preload/find.rs"]
mod find;
#[path = "preload/patch.rs"]
mod patch;
#[path = "preload/processes.rs"]
mod processes;
#[path = "preload/programs.rs"]
mod programs;
#[path = "preload/rio.rs"]
mod rio;
#[path = "preload/signals.rs"]
mod signals;
#[path = "preload/stack.rs"]
mod stack;
#[path = "preload/start.rs"]
mod start;
#[path = "preload/state.rs"]
mod state;
#[path = "preload/stdio.rs"]
mod stdio;
#[path = "preload/threads.rs"]
mod threads;
#[path = "preload/transfer.rs"]
mod transfer;
#[path = "preload/waiting.rs"]
mod waiting;

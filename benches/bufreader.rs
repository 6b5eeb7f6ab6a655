//! The Rust way to read lines, for the C harness: std's BufReader, with its usual buffer.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

/// Reads all lines from the descriptor on and returns the number of their bytes.
#[unsafe(no_mangle)]
pub extern "C" fn bufreader_lines(fd: i32) -> usize {
    // SAFETY: the descriptor is the caller's and open; ManuallyDrop leaves it so.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
    let mut reader = BufReader::new(&*file);
    let mut line = Vec::new();
    let mut total = 0;
    while let Ok(count @ 1..) = reader.read_until(b'\n', &mut line) {
        total += count;
        std::hint::black_box(&line);
        line.clear();
    }
    total
}

//! Memory for a moment. No lock is taken, so it may be asked for in a signal handler.

use core::ptr;
use core::slice;

use super::errno::attempt;

/// Bytes that are lent of the stack.
const ON_STACK: usize = 4096;

/// Lends `len` bytes: of the stack, or if they are more than a page, fresh from the system. If the system has none,
/// lends a page.
pub fn with_room<T>(len: usize, call: impl FnOnce(&mut [u8]) -> T) -> T {
    if len > ON_STACK {
        let (access, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANON,
        );
        // SAFETY: a new mapping overlaps nothing.
        let mapping = attempt(libc::MAP_FAILED, || unsafe {
            libc::mmap(ptr::null_mut(), len, access, kind, -1, 0)
        });
        if let Ok(start) = mapping {
            // SAFETY: so many bytes are there, all zero, and nobody else's.
            let value = call(unsafe { slice::from_raw_parts_mut(start.cast(), len) });
            // SAFETY: the only reference has ended with the call.
            let _ = attempt(-1, || unsafe { libc::munmap(start, len) });
            return value;
        }
    }
    call(&mut [0; ON_STACK])
}

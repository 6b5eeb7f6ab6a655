//! Memory for a moment. No lock is taken, so it may be asked for in a signal handler.

use core::ffi::c_void;
use core::ptr;
use core::slice;

use super::cancel::with_cleanup;
use super::errno::or_errno;

/// Bytes that are lent of the stack.
const ON_STACK: usize = 4096;

/// Lends `len` bytes, all zero: of the stack, or if they are more than a page, fresh from the system. If the system has none,
/// lends a page. `call` may end its thread or be jumped out of.
#[inline(never)]
pub fn with_room(len: usize, call: &mut dyn FnMut(&mut [u8])) {
    if len > ON_STACK {
        let (access, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANON,
        );
        // SAFETY: a new mapping overlaps nothing.
        let mapping = or_errno(libc::MAP_FAILED, || unsafe {
            libc::mmap(ptr::null_mut(), len, access, kind, -1, 0)
        });
        if let Ok(start) = mapping {
            let mapping = Mapping { start, len };
            // SAFETY: so many bytes are there, all zero, and nobody else's.
            let bytes = unsafe { slice::from_raw_parts_mut(start.cast(), len) };
            // SAFETY: nobody uses the bytes once the call has been left.
            unsafe { with_cleanup(&mapping, unmap, || call(bytes)) };
            // SAFETY: the same.
            unsafe { unmap(&mapping) };
            return;
        }
    }
    call(&mut [0; ON_STACK]);
}

struct Mapping {
    start: *mut c_void,
    len: usize,
}

/// # Safety
/// Nothing in the mapping may be used afterwards.
unsafe extern "C" fn unmap(mapping: &Mapping) {
    // SAFETY: the caller's promise.
    let _ = or_errno(-1, || unsafe { libc::munmap(mapping.start, mapping.len) });
}

//! Memory for the time of a call, and a search in memory. Takes no lock, so a signal handler may do both.

use core::ffi::{c_int, c_void};
use core::ptr;
use core::slice;

use super::cancel::with_cleanup;
use super::errno::{call, or_errno};

/// The largest number of bytes that the stack provides.
const ON_STACK: usize = 4096;

/// Passes `len` bytes, all zero, to `call`: on the stack, or if they are more than a page, in a new mapping. If
/// the system has no memory, passes one page. `call` may end its thread, and a jump out of it is safe.
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
            // SAFETY: the mapping has `len` bytes, all zero, and nothing else uses them.
            let bytes = unsafe { slice::from_raw_parts_mut(start.cast(), len) };
            // SAFETY: nothing uses the bytes after the call.
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
    let _ = unsafe { call!(libc::munmap(mapping.start, mapping.len)) };
}

/// Returns the position of the first `byte` in `bytes`.
pub fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let start = bytes.as_ptr();
    // SAFETY: so many bytes are there.
    let found = unsafe { libc::memchr(start.cast(), c_int::from(byte), bytes.len()) };
    (!found.is_null()).then(|| found.addr() - start.addr())
}

/// Divides `bytes` in front of the first such byte.
pub fn split_before(bytes: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    // SAFETY: it was found there.
    find(bytes, byte).map(|at| unsafe { bytes.split_at_unchecked(at) })
}

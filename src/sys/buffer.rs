//! Memory of a C caller that a call writes to.

use core::ffi::c_void;
use core::ptr;

use super::sanitizer::about_to_store;

/// Memory of a C caller to write to: an address and the number of bytes that may be stored there.
///
/// It is not a slice, for two reasons. The bytes need not be initialised. And callers state a larger size than
/// they own (`MAXLINE` with a smaller array), which is harmless as long as nothing touches a byte that is not
/// stored, or creates a reference to it.
#[derive(Debug)]
pub struct Room {
    next: *mut u8,
    left: usize,
}

impl Room {
    /// Room for `len` bytes at `start`.
    ///
    /// # Safety
    /// The bytes at `start` that will be stored must be writable, no other code may touch them meanwhile, and
    /// `len` must not exceed `isize::MAX`.
    pub unsafe fn new(start: *mut c_void, len: usize) -> Room {
        Room {
            next: start.cast(),
            left: len,
        }
    }

    /// How many more bytes may be stored.
    #[inline]
    pub fn left(&self) -> usize {
        self.left
    }

    /// The address of the next byte to store.
    #[inline]
    pub fn next(&self) -> *mut u8 {
        self.next
    }

    /// Says that the next `count` bytes have been stored.
    ///
    /// # Safety
    /// They must have been, and `count` must not exceed [`Room::left`].
    #[inline]
    pub unsafe fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.left);
        // SAFETY: the caller stored `count` bytes here, so they are part of the object.
        self.next = unsafe { self.next.add(count) };
        self.left -= count;
    }

    /// Stores as many of `bytes` as there is room for, and returns their number.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.left);
        if count == 0 {
            return 0;
        }
        about_to_store(self.next, count);
        // SAFETY: `new` promised that what is stored within `left` is writable and not
        // touched by other code, so it cannot overlap `bytes` either.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.next, count);
            self.advance(count);
        }
        count
    }
}

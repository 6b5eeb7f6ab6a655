//! Copy up to and with the newline: the loop that every line of every program goes through.

use core::ffi::c_int;

use crate::sys::Room;

/// Stores `bytes` up to and with the first newline and returns the number of bytes; without
/// a newline, stores all of them and returns `None`. Nothing after them is touched.
///
/// `room` must have room for all of `bytes`.
#[inline]
pub fn copy_line(bytes: &[u8], room: &mut Room) -> Option<usize> {
    let end = find_newline(bytes);
    room.put(end.map_or(bytes, |end| &bytes[..end]));
    end
}

/// The position after the first newline.
fn find_newline(bytes: &[u8]) -> Option<usize> {
    let start = bytes.as_ptr();
    // SAFETY: memchr looks at no more than these bytes.
    let found = unsafe { libc::memchr(start.cast(), c_int::from(b'\n'), bytes.len()) };
    (!found.is_null()).then(|| found.addr() - start.addr() + 1)
}

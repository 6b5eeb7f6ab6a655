//! How -1 becomes an [`Errno`], and the only places that read or set `errno`.

use core::ffi::c_int;

pub use ::errno::Errno;

/// What a system call gives: a value, or the reason why not.
pub type Result<T> = core::result::Result<T, Errno>;

/// The reason of the last failed call, as `errno` has it.
pub fn errno() -> Errno {
    ::errno::errno()
}

/// Makes `reason` the value of `errno`.
pub fn set_errno(reason: Errno) {
    ::errno::set_errno(reason);
}

/// Makes a call that says by the value `failure` that it failed, and turns that into the error
/// that it left in `errno`, and `errno` back into what it was.
#[inline(always)]
pub(super) fn or_errno<T: PartialEq>(failure: T, call: impl FnOnce() -> T) -> Result<T> {
    let before = errno();
    let value = call();
    if value != failure {
        return Ok(value);
    }
    let reason = errno();
    set_errno(before);
    Err(reason)
}

#[inline(always)]
pub(super) fn checked(call: impl FnOnce() -> isize) -> Result<usize> {
    or_errno(-1, call).map(|count| count as usize)
}

pub(super) fn checked_int(call: impl FnOnce() -> c_int) -> Result<c_int> {
    or_errno(-1, call)
}

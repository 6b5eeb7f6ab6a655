//! Allocation

use core::ffi::{CStr, c_void};
use core::ptr;

use libc::size_t;

use super::checked::{attempt, keep_errno, report_failure};

/// Makes a call that allocates, and reports a failure. NULL for a request of 0 bytes is none.
fn allocate(name: &CStr, is_empty: bool, call: impl FnOnce() -> *mut c_void) -> *mut c_void {
    match attempt(ptr::null_mut(), call) {
        Err(_) if is_empty => ptr::null_mut(),
        outcome => report_failure(name, outcome).unwrap_or(ptr::null_mut()),
    }
}

/// Allocates `size` bytes, which are not initialised.
///
/// Returns the address of the memory, which the caller frees with Free. If `size` is 0, it may
/// return NULL, which is not an error.
///
/// [CS:APP 3e, section 9.9.1; C11, malloc]
/// cbindgen:prefix=CSAPP_ALLOCATES((1))
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn Malloc(size: size_t) -> *mut c_void {
    // SAFETY: malloc takes any number.
    allocate(c"Malloc", size == 0, || unsafe { libc::malloc(size) })
}

/// Changes the size of the memory at `ptr` to `size` bytes, and may move it. If `ptr` is NULL,
/// allocates new memory.
///
/// Returns the new address of the memory, which the caller frees with Free. On failure returns
/// NULL, and leaves the memory at `ptr` unchanged. If `size` is 0, it may return NULL, which is
/// not an error.
///
/// [CS:APP 3e, section 9.9.1; C11, realloc]
/// cbindgen:prefix=CSAPP_RESIZES(2)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn Realloc(ptr: *mut c_void, size: size_t) -> *mut c_void {
    // SAFETY: `ptr` is NULL or came from one of these functions.
    allocate(c"Realloc", size == 0, || unsafe {
        libc::realloc(ptr, size)
    })
}

/// Allocates `nmemb` items of `size` bytes each, and sets all bytes to 0.
///
/// Returns the address of the memory, which the caller frees with Free. For a total of 0 bytes
/// it may return NULL, which is not an error.
///
/// [CS:APP 3e, section 9.9.1; C11, calloc]
/// cbindgen:prefix=CSAPP_ALLOCATES((1, 2))
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn Calloc(nmemb: size_t, size: size_t) -> *mut c_void {
    // SAFETY: calloc takes any numbers.
    allocate(c"Calloc", nmemb == 0 || size == 0, || unsafe {
        libc::calloc(nmemb, size)
    })
}

/// Frees the memory at `ptr`. Does nothing if `ptr` is NULL. Cannot fail.
///
/// [CS:APP 3e, section 9.9.1; C11, free]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Free(ptr: *mut c_void) {
    // SAFETY: `ptr` is NULL or came from one of these functions.
    keep_errno(|| unsafe { libc::free(ptr) });
}

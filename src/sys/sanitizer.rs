//! Reports to the sanitizers what they cannot see by themselves. This library is compiled without them. They see
//! what it passes to libc, whose functions they intercept, but not what it stores itself. If the program has a
//! sanitizer, these functions tell it.

use core::ffi::c_void;

use libc::ssize_t;

use super::errno::Word;

type OfRange = unsafe extern "C" fn(*const c_void, usize);

/// Functions of the sanitizers' interface. Each is None if the program does not have it. The layout is that of
/// src/sanitizer.c.
#[repr(C)]
pub(crate) struct Interface {
    /// A function that every sanitizer has, or 0.
    pub any: usize,
    /// The first byte of a range that must not be touched, or NULL.
    asan_first_bad: Option<unsafe extern "C" fn(*const c_void, usize) -> *const c_void>,
    asan_report_store: Option<OfRange>,
    tsan_store: Option<OfRange>,
    /// For C; 0 if there is no ThreadSanitizer.
    pub tsan_entry: usize,
    tsan_exit: Option<unsafe extern "C" fn()>,
    msan_initialized: Option<OfRange>,
}

#[cfg(not(miri))]
unsafe extern "C" {
    #[link_name = "csapp_c_sanitizers"]
    pub(crate) safe static SANITIZER: Interface;
}

/// Miri runs no C.
#[cfg(miri)]
pub(crate) static SANITIZER: Interface = Interface {
    any: 0,
    asan_first_bad: None,
    asan_report_store: None,
    tsan_store: None,
    tsan_entry: 0,
    tsan_exit: None,
    msan_initialized: None,
};

/// A call with its parameters as words.
pub type TracedCall = unsafe extern "C" fn(Word, Word, Word, Word, Word) -> ssize_t;

#[cfg(not(miri))]
unsafe extern "C" {
    /// Calls `call` with the five words. If a function of the API ends with this call, the reports of
    /// ThreadSanitizer show it and the line that called it. Other functions are not in its reports.
    #[link_name = "csapp_c_traced"]
    pub fn traced(a: Word, b: Word, c: Word, d: Word, e: Word, call: TracedCall) -> ssize_t;
}

#[cfg(miri)]
#[allow(missing_docs)]
pub unsafe fn traced(a: Word, b: Word, c: Word, d: Word, e: Word, call: TracedCall) -> ssize_t {
    // SAFETY: the caller's promise.
    unsafe { call(a, b, c, d, e) }
}

/// Whether the program has a sanitizer. Then [`about_to_store`] must be called before a byte is stored.
#[inline(always)]
pub fn is_sanitized() -> bool {
    SANITIZER.any != 0
}

/// Tells the sanitizer that the library itself is about to store `count` bytes in the caller's memory.
#[inline(always)]
pub fn about_to_store(start: *const u8, count: usize) {
    if is_sanitized() {
        report_store(start.cast(), count);
    }
}

#[cold]
#[inline(never)]
fn report_store(start: *const c_void, count: usize) {
    if let (Some(first_bad), Some(report)) = (SANITIZER.asan_first_bad, SANITIZER.asan_report_store)
    {
        // SAFETY: these functions take any range; they look at what they have noted about it.
        unsafe {
            let bad = first_bad(start, count);
            if !bad.is_null() {
                report(bad, count);
            }
        }
    }
    if let Some(store) = SANITIZER.tsan_store {
        // SAFETY: as above.
        unsafe { store(start, count) };
    }
    about_to_pass_bytes(start, count);
}

/// Tells MemorySanitizer that `value`, which belongs to the library, is initialised, because libc or the program
/// is about to read it. Otherwise MemorySanitizer would judge by what other functions have left at that place of
/// the stack.
#[inline(always)]
pub fn about_to_pass<T: ?Sized>(value: &T) {
    about_to_pass_bytes(core::ptr::from_ref(value).cast(), size_of_val(value));
}

/// [`about_to_pass`] for bytes.
#[inline(never)]
#[allow(clippy::not_unsafe_ptr_arg_deref)] // nothing is read there
pub fn about_to_pass_bytes(start: *const c_void, count: usize) {
    if let Some(initialized) = SANITIZER.msan_initialized {
        // SAFETY: it takes any range.
        unsafe { initialized(start, count) };
    }
}

//! What the sanitizers cannot see by themselves. This library is compiled without them, so they
//! notice what it hands to libc, whose functions they intercept, and nothing of what it stores
//! itself. Where the program has a sanitizer, it is told here.

use core::ffi::c_void;

type OfRange = unsafe extern "C" fn(*const c_void, usize);

/// Functions of the sanitizers' interface (<sanitizer/*_interface.h>), each None where the program
/// does not have it.
#[repr(C)]
struct Interface {
    /// Every sanitizer has this.
    any: Option<unsafe extern "C" fn()>,
    /// The first byte of a range that must not be touched, or NULL.
    asan_first_bad: Option<unsafe extern "C" fn(*const c_void, usize) -> *const c_void>,
    asan_report_store: Option<OfRange>,
    tsan_store: Option<OfRange>,
    msan_initialized: Option<OfRange>,
}

/// Defines the table: weak references, which stay NULL if nothing defines the name. Rust has none
/// that are stable.
#[cfg(not(any(target_vendor = "apple", miri)))]
macro_rules! table {
    ($address:literal: $($name:literal)+) => {
        core::arch::global_asm!(
            $(concat!(".weak ", $name),)+
            ".pushsection .data.rel.ro.csapp_sanitizers, \"aw\", %progbits",
            ".p2align 3",
            ".globl csapp_sanitizers",
            ".hidden csapp_sanitizers",
            ".type csapp_sanitizers, %object",
            "csapp_sanitizers:",
            $(concat!($address, " ", $name),)+
            ".size csapp_sanitizers, . - csapp_sanitizers",
            ".popsection",
        );
    };
    ($address:literal) => {
        table!(
            $address:
            "__sanitizer_print_stack_trace"
            "__asan_region_is_poisoned"
            "__asan_report_store_n_noabort"
            "__tsan_write_range"
            "__msan_unpoison"
        );
    };
}

#[cfg(all(not(any(target_vendor = "apple", miri)), target_pointer_width = "64"))]
table!(".quad");
#[cfg(all(not(any(target_vendor = "apple", miri)), target_pointer_width = "32"))]
table!(".long");

#[cfg(not(any(target_vendor = "apple", miri)))]
unsafe extern "C" {
    #[link_name = "csapp_sanitizers"]
    safe static INTERFACE: Interface;
}

/// None there: weak references are asked for by other words, or not known.
#[cfg(any(target_vendor = "apple", miri))]
static INTERFACE: Interface = Interface {
    any: None,
    asan_first_bad: None,
    asan_report_store: None,
    tsan_store: None,
    msan_initialized: None,
};

/// Whether the program has a sanitizer, so that no byte is to be stored before
/// [`about_to_store`] has been told.
#[inline(always)]
pub fn is_sanitized() -> bool {
    INTERFACE.any.is_some()
}

/// Says that the library itself is about to store `count` bytes in memory of the caller's.
#[inline(always)]
pub fn about_to_store(start: *const u8, count: usize) {
    if is_sanitized() {
        report_store(start.cast(), count);
    }
}

#[cold]
#[inline(never)]
fn report_store(start: *const c_void, count: usize) {
    if let (Some(first_bad), Some(report)) = (INTERFACE.asan_first_bad, INTERFACE.asan_report_store)
    {
        // SAFETY: these functions take any range; they look at what they have noted about it.
        unsafe {
            let bad = first_bad(start, count);
            if !bad.is_null() {
                report(bad, count);
            }
        }
    }
    if let Some(store) = INTERFACE.tsan_store {
        // SAFETY: as above.
        unsafe { store(start, count) };
    }
    about_to_pass_bytes(start, count);
}

/// Says that `value`, of the library's own, is initialised: libc or the program is about to read
/// it. MemorySanitizer would go by what other functions have left at that place of the stack.
#[inline(always)]
pub fn about_to_pass<T: ?Sized>(value: &T) {
    about_to_pass_bytes(core::ptr::from_ref(value).cast(), size_of_val(value));
}

/// [`about_to_pass`] for bytes.
#[inline(never)]
#[allow(clippy::not_unsafe_ptr_arg_deref)] // nothing is read there
pub fn about_to_pass_bytes(start: *const c_void, count: usize) {
    if let Some(initialized) = INTERFACE.msan_initialized {
        // SAFETY: it takes any range.
        unsafe { initialized(start, count) };
    }
}

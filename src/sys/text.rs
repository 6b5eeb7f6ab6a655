//! The texts of errors.

use core::ffi::{CStr, c_int};

use super::errno::{Errno, errno, set_errno};

/// The longest text of an error that [`error_text`] can hold, its NUL included.
pub const ERROR_TEXT: usize = 256;

/// Returns the text of an error in the user's language, cut to the size of `text`.
pub fn error_text(reason: Errno, text: &mut [u8; ERROR_TEXT]) -> &CStr {
    let before = errno();
    text[0] = 0;
    // SAFETY: strerror_r stores at most that many bytes. It answers unknown numbers with a
    // text and an error, and too small a buffer with a cut text and an error: both serve.
    unsafe { libc::strerror_r(reason.0, text.as_mut_ptr().cast(), text.len()) };
    text[text.len() - 1] = 0;
    set_errno(before);
    // SAFETY: it ends in a NUL.
    unsafe { CStr::from_ptr(text.as_ptr().cast()) }
}

/// Returns the text of one of getaddrinfo's EAI_ codes.
pub fn resolver_text(code: c_int) -> &'static CStr {
    // SAFETY: gai_strerror takes any number and gives a constant string.
    unsafe { CStr::from_ptr(libc::gai_strerror(code)) }
}

/// Returns the text of the last failure of gethostbyname or gethostbyaddr (`h_errno`), if there was one.
pub fn host_text() -> Option<&'static CStr> {
    // SAFETY: hstrerror takes any number and gives a constant string.
    (h_errno() != 0).then(|| unsafe { CStr::from_ptr(libc::hstrerror(h_errno())) })
}

/// Returns the EAI_ code that means the same as `h_errno`.
pub fn host_code() -> c_int {
    // Constants of <netdb.h>.
    const NETDB_INTERNAL: c_int = -1;
    const TRY_AGAIN: c_int = 2;
    const NO_RECOVERY: c_int = 3;
    match h_errno() {
        NETDB_INTERNAL => libc::EAI_SYSTEM,
        TRY_AGAIN => libc::EAI_AGAIN,
        NO_RECOVERY => libc::EAI_FAIL,
        _ => libc::EAI_NONAME,
    }
}

/// `h_errno`, which is a macro of <netdb.h> nearly everywhere.
fn h_errno() -> c_int {
    unsafe extern "C" {
        #[cfg(target_os = "linux")]
        #[link_name = "__h_errno_location"]
        fn location() -> *mut c_int;
        #[cfg(target_os = "freebsd")]
        #[link_name = "__h_errno"]
        fn location() -> *mut c_int;
        #[cfg(target_vendor = "apple")]
        static h_errno: c_int;
    }
    // SAFETY: the location is this thread's own.
    #[cfg(not(target_vendor = "apple"))]
    unsafe {
        *location()
    }
    // SAFETY: an int. The program must not let another thread change it at the same time.
    #[cfg(target_vendor = "apple")]
    unsafe {
        (&raw const h_errno).read_volatile()
    }
}

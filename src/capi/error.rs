//! Errors

use core::ffi::{c_char, c_int};

use super::handler::report;
use crate::report::{Reason, resolver_reason};
use crate::sio::string;
use crate::sys::{self, Errno};

/// Calls the error handler with "msg: text of errno", to report the failure of a call that sets
/// errno.
///
/// A NULL `msg` is shown as "(null)". If the error handler returns, so does this function, with
/// errno unchanged.
///
/// [CS:APP 3e, section 8.3]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn unix_error(msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, Reason::Errno(sys::errno()));
}

/// Calls the error handler with "msg: text of code", to report the failure of a call that
/// returned the error number `code` instead of setting errno, as the pthread functions do.
///
/// A NULL `msg` is shown as "(null)". errno is unchanged.
///
/// [CS:APP 3e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn posix_error(code: c_int, msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, Reason::Errno(Errno(code)));
}

/// Calls the error handler with "msg: text of code", to report the failure of getaddrinfo or
/// getnameinfo.
///
/// `code` is what the failed function returned, an EAI_ constant. For EAI_SYSTEM the text is
/// that of errno. A NULL `msg` is shown as "(null)". errno is unchanged. Programs call this
/// function by the name gai_error, a macro: glibc has another function of that name.
///
/// [CS:APP 3e, appendix A; RFC 3493, section 6.1]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_gai_error(code: c_int, msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, resolver_reason(code));
}

/// Calls the error handler with "msg: text of h_errno", or with `msg` alone if h_errno is 0, to
/// report the failure of gethostbyname or gethostbyaddr.
///
/// A NULL `msg` is shown as "(null)". errno is unchanged. Programs that call getaddrinfo do not
/// need this function.
///
/// [CS:APP 2e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn dns_error(msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, Reason::Host);
}

/// Calls the error handler with `msg` alone, to report a failure that the program itself has
/// found.
///
/// A NULL `msg` is shown as "(null)". errno is unchanged.
///
/// [CS:APP 3e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn app_error(msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, Reason::Unsaid);
}

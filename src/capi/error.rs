//! Errors

use core::ffi::{c_char, c_int};

use super::handler::report;
use crate::report::{Reason, resolver_reason};
use crate::sio::string;
use crate::sys::{self, Errno};

/// Reports the failure of a Unix call: calls the error handler (csapp_set_error_handler) with
/// "msg: text of errno". The default one writes that as one line to standard error, in one
/// system call, and ends the program with status 1. If the handler returns, so does this, with
/// errno as it was. A NULL `msg` is shown as "(null)". [CS:APP 3e, section 8.3]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn unix_error(msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, Reason::Errno(sys::errno()));
}

/// Reports the failure of a call that returns its error code instead of setting errno, as
/// the pthread functions do: like unix_error, with the text of `code`. [CS:APP 3e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn posix_error(code: c_int, msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, Reason::Errno(Errno(code)));
}

/// Reports the failure of getaddrinfo or getnameinfo: like unix_error, with the text of their
/// return value `code` (an EAI_ constant; for EAI_SYSTEM the text of errno). The program writes
/// gai_error: the header maps the name, since glibc has another function of that name under
/// _GNU_SOURCE. [CS:APP 3e, appendix A; RFC 3493, section 6.1]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_gai_error(code: c_int, msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, resolver_reason(code));
}

/// Reports the failure of gethostbyname or gethostbyaddr: like unix_error, with the text of
/// h_errno; while that is 0, with `msg` alone. Programs that use getaddrinfo have no need of it. [CS:APP 2e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn dns_error(msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, Reason::Host);
}

/// Reports a failure of the program's own: like unix_error, with `msg` alone.
/// [CS:APP 3e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn app_error(msg: *const c_char) {
    // SAFETY: `msg` is a C string or NULL.
    report(unsafe { string(msg) }, Reason::Unsaid);
}

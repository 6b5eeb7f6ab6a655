//! The process, its environment and its threads.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr;

use super::errno::{errno, set_errno};
use super::fd::close;
use super::undeclared;

/// The value of an environment variable, unless the program runs with more rights than
/// its user (then nobody outside may steer it).
///
/// The text stays valid until the program changes its environment; do not keep it.
pub fn environment(name: &CStr) -> Option<&CStr> {
    // SAFETY: `name` ends in a NUL; what comes back is NULL or a string that does.
    unsafe {
        let value = trusted_environment(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value))
    }
}

/// # Safety
/// `name` must end in a NUL.
#[cfg(target_os = "linux")]
unsafe fn trusted_environment(name: *const c_char) -> *const c_char {
    unsafe extern "C" {
        fn secure_getenv(name: *const c_char) -> *mut c_char;
    }
    // SAFETY: the caller's promise.
    unsafe { secure_getenv(name) }
}

/// # Safety
/// `name` must end in a NUL.
#[cfg(not(target_os = "linux"))]
unsafe fn trusted_environment(name: *const c_char) -> *const c_char {
    unsafe extern "C" {
        fn issetugid() -> c_int;
    }
    // SAFETY: issetugid takes nothing; for getenv, the caller's promise.
    unsafe {
        match issetugid() {
            0 => libc::getenv(name),
            _ => ptr::null(),
        }
    }
}

/// Ends the process: buffers of stdio are written, atexit functions run (exit(3)).
pub fn exit(status: c_int) -> ! {
    // SAFETY: exit takes any number.
    unsafe { libc::exit(status) }
}

/// Ends the process at once: no buffer is written, nothing registered runs (_exit(2)). Unlike
/// [`exit`], it may be called in a signal handler.
pub fn exit_at_once(status: c_int) -> ! {
    // SAFETY: _exit takes any number.
    unsafe { libc::_exit(status) }
}

/// Ends the process by SIGABRT, so that it leaves a core.
pub fn abort() -> ! {
    // SAFETY: abort takes no arguments.
    unsafe { libc::abort() }
}

/// Lets a thread of its own end, if possible. When the first one does, glibc loads what unwinds threads,
/// and aborts the process where it cannot: for want of a free descriptor, say. So there has to be one now.
#[cold]
pub fn prepare_to_exit_threads() {
    #[cfg(target_env = "gnu")]
    // SAFETY: everything that is asked for is here, and the signals blocked meanwhile are the caller's again.
    unsafe {
        unsafe extern "C-unwind" fn end(argument: *mut c_void) -> *mut c_void {
            // SAFETY: nobody looks at the value.
            unsafe { exit_thread(argument) }
        }
        let errno_before = errno();
        let free = libc::open(c"/".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if free == -1 {
            set_errno(errno_before);
            return;
        }
        close(free);
        let mut thread = MaybeUninit::uninit();
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // No handler of the program runs in that thread.
        libc::sigfillset(all.as_mut_ptr());
        libc::sigprocmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        let no_attributes = ptr::null();
        let (end, nothing) = (Some(end as _), ptr::null_mut());
        if undeclared::pthread_create(thread.as_mut_ptr(), no_attributes, end, nothing) == 0 {
            libc::pthread_join(thread.assume_init(), ptr::null_mut());
        }
        libc::sigprocmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        set_errno(errno_before);
    }
}

/// Ends the calling thread; a joiner gets `value`.
///
/// # Safety
/// What the thread's clean-up handlers and its joiner do with `value` must be sound.
pub unsafe fn exit_thread(value: *mut c_void) -> ! {
    unsafe extern "C-unwind" {
        fn pthread_exit(value: *mut c_void) -> !;
    }
    // SAFETY: the caller's promise. It unwinds through our frames; none of them has
    // anything to clean up.
    unsafe { pthread_exit(value) }
}

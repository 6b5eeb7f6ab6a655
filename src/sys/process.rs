//! The process, its environment and its threads.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr;
#[cfg(target_env = "gnu")]
use core::sync::atomic::AtomicBool;
use core::sync::atomic::{AtomicU64, Ordering};

#[cfg(target_env = "gnu")]
use super::errno::{errno, set_errno};
#[cfg(target_env = "gnu")]
use super::undeclared;

/// Returns the value of an environment variable, unless the program runs with more rights than its user (then the user
/// must not control it).
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

/// Ends the process: writes stdio's buffers, and runs the functions that atexit registered (exit(3)). If another
/// thread is already ending the process by this function, waits for the end, so that nothing is cut short. If one
/// of the atexit functions calls this function, the rest of them run. In a child of fork whose parent another
/// thread was ending, they do not run.
#[cold]
pub fn exit(status: c_int) -> ! {
    /// The thread that ends the process, and its process: a child made by fork has no such thread.
    static ENDING: AtomicU64 = AtomicU64::new(0);
    let this = this_thread();
    let mut ending = ENDING.load(Ordering::Acquire);
    while ending != this && ending >> 32 == this >> 32 {
        // SAFETY: pause takes no arguments.
        unsafe { libc::pause() };
        ending = ENDING.load(Ordering::Acquire);
    }
    // musl's exit must not be called a second time. From version 2.41 on, glibc's waits for the thread that called it
    // first, even in a child of fork, which does not have that thread.
    let called_here = ending == this && cfg!(target_env = "musl");
    let called_before_fork = ending != 0 && ending as u32 != this as u32;
    if called_here || called_before_fork {
        // SAFETY: NULL stands for all streams.
        unsafe { libc::fflush(ptr::null_mut()) };
        exit_at_once(status);
    }
    match ENDING.compare_exchange(ending, this, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: exit takes any number.
        Ok(_) => unsafe { libc::exit(status) },
        Err(_) => exit(status),
    }
}

/// Returns a number for this thread, whose upper half is the process ID.
fn this_thread() -> u64 {
    // SAFETY: both take nothing.
    let (process, thread) = unsafe { (libc::getpid(), libc::pthread_self()) };
    // A thread ID is the address of a structure, or a small number.
    #[allow(clippy::unnecessary_cast)] // a number on some systems, a pointer on others
    let thread = thread as usize as u64;
    u64::from(process.unsigned_abs()) << 32 | (thread ^ thread >> 32) & u64::from(u32::MAX)
}

/// Ends the process at once: writes no buffer, and runs no registered function (_exit(2)). Unlike [`exit`], it
/// may be called in a signal handler.
pub fn exit_at_once(status: c_int) -> ! {
    // SAFETY: _exit takes any number.
    unsafe { libc::_exit(status) }
}

/// Ends the process by SIGABRT, so that it leaves a core.
pub fn abort() -> ! {
    // SAFETY: abort takes no arguments.
    unsafe { libc::abort() }
}

/// Loads the library that unwinds threads (libgcc_s), and returns whether a thread can end. glibc loads it only
/// when the first thread ends. If no descriptor is free then, glibc ends the process. Allocates memory.
#[cfg(target_env = "gnu")]
#[cold]
pub fn prepare_to_exit_threads() -> bool {
    static IS_LOADED: AtomicBool = AtomicBool::new(false);
    let Some(dlopen) = undeclared::dlopen() else {
        return true; // linked statically, or glibc before 2.34 without libdl: a program with threads has it loaded
    };
    if !IS_LOADED.load(Ordering::Relaxed) {
        let before = errno();
        // SAFETY: it is glibc's own helper, which runs nothing of the program's.
        let library = unsafe { dlopen(c"libgcc_s.so.1".as_ptr(), libc::RTLD_NOW) };
        set_errno(before);
        IS_LOADED.store(!library.is_null(), Ordering::Relaxed);
    }
    IS_LOADED.load(Ordering::Relaxed)
}

/// On other systems, libc needs no other library to end a thread.
#[cfg(not(target_env = "gnu"))]
pub fn prepare_to_exit_threads() -> bool {
    true
}

/// Whether a signal is blocked, as the handler's own signal is while a signal handler runs.
pub fn may_be_in_signal_handler() -> bool {
    #[cfg(target_os = "linux")]
    let last_signal = libc::SIGRTMAX();
    #[cfg(not(target_os = "linux"))] // as <signal.h> has it there
    let last_signal = if cfg!(target_os = "freebsd") { 126 } else { 31 };
    let mut blocked = MaybeUninit::uninit();
    // SAFETY: without a set, nothing changes; the one before is stored, or the set stays empty.
    unsafe {
        libc::sigemptyset(blocked.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), blocked.as_mut_ptr());
        (1..=last_signal).any(|signal| libc::sigismember(blocked.as_ptr(), signal) == 1)
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

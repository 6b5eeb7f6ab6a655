//! Functions and types of libc that the crate libc does not declare for this system.

use core::ffi::{c_char, c_int, c_uint, c_void};

use libc::{hostent, sem_t, sigset_t, sockaddr, socklen_t};

#[cfg(not(target_os = "freebsd"))]
pub use libc::pthread_once_t;

/// As <pthread.h> has it there.
#[cfg(target_os = "freebsd")]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[repr(C)]
pub struct pthread_once_t {
    state: c_int,
    mutex: libc::pthread_mutex_t,
}

#[allow(missing_docs)] // POSIX says what they do
unsafe extern "C" {
    pub fn sigsuspend(set: *const sigset_t) -> c_int;
    pub fn getnameinfo(
        address: *const sockaddr,
        address_len: socklen_t,
        host: *mut c_char,
        host_len: socklen_t,
        service: *mut c_char,
        service_len: socklen_t,
        flags: c_int,
    ) -> c_int;
    pub fn inet_ntop(
        family: c_int,
        address: *const c_void,
        text: *mut c_char,
        size: socklen_t,
    ) -> *const c_char;
    pub fn inet_pton(family: c_int, text: *const c_char, address: *mut c_void) -> c_int;
    pub fn gethostbyname(name: *const c_char) -> *mut hostent;
    pub fn gethostbyaddr(
        address: *const c_void,
        address_len: socklen_t,
        family: c_int,
    ) -> *mut hostent;
    pub fn pthread_create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        routine: Option<unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void>,
        argument: *mut c_void,
    ) -> c_int;
    pub fn pthread_once(control: *mut pthread_once_t, routine: *const c_void) -> c_int;
    pub fn pthread_cancel(thread: libc::pthread_t) -> c_int;
    // Apple's fail with ENOSYS.
    pub fn sem_init(semaphore: *mut sem_t, is_shared: c_int, value: c_uint) -> c_int;
    pub fn sem_destroy(semaphore: *mut sem_t) -> c_int;
}

#[cfg(target_env = "gnu")]
type Dlopen = unsafe extern "C" fn(file: *const c_char, mode: c_int) -> *mut c_void;

/// The address of dlopen, if the program has it. With glibc before 2.34, dlopen is in a separate library; a
/// static program has it only if it refers to it. So the reference is weak, which stable Rust cannot express.
#[cfg(all(target_env = "gnu", not(miri)))]
pub fn dlopen() -> Option<Dlopen> {
    unsafe extern "C" {
        #[link_name = "csapp_weak_dlopen"]
        safe static DLOPEN: Option<Dlopen>;
    }
    DLOPEN
}

#[cfg(all(target_env = "gnu", not(miri)))]
core::arch::global_asm!(
    ".weak dlopen",
    ".pushsection .data.rel.ro.csapp_weak, \"aw\", %progbits",
    ".p2align 3",
    ".globl csapp_weak_dlopen",
    ".hidden csapp_weak_dlopen",
    ".type csapp_weak_dlopen, %object",
    "csapp_weak_dlopen:",
    ".dc.a dlopen", // as large as an address
    ".size csapp_weak_dlopen, . - csapp_weak_dlopen",
    ".popsection",
);

/// Miri runs no assembler.
#[cfg(all(target_env = "gnu", miri))]
pub fn dlopen() -> Option<Dlopen> {
    None
}

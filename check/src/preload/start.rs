//! The start: finds the shared memory, and prepares the rest.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Release;

use crate::shared::*;
use crate::state::{IMAGE, KeepErrno, enter_process, me, new_process, set_shared};
use crate::{chaos, patch, processes, threads};

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

unsafe extern "C" {
    static __libc_stack_end: usize;
}

extern "C" fn start() {
    let kept = KeepErrno::new();
    if let Some(mapping) = map() {
        begin(mapping);
    }
    drop(kept);
}

/// Where the program itself has its code and data, from and to.
static PROGRAM: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Whether an address is in the program itself.
pub fn is_program(address: usize) -> bool {
    (PROGRAM[0].get()..PROGRAM[1].get()).contains(&address)
}

unsafe extern "C" {
    /// Whether malloc and its like fail now and then.
    static mut csapp_check_scarce: c_int;
}

fn begin(mapping: &'static Shared) {
    let bias = add_modules(mapping, mapping.images.add(1) + 1);
    // SAFETY: no other thread is there yet.
    unsafe { csapp_check_scarce = c_int::from(mapping.chaos.get() & chaos::FAULTS != 0) };
    patch::patch(bias);
    threads::prepare();
    // SAFETY: functions of this library, which is never unloaded.
    unsafe {
        libc::pthread_atfork(Some(forks), None, Some(forked));
        libc::atexit(processes::at_exit);
    }
    set_shared(ptr::from_ref(mapping).cast_mut());
    supersede(mapping);
    // SAFETY: asks for a number.
    enter_process(new_process(mapping, unsafe { libc::getpid() }));
    if let Some(me) = me() {
        // SAFETY: the loader's variable, which it sets before anything runs.
        me.thread.top.set(unsafe { __libc_stack_end });
    }
}

unsafe extern "C" fn forks() {
    processes::forks();
}

unsafe extern "C" fn forked() {
    processes::forked();
}

/// The record of the program that this process ran before exec has ended.
fn supersede(mapping: &Shared) {
    // SAFETY: asks for a number.
    let pid = unsafe { libc::getpid() };
    for process in mapping
        .processes
        .iter()
        .filter(|process| process.pid.get() == pid)
    {
        process.end.set(EXECED);
        process.pid.set(-pid);
    }
}

/// No access before and after the memory: a program that writes past the end of a thread's stack is to fail there.
const GUARD: usize = 1 << 16;

/// Opens the memory by its path in the environment. None, silently, if it is not there: the command has ended, or
/// this process may not see it.
fn map() -> Option<&'static Shared> {
    // SAFETY: the environment is as the process got it; plain system calls, which check what they get.
    unsafe {
        let path = libc::getenv(c"CSAPP_CHECK".as_ptr());
        if path.is_null() {
            return None;
        }
        let fd = libc::syscall(
            libc::SYS_openat,
            libc::AT_FDCWD,
            path,
            libc::O_RDWR | libc::O_CLOEXEC,
        ) as c_int;
        if fd < 0 {
            return None;
        }
        let size = size_of::<Shared>();
        let between = libc::mmap(
            ptr::null_mut(),
            GUARD + size + GUARD,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        );
        if between == libc::MAP_FAILED {
            libc::syscall(libc::SYS_close, fd);
            return None;
        }
        let at = libc::mmap(
            between.byte_add(GUARD),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_NORESERVE | libc::MAP_FIXED,
            fd,
            0,
        );
        libc::syscall(libc::SYS_close, fd);
        if at == libc::MAP_FAILED {
            return None;
        }
        // A core dump of the program is about the program.
        libc::madvise(at, size, libc::MADV_DONTDUMP);
        let mapping = &*at.cast::<Shared>();
        (mapping.magic.get() == MAGIC).then_some(mapping)
    }
}

/// Whether it is known which module of the image has its code at an address.
pub fn is_known(mapping: &Shared, image: u32, address: usize) -> bool {
    let used = (mapping.modules_used.get() as usize).min(MODULES);
    let has = |module: &Module| {
        module.image.get() == image && (module.from.get()..module.to.get()).contains(&address)
    };
    mapping.modules[..used].iter().rev().any(has)
}

/// Notes what is loaded where, for the command. Returns where the program itself is.
pub fn add_modules(mapping: &Shared, image: u32) -> usize {
    IMAGE.set(image);
    let mut walk = Walk {
        mapping,
        image,
        bias: None,
    };
    // SAFETY: the callback gets this very record, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(add_module), ptr::from_mut(&mut walk).cast()) };
    walk.bias.unwrap_or(0)
}

struct Walk<'a> {
    mapping: &'a Shared,
    image: u32,
    bias: Option<usize>,
}

unsafe extern "C" fn add_module(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    walk: *mut c_void,
) -> c_int {
    // SAFETY: the loader's description, and the record that was given to dl_iterate_phdr.
    let (info, walk) = unsafe { (&*info, &mut *walk.cast::<Walk>()) };
    let is_program = walk.bias.is_none();
    walk.bias.get_or_insert(info.dlpi_addr as usize);
    // SAFETY: the loader's table.
    let segments =
        unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let loaded = segments
        .iter()
        .filter(|segment| segment.p_type == libc::PT_LOAD);
    let from = loaded
        .clone()
        .map(|segment| segment.p_vaddr)
        .min()
        .unwrap_or(0);
    let to = loaded
        .map(|segment| segment.p_vaddr + segment.p_memsz)
        .max()
        .unwrap_or(0);
    let start = info.dlpi_addr as usize + from as usize;
    if is_program {
        PROGRAM[0].set(start);
        PROGRAM[1].set(info.dlpi_addr as usize + to as usize);
    }
    if is_known(walk.mapping, walk.image, start) {
        return 0;
    }
    let Some(module) = walk
        .mapping
        .modules
        .get(walk.mapping.modules_used.add(1) as usize)
    else {
        return 1;
    };
    let mut own = [0u8; 256];
    // SAFETY: the loader's string; the kernel fills in no more than is said.
    let path = unsafe {
        if is_program {
            let length = libc::readlink(
                c"/proc/self/exe".as_ptr(),
                own.as_mut_ptr().cast(),
                own.len() - 1,
            );
            &own[..usize::try_from(length).unwrap_or(0)]
        } else {
            CStr::from_ptr(info.dlpi_name).to_bytes()
        }
    };
    module.bias.set(info.dlpi_addr as usize);
    module.from.set(start);
    module.to.set(info.dlpi_addr as usize + to as usize);
    for (to, from) in module.path.iter().zip(path) {
        to.set(*from);
    }
    module.image.set(walk.image);
    module.ready.store(1, Release);
    0
}

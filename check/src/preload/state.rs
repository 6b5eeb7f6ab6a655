//! The record of this process and of the calling thread.

use std::ffi::c_int;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32};

use crate::shared::*;
use crate::stack::{self, Site};
use crate::threads;

static SHARED: AtomicPtr<Shared> = AtomicPtr::new(ptr::null_mut());
static PROCESS: AtomicPtr<Process> = AtomicPtr::new(ptr::null_mut());
/// Which entries of `modules` tell where this process has its code.
pub static IMAGE: AtomicU32 = AtomicU32::new(0);

/// As `struct local` in variadic.c.
#[repr(C)]
pub struct Local {
    pub vforked: u32,
    pub handlers: u32,
    pub thread: *const Thread,
    pub handler_frame: usize,
    pub handler_signal: u32,
    pub handler_stack: u32,
    pub handler_reported: u32,
    pub handler_waited: u32,
    /// A handler that interrupted this one changed errno.
    pub handler_errno: u32,
    /// The record of a child that is about to be forked.
    pub child: *const Process,
}

#[link(name = "csapp_check_variadic", kind = "static")]
unsafe extern "C" {
    fn csapp_check_here() -> *mut Local;
}

/// What this thread keeps to itself. A handler of this thread changes it as well, so no reference to it is kept.
#[inline]
pub fn local() -> *mut Local {
    // SAFETY: returns the address of a thread-local variable.
    unsafe { csapp_check_here() }
}

pub fn shared() -> Option<&'static Shared> {
    // SAFETY: null, or the mapping, which stays for the life of the process.
    unsafe { SHARED.load(Acquire).as_ref() }
}

pub fn set_shared(mapping: *mut Shared) {
    SHARED.store(mapping, Release);
}

/// The calling thread, in its process.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Me {
    pub shared: &'static Shared,
    pub process: &'static Process,
    pub thread: &'static Thread,
}

/// None where nothing is recorded: before the start, in a child of vfork, and where the tables are full.
#[inline]
pub fn me() -> Option<Me> {
    let local = local();
    // SAFETY: this thread's own; `thread` is null or points into the mapping.
    let (vforked, thread) = unsafe { ((*local).vforked, (*local).thread.as_ref()) };
    if vforked != 0 {
        return None;
    }
    let shared = shared()?;
    // SAFETY: null, or points into the mapping.
    let process = unsafe { PROCESS.load(Acquire).as_ref() }?;
    let thread = match thread {
        Some(thread) => thread,
        None => adopt(process)?,
    };
    Some(Me {
        shared,
        process,
        thread,
    })
}

/// A free record, for the process `pid`.
pub fn new_process(shared: &'static Shared, pid: i32) -> Option<&'static Process> {
    let free = shared
        .processes
        .iter()
        .find(|process| process.pid.swap_from(0, pid));
    if free.is_none() {
        shared.unwatched.add(1);
    }
    shared.processes_seen.add(1);
    free.inspect(|process| process.image.set(IMAGE.get()))
}

/// Makes `process` the record of this process. None: it is not watched.
pub fn enter_process(process: Option<&'static Process>) {
    PROCESS.store(
        process.map_or(ptr::null_mut(), |process| ptr::from_ref(process).cast_mut()),
        Release,
    );
}

/// A record for a thread that this library has not seen begin: the first one, or one that was made by clone.
#[cold]
fn adopt(process: &'static Process) -> Option<&'static Thread> {
    let thread = new_thread(process)?;
    thread.detached.set(1);
    begin_thread(thread);
    Some(thread)
}

pub fn new_thread(process: &'static Process) -> Option<&'static Thread> {
    let free = |thread: &&Thread| {
        thread.state.swap_from(0, CREATED)
            || (thread.state.get() == GONE
                && (thread.joined.get() != 0 || thread.detached.get() != 0)
                && thread.state.swap_from(GONE, CREATED))
    };
    let index = process.threads.iter().position(|thread| free(&thread))?;
    let thread = &process.threads[index];
    let mut used = process.threads_used.get();
    while used <= index as u32 && !process.threads_used.swap_from(used, index as u32 + 1) {
        used = process.threads_used.get();
    }
    for cell in [
        &thread.joined,
        &thread.detached,
        &thread.call,
        &thread.loop_count,
        &thread.create_stack,
        &thread.born,
    ] {
        cell.set(0);
    }
    thread.created.argument.set(0);
    thread.created.thread.set(0);
    thread.newest_fd.set(-1);
    thread.loop_fd.set(-1);
    thread.index.set(process.next_thread());
    for failure in &thread.failed {
        failure.call.set(0);
    }
    for cached in &thread.cache {
        cached.id.set(0);
    }
    Some(thread)
}

impl Process {
    /// A number for each thread, in the order in which they are created: chaos decides by it.
    fn next_thread(&self) -> u32 {
        self.threads_begun.add(1)
    }

    /// The entry of a descriptor, if there is one for its number.
    #[inline]
    pub fn fd(&self, fd: c_int) -> Option<&Fd> {
        usize::try_from(fd).ok().and_then(|fd| self.fds.get(fd))
    }
}

/// Makes `thread` the record of the calling thread.
pub fn begin_thread(thread: &'static Thread) {
    let local = local();
    // SAFETY: plain numbers are asked for; the local variable is this thread's own.
    unsafe {
        thread.tid.set(libc::syscall(libc::SYS_gettid) as i32);
        thread.handle.set(libc::pthread_self() as usize);
        (*local).thread = thread;
    }
    thread.top.set(ptr::from_ref(&local) as usize);
    thread.state.set(ALIVE);
}

impl Me {
    /// Where the call was made that `site` tells of.
    #[inline]
    pub fn stack(&self, site: Site) -> u32 {
        stack::capture(self, site)
    }

    #[inline]
    pub fn tid(&self) -> i32 {
        self.thread.tid.get()
    }

    /// The thread has come as far as its next call.
    #[inline]
    pub fn steps(&self) {
        if self.thread.created.thread.get() != 0 {
            threads::release(self);
        }
        self.thread.ops.set(self.thread.ops.get().wrapping_add(1));
    }

    /// From now on the thread is in a call, which may wait. A handler that interrupts it calls others meanwhile.
    #[inline]
    pub fn begin(&self, call: Call, fd: c_int, stack: u32) -> Doing {
        let thread = self.thread;
        let outer = Doing {
            me: *self,
            call: thread.call.get(),
            fd: thread.fd.get(),
            stack: thread.stack.get(),
            since: thread.since.get(),
        };
        self.steps();
        thread.changes(call as u32, || {
            thread.fd.set(fd);
            thread.stack.set(stack);
            thread.since.set(if self.shared.timeline.get() != 0 {
                now()
            } else {
                now_roughly()
            });
        });
        outer
    }

    /// The thread may now know of what others did before.
    #[inline]
    pub fn synchronized(&self) {
        self.thread.sync.set(self.thread.sync.get().wrapping_add(1));
    }

    /// As `synchronized`, but by a client: what the threads of this process have read is no more known than before.
    pub fn heard_from_outside(&self) {
        let before = self.thread.sync.get();
        self.synchronized();
        let created = &self.thread.created.sync;
        if created.get() == before {
            created.set(self.thread.sync.get());
        }
    }

    pub fn log(&self, call: Call, fd: c_int, stack: u32, began: u64, result: i32) {
        if self.shared.timeline.get() == 0 {
            return;
        }
        let index = self.shared.events_used.add(1) as usize;
        let Some(event) = self.shared.events.get(index) else {
            return;
        };
        let time = now();
        let began = if began == 0 { time } else { began };
        event.time.set(began);
        event.duration.set(time - began);
        event.pid.set(self.process.pid.get());
        event.tid.set(self.tid());
        event.fd.set(fd);
        event.stack.set(stack);
        event.result.set(result);
        event.call.store(call as u32, Release);
    }
}

/// A call that the thread is in, and what it was in before. As `struct doing` in variadic.c.
#[repr(C)]
pub struct Doing {
    me: Me,
    call: u32,
    fd: i32,
    stack: u32,
    since: u64,
}

impl Doing {
    #[inline]
    pub fn end(self, result: isize) {
        let thread = self.me.thread;
        if self.me.shared.timeline.get() != 0 {
            self.me.log(
                Call::of(thread.call.get()),
                thread.fd.get(),
                thread.stack.get(),
                thread.since.get(),
                result.clamp(i32::MIN as isize, i32::MAX as isize) as i32,
            );
        }
        thread.changes(self.call, || {
            thread.fd.set(self.fd);
            thread.stack.set(self.stack);
            thread.since.set(self.since);
        });
    }
}

/// Monotonic nanoseconds.
pub fn now() -> u64 {
    time_by(libc::CLOCK_MONOTONIC)
}

/// The same to some milliseconds, without a look at the hardware.
#[inline]
pub fn now_roughly() -> u64 {
    time_by(libc::CLOCK_MONOTONIC_COARSE)
}

/// How long this thread has run, in nanoseconds.
pub fn processor_time() -> u64 {
    time_by(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn time_by(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: fills in the variable.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Keeps errno as it is until it goes out of scope.
pub struct KeepErrno(c_int);

impl KeepErrno {
    #[inline]
    pub fn new() -> KeepErrno {
        KeepErrno(errno())
    }

    #[inline]
    pub fn value(&self) -> c_int {
        self.0
    }
}

impl Drop for KeepErrno {
    #[inline]
    fn drop(&mut self) {
        set_errno(self.0);
    }
}

#[inline]
pub fn errno() -> c_int {
    // SAFETY: the calling thread's errno is always there.
    unsafe { *libc::__errno_location() }
}

#[inline]
pub fn set_errno(value: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value }
}

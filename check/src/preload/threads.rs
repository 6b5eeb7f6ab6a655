//! Threads: where they are created, with which argument, and whether they are joined or detached.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use libc::{pthread_attr_t, pthread_t};

use crate::chaos;
use crate::find::{Fault, peek};
use crate::shared::*;
use crate::stack::site;
use crate::state::{KeepErrno, Me, begin_thread, local, me, new_thread};
use crate::waiting::waits;

type Start = extern "C" fn(*mut c_void) -> *mut c_void;

unsafe extern "C" {
    fn csapp_check_run(thread: *mut c_void, start: Start, argument: *mut c_void) -> *mut c_void;
    fn pthread_attr_getdetachstate(attributes: *const pthread_attr_t, state: *mut c_int) -> c_int;
}

/// The key whose destructor tells that a thread ends, also by pthread_exit and cancellation; plus 1.
static KEY: AtomicU32 = AtomicU32::new(0);

pub fn prepare() {
    let mut key = 0;
    // SAFETY: makes a key; `ended` takes what is stored under it.
    if unsafe { libc::pthread_key_create(&mut key, Some(ended)) } == 0 {
        KEY.set(key + 1);
    }
}

unsafe extern "C" fn ended(thread: *mut c_void) {
    // SAFETY: stored by csapp_check_thread_begin; points into the mapping.
    let thread = unsafe { &*thread.cast::<Thread>() };
    thread.call.set(0);
    thread.state.set(GONE);
    // SAFETY: this thread's own. What its other destructors call is not recorded.
    unsafe { (*local()).thread = std::ptr::null() };
    // SAFETY: as above: `vforked` keeps this thread from getting a new record.
    unsafe { (*local()).vforked = 1 };
}

/// # Safety
/// Called by csapp_check_run, with what pthread_create was given.
#[unsafe(no_mangle)]
unsafe extern "C" fn csapp_check_thread_begin(thread: *mut c_void) {
    // SAFETY: points into the mapping.
    let thread = unsafe { &*thread.cast::<Thread>() };
    hold(thread);
    begin_thread(thread);
    if KEY.get() != 0 {
        // SAFETY: the key is there.
        unsafe { libc::pthread_setspecific(KEY.get() - 1, std::ptr::from_ref(thread).cast()) };
    }
    if let Some(me) = me() {
        chaos::delay(&me);
    }
}

/// Gives the creator a moment to go on: if its argument lies on the creator's stack, what happens to it before this
/// thread could read it tells whether it is shared by mistake.
fn hold(thread: &Thread) {
    if thread.held.get() == 0 {
        return;
    }
    for _ in 0..100 {
        if thread.held.get() == 0 {
            return;
        }
        let time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 200_000,
        };
        // SAFETY: sleeps; not by this library's own nanosleep.
        unsafe { libc::syscall(libc::SYS_nanosleep, &raw const time, 0usize) };
    }
}

extern "C" fn run(thread: *mut c_void) -> *mut c_void {
    // SAFETY: points into the mapping; the program's function and argument.
    unsafe {
        let record = &*thread.cast::<Thread>();
        let start: Start = std::mem::transmute(record.start.get());
        csapp_check_run(thread, start, record.argument.get() as *mut c_void)
    }
}

/// An argument of the same creator, at the same address, that has changed since the last thread was created, which may
/// not have read it. On the creator's stack: no thread that was given it has begun, so that the creator has changed it.
/// Anywhere: it is now a descriptor which the creator has been given since, as it was before.
fn check_argument(me: &Me, argument: usize, stack: u32) {
    let created = &me.thread.created;
    let Some(value) = value_at(argument) else {
        created.argument.set(0);
        return;
    };
    let on_stack = is_on_stack(me, argument);
    // SAFETY: null, or points into the mapping.
    let last = unsafe { (created.thread.get() as *const Thread).as_ref() };
    // Other memory may have been freed and given out again, or be one of many places that are used in turn.
    let is_the_same = on_stack
        || (KEPT.swap(argument, Relaxed) == argument
            && last.is_some_and(|last| last.state.get() != GONE));
    let same = is_the_same
        && created.argument.get() == argument
        && created.sync.get() == me.thread.sync.get();
    if same && value != created.value.get() {
        let is_of = |thread: &Thread| thread.argument.get() == argument;
        let unread = on_stack
            && created.count.get() == 1
            && last.is_some_and(|last| last.state.get() == CREATED && is_of(last));
        let is_descriptor = value == me.thread.newest_fd.get()
            && value > 2
            && created.opened.get() != me.thread.opened.get();
        if unread || is_descriptor {
            let at = [(Call::Create, stack), (Call::Create, created.stack.get())];
            let numbers = [
                i64::from(created.value.get()),
                i64::from(value),
                i64::from(is_descriptor),
                i64::from(on_stack),
            ];
            Fault {
                kind: Kind::SharedArgument,
                fd: -1,
                at: &at,
                numbers: &numbers,
                text: b"",
            }
            .report(me);
        }
    }
    created
        .count
        .set(if same { created.count.get() + 1 } else { 1 });
    created.opened.set(me.thread.opened.get());
    created.argument.set(argument);
    created.value.set(value);
    created.sync.set(me.thread.sync.get());
    created.stack.set(stack);
}

/// The last argument that is not on a creator's stack, as long as it has not been freed: see free in variadic.c.
#[unsafe(export_name = "csapp_check_kept")]
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// The number at an address, if there is one.
fn value_at(address: usize) -> Option<i32> {
    let mut bytes = [0; 4];
    let is_address = address >= 4096 && address % 4 == 0;
    (is_address && peek(address, &mut bytes)).then(|| i32::from_ne_bytes(bytes))
}

fn is_on_stack(me: &Me, address: usize) -> bool {
    let here = std::ptr::from_ref(&address) as usize;
    address > here && address < me.thread.top.get()
}

/// Lets the last thread go on that was held.
pub fn release(me: &Me) {
    // SAFETY: null, or points into the mapping.
    if let Some(last) = unsafe { (me.thread.created.thread.get() as *const Thread).as_ref() } {
        last.held.set(0);
    }
}

fn by_handle(me: &Me, handle: pthread_t) -> Option<&'static Thread> {
    let used = (me.process.threads_used.get() as usize).min(THREADS);
    let is_it = |thread: &&Thread| {
        thread.handle.get() == handle as usize
            && thread.state.get() != 0
            && thread.joined.get() == 0
            && thread.detached.get() == 0
    };
    me.process.threads[..used].iter().find(is_it)
}

fn joined(handle: pthread_t, result: c_int) {
    if let Some(me) = me().filter(|_| result == 0) {
        if let Some(thread) = by_handle(&me, handle) {
            thread.joined.set(1);
        }
    }
}

/// # Safety
/// NULL, or attributes that were initialised.
unsafe fn is_detached(attributes: *const pthread_attr_t) -> bool {
    let mut state = 0;
    // SAFETY: the caller's promise.
    !attributes.is_null()
        && unsafe { pthread_attr_getdetachstate(attributes, &mut state) } == 0
        && state == libc::PTHREAD_CREATE_DETACHED
}

hook! {
    fn pthread_create(
        handle: *mut pthread_t,
        attributes: *const pthread_attr_t,
        start: Start,
        argument: *mut c_void,
    ) -> c_int {
        let at = site();
        let Some(me) = me() else { return real(handle, attributes, start, argument) };
        crate::signals::check_unsafe(Call::Create, at);
        if let Some(fault) = chaos::fault(&me, &[libc::EAGAIN]) {
            return fault;
        }
        let kept = KeepErrno::new();
        let stack = me.stack(at);
        check_argument(&me, argument as usize, stack);
        release(&me);
        let Some(thread) = new_thread(me.process) else { return real(handle, attributes, start, argument) };
        thread.start.set(start as usize);
        thread.argument.set(argument as usize);
        thread.create_stack.set(stack);
        thread.creator.set(me.tid());
        thread.born.set(me.thread.opened.get());
        // SAFETY: the caller's attributes.
        thread.detached.set(u32::from(unsafe { is_detached(attributes) }));
        thread.held.set(u32::from(is_on_stack(&me, argument as usize)));
        me.thread.created.thread.set(std::ptr::from_ref(thread) as usize);
        drop(kept);
        let result = create(handle, attributes, std::ptr::from_ref(thread).cast_mut().cast());
        if result != 0 {
            me.thread.created.thread.set(0);
            thread.detached.set(1);
            thread.state.set(GONE);
        } else {
            me.log(Call::Create, -1, stack, 0, 0);
        }
        result
    }

    fn pthread_join(handle: pthread_t, result: *mut *mut c_void) -> c_int {
        let at = site();
        let joins = waits(Call::Join, [handle as usize, 0, 0, 0], at, || real(handle, result), |result| result as isize);
        joined(handle, joins);
        joins
    }

    fn pthread_tryjoin_np(handle: pthread_t, result: *mut *mut c_void) -> c_int {
        let joins = real(handle, result);
        joined(handle, joins);
        joins
    }

    fn pthread_timedjoin_np(handle: pthread_t, result: *mut *mut c_void, until: *const libc::timespec) -> c_int {
        let at = site();
        let on = [handle as usize, 0, 0, 0];
        let joins = waits(Call::Join, on, at, || real(handle, result, until), |result| result as isize);
        joined(handle, joins);
        joins
    }

    fn pthread_detach(handle: pthread_t) -> c_int {
        let thread = me().and_then(|me| by_handle(&me, handle));
        let result = real(handle);
        if let Some(thread) = thread.filter(|_| result == 0) {
            thread.detached.set(1);
        }
        result
    }
}

fn create(handle: *mut pthread_t, attributes: *const pthread_attr_t, thread: *mut c_void) -> c_int {
    type Create =
        unsafe extern "C" fn(*mut pthread_t, *const pthread_attr_t, Start, *mut c_void) -> c_int;
    static REAL: crate::real::Real = crate::real::Real::new(c"pthread_create");
    // SAFETY: libc's function of this name; `run` takes the record.
    unsafe {
        let create: Create = std::mem::transmute(REAL.address());
        let result = create(handle, attributes, run, thread);
        if result == 0 {
            (*thread.cast::<Thread>()).handle.set(*handle as usize);
        }
        result
    }
}

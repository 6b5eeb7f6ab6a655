//! Processes: fork and exec, children and how they are waited for, and the end.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::Ordering;

use libc::{pid_t, siginfo_t};

use crate::chaos;
use crate::find::Fault;
use crate::programs;
use crate::real::Real;
use crate::shared::*;
use crate::stack::{Site, site};
use crate::state::{
    KeepErrno, Me, begin_thread, enter_process, local, me, new_process, new_thread, shared,
};
use crate::stdio;
use crate::waiting::{interrupted, waits};

/// Runs before each fork, also of those inside libc: makes the child's record, while nothing changes its parent's.
pub fn forks() {
    let Some(me) = me() else { return };
    let kept = KeepErrno::new();
    let child = new_process(me.shared, CLAIMED);
    if let Some(child) = child {
        child.parent.set(me.process.pid.get());
        child.forked.set(1);
        child.fork_stack.set(me.thread.stack.get());
        me.process.forks.add(1);
        let lineage =
            me.process.lineage.get().wrapping_mul(0x0000_0100_0000_01b3) ^ me.process.forks.get();
        child.lineage.set(lineage);
        inherit(me.process, child);
    }
    // SAFETY: this thread's own.
    unsafe { (*local()).child = child.map_or(std::ptr::null(), std::ptr::from_ref) };
    drop(kept);
}

/// Runs in the child of each fork.
pub fn forked() {
    let Some(parent) = me() else { return };
    let kept = KeepErrno::new();
    let local = local();
    // SAFETY: this thread's own; `child` is null or points into the mapping.
    let process = unsafe { (*local).child.as_ref() };
    enter_process(process);
    let thread = process.and_then(new_thread);
    // SAFETY: this thread's own.
    unsafe { (*local).thread = std::ptr::null() };
    if let Some((process, thread)) = process.zip(thread) {
        begin_thread(thread);
        thread.detached.set(1);
        thread.top.set(parent.thread.top.get());
        stdio::check_inherited(process);
        // SAFETY: asks for a number.
        process.pid.set(unsafe { libc::getpid() });
    }
    drop(kept);
}

/// There is no child after all.
fn fork_failed() {
    // SAFETY: this thread's own; `child` is null or points into the mapping.
    if let Some(child) = unsafe { (*local()).child.as_ref() } {
        child.fds_used.set(0);
        child.pid.set(0);
    }
}

fn inherit(parent: &Process, child: &Process) {
    let used = parent.fds_used.get().min(FDS as u32);
    for (from, to) in parent.fds.iter().zip(&child.fds).take(used as usize) {
        if from.state.get() == 0 {
            continue;
        }
        // What a thread closed here matters to that thread, which is not in the child.
        to.flags.set((from.flags.get() | INHERITED) & !RIO);
        to.generation.set(from.generation.get());
        to.open_call.set(from.open_call.get());
        to.open_stack.set(from.open_stack.get());
        to.close_call.set(from.close_call.get());
        to.close_stack.set(from.close_stack.get());
        to.stream.set(from.stream.get());
        let mut name = [0; TEXT];
        let length = from.name.read_into(&mut name);
        to.name.write(&name[..length]);
        to.state.set(from.state.get());
    }
    child.fds_used.set(used);
    for (from, to) in parent.went_on.iter().zip(&child.went_on) {
        to.call.set(from.call.get());
        to.frame.set(from.frame.get());
        to.stack.set(from.stack.get());
    }
    stdio::inherit(parent, child);
}

fn new_child(me: &Me, pid: pid_t, call: Call, stack: u32) {
    let Some(child) = free_child(me.process) else {
        return;
    };
    child.stack.set(stack);
    child.call.set(call as u32);
    child.waited.set(0);
    child.pid.set(pid);
    // It may have ended at once, and a handler may have waited for it before fork has returned here.
    let early = |other: &&Child| other.waited.get() == EARLY && other.pid.get() == pid;
    let used = (me.process.children_used.get() as usize).min(CHILDREN);
    if let Some(early) = me.process.children[..used].iter().find(early) {
        early.waited.set(1);
        child.waited.set(1);
    }
}

/// A record that no other thread and no handler has: EARLY, without a number.
fn free_child(process: &Process) -> Option<&Child> {
    let used = (process.children_used.get() as usize).min(CHILDREN);
    let take = |child: &&Child| {
        let taken = child
            .waited
            .compare_exchange(1, EARLY, Ordering::AcqRel, Ordering::Relaxed);
        taken.is_ok()
    };
    let fresh = || {
        process
            .children
            .get(process.children_used.add(1) as usize)
            .inspect(|child| child.waited.set(EARLY))
    };
    let child = process.children[..used].iter().find(take).or_else(fresh)?;
    child.pid.set(0);
    Some(child)
}

/// A child of this process was waited for; what its end was is noted for the command.
fn reaped(me: &Me, pid: pid_t, status: Option<c_int>) {
    if status.is_some_and(|status| libc::WIFSTOPPED(status) || libc::WIFCONTINUED(status)) {
        return;
    }
    let used = (me.process.children_used.get() as usize).min(CHILDREN);
    if let Some(child) = me.process.children[..used]
        .iter()
        .find(|child| child.pid.get() == pid)
    {
        child.waited.set(1);
    } else if let Some(child) = free_child(me.process) {
        child.stack.set(0);
        child.pid.set(pid);
    }
    if let Some(process) = me
        .shared
        .processes
        .iter()
        .find(|process| process.pid.get() == pid)
    {
        process.status.set(status.unwrap_or(0) + 1);
    }
    // SAFETY: this thread's own.
    unsafe { (*local()).handler_waited = 1 };
}

/// wait and its like. The parent may ask for no status; the command wants it all the same.
#[inline(always)]
fn wait_for(
    call: Call,
    child: pid_t,
    at: Site,
    status: *mut c_int,
    real: impl FnOnce(*mut c_int) -> pid_t,
) -> pid_t {
    if interrupted() {
        return -1;
    }
    let mut own = 0;
    let to = if status.is_null() {
        &raw mut own
    } else {
        status
    };
    let pid = waits(
        call,
        [child as usize, 0, 0, 0],
        at,
        || real(to),
        |pid| pid as isize,
    );
    if let Some(me) = me() {
        let kept = KeepErrno::new();
        // SAFETY: this thread's own; `to` points to a number.
        unsafe { (*local()).handler_waited = 1 };
        if pid > 0 {
            reaped(&me, pid, Some(unsafe_status(to)));
        }
        goes_on(&me, call, at, me.stack(at));
        drop(kept);
    }
    pid
}

/// A program that looks for children that have ended, now and then, or in a handler, may end before it finds one.
fn note_polling(options: c_int) {
    if let Some(me) = me().filter(|_| options & libc::WNOHANG != 0) {
        me.process.polls_children.set(1);
    }
}

fn unsafe_status(status: *mut c_int) -> c_int {
    // SAFETY: wait has just written to it.
    unsafe { *status }
}

/// A call by which a program gets something to do: input, a child, the end of one. Notes where it was made; a child
/// whose exec failed makes no such call in a function where its parent has.
#[inline]
pub fn goes_on(me: &Me, call: Call, at: Site, stack: u32) {
    let known = &me.process.went_on[call as usize % WENT_ON];
    if me.process.exec_failed.get() == 0 {
        known.call.set(call as u32);
        known.frame.set(at.frame);
        known.stack.set(stack);
    } else if me.process.forked.get() != 0 {
        check_fell_through(me, call, at, stack);
    }
}

#[cold]
fn check_fell_through(me: &Me, call: Call, at: Site, stack: u32) {
    let known = &me.process.went_on[call as usize % WENT_ON];
    let callers = |id: u32| {
        me.shared.stacks[id as usize % STACKS].frames[1..]
            .iter()
            .map(Cell::get)
    };
    let in_same_function = known.call.get() == call as u32
        && known.frame.get() == at.frame
        && callers(known.stack.get()).eq(callers(stack));
    if in_same_function {
        let at = [
            (Call::Exec, me.process.exec_failed.get()),
            (call, stack),
            (Call::Fork, me.process.fork_stack.get()),
        ];
        let numbers = [i64::from(me.process.exec_errno.get())];
        Fault {
            kind: Kind::FellThrough,
            fd: -1,
            at: &at,
            numbers: &numbers,
            text: b"",
        }
        .report(me);
        me.process.exec_failed.set(0);
    }
}

/// # Safety
/// As execve (form 0) and execvpe (form 1).
#[unsafe(no_mangle)]
unsafe extern "C" fn csapp_check_exec(
    form: c_int,
    path: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
    site: Site,
) -> c_int {
    static REAL: [Real; 2] = [Real::new(c"execve"), Real::new(c"execvpe")];
    type Exec =
        unsafe extern "C" fn(*const c_char, *const *const c_char, *const *const c_char) -> c_int;
    let me = me();
    if let Some(me) = me {
        stdio::at_end(&me);
        me.process.end.set(EXECED);
    }
    // SAFETY: the caller's path.
    let noted = unsafe { programs::note(path, form == 1) };
    // SAFETY: libc's function, with the caller's arguments.
    let result = unsafe {
        let exec: Exec = std::mem::transmute(REAL[form as usize].address());
        exec(path, argv, envp)
    };
    if let Some(program) = noted {
        program.state.set(0);
    }
    if let Some(me) = me {
        let kept = KeepErrno::new();
        me.process.end.set(RUNNING);
        me.process.exec_errno.set(kept.value());
        me.process.exec_failed.set(me.stack(site));
        drop(kept);
    }
    result
}

/// The child of vfork is on its way; this is the parent. A negative number is an error.
#[unsafe(no_mangle)]
extern "C" fn csapp_check_vforked(pid: c_int) {
    // SAFETY: this thread's own.
    unsafe { (*local()).vforked = 0 };
    if pid < 0 {
        crate::state::set_errno(-pid);
    } else if let Some(me) = me() {
        let kept = KeepErrno::new();
        new_child(&me, pid, Call::Fork, 0);
        drop(kept);
    }
}

/// At the end of a process that ends by exit, after its own atexit functions, before stdio writes what it holds.
pub extern "C" fn at_exit() {
    let Some(me) = me() else { return };
    stdio::at_exit(&me);
    me.process.held_used.set(0);
    ends(&me);
}

fn ends(me: &Me) {
    let kept = KeepErrno::new();
    stdio::at_end(me);
    note_closed(me);
    note_zombies(me);
    me.process.end.set(EXITED);
    drop(kept);
}

/// Forgets descriptors that were closed by system calls which this library has not seen.
fn note_closed(me: &Me) {
    let used = (me.process.fds_used.get() as usize).min(FDS);
    for (number, entry) in me.process.fds[..used].iter().enumerate() {
        let is_own = entry.state.get() == OPEN && entry.flags.get() & INHERITED == 0;
        // SAFETY: asks.
        if is_own && unsafe { libc::syscall(libc::SYS_fcntl, number, libc::F_GETFD) } < 0 {
            entry.state.set(0);
        }
    }
}

/// Which children have ended without anybody waiting for them: the kernel tells, and leaves them as they are.
fn note_zombies(me: &Me) {
    let used = (me.process.children_used.get() as usize).min(CHILDREN);
    for child in me.process.children[..used]
        .iter()
        .filter(|child| child.waited.get() == 0 && child.pid.get() > 0)
    {
        if has_ended(libc::P_PID, child.pid.get()).is_some() {
            child.zombie.set(1);
        }
    }
}

/// A child that has ended and waits to be reaped.
pub fn has_ended(which: libc::idtype_t, pid: pid_t) -> Option<pid_t> {
    // SAFETY: zero bytes are a valid siginfo_t, which the kernel fills in.
    unsafe {
        let mut info: siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        let result = libc::syscall(libc::SYS_waitid, which, pid, &raw mut info, options, 0usize);
        (result == 0 && info.si_pid() != 0).then(|| info.si_pid())
    }
}

hook! {
    fn fork() -> pid_t {
        let at = site();
        let Some(me) = me() else { return real() };
        if chaos::fails(Some(me), &[libc::EAGAIN, libc::ENOMEM]) {
            return -1;
        }
        let stack = me.stack(at);
        goes_on(&me, Call::Fork, at, stack);
        stdio::before_fork(&me, stack);
        let doing = me.begin(Call::Fork, -1, stack);
        let pid = real();
        if pid == 0 {
            // The thread's record is the child's by now.
            return 0;
        }
        if pid < 0 {
            fork_failed();
        }
        doing.end(pid as isize);
        if pid > 0 {
            new_child(&me, pid, Call::Fork, stack);
        }
        pid
    }

    fn _Fork() -> pid_t {
        let at = site();
        forks();
        let pid = real();
        if pid == 0 {
            forked();
        } else if let Some(me) = me().filter(|_| pid > 0) {
            new_child(&me, pid, Call::Fork, me.stack(at));
        }
        pid
    }

    fn wait(status: *mut c_int) -> pid_t {
        let at = site();
        wait_for(Call::Wait, -1, at, status, real)
    }

    fn waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> pid_t {
        let at = site();
        note_polling(options);
        wait_for(Call::Waitpid, pid, at, status, |status| real(pid, status, options))
    }

    fn wait3(status: *mut c_int, options: c_int, usage: *mut libc::rusage) -> pid_t {
        let at = site();
        note_polling(options);
        wait_for(Call::Wait3, -1, at, status, |status| real(status, options, usage))
    }

    fn wait4(pid: pid_t, status: *mut c_int, options: c_int, usage: *mut libc::rusage) -> pid_t {
        let at = site();
        note_polling(options);
        wait_for(Call::Wait4, pid, at, status, |status| real(pid, status, options, usage))
    }

    fn waitid(which: libc::idtype_t, id: libc::id_t, info: *mut siginfo_t, options: c_int) -> c_int {
        let at = site();
        note_polling(options);
        let child = if which == libc::P_PID { id as usize } else { usize::MAX };
        let result = waits(Call::Waitid, [child, 0, 0, 0], at, || real(which, id, info, options), |result| result as isize);
        if let Some(me) = me().filter(|_| result == 0 && !info.is_null() && options & libc::WNOWAIT == 0) {
            // SAFETY: waitid has filled it in.
            let (pid, code) = unsafe { ((*info).si_pid(), (*info).si_code) };
            let is_end = matches!(code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED);
            if pid > 0 && is_end {
                reaped(&me, pid, None);
            }
        }
        result
    }

    fn execve(path: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
        let at = site();
        // SAFETY: the caller's arguments.
        unsafe { csapp_check_exec(0, path, argv, envp, at) }
    }

    fn execv(path: *const c_char, argv: *const *const c_char) -> c_int {
        let at = site();
        // SAFETY: as above; environ is libc's.
        unsafe { csapp_check_exec(0, path, argv, environ, at) }
    }

    fn execvp(path: *const c_char, argv: *const *const c_char) -> c_int {
        let at = site();
        // SAFETY: as above.
        unsafe { csapp_check_exec(1, path, argv, environ, at) }
    }

    fn execvpe(path: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
        let at = site();
        // SAFETY: as above.
        unsafe { csapp_check_exec(1, path, argv, envp, at) }
    }

    fn posix_spawn(
        pid: *mut pid_t, path: *const c_char, actions: *const c_void, attributes: *const c_void,
        argv: *const *mut c_char, envp: *const *mut c_char,
    ) -> c_int {
        let at = site();
        let result = real(pid, path, actions, attributes, argv, envp);
        // SAFETY: the caller's path.
        unsafe { spawned(result, pid, path, false, at) }
    }

    fn posix_spawnp(
        pid: *mut pid_t, path: *const c_char, actions: *const c_void, attributes: *const c_void,
        argv: *const *mut c_char, envp: *const *mut c_char,
    ) -> c_int {
        let at = site();
        let result = real(pid, path, actions, attributes, argv, envp);
        // SAFETY: the caller's path.
        unsafe { spawned(result, pid, path, true, at) }
    }

    fn setpgid(pid: pid_t, group: pid_t) -> c_int {
        let before = foreground();
        let result = real(pid, group);
        if result == 0 {
            keep_foreground(before);
        }
        result
    }

    fn setpgrp() -> c_int {
        let before = foreground();
        let result = real();
        if result == 0 {
            keep_foreground(before);
        }
        result
    }

    fn exit(status: c_int) -> () {
        let at = site();
        crate::signals::check_unsafe(Call::Exit, at);
        real(status)
    }

    fn _exit(status: c_int) -> () {
        leave();
        real(status)
    }

    fn _Exit(status: c_int) -> () {
        leave();
        real(status)
    }
}

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// The terminal's foreground group, if this is the program that csapp-check was told to run, and belongs to it.
fn foreground() -> Option<(c_int, pid_t)> {
    let me = me()?;
    let kept = KeepErrno::new();
    // SAFETY: asks.
    let found = unsafe {
        let is_program = libc::getppid() == me.shared.command.get();
        let group = libc::getpgrp();
        let terminal = (0..3).find(|fd| libc::tcgetpgrp(*fd) == group);
        terminal.filter(|_| is_program).map(|fd| (fd, group))
    };
    drop(kept);
    found
}

/// A shell that starts a program gives it a group of its own, where setpgid changes nothing. Under csapp-check, which
/// is the leader of that group, it does: the new group becomes the terminal's, or the program would stop at its next read.
fn keep_foreground(before: Option<(c_int, pid_t)>) {
    let Some((terminal, old)) = before else {
        return;
    };
    let kept = KeepErrno::new();
    // SAFETY: this thread's mask is as before afterwards.
    unsafe {
        let own = libc::getpgrp();
        if own != old {
            let (mut set, mut mask) = std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>();
            libc::sigaddset(&mut set, libc::SIGTTOU);
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut mask);
            libc::tcsetpgrp(terminal, own);
            libc::pthread_sigmask(libc::SIG_SETMASK, &mask, std::ptr::null_mut());
        }
    }
    drop(kept);
}

fn leave() {
    if let Some(me) = me().filter(|_| shared().is_some()) {
        ends(&me);
    }
}

/// # Safety
/// `path` is a string if the result is 0.
unsafe fn spawned(
    result: c_int,
    pid: *mut pid_t,
    path: *const c_char,
    is_searched: bool,
    at: Site,
) -> c_int {
    if result == 0 {
        // SAFETY: as the caller has promised.
        unsafe { programs::note(path, is_searched) };
    }
    if let Some(me) = me().filter(|_| result == 0 && !pid.is_null()) {
        let kept = KeepErrno::new();
        // SAFETY: a successful posix_spawn has written it.
        new_child(&me, unsafe { *pid }, Call::Spawn, me.stack(at));
        drop(kept);
    }
    result
}

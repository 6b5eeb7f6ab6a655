//! Signal handlers: what they call, and what they leave changed.
//!
//! The kernel is given `handle`, which calls the handler that the program has installed.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicU32, AtomicUsize};

use libc::{sigaction as Action, sighandler_t, siginfo_t};

use crate::find::Fault;
use crate::processes::has_ended;
use crate::shared::*;
use crate::stack::Site;
use crate::stack::site;
use crate::state::{KeepErrno, Me, errno, local, me, set_errno};

const SIGNALS: usize = 65;

/// What the program has installed.
struct Installed {
    handler: AtomicUsize,
    /// Whether it takes three arguments.
    takes_info: AtomicU32,
    stack: AtomicU32,
    call: AtomicU32,
}

static INSTALLED: [Installed; SIGNALS] = [const {
    Installed {
        handler: AtomicUsize::new(libc::SIG_DFL),
        takes_info: AtomicU32::new(0),
        stack: AtomicU32::new(0),
        call: AtomicU32::new(0),
    }
}; SIGNALS];

type Handler = unsafe extern "C" fn(c_int);
type InfoHandler = unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// What the thread was in when the handler of another signal interrupted it.
struct Outer {
    handlers: u32,
    frame: usize,
    signal: u32,
    stack: u32,
    reported: u32,
    waited: u32,
    errno: u32,
}

extern "C" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let before = errno();
    let installed = &INSTALLED[signal as usize % SIGNALS];
    let me = me();
    let interrupted = me.map_or(Call::None, |me| Call::of(me.thread.call.get()));
    let outer = enter(signal, installed, context, interrupted);
    set_errno(before);
    // SAFETY: the program's handler, with what the kernel gave.
    unsafe {
        if installed.takes_info.get() != 0 {
            std::mem::transmute::<usize, InfoHandler>(installed.handler.get())(
                signal, info, context,
            );
        } else {
            std::mem::transmute::<usize, Handler>(installed.handler.get())(signal);
        }
    }
    let after = errno();
    if let Some(me) = me {
        me.log(Call::Signal, -1, installed.stack.get(), 0, signal);
        check_errno(&me, signal, installed, interrupted, before, after);
        check_children(&me, signal, installed);
        me.synchronized();
    }
    leave(outer, before != after);
    set_errno(after);
}

/// Calls in which a handler harms nothing: the signals that come there are blocked elsewhere, as a rule.
fn is_arranged(interrupted: Call) -> bool {
    use Call::{EpollPwait, Pause, Ppoll, Pselect, Sigsuspend};
    matches!(
        interrupted,
        Sigsuspend | Pselect | Ppoll | EpollPwait | Pause
    )
}

fn enter(signal: c_int, installed: &Installed, context: *mut c_void, interrupted: Call) -> Outer {
    let local = local();
    // SAFETY: this thread's own.
    unsafe {
        let outer = Outer {
            handlers: (*local).handlers,
            frame: (*local).handler_frame,
            signal: (*local).handler_signal,
            stack: (*local).handler_stack,
            reported: (*local).handler_reported,
            waited: (*local).handler_waited,
            errno: (*local).handler_errno,
        };
        // The address of the interrupted context, above which the handler's calls are not.
        (*local).handler_frame = context as usize;
        (*local).handler_signal = signal as u32;
        (*local).handler_stack = installed.stack.get();
        (*local).handler_reported = u32::from(is_arranged(interrupted));
        (*local).handler_waited = 0;
        (*local).handler_errno = 0;
        (*local).handlers += 1;
        outer
    }
}

fn leave(outer: Outer, changed: bool) {
    let local = local();
    // SAFETY: this thread's own.
    unsafe {
        (*local).handlers = outer.handlers;
        (*local).handler_frame = outer.frame;
        (*local).handler_signal = outer.signal;
        (*local).handler_stack = outer.stack;
        (*local).handler_reported = outer.reported;
        (*local).handler_waited = outer.waited;
        (*local).handler_errno = outer.errno | u32::from(changed);
    }
}

/// A jump: the handler, if one runs, and the call that it interrupted, do not return.
#[unsafe(no_mangle)]
extern "C" fn csapp_check_left_handler() {
    // SAFETY: this thread's own.
    unsafe { (*local()).handlers = 0 };
    if let Some(me) = me() {
        me.thread.call.set(0);
    }
}

fn check_errno(
    me: &Me,
    signal: c_int,
    installed: &Installed,
    interrupted: Call,
    before: c_int,
    after: c_int,
) {
    // SAFETY: this thread's own.
    let by_inner = unsafe { (*local()).handler_errno } != 0;
    if before == after || by_inner || is_arranged(interrupted) {
        return;
    }
    let at = [(Call::of(installed.call.get()), installed.stack.get())];
    let numbers = [i64::from(signal), i64::from(before), i64::from(after)];
    Fault {
        kind: Kind::ErrnoInHandler,
        fd: -1,
        at: &at,
        numbers: &numbers,
        text: b"",
    }
    .report(me);
}

/// After a handler of SIGCHLD that waits for children: are there more that have ended, of which no signal will tell?
fn check_children(me: &Me, signal: c_int, installed: &Installed) {
    // SAFETY: this thread's own.
    if signal != libc::SIGCHLD || unsafe { (*local()).handler_waited } == 0 || is_pending(signal) {
        return;
    }
    if let Some(pid) = has_ended(libc::P_ALL, 0).filter(|_| !is_pending(signal)) {
        me.process.fewer_stack.set(installed.stack.get());
        me.process.fewer_pid.set(pid);
        me.process.fewer.add(1);
    }
}

fn is_pending(signal: c_int) -> bool {
    // SAFETY: fills in the set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigpending(&mut set) == 0 && libc::sigismember(&set, signal) == 1
    }
}

/// A function that POSIX does not list as safe in signal handlers is called in one.
#[unsafe(no_mangle)]
extern "C" fn csapp_check_unsafe(name: *const c_char, site: Site) {
    // SAFETY: a string literal of variadic.c.
    let name = unsafe { CStr::from_ptr(name) };
    check_unsafe(Call::named(name.to_bytes()), site);
}

#[inline]
pub fn check_unsafe(call: Call, site: Site) {
    // SAFETY: this thread's own.
    if unsafe { (*local()).handlers } != 0 {
        in_handler(call, site);
    }
}

#[cold]
fn in_handler(call: Call, site: Site) {
    let Some(me) = me() else { return };
    let local = local();
    // SAFETY: this thread's own.
    let (signal, stack, reported) = unsafe {
        (
            (*local).handler_signal,
            (*local).handler_stack,
            (*local).handler_reported,
        )
    };
    // One call is enough to find it; what comes after exit, or inside printf, is its consequence.
    if reported != 0 {
        return;
    }
    let kept = KeepErrno::new();
    // SAFETY: as above.
    unsafe { (*local).handler_reported = 1 };
    let at = [(call, me.stack(site)), (Call::Sigaction, stack)];
    Fault {
        kind: Kind::UnsafeInHandler,
        fd: -1,
        at: &at,
        numbers: &[i64::from(signal)],
        text: b"",
    }
    .report(&me);
    drop(kept);
}

/// Whether the program has a handler for this.
fn is_handler(handler: usize) -> bool {
    !matches!(handler, libc::SIG_DFL | libc::SIG_IGN | libc::SIG_ERR)
}

hook! {
    fn sigaction(signal: c_int, new: *const Action, old: *mut Action) -> c_int {
        let at = site();
        let known = usize::try_from(signal).is_ok_and(|signal| signal < SIGNALS);
        let Some(me) = me().filter(|_| known) else { return real(signal, new, old) };
        install(&me, signal, new, old, Call::Sigaction, at)
    }

    fn signal(number: c_int, handler: sighandler_t) -> sighandler_t {
        let at = site();
        let known = usize::try_from(number).is_ok_and(|number| number < SIGNALS);
        let Some(me) = me().filter(|_| known && handler != libc::SIG_ERR) else {
            return real(number, handler);
        };
        // As BSD and glibc have it: installed until further notice, restarting calls.
        // SAFETY: zero bytes are an empty action.
        let (mut new, mut old): (Action, Action) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        new.sa_sigaction = handler;
        new.sa_flags = libc::SA_RESTART;
        // SAFETY: a set of this function's.
        unsafe { libc::sigaddset(&mut new.sa_mask, number) };
        if install(&me, number, &new, &mut old, Call::Signal, at) == 0 { old.sa_sigaction } else { libc::SIG_ERR }
    }
}

fn install(
    me: &Me,
    signal: c_int,
    new: *const Action,
    old: *mut Action,
    call: Call,
    at: Site,
) -> c_int {
    static REAL: crate::real::Real = crate::real::Real::new(c"sigaction");
    type Function = unsafe extern "C" fn(c_int, *const Action, *mut Action) -> c_int;
    let entry = &INSTALLED[signal as usize];
    // SAFETY: the caller's action, or none; libc's function.
    let (new, real): (Option<&Action>, Function) = unsafe {
        (
            new.as_ref(),
            std::mem::transmute::<*mut c_void, Function>(REAL.address()),
        )
    };
    let was = (entry.handler.get(), entry.takes_info.get());
    let mut ours = new.copied();
    if let Some(ours) = ours.as_mut().filter(|new| {
        is_handler(new.sa_sigaction) && new.sa_sigaction != handle as *const () as usize
    }) {
        entry
            .takes_info
            .set(u32::from(ours.sa_flags & libc::SA_SIGINFO != 0));
        entry.handler.set(ours.sa_sigaction);
        entry.stack.set(me.stack(at));
        entry.call.set(call as u32);
        ours.sa_sigaction = handle as *const () as usize;
        ours.sa_flags |= libc::SA_SIGINFO;
    }
    let hides_quit = signal == libc::SIGQUIT && me.shared.quit_is_ours.get() != 0;
    if let Some(ours) = ours
        .as_mut()
        .filter(|new| hides_quit && new.sa_sigaction == libc::SIG_DFL)
    {
        ours.sa_sigaction = libc::SIG_IGN;
    }
    // SAFETY: an action of this function's; where the old one goes.
    let result = unsafe {
        real(
            signal,
            ours.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            old,
        )
    };
    if result != 0 {
        entry.handler.set(was.0);
        entry.takes_info.set(was.1);
        return result;
    }
    if let Some(new) = new.filter(|_| signal == libc::SIGCHLD) {
        let ignores = new.sa_sigaction == libc::SIG_IGN || new.sa_flags & libc::SA_NOCLDWAIT != 0;
        me.process.ignores_children.set(u32::from(ignores));
    }
    // SAFETY: NULL, or filled in by the call.
    let Some(old) = (unsafe { old.as_mut() }) else {
        return result;
    };
    if hides_quit && old.sa_sigaction == libc::SIG_IGN {
        old.sa_sigaction = libc::SIG_DFL;
    } else if old.sa_sigaction == handle as *const () as usize {
        old.sa_sigaction = was.0;
        if was.1 == 0 {
            old.sa_flags &= !libc::SA_SIGINFO;
        }
    }
    result
}

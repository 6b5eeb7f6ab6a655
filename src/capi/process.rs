//! Processes

use core::ffi::{c_char, c_int, c_uint};

use libc::pid_t;

use super::checked::{ON_FILE, RESTART, keep_errno, wrap};

/// Creates a child process.
///
/// Returns 0 in the child, and the child's process ID in the parent.
///
/// [CS:APP 3e, section 8.4.2; POSIX, fork]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fork() -> pid_t {
    wrap!(c"Fork", libc::fork())
}

/// Replaces the program by the file `filename`, with the arguments `argv` and the environment
/// `envp`, two arrays that end with NULL. Does not return if it succeeds.
///
/// [CS:APP 3e, section 8.4.5; POSIX, exec]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Execve(
    filename: *const c_char,
    argv: *const *mut c_char,
    envp: *const *mut c_char,
) {
    let (argv, envp): (*const *const c_char, *const *const c_char) = (argv.cast(), envp.cast());
    wrap!(c"Execve", libc::execve(filename, argv, envp), ON_FILE);
}

/// Waits until a child process ends, and stores its status at `status`, unless that is NULL.
///
/// Returns the child's process ID.
///
/// [CS:APP 3e, section 8.4.3; POSIX, wait]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Wait(status: *mut c_int) -> pid_t {
    wrap!(c"Wait", libc::wait(status), RESTART)
}

/// Waits until the child process `pid` (-1: any) changes its state as `options` say, and stores
/// its status at `iptr`, unless that is NULL.
///
/// Returns the child's process ID, or 0 if WNOHANG is set and no child has changed its state.
///
/// [CS:APP 3e, section 8.4.3; POSIX, waitpid]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Waitpid(pid: pid_t, iptr: *mut c_int, options: c_int) -> pid_t {
    wrap!(c"Waitpid", libc::waitpid(pid, iptr, options), RESTART)
}

/// Sends the signal `signum` to the process `pid`, or if `pid` is below -1, to the process group
/// whose ID is -`pid`.
///
/// [CS:APP 3e, section 8.5.2; POSIX, kill]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Kill(pid: pid_t, signum: c_int) {
    wrap!(c"Kill", libc::kill(pid, signum));
}

/// Suspends the calling thread for `secs` seconds, or until a signal handler has run. Cannot
/// fail.
///
/// Returns the number of seconds that were left, or 0 if the time is up.
///
/// [CS:APP 3e, section 8.4.4; POSIX, sleep]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sleep(secs: c_uint) -> c_uint {
    // SAFETY: sleep takes any number.
    keep_errno(|| unsafe { libc::sleep(secs) })
}

/// Suspends the calling thread until a signal handler has run. Cannot fail.
///
/// [CS:APP 3e, section 8.4.4; POSIX, pause]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pause() {
    // SAFETY: pause takes nothing.
    keep_errno(|| unsafe { libc::pause() });
}

/// Schedules a SIGALRM for this process in `seconds` seconds, in place of an earlier one; 0 only
/// cancels that. Cannot fail.
///
/// Returns the number of seconds that were left of the earlier one, or 0 if there was none.
///
/// [CS:APP 3e, section 8.5.2; POSIX, alarm]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Alarm(seconds: c_uint) -> c_uint {
    // SAFETY: alarm takes any number.
    keep_errno(|| unsafe { libc::alarm(seconds) })
}

/// Moves the process `pid` (0: this one) to the process group `pgid` (0: the one that has the
/// process's ID).
///
/// [CS:APP 3e, section 8.5.2; POSIX, setpgid]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Setpgid(pid: pid_t, pgid: pid_t) {
    wrap!(c"Setpgid", libc::setpgid(pid, pgid));
}

/// Returns the ID of this process's process group. Cannot fail.
///
/// [CS:APP 3e, section 8.5.2; POSIX, getpgrp]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Getpgrp() -> pid_t {
    // SAFETY: getpgrp takes nothing.
    keep_errno(|| unsafe { libc::getpgrp() })
}

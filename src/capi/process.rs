//! Processes

use core::ffi::{c_char, c_int, c_uint};

use libc::pid_t;

use super::checked::{attempt, keep_errno, report_failure, report_failure_on, restart};

/// fork, checked: creates a child process. Returns 0 in the child and the child's process ID in
/// the parent; -1 if the error handler returns. [CS:APP 3e, section 8.4.2; POSIX, fork]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Fork() -> pid_t {
    // SAFETY: fork takes nothing; what the child may do is the program's affair.
    let outcome = attempt(-1, || unsafe { libc::fork() });
    report_failure(c"Fork", outcome).unwrap_or(-1)
}

/// execve, checked: replaces the program by the file `filename`, with the arguments `argv` and
/// the environment `envp`, both ending in NULL. Returns only if that fails and the error
/// handler returns. [CS:APP 3e, section 8.4.5; POSIX, exec]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Execve(
    filename: *const c_char,
    argv: *const *mut c_char,
    envp: *const *mut c_char,
) {
    // SAFETY: the caller's strings and lists, as execve wants them.
    let outcome = attempt(-1, || unsafe {
        libc::execve(filename, argv.cast(), envp.cast())
    });
    // SAFETY: the caller's string.
    let _ = unsafe { report_failure_on(c"Execve", filename, outcome) };
}

/// wait, checked: waits until a child process ends, and stores its status at `status` (unless
/// NULL). Restarts if interrupted by a signal (EINTR). Returns the child's process ID; -1 if
/// the error handler returns. [CS:APP 3e, section 8.4.3; POSIX, wait]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Wait(status: *mut c_int) -> pid_t {
    // SAFETY: `status` is NULL or writable.
    let outcome = restart(|| attempt(-1, || unsafe { libc::wait(status) }));
    report_failure(c"Wait", outcome).unwrap_or(-1)
}

/// waitpid, checked: waits until the child process `pid` (-1: any) changes its state as
/// `options` say, and stores its status at `iptr` (unless NULL). Restarts if interrupted by a
/// signal (EINTR). Returns the child's process ID, or 0 if WNOHANG found none; -1 if the error
/// handler returns. [CS:APP 3e, section 8.4.3; POSIX, waitpid]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Waitpid(pid: pid_t, iptr: *mut c_int, options: c_int) -> pid_t {
    // SAFETY: `iptr` is NULL or writable.
    let outcome = restart(|| attempt(-1, || unsafe { libc::waitpid(pid, iptr, options) }));
    report_failure(c"Waitpid", outcome).unwrap_or(-1)
}

/// kill, checked: sends the signal `signum` to the process `pid`, or to the process group `-pid`.
/// [CS:APP 3e, section 8.5.2; POSIX, kill]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Kill(pid: pid_t, signum: c_int) {
    // SAFETY: kill takes any numbers.
    let outcome = attempt(-1, || unsafe { libc::kill(pid, signum) });
    let _ = report_failure(c"Kill", outcome);
}

/// sleep: waits for `secs` seconds, or until a signal handler has run. Returns the seconds that
/// are left. [CS:APP 3e, section 8.4.4; POSIX, sleep]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Sleep(secs: c_uint) -> c_uint {
    // SAFETY: sleep takes any number.
    keep_errno(|| unsafe { libc::sleep(secs) })
}

/// pause: waits until a signal handler has run. [CS:APP 3e, section 8.4.4; POSIX, pause]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Pause() {
    // SAFETY: pause takes nothing.
    keep_errno(|| unsafe { libc::pause() });
}

/// alarm: sends this process a SIGALRM in `seconds` seconds; 0 cancels an earlier one. Returns
/// the seconds that were left of that. [CS:APP 3e, section 8.5.2; POSIX, alarm]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Alarm(seconds: c_uint) -> c_uint {
    // SAFETY: alarm takes any number.
    keep_errno(|| unsafe { libc::alarm(seconds) })
}

/// setpgid, checked: moves the process `pid` (0: this one) to the process group `pgid` (0: its
/// own). [CS:APP 3e, section 8.5.2; POSIX, setpgid]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Setpgid(pid: pid_t, pgid: pid_t) {
    // SAFETY: setpgid takes any numbers.
    let outcome = attempt(-1, || unsafe { libc::setpgid(pid, pgid) });
    let _ = report_failure(c"Setpgid", outcome);
}

/// getpgrp: the process group of this process. [CS:APP 3e, section 8.5.2; POSIX, getpgrp]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Getpgrp() -> pid_t {
    // SAFETY: getpgrp takes nothing.
    keep_errno(|| unsafe { libc::getpgrp() })
}

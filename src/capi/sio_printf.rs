//! The sio_printf family. Stable Rust can neither define a variadic function nor export one that C
//! defines, so each function here is one jump to its C half in src/sio_printf.c, which leaves
//! all arguments where they are.

use core::arch::global_asm;

/// One instruction: jumps to a function, and leaves registers and stack unchanged.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
macro_rules! jump {
    () => {
        "jmp {}"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! jump {
    () => {
        "b {}"
    };
}
#[cfg(any(target_arch = "riscv64", target_arch = "riscv32"))]
macro_rules! jump {
    () => {
        "tail {}"
    };
}

#[cfg(has_naked_functions)]
macro_rules! jump_to {
    ($half:ident) => {
        core::arch::naked_asm!(jump!(), sym $half)
    };
}
/// Before Rust 1.88. A function without arguments that does nothing else, uses no stack and does not return has
/// only this instruction. If there were others, c_tests would notice changed arguments.
#[cfg(not(has_naked_functions))]
macro_rules! jump_to {
    ($half:ident) => {
        // SAFETY: the C half takes what the caller passed, and returns to the caller.
        unsafe { core::arch::asm!(jump!(), sym $half, options(noreturn, nostack)) }
    };
}

macro_rules! jumps {
    ($($name:ident => $half:ident)+) => {
        unsafe extern "C" {
            $(fn $half();)+
        }
        $(
            /// Declared, with its arguments, in include/csapp.h.in.
            #[unsafe(no_mangle)]
            #[cfg_attr(has_naked_functions, unsafe(naked))]
            pub unsafe extern "C" fn $name() {
                jump_to!($half)
            }
        )+
    };
}

jumps! {
    sio_printf => csapp_c_printf
    sio_dprintf => csapp_c_dprintf
    sio_eprintf => csapp_c_eprintf
    sio_vdprintf => csapp_c_vdprintf
}

// The function that the C half calls, under a name that is not exported.
#[cfg(target_vendor = "apple")]
global_asm!(
    ".globl _csapp_rs_vdprintf",
    ".private_extern _csapp_rs_vdprintf",
    ".p2align 2",
    "_csapp_rs_vdprintf:",
    jump!(),
    sym super::sio::vdprintf,
);
#[cfg(not(target_vendor = "apple"))]
global_asm!(
    ".globl csapp_rs_vdprintf",
    ".hidden csapp_rs_vdprintf",
    ".type csapp_rs_vdprintf, %function",
    "csapp_rs_vdprintf:",
    jump!(),
    sym super::sio::vdprintf,
);

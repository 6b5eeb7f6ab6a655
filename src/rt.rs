//! The two functions that the compiler needs of a Rust library without std: what to do on a
//! panic, and how to unwind.

use core::arch::global_asm;

/// No input causes a panic. If a defect does, the process ends with SIGABRT instead of unwinding into C.
#[panic_handler]
fn abort(_: &core::panic::PanicInfo) -> ! {
    crate::sys::abort()
}

/// Defines the personality routine, which the unwinder calls for every frame of this library. It always returns
/// _URC_CONTINUE_UNWIND (8): no frame of this library catches anything or has anything to clean up, so
/// `pthread_exit` and cancellation continue to the C frames above. The symbol is weak and hidden: that of std
/// takes precedence, if there is one, and no other library sees it.
macro_rules! personality {
    ($($instruction:literal),+) => {
        #[cfg(target_vendor = "apple")]
        global_asm!(
            ".globl _rust_eh_personality",
            ".weak_definition _rust_eh_personality",
            ".private_extern _rust_eh_personality",
            ".p2align 2",
            "_rust_eh_personality:",
            $($instruction),+
        );
        #[cfg(not(target_vendor = "apple"))]
        global_asm!(
            ".weak rust_eh_personality",
            ".hidden rust_eh_personality",
            ".type rust_eh_personality, %function",
            "rust_eh_personality:",
            $($instruction),+
        );
    };
}

#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
personality!("mov eax, 8", "ret");

#[cfg(target_arch = "aarch64")]
personality!("mov w0, #8", "ret");

#[cfg(any(target_arch = "riscv64", target_arch = "riscv32"))]
personality!("li a0, 8", "ret");

#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "x86",
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "riscv32"
)))]
compile_error!("src/rt.rs: write this processor's personality routine (return 8) first");

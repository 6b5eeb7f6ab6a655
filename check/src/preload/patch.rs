//! rio_readinitb of a program that has it compiled in (csapp.o, or a csapp.c of its own): nothing can take its place, so
//! a jump is written over its first instructions. They are moved to a place nearby, behind a call of `initialised`.
//!
//! x86-64 only; elsewhere, and for a program without symbols, a rio_t is known by the reads that fill it.

#[cfg(target_arch = "x86_64")]
pub use x86_64::patch;

#[cfg(not(target_arch = "x86_64"))]
pub fn patch(_bias: usize) {}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::ffi::{c_int, c_void};
    use std::ptr;

    use iced_x86::Register::{RAX, RCX, RDI, RDX, RSI, RSP};
    use iced_x86::{
        BlockEncoder, BlockEncoderOptions, Code, Decoder, DecoderOptions, FlowControl, IcedError,
        Instruction, InstructionBlock, MemoryOperand,
    };
    use object::read::elf::ElfFile64;
    use object::{Object as _, ObjectSymbol as _};

    use crate::rio;
    use crate::stack::Site;
    use crate::state::{KeepErrno, me};

    const NAMES: [&[u8]; 2] = [b"rio_readinitb", b"Rio_readinitb"];
    /// A jump to an address within 2 GiB.
    const JUMP: usize = 5;
    const PAGE: usize = 4096;

    /// Looks for the functions among the symbols of the program, which was loaded at `bias`.
    pub fn patch(bias: usize) {
        let Ok(file) = std::fs::read("/proc/self/exe") else {
            return;
        };
        let Ok(elf) = ElfFile64::<object::Endianness>::parse(&*file) else {
            return;
        };
        let wanted = elf.symbols().filter(|symbol| {
            symbol.is_definition() && symbol.name_bytes().is_ok_and(|name| NAMES.contains(&name))
        });
        for symbol in wanted {
            let _ = redirect(bias + symbol.address() as usize, symbol.size() as usize);
        }
    }

    /// Called instead of the first instructions, which follow.
    extern "C" fn initialised(rio: *mut c_void, fd: c_int, address: usize, frame: usize) {
        if let Some(me) = me() {
            let kept = KeepErrno::new();
            rio::initialise(&me, rio as usize, fd, me.stack(Site { address, frame }));
            drop(kept);
        }
    }

    /// None if the function cannot be redirected; then it is left alone.
    fn redirect(function: usize, size: usize) -> Option<()> {
        // SAFETY: the symbol says that the function has these bytes.
        let code = unsafe { std::slice::from_raw_parts(function as *const u8, size) };
        let moved = first_instructions(code, function)?;
        let length = moved.iter().map(Instruction::len).sum::<usize>();
        let place = near(function)?;
        let bytes = detour(&moved, place, function + length)?;
        let offset = i32::try_from(place.wrapping_sub(function + JUMP) as isize).ok()?;
        // SAFETY: `place` is a page of this function's; the pages of the code are made writable first, and are the
        // program's to run again afterwards. Nothing runs there yet: main has not begun.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), place as *mut u8, bytes.len());
            let executable = libc::PROT_READ | libc::PROT_EXEC;
            libc::mprotect(place as *mut c_void, PAGE, executable);
            let page = function & !(PAGE - 1);
            let pages = function + JUMP - page;
            if libc::mprotect(page as *mut c_void, pages, executable | libc::PROT_WRITE) != 0 {
                return None;
            }
            (function as *mut u8).write(0xe9);
            ((function + 1) as *mut i32).write_unaligned(offset);
            libc::mprotect(page as *mut c_void, pages, executable);
        }
        Some(())
    }

    /// Whole instructions that fill the place of a jump. None if one of them leaves the function, or if the rest of
    /// it jumps back among them.
    fn first_instructions(code: &[u8], address: usize) -> Option<Vec<Instruction>> {
        let decoder = Decoder::with_ip(64, code, address as u64, DecoderOptions::NONE);
        let all: Vec<_> = decoder.into_iter().collect();
        let mut length = 0;
        let count = 1 + all.iter().position(|instruction| {
            length += instruction.len();
            length >= JUMP
        })?;
        let goes_on = |instruction: &Instruction| {
            matches!(
                instruction.flow_control(),
                FlowControl::Next | FlowControl::ConditionalBranch
            ) && !instruction.is_invalid()
        };
        let moved = address as u64..(address + length) as u64;
        let jumps_back = |instruction: &Instruction| {
            let jumps = matches!(
                instruction.flow_control(),
                FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch
            );
            jumps && moved.contains(&instruction.near_branch_target())
        };
        let is_movable = all[..count].iter().all(goes_on) && !all.iter().any(jumps_back);
        is_movable.then(|| all[..count].to_vec())
    }

    /// Calls `initialised`, runs the moved instructions, and goes on behind them.
    fn detour(moved: &[Instruction], place: usize, back: usize) -> Option<Vec<u8>> {
        let before = || -> Result<[Instruction; 10], IcedError> {
            let above = |bytes| MemoryOperand::with_base_displ(RSP, bytes);
            let function = initialised as *const () as u64;
            Ok([
                Instruction::with1(Code::Push_r64, RDI)?,
                Instruction::with1(Code::Push_r64, RSI)?,
                Instruction::with2(Code::Mov_r64_rm64, RDX, above(16))?,
                Instruction::with2(Code::Lea_r64_m, RCX, above(24))?,
                Instruction::with2(Code::Sub_rm64_imm8, RSP, 8)?,
                Instruction::with2(Code::Mov_r64_imm64, RAX, function)?,
                Instruction::with1(Code::Call_rm64, RAX)?,
                Instruction::with2(Code::Add_rm64_imm8, RSP, 8)?,
                Instruction::with1(Code::Pop_r64, RSI)?,
                Instruction::with1(Code::Pop_r64, RDI)?,
            ])
        };
        let on = Instruction::with_branch(Code::Jmp_rel32_64, back as u64).ok()?;
        let instructions = [&before().ok()?[..], moved, &[on]].concat();
        let block = InstructionBlock::new(&instructions, place as u64);
        let encoded = BlockEncoder::encode(64, block, BlockEncoderOptions::NONE).ok()?;
        (encoded.code_buffer.len() <= PAGE).then_some(encoded.code_buffer)
    }

    /// A new page within a jump's reach.
    fn near(function: usize) -> Option<usize> {
        let page = function & !(PAGE - 1);
        let down = (1..512).map(|i| page.wrapping_sub(i << 20));
        let up = (1..512).map(|i| page + (i << 20));
        down.chain(up).find(|&wanted| {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
            // SAFETY: a new mapping, where none is.
            let got = unsafe { libc::mmap(wanted as *mut c_void, PAGE, protection, flags, -1, 0) };
            if got != libc::MAP_FAILED && got as usize != wanted {
                // SAFETY: an older kernel has put this mapping elsewhere.
                unsafe { libc::munmap(got, PAGE) };
            }
            got as usize == wanted
        })
    }
}

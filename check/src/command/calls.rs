//! Which function a call calls, by the name that the caller used. csapp's functions go on by jumps, and the library has
//! no symbols for what is inside of it: the return addresses alone would name the wrong one.

use std::collections::HashMap;

use object::{
    File, Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SectionKind,
};

/// A function's name is kept if an address has several and this holds for it.
type Preferred = fn(&str) -> bool;

/// The code of a program or library, and the names of what it calls.
pub struct Calls {
    code: Vec<(u64, Vec<u8>)>,
    functions: HashMap<u64, String>,
    /// By the address of the pointer that a call of another library goes through.
    pointers: HashMap<u64, String>,
}

impl Calls {
    /// Those of a file with these bytes.
    pub fn of(bytes: &[u8], preferred: Preferred) -> Option<Calls> {
        let file = File::parse(bytes).ok()?;
        let code = file
            .sections()
            .filter(|section| section.kind() == SectionKind::Text)
            .filter_map(|section| Some((section.address(), section.data().ok()?.to_vec())))
            .collect();
        let mut functions = HashMap::new();
        for symbol in file.symbols().chain(file.dynamic_symbols()) {
            let name = symbol.name().unwrap_or("");
            if symbol.is_definition()
                && (preferred(name) || !functions.contains_key(&symbol.address()))
            {
                functions.insert(symbol.address(), name.to_owned());
            }
        }
        let mut pointers = HashMap::new();
        let imports = file.dynamic_symbol_table();
        for (address, relocation) in file.dynamic_relocations().into_iter().flatten() {
            if let (RelocationTarget::Symbol(index), Some(imports)) =
                (relocation.target(), &imports)
            {
                use object::ObjectSymbolTable as _;
                if let Ok(name) = imports
                    .symbol_by_index(index)
                    .and_then(|symbol| symbol.name())
                {
                    pointers.insert(address, name.to_owned());
                }
            }
        }
        Some(Calls {
            code,
            functions,
            pointers,
        })
    }

    /// What the call right before this address calls.
    pub fn before(&self, end: u64) -> Option<&str> {
        let name = match () {
            #[cfg(target_arch = "x86_64")]
            () => self.before_on_x86_64(end),
            #[cfg(target_arch = "aarch64")]
            () => self.before_on_aarch64(end),
        };
        name.map(String::as_str)
    }

    fn bytes<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        self.code.iter().find_map(|(start, code)| {
            let from = usize::try_from(at.checked_sub(*start)?).ok()?;
            code.get(from..from.checked_add(N)?)?.try_into().ok()
        })
    }

    fn relative(&self, at: u64) -> Option<u64> {
        let distance = i32::from_le_bytes(self.bytes(at)?);
        Some((at + 4).wrapping_add_signed(distance.into()))
    }

    /// `call rel32` of a function or of a stub, or `call *rel32(%rip)`.
    #[cfg(target_arch = "x86_64")]
    fn before_on_x86_64(&self, end: u64) -> Option<&String> {
        let operand = end.checked_sub(4)?;
        if self.bytes(operand - 2) == Some([0xff, 0x15]) {
            return self.pointers.get(&self.relative(operand)?);
        }
        if self.bytes(operand - 1) != Some([0xe8]) {
            return None;
        }
        let mut at = self.relative(operand)?;
        if let Some(name) = self.functions.get(&at) {
            return Some(name);
        }
        if self.bytes(at) == Some([0xf3, 0x0f, 0x1e, 0xfa]) {
            at += 4; // endbr64
        }
        if self.bytes(at) == Some([0xf2]) {
            at += 1; // bnd
        }
        (self.bytes(at) == Some([0xff, 0x25])).then_some(())?;
        self.pointers.get(&self.relative(at + 2)?)
    }

    /// `bl` of a function or of a stub, which gets the address of its pointer by `adrp` and `ldr`.
    #[cfg(target_arch = "aarch64")]
    fn before_on_aarch64(&self, end: u64) -> Option<&String> {
        let word = |at| Some(u32::from_le_bytes(self.bytes(at)?));
        let call = word(end.checked_sub(4)?)?;
        (call >> 26 == 0b100101).then_some(())?;
        let mut at = (end - 4).wrapping_add_signed(i64::from((call << 6) as i32 >> 4));
        if let Some(name) = self.functions.get(&at) {
            return Some(name);
        }
        if word(at)? == 0xd503_245f {
            at += 4; // bti c
        }
        let (page, load) = (word(at)?, word(at + 4)?);
        (page & 0x9f00_0000 == 0x9000_0000 && load & 0xffc0_0000 == 0xf940_0000).then_some(())?;
        let pages = (page >> 3 & 0x1f_fffc) | (page >> 29 & 3);
        let pages = i64::from((pages << 11) as i32 >> 11);
        let offset = u64::from(load >> 10 & 0xfff) * 8;
        self.pointers
            .get(&((at & !0xfff).wrapping_add_signed(pages << 12) + offset))
    }
}

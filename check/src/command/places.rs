//! Return addresses become places: file, line and function.

use std::cell::RefCell;
use std::collections::HashMap;

use addr2line::Loader;
use object::read::elf::ElfFile64;
use object::{Endianness, Object as _, ObjectSymbol as _};

use crate::calls::Calls;
use crate::shared::*;

/// Where a call was made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    pub file: Option<String>,
    pub line: Option<u32>,
    pub function: Option<String>,
    /// The program or library, and the offset in it.
    pub module: String,
    pub offset: usize,
    /// The function before it, if there is no name for its own.
    after: Option<String>,
}

impl Place {
    /// As in front of a report: "proxy.c:88", or as much as is known.
    pub fn short(&self) -> String {
        match (&self.file, self.line, &self.function) {
            (Some(file), Some(line), _) => format!("{}:{line}", base(file)),
            (_, _, Some(function)) => format!("{function} in {}", base(&self.module)),
            _ if self.module.is_empty() => "an unknown place".into(),
            _ => format!("{}+{:#x}", base(&self.module), self.offset),
        }
    }

    /// With the function, if there is a line.
    pub fn long(&self) -> String {
        match (&self.line, &self.function) {
            (Some(_), Some(function)) => format!("{} ({function})", self.short()),
            _ => self.short(),
        }
    }

    /// In a function that a header of the system defines: putchar, read with _FORTIFY_SOURCE, a template of C++.
    fn is_header(&self) -> bool {
        let file = self.file.as_deref().unwrap_or_default();
        file.starts_with("/usr/") && file.contains("/include/")
    }

    /// Not where the program's author would look: in libraries of the system, in csapp's own functions.
    fn is_inner(&self) -> bool {
        let function = self.function.as_ref().or(self.after.as_ref());
        let function = function.map_or("", |name| name);
        is_system(&self.module)
            || is_csapp(function)
            || self.is_header()
            || self
                .file
                .as_deref()
                .is_some_and(|file| base(file) == "csapp.c")
            || [
                "__interceptor_",
                "___interceptor_",
                "__sanitizer",
                "__asan",
                "__tsan",
            ]
            .iter()
            .any(|p| function.starts_with(p))
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_system(module: &str) -> bool {
    let name = base(module);
    let known = [
        "libc.so",
        "libc-",
        "libpthread",
        "ld-linux",
        "libcsapp",
        "libasan",
        "libtsan",
        "libubsan",
        "libgcc_s",
        "linux-vdso",
        "libstdc++",
    ];
    known.iter().any(|prefix| name.starts_with(prefix))
}

/// The functions of the book's csapp.c that call others: who calls these is who is asked about.
fn is_csapp(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "Accept",
        "Bind",
        "Close",
        "Closedir",
        "Connect",
        "Dup2",
        "Execve",
        "Exit",
        "Fclose",
        "Fdopen",
        "Fgets",
        "Fopen",
        "Fork",
        "Fputs",
        "Fread",
        "Fwrite",
        "Free",
        "Getaddrinfo",
        "Kill",
        "Listen",
        "Lseek",
        "Malloc",
        "Calloc",
        "Realloc",
        "Open",
        "Opendir",
        "Open_clientfd",
        "Open_listenfd",
        "P",
        "V",
        "Pause",
        "Pipe",
        "Pthread_create",
        "Pthread_detach",
        "Pthread_join",
        "Pthread_mutex_lock",
        "Pthread_cond_wait",
        "Read",
        "Readdir",
        "Rio_readinitb",
        "Rio_readlineb",
        "Rio_readn",
        "Rio_readnb",
        "Rio_writen",
        "Select",
        "Sem_wait",
        "Signal",
        "Sigaction",
        "Sigsuspend",
        "Sio_error",
        "Sio_putl",
        "Sio_puts",
        "Sleep",
        "Socket",
        "Wait",
        "Waitpid",
        "Write",
        "open_clientfd",
        "open_listenfd",
        "rio_read",
        "rio_readinitb",
        "rio_readlineb",
        "rio_readn",
        "rio_readnb",
        "rio_writen",
        "sio_error",
        "sio_putl",
        "sio_puts",
        "unix_error",
        "posix_error",
        "app_error",
        "dns_error",
        "gai_error",
    ];
    NAMES.contains(&name)
}

/// The index of the first place in the program's own code. csapp.o has symbols for the functions of the API alone: what
/// else is in it seems to be in the function before. So in one module a place with a line goes before those without.
fn own(places: &[Place]) -> Option<usize> {
    let first = places.iter().position(|place| !place.is_inner())?;
    let has_line = |place: &Place| {
        place.module == places[first].module && place.line.is_some() && !place.is_inner()
    };
    places.iter().position(has_line).or(Some(first))
}

/// A program or library.
struct File {
    lines: Loader,
    /// How long each function is, by its address, as far as the file says so.
    lengths: HashMap<u64, u64>,
    calls: Option<Calls>,
}

impl File {
    fn open(path: &str) -> Option<File> {
        let lines = Loader::new(path).ok()?;
        let mut lengths = HashMap::new();
        let bytes = std::fs::read(path).unwrap_or_default();
        if let Ok(elf) = ElfFile64::<Endianness>::parse(&*bytes) {
            let symbols = elf.symbols().chain(elf.dynamic_symbols());
            for symbol in symbols.filter(|symbol| symbol.size() > 0) {
                let length = lengths.entry(symbol.address()).or_insert(0);
                *length = symbol.size().max(*length);
            }
        }
        let calls = Calls::of(&bytes, is_csapp);
        Some(File {
            lines,
            lengths,
            calls,
        })
    }

    /// The function that has its code there: its name goes to `function`, that of one which ends before to `after`.
    fn name(&self, offset: usize, place: &mut Place) {
        let Some(symbol) = self.lines.find_symbol_info(offset as u64) else {
            return;
        };
        let ends = self.lengths.get(&symbol.address());
        let is_beyond = ends.is_some_and(|length| offset as u64 - symbol.address() >= *length);
        let to = if is_beyond {
            &mut place.after
        } else {
            &mut place.function
        };
        *to = Some(plain(symbol.name()));
    }
}

impl Module {
    fn path(&self) -> String {
        let bytes = self.path.iter().map(Cell::get);
        let path: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&path).into_owned()
    }
}

/// Looks up places, and keeps what it has read of the files.
pub struct Places<'a> {
    shared: &'a Shared,
    files: RefCell<HashMap<String, Option<File>>>,
    known: RefCell<HashMap<u32, Vec<Place>>>,
}

impl<'a> Places<'a> {
    pub fn new(shared: &'a Shared) -> Places<'a> {
        Places {
            shared,
            files: RefCell::default(),
            known: RefCell::default(),
        }
    }

    /// All places of a stack, the innermost first, functions that were inlined included.
    pub fn stack(&self, id: u32) -> Vec<Place> {
        if let Some(known) = self.known.borrow().get(&id) {
            return known.clone();
        }
        let mut places = Vec::new();
        if let Some(stack) = self.shared.stack(id) {
            let depth = (stack.depth.get() as usize).min(DEPTH);
            for address in stack.frames[..depth].iter().map(Cell::get) {
                places.extend(self.frame(stack.image.get(), address));
            }
        }
        self.known.borrow_mut().insert(id, places.clone());
        places
    }

    /// Whether the loader itself made the call, for a program that used a function or a variable of a library.
    pub fn is_loaders(&self, id: u32) -> bool {
        let places = self.stack(id);
        let first = places.first();
        first.is_some_and(|place| base(&place.module).starts_with("ld-linux"))
    }

    /// What all calls have in common that came the same way, through whichever copy of an unrolled loop.
    pub fn way(&self, id: u32) -> Vec<String> {
        let of = |place: &Place| match place.line {
            Some(_) => place.short(),
            None => format!("{}+{:#x}", place.module, place.offset),
        };
        self.stack(id).iter().map(of).collect()
    }

    /// The place that a person would call the place of the call: the first that is in the program's own code.
    pub fn place(&self, id: u32) -> Place {
        let places = self.stack(id);
        let own = own(&places).map(|at| &places[at]);
        own.or(places.first()).cloned().unwrap_or_default()
    }

    /// The csapp function through which the call was made, if it was: "Open_clientfd" of a connect. Or one of a header:
    /// "putchar" of a putc.
    pub fn through(&self, id: u32) -> Option<String> {
        let places = self.stack(id);
        let at = own(&places)?;
        let place = &places[at];
        let inner = at.checked_sub(1).map(|inner| &places[inner]);
        if let Some(inner) = inner.filter(|inner| inner.is_header()) {
            let is_of_c = |name: &&String| !name.contains(':');
            return inner.function.as_ref().filter(is_of_c).cloned();
        }
        self.in_file(place.module.clone(), |file| {
            let name = file.calls.as_ref()?.before(place.offset as u64 + 1)?;
            is_csapp(name).then(|| name.to_owned())
        })?
    }

    /// The function that is called at the place, if the call was made inside of it, by libc or in its stead by a
    /// sanitizer: "localtime" of a free.
    pub fn inside(&self, id: u32) -> Option<String> {
        let places = self.stack(id);
        let place = &places[own(&places)?];
        let inner = base(&places[0].module);
        if !["libc.", "libasan.", "libtsan."]
            .iter()
            .any(|name| inner.starts_with(name))
        {
            return None;
        }
        self.in_file(place.module.clone(), |file| {
            let name = file.calls.as_ref()?.before(place.offset as u64 + 1)?;
            (!name.starts_with('_')).then(|| name.to_owned())
        })?
    }

    /// Where the function of `place` was called, and so on: the program's own functions only.
    pub fn callers(&self, id: u32) -> Vec<String> {
        let places = self.stack(id);
        let of_program = places
            .iter()
            .filter(|place| !place.is_inner() && place.line.is_some());
        of_program.skip(1).map(Place::long).collect()
    }

    /// The name of the variable at an address, if it is a global one.
    pub fn variable(&self, image: u32, address: usize) -> Option<String> {
        let module = self.module(image, address)?;
        let offset = (address - module.bias.get()) as u64;
        self.in_file(module.path(), |file| {
            let symbol = file.lines.find_symbol_info(offset)?;
            let inside = offset - symbol.address();
            let length = file.lengths.get(&symbol.address())?;
            match inside {
                0 => Some(symbol.name().to_owned()),
                _ if inside < *length => Some(format!("{}+{inside}", symbol.name())),
                _ => None,
            }
        })?
    }

    /// Looks into a program or library, which is read once; None if it cannot be read.
    fn in_file<T>(&self, path: String, look: impl FnOnce(&File) -> T) -> Option<T> {
        let mut files = self.files.borrow_mut();
        let file = files
            .entry(path)
            .or_insert_with_key(|path| File::open(path));
        file.as_ref().map(look)
    }

    fn module(&self, image: u32, address: usize) -> Option<&'a Module> {
        let used = (self.shared.modules_used.get() as usize).min(MODULES);
        let holds = |module: &&Module| {
            module.image.get() == image && (module.from.get()..module.to.get()).contains(&address)
        };
        self.shared.modules[..used].iter().find(holds)
    }

    /// A return address: the call is right before it.
    fn frame(&self, image: u32, address: usize) -> Vec<Place> {
        let Some(module) = self.module(image, address) else {
            return vec![Place {
                offset: address,
                ..Place::default()
            }];
        };
        let path = module.path();
        if base(&path).starts_with("libcsapp_check") {
            return Vec::new();
        }
        let offset = address - 1 - module.bias.get();
        let unknown = Place {
            module: path.clone(),
            offset,
            ..Place::default()
        };
        let places = self.in_file(path, |file| {
            let mut places = inlined(file, offset, &unknown);
            if places.is_empty() {
                let mut place = unknown.clone();
                file.name(offset, &mut place);
                places.push(place);
            }
            places
        });
        places.unwrap_or_else(|| vec![unknown])
    }
}

fn inlined(file: &File, offset: usize, unknown: &Place) -> Vec<Place> {
    let mut places = Vec::new();
    let Ok(mut frames) = file.lines.find_frames(offset as u64) else {
        return places;
    };
    while let Ok(Some(frame)) = frames.next() {
        let function = frame
            .function
            .as_ref()
            .and_then(|name| name.demangle().ok().map(|name| plain(&name)));
        let location = frame.location.as_ref();
        if function.is_none() && location.is_none() {
            continue;
        }
        let mut place = Place {
            file: location.and_then(|at| at.file).map(str::to_owned),
            line: location.and_then(|at| at.line),
            ..unknown.clone()
        };
        match function {
            Some(_) => place.function = function,
            None => file.name(offset, &mut place),
        }
        places.push(place);
    }
    places
}

/// The name of a function of C++ as its author knows it, without its parameters; other names, and those that are more
/// than a list of names, as they are.
fn plain(name: &str) -> String {
    let nested = name.strip_prefix("_ZN");
    let Some(mut rest) = nested.or(name.strip_prefix("_Z")) else {
        return name.to_owned();
    };
    rest = rest.strip_prefix('K').unwrap_or(rest);
    let mut parts: Vec<&str> = Vec::new();
    while let Some(after) = rest
        .find(|c: char| !c.is_ascii_digit())
        .filter(|at| *at > 0)
    {
        let length = rest[..after].parse().ok();
        let part = length.and_then(|length: usize| rest.get(after..after.checked_add(length)?));
        let Some(part) = part else { break };
        parts.push(part);
        rest = &rest[after + part.len()..];
        if nested.is_none() {
            break;
        }
    }
    let destructor;
    if let Some(class) = parts.last().copied().filter(|_| nested.is_some()) {
        if rest.starts_with("C1") || rest.starts_with("C2") {
            parts.push(class);
        } else if rest.starts_with("D1") || rest.starts_with("D2") {
            destructor = format!("~{class}");
            parts.push(&destructor);
        }
    }
    if parts.is_empty() {
        name.to_owned()
    } else {
        parts.join("::")
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_of_cpp() {
        for (name, known) in [
            ("main", "main"),
            ("_Z18connection_handlerPviP9ClientMgr", "connection_handler"),
            ("_ZN10ChatServer11acceptConnsEv", "ChatServer::acceptConns"),
            ("_ZNK3net6Server4portEv", "net::Server::port"),
            ("_ZN10ChatServerC2EP9ClientMgri", "ChatServer::ChatServer"),
            ("_ZN10ChatServerD1Ev", "ChatServer::~ChatServer"),
            ("_ZNSt6thread4joinEv", "_ZNSt6thread4joinEv"),
            ("_ZlsRSoRK3Cat", "_ZlsRSoRK3Cat"),
            ("_Z99short", "_Z99short"),
            ("_Z", "_Z"),
        ] {
            assert_eq!(plain(name), known);
        }
    }
}

//! Compiles the one C file and gives the shared library its soname. With the feature `header`, generates
//! csapp.h from src/capi/; for cargo-c, writes the manual pages that lead to others, and the guides.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    #[cfg(feature = "header")]
    header::generate(&root)?;
    new_features()?;

    const IN_C: [&str; 2] = ["src/sio_printf.c", "src/sanitizer.c"];
    for file in IN_C {
        println!("cargo:rerun-if-changed={file}");
    }
    cc::Build::new()
        .files(IN_C)
        .flag("-fasynchronous-unwind-tables")
        .flag_if_supported("-fno-plt") // one entry of the table would need three sections
        .opt_level_str("s")
        .warnings(true)
        .extra_warnings(true)
        .compile("csapp_in_c");

    if env::var_os("CARGO_FEATURE_CAPI").is_some() {
        let out = PathBuf::from(env::var("OUT_DIR")?);
        manual_links(&root.join("man"), &out)?;
        guides(&root.join("docs"), &out.join("guides"))?;
    }

    let major = env::var("CARGO_PKG_VERSION_MAJOR")?;
    let name = match env::var("CARGO_CFG_TARGET_VENDOR")?.as_str() {
        "apple" => format!("-install_name,@rpath/libcsapp.{major}.dylib"),
        _ => format!("-soname,libcsapp.so.{major}"),
    };
    println!("cargo:rustc-cdylib-link-arg=-Wl,{name}");
    // There, the crate libc leaves this to std.
    if env::var("CARGO_CFG_TARGET_ENV")? == "musl" {
        println!("cargo:rustc-cdylib-link-arg=-lc");
    }
    Ok(())
}

/// Says by cfg what the compiler has beyond the oldest that Cargo.toml allows.
fn new_features() -> Result<(), Box<dyn Error>> {
    let version = Command::new(env::var("RUSTC")?).arg("--version").output()?;
    let version = String::from_utf8(version.stdout)?;
    let minor = version.split('.').nth(1).and_then(|part| part.parse().ok());
    let minor: u32 = minor.ok_or_else(|| format!("no version of Rust: {version:?}"))?;
    let is_x86_64 = env::var("CARGO_CFG_TARGET_ARCH")? == "x86_64";
    for (name, is_there) in [
        ("has_naked_functions", minor >= 88),
        ("has_avx512", minor >= 89 && is_x86_64),
    ] {
        println!("cargo:rustc-check-cfg=cfg({name})");
        if is_there {
            println!("cargo:rustc-cfg={name}");
        }
    }
    Ok(())
}

/// Writes OUT/man3: for each name in the NAME section of a page, but the page's own, one that leads
/// there, as `make install` does.
fn manual_links(pages: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=man");
    fs::create_dir_all(out.join("man3"))?;
    for entry in fs::read_dir(pages)? {
        let path = entry?.path();
        let (Some(title), Some(section)) = (path.file_stem(), path.extension()) else {
            continue;
        };
        let (title, section) = (title.to_string_lossy(), section.to_string_lossy());
        let text = fs::read_to_string(&path)?;
        let names = text
            .lines()
            .take_while(|line| !line.starts_with(".Nd"))
            .filter_map(|line| line.strip_prefix(".Nm ")?.split(' ').next());
        for name in names.filter(|name| *name != title) {
            let leads = format!(".so man{section}/{title}.{section}\n");
            fs::write(out.join(format!("man3/{name}.3")), leads)?;
        }
    }
    Ok(())
}

/// Writes the guides with links that lead from where they are installed, as `make install` does.
fn guides(docs: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", docs.display());
    fs::create_dir_all(out)?;
    for name in ["from-csapp-c.md", "servers.md"] {
        let text = fs::read_to_string(docs.join(name))?;
        fs::write(
            out.join(name),
            text.replace("](../examples/", "](examples/"),
        )?;
    }
    Ok(())
}

/// csapp.h, as cbindgen and include/csapp.h.in have it.
#[cfg(feature = "header")]
mod header {
    use std::fmt::Write as _;
    use std::path::Path;
    use std::{env, error::Error, fs};

    /// Where the header's fixed text is, with a line `@section FILE@` for each section.
    const TEMPLATE: &str = "include/csapp.h.in";

    /// Says where to put the header.
    const HEADER_OUT: &str = "CSAPP_HEADER_OUT";

    pub fn generate(root: &Path) -> Result<(), Box<dyn Error>> {
        for source in ["src", "cbindgen.toml", TEMPLATE] {
            println!("cargo:rerun-if-changed={source}");
        }
        println!("cargo:rerun-if-env-changed={HEADER_OUT}");
        let Some(out) = env::var_os(HEADER_OUT) else {
            return Ok(());
        };
        let out = root.join(out);
        // It may have been edited or removed since.
        println!("cargo:rerun-if-changed={}", out.display());
        fs::write(&out, filled_in(root)?).map_err(|why| format!("{}: {why}", out.display()).into())
    }

    /// The template with its `@...@` lines filled in.
    fn filled_in(root: &Path) -> Result<String, Box<dyn Error>> {
        let path = root.join(TEMPLATE);
        let template = fs::read_to_string(&path)
            .map_err(|why| format!("cannot read {}: {why}", path.display()))?;
        let mut header = String::new();
        for line in template.lines() {
            let words = line
                .strip_prefix('@')
                .and_then(|line| line.strip_suffix('@'));
            match words.and_then(|words| words.split_once(' ')) {
                Some(("section", file)) => {
                    let title = title(&root.join(file))?;
                    writeln!(header, "/* {:-<88} */\n", format!("{title} "))?;
                    header += &declarations(root, file)?;
                }
                Some(("types", file)) => header += &declarations(root, file)?,
                _ => {
                    header += line;
                    header.push('\n');
                }
            }
        }
        Ok(header.replace("@VERSION@", &env::var("CARGO_PKG_VERSION")?))
    }

    /// A section's title: the first line of its file's module comment.
    fn title(file: &Path) -> Result<String, Box<dyn Error>> {
        let source =
            fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?;
        let title = source
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("//! "));
        Ok(title
            .ok_or_else(|| format!("{}: no title in a first line `//! ...`", file.display()))?
            .to_owned())
    }

    /// What cbindgen makes of one file.
    fn declarations(root: &Path, file: &str) -> Result<String, Box<dyn Error>> {
        let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
        config.export.include.push("rio_t".into());
        let bindings = cbindgen::Builder::new()
            .with_config(config)
            .with_src(root.join(file))
            .generate()?;
        let mut text = Vec::new();
        bindings.write(&mut text);
        // cbindgen sets a star apart if the name of a renamed type ends in one.
        let text = String::from_utf8(text)?.replace("_t * ", "_t *");
        Ok(format!("{}\n", in_one_line(text.trim())))
    }

    /// Joins the lines of each prototype that fits into one; cbindgen would count the attributes and the comment.
    fn in_one_line(text: &str) -> String {
        const LINE: usize = 100;
        let mut joined = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let mut prototype = vec![line];
            if line.contains('(') && line.ends_with(',') && !line.starts_with(' ') {
                while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
                    prototype.push(line);
                }
            }
            let words: Vec<&str> = prototype.iter().map(|line| line.trim()).collect();
            let whole = words.join(" ");
            let fits = prototype.len() > 1 && whole.len() <= LINE;
            joined += &if fits { whole } else { prototype.join("\n") };
            joined.push('\n');
        }
        joined.trim_end().to_owned()
    }
}

//! Compiles the C part of libcsapp_check.so: variadic functions, and what needs the C compiler's built-ins.

fn main() {
    println!("cargo:rerun-if-changed=src/preload/variadic.c");
    cc::Build::new()
        .file("src/preload/variadic.c")
        .flag("-fexceptions")
        .flag("-fno-omit-frame-pointer")
        .flag("-fno-builtin")
        .flag("-U_FORTIFY_SOURCE")
        .define("_GNU_SOURCE", None)
        .opt_level(2)
        .warnings(true)
        .cargo_metadata(false)
        .compile("csapp_check_variadic");
    // Only the library links it (state.rs): the command does not want its own printf replaced.
    let dir = std::env::var("OUT_DIR").expect("cargo sets it");
    println!("cargo:rustc-link-search=native={dir}");
}

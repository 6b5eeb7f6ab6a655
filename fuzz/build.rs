//! What the library's own build.rs says of a compiler as new as the nightly one here.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(has_avx512)");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64") {
        println!("cargo:rustc-cfg=has_avx512");
    }
}

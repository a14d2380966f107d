//! Hands the linker the functions of each program that run at rest, to be put side by side (benches/resident.py says why).

use std::env;
use std::path::Path;

const SCRIPTS: &str = "src/resident";

fn main() {
    println!("cargo::rerun-if-changed={SCRIPTS}");
    // Nobody counts the memory of a debug build.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        let directory = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        let scripts = Path::new(&directory).join(SCRIPTS);
        for program in ["edgewatch", "edgewatch-outbound"] {
            // INSERT in the script leaves the rest to the linker's own.
            println!(
                "cargo::rustc-link-arg-bin={program}=-Wl,--script={}/{program}.ld",
                scripts.display()
            );
        }
    }
}

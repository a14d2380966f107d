//! Writes the notices and licences of what the programs are linked with, for packages:
//! `cargo run --example notices -- TARGET >THIRD-PARTY`, where TARGET is a target triple of Rust.
//!
//! The list is that of `cargo tree`, the texts are those in the sources of the crates: a crate that is added is in it without further
//! ado. Same sources, same file.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use serde::Deserialize;

const HEAD: &str = "\
The programs of edgewatch are linked with the Rust crates below, and with the standard library of Rust (Copyright (c) The Rust Project Contributors;
MIT OR Apache-2.0). Each line has name and version, the licence as the crate states it, its authors if it names them, and the numbers
of the texts that come with it. The font in pictures of dashboards is Ubuntu Light of epaint_default_fonts, under the Ubuntu Font
Licence; the other fonts of that crate are not in them. Of licences joined by OR, edgewatch takes MIT where it is among them.
";
/// How names of files with notices begin, in capitals.
const NOTICES: [&str; 9] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
    "OFL",
    "UFL",
    "THIRDPARTY",
];
/// Directories of a crate below which there are none, or only those of tests.
const SKIPPED: [&str; 5] = ["src", "tests", "benches", "examples", "test_data"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    authors: Vec<String>,
    manifest_path: PathBuf,
    /// Where it comes from; nothing, if it is one of our own.
    source: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let target = env::args().nth(1).ok_or("which target? As x86_64-unknown-linux-gnu")?;
    let linked = cargo(&[
        "tree",
        "--locked",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--target",
        &target,
    ])?;
    let metadata = cargo(&[
        "metadata",
        "--locked",
        "--format-version",
        "1",
        "--filter-platform",
        &target,
    ])?;
    let mut packages = serde_json::from_str::<Metadata>(&metadata)?.packages;
    packages.retain(|package| {
        let line = format!("{} v{}", package.name, package.version);
        package.source.is_some() && linked.lines().any(|other| is_same(other, &line))
    });
    packages.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));

    // Texts that differ in spaces and line breaks only are one.
    let mut numbers = BTreeMap::<String, usize>::new();
    let mut texts = Vec::new();
    println!("{HEAD}");
    for package in packages {
        let licence = package.license.ok_or(format!("{} states no licence", package.name))?;
        let mut own = Vec::new();
        let root = package.manifest_path.parent().ok_or("a manifest without directory")?;
        for file in notices(root)? {
            let text = String::from_utf8_lossy(&fs::read(file)?).into_owned();
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let number = *numbers.entry(words).or_insert_with(|| {
                texts.push(text);
                texts.len()
            });
            own.push(format!("[{number}]"));
        }
        let authors = match package.authors.is_empty() {
            true => String::new(),
            false => format!("; {}", package.authors.join(", ")),
        };
        println!(
            "{} {}: {licence}{authors} {}",
            package.name,
            package.version,
            own.join(" ")
        );
    }
    for (index, text) in texts.iter().enumerate() {
        println!("\n{0}\n[{1}]\n{0}\n\n{2}", "-".repeat(80), index + 1, text.trim_end());
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}

/// `name v1.2.3`, which may be followed by where it comes from, and by a star where it was listed before.
fn is_same(line: &str, package: &str) -> bool {
    line.strip_prefix(package)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// The files with notices of a crate, those of what it holds of others among them.
fn notices(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if entry.file_type()?.is_dir() {
            if !SKIPPED.iter().any(|skipped| name == skipped.to_uppercase()) {
                found.extend(notices(&entry.path())?);
            }
        } else if NOTICES.iter().any(|notice| name.starts_with(notice)) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

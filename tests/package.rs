//! Scripts of the Debian package, run as dpkg does, with another machine around them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// Runs `preinst install` on a machine with the processor `processor`, as uname(1) calls it.
fn preinst(processor: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let uname = directory.path().join("uname");
    fs::write(&uname, format!("#!/bin/sh\necho {processor}\n")).unwrap();
    fs::set_permissions(&uname, fs::Permissions::from_mode(0o755)).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/debian/preinst");
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.arg(script).arg("install").env("PATH", path);
    command.output().unwrap()
}

#[test]
fn a_processor_that_cannot_run_the_programs_is_told_before_they_are_installed() {
    for processor in ["x86_64", "aarch64", "armv8l", "armv7l"] {
        let output = preinst(processor);
        assert!(output.status.success(), "{processor}: {output:?}");
    }
    let output = preinst("armv6l");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("ARMv7"), "{said}");
}

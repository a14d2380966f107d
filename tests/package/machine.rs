//! A machine that dpkg installs packages on.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::common::skip;

pub fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging/debian")
        .join(name)
}

/// A program that does nothing but this.
pub fn program(directory: &Path, name: &str, does: &str) {
    let path = directory.join(name);
    fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The programs of this directory before all others.
pub fn path_with(directory: &Path) -> String {
    format!("{}:{}", directory.display(), std::env::var("PATH").unwrap())
}

/// The root of a machine on which dpkg installs packages with our scripts and a few files. systemd does not run there.
pub struct Machine {
    pub directory: TempDir,
}

impl Machine {
    /// Nothing where there is no dpkg, which is said.
    pub fn new(test: &str) -> Option<Self> {
        if Command::new("dpkg").arg("--version").output().is_err() {
            skip(test, "no dpkg");
            return None;
        }
        let machine = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for directory in [
            "programs",
            "root/run",
            "root/var/lib/dpkg/info",
            "root/var/lib/dpkg/updates",
        ] {
            fs::create_dir_all(machine.directory.path().join(directory)).unwrap();
        }
        for file in ["status", "available"] {
            machine.write(&format!("var/lib/dpkg/{file}"), "");
        }
        // dpkg(1) reads it in $HOME; its log would be that of the machine that runs the test.
        machine.write(".dpkg.cfg", &format!("log={}\n", machine.path("dpkg.log").display()));
        // What needs root, or a real machine.
        for name in [
            "systemd-sysusers",
            "deb-systemd-helper",
            "ldconfig",
            "start-stop-daemon",
        ] {
            program(&machine.directory.path().join("programs"), name, "exit 0");
        }
        Some(machine)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("root").join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    /// A command that finds the packages of this machine instead of those of the one that it runs on.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .env("PATH", path_with(&self.directory.path().join("programs")))
            .env("HOME", self.path(""))
            .env("DPKG_ROOT", self.path(""))
            .env("DPKG_ADMINDIR", self.path("var/lib/dpkg"))
            .env(
                "DPKG_FORCE",
                "not-root,script-chrootless,depends,bad-path,downgrade,confold",
            );
        command
    }

    /// What dpkg says.
    pub fn dpkg(&self, arguments: &[&str]) -> String {
        let root = format!("--root={}", self.path("").display());
        let output = self.command("dpkg").arg(root).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "dpkg {arguments:?}: {said}");
        said
    }

    /// Makes a package of this version, with our scripts and these files or links (`-> TARGET`), and installs it.
    pub fn install(&self, version: &str, files: &[(&str, &str)]) -> String {
        let deb = self.package(version, files);
        self.dpkg(&["--install", deb.to_str().unwrap()])
    }

    pub fn package(&self, version: &str, files: &[(&str, &str)]) -> PathBuf {
        let tree = self.directory.path().join(version);
        for (name, text) in files {
            let path = tree.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("-> ") {
                Some(target) => symlink(target, path).unwrap(),
                None => fs::write(path, text).unwrap(),
            }
        }
        let control = tree.join("DEBIAN");
        fs::create_dir_all(&control).unwrap();
        for script in ["preinst", "postinst", "prerm", "postrm"] {
            fs::copy(packaging(script), control.join(script)).unwrap();
            fs::set_permissions(control.join(script), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let settings = fs::read_to_string(packaging("conffiles")).unwrap();
        let is_here = |line: &&str| {
            files
                .iter()
                .any(|(name, text)| format!("/{name}") == **line && !text.starts_with("-> "))
        };
        let settings: String = settings
            .lines()
            .filter(is_here)
            .map(|line| format!("{line}\n"))
            .collect();
        fs::write(control.join("conffiles"), settings).unwrap();
        let fields = format!(
            "Package: edgewatch\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@edgewatch.invalid>\nDescription: example\n"
        );
        fs::write(control.join("control"), fields).unwrap();
        let deb = tree.with_extension("deb");
        let build = ["--root-owner-group", "-Znone", "--build"];
        let output = Command::new("dpkg-deb")
            .args(build)
            .arg(&tree)
            .arg(&deb)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        deb
    }
}

//! What the check sees of the machine it runs on.

use std::fs;
use std::path::Path;

use edgewatch_prometheus_client::error::{Error, RequestError};

/// Facts that decide which remedy fits. They count only if the stack runs on this machine.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// systemd is the service manager (sd_booted(3)).
    pub systemd: bool,
    /// The unified control group hierarchy, cgroup v2, is in use.
    pub cgroup2: bool,
    /// Where the kernel command line is set here, in words.
    pub command_line: &'static str,
    /// The command line that the kernel was booted with: /proc/cmdline.
    pub parameters: String,
}

impl Machine {
    /// Looks below `root`, `/` but in tests.
    pub fn read(root: &Path) -> Self {
        let exists = |path| root.join(path).exists();
        let controllers = fs::read_to_string(root.join("sys/fs/cgroup/cgroup.controllers"));
        Self {
            systemd: exists("run/systemd/system"),
            cgroup2: controllers.is_ok(),
            command_line: if exists("etc/NIXOS") {
                "boot.kernelParams"
            } else if exists("boot/firmware/cmdline.txt") {
                "/boot/firmware/cmdline.txt"
            } else {
                "the kernel command line"
            },
            parameters: fs::read_to_string(root.join("proc/cmdline")).unwrap_or_default(),
        }
    }

    /// True if the kernel was booted with this parameter.
    pub fn has_parameter(&self, parameter: &str) -> bool {
        self.parameters.split_ascii_whitespace().any(|word| word == parameter)
    }

    /// How to start a unit here.
    pub fn start(&self, unit: &str) -> String {
        match self.systemd {
            true => format!("systemctl restart {unit}; journalctl -u {unit} says why it stopped"),
            false => "start the stack: edgewatch up".to_owned(),
        }
    }
}

/// What to do about a part of the stack that cannot be asked: to `start` it helps only where nothing has its port.
pub fn remedy(error: &Error, start: &str, port: u16) -> String {
    match error {
        Error::Request { source, .. } => match source {
            RequestError::Refused(_) => start.to_owned(),
            RequestError::Unauthorized { .. } => "edgewatch check --user USER --password-file FILE".to_owned(),
            RequestError::HostNotFound => {
                "see that the name is the right one, and that this machine can look it up".to_owned()
            }
            _ => format!("see which program has the port: ss -ltnp sport = :{port}; if it is the right one, {start}"),
        },
        _ => start.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raspberry_pi_with_systemd_is_told_from_a_bare_machine() {
        let root = tempfile::tempdir().unwrap();
        assert!(!Machine::read(root.path()).systemd && !Machine::read(root.path()).cgroup2);
        for directory in ["run/systemd/system", "sys/fs/cgroup", "boot/firmware"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for file in ["sys/fs/cgroup/cgroup.controllers", "boot/firmware/cmdline.txt"] {
            fs::write(root.path().join(file), "").unwrap();
        }
        let machine = Machine::read(root.path());
        assert!(machine.systemd && machine.cgroup2);
        assert_eq!(machine.command_line, "/boot/firmware/cmdline.txt");
        assert!(!machine.has_parameter("quiet"));
        fs::create_dir(root.path().join("proc")).unwrap();
        fs::write(
            root.path().join("proc/cmdline"),
            "cgroup_disable=memory root=/dev/mmcblk0p2 quiet\n",
        )
        .unwrap();
        let machine = Machine::read(root.path());
        assert!(machine.has_parameter("quiet") && !machine.has_parameter("root"));
    }
}

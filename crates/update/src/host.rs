//! The systems of a NixOS device: which runs, which boots, and how to come from one to another.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{output_within, run, run_within};
use crate::error::{Refusal, UpdateError};
use crate::health::Health;
use crate::nix;

/// Of what a system consists that takes a boot to change; `kernel-params` beside them.
const OF_THE_BOOT: [&str; 3] = ["kernel", "initrd", "kernel-modules"];
/// A name of ours among the profiles, so that the boot loader gets an entry for the system on trial.
const TRIAL_PROFILE: &str = "edgewatch-trial";
/// Time for a look at the device.
const LOOK: Duration = Duration::from_secs(120);
/// Where systemd-boot has its configuration, as NixOS mounts it.
const LOADERS: [&str; 2] = ["boot/loader/loader.conf", "efi/loader/loader.conf"];

/// The device.
#[derive(Clone, Debug)]
pub struct Host {
    root: PathBuf,
}

impl Host {
    /// With the root of its file system.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The root of its file system.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The system that runs.
    ///
    /// # Errors
    /// This is no NixOS.
    pub fn running(&self) -> Result<PathBuf, UpdateError> {
        self.target("/run/current-system")
    }

    /// The system that boots unless somebody says otherwise.
    ///
    /// # Errors
    /// This is no NixOS.
    pub fn default_system(&self) -> Result<PathBuf, UpdateError> {
        let mut path = self.profile();
        // The profile leads to its generation, and that to the store.
        for _ in 0..2 {
            let target = fs::read_link(self.path(&path)).map_err(io_error(&path))?;
            path = match target.is_absolute() {
                true => target,
                false => path.parent().unwrap_or(Path::new("/")).join(target),
            };
        }
        Ok(path)
    }

    fn profile(&self) -> PathBuf {
        "/nix/var/nix/profiles/system".into()
    }

    fn target(&self, link: &str) -> Result<PathBuf, UpdateError> {
        fs::read_link(self.path(link)).map_err(io_error(Path::new(link)))
    }

    /// Whether the kernel that runs is another than that of `system`, which must be in the store.
    ///
    /// # Errors
    /// This is no NixOS, or a part of a system cannot be read.
    pub fn needs_boot(&self, system: &Path) -> Result<bool, UpdateError> {
        let booted = self.target("/run/booted-system")?;
        for name in OF_THE_BOOT {
            let part = |system: &Path| optional(fs::read_link(self.path(system.join(name))), &system.join(name));
            if part(&booted)? != part(system)? {
                return Ok(true);
            }
        }
        let parameters = |system: &Path| {
            let path = system.join("kernel-params");
            optional(fs::read(self.path(&path)), &path)
        };
        Ok(parameters(&booted)? != parameters(system)?)
    }

    /// Bytes that are free in the store.
    ///
    /// # Errors
    /// statvfs(3) fails.
    pub fn free_bytes(&self) -> Result<u64, UpdateError> {
        let path = self.path("/nix/store");
        let found = rustix::fs::statvfs(&path).map_err(|error| io_error(&path)(error.into()))?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Keeps the garbage collector from a path, which need not be there yet.
    ///
    /// # Errors
    /// The link cannot be made.
    pub(crate) fn hold(&self, path: &Path) -> Result<(), UpdateError> {
        let link = self.path("/nix/var/nix/gcroots/edgewatch-update");
        remove(&link)?;
        symlink(path, &link).map_err(io_error(&link))
    }

    /// Lets it have it.
    ///
    /// # Errors
    /// The link cannot be removed.
    pub(crate) fn release(&self) -> Result<(), UpdateError> {
        remove(&self.path("/nix/var/nix/gcroots/edgewatch-update"))
    }

    /// Switches to a system until the next boot.
    ///
    /// # Errors
    /// It says so itself, such as of a unit that does not start, or takes longer than `limit`.
    pub(crate) fn switch(&self, system: &Path, limit: Duration) -> Result<(), UpdateError> {
        run_within(limit, self.path(system.join("bin/switch-to-configuration")), &["test"])
    }

    /// Has the program of the system that runs look at the device, by the settings in `config` or those of that system. What the centre lacks
    /// may be as old as `forwarded_within`.
    pub(crate) fn look(&self, config: Option<&Path>, forwarded_within: Duration) -> Health {
        let look = || {
            let program = self.path(self.running()?.join("sw/bin/edgewatch"));
            let mut arguments: Vec<OsString> = vec!["update".into(), "--look".into()];
            arguments.push(format!("{}s", forwarded_within.as_secs()).into());
            if let Some(config) = config {
                arguments.extend(["--config".into(), config.into()]);
            }
            let output = output_within(LOOK, &program, &arguments)?;
            serde_json::from_slice(&output).map_err(|error| UpdateError::Output {
                program: program.display().to_string(),
                reason: error.to_string(),
            })
        };
        look().unwrap_or_else(|error: UpdateError| Health::unknown("edgewatch", error))
    }

    /// Makes a system the one that boots, and nothing of it depends on what is in memory any more.
    ///
    /// # Errors
    /// The profile or the boot loader cannot be written.
    pub(crate) fn make_default(&self, system: &Path) -> Result<(), UpdateError> {
        if self.default_system()? != system {
            nix::set_profile(&self.path(self.profile()), system)?;
        }
        self.forget_entry()?;
        run(self.path(system.join("bin/switch-to-configuration")), &["boot"])?;
        rustix::fs::sync();
        Ok(())
    }

    /// Looks whether a system can be booted just once.
    ///
    /// # Errors
    /// The boot loader cannot.
    pub(crate) fn require_one_shot(&self) -> Result<(), Refusal> {
        match LOADERS.iter().any(|loader| self.path(loader).exists()) {
            true => Ok(()),
            false => Err(Refusal::BootLoader),
        }
    }

    /// Has the boot loader boot `system` the next time, and only then; `default` stays what it boots otherwise.
    ///
    /// # Errors
    /// The profile or the boot loader cannot be written.
    pub(crate) fn boot_once(&self, system: &Path, default: &Path) -> Result<(), UpdateError> {
        let profiles = self.path("/nix/var/nix/profiles/system-profiles");
        fs::create_dir_all(&profiles).map_err(io_error(&profiles))?;
        let profile = profiles.join(TRIAL_PROFILE);
        nix::set_profile(&profile, system)?;
        // Entries of all profiles are written; that of the system which does it is the default.
        run(self.path(default.join("bin/switch-to-configuration")), &["boot"])?;
        // edgewatch-trial-GENERATION-link
        let link = fs::read_link(&profile).map_err(io_error(&profile))?;
        let link = link.to_string_lossy();
        let generation = link
            .strip_prefix(&format!("{TRIAL_PROFILE}-"))
            .and_then(|rest| rest.strip_suffix("-link"))
            .ok_or_else(|| UpdateError::Output {
                program: "nix-env".to_owned(),
                reason: format!("{link} is no generation"),
            })?;
        let entry = format!("nixos-{TRIAL_PROFILE}-generation-{generation}.conf");
        rustix::fs::sync();
        run("bootctl", &["set-oneshot", &entry])
    }

    /// Removes the profile of a trial; the entry goes with the next that is written.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn forget_entry(&self) -> Result<(), UpdateError> {
        let profiles = self.path("/nix/var/nix/profiles/system-profiles");
        let entries = match fs::read_dir(&profiles) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(io_error(&profiles))?,
        };
        for entry in entries {
            let path = entry.map_err(io_error(&profiles))?.path();
            if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(TRIAL_PROFILE))
            {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// Restarts the device.
    ///
    /// # Errors
    /// systemd does not take the order.
    pub(crate) fn reboot(&self) -> Result<(), UpdateError> {
        run("systemctl", &["reboot"])
    }
}

/// A part that a system need not have: a container has no kernel.
fn optional<T>(found: io::Result<T>, path: &Path) -> Result<Option<T>, UpdateError> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some).map_err(io_error(path)),
    }
}

fn remove(path: &Path) -> Result<(), UpdateError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path)(error)),
        _ => Ok(()),
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> UpdateError + use<> {
    let path = path.to_owned();
    move |source| UpdateError::Io { path, source }
}

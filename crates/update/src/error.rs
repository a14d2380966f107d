//! What can go wrong with an update.

use std::io;
use std::path::PathBuf;

use edgewatch_outbound::failure::Failure;
use edgewatch_outbound::http::SetupError;
use edgewatch_outbound::state::StateError;
use jiff::Timestamp;
use thiserror::Error;

/// Why a manifest is not followed.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// It is no signed document.
    #[error("not a signed manifest: {0}")]
    Document(#[source] serde_json::Error),
    /// Nobody whose key is known has signed it.
    #[error("none of update.public_keys has signed it")]
    Signature,
    /// It is signed, and says something else than this version knows.
    #[error("what it says is not understood: {0}")]
    Content(#[source] serde_json::Error),
    /// It is signed, and names no system.
    #[error("{} is no path of the store", .0.display())]
    System(PathBuf),
}

/// Why what is offered is not tried.
#[derive(Debug, Error)]
pub enum Refusal {
    /// It is for others.
    #[error("it is for devices of the class {offered}, and this one is of {own}")]
    Class {
        /// The class that it is for.
        offered: String,
        /// The device's.
        own: String,
    },
    /// It is not to be taken any more.
    #[error("it was to be taken until {0}: is the clock right, and does somebody still publish?")]
    Expired(Timestamp),
    /// The device has a newer one.
    #[error("its serial is {offered}, and the device has {own}: somebody may be offering an old system")]
    Older {
        /// The serial that is offered.
        offered: u64,
        /// The device's.
        own: u64,
    },
    /// It has failed on this device.
    #[error("serial {serial} failed {tries} times on this device, and is not tried again: publish a better one")]
    Blocked {
        /// The serial.
        serial: u64,
        /// How often.
        tries: u32,
    },
    /// There is no room.
    #[error("{} MB are missing in the store and {} MB are free, of which {} stay free: nix-collect-garbage --delete-older-than 30d", needed.div_ceil(1_000_000), free / 1_000_000, reserve / 1_000_000)]
    TooLarge {
        /// Bytes that the store lacks.
        needed: u64,
        /// Bytes that are free.
        free: u64,
        /// Bytes that must stay free.
        reserve: u64,
    },
    /// It has another kernel, and the boot loader cannot boot it once only.
    #[error(
        "it has to be booted, and this boot loader cannot boot a system just once: only systemd-boot can. Deploy it with nixos-rebuild"
    )]
    BootLoader,
}

/// Why an update has not come about.
#[derive(Debug, Error)]
pub enum UpdateError {
    /// Something is not set.
    #[error("update.{0} is not set")]
    NotSet(&'static str),
    /// There is nowhere to look for updates.
    #[error(
        "update.manifest is not set, so this device takes no updates by itself; on Debian and Raspberry Pi OS apt upgrades the package"
    )]
    NoManifest,
    /// There is no way to the manifest.
    #[error("the manifest: {0}")]
    Setup(#[from] SetupError),
    /// It cannot be had.
    #[error("the manifest: {0}")]
    Fetch(#[from] Failure),
    /// It is not followed.
    #[error("the manifest is refused: {0}")]
    Manifest(#[from] ManifestError),
    /// It is not tried.
    #[error("the update is refused: {0}")]
    Refused(#[from] Refusal),
    /// The device cannot remember.
    #[error(transparent)]
    State(#[from] StateError),
    /// A program failed.
    #[error("{program} {}", match status { Some(status) => format!("ended with status {status}"), None => "was killed".to_owned() })]
    Command {
        /// Its name.
        program: String,
        /// Its exit status; none if a signal ended it.
        status: Option<i32>,
    },
    /// A program was killed for its time.
    #[error("{program} took longer than {seconds} s")]
    TooSlow {
        /// Its name.
        program: String,
        /// Seconds that it had.
        seconds: u64,
    },
    /// It cannot be run.
    #[error("{program}: {source}")]
    Program {
        /// Its name.
        program: String,
        /// The error of the system call.
        source: io::Error,
    },
    /// It said something else than expected.
    #[error("{program}: what it says is not understood: {reason}")]
    Output {
        /// Its name.
        program: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of the system.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The new system was not well.
    #[error(
        "serial {serial} was not well for {well_for} s in a row within {within} s, and the system before it is back: {reason}"
    )]
    NotWell {
        /// The serial.
        serial: u64,
        /// Seconds for which it had to be well.
        well_for: u64,
        /// Seconds in which it had to come to that.
        within: u64,
        /// What was wrong last.
        reason: String,
    },
    /// Somebody has deployed another one.
    #[error("serial {0} was on trial when another system was deployed: that one stays, and this one is tried again")]
    Superseded(u64),
    /// The trial ended early.
    #[error("serial {0} was on trial when the device or this program was restarted, and the system before it is back")]
    Interrupted(u64),
}

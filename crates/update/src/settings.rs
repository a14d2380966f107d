//! `[update]`.

use std::path::PathBuf;
use std::time::Duration;

use edgewatch_outbound::check::{Problem, Problems};
use serde::{Deserialize, Serialize};

const DAY: Duration = Duration::from_secs(86_400);

/// Where updates come from, and how long they are on trial.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address of the manifest; nothing is updated without one.
    pub manifest: Option<String>,
    /// Ed25519 keys (RFC 8410), one of which must have signed it: base64 of the DER that `openssl pkey -pubout -outform DER` writes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub public_keys: Vec<String>,
    /// The class of devices that this one is of, such as `raspberry-pi-4`.
    pub class: Option<String>,
    /// The binary cache, as Nix names stores: `https://…`, `file:///…`, `s3://…`.
    pub cache: Option<String>,
    /// Certificates (PEM) of the authorities that may vouch for the manifest's server, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Time for which a new system has to be well without a break. 10 s to 1 day.
    #[serde(with = "humantime_serde")]
    pub well_for: Duration,
    /// Time in which it has to come to that. More than `well_for`, at most 1 day.
    #[serde(with = "humantime_serde")]
    pub within: Duration,
    /// Where the sensor service answers, which tells whether the device is well: `http://HOST:PORT`.
    pub service: String,
    /// Where the device remembers what it has tried; `$STATE_DIRECTORY` (systemd.exec(5)) if not set.
    pub directory: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            manifest: None,
            public_keys: Vec::new(),
            class: None,
            cache: None,
            ca_file: None,
            well_for: Duration::from_secs(600),
            within: Duration::from_secs(1200),
            service: "http://127.0.0.1:8000".to_owned(),
            directory: None,
        }
    }
}

impl Settings {
    /// All values that are not allowed.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.within("well_for", self.well_for, 10, DAY.as_secs());
        if self.within <= self.well_for || self.within > DAY {
            let allowed = "longer than well_for, and at most 1 day";
            problems.add("within", format!("{:?}", self.within), allowed);
        }
        for key in &self.public_keys {
            if crate::manifest::public_key(key).is_none() {
                let allowed = "an Ed25519 key: openssl pkey -pubout -outform DER | base64";
                problems.add("public_keys", key, allowed);
            }
        }
        problems.absolute("ca_file", self.ca_file.as_deref());
        problems.absolute("directory", self.directory.as_deref());
        let Some(manifest) = &self.manifest else {
            return problems.0;
        };
        let instead = "nothing: whoever reads the manifest learns no secret, and it is signed";
        problems.address("manifest", manifest, &["https", "http"], instead);
        if self.public_keys.is_empty() {
            let allowed = "at least one key: a manifest that nobody has signed is not followed";
            problems.add("public_keys", "[]", allowed);
        }
        if self.class.as_deref().is_none_or(str::is_empty) {
            problems.add("class", "", "the class of devices that the manifest is for");
        }
        match self.cache.as_deref() {
            None => problems.add("cache", "", "the binary cache that has the systems"),
            // Nix is given it as an argument, which everybody on the device can read.
            Some(cache) if cache.contains('@') && !cache.starts_with("file:") => {
                let allowed = "a store without user and password; they belong into Nix' netrc-file";
                problems.add("cache", "…@…", allowed);
            }
            Some(_) => {}
        }
        problems.0
    }
}

//! `[update]`.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// A value that cannot be.
#[derive(Debug)]
pub struct Problem {
    /// Its key within `[update]`.
    pub key: &'static str,
    /// The value.
    pub value: String,
    /// What is allowed.
    pub allowed: &'static str,
}

impl Settings {
    /// All values that cannot be.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |key, value: String, allowed| problems.push(Problem { key, value, allowed });
        let day = Duration::from_secs(86_400);
        if !(Duration::from_secs(10)..=day).contains(&self.well_for) {
            refuse("well_for", format!("{:?}", self.well_for), "10s to 1 day");
        }
        if self.within <= self.well_for || self.within > day {
            refuse(
                "within",
                format!("{:?}", self.within),
                "longer than well_for, and at most 1 day",
            );
        }
        for key in &self.public_keys {
            if crate::manifest::public_key(key).is_none() {
                refuse(
                    "public_keys",
                    key.clone(),
                    "an Ed25519 key: openssl pkey -pubout -outform DER | base64",
                );
            }
        }
        let Some(manifest) = &self.manifest else {
            return problems;
        };
        if !(manifest.starts_with("https://") || manifest.starts_with("http://")) {
            refuse("manifest", manifest.clone(), "https://… or http://…: it is signed");
        }
        if self.public_keys.is_empty() {
            refuse(
                "public_keys",
                "[]".to_owned(),
                "at least one key: a manifest that nobody has signed is not followed",
            );
        }
        if self.class.as_deref().is_none_or(str::is_empty) {
            refuse("class", String::new(), "the class of devices that the manifest is for");
        }
        if self.cache.is_none() {
            refuse("cache", String::new(), "the binary cache that has the systems");
        }
        problems
    }
}

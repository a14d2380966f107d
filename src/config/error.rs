//! Why settings are refused.

use std::fmt;
use std::path::{Path, PathBuf};

use edgewatch_program::credential::CredentialError;
use thiserror::Error;

/// An error of [`super::Settings::load`].
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("settings file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CredentialError,
    },
    /// The file is not TOML, or cannot be merged with the environment.
    #[error("settings ({}): {source}", origin(file.as_deref()))]
    Merge {
        /// The file, if there is one.
        file: Option<PathBuf>,
        /// The error of the library.
        source: Box<config::ConfigError>,
    },
    /// A key is unknown, or its value has the wrong type.
    #[error("settings ({}): {key}: {}", origin(file.as_deref()), without_rust_types(source))]
    Value {
        /// The file, if there is one.
        file: Option<PathBuf>,
        /// The key, or the table with an unknown key.
        key: String,
        /// The error of the deserializer.
        source: serde_json::Error,
    },
    /// Values are out of range.
    #[error("settings: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<InvalidValue>),
    /// They cannot be written as TOML.
    #[error("settings: {0}")]
    Toml(#[from] toml::ser::Error),
}

/// A value that is not allowed.
#[derive(Debug)]
pub struct InvalidValue {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: allowed: {}", self.key, self.value, self.allowed)
    }
}

fn origin(file: Option<&Path>) -> String {
    match file {
        Some(path) => format!("{} and EDGEWATCH__…", path.display()),
        None => "EDGEWATCH__…".to_owned(),
    }
}

/// The message of the JSON deserializer without Rust's names of types.
fn without_rust_types(error: &serde_json::Error) -> String {
    error
        .to_string()
        .replace("expected usize", "expected a whole number")
        .replace("expected u64", "expected a whole number")
        .replace("expected f64", "expected a number")
}

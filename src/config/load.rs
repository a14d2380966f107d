//! Loads [`Settings`] from files and environment, and writes them as TOML.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use config::builder::DefaultState;
use config::{Config, ConfigBuilder, ConfigError, File, FileFormat};
use edgewatch_program::credential;

use super::Settings;
use super::environment::Environment;
use super::error::SettingsError;

/// The file that is read when none is named, if it exists.
pub const DEFAULT_FILE: &str = "/etc/edgewatch/edgewatch.toml";
/// Far more than any settings file has.
const MAX_BYTES: u64 = 1 << 20;

impl Settings {
    /// Reads the defaults, `file` (or `DEFAULT_FILE` if that exists), what other programs have put beside it (`edgewatch.d/*.toml`, in the
    /// order of their names), and the environment, and checks the whole.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a wrong type, or invalid values: each with the key, the value and what is allowed.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        let mut builder = Config::builder();
        let drop_ins = drop_ins(file.unwrap_or(Path::new(DEFAULT_FILE)))?;
        let file = match file {
            Some(file) => Some(file),
            None => Some(Path::new(DEFAULT_FILE)).filter(|file| is_there(file)),
        };
        if let Some(path) = file {
            builder = builder.add_source(read(path)?);
        }
        for path in drop_ins {
            builder = builder.add_source(read(&path)?);
        }
        let mut environment = Environment::read();
        let settings = loop {
            match merge(environment.add_to(builder.clone()), file) {
                Err(SettingsError::Value { key, source, .. })
                    if source.to_string().contains("expected a string") && environment.take_as_text(&key) => {}
                settings => break settings?,
            }
        };
        settings.validate()?;
        Ok(settings)
    }

    /// Whether the file says where to forward to. One that is not there does not.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn has_forward(file: &Path) -> Result<bool, SettingsError> {
        Ok(is_there(file) && read(file)?.get::<config::Value>("forward.url").is_ok())
    }

    /// The effective settings as a TOML document that can be fed back.
    ///
    /// # Errors
    /// None in practice; the serializer's own.
    pub fn to_toml(&self) -> Result<String, SettingsError> {
        Ok(toml::to_string(self)?)
    }
}

/// Whether there is such a file, even one that cannot be read or a link to nothing: that is an error, and no reason to go on without.
fn is_there(path: &Path) -> bool {
    !matches!(path.symlink_metadata(), Err(error) if error.kind() == ErrorKind::NotFound)
}

/// What the files and the environment say together.
fn merge(
    sources: Result<ConfigBuilder<DefaultState>, ConfigError>,
    file: Option<&Path>,
) -> Result<Settings, SettingsError> {
    let merged = sources.and_then(ConfigBuilder::<DefaultState>::build);
    // Through JSON, whose deserializer is strict about types and names the expected one.
    let merged = merged.and_then(Config::try_deserialize::<serde_json::Value>);
    let merged = merged.map_err(|source| SettingsError::Merge {
        file: file.map(Path::to_owned),
        source: Box::new(source),
    })?;
    serde_path_to_error::deserialize(merged).map_err(|error| SettingsError::Value {
        file: file.map(Path::to_owned),
        key: error.path().to_string(),
        source: error.into_inner(),
    })
}

/// A file by itself, so that what is no TOML is told with its name.
fn read(path: &Path) -> Result<Config, SettingsError> {
    // Read here: the library would take "edgewatch" for "edgewatch.json" and report "not found" for "permission denied".
    let text = credential::read(path, MAX_BYTES).map_err(|source| SettingsError::Read {
        path: path.to_owned(),
        source,
    })?;
    let source = File::from_str(&text, FileFormat::Toml);
    let parsed = Config::builder().add_source(source).build();
    parsed.map_err(|source| SettingsError::Merge {
        file: Some(path.to_owned()),
        source: Box::new(source),
    })
}

/// The files beside a settings file, sorted by name.
fn drop_ins(file: &Path) -> Result<Vec<PathBuf>, SettingsError> {
    let directory = file.with_extension("d");
    let failed = |source: std::io::Error| SettingsError::Read {
        path: directory.clone(),
        source: source.into(),
    };
    if !is_there(&directory) {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&directory).map_err(failed)?;
    let paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>();
    let mut paths = paths.map_err(failed)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    Ok(paths)
}

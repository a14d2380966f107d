//! Settings of the environment: `EDGEWATCH__HTTP__MAX_CONNECTIONS=32`.

use std::collections::BTreeMap;

use config::builder::DefaultState;
use config::{ConfigBuilder, ConfigError, ValueKind};

/// What the names begin with, in lower case.
const PREFIX: &str = "edgewatch__";
/// Keys whose value is a list, separated by commas.
const LISTS: [&str; 8] = [
    "http.listen",
    "http.hosts",
    "dashboards.directories",
    "textfile.directories",
    "mqtt.presets",
    "update.public_keys",
    "notify.silence",
    "notify.mail.to",
];

/// The variables by key, such as `http.max_connections`.
pub(super) struct Environment(BTreeMap<String, Variable>);

struct Variable {
    text: String,
    value: ValueKind,
}

impl Environment {
    /// Those of this process.
    pub(super) fn read() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, text)| {
            let name = name.to_str()?.to_ascii_lowercase();
            let key = name.strip_prefix(PREFIX)?.replace("__", ".");
            let text = text.to_string_lossy().into_owned();
            let value = value(&key, &text);
            Some((key, Variable { text, value }))
        });
        Self(variables.collect())
    }

    /// Adds them to the files, over which they win.
    ///
    /// # Errors
    /// A name that is no key.
    pub(super) fn add_to(
        &self,
        files: ConfigBuilder<DefaultState>,
    ) -> Result<ConfigBuilder<DefaultState>, ConfigError> {
        self.0.iter().try_fold(files, |files, (key, variable)| {
            files.set_override(key.as_str(), variable.value.clone())
        })
    }

    /// Takes the value of `key` for a text, as the number of a chat is one; false if there is none, or it is one already.
    pub(super) fn take_as_text(&mut self, key: &str) -> bool {
        let Some(variable) = self.0.get_mut(key) else {
            return false;
        };
        let text = ValueKind::String(variable.text.clone());
        let was = std::mem::replace(&mut variable.value, text);
        was != variable.value
    }
}

/// The value by its looks: a list, true or false, a number, or a text.
fn value(key: &str, text: &str) -> ValueKind {
    if LISTS.contains(&key) {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        return parts.map(str::to_owned).collect::<Vec<_>>().into();
    }
    let is_true = text.to_ascii_lowercase().parse::<bool>().map(ValueKind::Boolean);
    let whole = || text.parse::<i64>().map(ValueKind::I64).ok();
    let number = || text.parse::<f64>().map(ValueKind::Float).ok();
    is_true
        .ok()
        .or_else(whole)
        .or_else(number)
        .unwrap_or_else(|| ValueKind::String(text.to_owned()))
}

//! A settings file, and the shipped budget's format.

#![no_main]

use std::sync::LazyLock;

use edgewatch::config::Settings;
use edgewatch_sensors::budget::Budget;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

fuzz_target!(|text: &[u8]| {
    let file = DIRECTORY.path().join("file.toml");
    std::fs::write(&file, text).unwrap();
    if let Ok(settings) = Settings::load(Some(&file)) {
        let written = settings.to_toml().unwrap();
        std::fs::write(&file, &written).unwrap();
        let again = Settings::load(Some(&file)).unwrap();
        assert_eq!(again.to_toml().unwrap(), written, "what is printed is what is in force");
    }
    let _ = Budget::load(Some(&file));
});

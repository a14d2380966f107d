//! The store of the device, and the binary cache.

use std::path::Path;

use serde_json::Value;

use crate::command::{output, run};
use crate::error::UpdateError;

const NIX: [&str; 2] = ["--extra-experimental-features", "nix-command"];

/// Bytes, unpacked, that the store lacks of a path of the cache and all that it needs.
///
/// # Errors
/// The cache cannot be reached or does not have it.
pub(crate) fn missing_bytes(root: &Path, cache: &str, path: &Path) -> Result<u64, UpdateError> {
    let path = path.to_string_lossy();
    let arguments = ["path-info", "--json", "--recursive", "--store", cache, &*path];
    let found = output("nix", &[&NIX[..], &arguments].concat())?;
    let unclear = |reason: String| UpdateError::Output {
        program: "nix path-info".to_owned(),
        reason,
    };
    let found: Value = serde_json::from_slice(&found).map_err(|error| unclear(error.to_string()))?;
    // A list up to Nix 2.18, an object by path from 2.19 on.
    let paths: Vec<(&str, &Value)> = match &found {
        Value::Array(list) => list
            .iter()
            .filter_map(|info| Some((info["path"].as_str()?, info)))
            .collect(),
        Value::Object(by_path) => by_path.iter().map(|(path, info)| (path.as_str(), info)).collect(),
        _ => return Err(unclear("neither a list nor an object".to_owned())),
    };
    let mut bytes = 0_u64;
    for (path, info) in paths {
        let size = info["narSize"]
            .as_u64()
            .ok_or_else(|| unclear(format!("no narSize of {path}")))?;
        if !root.join(path.trim_start_matches('/')).exists() {
            bytes = bytes.saturating_add(size);
        }
    }
    Ok(bytes)
}

/// Takes a path and all that it needs from the cache. Nix checks signatures and hashes; each path is on the disk before it counts as
/// valid.
///
/// # Errors
/// Something of it cannot be had, or nobody who is trusted has signed it.
pub(crate) fn copy(cache: &str, path: &Path) -> Result<(), UpdateError> {
    let path = path.to_string_lossy();
    let checked = [
        "--option",
        "require-sigs",
        "true",
        "--option",
        "fsync-store-paths",
        "true",
    ];
    let arguments = ["copy", "--from", cache, &*path];
    run("nix", &[&NIX[..], &checked, &arguments].concat())
}

/// Makes `path` the newest generation of a profile.
///
/// # Errors
/// It is not in the store, or the profile cannot be written.
pub(crate) fn set_profile(profile: &Path, path: &Path) -> Result<(), UpdateError> {
    run(
        "nix-env",
        &[
            "--profile".as_ref(),
            profile.as_os_str(),
            "--set".as_ref(),
            path.as_os_str(),
        ],
    )
}

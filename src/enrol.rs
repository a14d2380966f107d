//! `edgewatch enrol`: a device begins to send to a centre, by one file that the centre's owner made for it. What is secret in it goes to where
//! only root reads it, the rest beside the settings, and a drop-in lets the unit do it. Nothing of the file is ever shown but names of keys and
//! numbers of lines.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::config::{DEFAULT_FILE, Settings, SettingsError};
use edgewatch_forward::compression::Compression;
use edgewatch_forward::profile::Profile;
use edgewatch_forward::settings::{self as forward, EDGE};
use edgewatch_outbound::check::Problem;
use edgewatch_program::{file, output};
use edgewatch_sensors::budget::OUTBOUND as UNIT;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The unit that exports what the one that forwards counts.
const SERVICE: &str = "edgewatch.service";
/// The secret, as a credential of the unit and as a file.
const SECRET: &str = "forward-secret";
/// The certificates of the authorities that vouch for the centre.
const AUTHORITIES: &str = "forward-ca.pem";
/// The drop-in of the unit. Behind others, such as `overrides.conf` of NixOS, which empties the list of credentials first.
const DROP_IN: &str = "zz-enrolled.conf";
/// Bytes of a file: certificates are the most of it.
const MAX_FILE: u64 = 64 << 10;
/// What may stand in it.
const KEYS: [&str; 9] = [
    "url",
    "edge",
    "profile",
    "compression",
    "user",
    "password",
    "bearer_token",
    "ca",
    "proxy",
];

/// Options of `edgewatch enrol`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The file that the owner of the centre gave (docs/fleet.md), or - for the standard input
    file: PathBuf,
    /// Where the secret is kept
    #[arg(long, value_name = "DIR", default_value = "/etc/edgewatch")]
    directory: PathBuf,
    /// Where the drop-in of the unit is written
    #[arg(long, value_name = "DIR", default_value = "/etc/systemd/system")]
    units: PathBuf,
    /// Settings file; what is enrolled is written beside it, into edgewatch.d
    #[arg(long, value_name = "FILE", default_value = DEFAULT_FILE)]
    config: PathBuf,
    /// Do not have systemd take it over
    #[arg(long)]
    no_restart: bool,
}

/// Why a device was not enrolled. Then nothing has changed, but for the last two.
#[derive(Debug, Error)]
pub(crate) enum EnrolError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: longer than 64 KiB, or not UTF-8: is it the file that the centre's owner gave?", .0.display())]
    NoText(PathBuf),
    #[error("line {0} is no TOML: a line is KEY = \"VALUE\", with the value in quotes")]
    Toml(usize),
    #[error("{0} is no key that is known; there are {keys}", keys = KEYS.join(", "))]
    Unknown(String),
    #[error("{0} is no text in quotes of at least one character in one line (ca may have several)")]
    NoValue(String),
    #[error("password and bearer_token: one of them, a password together with user")]
    Secret,
    #[error("{}", .0.iter().map(|problem| format!("{}: allowed: {}", problem.key, problem.allowed)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Problem>),
    #[error("forward.url is set in {}: take [forward] out of it first, or go on with it instead", .0.display())]
    Set(PathBuf),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("settings: {0}")]
    Encode(#[from] toml::ser::Error),
    #[error("{}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("systemctl {0} failed: it is enrolled, and takes effect with the next start of {UNIT}")]
    Systemd(&'static str),
}

/// Enrols this device.
pub(crate) fn run(args: &Args) -> Result<(), EnrolError> {
    let settings = args.config.with_extension("d");
    // Not where the secret is: that may be open to root alone, and what forwards is another user.
    let authorities = settings.join(AUTHORITIES);
    let enrolment = Enrolment::parse(&read(&args.file)?, &authorities)?;
    if Settings::has_forward(&args.config)? {
        return Err(EnrolError::Set(args.config.clone()));
    }
    let unit = args.units.join(format!("{UNIT}.d"));
    for directory in [&args.directory, &settings, &unit] {
        file::make_directory(directory).map_err(|source| EnrolError::Write {
            path: directory.clone(),
            source,
        })?;
    }
    let keep = |path: PathBuf, content: &str, mode| {
        file::replace(&path, content.as_bytes(), mode).map_err(|source| EnrolError::Write { path, source })
    };
    // The secret first: the unit does not start with a drop-in that names a file that is not there.
    keep(args.directory.join(SECRET), &enrolment.secret, 0o600)?;
    keep(authorities, &enrolment.authorities, 0o644)?;
    keep(unit.join(DROP_IN), &drop_in(&args.directory), 0o644)?;
    // Last: its presence says that all is done.
    let forward = BTreeMap::from([("forward", &enrolment.settings)]);
    keep(settings.join("forward.toml"), &toml::to_string(&forward)?, 0o644)?;
    if !args.no_restart {
        for arguments in [
            &["daemon-reload"][..],
            &["try-reload-or-restart", SERVICE],
            &["restart", UNIT],
        ] {
            let status = Command::new("systemctl").args(arguments).status();
            if !status.is_ok_and(|status| status.success()) {
                return Err(EnrolError::Systemd(arguments[0]));
            }
        }
    }
    let name = &enrolment.settings.external_labels()[EDGE];
    // It fails only where nobody reads, and then it is done all the same.
    let _ = output::print_untrusted(&format!(
        "{name} sends to the centre: journalctl -u {UNIT} --grep=forward\n"
    ));
    Ok(())
}

fn read(file: &Path) -> Result<String, EnrolError> {
    let failed = |source| EnrolError::Read {
        path: file.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        let file = fs::File::open(file).map_err(failed)?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    let text = String::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() as u64 <= MAX_FILE);
    let text = text.ok_or_else(|| EnrolError::NoText(file.to_owned()))?;
    // As an editor of Windows leaves it.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// What a file says. No `Debug`: it has a secret.
struct Enrolment {
    settings: forward::Settings,
    secret: String,
    authorities: String,
}

impl Enrolment {
    fn parse(text: &str, authorities_file: &Path) -> Result<Self, EnrolError> {
        // The message of the library shows the line, and what is wrong may be a password.
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            EnrolError::Toml(before.unwrap_or_default().matches('\n').count() + 1)
        })?;
        let mut values = BTreeMap::new();
        for (key, value) in table {
            match KEYS.contains(&&*key) {
                true => drop(values.insert(key.clone(), text_of(&key, &value)?)),
                false => return Err(EnrolError::Unknown(shown(&key))),
            }
        }
        let mut take = |key| values.remove(key);
        let (user, password, token) = (take("user"), take("password"), take("bearer_token"));
        if password.is_some() && token.is_some() || password.is_some() != user.is_some() {
            return Err(EnrolError::Secret);
        }
        let authorities = take("ca");
        let mut settings = forward::Settings {
            url: Some(take("url").ok_or_else(|| EnrolError::NoValue("url".to_owned()))?),
            user,
            password_file: password.is_some().then(|| SECRET.into()),
            bearer_token_file: token.is_some().then(|| SECRET.into()),
            ca_file: authorities.is_some().then(|| authorities_file.to_owned()),
            proxy: take("proxy"),
            labels: take("edge").map(|edge| (EDGE.to_owned(), edge)).into_iter().collect(),
            ..forward::Settings::default()
        };
        let mut problems = settings.problems();
        let edge = settings.labels.get(EDGE);
        if let Some(edge) = edge.filter(|edge| edge.contains(char::is_whitespace)) {
            problems.push(Problem {
                key: EDGE.to_owned(),
                value: edge.clone(),
                allowed: "a name without spaces: a line of the inventory begins with it".to_owned(),
            });
        }
        choose(
            "profile",
            take("profile"),
            &mut settings.profile,
            Profile::NAMES,
            &mut problems,
        );
        choose(
            "compression",
            take("compression"),
            &mut settings.compression,
            Compression::NAMES,
            &mut problems,
        );
        match problems.is_empty() {
            true => Ok(Self {
                settings,
                secret: password.or(token).unwrap_or_default(),
                authorities: authorities.unwrap_or_default(),
            }),
            false => Err(EnrolError::Invalid(problems)),
        }
    }
}

/// Sets what the file names by one of its `names`, if it does.
fn choose<T: DeserializeOwned>(
    key: &str,
    name: Option<String>,
    chosen: &mut T,
    names: &str,
    problems: &mut Vec<Problem>,
) {
    match name.map(|name| serde_json::from_value(name.into())) {
        None => {}
        Some(Ok(value)) => *chosen = value,
        // Without what was written, which may be a secret at the wrong place.
        Some(Err(_)) => problems.push(Problem {
            key: key.to_owned(),
            value: String::new(),
            allowed: names.to_owned(),
        }),
    }
}

/// What the unit is handed. systemd hands the secret over, so that it is in no process list and in no environment.
fn drop_in(directory: &Path) -> String {
    format!(
        "# Made by edgewatch enrol. To end it, remove this file and forward.toml in edgewatch.d; then systemctl daemon-reload and restart {UNIT}.\n\
         [Service]\n\
         # A file that somebody removed must not keep the service from starting.\n\
         LoadCredential={SECRET}:{}\nSetCredential={SECRET}:none\n",
        directory.join(SECRET).display()
    )
}

/// A value that can stand in the first line of a file, or be a certificate.
fn text_of(key: &str, value: &toml::Value) -> Result<String, EnrolError> {
    let is_odd = |c: char| c.is_control() && !(key == "ca" && (c == '\n' || c == '\r'));
    let text = value
        .as_str()
        .filter(|text| !text.trim().is_empty() && !text.contains(is_odd));
    text.map(str::to_owned).ok_or_else(|| EnrolError::NoValue(shown(key)))
}

/// As much of a key as can be shown.
fn shown(key: &str) -> String {
    key.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests;

//! Files with dashboards, as people drop them there: read with suspicion, within bounds, and again when they change.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{OpenError, Problem};
use crate::settings;
use edgewatch_grafana_model::model::Dashboard;

/// Dashboards of all directories.
const MOST_FILES: usize = 100;
/// Bytes of one file. The largest public dashboards have half of it.
const MOST_BYTES: u64 = 1 << 20;
/// Entries of a directory that are looked at, whatever they are.
const MOST_ENTRIES: usize = 10_000;
/// Characters of titles and descriptions that are remembered.
const MOST_TEXT: usize = 200;
/// Grafana allows no longer uid.
const LONGEST_UID: usize = 40;

/// What is known of the files in directories.
#[derive(Clone)]
pub struct Index {
    directories: Vec<PathBuf>,
    known: Vec<Known>,
    /// Of the directories themselves.
    problems: Vec<Problem>,
}

#[derive(Clone)]
struct Known {
    path: PathBuf,
    stamp: Stamp,
    what: Result<File, String>,
}

/// Tells whether a file is still the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

/// A file with a dashboard.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it lies.
    pub path: PathBuf,
    /// Which version of it was read.
    pub stamp: Stamp,
    /// Its uid, or its name without `.json`.
    pub uid: String,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub about: String,
}

impl Index {
    /// Nothing is read yet.
    pub fn new(directories: &[PathBuf]) -> Self {
        Self {
            directories: directories.to_vec(),
            known: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Where files are looked for.
    pub fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// Usable files, by path.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.known.iter().filter_map(|known| known.what.as_ref().ok())
    }

    /// What cannot be used.
    pub fn problems(&self) -> Vec<Problem> {
        let files = self.known.iter().filter_map(|known| {
            let why = known.what.as_ref().err()?.clone();
            Some(Problem {
                path: known.path.clone(),
                why,
            })
        });
        self.problems.iter().cloned().chain(files).collect()
    }

    /// Reads files that are new or have changed, and forgets those that have gone. Calls `step` before each.
    pub fn refresh(&mut self, step: &dyn Fn()) {
        self.problems.clear();
        let mut paths = Vec::new();
        for directory in &self.directories {
            step();
            match list(directory) {
                Ok(found) => paths.extend(found),
                // Where nobody has put any there are none, which is no mistake.
                Err(error)
                    if error.kind() == std::io::ErrorKind::NotFound
                        && directory.as_path() == Path::new(settings::DASHBOARDS) => {}
                Err(error) => self.problems.push(Problem {
                    path: directory.clone(),
                    why: error.to_string(),
                }),
            }
        }
        if let Some(first) = paths.get(MOST_FILES) {
            self.problems.push(Problem {
                path: first.clone(),
                why: format!(
                    "this file and {} more are left out: at most {MOST_FILES} are read",
                    paths.len() - MOST_FILES - 1
                ),
            });
            paths.truncate(MOST_FILES);
        }
        let mut before = std::mem::take(&mut self.known);
        for path in paths {
            step();
            let stamp = match stamp(&path) {
                Ok(stamp) => stamp,
                Err(why) => {
                    self.problems.push(Problem { path, why });
                    continue;
                }
            };
            let same = before
                .iter()
                .position(|known| known.path == path && known.stamp == stamp);
            self.known.push(match same {
                Some(position) => before.swap_remove(position),
                None => Known {
                    what: File::look_at(&path, stamp),
                    path,
                    stamp,
                },
            });
        }
    }
}

/// The `.json` files of a directory by name.
fn list(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = fs::read_dir(directory)?
        .take(MOST_ENTRIES)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    found.sort();
    Ok(found)
}

fn stamp(path: &Path) -> Result<Stamp, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    regular(&metadata)?;
    Ok(Stamp {
        size: metadata.len(),
        modified: metadata.modified().ok(),
        inode: metadata.ino(),
    })
}

fn regular(metadata: &fs::Metadata) -> Result<(), String> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err("is no regular file".to_owned()),
    }
}

/// What is looked at first. Everything else is skipped, not held.
#[derive(Deserialize)]
struct Head {
    uid: Option<String>,
    title: Option<String>,
    description: Option<String>,
    panels: Option<IgnoredAny>,
    rows: Option<IgnoredAny>,
    elements: Option<IgnoredAny>,
}

/// What may lie around a model: `{"dashboard": …}` in the answers of Grafana's HTTP API, `{"kind": "Dashboard", "spec": …}` in
/// those of its newer one.
#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(borrow)]
    dashboard: Option<&'a RawValue>,
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
}

/// The part of `text` that is the model.
fn model(text: &str) -> Result<&str, String> {
    let outer: Outer<'_> = serde_json::from_str(text).map_err(|error| format!("is no dashboard: {error}"))?;
    Ok(outer.dashboard.or(outer.spec).map_or(text, RawValue::get))
}

impl File {
    fn look_at(path: &Path, stamp: Stamp) -> Result<Self, String> {
        let text = read_regular(path)?;
        let model = model(&text)?;
        let head: Head = serde_json::from_str(model).map_err(|error| format!("is no dashboard: {error}"))?;
        if head.panels.is_none() && head.rows.is_none() {
            return Err(if head.elements.is_some() {
                "is written in Grafana's schema v2: export it as classic JSON"
            } else {
                "is no dashboard: it has no panels"
            }
            .to_owned());
        }
        // The whole is tried once, so that a broken one is named in the list and not only to whoever opens it.
        Dashboard::parse(model)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let uid = head.uid.filter(|uid| !uid.is_empty()).unwrap_or_else(|| slug(&stem));
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if uid.is_empty() || uid.len() > LONGEST_UID || !uid.bytes().all(is_allowed) {
            return Err(format!(
                "its uid {:?} cannot stand in an address: at most {LONGEST_UID} letters, digits, - and _ can",
                cut(&uid)
            ));
        }
        let title = head.title.filter(|title| !title.is_empty());
        Ok(Self {
            path: path.to_owned(),
            stamp,
            uid,
            title: cut(&title.unwrap_or_else(|| stem.into_owned())),
            about: cut(&head.description.unwrap_or_default()),
        })
    }

    /// The model.
    ///
    /// # Errors
    /// The file has gone, or is none; for people.
    pub fn parse(&self) -> Result<Dashboard, String> {
        let text = read_regular(&self.path)?;
        let mut dashboard = Dashboard::parse(model(&text)?)?;
        // It may have changed since it was found.
        dashboard.uid.clone_from(&self.uid);
        if dashboard.title.is_empty() {
            dashboard.title.clone_from(&self.title);
        }
        Ok(dashboard)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// It cannot be read; for people.
    pub fn read(&self) -> Result<String, String> {
        read_regular(&self.path)
    }

    /// This file cannot be used.
    pub fn broken(&self, why: String) -> OpenError {
        OpenError::Broken(Problem {
            path: self.path.clone(),
            why,
        })
    }
}

/// The text of a regular file. What lies there may have been exchanged since it was looked at: to open a pipe would wait for its
/// writer, and to read some files of /proc for what may never come.
fn read_regular(path: &Path) -> Result<String, String> {
    let mut options = fs::File::options();
    let options = options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path).map_err(|error| error.to_string())?;
    regular(&file.metadata().map_err(|error| error.to_string())?)?;
    bounded(file)
}

/// The text of a file that a person names, which may be a pipe (`<(…)` of a shell).
///
/// # Errors
/// For people: it cannot be read, or is too large for a dashboard.
pub fn read(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    bounded(file)
}

fn bounded(file: fs::File) -> Result<String, String> {
    let mut text = String::new();
    let size = file.take(MOST_BYTES + 1).read_to_string(&mut text);
    match size.map_err(|error| error.to_string())? as u64 {
        0..=MOST_BYTES => Ok(text),
        _ => Err(format!("is too large: of its bytes at most {MOST_BYTES} are read")),
    }
}

/// A file's name as a uid.
fn slug(name: &str) -> String {
    let characters = name.chars().take(LONGEST_UID);
    characters
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
        .collect()
}

fn cut(text: &str) -> String {
    text.chars().take(MOST_TEXT).collect()
}

//! Dashboards in directories: untrusted files, read within limits, and again when they change.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{FileError, OpenError, Problem};
use crate::settings;
use edgewatch_grafana_model::model::Dashboard;

/// Dashboards of all directories.
pub(super) const MAX_FILES: usize = 100;
/// Bytes of one file. The largest public dashboards have half of it.
pub(super) const MAX_BYTES: u64 = 1 << 20;
/// Entries of a directory that are listed, of any kind.
const MAX_ENTRIES: usize = 10_000;
/// Characters of titles and descriptions that are cached.
const MAX_TEXT: usize = 200;
/// Grafana's limit.
pub(super) const MAX_UID: usize = 40;

/// The cached index of the files in directories.
#[derive(Clone)]
pub(crate) struct Index {
    directories: Vec<PathBuf>,
    files: Vec<IndexedFile>,
    /// Those of the directories themselves.
    problems: Vec<Problem>,
}

#[derive(Clone)]
struct IndexedFile {
    path: PathBuf,
    version: FileVersion,
    /// The dashboard, or why it is none.
    content: Result<File, FileError>,
}

/// Identifies the version of a file: it changes when the file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    /// Bytes.
    pub(crate) size: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

/// A file with a dashboard.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) version: FileVersion,
    /// Its uid, or its name without `.json`.
    pub(crate) uid: String,
    pub(crate) title: String,
    /// What it is for.
    pub(crate) about: String,
}

impl Index {
    /// Nothing is read yet.
    pub(crate) fn new(directories: &[PathBuf]) -> Self {
        Self {
            directories: directories.to_vec(),
            files: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// Usable files, by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter_map(|file| file.content.as_ref().ok())
    }

    /// The files and directories that cannot be used.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let files = self.files.iter().filter_map(|file| {
            let why = file.content.as_ref().err()?.clone();
            Some(Problem {
                path: file.path.clone(),
                why,
            })
        });
        self.problems.iter().cloned().chain(files).collect()
    }

    /// Reads files that are new or have changed, and drops those that are gone. Calls `step` before each.
    pub(crate) fn refresh(&mut self, step: &dyn Fn()) {
        self.problems.clear();
        let mut paths = Vec::new();
        for directory in &self.directories {
            step();
            match list(directory) {
                Ok(found) => paths.extend(found),
                // The default directory need not exist.
                Err(error)
                    if error.kind() == std::io::ErrorKind::NotFound
                        && directory.as_path() == Path::new(settings::DASHBOARDS) => {}
                Err(error) => self.problems.push(Problem {
                    path: directory.clone(),
                    why: error.into(),
                }),
            }
        }
        if let Some(first) = paths.get(MAX_FILES) {
            self.problems.push(Problem {
                path: first.clone(),
                why: FileError::TooMany {
                    others: paths.len() - MAX_FILES - 1,
                },
            });
            paths.truncate(MAX_FILES);
        }
        let mut before = std::mem::take(&mut self.files);
        for path in paths {
            step();
            let version = match version(&path) {
                Ok(version) => version,
                Err(why) => {
                    self.problems.push(Problem { path, why });
                    continue;
                }
            };
            let same = before
                .iter()
                .position(|file| file.path == path && file.version == version);
            self.files.push(match same {
                Some(position) => before.swap_remove(position),
                None => IndexedFile {
                    content: File::inspect(&path, version),
                    path,
                    version,
                },
            });
        }
    }
}

/// The `.json` files of a directory by name.
fn list(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = fs::read_dir(directory)?
        .take(MAX_ENTRIES)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    found.sort();
    Ok(found)
}

fn version(path: &Path) -> Result<FileVersion, FileError> {
    let metadata = fs::metadata(path)?;
    regular(&metadata)?;
    Ok(FileVersion {
        size: metadata.len(),
        modified: metadata.modified().ok(),
        inode: metadata.ino(),
    })
}

fn regular(metadata: &fs::Metadata) -> Result<(), FileError> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(FileError::NotRegular),
    }
}

/// The fields for the index; everything else is skipped without being stored.
#[derive(Deserialize)]
struct Summary {
    uid: Option<String>,
    title: Option<String>,
    description: Option<String>,
    panels: Option<IgnoredAny>,
    rows: Option<IgnoredAny>,
    elements: Option<IgnoredAny>,
}

/// The envelope of a model: `{"dashboard": …}` in responses of Grafana's HTTP API, `{"kind": "Dashboard", "spec": …}` in those of its
/// newer one.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    dashboard: Option<&'a RawValue>,
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
    metadata: Option<Metadata>,
}

/// What the newer API says beside a model.
#[derive(Deserialize)]
struct Metadata {
    /// The uid of the dashboard.
    name: Option<String>,
}

/// The part of `text` that is the model.
fn model(text: &str) -> Result<&str, FileError> {
    model_and_uid(text).map(|(model, _)| model)
}

/// The same, and the uid that stands beside it.
fn model_and_uid(text: &str) -> Result<(&str, Option<String>), FileError> {
    let envelope: Envelope<'_> = serde_json::from_str(text)?;
    let uid = envelope.spec.and(envelope.metadata).and_then(|metadata| metadata.name);
    Ok((envelope.dashboard.or(envelope.spec).map_or(text, RawValue::get), uid))
}

impl File {
    fn inspect(path: &Path, version: FileVersion) -> Result<Self, FileError> {
        let text = read_regular(path)?;
        let (model, uid) = model_and_uid(&text)?;
        let summary: Summary = serde_json::from_str(model)?;
        if summary.panels.is_none() && summary.rows.is_none() && summary.elements.is_none() {
            return Err(FileError::NoPanels);
        }
        // Parsed once completely, so that the list names a broken one before it is opened.
        Dashboard::parse(model)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let uid = summary
            .uid
            .filter(|uid| !uid.is_empty())
            .or(uid)
            .unwrap_or_else(|| slug(&stem));
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if uid.is_empty() || uid.len() > MAX_UID || !uid.bytes().all(is_allowed) {
            return Err(FileError::Uid(cut(&uid)));
        }
        let title = summary.title.filter(|title| !title.is_empty());
        Ok(Self {
            path: path.to_owned(),
            version,
            uid,
            title: cut(&title.unwrap_or_else(|| stem.into_owned())),
            about: cut(&summary.description.unwrap_or_default()),
        })
    }

    /// The model.
    ///
    /// # Errors
    /// The file is gone, or is no dashboard.
    pub(crate) fn parse(&self) -> Result<Dashboard, FileError> {
        let text = read_regular(&self.path)?;
        let mut dashboard = Dashboard::parse(model(&text)?)?;
        // It may have changed since it was indexed.
        dashboard.uid.clone_from(&self.uid);
        if dashboard.title.is_empty() {
            dashboard.title.clone_from(&self.title);
        }
        Ok(dashboard)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn read(&self) -> Result<String, FileError> {
        read_regular(&self.path)
    }

    /// This file cannot be used.
    pub(crate) fn broken(&self, why: FileError) -> OpenError {
        OpenError::Broken(Problem {
            path: self.path.clone(),
            why,
        })
    }
}

/// The text of a regular file. The path may have been replaced since it was listed: opening a pipe would wait for its writer, and reading
/// some files of /proc for data that may never come.
fn read_regular(path: &Path) -> Result<String, FileError> {
    let mut options = fs::File::options();
    let options = options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path)?;
    regular(&file.metadata()?)?;
    bounded(file)
}

/// The text of a file named on the command line, which may be a pipe (`<(…)` of a shell).
///
/// # Errors
/// It cannot be read, or is too large for a dashboard.
pub(crate) fn read(path: &Path) -> Result<String, FileError> {
    bounded(fs::File::open(path)?)
}

fn bounded(file: fs::File) -> Result<String, FileError> {
    let mut text = String::new();
    match file.take(MAX_BYTES + 1).read_to_string(&mut text)? as u64 {
        // Some editors put a mark of their encoding before it.
        0..=MAX_BYTES => Ok(match text.strip_prefix('\u{feff}') {
            Some(plain) => plain.to_owned(),
            None => text,
        }),
        _ => Err(FileError::TooLarge),
    }
}

/// A file's name as a uid.
fn slug(name: &str) -> String {
    let characters = name.chars().take(MAX_UID);
    characters
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
        .collect()
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

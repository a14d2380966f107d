//! Which dashboards there are: those that are shipped, and those in directories.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::http::dashboards::SHIPPED;

use super::model::Dashboard;

/// A longer file is no dashboard. The longest public ones have 700 KB.
const MAX_FILE: u64 = 4 << 20;
/// More files in a directory are not looked at.
const MAX_FILES: usize = 200;

/// The dashboards that can be shown. Nothing is read before it is asked for, and nothing is kept: a file that changes is shown
/// as it is from the next page on.
#[derive(Clone, Debug, Default)]
pub struct Library {
    directories: Vec<PathBuf>,
}

/// A dashboard in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names it in addresses.
    pub uid: String,
    /// Its title; the name of the file if it has none.
    pub title: String,
    /// What it is for; may be empty.
    pub description: String,
    /// For sorting and searching.
    pub tags: Vec<String>,
    /// The file it comes from; `None` if it is shipped.
    pub file: Option<PathBuf>,
}

impl Library {
    /// The shipped dashboards and every `*.json` in `directories`.
    pub const fn new(directories: Vec<PathBuf>) -> Self {
        Self { directories }
    }

    /// Every dashboard, the shipped ones first, and for each file that is none, why not. Of two with the same uid the first counts.
    pub fn list(&self) -> (Vec<Entry>, Vec<Failure>) {
        let mut entries: Vec<Entry> = SHIPPED
            .iter()
            .map(|shipped| Entry {
                uid: shipped.uid.to_owned(),
                title: shipped.title.to_owned(),
                description: shipped.about.to_owned(),
                tags: vec!["edgewatch".to_owned()],
                file: None,
            })
            .collect();
        let (files, mut failures) = self.files();
        for file in files {
            match read(&file).and_then(|text| parse(&text, &file)) {
                Ok(dashboard) => {
                    if let Some(other) = entries.iter().find(|entry| entry.uid == dashboard.uid) {
                        failures.push(Failure(format!(
                            "{}: {} has the same uid {}",
                            file.display(),
                            other.title,
                            other.uid
                        )));
                        continue;
                    }
                    entries.push(Entry {
                        uid: dashboard.uid,
                        title: dashboard.title,
                        description: dashboard.description,
                        tags: dashboard.tags,
                        file: Some(file),
                    });
                }
                Err(failure) => failures.push(failure),
            }
        }
        (entries, failures)
    }

    /// The dashboard `uid`; `None`: there is none.
    ///
    /// # Errors
    /// Its file cannot be read, or is no dashboard.
    pub fn get(&self, uid: &str) -> Result<Option<Dashboard>, Failure> {
        match self.json(uid)? {
            Some((text, file)) => parse(&text, &file).map(Some),
            None => Ok(None),
        }
    }

    /// The JSON of the dashboard `uid`, and the file it comes from (of a shipped one, where it lies in the source); `None`: there is none.
    ///
    /// # Errors
    /// Its file cannot be read any more.
    pub fn json(&self, uid: &str) -> Result<Option<(String, PathBuf)>, Failure> {
        if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.uid == uid) {
            return Ok(Some((shipped.json.to_owned(), PathBuf::from(format!("{uid}.json")))));
        }
        let (files, _) = self.files();
        for file in files {
            let Ok(text) = read(&file) else { continue };
            if parse(&text, &file).is_ok_and(|dashboard| dashboard.uid == uid) {
                return Ok(Some((text, file)));
            }
        }
        Ok(None)
    }

    fn files(&self) -> (Vec<PathBuf>, Vec<Failure>) {
        let mut failures = Vec::new();
        let mut files = Vec::new();
        for directory in &self.directories {
            match fs::read_dir(directory) {
                Ok(entries) => {
                    let paths = entries.flatten().map(|entry| entry.path());
                    files.extend(paths.filter(|path| path.extension().is_some_and(|extension| extension == "json")));
                }
                Err(error) => failures.push(Failure::because(directory.display(), error)),
            }
        }
        files.sort();
        if files.len() > MAX_FILES {
            failures.push(Failure(format!(
                "only the first {MAX_FILES} of {} dashboards are shown",
                files.len()
            )));
            files.truncate(MAX_FILES);
        }
        (files, failures)
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let fail = |error| Failure::because(file.display(), error);
    let opened = fs::File::open(file).map_err(fail)?;
    let mut text = String::new();
    opened.take(MAX_FILE + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > MAX_FILE {
        return Err(Failure(format!(
            "{}: longer than {} MB, which no dashboard is",
            file.display(),
            MAX_FILE >> 20
        )));
    }
    Ok(text)
}

/// The dashboard in `text`. Where it has no uid, the name of its file is one.
fn parse(text: &str, file: &Path) -> Result<Dashboard, Failure> {
    let mut dashboard = Dashboard::parse(text).map_err(|error| Failure::because(file.display(), error))?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    if dashboard.uid.is_empty() {
        dashboard.uid = stem
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .collect();
    }
    if dashboard.title.is_empty() {
        dashboard.title = stem.into_owned();
    }
    Ok(dashboard)
}

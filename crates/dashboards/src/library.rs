//! Which dashboards there are: those that are shipped, and those in directories.

mod directory;
mod patience;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde::Serialize;
use thiserror::Error;

use directory::{File, Index};
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_program::lock::lock;
use patience::Patience;

pub use directory::{Stamp, read};

/// A dashboard of `grafana-dashboards/`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Shipped {
    /// Its uid in Grafana.
    pub uid: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// The Grafana model.
    #[serde(skip)]
    pub json: &'static str,
}

/// Every shipped dashboard.
pub const SHIPPED: [Shipped; 3] = [
    Shipped {
        uid: "edgewatch-overview",
        title: "Overview",
        about: "Is everything up, and how is the device doing?",
        json: include_str!("../../../grafana-dashboards/overview.json"),
    },
    Shipped {
        uid: "edgewatch-hardware",
        title: "Hardware",
        about: "Sensors, their health, and the clock.",
        json: include_str!("../../../grafana-dashboards/hardware.json"),
    },
    Shipped {
        uid: "edgewatch-budget",
        title: "Budget",
        about: "Memory and CPU of the stack against its limits.",
        json: include_str!("../../../grafana-dashboards/budget.json"),
    },
];

/// A dashboard that can be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Names it in addresses.
    pub uid: String,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub about: String,
    /// Where it lies; `None` if it is shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// A file or directory that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub path: PathBuf,
    /// What is wrong with it, and what to do.
    pub why: String,
}

/// Why a dashboard cannot be looked at.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Nobody has it.
    #[error("there is no dashboard {0:?}")]
    Unknown(String),
    /// Its file is there, but is no dashboard.
    #[error("{}: {}", .0.path.display(), .0.why)]
    Broken(Problem),
}

/// A dashboard that was read.
#[derive(Debug)]
pub struct Opened {
    /// The model.
    pub dashboard: Dashboard,
    /// Which version of its file it is; `None` if it is shipped.
    pub stamp: Option<Stamp>,
    /// Bytes of its JSON.
    pub size: u64,
}

/// Shipped dashboards and those of directories. Nothing is read before it is asked for, and of files nothing is kept but what
/// the list shows. Directories that hang leave the shipped ones alone, which nothing has to be read for.
pub struct Library {
    /// As it was when it was last read. Locked for a moment only, never while files are read.
    index: Mutex<Arc<Index>>,
    patience: Patience,
}

impl Library {
    /// The shipped dashboards and those in `directories`.
    pub fn new(directories: &[PathBuf]) -> Self {
        Self {
            index: Mutex::new(Arc::new(Index::new(directories))),
            patience: Patience::default(),
        }
    }

    /// Every dashboard, the shipped ones first, and every file that is none. Reads what has changed since the last time.
    pub fn list(&self) -> (Vec<Entry>, Vec<Problem>) {
        let (index, problem) = self.refreshed();
        let mut entries: Vec<Entry> = SHIPPED.iter().map(Entry::from).collect();
        let mut problems = index.problems();
        problems.extend(problem);
        for file in index.files() {
            match entries.iter().find(|entry| entry.uid == file.uid) {
                None => entries.push(Entry {
                    uid: file.uid.clone(),
                    title: file.title.clone(),
                    about: file.about.clone(),
                    file: Some(file.path.clone()),
                }),
                Some(first) => problems.push(Problem {
                    path: file.path.clone(),
                    why: match &first.file {
                        None => format!(
                            "the shipped dashboard {:?} has the same uid {:?}, and is shown: give this one another",
                            first.title, file.uid
                        ),
                        Some(path) => format!(
                            "{} has the same uid {:?}, and is shown: give this one another",
                            path.display(),
                            file.uid
                        ),
                    },
                }),
            }
        }
        (entries, problems)
    }

    /// The JSON of a dashboard, as it lies in its file.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn json(&self, uid: &str) -> Result<String, OpenError> {
        match SHIPPED.iter().find(|shipped| shipped.uid == uid) {
            Some(shipped) => Ok(shipped.json.to_owned()),
            None => {
                let file = self.file(uid)?;
                self.of_file(&file, File::read)
            }
        }
    }

    /// The version of a dashboard's file; `None` if it is shipped.
    ///
    /// # Errors
    /// There is no such dashboard.
    pub fn stamp(&self, uid: &str) -> Result<Option<Stamp>, OpenError> {
        match SHIPPED.iter().any(|shipped| shipped.uid == uid) {
            true => Ok(None),
            false => self.file(uid).map(|file| Some(file.stamp)),
        }
    }

    /// A dashboard to look at.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(&self, uid: &str) -> Result<Opened, OpenError> {
        if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.uid == uid) {
            let broken = |why| {
                OpenError::Broken(Problem {
                    path: shipped.uid.into(),
                    why,
                })
            };
            return Ok(Opened {
                dashboard: Dashboard::parse(shipped.json).map_err(broken)?,
                stamp: None,
                size: shipped.json.len() as u64,
            });
        }
        let file = self.file(uid)?;
        Ok(Opened {
            dashboard: self.of_file(&file, File::parse)?,
            stamp: Some(file.stamp),
            size: file.stamp.size,
        })
    }

    fn file(&self, uid: &str) -> Result<File, OpenError> {
        let (index, problem) = self.refreshed();
        match (index.files().find(|file| file.uid == uid), problem) {
            (Some(file), _) => Ok(file.clone()),
            (None, Some(problem)) => Err(OpenError::Broken(problem)),
            (None, None) => Err(OpenError::Unknown(uid.to_owned())),
        }
    }

    /// What `read` makes of a file.
    fn of_file<T: Send + 'static>(
        &self,
        file: &File,
        read: impl FnOnce(&File) -> Result<T, String> + Send + 'static,
    ) -> Result<T, OpenError> {
        let own = file.clone();
        let done = self.patience.with(move |_| read(&own));
        done.and_then(|done| done).map_err(|why| file.broken(why))
    }

    /// The index as the directories are now; if they hang, as it was, and why.
    fn refreshed(&self) -> (Arc<Index>, Option<Problem>) {
        let before = Arc::clone(&lock(&self.index));
        let Some(first) = before.directories().first() else {
            return (before, None);
        };
        let mut index = Index::clone(&before);
        let refreshed = self.patience.with(move |step| {
            index.refresh(step);
            Arc::new(index)
        });
        match refreshed {
            Ok(index) => {
                *lock(&self.index) = Arc::clone(&index);
                (index, None)
            }
            Err(why) => {
                let path = first.clone();
                (before, Some(Problem { path, why }))
            }
        }
    }
}

impl From<&Shipped> for Entry {
    fn from(shipped: &Shipped) -> Self {
        Self {
            uid: shipped.uid.to_owned(),
            title: shipped.title.to_owned(),
            about: shipped.about.to_owned(),
            file: None,
        }
    }
}

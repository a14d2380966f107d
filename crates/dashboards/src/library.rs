//! The dashboards: those that are shipped, and those in directories.

mod blocking_reads;
mod directory;
mod error;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde::Serialize;
use thiserror::Error;

use blocking_reads::BlockingReads;
use directory::{File, Index};
use edgewatch_grafana_model::error::DashboardError;
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_program::lock::lock;

pub(crate) use directory::{FileVersion, read};
pub(crate) use error::FileError;

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
pub const SHIPPED: [Shipped; 4] = [
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
        uid: "edgewatch-sensors",
        title: "Sensors",
        about: "Every reading of every sensor, with its value and its age.",
        json: include_str!("../../../grafana-dashboards/sensors.json"),
    },
    Shipped {
        uid: "edgewatch-budget",
        title: "Budget",
        about: "Memory and CPU of the stack against its limits.",
        json: include_str!("../../../grafana-dashboards/budget.json"),
    },
];

/// An entry of the list of dashboards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DashboardInfo {
    /// Its uid, as in its URL.
    pub(crate) uid: String,
    pub(crate) title: String,
    /// What it is for.
    pub(crate) about: String,
    /// Its file; `None` if it is shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<PathBuf>,
}

/// A file or directory that cannot be used.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) path: PathBuf,
    /// What is wrong with it, and what to do.
    pub(crate) why: FileError,
}

/// Why a dashboard cannot be opened.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    /// No dashboard has this uid.
    #[error("there is no dashboard {0:?}")]
    Unknown(String),
    /// Its file exists, but cannot be read or is no dashboard.
    #[error("{}: {}", .0.path.display(), .0.why)]
    Broken(Problem),
}

/// A dashboard that has been read.
#[derive(Debug)]
pub(crate) struct LoadedDashboard {
    pub(crate) dashboard: Dashboard,
    /// The version of its file; `None` if it is shipped.
    pub(crate) version: Option<FileVersion>,
    /// Bytes of its JSON.
    pub(crate) size: u64,
}

/// Shipped dashboards and those of directories. Files are read on demand, and only what the list shows is cached. The shipped ones are
/// available even if the directories hang.
pub(crate) struct Library {
    /// The result of the last refresh. Not locked while files are read.
    index: Mutex<Arc<Index>>,
    reads: BlockingReads,
}

impl Library {
    /// The shipped dashboards and those in `directories`.
    pub(crate) fn new(directories: &[PathBuf]) -> Self {
        Self {
            index: Mutex::new(Arc::new(Index::new(directories))),
            reads: BlockingReads::default(),
        }
    }

    /// Every dashboard, the shipped ones first, and the problems with files. Reads files that have changed since the last refresh.
    pub(crate) fn list(&self) -> (Vec<DashboardInfo>, Vec<Problem>) {
        let (index, problem) = self.refreshed();
        let mut entries: Vec<DashboardInfo> = SHIPPED.iter().map(DashboardInfo::from).collect();
        let mut problems = index.problems();
        problems.extend(problem);
        for file in index.files() {
            match entries.iter().find(|entry| entry.uid == file.uid) {
                None => entries.push(DashboardInfo {
                    uid: file.uid.clone(),
                    title: file.title.clone(),
                    about: file.about.clone(),
                    file: Some(file.path.clone()),
                }),
                Some(first) => problems.push(Problem {
                    path: file.path.clone(),
                    why: match &first.file {
                        None => FileError::ShippedUid {
                            title: first.title.clone(),
                            uid: file.uid.clone(),
                        },
                        Some(path) => FileError::DuplicateUid {
                            other: path.clone(),
                            uid: file.uid.clone(),
                        },
                    },
                }),
            }
        }
        (entries, problems)
    }

    /// The JSON of a dashboard, as in its file.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn json(&self, uid: &str) -> Result<String, OpenError> {
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
    pub(crate) fn version(&self, uid: &str) -> Result<Option<FileVersion>, OpenError> {
        match SHIPPED.iter().any(|shipped| shipped.uid == uid) {
            true => Ok(None),
            false => self.file(uid).map(|file| Some(file.version)),
        }
    }

    /// Reads a dashboard.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn open(&self, uid: &str) -> Result<LoadedDashboard, OpenError> {
        if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.uid == uid) {
            let broken = |error: DashboardError| {
                OpenError::Broken(Problem {
                    path: shipped.uid.into(),
                    why: error.into(),
                })
            };
            return Ok(LoadedDashboard {
                dashboard: Dashboard::parse(shipped.json).map_err(broken)?,
                version: None,
                size: shipped.json.len() as u64,
            });
        }
        let file = self.file(uid)?;
        Ok(LoadedDashboard {
            dashboard: self.of_file(&file, File::parse)?,
            version: Some(file.version),
            size: file.version.size,
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

    /// The result of `read` for a file.
    fn of_file<T: Send + 'static>(
        &self,
        file: &File,
        read: impl FnOnce(&File) -> Result<T, FileError> + Send + 'static,
    ) -> Result<T, OpenError> {
        let own = file.clone();
        let result = self.reads.run(move |_| read(&own));
        result.flatten().map_err(|why| file.broken(why))
    }

    /// The index after a refresh; if the directories hang, the one before, and the problem.
    fn refreshed(&self) -> (Arc<Index>, Option<Problem>) {
        let before = Arc::clone(&lock(&self.index));
        let Some(first) = before.directories().first() else {
            return (before, None);
        };
        let mut index = Index::clone(&before);
        let refreshed = self.reads.run(move |step| {
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

impl From<&Shipped> for DashboardInfo {
    fn from(shipped: &Shipped) -> Self {
        Self {
            uid: shipped.uid.to_owned(),
            title: shipped.title.to_owned(),
            about: shipped.about.to_owned(),
            file: None,
        }
    }
}

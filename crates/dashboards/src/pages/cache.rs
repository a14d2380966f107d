//! Dashboards in use: viewers of the same one share it, and the size of all together is limited.

use std::sync::{Arc, Mutex, Weak};

use tokio::sync::OwnedMutexGuard;

use crate::library::{FileVersion, LoadedDashboard};
use edgewatch_grafana_model::layout::{Placed, layout, layout_plain};
use edgewatch_grafana_model::model::{Dashboard, Panel};
use edgewatch_grafana_model::variables::{Resolved, Variables};
use edgewatch_program::lock::lock;

/// Bytes of JSON of all dashboards in use; in memory they take several times as much. The shipped ones together have less than a tenth.
const MAX_BYTES: u64 = 2 << 20;

/// A dashboard with the layout of its panels.
pub(crate) struct LaidOut {
    /// The model without its panels.
    pub(crate) dashboard: Dashboard,
    /// The panels, each with those that are repeated from it.
    pub(crate) panels: Vec<Placed>,
    repeats: Repeats,
}

/// The chosen values of the variables by which panels are repeated.
type Repeats = Vec<(String, Vec<String>)>;

impl LaidOut {
    /// Whether the layout is that for the chosen values of `variables`.
    pub(crate) fn matches(&self, variables: &Variables) -> bool {
        self.repeats
            .iter()
            .all(|(name, chosen)| *chosen == values(name, variables))
    }
}

/// The dashboards in use.
#[derive(Default)]
pub(crate) struct DashboardCache {
    entries: Mutex<Vec<CacheEntry>>,
    /// The locks of those that are being opened, by uid.
    opening: Mutex<Vec<(String, Weak<OpenLock>)>>,
}

type OpenLock = tokio::sync::Mutex<()>;

struct CacheEntry {
    key: Key,
    bytes: u64,
    laid_out: Weak<LaidOut>,
}

/// Viewers with the same key share an entry.
#[derive(PartialEq, Eq)]
struct Key {
    uid: String,
    version: Option<FileVersion>,
    repeats: Repeats,
}

impl DashboardCache {
    /// Locks the opening of a dashboard until it is inserted: of concurrent viewers one reads it, and the others find it in the cache
    /// then. Other dashboards are not locked, and waiting blocks no thread.
    pub(crate) async fn lock_opening(&self, uid: &str) -> OwnedMutexGuard<()> {
        let open_lock = {
            let mut opening = lock(&self.opening);
            opening.retain(|(_, open_lock)| open_lock.strong_count() > 0);
            let existing = opening.iter().find(|(other, _)| other == uid);
            existing
                .and_then(|(_, open_lock)| open_lock.upgrade())
                .unwrap_or_else(|| {
                    let open_lock = Arc::new(OpenLock::default());
                    opening.push((uid.to_owned(), Arc::downgrade(&open_lock)));
                    open_lock
                })
        };
        open_lock.lock_owned().await
    }

    /// This version of a dashboard, if it is in use, with any layout. Reading it again would take more memory, for a moment, than anything
    /// else of a page.
    pub(crate) fn get(&self, uid: &str, version: Option<FileVersion>) -> Option<Arc<LaidOut>> {
        let entries = lock(&self.entries);
        let mut same = entries
            .iter()
            .filter(|entry| entry.key.uid == uid && entry.key.version == version);
        same.find_map(|entry| entry.laid_out.upgrade())
    }

    /// Computes the layout of a dashboard; `None` if those in use are too large together.
    pub(crate) fn insert(&self, loaded: LoadedDashboard, variables: &Variables) -> Option<Arc<LaidOut>> {
        let mut dashboard = loaded.dashboard;
        let key = Key {
            uid: dashboard.uid.clone(),
            version: loaded.version,
            repeats: repeats(&dashboard.panels, variables),
        };
        let mut entries = lock(&self.entries);
        entries.retain(|entry| entry.laid_out.strong_count() > 0);
        let same = entries.iter().find(|entry| entry.key == key);
        if let Some(laid_out) = same.and_then(|entry| entry.laid_out.upgrade()) {
            return Some(laid_out);
        }
        let others: u64 = entries.iter().map(|entry| entry.bytes).sum();
        // A single one may be as large as the limit of files.
        if others > 0 && others + loaded.size > MAX_BYTES {
            return None;
        }
        let panels = match key.repeats.is_empty() {
            true => layout_plain(std::mem::take(&mut dashboard.panels)),
            false => layout(&dashboard, variables),
        };
        dashboard.panels = Vec::new();
        let laid_out = Arc::new(LaidOut {
            dashboard,
            panels,
            repeats: key.repeats.clone(),
        });
        entries.push(CacheEntry {
            key,
            bytes: loaded.size,
            laid_out: Arc::downgrade(&laid_out),
        });
        Some(laid_out)
    }
}

fn values(name: &str, variables: &Variables) -> Vec<String> {
    variables.get(name).map(Resolved::values).unwrap_or_default()
}

fn repeats(panels: &[Panel], variables: &Variables) -> Repeats {
    let mut repeats = Repeats::new();
    for panel in panels
        .iter()
        .flat_map(|panel| std::iter::once(panel).chain(&panel.panels))
    {
        if panel.repeat.is_empty() || repeats.iter().any(|(name, _)| *name == panel.repeat) {
            continue;
        }
        repeats.push((panel.repeat.clone(), values(&panel.repeat, variables)));
    }
    repeats
}

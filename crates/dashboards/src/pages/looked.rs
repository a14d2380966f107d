//! Viewers of the same dashboard share it, and what all of them look at together is bounded.

use std::sync::{Arc, Mutex, Weak};

use tokio::sync::OwnedMutexGuard;

use crate::library::{Opened, Stamp};
use edgewatch_grafana_model::layout::{Placed, layout, layout_plain};
use edgewatch_grafana_model::model::{Dashboard, Panel};
use edgewatch_grafana_model::variables::{Resolved, Variables};
use edgewatch_program::lock::lock;

/// Bytes of JSON of all dashboards that are being looked at at one moment; in memory they take several times as much. The
/// shipped ones together have less than a tenth of it.
const MOST_BYTES: u64 = 2 << 20;

/// A dashboard with its panels in their places.
pub struct Laid {
    /// The model without its panels.
    pub dashboard: Dashboard,
    /// The panels, each with those that are repeated from it.
    pub panels: Vec<Placed>,
    repeats: Repeats,
}

/// What is chosen for the variables by which panels are repeated.
type Repeats = Vec<(String, Vec<String>)>;

impl Laid {
    /// Whether the panels lie as they do for what `variables` choose.
    pub fn suits(&self, variables: &Variables) -> bool {
        self.repeats
            .iter()
            .all(|(name, chosen)| *chosen == values(name, variables))
    }
}

/// Dashboards that are being looked at.
#[derive(Default)]
pub struct Looked {
    list: Mutex<Vec<One>>,
    /// Those that are being opened, by uid.
    opening: Mutex<Vec<(String, Weak<Turn>)>>,
}

type Turn = tokio::sync::Mutex<()>;

struct One {
    key: Key,
    bytes: u64,
    laid: Weak<Laid>,
}

/// What two viewers must have in common to share.
#[derive(PartialEq, Eq)]
struct Key {
    uid: String,
    stamp: Option<Stamp>,
    repeats: Repeats,
}

impl Looked {
    /// The turn to open a dashboard, to be kept until it is laid: of viewers who come together one reads it, and the others find it
    /// then. Dashboards do not wait for each other, and who waits holds no thread.
    pub async fn turn(&self, uid: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut opening = lock(&self.opening);
            opening.retain(|(_, turn)| turn.strong_count() > 0);
            let known = opening.iter().find(|(other, _)| other == uid);
            known.and_then(|(_, turn)| turn.upgrade()).unwrap_or_else(|| {
                let turn = Arc::new(Turn::default());
                opening.push((uid.to_owned(), Arc::downgrade(&turn)));
                turn
            })
        };
        turn.lock_owned().await
    }

    /// This version of a dashboard, if somebody looks at it already, whatever is chosen there. To read it again would cost more
    /// memory, for a moment, than anything else a page does.
    pub fn known(&self, uid: &str, stamp: Option<Stamp>) -> Option<Arc<Laid>> {
        let looked = lock(&self.list);
        let mut same = looked.iter().filter(|one| one.key.uid == uid && one.key.stamp == stamp);
        same.find_map(|one| one.laid.upgrade())
    }

    /// `opened` with its panels in their places; `None` if too much is being looked at.
    pub fn lay(&self, opened: Opened, variables: &Variables) -> Option<Arc<Laid>> {
        let mut dashboard = opened.dashboard;
        let key = Key {
            uid: dashboard.uid.clone(),
            stamp: opened.stamp,
            repeats: repeats(&dashboard.panels, variables),
        };
        let mut looked = lock(&self.list);
        looked.retain(|one| one.laid.strong_count() > 0);
        let same = looked.iter().find(|one| one.key == key);
        if let Some(laid) = same.and_then(|one| one.laid.upgrade()) {
            return Some(laid);
        }
        let others: u64 = looked.iter().map(|one| one.bytes).sum();
        // One alone may be as large as a file may be.
        if others > 0 && others + opened.size > MOST_BYTES {
            return None;
        }
        let panels = match key.repeats.is_empty() {
            true => layout_plain(std::mem::take(&mut dashboard.panels)),
            false => layout(&dashboard, variables),
        };
        dashboard.panels = Vec::new();
        let laid = Arc::new(Laid {
            dashboard,
            panels,
            repeats: key.repeats.clone(),
        });
        looked.push(One {
            key,
            bytes: opened.size,
            laid: Arc::downgrade(&laid),
        });
        Some(laid)
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

//! Queries of dashboards: few, bounded, none but those of the dashboards, and with a reason where there is no answer.

mod answers;
mod viewers;

use crate::common;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use common::prometheus::{Prometheus, installed};
use common::upstream::{Reply, Upstream};
use common::{Service, eventually, only};
use serde_json::{Value, json};

const EMPTY: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;

/// A dashboard of graphs of these expressions, below the rest of the settings.
struct Dashboard {
    directory: tempfile::TempDir,
}

impl Dashboard {
    fn of(expressions: &[&str]) -> Self {
        let panels: Vec<Value> = (1..)
            .zip(expressions)
            .map(|(id, expression)| {
                json!({
                    "id": id, "type": "timeseries", "title": format!("Panel {id}"), "gridPos": { "x": 0, "y": id, "w": 24, "h": 8 },
                    "targets": [{ "refId": "A", "expr": expression }],
                })
            })
            .collect();
        Self::from(&json!({ "panels": panels }))
    }

    fn from(dashboard: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("test.json"), dashboard.to_string()).unwrap();
        Self { directory }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A service that shows it, with `prometheus` below `[prometheus]`.
    fn service(&self, prometheus: &str) -> Service {
        Service::start(&format!(
            "[prometheus]\n{prometheus}\n[dashboards]\ndirectories = [{:?}]\n{}",
            self.path(),
            only(&["load"])
        ))
    }
}

fn url(address: impl std::fmt::Display) -> String {
    format!("url = \"http://{address}\"")
}

/// What panels say is wrong, unescaped as far as tests need it.
fn problems(page: &str) -> Vec<String> {
    let parts = page.split("<div class=\"problems\" role=\"status\"><p>").skip(1);
    parts
        .map(|part| part.split("</p>").next().unwrap().replace("&quot;", "\""))
        .collect()
}

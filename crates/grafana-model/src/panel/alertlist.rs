//! `alertlist`: Prometheus' own alerts.

use super::read::options;

options! {
    /// Options of the panel.
    pub struct AlertList {
        /// Which alerts.
        state_filter: StateFilter = "stateFilter",
        /// A part of their names.
        alert_name: String = "alertName",
        /// How many at most.
        max_items: Option<f64> = "maxItems",
    }
    silent {
        "alertInstanceLabelFilter" | "dashboardAlerts" | "dashboardFilter" | "dashboardTitle" | "datasource" | "folder" | "folderId"
            | "groupBy" | "groupMode" | "showInstances" | "sortOrder" | "tags" | "viewMode" | "showOptions" | "showInactiveAlerts"
    }
}

options! {
    /// `stateFilter`. Prometheus has neither errors nor missing data, and keeps no alert that is well.
    pub struct StateFilter {
        /// Those that hold.
        firing: bool = "firing" or true,
        /// Those that will hold if it goes on.
        pending: bool = "pending" or true,
    }
    silent { "error" | "noData" | "normal" | "inactive" | "recovering" | "ok" | "alerting" | "paused" | "no_data" | "execution_error" }
}

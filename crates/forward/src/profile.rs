//! Which series are sent, and how long a window is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Everything that is stored, every 5 minutes.
    #[default]
    Full,
    /// For links that are paid by the megabyte: targets, alerts, temperatures, load, memory, file systems and the budget, every 15 minutes, with what `Heartbeat` has.
    Lte,
    /// That the device lives, which one it is, which alerts it has, and how much of it is missing, every 5 minutes.
    Heartbeat,
}

impl Profile {
    /// The names, as they are written in the settings.
    pub const NAMES: &'static str = "full, lte or heartbeat";

    /// The selector of the series, in PromQL.
    pub const fn selector(self) -> &'static str {
        match self {
            Self::Full => r#"{__name__!=""}"#,
            Self::Lte => {
                r#"{__name__=~"up|ALERTS|node_thermal_zone_temp|node_hwmon_temp_celsius|node_load[15]|node_memory_(MemTotal|MemAvailable)_bytes|node_filesystem_(size|avail)_bytes|edge_unit_memory_current_bytes|edge_build_info|edge_boot_info|edge_forward_oldest_unsent_age_seconds"}"#
            }
            Self::Heartbeat => {
                r#"{__name__=~"up|ALERTS|edge_build_info|edge_boot_info|edge_forward_oldest_unsent_age_seconds"}"#
            }
        }
    }

    /// The length of a window.
    pub const fn window(self) -> Duration {
        match self {
            Self::Full | Self::Heartbeat => Duration::from_secs(300),
            Self::Lte => Duration::from_secs(900),
        }
    }
}

//! What a dashboard is looked at with: a range, values of variables, a zone.

use super::limits::{self, Deadline};
use super::time::{TimeRange, Zone};
use super::units;
use super::variables::Variables;
use super::variables::format::Place;
use super::variables::template::{self, Reference};

/// What a dashboard is looked at with.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The range of the page.
    pub range: TimeRange,
    /// What is chosen.
    pub variables: Variables,
    /// The least step in milliseconds: the interval at which Prometheus scrapes.
    pub min_step: i64,
    /// What `now` means, in milliseconds since 1970, where the page's range hangs on it; `None`: that range is absolute.
    pub now: Option<i64>,
    /// For dates.
    pub zone: Zone,
    /// The title of the dashboard, for `$__dashboard`.
    pub dashboard: String,
    /// Whether somebody still waits for it.
    pub deadline: Deadline,
}

impl Scope {
    /// A title with its variables.
    pub fn title(&self, title: &str) -> String {
        limits::cut(self.text(title), limits::NAME)
    }

    /// `text` with its variables: for what people read.
    pub fn text(&self, text: &str) -> String {
        template::expand(text, |reference| self.value(reference, Place::Text))
    }

    /// The name of the zone as Grafana writes it.
    pub(crate) fn zone_name(&self) -> &str {
        self.zone.iana_name().filter(|name| *name != "UTC").unwrap_or("utc")
    }

    /// What a variable stands for, Grafana's own among them, except for those that need a step.
    pub fn value(&self, reference: Reference<'_>, place: Place) -> Option<String> {
        let moment = |seconds: f64| match reference.format {
            "date:seconds" => format!("{seconds:.0}"),
            "date" | "date:iso" => {
                let unit = units::Unit::of("time:YYYY-MM-DDTHH:mm:ss.SSS[Z]");
                unit.in_zone(&Zone::UTC).format(None, seconds * 1000.0).to_string()
            }
            pattern => match pattern.strip_prefix("date:") {
                Some(pattern) => {
                    let unit = format!("time:{pattern}");
                    let unit = units::Unit::of(&unit).in_zone(&self.zone);
                    unit.format(None, seconds * 1000.0).to_string()
                }
                None => format!("{:.0}", seconds * 1000.0),
            },
        };
        match (reference.name, reference.path) {
            ("__from", "") => Some(moment(self.range.from)),
            ("__to", "") => Some(moment(self.range.to)),
            (name @ ("__range" | "__range_s" | "__range_ms"), "") => self.range.variable(name),
            ("__dashboard", _) => Some(self.dashboard.clone()),
            ("__timezone", "") => Some(self.zone_name().to_owned()),
            ("timeFilter" | "__timeFilter", _) => None,
            _ => self.variables.value(reference, place),
        }
    }
}

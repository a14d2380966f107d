//! What a dashboard is looked at with: a range, values of variables, a zone.

use super::limits::{self, Deadline};
use super::links;
use super::time::{self, Grid, TimeRange, Zone};
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

    /// The words of a text panel with their variables, which stand there as values: mostly in the addresses of links.
    pub fn content(&self, text: &str) -> String {
        template::expand(text, |reference| self.value(reference, Place::Content))
    }

    /// The points of a range query with this step in milliseconds. Where clocks change within the range, midnights are those of its end.
    pub fn grid(&self, step: i64) -> Grid {
        Grid::new(self.range, step, time::offset(&self.zone, self.range.to))
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
            ("__url_time_range", _) => Some(links::range(self)),
            ("__all_variables", _) => Some(self.variables.in_address()),
            ("__dashboard", _) => Some(self.dashboard.clone()),
            ("__timezone", "") => Some(self.zone_name().to_owned()),
            ("timeFilter" | "__timeFilter", _) => None,
            _ => self.variables.value(reference, place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::zone;
    use super::super::variables::Variables;
    use crate::testing;

    #[test]
    fn steps_of_days_begin_at_the_midnights_of_the_zone() {
        let first = |name: &str, from: &str, hours: i64| {
            let mut scope = testing::scope(Variables::default());
            let from = super::super::time::moment(from, &zone("utc")).unwrap();
            (scope.zone, scope.range.from, scope.range.to) = (zone(name), from, from + 2.0 * 86_400.0);
            super::super::time::local(scope.grid(hours * 3_600_000).at(0), &scope.zone)
        };
        let day = "2026-11-26T12:34:56Z";
        assert_eq!(first("America/New_York", day, 24), "2026-11-26 00:00:00");
        assert_eq!(first("Asia/Kolkata", day, 1), "2026-11-26 18:00:00");
        assert_eq!(
            first("Europe/Berlin", "2026-07-01T12:00:00Z", 12),
            "2026-07-01 12:00:00"
        );
        assert_eq!(first("utc", day, 24), "2026-11-26 00:00:00");
    }

    #[test]
    fn a_link_in_the_words_of_a_panel_takes_the_range_along() {
        let scope = testing::scope(Variables::default());
        let link = scope.content("[more](/d/x?${__url_time_range})");
        assert_eq!(link, "[more](/d/x?from=now-1h&to=now&timezone=utc)");
    }
}

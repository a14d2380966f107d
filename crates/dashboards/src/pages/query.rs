//! The query string of a page: `/d/UID?from=now-6h&to=now&refresh=10s&var-device=sda&viewPanel=3&kiosk&theme=dark`, as in Grafana.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use actix_web::error::QueryPayloadError;
use edgewatch_grafana_model::error::RangeError;
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::panel::table::SortBy;
use edgewatch_grafana_model::time::{TimeRange, Zone, interval, zone_or_problem};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

/// Times of pages are rounded down to multiples of this, in milliseconds, so that concurrent viewers send equal queries.
const TIME_STEP: i64 = 5_000;
/// The minimum refresh interval.
const MIN_REFRESH: Duration = Duration::from_secs(5);
/// Parameters, of which choices of variables are the most.
const MAX_PARAMETERS: usize = 200;
/// Bytes of a query string, which each link of a page repeats.
const MAX_BYTES: usize = 16 << 10;

/// The range that a person types into the page's form. Links have `from` and `to`, in which a date without a zone is one in UTC.
pub(crate) const TYPED_FROM: &str = "typed-from";
pub(crate) const TYPED_TO: &str = "typed-to";

/// What is percent-encoded in a name or a value of a query string: everything but RFC 3986's unreserved characters, and `/`, `:` and `,`,
/// which have no meaning there.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b',');

/// Why a query string is invalid. The text is for the person who wrote the address.
#[derive(Debug, Error)]
pub(crate) enum InvalidQuery {
    #[error("the address is longer than {} KiB", MAX_BYTES >> 10)]
    TooLong,
    #[error("the address cannot be read: {0}")]
    Malformed(#[from] QueryPayloadError),
    #[error("the address has more than {} parameters", MAX_PARAMETERS)]
    TooManyParameters,
    /// Of `from` and `to`.
    #[error("{0}")]
    Range(RangeError),
    #[error("{name}={value}: is no number of a panel")]
    PanelId { name: &'static str, value: String },
    #[error("sort-{panel}={value}: asc:COLUMN and desc:COLUMN are understood")]
    Sort { panel: u32, value: String },
    #[error("theme={0}: light and dark are known")]
    Theme(String),
    /// Width or height of a picture.
    #[error("{name}={value}: {} to {} pixels are possible", allowed.start(), allowed.end())]
    Pixels {
        name: &'static str,
        value: String,
        allowed: RangeInclusive<u32>,
    },
    /// The message of the model about the value of a variable.
    #[error("var-{name}: {problem}")]
    Variable { name: String, problem: String },
}

/// The parameters of a query string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageQuery {
    /// All of them, in order, for links.
    pub(crate) pairs: Vec<(String, String)>,
}

/// The parameters applied to one dashboard.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// From the query string or the dashboard, such as `now-6h`.
    pub(crate) from: String,
    /// From the query string or the dashboard, such as `now`.
    pub(crate) to: String,
    /// Both, as absolute times.
    pub(crate) range: TimeRange,
    /// The Unix time in milliseconds that they hang on; `None`: they are absolute.
    pub(crate) now: Option<i64>,
    /// The zone of days and of the axes.
    pub(crate) zone: Zone,
    /// What is to be said of it: the one that is asked for is not known.
    pub(crate) zone_problem: Option<String>,
    /// Refresh interval; `None` if it is off.
    pub(crate) refresh: Option<Duration>,
    /// Only this panel.
    pub(crate) panel: Option<u32>,
    /// Without header.
    pub(crate) kiosk: bool,
    /// Dark or light instead of the browser's preference.
    pub(crate) theme: Option<&'static str>,
    /// Ids of rows that are open where the dashboard has them closed, and the other way round.
    pub(crate) toggled: Vec<u32>,
    /// How the tables of panels are sorted, by the panels' ids, where it is not as the dashboard has them.
    pub(crate) sorts: BTreeMap<u32, SortBy>,
}

/// `sort-ID=asc:COLUMN`, the parameter with which the page has the table of a panel sorted.
pub(crate) fn sort_parameter(panel: u32, by: &SortBy) -> (String, String) {
    let column = by.display_name.as_deref().unwrap_or_default();
    (
        format!("sort-{panel}"),
        format!("{}:{column}", if by.desc { "desc" } else { "asc" }),
    )
}

impl PageQuery {
    /// Parses a query string.
    ///
    /// # Errors
    /// It is malformed or too long.
    pub(crate) fn parse(query: &str) -> Result<Self, InvalidQuery> {
        if query.len() > MAX_BYTES {
            return Err(InvalidQuery::TooLong);
        }
        let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(query)?.into_inner();
        if pairs.len() > MAX_PARAMETERS {
            return Err(InvalidQuery::TooManyParameters);
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter; the last one counts, as in Grafana.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter().rev();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `var-NAME=value` without `var-`.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let pairs = self.pairs.iter();
        pairs
            .filter_map(|(key, value)| Some((key.strip_prefix("var-")?.to_owned(), value.clone())))
            .collect()
    }

    /// `path` with these parameters and `changes`; `None` removes a parameter.
    pub(crate) fn with(&self, path: &str, changes: &[(&str, Option<&str>)]) -> String {
        let kept = self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let kept = kept.filter(|(key, _)| !changes.iter().any(|(name, _)| name == key));
        let added = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        let mut address = path.to_owned();
        for (number, (key, value)) in kept.chain(added).enumerate() {
            address.push(if number == 0 { '?' } else { '&' });
            address.extend(utf8_percent_encode(key, ENCODED));
            if !value.is_empty() {
                address.push('=');
                address.extend(utf8_percent_encode(value, ENCODED));
            }
        }
        address
    }

    /// `path` with the range of `view` as links have it, if the page's form has sent it.
    pub(crate) fn without_typed(&self, path: &str, view: &View) -> Option<String> {
        self.get(TYPED_FROM).or_else(|| self.get(TYPED_TO))?;
        let linked = |text: &str, seconds: f64| match text.starts_with("now") {
            true => text.to_owned(),
            false => format!("{:.0}", seconds * 1000.0),
        };
        let (from, to) = (linked(&view.from, view.range.from), linked(&view.to, view.range.to));
        let changes = [
            (TYPED_FROM, None),
            (TYPED_TO, None),
            ("from", Some(&*from)),
            ("to", Some(&*to)),
        ];
        Some(self.with(path, &changes))
    }

    /// Applies the parameters to `dashboard` at the Unix time `now` in milliseconds.
    ///
    /// # Errors
    /// A parameter has an invalid value.
    pub(crate) fn view(&self, dashboard: &Dashboard, now: i64) -> Result<View, InvalidQuery> {
        let (zone, zone_problem) = zone_or_problem(self.get("timezone").unwrap_or(&dashboard.timezone));
        let saved = dashboard.time.ends();
        let end = |typed, linked, saved| match (self.get(typed), self.get(linked)) {
            (Some(text), _) => text.to_owned(),
            (None, Some(text)) => TimeRange::of_link(text),
            (None, None) => saved,
        };
        let from = end(TYPED_FROM, "from", saved.0);
        let to = end(TYPED_TO, "to", saved.1);
        let now = now - now.rem_euclid(TIME_STEP);
        let range = TimeRange::parse(&from, &to, now, &zone).map_err(InvalidQuery::Range)?;
        let number = |name, text: &str| {
            text.parse::<u32>().map_err(|_| InvalidQuery::PanelId {
                name,
                value: text.to_owned(),
            })
        };
        let panel = match self.get("viewPanel") {
            // Grafana 11.3 and newer write `panel-3`.
            Some(text) => Some(number("viewPanel", text.strip_prefix("panel-").unwrap_or(text))?),
            None => None,
        };
        let toggled = self.get("rows").unwrap_or_default().split(',');
        let toggled = toggled.filter(|text| !text.is_empty());
        Ok(View {
            now: TimeRange::is_relative(&from, &to).then_some(now),
            from,
            to,
            range,
            zone,
            zone_problem,
            refresh: self.refresh(dashboard),
            panel,
            kiosk: self.get("kiosk").is_some_and(|value| value != "false"),
            theme: match self.get("theme") {
                None | Some("") => None,
                Some("light") => Some("light"),
                Some("dark") => Some("dark"),
                Some(other) => return Err(InvalidQuery::Theme(other.to_owned())),
            },
            toggled: toggled.map(|text| number("rows", text)).collect::<Result<_, _>>()?,
            sorts: self.sorts()?,
        })
    }

    /// The parameters `sort-ID`.
    fn sorts(&self) -> Result<BTreeMap<u32, SortBy>, InvalidQuery> {
        let pairs = self
            .pairs
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix("sort-")?, value)));
        let sort = |(panel, value): (&str, &String)| {
            let panel = panel.parse::<u32>().map_err(|_| InvalidQuery::PanelId {
                name: "sort",
                value: panel.to_owned(),
            })?;
            let (desc, column) = match value.split_once(':') {
                Some(("asc", column)) => (false, column),
                Some(("desc", column)) => (true, column),
                _ => {
                    return Err(InvalidQuery::Sort {
                        panel,
                        value: value.clone(),
                    });
                }
            };
            Ok((
                panel,
                SortBy {
                    display_name: Some(column.to_owned()),
                    desc,
                },
            ))
        };
        pairs.map(sort).collect()
    }

    fn refresh(&self, dashboard: &Dashboard) -> Option<Duration> {
        let text = self.get("refresh").unwrap_or(&dashboard.refresh);
        // What is no time is off, such as Grafana's `auto`, which depends on the width of the window.
        let millis = interval::parse(text).and_then(|millis| u64::try_from(millis).ok());
        millis.map(|millis| Duration::from_millis(millis).max(MIN_REFRESH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_003_000;

    fn view(query: &str) -> Result<View, InvalidQuery> {
        PageQuery::parse(query).unwrap().view(&Dashboard::default(), NOW)
    }

    #[test]
    fn an_address_of_grafana_is_understood() {
        let view =
            view("orgId=1&from=now-1h&to=now&timezone=utc&refresh=10s&viewPanel=panel-3&kiosk=1&theme=dark&rows=7,9")
                .unwrap();
        assert_eq!(view.range.to - view.range.from, 3600.0);
        assert_eq!(view.range.to, 1_700_000_000.0, "cut to a moment");
        assert_eq!((view.refresh, view.panel), (Some(Duration::from_secs(10)), Some(3)));
        assert_eq!((view.kiosk, view.theme, view.toggled), (true, Some("dark"), vec![7, 9]));
    }

    #[test]
    fn a_date_without_a_zone_is_in_utc_in_a_link_and_in_the_pages_zone_where_it_is_typed() {
        let range = |query: &str| view(&format!("timezone=Asia/Kolkata&{query}")).unwrap().range;
        let (from, to) = ("2023-11-14 21:30:00", "20231114T223000");
        let linked = range(&format!("from={from}&to={to}"));
        assert_eq!((linked.from, linked.to), (1_699_997_400.0, 1_700_001_000.0));
        let typed = range(&format!("from=now-1h&typed-from={from}&typed-to={to}"));
        let ahead = 5.5 * 3600.0;
        assert_eq!((typed.from, typed.to), (linked.from - ahead, linked.to - ahead));
        let named = range("from=2023-11-14T23:30:00%2B02:00&to=now-1d%2B1y");
        assert_eq!(named.from, linked.from, "it names its zone");
    }

    #[test]
    fn what_was_typed_becomes_a_link() {
        let of = |text: &str| {
            let query = PageQuery::parse(text).unwrap();
            let view = query.view(&Dashboard::default(), NOW).unwrap();
            query.without_typed("/d/u", &view)
        };
        assert_eq!(
            of("timezone=Asia/Kolkata&typed-from=2023-11-15 03:00&typed-to=now/d&var-x=1").as_deref(),
            Some("/d/u?timezone=Asia/Kolkata&var-x=1&from=1699997400000&to=now/d")
        );
        assert_eq!(of("from=now-1h&to=now"), None);
    }

    #[test]
    fn a_zone_that_is_not_known_is_said() {
        let said = |query: &str| view(query).unwrap().zone_problem;
        assert!(said("timezone=Mars/Olympus").is_some_and(|said| said.contains("Mars/Olympus")));
        assert_eq!((said("timezone=browser"), said("")), (None, None));
    }

    #[test]
    fn a_refresh_that_is_no_time_is_off() {
        for query in ["refresh=auto", "refresh=off", "refresh=", "refresh=soon"] {
            assert_eq!(view(query).unwrap().refresh, None, "{query}");
        }
    }

    #[test]
    fn invalid_values_are_reported() {
        for (query, part) in [
            ("from=yesterday", "yesterday"),
            ("from=now&to=now-1h", "from"),
            ("viewPanel=x", "viewPanel=x"),
            ("theme=pink", "theme=pink"),
            ("rows=1,a", "rows=a"),
            ("sort-x=asc:a", "sort=x"),
            ("sort-3=Value", "sort-3=Value: asc:COLUMN"),
        ] {
            let error = view(query).unwrap_err().to_string();
            assert!(error.contains(part), "{query}: {error}");
        }
        assert!(PageQuery::parse(&"a=b&".repeat(300)).is_err());
        assert!(PageQuery::parse(&format!("a={}", "b".repeat(MAX_BYTES))).is_err());
    }

    #[test]
    fn tables_are_sorted_by_what_the_address_says() {
        let sorts = view("sort-3=asc:a&sort-3=desc:a:b&sort-4=asc:").unwrap().sorts;
        let of = |panel| sorts.get(&panel).map(|by: &SortBy| sort_parameter(panel, by).1);
        assert_eq!(of(3).as_deref(), Some("desc:a:b"), "the last one counts");
        assert_eq!((of(4).as_deref(), of(5)), (Some("asc:"), None));
    }

    #[test]
    fn links_keep_what_they_do_not_change() {
        let query = PageQuery::parse("from=now-1h&var-x=a%26b%22%3C&kiosk").unwrap();
        assert_eq!(
            query.with("/d/u", &[("from", Some("now-6h")), ("kiosk", None)]),
            "/d/u?var-x=a%26b%22%3C&from=now-6h"
        );
    }
}

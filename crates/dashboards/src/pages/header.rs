//! The header of a dashboard's page: breadcrumbs, time range, variables, refresh. Links and forms, no script.

use maud::{Markup, html};

use super::query::{PageQuery, TYPED_FROM, TYPED_TO, View};
use crate::library::SHIPPED;
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::time::local;
use edgewatch_grafana_model::variables::Variables;

/// Ranges that end now: beginning and name.
const RANGES: [(&str, &str); 10] = [
    ("now-5m", "Last 5 minutes"),
    ("now-15m", "Last 15 minutes"),
    ("now-30m", "Last 30 minutes"),
    ("now-1h", "Last 1 hour"),
    ("now-3h", "Last 3 hours"),
    ("now-6h", "Last 6 hours"),
    ("now-12h", "Last 12 hours"),
    ("now-24h", "Last 24 hours"),
    ("now-2d", "Last 2 days"),
    ("now-7d", "Last 7 days"),
];
const REFRESHES: [&str; 6] = ["5s", "10s", "30s", "1m", "5m", "15m"];

pub(crate) struct Header<'a> {
    /// `/d/UID`.
    pub(crate) path: &'a str,
    pub(crate) query: &'a PageQuery,
    /// The query string, applied to the dashboard.
    pub(crate) view: &'a View,
    pub(crate) dashboard: &'a Dashboard,
    pub(crate) variables: &'a Variables,
    /// URL of the same in Grafana, if that runs.
    pub(crate) grafana: Option<String>,
}

impl Header<'_> {
    /// The bar at the top.
    pub(crate) fn bar(&self) -> Markup {
        let Self {
            path,
            query,
            view,
            dashboard,
            ..
        } = self;
        let is_dark = view.theme == Some("dark");
        html! {
            header.bar {
                p.crumbs {
                    a href="/" { "edgewatch" } " / " a href="/dashboards" { "Dashboards" } " / "
                    @match view.panel {
                        Some(_) => a href=(query.with(path, &[("viewPanel", None)])) { (dashboard.title) },
                        None => strong { (dashboard.title) },
                    }
                }
                (self.choices())
                (self.ranges())
                nav.tools {
                    @for other in SHIPPED.iter().filter(|other| other.uid != dashboard.uid) {
                        a href=(self.link_to(other.uid)) { (other.title) }
                    }
                    a href=(query.with(path, &[("kiosk", Some(""))])) { "Kiosk" }
                    @if is_dark { a href=(query.with(path, &[("theme", Some("light"))])) { "Light" } }
                    @else { a href=(query.with(path, &[("theme", Some("dark"))])) { "Dark" } }
                    @if let Some(grafana) = &self.grafana { a href=(grafana) { "Grafana" } }
                }
            }
        }
    }

    /// Another dashboard with the same time range.
    fn link_to(&self, uid: &str) -> String {
        let kept = ["from", "to", "timezone", "refresh", "theme", "kiosk"];
        let pairs = self
            .query
            .pairs
            .iter()
            .filter(|(name, _)| kept.contains(&name.as_str()));
        let query = PageQuery {
            pairs: pairs.cloned().collect(),
        };
        query.with(&format!("/d/{uid}"), &[])
    }

    fn ranges(&self) -> Markup {
        let Self { path, query, view, .. } = self;
        html! {
            details.picker {
                summary { span.visually-hidden { "Time range: " } (self.range_name()) }
                div.menu {
                    ul {
                        @for (from, name) in RANGES {
                            li {
                                a href=(query.with(path, &[("from", Some(from)), ("to", Some("now"))]))
                                    aria-current=[(view.from == from && view.to == "now").then_some("true")] { (name) }
                            }
                        }
                    }
                    form method="get" action=(path) {
                        (self.hidden(|name| name == "from" || name == "to"))
                        label { "From " input name=(TYPED_FROM) value=(self.time(&view.from, view.range.from)) autocomplete="off" spellcheck="false"; }
                        label { "To " input name=(TYPED_TO) value=(self.time(&view.to, view.range.to)) autocomplete="off" spellcheck="false"; }
                        button type="submit" { "Apply" }
                        p.hint { "now-6h, now-1d/d, 2026-01-31 18:00, or milliseconds" }
                    }
                }
            }
        }
    }

    fn range_name(&self) -> String {
        let view = self.view;
        let known = RANGES.iter().find(|(from, _)| *from == view.from && view.to == "now");
        known.map_or_else(
            || {
                format!(
                    "{} to {}",
                    self.time(&view.from, view.range.from),
                    self.time(&view.to, view.range.to)
                )
            },
            |(_, name)| (*name).to_owned(),
        )
    }

    /// A relative time unchanged, an absolute one as local time.
    fn time(&self, text: &str, at: f64) -> String {
        if text.starts_with("now") {
            return text.to_owned();
        }
        local(at, &self.view.zone)
    }

    /// Variables and refresh, in one form.
    fn choices(&self) -> Markup {
        let Self { path, query, view, .. } = self;
        // A variable with one option, such as the data source, leaves no choice.
        let shown = || {
            let variables = self.variables.list.iter();
            variables.filter(|variable| !variable.hidden && variable.options.len() != 1)
        };
        let refresh = query.get("refresh").unwrap_or(&self.dashboard.refresh);
        let unusual = Some(refresh).filter(|refresh| view.refresh.is_some() && !REFRESHES.contains(refresh));
        html! {
            form.choices method="get" action=(path) data-auto {
                (self.hidden(|name| name == "refresh" || shown().any(|variable| name.strip_prefix("var-") == Some(&*variable.name))))
                @for variable in shown() {
                    label {
                        (if variable.label.is_empty() { &variable.name } else { &variable.label }) " "
                        @if variable.options.is_empty() {
                            input name=(format!("var-{}", variable.name)) value=(variable.chosen.first().map_or("", String::as_str));
                        } @else {
                            select name=(format!("var-{}", variable.name)) multiple[variable.multi] size=[variable.multi.then_some("1")] {
                                @for (text, value) in &variable.options {
                                    option value=(value) selected[variable.chosen.contains(value)] { (text) }
                                }
                            }
                        }
                    }
                }
                label {
                    "Refresh "
                    select name="refresh" {
                        option value="off" selected[view.refresh.is_none()] { "off" }
                        @if let Some(refresh) = unusual { option value=(refresh) selected { (refresh) } }
                        @for choice in REFRESHES { option value=(choice) selected[view.refresh.is_some() && choice == refresh] { (choice) } }
                    }
                }
                button type="submit" { "Apply" }
            }
        }
    }

    /// The parameters without an input of their own in a form.
    fn hidden(&self, has_input: impl Fn(&str) -> bool) -> Markup {
        html! {
            @for (name, value) in self.query.pairs.iter().filter(|(name, _)| !has_input(name)) {
                input type="hidden" name=(name) value=(value);
            }
        }
    }
}

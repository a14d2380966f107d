//! Variables: what can be chosen, what is chosen, and their place in queries and titles.

pub mod format;
mod options;
mod query;
pub mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::limits;
use super::model::{Dashboard, Variable};
use super::source::Source;
use super::time::TimeRange;
use format::{Place, Written};
use template::Reference;

/// The value that stands for every option.
pub const ALL: &str = "$__all";

/// The variables of a dashboard, with what is chosen.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// In the dashboard's order. Each panel has a copy, in which hardly any is another.
    pub list: Vec<Arc<Resolved>>,
}

/// A variable with its options.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// Without the `$`.
    pub name: String,
    /// As people read it; empty if it has no label.
    pub label: String,
    /// True if the page does not show it.
    pub hidden: bool,
    /// True if several may be chosen.
    pub multi: bool,
    /// What can be chosen: text and value. `All`, whose value is [`ALL`], is among them if it may be chosen.
    pub options: Vec<(String, String)>,
    /// The chosen values; all of them are among the options.
    pub chosen: Vec<String>,
    /// What `All` stands for in queries; `None`: every other option.
    pub all: Option<String>,
    /// Why there are no options, or a choice was not taken.
    pub problem: Option<String>,
}

impl Resolved {
    /// Whether several values can come together, so that queries compare with `=~`.
    fn may_be_several(&self) -> bool {
        self.multi || self.options.iter().any(|(_, value)| value == ALL)
    }

    /// The chosen values; those of every option for `All`.
    pub fn values(&self) -> Vec<String> {
        if self.chosen.iter().any(|value| value == ALL) {
            let real = self.options.iter().filter(|(_, value)| value != ALL);
            return real.map(|(_, value)| value.clone()).collect();
        }
        self.chosen.clone()
    }

    /// The texts of what is chosen; `All` is one.
    pub fn texts(&self) -> Vec<String> {
        let text_of = |chosen: &String| {
            let option = self.options.iter().find(|(_, value)| value == chosen);
            option.map_or_else(|| chosen.clone(), |(text, _)| text.clone())
        };
        self.chosen.iter().map(text_of).collect()
    }

    /// What stands for it in a text. `all` is what stands for All there, which may hold variables itself.
    fn write(&self, reference: Reference<'_>, place: Place, all: impl FnOnce(&str) -> String) -> String {
        let is_all = self.chosen.iter().any(|value| value == ALL);
        let format = match (reference.format, place) {
            ("", Place::Text) => "text",
            ("", Place::Content) => "html",
            (format, _) => format,
        };
        if format == "text" && (is_all || reference.path.is_empty()) {
            return self.texts().join(" + ");
        }
        if let Some(value) = self.all.as_ref().filter(|_| is_all) {
            return match format {
                "percentencode" => format::percent(value),
                "queryparam" => self.in_address(),
                _ => all(value),
            };
        }
        let is_list = is_all || self.multi;
        let mut values = self.values();
        if !reference.path.is_empty() {
            match self.at(reference.path, is_list) {
                Some(found) => values = found,
                None => return String::new(),
            }
        }
        let written = Written {
            name: &self.name,
            values: &values,
            // One of a list is none.
            is_list: is_list && reference.path.parse::<usize>().is_err(),
        };
        match (format, place) {
            ("queryparam", _) if reference.path.is_empty() => self.in_address(),
            ("", Place::Query) => format::promql(&values, self.may_be_several()),
            ("regex", Place::Query) => format::promql(&values, true),
            (named, _) => written.write(named),
        }
    }

    /// What `${name.0}` and the like stand for: one of several values. Values have no other parts here, so that a list of them is a
    /// list of nothing, and a single one is nothing.
    fn at(&self, path: &str, is_list: bool) -> Option<Vec<String>> {
        let values = self.values();
        let index = path.parse::<usize>().ok().and_then(|index| values.get(index).cloned());
        match (is_list, index) {
            (false, _) => None,
            (true, Some(value)) => Some(vec![value]),
            (true, None) => Some(values.iter().map(|_| String::new()).collect()),
        }
    }

    /// As addresses of pages bear it.
    fn in_address(&self) -> String {
        let written = Written {
            name: &self.name,
            values: &self.chosen,
            is_list: true,
        };
        written.write("queryparam")
    }
}

impl Variables {
    /// The variables of `dashboard`. `asked` are the page's `var-NAME=value` pairs, without `var-`; a value that is not among the
    /// options is not taken, for it would become part of a query: whoever may look at a dashboard may ask its queries, no others.
    pub fn resolve(dashboard: &Dashboard, asked: &[(String, String)], range: TimeRange, source: &dyn Source) -> Self {
        let mut variables = Self::default();
        let list = &dashboard.templating.list;
        let places: BTreeMap<&str, usize> = list
            .iter()
            .enumerate()
            .rev()
            .map(|(place, model)| (&*model.name, place))
            .collect();
        let uses = |variable: &Variable| -> BTreeSet<usize> {
            let names = template::names(&options::definition(variable));
            let used = names.iter().filter(|name| **name != variable.name);
            used.filter_map(|name| places.get(name.as_str()).copied()).collect()
        };
        let mut waiting: Vec<(usize, BTreeSet<usize>)> = (0..).zip(list.iter().map(uses)).collect();
        let mut room = limits::CHOICES;
        // One that uses another comes after it; those in a circle come at last, in their order.
        while !waiting.is_empty() {
            let is_waited_for = |place: &usize| waiting.iter().any(|(other, _)| other == place);
            let is_ready = |(_, uses): &(usize, BTreeSet<usize>)| !uses.iter().any(is_waited_for);
            let next = waiting.iter().position(is_ready).unwrap_or(0);
            let (place, _) = waiting.remove(next);
            let Some(variable) = list.get(place) else { continue };
            let resolved = options::resolve(variable, asked, range, source, &variables, &mut room);
            variables.list.push(Arc::new(resolved));
        }
        variables.list.sort_by_key(|resolved| places.get(&*resolved.name));
        variables
    }

    /// What is wrong with each, for people.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        let problem = |variable: &Arc<Resolved>| {
            let problem = variable.problem.as_ref()?;
            Some(format!("{}: {problem}", variable.name))
        };
        self.list.iter().filter_map(problem)
    }

    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&Resolved> {
        self.list.iter().find(|variable| variable.name == name).map(Arc::as_ref)
    }

    /// The same variables, with `value` chosen for `name`: for a panel that is repeated.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut variables = self.clone();
        if let Some(variable) = variables.list.iter_mut().find(|variable| variable.name == name) {
            Arc::make_mut(variable).chosen = vec![value.to_owned()];
        }
        variables
    }

    /// All of them as addresses of pages bear them.
    pub fn in_address(&self) -> String {
        let all = self.list.iter().map(|variable| variable.in_address());
        all.collect::<Vec<_>>().join("&")
    }

    /// What a variable in a text at `place` stands for.
    pub fn value(&self, reference: Reference<'_>, place: Place) -> Option<String> {
        let all = |text: &str| {
            // A variable that stands for itself would never end.
            let others = |other: Reference<'_>| {
                let others = self.get(other.name).filter(|_| other.name != reference.name)?;
                Some(others.write(other, Place::Plain, str::to_owned))
            };
            template::expand(text, others)
        };
        self.get(reference.name)
            .map(|variable| variable.write(reference, place, all))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Fake, dashboard, scope};
    use super::*;

    fn resolve(list: serde_json::Value, asked: &[(&str, &str)], source: &Fake) -> Variables {
        let asked: Vec<_> = asked
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let dashboard = dashboard(json!({"templating": {"list": list}}));
        Variables::resolve(&dashboard, &asked, scope(Variables::default()).range, source)
    }

    fn values(variable: &Resolved) -> Vec<&str> {
        variable.options.iter().map(|(_, value)| value.as_str()).collect()
    }

    fn hosts() -> Fake {
        let host = |fake: Fake, job, host| fake.with("up", &[("__name__", "up"), ("job", job), ("host", host)], 1.0);
        let fake = host(host(host(Fake::default(), "a", "h10"), "a", "h9"), "b", "h1");
        fake.with("up{job=\"b\"}", &[("host", "h1")], 1.0)
            .with("up{job=~\"(a|b)\"}", &[("host", "all")], 1.0)
    }

    #[test]
    fn options_come_from_labels_filtered_named_and_sorted() {
        let of = |extra: serde_json::Value| {
            let mut variable =
                json!({"name": "x", "type": "query", "query": {"query": "label_values(up, host)", "refId": "A"}});
            variable
                .as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            let variables = resolve(json!([variable]), &[], &hosts());
            variables.list[0]
                .options
                .iter()
                .map(|(text, value)| format!("{text}={value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(json!({})), ["h1=h1", "h10=h10", "h9=h9"]);
        assert_eq!(of(json!({"sort": 2})), ["h9=h9", "h10=h10", "h1=h1"]);
        assert_eq!(of(json!({"sort": 3})), ["h1=h1", "h9=h9", "h10=h10"]);
        assert_eq!(of(json!({"regex": "/h(\\d)/"})), ["1=1", "9=9"]);
        assert_eq!(of(json!({"regex": "/h1$/"})), ["h1=h1"]);
        assert_eq!(
            of(json!({"regex": "/(?<text>h(?<value>\\d+))/"})),
            ["h1=1", "h10=10", "h9=9"]
        );
    }

    #[test]
    fn there_are_other_questions() {
        let of = |query: &str| {
            let fake = hosts()
                .with("sum(up)", &[], 3.0)
                .with("", &[("__name__", "up")], 0.0)
                .with("", &[("__name__", "down")], 0.0);
            let variables = resolve(json!([{"name": "x", "type": "query", "query": query}]), &[], &fake);
            values(&variables.list[0]).join(" ")
        };
        assert_eq!(of("query_result(sum(up))"), "{} 3 1800003600000");
        assert_eq!(of("metrics(^u)"), "up");
        assert_eq!(of("up{job=\"b\"}"), "{host=\"h1\"}");
        assert_eq!(of("label_values(up{job=\"b\"}, host)"), "h1");
    }

    #[test]
    fn one_variable_may_use_another_that_comes_later() {
        let list = json!([
            {"name": "host", "type": "query", "query": "label_values(up{job=\"$job\"}, host)"},
            {"name": "job", "type": "query", "query": "label_values(up, job)"}]);
        let variables = resolve(list, &[("job", "b")], &hosts());
        assert_eq!(values(variables.get("host").unwrap()), ["h1"]);
        assert_eq!(
            variables.list[0].name, "host",
            "the page shows them in the dashboard's order"
        );
    }

    #[test]
    fn several_or_all_may_be_chosen() {
        let list = |current: serde_json::Value| {
            json!([{"name": "job", "type": "query", "query": "label_values(up, job)", "multi": true, "includeAll": true, "current": current},
                {"name": "host", "type": "query", "query": "label_values(up{job=~\"$job\"}, host)"}])
        };
        let chosen = |current, asked: &[(&str, &str)]| {
            resolve(list(current), asked, &hosts())
                .get("job")
                .unwrap()
                .chosen
                .clone()
        };
        assert_eq!(chosen(json!({}), &[]), [ALL]);
        assert_eq!(chosen(json!({"value": ["b"]}), &[]), ["b"]);
        assert_eq!(
            chosen(json!({"value": "$__all"}), &[("job", "a"), ("job", "b")]),
            ["a", "b"]
        );
        assert_eq!(chosen(json!({"value": ["b"]}), &[("job", "All")]), [ALL]);
        let variables = resolve(list(json!({})), &[], &hosts());
        assert_eq!(values(variables.get("host").unwrap()), ["all"]);
        assert_eq!(variables.get("job").unwrap().texts(), ["All"]);
    }

    #[test]
    fn only_options_are_ever_chosen() {
        let list = json!([{"name": "job", "type": "query", "query": "label_values(up, job)"}, {"name": "text", "type": "textbox", "query": "fixed"}]);
        let variables = resolve(list, &[("job", "\"} or secret{x=\""), ("text", "other")], &hosts());
        let job = variables.get("job").unwrap();
        assert_eq!((&*job.chosen, job.problem.is_some()), (&["a".to_owned()][..], true));
        assert_eq!(variables.get("text").unwrap().chosen, ["fixed"]);
    }

    #[test]
    fn the_other_kinds_have_options_of_their_own() {
        let list = json!([
            {"name": "custom", "type": "custom", "query": "a, two : 2,x\\,y", "current": {"value": "2"}},
            {"name": "constant", "type": "constant", "query": "fixed"},
            {"name": "interval", "type": "interval", "query": "1m,1h", "auto": true, "auto_count": 60, "auto_min": "10s"},
            {"name": "ds", "type": "datasource", "query": "prometheus"},
            {"name": "loki", "type": "datasource", "query": "loki"},
            {"name": "filters", "type": "adhoc"}]);
        let variables = resolve(list, &[], &Fake::default());
        let find = |name| variables.get(name).unwrap();
        assert_eq!(
            (values(find("custom")), &*find("custom").texts()),
            (vec!["a", "2", "x,y"], &["two".to_owned()][..])
        );
        assert!(find("constant").hidden && find("constant").chosen == ["fixed"]);
        assert_eq!(values(find("interval")), ["1m", "1m", "1h"]);
        assert_eq!(values(find("ds")), ["prometheus"]);
        assert!(find("loki").problem.as_ref().unwrap().contains("\"loki\""));
        assert!(find("filters").problem.is_none());
    }

    #[test]
    fn a_variable_without_options_says_why() {
        let error = super::super::source::QueryError::Unreachable("nothing listens".to_owned());
        let source = Fake::default().failing("up", error);
        let list = json!([{"name": "job", "type": "query", "query": "label_values(up, job)", "includeAll": true}]);
        let variables = resolve(list, &[], &source);
        let job = &variables.list[0];
        assert_eq!(
            job.problem.as_deref(),
            Some("the variable job: Prometheus does not answer: nothing listens")
        );
        assert_eq!(
            job.write(
                template::Reference {
                    name: "job",
                    path: "",
                    format: ""
                },
                Place::Query,
                str::to_owned
            ),
            ""
        );
    }

    #[test]
    fn formats_and_the_value_for_all_are_respected() {
        let list = json!([{"name": "job", "type": "query", "query": "label_values(up, job)", "includeAll": true, "allValue": ".+"}]);
        let variables = resolve(list, &[], &hosts());
        let expand = |text: &str| template::expand(text, |reference| variables.value(reference, Place::Query));
        assert_eq!(
            expand("$job ${job:text} ${job.text} ${job:queryparam}"),
            ".+ All .+ var-job=$__all"
        );
        let one = variables.with("job", "a");
        let expand = |text: &str| template::expand(text, |reference| one.value(reference, Place::Query));
        assert_eq!(expand("$job ${job:csv} [[job:pipe]]"), "a a a");
    }
}

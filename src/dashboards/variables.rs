//! Variables: what can be chosen, what is chosen, and their place in queries and titles.

pub mod format;
mod options;
mod query;
pub mod template;

use super::model::{Dashboard, Variable};
use super::source::Source;
use super::time::TimeRange;
use format::Place;
use template::Reference;

/// The value that stands for every option.
pub const ALL: &str = "$__all";

/// The variables of a dashboard, with what is chosen.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// In the dashboard's order.
    pub list: Vec<Resolved>,
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

    fn write(&self, reference: Reference<'_>, place: Place) -> String {
        let is_all = self.chosen.iter().any(|value| value == ALL);
        if reference.path == "text" || reference.format == "text" {
            return format::write(&self.texts(), "text");
        }
        if let Some(all) = self.all.as_ref().filter(|_| is_all) {
            return all.clone();
        }
        let values = self.values();
        match (reference.format, place) {
            ("queryparam", _) => {
                let pairs = self
                    .chosen
                    .iter()
                    .map(|value| format!("var-{}={}", self.name, format::percent(value)));
                pairs.collect::<Vec<_>>().join("&")
            }
            ("", Place::Query) => format::promql(&values, self.may_be_several()),
            ("", Place::Text) => format::write(&self.texts(), "text"),
            ("", Place::Plain) => format::write(&values, "glob"),
            ("regex", Place::Query) => format::promql(&values, true),
            (named, _) => format::write(&values, named),
        }
    }
}

impl Variables {
    /// The variables of `dashboard`. `asked` are the page's `var-NAME=value` pairs, without `var-`; a value that is not among the
    /// options is not taken, for it would become part of a query: whoever may look at a dashboard may ask its queries, no others.
    pub fn resolve(dashboard: &Dashboard, asked: &[(String, String)], range: TimeRange, source: &dyn Source) -> Self {
        let mut variables = Self::default();
        let mut waiting: Vec<&Variable> = dashboard.templating.list.iter().collect();
        // One that uses another comes after it; those in a circle come at last, in their order.
        while !waiting.is_empty() {
            let is_ready = |variable: &&Variable| {
                let uses = template::names(&options::definition(variable));
                !waiting
                    .iter()
                    .any(|other| other.name != variable.name && uses.contains(&other.name))
            };
            let next = waiting.iter().position(is_ready).unwrap_or(0);
            let variable = waiting.remove(next);
            let resolved = options::resolve(variable, asked, range, source, &variables);
            variables.list.push(resolved);
        }
        let place = |resolved: &Resolved| {
            dashboard
                .templating
                .list
                .iter()
                .position(|model| model.name == resolved.name)
        };
        variables.list.sort_by_key(place);
        variables
    }

    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&Resolved> {
        self.list.iter().find(|variable| variable.name == name)
    }

    /// The same variables, with `value` chosen for `name`: for a panel that is repeated.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut variables = self.clone();
        if let Some(variable) = variables.list.iter_mut().find(|variable| variable.name == name) {
            variable.chosen = vec![value.to_owned()];
        }
        variables
    }

    /// What a variable in a text at `place` stands for.
    pub fn value(&self, reference: Reference<'_>, place: Place) -> Option<String> {
        self.get(reference.name)
            .map(|variable| variable.write(reference, place))
    }
}

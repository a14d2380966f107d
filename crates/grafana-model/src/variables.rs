//! Variables: what can be chosen, what is chosen, and their place in queries and titles.

pub mod format;
mod options;
mod query;
pub mod template;
#[cfg(test)]
mod tests;

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

/// The value that stands for the interval that fits the range.
pub const AUTO: &str = "$__auto";

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
    /// What [`AUTO`] stands for, if it is among the options.
    pub fitting: String,
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
        let value = |chosen: &String| match chosen.as_str() {
            AUTO => self.fitting.clone(),
            _ => chosen.clone(),
        };
        self.chosen.iter().map(value).collect()
    }

    /// The texts of what is chosen; `All` is one. An interval has no other text than itself.
    pub fn texts(&self) -> Vec<String> {
        let text_of = |chosen: &String| {
            if chosen == AUTO {
                return self.fitting.clone();
            }
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

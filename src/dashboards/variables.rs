//! Variables: what can be chosen, what is chosen, and their place in queries and titles.

use super::model::Dashboard;
use super::source::Source;
use super::time::TimeRange;

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
    /// What can be chosen: text and value.
    pub options: Vec<(String, String)>,
    /// The chosen values; all of them are among the options.
    pub chosen: Vec<String>,
    /// Why there are no options, or a choice was not taken.
    pub problem: Option<String>,
}

impl Variables {
    /// The variables of `dashboard`. `asked` are the page's `var-NAME=value` pairs, without `var-`; a value that is not among the
    /// options is not taken, for it would become part of a query: whoever may look at a dashboard may ask its queries, no others.
    pub fn resolve(dashboard: &Dashboard, asked: &[(String, String)], range: TimeRange, source: &dyn Source) -> Self {
        let _ = (dashboard, asked, range, source);
        Self::default()
    }
}

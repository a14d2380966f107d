//! What is said of a whole dashboard.

use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::variables::Variables;

/// That its zone is not known, what is not shown of it, and what is wrong with its variables.
pub(crate) fn notes<'a>(
    zone_problem: Option<&'a String>,
    dashboard: &'a Dashboard,
    variables: &'a Variables,
) -> impl Iterator<Item = String> + 'a {
    let of_dashboard = zone_problem.into_iter().chain(&dashboard.left_out).cloned();
    of_dashboard.chain(variables.problems())
}

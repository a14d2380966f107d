//! Where panels lie, with those that are repeated for each value of a variable.

use std::collections::{BTreeMap, BTreeSet};

use super::grid::COLUMNS;
use super::model::{Dashboard, Panel};
use super::panel::PanelKind;
use super::scope::Scope;
use super::variables::Variables;

/// Rows of the grid that a panel has at most: the rest is cut.
pub const MAX_ROWS: u32 = 40;
/// A panel or row is repeated at most that often.
const MAX_REPEATS: usize = 50;
/// Panels of a page, repeated ones among them; what comes after is left out. A small file can ask for a million.
pub const MAX_PANELS: usize = 600;
/// Repeated panels beside each other, where the panel does not say how many.
const BESIDE: u32 = 4;

/// A panel in its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The panel: its place is final, its id is unique on the page, and its own `panels` are in `inside`.
    pub panel: Panel,
    /// What is chosen for it, name and value, where that differs from the page: it is repeated.
    pub chosen: Vec<(String, String)>,
    /// The panels of a collapsed row.
    pub inside: Vec<Placed>,
}

impl Placed {
    /// The variables that the panel sees.
    pub fn variables(&self, variables: &Variables) -> Variables {
        let chosen = self.chosen.iter();
        chosen.fold(variables.clone(), |variables, (name, value)| {
            variables.with(name, value)
        })
    }

    /// The scope that the panel sees.
    pub fn scope(&self, scope: &Scope) -> Scope {
        Scope {
            variables: self.variables(&scope.variables),
            ..scope.clone()
        }
    }

    /// The title, with what stands for its variables.
    pub fn title(&self, scope: &Scope) -> String {
        match self.chosen.is_empty() {
            true => scope.title(&self.panel.title),
            false => self.scope(scope).title(&self.panel.title),
        }
    }
}

/// The panels of `dashboard` from the top left, rows before what belongs to them.
pub fn layout(dashboard: &Dashboard, variables: &Variables) -> Vec<Placed> {
    let panels = in_order(&dashboard.panels);
    let mut placed = Vec::new();
    // How far everything further below has moved down.
    let mut down = 0;
    let mut left = MAX_PANELS;
    let mut rest = panels.as_slice();
    while let Some((first, after)) = rest.split_first() {
        // What lies below an open row up to the next one belongs to it.
        let members = match *first.kind() == PanelKind::Row && first.collapsed {
            true => 0,
            false => after
                .iter()
                .position(|panel| *panel.kind() == PanelKind::Row)
                .unwrap_or(after.len()),
        };
        let (section, next) = rest.split_at(members + 1);
        rest = next;
        let row = Some(*first).filter(|first| *first.kind() == PanelKind::Row && !first.repeat.is_empty());
        let values = row.map_or_else(Vec::new, |row| values(&row.repeat, variables));
        let scopes: Vec<Vec<(String, String)>> = match row {
            Some(row) if !values.is_empty() => values
                .into_iter()
                .map(|value| vec![(row.repeat.clone(), value)])
                .collect(),
            _ => vec![Vec::new()],
        };
        for (index, chosen) in scopes.into_iter().enumerate() {
            let (mut copies, height, grown) = expand(section, variables, &chosen, &mut left);
            if index > 0 {
                down += height;
            }
            shift(&mut copies, down);
            down += grown;
            placed.extend(copies);
        }
    }
    number(&mut placed);
    placed
}

/// The panels of a dashboard in which nothing is repeated, as [`layout`] places them, but moved instead of copied: on a device
/// the copy would be the most that a page needs of memory.
pub fn layout_plain(panels: Vec<Panel>) -> Vec<Placed> {
    fn place(mut panels: Vec<Panel>, left: &mut usize) -> Vec<Placed> {
        panels.sort_by_key(|panel| (panel.grid_pos.y, panel.grid_pos.x));
        let placed = panels.into_iter().map_while(|mut panel| {
            *left = left.checked_sub(1)?;
            let inside = place(std::mem::take(&mut panel.panels), left);
            Some(Placed {
                panel,
                chosen: Vec::new(),
                inside,
            })
        });
        placed.collect()
    }
    let mut left = MAX_PANELS;
    let mut placed = place(panels, &mut left);
    // It stays for as long as somebody looks.
    placed.shrink_to_fit();
    number(&mut placed);
    placed
}

/// `section` with its repeated panels: where they would lie if nothing above had grown, the height of the section as it was, and how
/// much it has grown.
fn expand(
    section: &[&Panel],
    variables: &Variables,
    chosen: &[(String, String)],
    left: &mut usize,
) -> (Vec<Placed>, u32, u32) {
    // How much is put in below the panels that begin at the key.
    let mut inserted: BTreeMap<u32, u32> = BTreeMap::new();
    let mut placed = Vec::new();
    for panel in section {
        let above = inserted.range(..panel.grid_pos.y).map(|(_, grown)| grown).sum();
        let mut copies = repeat(panel, variables, chosen, left);
        let bottom = copies.iter().map(bottom).max().unwrap_or(0);
        let grown = bottom.saturating_sub(panel.grid_pos.y + panel.grid_pos.h);
        let most = inserted.entry(panel.grid_pos.y).or_default();
        *most = grown.max(*most);
        shift(&mut copies, above);
        placed.extend(copies);
    }
    let top = section.iter().map(|panel| panel.grid_pos.y).min().unwrap_or(0);
    let end = section
        .iter()
        .map(|panel| panel.grid_pos.y + panel.grid_pos.h)
        .max()
        .unwrap_or(top);
    (placed, end - top, inserted.values().sum())
}

/// A panel, or its copies.
fn repeat(panel: &Panel, variables: &Variables, chosen: &[(String, String)], left: &mut usize) -> Vec<Placed> {
    let mut one = |panel: Panel, chosen: Vec<(String, String)>| {
        *left = left.checked_sub(1)?;
        let mut panel = panel;
        let inside = std::mem::take(&mut panel.panels);
        let (inside, ..) = expand(&in_order(&inside), variables, &chosen, left);
        Some(Placed { panel, chosen, inside })
    };
    let values = match *panel.kind() == PanelKind::Row || panel.repeat.is_empty() {
        true => Vec::new(),
        false => values(&panel.repeat, variables),
    };
    if values.is_empty() {
        return one(panel.clone(), chosen.to_vec()).into_iter().collect();
    }
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let beside = panel.max_per_row.unwrap_or(BESIDE).clamp(1, COLUMNS).min(count);
    let copies = (0..).zip(values).map_while(|(index, value)| {
        let mut panel = panel.clone();
        let place = &mut panel.grid_pos;
        if panel.repeat_direction == "v" {
            place.y += index * place.h;
        } else {
            place.w = COLUMNS / beside;
            place.x = index % beside * place.w;
            place.y += index / beside * place.h;
        }
        let mut chosen = chosen.to_vec();
        chosen.push((panel.repeat.clone(), value));
        one(panel, chosen)
    });
    copies.collect()
}

/// The values for which something is repeated.
fn values(variable: &str, variables: &Variables) -> Vec<String> {
    let mut values = variables
        .get(variable)
        .map(super::variables::Resolved::values)
        .unwrap_or_default();
    values.truncate(MAX_REPEATS);
    values
}

fn in_order(panels: &[Panel]) -> Vec<&Panel> {
    let mut panels: Vec<&Panel> = panels.iter().collect();
    panels.sort_by_key(|panel| (panel.grid_pos.y, panel.grid_pos.x));
    panels
}

fn bottom(placed: &Placed) -> u32 {
    placed.panel.grid_pos.y + placed.panel.grid_pos.h
}

fn shift(placed: &mut [Placed], down: u32) {
    for placed in placed {
        placed.panel.grid_pos.y += down;
        shift(&mut placed.inside, down);
    }
}

/// Gives copies, and panels without an id, one that no other has.
fn number(placed: &mut [Placed]) {
    fn each<'p>(placed: &'p mut [Placed], ids: &mut Vec<&'p mut u32>) {
        for placed in placed {
            ids.push(&mut placed.panel.id);
            each(&mut placed.inside, ids);
        }
    }
    let mut ids = Vec::new();
    each(placed, &mut ids);
    let taken: BTreeSet<u32> = ids.iter().map(|id| **id).collect();
    // Above those of the dashboard, unless one of them is the greatest number there is.
    let above = taken.last().and_then(|greatest| greatest.checked_add(1)).unwrap_or(1);
    let mut fresh = (above..=u32::MAX).filter(|id| !taken.contains(id));
    let mut used = BTreeSet::from([0]);
    for id in ids {
        if !used.insert(*id)
            && let Some(new) = fresh.next()
        {
            *id = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::variables::Resolved;
    use super::*;

    fn places(panels: serde_json::Value) -> Vec<(u32, u32, u32, u32, String)> {
        let dashboard: Dashboard = serde_json::from_value(json!({"panels": panels})).unwrap();
        let variables = Variables {
            list: vec![Arc::new(Resolved {
                name: "x".to_owned(),
                options: ["a", "b", "c"]
                    .map(|value| (value.to_owned(), value.to_owned()))
                    .to_vec(),
                chosen: ["a", "b", "c"].map(str::to_owned).to_vec(),
                multi: true,
                ..Resolved::default()
            })],
        };
        let placed = layout(&dashboard, &variables);
        let place = |placed: Placed| {
            let at = placed.panel.grid_pos;
            let chosen = placed.variables(&variables).get("x").unwrap().chosen.join("+");
            (placed.panel.id, at.x, at.y, at.w, chosen)
        };
        placed.into_iter().map(place).collect()
    }

    fn at(id: u32, x: u32, y: u32, w: u32, chosen: &str) -> (u32, u32, u32, u32, String) {
        (id, x, y, w, chosen.to_owned())
    }

    #[test]
    fn panels_are_repeated_beside_each_other_and_push_down_what_is_below() {
        let found = places(json!([
            {"id": 2, "gridPos": {"x": 0, "y": 4, "w": 24, "h": 2}},
            {"id": 1, "gridPos": {"x": 0, "y": 0, "w": 24, "h": 4}, "repeat": "x", "maxPerRow": 2},
        ]));
        assert_eq!(
            found,
            [
                at(1, 0, 0, 12, "a"),
                at(3, 12, 0, 12, "b"),
                at(4, 0, 4, 12, "c"),
                at(2, 0, 8, 24, "a+b+c")
            ]
        );
    }

    #[test]
    fn or_below_each_other() {
        let found = places(json!([
            {"id": 1, "gridPos": {"x": 3, "y": 0, "w": 6, "h": 4}, "repeat": "x", "repeatDirection": "v"},
            {"id": 2, "gridPos": {"x": 9, "y": 0, "w": 6, "h": 4}},
            {"id": 3, "gridPos": {"x": 0, "y": 4, "w": 6, "h": 4}},
        ]));
        let ys: Vec<_> = found.iter().map(|place| (place.0, place.2)).collect();
        assert_eq!(ys, [(1, 0), (4, 4), (5, 8), (2, 0), (3, 12)]);
    }

    #[test]
    fn a_row_is_repeated_with_its_panels() {
        let found = places(json!([
            {"id": 1, "type": "row", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}, "repeat": "x"},
            {"id": 2, "gridPos": {"x": 0, "y": 1, "w": 24, "h": 4}},
            {"id": 3, "type": "row", "gridPos": {"x": 0, "y": 5, "w": 24, "h": 1}},
        ]));
        let short: Vec<_> = found.iter().map(|place| (place.0, place.2, &*place.4)).collect();
        assert_eq!(
            short,
            [
                (1, 0, "a"),
                (2, 1, "a"),
                (4, 5, "b"),
                (5, 6, "b"),
                (6, 10, "c"),
                (7, 11, "c"),
                (3, 15, "a+b+c")
            ]
        );
    }

    #[test]
    fn a_collapsed_row_keeps_its_panels_inside() {
        let dashboard: Dashboard = serde_json::from_value(json!({"panels": [
            {"id": 1, "type": "row", "collapsed": true, "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}, "panels": [{"id": 2}, {"id": 2}]},
            {"id": 3, "gridPos": {"x": 0, "y": 1, "w": 24, "h": 4}}]}))
        .unwrap();
        let placed = layout(&dashboard, &Variables::default());
        assert_eq!(placed.len(), 2);
        let inside: Vec<_> = placed[0].inside.iter().map(|placed| placed.panel.id).collect();
        assert_eq!(inside, [2, 4]);
    }

    #[test]
    fn without_repetition_both_ways_lead_to_the_same() {
        for name in ["overview", "hardware", "budget"] {
            let shipped = format!("{}/../../grafana-dashboards/{name}.json", env!("CARGO_MANIFEST_DIR"));
            let dashboard = Dashboard::parse(&std::fs::read_to_string(shipped).unwrap()).unwrap();
            let copied = layout(&dashboard, &Variables::default());
            assert_eq!(format!("{copied:?}"), format!("{:?}", layout_plain(dashboard.panels)));
        }
    }

    #[test]
    fn a_small_file_cannot_ask_for_a_million_panels() {
        let row = json!({"id": 1, "type": "row", "gridPos": {"y": 0}, "repeat": "x"});
        let many = (1..300).map(|y| json!({"id": 1, "gridPos": {"y": y, "h": 1}, "repeat": "x"}));
        let panels = std::iter::once(row).chain(many).collect::<Vec<_>>();
        assert_eq!(places(json!(panels)).len(), MAX_PANELS);
    }

    #[test]
    fn an_unknown_variable_repeats_nothing() {
        assert_eq!(places(json!([{"id": 1, "repeat": "nothing"}])).len(), 1);
    }
}

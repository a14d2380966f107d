//! The order of a page: panels in their sections, each below its row.

use super::layout::Placed;
use super::panel::PanelKind;

/// A part of a page: what follows a row, up to the next.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// The row above; `None` before the first.
    pub row: Option<Row>,
    /// The panels in their order; none if the row is closed.
    pub panels: Vec<Place>,
}

/// A row with a title, which opens and closes what follows.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub place: Place,
    /// Whether the panels are shown.
    pub is_open: bool,
    /// How many there are.
    pub count: usize,
}

/// Where a panel stands: its number, and its number within a collapsed row. Pages hold places, not panels, which they share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    outer: usize,
    inner: Option<usize>,
}

impl Place {
    /// The panel.
    pub fn of(self, panels: &[Placed]) -> Option<&Placed> {
        let outer = panels.get(self.outer)?;
        match self.inner {
            Some(inner) => outer.inside.get(inner),
            None => Some(outer),
        }
    }
}

/// The sections of a page. `toggled` are ids of rows whose state is not the dashboard's.
pub fn sections(panels: &[Placed], toggled: &[u32]) -> Vec<Section> {
    let mut sections = vec![Section {
        row: None,
        panels: Vec::new(),
    }];
    for (outer, placed) in panels.iter().enumerate() {
        let place = Place { outer, inner: None };
        if *placed.panel.kind() == PanelKind::Row {
            // A collapsed row has its panels within it, an open one beside it.
            let inside = (0..placed.inside.len()).map(|inner| Place {
                outer,
                inner: Some(inner),
            });
            sections.push(Section {
                row: Some(Row {
                    place,
                    is_open: placed.panel.collapsed == toggled.contains(&placed.panel.id),
                    count: 0,
                }),
                panels: inside.collect(),
            });
        } else if let Some(section) = sections.last_mut() {
            section.panels.push(place);
        }
    }
    for section in &mut sections {
        if let Some(row) = &mut section.row {
            row.count = section.panels.len();
            if !row.is_open {
                section.panels.clear();
            }
        }
    }
    sections.retain(|section| section.row.is_some() || !section.panels.is_empty());
    sections
}

/// Where the panel `id` stands, whether its row is open or not.
pub fn find(panels: &[Placed], id: u32) -> Option<Place> {
    panels.iter().enumerate().find_map(|(outer, placed)| {
        if placed.panel.id == id && *placed.panel.kind() != PanelKind::Row {
            return Some(Place { outer, inner: None });
        }
        let inner = placed.inside.iter().position(|placed| placed.panel.id == id)?;
        Some(Place {
            outer,
            inner: Some(inner),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::layout::layout;
    use super::super::variables::Variables;
    use super::*;

    fn panels() -> Vec<Placed> {
        let dashboard = serde_json::from_value(serde_json::json!({ "panels": [
            { "id": 2, "type": "stat", "gridPos": { "x": 12, "y": 0, "w": 12, "h": 4 } },
            { "id": 1, "type": "stat", "gridPos": { "x": 0, "y": 0, "w": 12, "h": 4 } },
            { "id": 3, "type": "row", "title": "Open", "gridPos": { "y": 4 } },
            { "id": 4, "type": "stat", "gridPos": { "y": 5 } },
            { "id": 5, "type": "row", "title": "Closed", "collapsed": true, "gridPos": { "y": 9 },
              "panels": [{ "id": 6, "type": "stat" }, { "id": 7, "type": "stat" }] },
        ]}))
        .unwrap();
        layout(&dashboard, &Variables::default())
    }

    fn ids(panels: &[Placed], toggled: &[u32]) -> Vec<Vec<u32>> {
        let id = |place: &Place| place.of(panels).unwrap().panel.id;
        let ids = |section: &Section| section.panels.iter().map(id).collect();
        sections(panels, toggled).iter().map(ids).collect()
    }

    #[test]
    fn panels_stand_below_their_row_in_reading_order() {
        let panels = panels();
        assert_eq!(ids(&panels, &[]), [vec![1, 2], vec![4], vec![]]);
        let rows: Vec<_> = sections(&panels, &[])
            .into_iter()
            .filter_map(|section| section.row)
            .collect();
        assert_eq!((rows[0].is_open, rows[0].count), (true, 1));
        assert_eq!((rows[1].is_open, rows[1].count), (false, 2));
    }

    #[test]
    fn rows_open_and_close() {
        assert_eq!(ids(&panels(), &[3, 5]), [vec![1, 2], vec![], vec![6, 7]]);
    }

    #[test]
    fn a_panel_is_found_in_a_closed_row_as_well() {
        let panels = panels();
        assert_eq!(find(&panels, 7).unwrap().of(&panels).unwrap().panel.id, 7);
        assert_eq!(find(&panels, 3), None, "a row is no panel to look at");
        assert_eq!(find(&panels, 9), None);
    }
}

//! Panels that show what the queries of another one bring: the data source `-- Dashboard --`.

use std::sync::Arc;

use super::{Datasource, Panel, Target, Transformation};

/// What another panel asks.
#[derive(Clone)]
struct Asked {
    id: u32,
    datasource: Datasource,
    targets: Arc<Vec<Target>>,
    transformations: Arc<Vec<Transformation>>,
}

/// Gives such panels the queries of those they name. One that names none, or another of them, is left as it is, and says so.
pub fn resolve(panels: &mut [Panel]) {
    let mut known = Vec::new();
    collect(panels, &mut known);
    give(panels, &known);
}

fn is_shared(datasource: &Datasource) -> bool {
    matches!(datasource, Datasource::Other(name) if name == "-- Dashboard --")
}

fn collect(panels: &[Panel], known: &mut Vec<Asked>) {
    for panel in panels {
        if !is_shared(&panel.datasource) {
            known.push(Asked {
                id: panel.id,
                datasource: panel.datasource.clone(),
                targets: Arc::clone(&panel.targets),
                transformations: Arc::clone(&panel.transformations),
            });
        }
        collect(&panel.panels, known);
    }
}

fn give(panels: &mut [Panel], known: &[Asked]) {
    for panel in panels {
        give(&mut panel.panels, known);
        let named = panel
            .targets
            .first()
            .and_then(|target| Some((target.panel_id?, target.with_transforms)));
        let Some((id, with_transforms)) = named.filter(|_| is_shared(&panel.datasource)) else {
            continue;
        };
        let Some(asked) = known.iter().find(|asked| asked.id == id) else {
            continue;
        };
        panel.datasource = asked.datasource.clone();
        panel.targets = Arc::clone(&asked.targets);
        if with_transforms {
            let own = Arc::make_mut(&mut panel.transformations);
            own.splice(0..0, asked.transformations.iter().cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Datasource;
    use crate::testing::dashboard;

    #[test]
    fn a_panel_may_show_what_another_one_asks() {
        let shared = |id: u32, of: u32, transforms: bool| {
            json!({"id": id, "type": "stat", "datasource": {"type": "datasource", "uid": "-- Dashboard --"},
                "targets": [{"refId": "A", "panelId": of, "withTransforms": transforms}], "transformations": [{"id": "limit"}]})
        };
        let row = json!({"id": 9, "type": "row", "collapsed": true, "panels": [shared(3, 1, true)]});
        let first = json!({"id": 1, "type": "table", "datasource": {"type": "prometheus"}, "targets": [{"refId": "Q", "expr": "up"}],
            "transformations": [{"id": "merge"}]});
        let dashboard = dashboard(json!({"panels": [first, shared(2, 1, false), row, shared(4, 77, false)]}));
        let two = &dashboard.panels[1];
        assert_eq!(
            (&*two.targets[0].expr, &two.datasource, two.transformations.len()),
            ("up", &Datasource::Prometheus, 1)
        );
        let ids: Vec<_> = dashboard.panels[2].panels[0]
            .transformations
            .iter()
            .map(|one| &*one.id)
            .collect();
        assert_eq!(ids, ["merge", "limit"]);
        assert!(
            matches!(&dashboard.panels[3].datasource, Datasource::Other(_)),
            "there is no panel 77"
        );
    }
}

//! The shipped dashboards ask for nothing that the built-in pages do not draw.

use edgewatch_dashboards::library::SHIPPED;
use edgewatch_grafana_model::model::{Dashboard, Panel};
use edgewatch_grafana_model::support::{Unsupported, check};

fn unsupported(json: &str) -> Vec<String> {
    let dashboard = Dashboard::parse(json).unwrap();
    check(&dashboard).iter().map(Unsupported::to_string).collect()
}

#[test]
fn nothing_of_the_shipped_dashboards_is_left_out() {
    for shipped in SHIPPED {
        let found = unsupported(shipped.json);
        assert!(found.is_empty(), "{}: {found:#?}", shipped.uid);
    }
}

#[test]
fn every_key_of_a_shipped_panel_is_one_that_is_read_or_means_nothing_here() {
    /// Read by the model.
    const READ: [&str; 19] = [
        "id",
        "type",
        "title",
        "description",
        "gridPos",
        "datasource",
        "targets",
        "options",
        "fieldConfig",
        "transformations",
        "maxDataPoints",
        "interval",
        "timeFrom",
        "timeShift",
        "repeat",
        "repeatDirection",
        "maxPerRow",
        "collapsed",
        "panels",
    ];
    fn walk(uid: &str, panels: &serde_json::Value) {
        for panel in panels.as_array().into_iter().flatten() {
            for key in panel.as_object().unwrap().keys() {
                assert!(READ.contains(&key.as_str()), "{uid}: {key} of {}", panel["title"]);
            }
            walk(uid, &panel["panels"]);
        }
    }
    for shipped in SHIPPED {
        let json: serde_json::Value = serde_json::from_str(shipped.json).unwrap();
        walk(shipped.uid, &json["panels"]);
    }
}

#[test]
fn what_would_be_left_out_is_found() {
    let json = SHIPPED[0].json;
    for (from, to) in [
        ("\"type\": \"stat\"", "\"type\": \"geomap\""),
        ("\"organize\"", "\"spatial\""),
        ("\"lastNotNull\"", "\"mode\""),
        ("\"drawStyle\": \"line\"", "\"drawStyle\": \"scribble\""),
        ("\"unit\": \"celsius\"", "\"unit\": \"warmth\""),
        ("\"type\": \"prometheus\"", "\"type\": \"loki\""),
    ] {
        assert!(json.contains(from), "{from}");
        assert!(!unsupported(&json.replace(from, to)).is_empty(), "{to}");
    }
}

#[test]
fn the_model_finds_every_panel_and_query() {
    fn count(panels: &[Panel]) -> (usize, usize) {
        panels.iter().fold((0, 0), |(panels, queries), panel| {
            let inside = count(&panel.panels);
            (panels + 1 + inside.0, queries + panel.targets.len() + inside.1)
        })
    }
    for shipped in SHIPPED {
        let dashboard = Dashboard::parse(shipped.json).unwrap();
        let (panels, queries) = count(&dashboard.panels);
        assert_eq!(panels, shipped.json.matches("\"gridPos\"").count(), "{}", shipped.uid);
        assert_eq!(queries, shipped.json.matches("\"expr\"").count(), "{}", shipped.uid);
    }
}

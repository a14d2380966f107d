//! What is queried, and what becomes of it.

use serde_json::json;

use super::super::limits::Deadline;
use super::super::source::QueryError;
use super::super::testing::{Fake, dashboard, panel, scope};
use super::super::variables::{Resolved, Variables};
use super::*;

fn names(data: &Data) -> Vec<&str> {
    data.frames
        .iter()
        .flat_map(Frame::numbers)
        .map(|(field, _)| field.name.as_str())
        .collect()
}

#[test]
fn queries_are_asked_on_grafanas_grid() {
    let source = Fake::default();
    let panel = panel(json!({"type": "timeseries", "targets": [
        {"refId": "A", "expr": "rate(a[$__rate_interval]) / $__interval_ms"},
        {"refId": "B", "expr": "b[$__range] $__range_s", "interval": "1m", "intervalFactor": 2},
        {"refId": "C", "expr": "c", "instant": true, "range": false},
        {"refId": "D", "expr": "d", "hide": true},
        {"refId": "E", "expr": "e[${__rate_interval}]", "interval": "1m"}]}));
    evaluate(&panel, &scope(Variables::default()), 100, &source);
    assert_eq!(
        source.asked(),
        [
            "range rate(a[1m]) / 30000 every 30000 ms",
            "range b[3600s] 3600 every 120000 ms",
            "instant c at 1800003600000",
            "range e[4m] every 60000 ms",
        ]
    );
}

#[test]
fn the_panel_may_want_fewer_points_and_a_longer_step() {
    let source = Fake::default();
    let target = json!([{"refId": "A", "expr": "a"}]);
    for (panel_json, step) in [
        (json!({"type": "timeseries", "targets": target}), 15_000),
        (
            json!({"type": "timeseries", "targets": target, "maxDataPoints": 60}),
            60_000,
        ),
        (
            json!({"type": "timeseries", "targets": target, "interval": "5m"}),
            300_000,
        ),
        (
            json!({"type": "timeseries", "targets": target, "timeFrom": "24h"}),
            60_000,
        ),
    ] {
        evaluate(&panel(panel_json), &scope(Variables::default()), 1000, &source);
        assert_eq!(source.asked().last().unwrap(), &format!("range a every {step} ms"));
    }
}

#[test]
fn a_range_of_its_own_is_said_unless_the_panel_hides_it() {
    for (hide, said) in [(false, "Last 2 hours timeshift -1d"), (true, "")] {
        let panel = panel(json!({"type": "stat", "timeFrom": "2h", "timeShift": "1d", "hideTimeOverride": hide}));
        let data = evaluate(&panel, &scope(Variables::default()), 100, &Fake::default());
        let day = 86_400.0;
        assert_eq!(
            (data.range.from, data.range.to),
            (1_799_996_400.0 - day, 1_800_003_600.0 - day)
        );
        assert_eq!(data.own_range, said, "hidden: {hide}");
    }
}

#[test]
fn variables_reach_queries_legends_and_titles() {
    let variables = Variables {
        list: vec![Arc::new(Resolved {
            name: "host".to_owned(),
            multi: true,
            options: vec![("a.b".into(), "a.b".into()), ("c".into(), "c".into())],
            chosen: vec!["a.b".to_owned(), "c".to_owned()],
            ..Resolved::default()
        })],
    };
    let source = Fake::default().with("up{host=~\"(a\\\\.b|c)\"}", &[("job", "x")], 1.0);
    let panel = panel(
        json!({"type": "timeseries", "targets": [{"refId": "A", "expr": "up{host=~\"$host\"}", "legendFormat": "$host {{job}}"}]}),
    );
    let scope = scope(variables);
    let data = evaluate(&panel, &scope, 100, &source);
    assert_eq!(names(&data), ["{a.b,c} x"]);
    assert_eq!(
        scope.text("$host of $__dashboard, $unknown"),
        "a.b + c of Test, $unknown"
    );
}

#[test]
fn nothing_is_asked_when_the_time_is_up_or_nobody_waits() {
    let target = |id: &str| json!({"refId": id, "expr": "a"});
    let panel = panel(json!({"type": "timeseries", "targets": [target("A"), target("B")]}));
    let late = Deadline::default().within(std::time::Duration::ZERO);
    let gone = Deadline::of_reader(Arc::new(true.into()));
    for (deadline, why) in [(late, "longer than 10 s"), (gone, "nobody waits")] {
        let source = Fake::default().with("a", &[], 1.0);
        let scope = Scope {
            deadline,
            ..scope(Variables::default())
        };
        let data = evaluate(&panel, &scope, 100, &source);
        assert_eq!((data.problems.len(), source.asked().len()), (1, 0));
        assert!(data.problems[0].contains(why), "{:?}", data.problems);
    }
}

#[test]
fn one_failing_query_leaves_the_others() {
    let refused = QueryError::Refused("parse error".to_owned());
    let source = Fake::default()
        .with("good", &[("job", "x")], 1.0)
        .failing("bad", refused);
    let panel = panel(
        json!({"type": "timeseries", "targets": [{"refId": "A", "expr": "bad"}, {"refId": "B", "expr": "good"},
        {"refId": "C", "expr": "bad"}, {"refId": "D", "expr": "x", "datasource": {"type": "loki"}}]}),
    );
    let data = evaluate(&panel, &scope(Variables::default()), 100, &source);
    assert_eq!(data.frames.len(), 1);
    assert_eq!(
        data.problems,
        [
            "Prometheus refuses the query: parse error",
            "query D: the data source \"loki\" is not supported, only Prometheus",
        ]
    );
}

#[test]
fn a_query_that_is_none_without_a_value_names_the_variable_that_has_none() {
    let refused = |text: &str| QueryError::Refused(text.to_owned());
    let source = Fake::default()
        .failing("{__name__=\"\"}", refused("at least one non-empty matcher"))
        .failing("rate(up[5m)", refused("parse error"))
        .with("up{job=~\"\"}", &[("job", "")], 1.0);
    let list = json!([{"name": "reading", "type": "query", "query": "label_values(nothing, __name__)"}]);
    let variables = Variables::resolve(
        &dashboard(json!({"templating": {"list": list}})),
        &[],
        scope(Variables::default()).range,
        &source,
    );
    let expressions = ["{__name__=\"$reading\"}", "rate(up[5m)", "up{job=~\"$reading\"}"];
    let targets: Vec<_> = expressions
        .iter()
        .enumerate()
        .map(|(index, expr)| json!({"refId": index.to_string(), "expr": expr}))
        .collect();
    let data = evaluate(
        &panel(json!({"type": "timeseries", "targets": targets})),
        &scope(variables),
        100,
        &source,
    );
    assert_eq!(
        data.problems,
        [
            "the variable reading has no value, and there is no query without it",
            "Prometheus refuses the query: parse error",
        ]
    );
    assert_eq!(data.frames.len(), 1, "what Prometheus answers is shown");
}

#[test]
fn series_have_colours_and_share_a_range() {
    let source = Fake::default()
        .with("a", &[("n", "1")], 0.0)
        .with("a", &[("n", "2")], 1000.0);
    let panel = panel(json!({"type": "timeseries", "targets": [{"refId": "A", "expr": "a", "legendFormat": "{{n}}"}]}));
    let data = evaluate(&panel, &scope(Variables::default()), 60, &source);
    let fields: Vec<&Field> = data
        .frames
        .iter()
        .flat_map(Frame::numbers)
        .map(|(field, _)| field)
        .collect();
    assert_eq!((&*fields[0].color, &*fields[1].color), ("#73bf69", "#f2cc0c"));
    assert_eq!(fields[0].options.range, Some((0.0, 1060.0)));
    assert!(
        Arc::ptr_eq(&fields[0].options, &fields[1].options),
        "options are kept once"
    );
}

#[test]
fn tables_have_a_column_for_each_label() {
    let source = Fake::default()
        .with("a", &[("x", "1")], 5.0)
        .with("a", &[("y", "2")], 6.0)
        .with("b", &[("x", "1")], 7.0);
    let target =
        |id: &str, expr: &str| json!({"refId": id, "expr": expr, "format": "table", "instant": true, "range": false});
    let columns = |targets: serde_json::Value, sort: serde_json::Value| -> Vec<Vec<String>> {
        let panel = panel(json!({"type": "table", "targets": targets, "options": {"sortBy": sort}}));
        let data = evaluate(&panel, &scope(Variables::default()), 60, &source);
        let table = |frame: &Frame| {
            frame
                .fields
                .iter()
                .map(|field| format!("{} {}", field.name, field.values.text(0)))
                .collect()
        };
        data.frames.iter().map(table).collect()
    };
    assert_eq!(
        columns(json!([target("A", "a")]), json!([])),
        [["Time 1800003600000", "x 1", "y ", "Value 5"]]
    );
    assert_eq!(
        columns(
            json!([target("A", "a")]),
            json!([{"displayName": "Value", "desc": true}])
        )[0][3],
        "Value 6"
    );
    let both = columns(json!([target("A", "a"), target("B", "b")]), json!([]));
    assert_eq!((&*both[0][3], &*both[1][2]), ("Value #A 5", "Value #B 7"));
}

#[test]
fn buckets_of_a_heat_map_do_not_contain_each_other() {
    let source = Fake::default()
        .with("h", &[("le", "+Inf")], 9.0)
        .with("h", &[("le", "0.5")], 4.0)
        .with("h", &[("le", "10")], 6.0);
    let panel = panel(json!({"type": "heatmap", "targets": [{"refId": "A", "expr": "h", "format": "heatmap"}]}));
    let data = evaluate(&panel, &scope(Variables::default()), 60, &source);
    let buckets: Vec<(&str, f64)> = data.frames[0]
        .numbers()
        .map(|(field, numbers)| (&*field.name, numbers[0]))
        .collect();
    assert_eq!(buckets, [("0.5", 4.0), ("10", 2.0), ("+Inf", 3.0)]);
}

#[test]
fn an_answer_that_is_too_large_is_asked_for_with_fewer_points() {
    let too_large = || QueryError::TooLarge("too large".to_owned());
    let target = json!([{"refId": "A", "expr": "a[$__interval]"}]);
    let panel = panel(json!({"type": "timeseries", "targets": target}));
    let source = Fake::default()
        .failing("a[15s]", too_large())
        .with("a[1m]", &[("host", "b")], 1.0);
    let data = evaluate(&panel, &scope(Variables::default()), 240, &source);
    assert_eq!((data.frames.len(), data.problems.len(), data.has_failed), (1, 0, false));
    let source = ["a[15s]", "a[1m]", "a[5m]"];
    let source = source
        .into_iter()
        .fold(Fake::default(), |fake, query| fake.failing(query, too_large()));
    let data = evaluate(&panel, &scope(Variables::default()), 240, &source);
    assert_eq!((source.asked().len(), data.has_failed), (3, true));
    assert_eq!(data.problems, ["too large"]);
}

use serde_json::json;

use super::*;
use crate::testing::{Fake, dashboard, scope};

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
    assert_eq!(values(find("interval")), ["$__auto", "1m", "1h"]);
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

#[test]
fn an_interval_that_fits_the_range_is_chosen_as_such() {
    let list = json!([{"name": "i", "type": "interval", "query": "1m,1h", "auto": true, "auto_count": 60}]);
    for asked in ["$__auto", "auto", "$__auto_interval_i"] {
        let variables = resolve(list.clone(), &[("i", asked)], &Fake::default());
        let interval = variables.get("i").unwrap();
        assert_eq!(values(interval), ["$__auto", "1m", "1h"]);
        assert_eq!(
            (&*interval.chosen, &*interval.values()),
            (&["$__auto".to_owned()][..], &["1m".to_owned()][..])
        );
        assert_eq!(interval.problem, None);
        let scope = scope(variables);
        let shown = scope.title("per $i");
        assert_eq!(
            (&*shown, &*scope.content("${i:queryparam}")),
            ("per 1m", "var-i=$__auto")
        );
    }
}

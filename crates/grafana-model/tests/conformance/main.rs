//! Dashboards say what Grafana says: `fixtures/` hold what Grafana's own packages answer to thousands of cases. `make conformance`
//! writes them, and tries many more.

mod answers;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The areas, one file of cases each.
const AREAS: [&str; 11] = [
    "units",
    "calculations",
    "legends",
    "values",
    "transformations",
    "panels",
    "names",
    "templates",
    "times",
    "choices",
    "links",
];

fn read(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/conformance")
        .join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn lines(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

#[test]
fn dashboards_say_what_grafana_says() {
    let deliberate = read("deliberate.tsv");
    let deliberate: BTreeMap<(&str, &str), &str> = lines(&deliberate)
        .map(|line| match line[..] {
            [area, case, ours, reason] if !reason.is_empty() => ((area, case), ours),
            _ => panic!("not an area, a case, an answer and a reason: {line:?}"),
        })
        .collect();
    let mut wrong = Vec::new();
    for area in AREAS {
        let fixtures = read(&format!("fixtures/{area}.tsv"));
        let mut count = 0;
        for line in lines(&fixtures) {
            let [case, expected] = line[..] else {
                panic!("{area}: not a case and an answer: {line:?}")
            };
            let ours = serde_json::to_string(&answers::answer(area, &serde_json::from_str(case).unwrap())).unwrap();
            let expected = deliberate.get(&(area, case)).copied().unwrap_or(expected);
            count += 1;
            if ours != expected {
                wrong.push(format!("{area}: {case}\n  Grafana:   {expected}\n  edgewatch: {ours}"));
            }
        }
        assert!(count >= 100, "{area}: only {count} cases");
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

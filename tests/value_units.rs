//! Numbers on dashboards are written exactly as Grafana writes them: tests/fixtures/units.tsv holds what its own code (the package
//! @grafana/data, version 13.2.3, English, UTC) made of each value.

use edgewatch::dashboards::units::Unit;
use jiff::tz::TimeZone;

#[test]
fn numbers_are_written_as_grafana_writes_them() {
    let table = include_str!("fixtures/units.tsv");
    let cases = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut count = 0;
    let mut wrong = Vec::new();
    for case in cases {
        let [unit, decimals, value, expected] = case.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not four columns: {case:?}")
        };
        let decimals = (!decimals.is_empty()).then(|| decimals.parse().unwrap());
        let value = value.parse().unwrap();
        let written = Unit::of(unit)
            .in_zone(&TimeZone::UTC)
            .format(decimals, value)
            .to_string();
        if written != expected {
            wrong.push(format!("{case:?} is written {written:?}"));
        }
        count += 1;
    }
    assert!(count >= 200, "only {count} cases");
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

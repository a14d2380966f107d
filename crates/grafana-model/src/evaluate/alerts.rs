//! The panel `alertlist`: Prometheus' own alerts, which it keeps as series of `ALERTS`.

use crate::data::{Data, Field, Frame, Values};
use crate::evaluate::failed;
use crate::limits::note;
use crate::panel::alertlist::AlertList;
use crate::scope::Scope;
use crate::source::Source;

/// Alerts that are listed, where a panel says nothing else.
const USUAL: f64 = 20.0;

/// The alerts of now as a table: their state, their names, and what tells them apart.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
pub fn list(options: &AlertList, scope: &Scope, source: &dyn Source, data: &mut Data) {
    let now = scope.grid(scope.min_step);
    let at = now.start + now.step * i64::try_from(now.len - 1).unwrap_or_default();
    let answer = match source.instant("ALERTS", at) {
        Ok(answer) => answer,
        Err(error) => return failed(data, error.to_string()),
    };
    answer
        .notes
        .iter()
        .for_each(|problem| note(&mut data.problems, problem.clone()));
    let wanted = scope.text(&options.alert_name).to_lowercase();
    let mut alerts: Vec<(&str, &str, String)> = Vec::new();
    for (labels, _) in &answer.items {
        let label = |name| labels.get(name).unwrap_or_default();
        let (state, name) = (label("alertstate"), label("alertname"));
        let is_wanted = match state {
            "firing" => options.state_filter.firing,
            "pending" => options.state_filter.pending,
            _ => false,
        };
        if !is_wanted || !name.to_lowercase().contains(&wanted) {
            continue;
        }
        let others = labels
            .iter()
            .filter(|(name, _)| !matches!(*name, "__name__" | "alertname" | "alertstate"));
        let others: Vec<String> = others.map(|(name, value)| format!("{name}={value}")).collect();
        alerts.push((state, name, others.join(", ")));
    }
    // `firing` comes before `pending` by letters as well.
    alerts.sort();
    alerts.truncate(options.max_items.filter(|most| *most >= 1.0).unwrap_or(USUAL) as usize);
    if alerts.is_empty() {
        return;
    }
    let column = |name: &str, of: &dyn Fn(&(&str, &str, String)) -> String| {
        Field::new(name, Values::texts(alerts.iter().map(of)))
    };
    let fields = vec![
        column("State", &|(state, ..)| (*state).to_owned()),
        column("Alert", &|(_, name, _)| (*name).to_owned()),
        column("Labels", &|(.., others)| others.clone()),
    ];
    data.frames = vec![Frame {
        fields,
        ..Frame::default()
    }];
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::evaluate::evaluate;
    use crate::testing::{Fake, panel, scope};
    use crate::variables::Variables;

    #[test]
    fn prometheus_own_alerts_are_listed_those_that_fire_first() {
        let alert = |source: Fake, name: &str, state: &str, instance: &str| {
            source.with(
                "ALERTS",
                &[
                    ("__name__", "ALERTS"),
                    ("alertname", name),
                    ("alertstate", state),
                    ("instance", instance),
                ],
                1.0,
            )
        };
        let source = alert(
            alert(alert(Fake::default(), "Hot", "pending", "a"), "Full", "firing", "b"),
            "Hot",
            "firing",
            "c",
        );
        let rows = |options: serde_json::Value| -> Vec<String> {
            let panel = panel(json!({"type": "alertlist", "options": options, "targets": []}));
            let data = evaluate(&panel, &scope(Variables::default()), 100, &source);
            let Some(frame) = data.frames.first() else {
                return Vec::new();
            };
            let text = |row: usize| {
                frame
                    .fields
                    .iter()
                    .map(|field| field.values.text(row))
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            (0..frame.len()).map(text).collect()
        };
        assert_eq!(
            rows(json!({})),
            [
                "firing Full instance=b",
                "firing Hot instance=c",
                "pending Hot instance=a"
            ]
        );
        assert_eq!(
            rows(json!({"stateFilter": {"firing": false, "pending": true}, "alertName": "hot"})),
            ["pending Hot instance=a"]
        );
        assert!(rows(json!({"alertName": "none"})).is_empty());
    }
}

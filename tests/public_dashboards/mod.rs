//! Dashboards of other people are drawn: every panel whose data exists, and none is empty without a word. With
//! `EDGEWATCH_PUBLIC_DASHBOARDS=DIRECTORY` (`make public-dashboards DIR=…`) those of that directory, else the shipped ones.

mod invent;

use crate::common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::{Service, only};
use edgewatch_grafana_model::model::{Dashboard, Panel, Target};
use edgewatch_grafana_model::panel::PanelKind;
use edgewatch_grafana_model::support;
use serde_json::Value;

/// Dashboards of one service, which reads at most 100.
const AT_ONCE: usize = 50;
/// The part of the panels that must be drawn.
const WANTED: f64 = 0.97;

/// What became of panels.
#[derive(Default)]
struct Count {
    drawn: usize,
    /// With what was said of them.
    said: BTreeMap<String, usize>,
    /// Which.
    wrong: Vec<String>,
    /// Panels of other data sources, or without queries.
    others: usize,
}

/// A dashboard with a uid of its own.
struct Public {
    name: String,
    uid: String,
    json: Value,
    model: Dashboard,
}

fn read(file: &Path, number: usize) -> Result<Public, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| error.to_string())?;
    let inside = ["dashboard", "spec"]
        .into_iter()
        .find_map(|name| json.get(name).filter(|inside| inside.is_object()));
    let mut json = inside.unwrap_or(&json).clone();
    let uid = format!("public-{number}");
    json["uid"] = uid.clone().into();
    let model = Dashboard::parse(&json.to_string()).map_err(|error| error.to_string())?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Public { name, uid, json, model })
}

fn all<'p>(panels: &'p [Panel], found: &mut Vec<&'p Panel>) {
    for panel in panels {
        found.push(panel);
        all(&panel.panels, found);
    }
}

fn is_asked(panel: &Panel, target: &Target) -> bool {
    !target.hide && !target.expr.trim().is_empty() && support::of_target(panel, target).is_ok()
}

/// The labels that legends, fields and transformations name, by the metrics of their queries.
fn named(dashboards: &[Public]) -> invent::Labels {
    let is_label = |name: &str| {
        name.starts_with(|letter: char| letter.is_ascii_lowercase())
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let mut labels = invent::Labels::new();
    for dashboard in dashboards {
        let mut panels = Vec::new();
        all(&dashboard.model.panels, &mut panels);
        for panel in panels {
            let mut names = BTreeSet::new();
            let fields = panel.kind().reduce().map(|reduce| reduce.fields.clone());
            names.extend(
                fields
                    .iter()
                    .map(|fields| fields.trim_matches(['/', '^', '$']).to_owned()),
            );
            panel
                .transformations
                .iter()
                .for_each(|transformation| texts(&transformation.options, &mut names));
            for target in panel.targets.iter() {
                let legend = between(&target.legend_format, "{{", "}}");
                let known = names
                    .iter()
                    .cloned()
                    .chain(legend.into_iter().map(|name| name.trim().to_owned()));
                let known: BTreeSet<String> = known.filter(|name| is_label(name) && name != "le").collect();
                for (word, _) in invent::words(&target.expr) {
                    labels.entry(word).or_default().extend(known.iter().cloned());
                }
            }
        }
    }
    labels
}

/// All texts within a value, parts of `a|b` by themselves.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => found.extend(text.split('|').map(str::to_owned)),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(members) => {
            found.extend(
                members
                    .keys()
                    .filter(|name| name.contains('_') || name.len() < 12)
                    .cloned(),
            );
            members.values().for_each(|value| texts(value, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The texts between `start` and `end`.
fn between<'t>(text: &'t str, start: &str, end: &str) -> Vec<&'t str> {
    text.split(start)
        .skip(1)
        .filter_map(|rest| rest.split(end).next())
        .collect()
}

/// Whether the inside of a panel has marks or words.
fn has_marks(inside: &str) -> bool {
    if inside.contains("<figure class=\"graph") {
        let plot = between(inside, "<svg class=\"plot\"", "</svg>").concat();
        return plot.matches(" d=\"M").count() > 1 || plot.matches("<rect").count() > 0;
    }
    let mut text = String::new();
    let mut is_tag = true;
    for letter in inside.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => is_tag = false,
            letter if !is_tag => text.push(letter),
            _ => {}
        }
    }
    !text.trim().is_empty()
}

fn judge(service: &Service, dashboard: &Public, count: &mut Count) {
    let mut panels = Vec::new();
    all(&dashboard.model.panels, &mut panels);
    let closed: Vec<String> = panels
        .iter()
        .filter(|panel| panel.collapsed && *panel.kind() == PanelKind::Row)
        .map(|row| row.id.to_string())
        .collect();
    let known: BTreeMap<u32, &Panel> = panels.iter().map(|panel| (panel.id, *panel)).collect();
    let answer = service.get(&format!(
        "/d/{}?from=now-1h&to=now&timezone=utc&rows={}",
        dashboard.uid,
        closed.join(",")
    ));
    let page = answer.text();
    assert!(page.trim_end().ends_with("</html>"), "{}: {page}", dashboard.name);
    for section in page.split("<section class=\"panel").skip(1) {
        let id: Option<u32> = between(section, "id=\"panel-", "\"")
            .first()
            .and_then(|id| id.parse().ok());
        let panel = id.and_then(|id| known.get(&id));
        let title = between(section, "<h2>", "</h2>")
            .first()
            .map_or_else(String::new, |title| {
                title.split('>').nth(1).unwrap_or_default().replace("</a", "")
            });
        // Those that are repeated have other numbers than in the file.
        let has_queries = panel.is_none_or(|panel| {
            !matches!(panel.kind(), PanelKind::Text(_)) && panel.targets.iter().any(|target| is_asked(panel, target))
        });
        let problems = between(section, "<div class=\"problems\" role=\"status\">", "</div>").concat();
        let problems = between(&problems, "<p>", "</p>");
        let inside = section
            .split_once("<div class=\"inside\">")
            .map_or("", |(_, inside)| inside);
        if !has_queries {
            count.others += 1;
            let must_say = panel.is_some_and(|panel| {
                panel
                    .targets
                    .iter()
                    .any(|target| support::of_target(panel, target).is_err())
            });
            if must_say && problems.is_empty() {
                count.wrong.push(format!(
                    "{}: {title:?}: another data source, and nothing is said",
                    dashboard.name
                ));
            }
        } else if let Some(first) = problems.first().copied().or_else(|| {
            between(inside, "<div class=\"nothing\">", "</div>")
                .first()
                .copied()
                .filter(|words| *words != "No data")
        }) {
            *count.said.entry(first.to_owned()).or_default() += 1;
        } else if inside.contains(">No data<") || !has_marks(inside) || inside.contains("NaN%") {
            let kind = panel.map_or("?", |panel| panel.kind().name());
            count.wrong.push(format!("{}: {title:?} ({kind})", dashboard.name));
        } else {
            count.drawn += 1;
        }
    }
}

fn files() -> (Vec<PathBuf>, bool) {
    let (directory, is_public) = match std::env::var_os("EDGEWATCH_PUBLIC_DASHBOARDS") {
        Some(directory) => (PathBuf::from(directory), true),
        None => (Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana-dashboards"), false),
    };
    let entries = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    (files, is_public)
}

#[test]
fn panels_of_other_people_are_drawn_and_none_is_empty_without_a_word() {
    let (files, is_public) = files();
    assert!(!files.is_empty());
    let (mut dashboards, mut refused) = (Vec::new(), Vec::new());
    for (number, file) in files.iter().enumerate() {
        match read(file, number) {
            Ok(dashboard) => dashboards.push(dashboard),
            Err(why) => refused.push(format!("{}: {why}", file.display())),
        }
    }
    let mut count = Count::default();
    for some in dashboards.chunks(AT_ONCE) {
        let upstream = invent::prometheus(named(some));
        let directory = tempfile::tempdir().unwrap();
        for dashboard in some {
            std::fs::write(
                directory.path().join(format!("{}.json", dashboard.uid)),
                dashboard.json.to_string(),
            )
            .unwrap();
        }
        let settings = format!(
            "{}[dashboards]\ndirectories = [{:?}]\n{}",
            upstream.settings(),
            directory.path(),
            only(&["load"])
        );
        let service = Service::start(&settings);
        some.iter().for_each(|dashboard| judge(&service, dashboard, &mut count));
    }
    let said: usize = count.said.values().sum();
    let total = count.drawn + said + count.wrong.len();
    println!(
        "{} dashboards, {} of them no dashboards; {total} panels with data: {} drawn, {said} said why not, {} empty without a word; {} others",
        files.len(),
        refused.len(),
        count.drawn,
        count.wrong.len(),
        count.others
    );
    let mut reasons: Vec<(&String, &usize)> = count.said.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    reasons
        .iter()
        .for_each(|(reason, count)| println!("  {count} × {reason}"));
    count
        .wrong
        .iter()
        .chain(&refused)
        .for_each(|which| println!("  {which}"));
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(count.wrong.is_empty(), "{:#?}", count.wrong);
    let share = count.drawn as f64 / total as f64;
    assert!(
        share >= if is_public { WANTED } else { 1.0 },
        "{share}: {:#?}",
        count.said
    );
}

//! docs/alerts.md lists the alerts as the rules have them. `UPDATE_GOLDEN=1 cargo test --test all alerts::` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use config::{Config, File, FileFormat};
use serde::Deserialize;

/// What stands before the tables, and is written by hand.
const BEGIN: &str = "<!-- From here on made of the rules. -->\n";

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    alert: Option<String>,
    r#for: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A template without its actions: JOB for `{{ $labels.job }}`, and both texts of which one holds.
fn plain(template: &str) -> String {
    let mut text = String::new();
    for part in template.split("{{") {
        let (action, rest) = part.split_once("}}").unwrap_or(("", part));
        let action = action.trim_matches([' ', '-']);
        match action.strip_prefix("$labels.") {
            Some(label) => text += &label.to_uppercase(),
            None if action == "else" => text += " or ",
            None if action == "." || action.starts_with("$value") => text.push('…'),
            None => {}
        }
        text += rest;
    }
    text.trim().replace('|', "\\|")
}

/// The tables of a file of rules: one for each of its `# ---- SECTION ----`.
fn tables(name: &str) -> String {
    let source = std::fs::read_to_string(file(name)).unwrap();
    let config = Config::builder().add_source(File::from_str(&source, FileFormat::Yaml));
    let rules: Rules = config.build().unwrap().try_deserialize().unwrap();
    let mut alerts = rules
        .groups
        .iter()
        .flat_map(|group| &group.rules)
        .filter(|rule| rule.alert.is_some());
    let mut tables = String::new();
    for line in source.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix("# ---- ").and_then(|line| line.strip_suffix(" ----")) {
            tables += &format!(
                "\n### {section}\n\n| alert | severity | after | what it says | what to do |\n| --- | --- | --- | --- | --- |\n"
            );
        } else if line.starts_with("- alert:") {
            let rule = alerts.next().unwrap();
            let annotation = |name: &str| plain(&rule.annotations[name]);
            let (alert, after) = (rule.alert.as_ref().unwrap(), rule.r#for.as_deref().unwrap_or("at once"));
            let (summary, remedy) = (annotation("summary"), annotation("remedy"));
            let severity = rule.labels.get("severity").map_or("as on the device", String::as_str);
            writeln!(tables, "| `{alert}` | {severity} | {after} | {summary} | {remedy} |").unwrap();
        }
    }
    assert!(alerts.next().is_none());
    tables
}

#[test]
fn the_page_of_alerts_has_each_of_the_rules_with_its_remedy() {
    let page = std::fs::read_to_string(file("docs/alerts.md")).unwrap();
    let (prose, _) = page.split_once(BEGIN).unwrap();
    let device = tables("prometheus/rules/alerts.yml");
    let centre = tables("fleet/rules/fleet.yml");
    let made = format!("{prose}{BEGIN}\n## On a device\n{device}\n## At the centre of a fleet\n{centre}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return std::fs::write(file("docs/alerts.md"), &made).unwrap();
    }
    assert!(
        made == page,
        "stale: UPDATE_GOLDEN=1 cargo test --test all alerts:: writes docs/alerts.md anew"
    );
}

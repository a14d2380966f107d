//! What the documents say is what the program does.

use crate::common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use common::run;

fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The first block of `language` in a document that holds `text`.
fn block(document: &str, language: &str, text: &str) -> String {
    document
        .split(&format!("```{language}\n"))
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|block| block.contains(text))
        .unwrap()
        .to_owned()
}

/// All blocks of `language` in a document.
fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let rest = document.split(&format!("```{language}\n")).skip(1).collect::<Vec<_>>();
    rest.into_iter().filter_map(|rest| rest.split("```").next()).collect()
}

fn effective(settings: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), settings).unwrap();
    let (status, stdout, stderr) = run(
        &["serve", "--print-config", "--config", file.path().to_str().unwrap()],
        &[],
    );
    assert!(status.success(), "{stderr}");
    stdout
}

#[test]
fn the_documented_settings_are_all_there_are_and_the_documented_defaults_the_real_ones() {
    let documented = block(&document("docs/configuration.md"), "toml", "shutdown_timeout");
    let defaults = effective("");
    assert_eq!(effective(&documented), defaults);
    let is_documented = |key: &str| documented.lines().any(|line| line.starts_with(&format!("{key} = ")));
    for line in defaults.lines() {
        if let Some((key, _)) = line.split_once(" = ") {
            assert!(
                is_documented(key) || ["faults", "subscriptions", "buses"].contains(&key),
                "{key} is not documented"
            );
        }
    }
}

#[test]
fn the_settings_of_every_recipe_are_valid() {
    let inputs = document("docs/inputs.md");
    let recipes = blocks(&inputs, "toml");
    assert!(recipes.len() > 5, "{recipes:?}");
    for recipe in recipes {
        // What another recipe has: the address of the broker, something to subscribe to.
        let (broker, preset) = ("[mqtt]\nurl = \"mqtt://127.0.0.1\"\n", "\npresets = [\"shelly\"]\n");
        let is_about = |part: &str| recipe.contains(part);
        effective(
            &match (is_about("[mqtt]"), is_about("mqtt.subscriptions"), is_about("presets")) {
                (true, false, false) => recipe.to_owned() + preset,
                (false, true, _) => broker.to_owned() + recipe,
                _ => recipe.to_owned(),
            },
        );
    }
}

#[test]
fn the_settings_that_are_off_by_default_are_valid_as_documented() {
    let documented = block(&document("docs/configuration.md"), "toml", "shutdown_timeout");
    let switched_on: String = documented
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .map(|line| line.replace("[sources.NAME]", "[sources.thermal]") + "\n")
        .collect();
    let effective = effective(&switched_on);
    for key in [
        "users_file",
        "budget",
        "prometheus",
        "grafana",
        "period",
        "deadline",
        "kind",
        "lasting",
        "password_file",
        "pointer",
        "encoding",
    ] {
        assert!(effective.contains(&format!("{key} = ")), "{key}\n{effective}");
    }
    let (_, named) = documented.split_once("# [sources.NAME]").unwrap();
    let named: Vec<&str> = named.lines().next().unwrap().split_whitespace().skip(1).collect();
    assert_eq!(named, edgewatch_sensors::collectors::names());
}

/// An empty file of users keeps the service from starting, and nobody else may read it.
#[test]
fn the_recipes_for_a_password_leave_no_file_that_is_empty_or_open() {
    for name in ["docs/operations.md", "docs/configuration.md"] {
        let document = document(name);
        assert!(
            document.contains("apache2-utils"),
            "{name} does not say where htpasswd comes from"
        );
        let line = document
            .lines()
            .find(|line| line.contains("htpasswd -nB operator)"))
            .unwrap();
        for (htpasswd, users) in [("exit 3", None), ("echo operator:hash; echo", Some("operator:hash\n"))] {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("users");
            let command = line.trim_start_matches(['#', '$', ' ']);
            let command = command.split(">>").next().unwrap().to_owned() + &format!(">>{})", file.display());
            let script = format!("htpasswd() {{ {htpasswd}; }}\n{command}");
            Command::new("sh").args(["-c", &script]).status().unwrap();
            assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), users, "{command}");
            if users.is_some() {
                let mode = std::fs::metadata(&file).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{command}");
            }
        }
    }
}

#[test]
fn a_remedy_names_no_command_that_systemd_of_debian_12_refuses() {
    // It knows no Type=notify-reload.
    for file in [
        "prometheus/rules/alerts.yml",
        "src/check/service.rs",
        "src/check/outbound.rs",
        "docs/tls.md",
    ] {
        let text = document(file);
        assert!(text.contains("systemctl kill -s HUP edgewatch"), "{file}");
        assert!(!text.contains("systemctl reload edgewatch"), "{file}");
    }
}

/// The names of all documents.
fn documents() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |directory: &str| {
        let entries = std::fs::read_dir(root.join(directory)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap())
    };
    let in_docs = names("docs").map(|name| format!("docs/{name}"));
    let of_crates = names("crates").map(|name| format!("crates/{name}/README.md"));
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "fuzz/README.md",
    ];
    let all = in_docs.chain(of_crates).chain(others.map(ToOwned::to_owned));
    all.filter(|name| name.ends_with(".md") && root.join(name).exists())
        .collect()
}

#[test]
fn every_file_that_a_document_links_to_exists() {
    for name in documents() {
        let name = name.as_str();
        let text = document(name);
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next())
        {
            if !target.is_empty() && !target.contains("://") {
                assert!(
                    directory.parent().unwrap().join(target).exists(),
                    "{name} links to {target}"
                );
            }
        }
    }
}

#[test]
fn every_file_of_the_repository_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directories = [
        "benches/",
        "crates/",
        "docs/",
        "fleet/",
        "nixos/",
        "packaging/",
        "prometheus/",
        "scripts/",
        "src/",
        "systemd/",
        "tests/",
        "vm-tests/",
    ];
    let mut named = 0;
    // That document names files of other people's repositories.
    for name in documents().iter().filter(|name| *name != "docs/public-dashboards.md") {
        // The first word between backticks: behind a path may be what a program is told.
        let text = document(name);
        let words = text
            .split('`')
            .filter_map(|span| span.split(char::is_whitespace).next());
        for word in words.filter(|word| directories.iter().any(|directory| word.starts_with(directory))) {
            named += 1;
            // Of names that stand for several the directory.
            let path = word.replace("NAME", "*");
            let path = path.split_once('*').map_or(&*path, |(before, _)| {
                before.rsplit_once('/').map_or("", |(directory, _)| directory)
            });
            assert!(root.join(path).exists(), "{name} names {word}");
        }
    }
    assert!(named > 100, "{named}");
}

/// Another source that goes on would prove that the sampler works, and the watchdog would have nothing to do.
#[test]
fn the_scenario_of_a_stuck_sensor_switches_every_other_source_off() {
    let scenario = document("vm-tests/scenarios/stuck.sh");
    let (_, list) = scenario.split_once("others=(").unwrap();
    let mut off: Vec<&str> = list.split(')').next().unwrap().split_whitespace().collect();
    off.push("hwmon");
    let mut all = edgewatch_sensors::collectors::names();
    off.sort_unstable();
    all.sort_unstable();
    assert_eq!(off, all);
}

/// Whether a name in `<!-- shown by … -->` is that of a test: `vm-NAME` boots a machine with NixOS, `scenarios/NAME` runs in a booted one, and
/// others are tests of Cargo's or of the module's evaluation.
fn is_test(name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Some(machine) = name.strip_prefix("vm-") {
        return root.join(format!("vm-tests/{machine}.nix")).exists();
    }
    if name.starts_with("scenarios/") {
        return root.join(format!("vm-tests/{name}.sh")).exists();
    }
    if name == "assertions" {
        return root.join("nixos/assertions.nix").exists();
    }
    let definitions = [format!("fn {name}("), format!("  {name} = {{")];
    let mut directories = vec![root.join("tests"), root.join("crates"), root.join("nixos")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "rs" || extension == "nix")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                if definitions.iter().any(|definition| text.contains(definition)) {
                    return true;
                }
            }
        }
    }
    false
}

#[test]
fn every_test_that_a_document_names_for_a_promise_exists() {
    for (name, promises) in [("docs/nixos.md", 25), ("docs/flash.md", 10)] {
        let text = document(name);
        // There CommonMark takes the rest of the line for HTML.
        assert!(
            !text.lines().any(|line| line.trim_start().starts_with("<!--")),
            "{name}"
        );
        let shown: Vec<&str> = text
            .split("<!-- shown by ")
            .skip(1)
            .map(|rest| rest.split(" -->").next().unwrap())
            .collect();
        assert!(
            shown.len() >= promises,
            "{name} names tests for {} promises",
            shown.len()
        );
        for test in shown.iter().flat_map(|names| names.split(',')) {
            assert!(is_test(test.trim()), "{name} names the test {test}");
        }
    }
}

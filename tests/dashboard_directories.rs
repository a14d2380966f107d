//! Dashboards that people drop into a directory: shown at once, read with suspicion.

use crate::common;

use std::path::Path;

use common::{Answer, Service, only};
use serde_json::{Value, json};

struct Place {
    directory: tempfile::TempDir,
    service: Service,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let service = Service::start(&format!(
            "[dashboards]\ndirectories = [{:?}]\n{}",
            directory.path(),
            only(&["load"])
        ));
        Self { directory, service }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.directory.path().join(name), content).unwrap();
    }

    /// The list for people.
    fn list(&self) -> String {
        let answer = self.service.get("/dashboards");
        assert_eq!(answer.status, 200);
        answer.text().replace("&quot;", "\"")
    }

    /// Uids of the list for programs.
    fn uids(&self) -> Vec<String> {
        let listed = self.service.get("/dashboards.json").json();
        let uid = |one: &Value| one["uid"].as_str().unwrap().to_owned();
        listed.as_array().unwrap().iter().map(uid).collect()
    }

    fn own(&self) -> Vec<String> {
        self.uids()
            .into_iter()
            .filter(|uid| !uid.starts_with("edgewatch-"))
            .collect()
    }

    fn page(&self, uid: &str) -> Answer {
        self.service.get(&format!("/d/{uid}"))
    }

    /// What the list says of a file.
    fn complaint(&self, name: &str) -> String {
        let list = self.list();
        let (_, rest) = list
            .split_once(&format!("/{name}</code>"))
            .unwrap_or_else(|| panic!("nothing is said of {name}: {list}"));
        rest.split("</p>").next().unwrap().to_owned()
    }
}

fn dashboard(uid: &str, title: &str) -> String {
    json!({ "uid": uid, "title": title, "panels": [{ "id": 1, "type": "text", "title": "A panel" }] }).to_string()
}

#[test]
fn a_file_is_shown_changed_and_gone_without_a_restart() {
    let place = Place::new();
    assert_eq!(
        place.uids(),
        [
            "edgewatch-overview",
            "edgewatch-hardware",
            "edgewatch-sensors",
            "edgewatch-budget"
        ]
    );
    place.write("a.json", dashboard("mine", "First title"));
    assert_eq!(place.own(), ["mine"]);
    assert!(place.list().contains("First title"));
    assert!(place.page("mine").text().contains("A panel"));
    assert_eq!(
        place.service.get("/dashboards/mine.json").json()["title"],
        "First title"
    );
    place.write("a.json", dashboard("mine", "Second, longer title"));
    assert!(place.page("mine").text().contains("Second, longer title"));
    std::fs::remove_file(place.directory.path().join("a.json")).unwrap();
    assert!(place.own().is_empty());
    assert_eq!(place.page("mine").status, 404);
}

#[test]
fn a_reload_takes_other_directories() {
    let place = Place::new();
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("x.json"), dashboard("other", "Other")).unwrap();
    assert!(place.own().is_empty());
    place.service.reload(&format!(
        "[dashboards]\ndirectories = [{:?}]\n{}",
        other.path(),
        only(&["load"])
    ));
    assert_eq!(place.own(), ["other"]);
}

#[test]
fn what_grafanas_interfaces_answer_can_be_dropped_as_it_is() {
    let place = Place::new();
    let model: Value = serde_json::from_str(&dashboard("inner", "From the API")).unwrap();
    place.write(
        "api.json",
        json!({ "meta": { "slug": "x" }, "dashboard": model }).to_string(),
    );
    let model: Value = serde_json::from_str(&dashboard("", "From the new API")).unwrap();
    place.write(
        "new.json",
        json!({ "apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard", "metadata": {}, "spec": model })
            .to_string(),
    );
    place.write(
        "named.json",
        json!({ "apiVersion": "dashboard.grafana.app/v1beta1", "metadata": { "name": "of-metadata" }, "spec": model })
            .to_string(),
    );
    assert_eq!(
        place.own(),
        ["inner", "of-metadata", "new"],
        "the name of the file where there is no uid"
    );
    for uid in ["inner", "new", "of-metadata"] {
        assert!(place.page(uid).text().contains("A panel"), "{uid}");
    }
}

#[test]
fn a_file_that_is_no_dashboard_is_named_with_the_reason() {
    let place = Place::new();
    place.write("cut.json", &dashboard("cut", "Cut")[..40]);
    place.write("list.json", "[1,2,3]");
    place.write("empty.json", "");
    place.write("other.json", r#"{"some": "thing"}"#);
    place.write("binary.json", b"{\"title\": \"\xff\xfe\"}");
    place.write(
        "type.json",
        r#"{"uid": "type", "panels": [], "templating": {"list": "many"}}"#,
    );
    place.write("panels.json", r#"{"uid": "panels", "panels": "many"}"#);
    place.write("old.json", r#"{"title": "Old", "rows": []}"#);
    place.write("uid.json", dashboard("a/../b", "Odd uid"));
    place.write("big.json", vec![b' '; (1 << 20) + 1]);
    place.write("notes.txt", "not looked at");
    std::fs::create_dir(place.directory.path().join("directory.json")).unwrap();
    std::os::unix::fs::symlink("/nonexistent", place.directory.path().join("dangling.json")).unwrap();
    let fifo = place.directory.path().join("pipe.json");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    place.write("good.json", dashboard("good", "Good"));
    for (name, reason) in [
        ("cut.json", "EOF"),
        ("list.json", "is no dashboard"),
        ("empty.json", "EOF"),
        ("other.json", "it has no panels"),
        ("binary.json", "UTF-8"),
        ("type.json", "templating.list"),
        ("panels.json", "they are no list"),
        ("uid.json", "cannot stand in an address"),
        ("big.json", "at most 1048576 are read"),
        ("directory.json", "no regular file"),
        ("dangling.json", "No such file"),
        ("pipe.json", "no regular file"),
    ] {
        let complaint = place.complaint(name);
        assert!(complaint.contains(reason), "{name}: {complaint}");
    }
    assert!(!place.list().contains("notes.txt"));
    // Grafana 4 wrote rows in place of panels.
    assert_eq!(place.own(), ["good", "old"]);
}

#[test]
fn a_panel_that_cannot_be_read_is_named_in_its_place_beside_the_others() {
    let place = Place::new();
    place.write(
        "half.json",
        r#"{"uid": "half", "panels": [{"id": 1, "type": "stat", "title": "Broken", "targets": "many"},
            {"id": 2, "type": "text", "title": "Whole", "options": {"content": "still here"}}]}"#,
    );
    let page = place.page("half").text();
    for text in ["Broken", "this panel is not understood: targets", "still here"] {
        assert!(page.contains(text), "{text} in {page}");
    }
}

#[test]
fn of_two_with_one_uid_the_shipped_one_is_shown_and_the_clash_is_said() {
    let place = Place::new();
    place.write("a.json", dashboard("edgewatch-overview", "Mine"));
    place.write("b.json", dashboard("twice", "The first"));
    place.write("c.json", dashboard("twice", "The second"));
    assert!(place.complaint("a.json").contains("shipped dashboard \"Overview\""));
    assert!(place.complaint("c.json").contains("b.json has the same uid"));
    assert!(!place.page("edgewatch-overview").text().contains("Mine"));
    assert!(place.page("twice").text().contains("The first"));
    assert_eq!(place.own(), ["twice"]);
}

#[test]
fn files_are_bounded_in_number() {
    let place = Place::new();
    for number in 0..120 {
        place.write(
            &format!("{number:03}.json"),
            dashboard(&format!("uid-{number}"), "Many"),
        );
    }
    assert_eq!(place.own().len(), 100);
    assert!(place.complaint("100.json").contains("and 19 more are left out"));
}

#[test]
fn a_directory_that_is_not_there_is_named_but_for_the_packages_own() {
    let service = Service::start(&format!(
        "[dashboards]\ndirectories = [\"/nonexistent/dashboards\", \"/etc/edgewatch/dashboards\"]\n{}",
        only(&["load"])
    ));
    let list = service.get("/dashboards").text();
    assert!(
        list.contains("<code>/nonexistent/dashboards</code> No such file"),
        "{list}"
    );
    let own = Path::new("/etc/edgewatch/dashboards");
    assert!(
        own.exists() || !list.contains("<p class=\"notice bad\"><code>/etc/"),
        "{list}"
    );
}

#[test]
fn hostile_files_are_refused_or_shown_but_never_fatal() {
    let mut place = Place::new();
    let deep = |text: &str, times: usize| text.repeat(times);
    let panel = |fields: Value| {
        let mut panel = json!({ "id": 1, "type": "timeseries", "title": "A panel", "targets": [{ "expr": "up" }] });
        panel
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        json!({ "panels": [panel] }).to_string()
    };
    let nested = |times: usize| {
        format!(
            "{{\"panels\":{}{}}}",
            deep("[{\"type\":\"row\",\"panels\":", times),
            "[]".to_owned() + &deep("}]", times)
        )
    };
    let files = [
        ("brackets", deep("[", 500_000)),
        ("braces", deep("{\"dashboard\":", 50_000)),
        ("nested-40", nested(40)),
        ("nested-60", nested(60)),
        ("nested-10000", nested(10_000)),
        ("options", format!("{{\"panels\":[{{\"id\":1,\"options\":{}{}}}]}}", deep("[", 120), deep("]", 120))),
        ("huge-place", panel(json!({ "gridPos": { "x": 4_294_967_295_u32, "y": 4_294_967_295_u32, "w": 4_294_967_295_u32, "h": 4_294_967_295_u32 } }))),
        ("odd-place", panel(json!({ "gridPos": { "x": -1, "y": 1.5, "w": 1e300, "h": "tall" } }))),
        ("huge-id", panel(json!({ "id": 4_294_967_295_u32 }))),
        ("huger-id", panel(json!({ "id": 1e308 }))),
        ("numbers", panel(json!({ "maxDataPoints": 1e308, "interval": "99999999999999999999y", "timeFrom": "1e99d", "timeShift": "-5",
            "fieldConfig": { "defaults": { "decimals": 1e308, "min": -1e308, "max": 1e308 } } }))),
        ("factor", panel(json!({ "targets": [{ "expr": "up", "intervalFactor": 1e308, "interval": "1ms" }] }))),
        ("time", json!({ "panels": [], "time": { "from": "now-99999999999999y", "to": "now" }, "refresh": "999999999999999y" }).to_string()),
        ("long", json!({ "title": deep("x", 900_000), "panels": [] }).to_string()),
        ("many", json!({ "panels": (0..9_000).map(|id| json!({ "id": id })).collect::<Vec<_>>() }).to_string()),
        ("regex", panel(json!({ "fieldConfig": { "overrides": [{ "matcher": { "id": "byRegexp", "options": "(((a{999}){999}){999})" }, "properties": [{ "id": "unit", "value": 5 }] }] } }))),
        ("variables", json!({ "panels": [], "templating": { "list": [{ "name": "a", "type": "custom", "query": "$b" }, { "name": "b", "type": "custom", "query": "$a" },
            { "name": "i", "type": "interval", "query": "1m", "auto": true, "auto_count": 1e308, "auto_min": "0" }, { "name": "", "type": "", "query": 5 }] } }).to_string()),
    ];
    for (name, content) in &files {
        place.write(&format!("{name}.json"), content);
    }
    place.list();
    for (name, _) in &files {
        for path in [
            format!("/d/{name}"),
            format!("/d/{name}/values.json"),
            format!("/render/d/{name}.svg"),
            format!("/dashboards/{name}.json"),
        ] {
            let answer = place.service.get(&path);
            assert!([200, 400, 404].contains(&answer.status), "{path}: {}", answer.status);
            assert!(!answer.text().contains("internal error"), "{path}");
        }
    }
    assert!(
        place.service.child.try_wait().unwrap().is_none(),
        "{}",
        place.service.log.text()
    );
    assert!(
        !place.service.log.text().contains("panic"),
        "{}",
        place.service.log.text()
    );
    assert!(place.own().contains(&"huge-place".to_owned()), "{:?}", place.list());
}

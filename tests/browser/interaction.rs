//! What a person does on a page: zoom, choose, reload.

use super::*;

#[test]
fn a_person_zooms_hides_series_and_reads_values() {
    let test = "a_person_zooms_hides_series_and_reads_values";
    if !is_installed(test) {
        return;
    }
    let stack = Stack::start();
    let browser = Browser::start(1400, 1000, true);
    let id = panel_id("overview", "Load");
    let panel = format!("#panel-{id}");
    let plot = format!("{panel} svg.plot");
    browser.open(&stack.address("/d/edgewatch-overview?from=now-1m&to=now&refresh=off"));

    // The tooltip has the values that Prometheus has; the fixture's load stands still.
    // A mouse is never still; and a page that has just been scrolled puts its tooltips away.
    let is_shown = "return document.querySelector('.tooltip:not(.secondary)') !== null";
    let mut nudge = 0.0;
    let held = eventually(|| {
        nudge = 0.01 - nudge;
        browser.hover(&plot, (0.89 + nudge, 0.5));
        browser.evaluate(is_shown) == true
    });
    assert!(held, "no tooltip is shown");
    let shown = browser.texts(".tooltip:not(.secondary) div");
    for (name, expression) in [
        ("1 min", "node_load1"),
        ("5 min", "node_load5"),
        ("15 min", "node_load15"),
    ] {
        let value = stack.value(expression);
        let line = shown.iter().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {shown:?}"));
        let number: f64 = line.split_whitespace().last().unwrap().parse().unwrap();
        assert!(
            (number - value).abs() < 0.006,
            "{name}: {line}, Prometheus says {value}"
        );
    }
    let lines = browser.evaluate("return document.querySelectorAll('.plot .crosshair').length");
    let plots = browser.evaluate("return document.querySelectorAll('.plot').length");
    assert_eq!(lines, plots, "the crosshair is on every graph");
    browser.keep_view("overview-tooltip");

    // The keyboard does the same.
    browser.evaluate(&format!("document.querySelector('{panel} figure.graph').focus()"));
    browser.press(&format!("{panel} figure.graph"), "\u{e012}");
    browser.wait_for(
        "the value is read out",
        "return document.querySelector('[aria-live=polite]').textContent.includes('1 min')",
    );
    browser.press(&format!("{panel} figure.graph"), "\u{e00c}");
    browser.wait_for(
        "the tooltip is gone",
        "return document.querySelector('.tooltip') === null",
    );

    // The legend leaves one series, and brings the others back.
    let hidden = format!("return document.querySelectorAll('{panel} .plot .series.off').length");
    let all = browser.evaluate(&format!(
        "return document.querySelectorAll('{panel} .plot .series').length"
    ));
    browser.click(&format!("{panel} .legend [data-series=\"0\"]"));
    assert_eq!(browser.evaluate(&hidden).as_u64().unwrap() + 1, all.as_u64().unwrap());
    browser.click(&format!("{panel} .legend [data-series=\"0\"]"));
    assert_eq!(browser.evaluate(&hidden), 0);

    // Dragging zooms all panels to what was marked: a part that has values, though scrapes began 20 s ago.
    let before = range_of(&browser, &panel);
    browser.drag(&plot, (0.4, 0.5), (0.9, 0.5));
    browser.wait_for(
        "the page of the new range",
        "return /from=\\d{13}/.test(location.search) && document.readyState === 'complete'",
    );
    let after = range_of(&browser, &panel);
    let length = before.1 - before.0;
    assert!(
        (after.0 - before.0 - length * 0.4).abs() < length / 20.0,
        "{before:?} {after:?}"
    );
    assert!(
        (before.1 - after.1 - length * 0.1).abs() < length / 20.0,
        "{before:?} {after:?}"
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// From and to of a graph, in milliseconds.
fn range_of(browser: &Browser, panel: &str) -> (f64, f64) {
    let found = browser.evaluate(&format!(
        "const d = document.querySelector('{panel} figure.graph').dataset; return [+d.from, +d.to]"
    ));
    (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
}

#[test]
fn a_person_chooses_range_and_variable_with_and_without_the_script() {
    let test = "a_person_chooses_range_and_variable_with_and_without_the_script";
    if !is_installed(test) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("choice.json"), CHOICE).unwrap();
    let stack = Stack::with(&format!("[dashboards]\ndirectories = [{:?}]\n", directory.path()));
    for javascript in [true, false] {
        let browser = Browser::start(1200, 900, javascript);
        browser.open(&stack.address("/d/choice"));
        assert!(
            browser.texts("#panel-1").join("").contains("Free on /run"),
            "the first option is chosen"
        );

        browser.choose("select[name=var-mount]", "/");
        if !javascript {
            browser.click("form.choices button[type=submit]");
        }
        browser.wait_for(
            "the choice is in the address",
            "return location.search.includes('var-mount=%2F&') || location.search.endsWith('var-mount=%2F')",
        );
        let text = browser.texts("#panel-1").join("\n");
        assert!(text.contains("Free on /") && !text.contains("/run"), "{text}");
        assert!(!text.contains("No data"), "{text}");

        browser.click(".picker summary");
        browser.click(".picker li:nth-child(4) a");
        browser.wait_for(
            "the range is in the address",
            "return location.search.includes('from=now-1h')",
        );
        assert!(
            browser.address().contains("var-mount=/"),
            "the choice is kept: {}",
            browser.address()
        );
        assert!(browser.texts(".picker summary").join("").contains("Last 1 hour"));
    }
}

/// A dashboard as somebody would export it, with a variable.
const CHOICE: &str = r#"{
  "uid": "choice", "title": "Choice", "schemaVersion": 41, "time": { "from": "now-5m", "to": "now" },
  "templating": { "list": [{
    "name": "mount", "label": "Mount point", "type": "query", "refresh": 2, "sort": 2,
    "datasource": { "type": "prometheus", "uid": "prometheus" },
    "query": { "query": "label_values(node_filesystem_avail_bytes, mountpoint)", "refId": "A" }
  }] },
  "panels": [{
    "id": 1, "type": "stat", "title": "Free on $mount", "gridPos": { "x": 0, "y": 0, "w": 12, "h": 6 },
    "fieldConfig": { "defaults": { "unit": "bytes" }, "overrides": [] },
    "targets": [{ "refId": "A", "expr": "node_filesystem_avail_bytes{mountpoint=\"$mount\"}" }]
  }]
}"#;

#[test]
fn a_page_refreshes_itself_and_says_when_it_cannot() {
    let test = "a_page_refreshes_itself_and_says_when_it_cannot";
    if !is_installed(test) {
        return;
    }
    let mut stack = Stack::start();
    let browser = Browser::start(1400, 1000, true);
    browser.open(&stack.address("/d/edgewatch-overview?from=now-1m&to=now&refresh=5s"));
    let panel = format!("#panel-{}", panel_id("overview", "Load"));
    browser.evaluate("window.marked = true; window.scrollTo(0, 300)");
    browser.click(&format!("{panel} .legend [data-series=\"0\"]"));
    let before = range_of(&browser, &panel);
    browser.wait_for(
        "the range has moved on",
        &format!(
            "return +document.querySelector('{panel} figure.graph').dataset.to > {}",
            before.1
        ),
    );
    // In place: what the person did is still there.
    assert_eq!(browser.evaluate("return window.marked && window.scrollY >= 200"), true);
    let hidden = browser.evaluate(&format!(
        "return document.querySelectorAll('{panel} .plot .series.off').length"
    ));
    assert!(hidden.as_u64() > Some(0), "hidden series stay hidden");

    stack.service.child.kill().unwrap();
    browser.wait_for(
        "the page says that it is old",
        "const n = document.querySelector('.notice[role=status]'); return !!n && !n.hidden && n.textContent.startsWith('Not refreshed since')",
    );
}

/// The device may have a zone that the browser has not heard of: the script goes on, and shows times in UTC that say so.
#[test]
fn a_zone_that_the_browser_lacks_leaves_the_page_alive() {
    let test = "a_zone_that_the_browser_lacks_leaves_the_page_alive";
    if !is_installed(test) {
        return;
    }
    let zones = tempfile::tempdir().unwrap();
    std::fs::create_dir(zones.path().join("Mars")).unwrap();
    std::fs::copy("/usr/share/zoneinfo/Asia/Tokyo", zones.path().join("Mars/Olympus")).unwrap();
    let stack = Stack::in_environment("", &[("TZDIR", zones.path().to_str().unwrap())]);
    let browser = Browser::start(1400, 1000, true);
    browser.open(&stack.address("/d/edgewatch-overview?from=now-1m&to=now&refresh=off&timezone=Mars/Olympus"));
    assert_eq!(
        browser.evaluate("return document.querySelector('main').dataset.zone"),
        "Mars/Olympus"
    );
    let plot = format!("#panel-{} svg.plot", panel_id("overview", "Load"));
    let mut nudge = 0.0;
    let tip = "return document.querySelector('.tooltip:not(.secondary)')?.textContent ?? ''";
    let shown = eventually(|| {
        nudge = 0.01 - nudge;
        browser.hover(&plot, (0.89 + nudge, 0.5));
        browser.evaluate(tip).as_str().is_some_and(|text| text.contains("UTC"))
    });
    assert!(shown, "the tooltip says {:?}", browser.evaluate(tip));
}

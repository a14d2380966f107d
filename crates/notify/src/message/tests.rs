use std::collections::BTreeMap;

use super::*;
use crate::alert::Words;

/// 27 November 2026, 10:00 UTC.
const SINCE: i64 = 1_795_773_600_000;

fn device() -> Device {
    Device {
        name: "gate-7".to_owned(),
        link: "http://gate-7.local:8000/".to_owned(),
    }
}

fn item(number: i64, severity: &str, news: News) -> Item {
    let labels = [
        ("alertname", "Undervoltage"),
        ("severity", severity),
        ("chip", "rpi_volt"),
    ];
    Item {
        news,
        labels: labels
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        words: Words {
            summary: format!("The supply voltage {number} is too low"),
            description: "The firmware reported it.".to_owned(),
            remedy: "Check the power supply.".to_owned(),
        },
        since: SINCE + number * 1000,
        until: SINCE + 600_000,
        times: 1,
    }
}

fn written(digest: &Digest, limit: usize) -> (String, String) {
    let device = device();
    let message = Message {
        digest,
        device: &device,
        zone: &TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC),
    };
    (message.subject(), message.text(limit))
}

#[test]
fn an_alert_is_told_with_all_that_a_person_needs() {
    let (subject, text) = written(&Digest::new(vec![item(0, "critical", News::Fires)], 0, None), 4000);
    assert_eq!(subject, "gate-7: critical: The supply voltage 0 is too low");
    assert_eq!(
        text,
        "The supply voltage 0 is too low (critical)\nThe firmware reported it.\nSince 2026-11-27 11:00:00 +01:00, still so.\n\
         What to do: Check the power supply.\nUndervoltage chip=rpi_volt\n\nhttp://gate-7.local:8000/"
    );
}

#[test]
fn one_that_ended_has_both_times_and_says_whether_it_was_told_before() {
    let mut missed = item(0, "warning", News::WasMissed);
    missed.times = 3;
    let (subject, text) = written(&Digest::new(vec![missed], 0, None), 4000);
    assert_eq!(subject, "gate-7: warning, over again: The supply voltage 0 is too low");
    assert!(
        text.contains(
            "From 2026-11-27 11:00:00 +01:00 to 2026-11-27 11:10:00 +01:00, 3 times.\nIf it comes back: Check"
        ),
        "{text}"
    );
    let (subject, text) = written(
        &Digest::new(vec![item(0, "warning", News::Ended)], 0, Some(SINCE)),
        4000,
    );
    assert_eq!(subject, "gate-7: over: The supply voltage 0 is too low");
    assert!(
        text.starts_with("This comes late: nothing could be sent since 2026-11-27 11:00:00"),
        "{text}"
    );
    assert!(!text.contains("Check"), "{text}");
}

#[test]
fn of_many_each_has_a_line_the_most_urgent_first_and_what_has_no_room_is_counted() {
    let mut items: Vec<Item> = (0..50).map(|number| item(number, "warning", News::WasMissed)).collect();
    items.push(item(50, "warning", News::Fires));
    items.push(item(51, "critical", News::Fires));
    let digest = Digest::new(items, 0, None);
    let (subject, text) = written(&digest, 32 << 10);
    assert_eq!(subject, "gate-7: 52 alerts, 1 critical, 51 warning, 2 still there");
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("- critical: The supply voltage 51 is too low. Since "),
        "{text}"
    );
    assert!(lines[1].starts_with("- warning: The supply voltage 50"), "{text}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("- ")).count(), 52);
    for limit in [0, 10, 100, 256, 300, 1000, 4000] {
        let (_, short) = written(&digest, limit);
        assert!(short.len() <= limit, "{limit}: {}", short.len());
        let told = short.lines().filter(|line| line.starts_with("- ")).count();
        if limit >= 300 {
            assert!(
                short.contains(&format!("… and {} more.", 52 - told)),
                "{limit}: {short}"
            );
            assert!(short.ends_with("http://gate-7.local:8000/"), "{limit}: {short}");
        }
    }
}

#[test]
fn an_alert_that_is_too_long_has_a_line_and_costs_none_behind_it_its_place() {
    let mut long = item(0, "critical", News::Fires);
    long.words.description = "ä".repeat(2000);
    let line = "- critical: The supply voltage 0 is too low. Since 2026-11-27 11:00:00 +01:00, still so.\n";
    let (_, text) = written(&Digest::new(vec![long.clone()], 0, None), 1000);
    assert_eq!(text, format!("{line}\nhttp://gate-7.local:8000/"));
    let (_, text) = written(
        &Digest::new(vec![long.clone(), item(1, "warning", News::Fires)], 0, None),
        1000,
    );
    assert!(
        text.starts_with(&format!("{line}\nThe supply voltage 1 is too low (warning)\n")),
        "{text}"
    );
    // Not even for its line: those behind it have theirs, and it is counted.
    long.words.summary = "ä".repeat(1000);
    let (_, text) = written(
        &Digest::new(vec![long.clone(), item(1, "warning", News::Fires)], 0, None),
        1000,
    );
    assert!(
        text.starts_with("The supply voltage 1") && text.contains("… and 1 more."),
        "{text}"
    );
    let (_, text) = written(&Digest::new(vec![long], 0, None), 1000);
    assert_eq!(text, "There is no room here for more.\nhttp://gate-7.local:8000/");
}

#[test]
fn texts_of_rules_cannot_make_lines_of_a_head() {
    let mut odd = item(0, "critical", News::Fires);
    odd.words.summary = "a\r\nBcc: everybody@example.org\u{0}".to_owned();
    let (subject, _) = written(&Digest::new(vec![odd], 0, None), 4000);
    assert!(!subject.contains(['\r', '\n', '\0']), "{subject:?}");
    let mut long = item(0, "critical", News::Fires);
    long.words.summary = "ä".repeat(1000);
    let (subject, _) = written(&Digest::new(vec![long], 0, None), 4000);
    assert!(subject.len() <= MAX_SUBJECT);
}

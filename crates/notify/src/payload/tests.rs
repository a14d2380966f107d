use jiff::tz::TimeZone;

use super::*;
use crate::alert::Words;
use crate::digest::News;
use crate::settings::Device;

fn digest(count: usize) -> Digest {
    let item = |number: usize| Item {
        news: if number == 0 { News::Fires } else { News::WasMissed },
        labels: [
            ("alertname".to_owned(), format!("A{number}")),
            ("severity".to_owned(), "warning".to_owned()),
        ]
        .into(),
        words: Words {
            summary: "It is hot".to_owned(),
            description: String::new(),
            remedy: "Open a window".to_owned(),
        },
        since: 1_700_000_000_000,
        until: 1_700_000_060_500,
        times: 2,
    };
    Digest::new((0..count).map(item).collect(), 3, None)
}

fn payload(make: fn(&Message<'_>, usize) -> Value, count: usize, alerts: usize) -> Value {
    let device = Device {
        name: "gate-7".to_owned(),
        link: "http://gate-7/".to_owned(),
    };
    let message = Message {
        digest: &digest(count),
        device: &device,
        zone: &TimeZone::UTC,
    };
    make(&message, alerts)
}

#[test]
fn our_payload_has_every_field_that_is_documented() {
    let payload = payload(edgewatch, 2, 2);
    let expected = json!({
        "version": 1, "device": "gate-7", "link": "http://gate-7/", "severity": "warning", "firing": true, "more": 3,
        "subject": "gate-7: 5 alerts, 2 warning, 1 still there",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&payload[key], value, "{key}");
    }
    assert!(payload["text"].as_str().unwrap().contains("It is hot"));
    let alert = &payload["alerts"][1];
    let expected = json!({
        "id": alert["id"], "state": "missed", "alert": "A1", "severity": "warning", "summary": "It is hot", "description": "",
        "remedy": "Open a window", "since": "2023-11-14T22:13:20Z", "until": "2023-11-14T22:14:20.5Z", "times": 2,
        "labels": {"alertname": "A1", "severity": "warning"},
    });
    assert_eq!(alert, &expected);
    assert_eq!(payload["alerts"][0]["until"], Value::Null);
    let document =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/notifications.md")).unwrap();
    for key in payload
        .as_object()
        .unwrap()
        .keys()
        .chain(expected.as_object().unwrap().keys())
    {
        assert!(document.contains(&format!("\"{key}\"")), "{key} is not documented");
    }
}

#[test]
fn alertmanagers_payload_has_every_field_of_its_version_4() {
    let payload = payload(alertmanager, 2, 2);
    let mut keys: Vec<&String> = payload.as_object().unwrap().keys().collect();
    keys.sort();
    let documented = [
        "alerts",
        "commonAnnotations",
        "commonLabels",
        "externalURL",
        "groupKey",
        "groupLabels",
        "receiver",
        "status",
        "truncatedAlerts",
        "version",
    ];
    assert_eq!(keys, documented);
    assert_eq!(
        (&payload["version"], &payload["status"]),
        (&json!("4"), &json!("firing"))
    );
    assert_eq!(
        payload["commonLabels"],
        json!({"edge": "gate-7", "severity": "warning"})
    );
    let ended = &payload["alerts"][1];
    assert_eq!(
        (&ended["status"], &ended["endsAt"]),
        (&json!("resolved"), &json!("2023-11-14T22:14:20.5Z"))
    );
    assert_eq!(payload["alerts"][0]["endsAt"], NO_END);
    assert_eq!(ended["fingerprint"].as_str().unwrap().len(), 16);
}

#[test]
fn what_does_not_fit_is_counted() {
    let ours = payload(edgewatch, 50, 10);
    assert_eq!(
        (ours["alerts"].as_array().unwrap().len(), &ours["more"]),
        (10, &json!(43))
    );
    let theirs = payload(alertmanager, 50, 0);
    assert_eq!(
        (theirs["alerts"].as_array().unwrap().len(), &theirs["truncatedAlerts"]),
        (0, &json!(53))
    );
}

//! A person is told of alerts, whatever happens to the device, its network and the receivers.

mod faults;

use crate::common;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::centre::Conduct;
use common::prometheus::{Prometheus, installed};
use common::receiver::{Kind, Receiver};
use common::story::{Alert, Story, now};
use common::{Service, eventually, only, stored};
use serde_json::{Value, json};
use tempfile::TempDir;

const HOUR: i64 = 3_600_000;
const SENT: &str = "edge_notify_messages_sent_total{receiver=\"ntfy\"}";

fn alert(name: &str, severity: &'static str, since: i64, until: i64) -> Alert {
    Alert {
        name: name.to_owned(),
        severity,
        since,
        until,
    }
}

/// Settings that tell ntfy at `url`; `more` are further lines of `[notify]`.
fn settings(story: &Story, directory: &Path, url: &str, more: &str) -> String {
    format!(
        "{}{}[notify]\ndevice = \"gate-7\"\nlink = \"http://gate-7/\"\ngrouping = \"1s\"\ntimeout = \"20s\"\n\
         directory = {directory:?}\n{more}\n[notify.ntfy]\nurl = \"{url}/gate-7\"\n",
        only(&["load"]),
        story.upstream.settings(),
    )
}

/// A state that was written `ago` milliseconds ago, with nothing to tell.
fn write_state(directory: &Path, receiver: &str, ago: i64) {
    let state = json!({"read_until_ms": now() - ago, "entries": [], "more": 0, "more_is_told": false, "more_ms": 0});
    std::fs::write(directory.join(format!("notify-{receiver}.json")), state.to_string()).unwrap();
}

fn failures(service: &Service, receiver: &str, kind: &str) -> f64 {
    let name = format!("edge_notify_failed_total{{kind=\"{kind}\",receiver=\"{receiver}\"}}");
    service.metric(&name).unwrap()
}

fn wait_for_failure(service: &Service, receiver: &str, kind: &str) {
    let name = format!("edge_notify_failed_total{{kind=\"{kind}\",receiver=\"{receiver}\"}}");
    service.wait_for_metric(&name, |value| value > Some(0.0));
}

fn answer(status: u16, headers: &str, text: &str) -> Conduct {
    Conduct::Answer(status, headers.to_owned(), text.to_owned())
}

fn wait_until_taken(receiver: &Receiver, count: usize, service: &Service) -> Vec<Value> {
    let arrived = eventually(|| receiver.taken().len() >= count);
    assert!(arrived, "{} of {count}\n{}", receiver.taken().len(), service.log.text());
    receiver.assert_all_was_well();
    receiver.taken()
}

/// Time as messages write it, without the zone.
fn minute(ms: i64) -> String {
    let zoned = jiff::Timestamp::from_millisecond(ms)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M").to_string()
}

fn state_directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn without_a_receiver_there_is_nothing_of_it() {
    let service = Service::start(&only(&["load"]));
    assert!(!service.metrics().contains("edge_notify"));
    assert!(!service.log.text().contains("notify"));
}

#[test]
fn what_fired_and_ended_in_a_day_without_network_is_told_once_with_both_times_over_a_kill() {
    let (since, until) = (now() - 20 * HOUR, now() - 19 * HOUR);
    let story = Story::new(vec![alert("Undervoltage", "critical", since, until)]);
    let directory = state_directory();
    write_state(directory.path(), "ntfy", 24 * HOUR);
    let receiver = Receiver::start(Kind::Ntfy, answer(503, "", "later"));
    let settings = settings(&story, directory.path(), &receiver.url(), "");
    let service = Service::start(&settings);
    wait_for_failure(&service, "ntfy", "server_error");
    let age = "edge_notify_oldest_untold_age_seconds{receiver=\"ntfy\"}";
    service.wait_for_metric(age, |value| value > Some(0.0));
    // As a power cut would, in the middle of it.
    service.signal("KILL");
    drop(service);
    let service = Service::start(&settings);
    wait_for_failure(&service, "ntfy", "server_error");
    assert!(receiver.taken().is_empty());
    receiver.behave(Conduct::Take);
    let told = wait_until_taken(&receiver, 1, &service);
    let message = told[0]["message"].as_str().unwrap();
    let both = format!("From {}", minute(since));
    assert!(
        message.contains(&both) && message.contains(&format!(" to {}", minute(until))),
        "{message}"
    );
    assert!(
        message.contains("Undervoltage in barn (critical, over again)"),
        "{message}"
    );
    assert!(
        message.contains("Mend it.") && message.contains("http://gate-7/"),
        "{message}"
    );
    assert_eq!(told[0]["title"], "gate-7: critical, over again: Undervoltage in barn");
    service.wait_for_metric(age, |value| value == Some(0.0));
    // Once: neither later nor after another kill.
    service.signal("KILL");
    drop(service);
    let service = Service::start(&settings);
    let asked = story.upstream.asked().len();
    assert!(
        eventually(|| story.upstream.asked().len() > asked + 8),
        "{}",
        service.log.text()
    );
    assert_eq!(receiver.taken().len(), 1, "{:#?}", receiver.taken());
}

/// A target whose metric `trouble` is 1 or 0.
fn target() -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, trouble) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
    let shared = Arc::clone(&trouble);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut head = String::new();
            let mut reader = BufReader::new(stream);
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
            let body = format!("trouble {}\n", u8::from(shared.load(Ordering::Relaxed)));
            let kind = "text/plain; version=0.0.4";
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            let _ = reader.get_mut().write_all(answer.as_bytes());
        }
    });
    (address, trouble)
}

#[test]
fn a_real_prometheus_says_what_fired_and_ended_while_the_service_was_killed() {
    for program in installed() {
        let (address, trouble) = target();
        let prometheus = Prometheus::start_with_alert(&program, address, Duration::from_millis(200), "0s");
        assert!(eventually(|| !prometheus.query("trouble").is_empty()));
        let directory = state_directory();
        let receiver = Receiver::start(Kind::Webhook, answer(503, "", "later"));
        let settings = format!(
            "{}[prometheus]\nurl = \"http://{}\"\n[notify]\ndevice = \"gate-7\"\ngrouping = \"1s\"\ntimeout = \"20s\"\n\
             directory = {:?}\n[notify.webhook]\nurl = \"{}/hook\"\n",
            only(&["load"]),
            prometheus.address,
            directory.path(),
            receiver.url()
        );
        let service = Service::start(&settings);
        service.log.wait_for("alerts are told by webhook");
        let state = directory.path().join("notify-webhook.json");
        assert!(eventually(|| state.exists()));
        service.signal("KILL");
        drop(service);
        let begin = now();
        trouble.store(true, Ordering::Relaxed);
        let firing = || !prometheus.query(r#"ALERTS{alertstate="firing"}"#).is_empty();
        assert!(eventually(firing));
        thread::sleep(Duration::from_secs(2));
        trouble.store(false, Ordering::Relaxed);
        assert!(eventually(|| !firing()));
        let stored = stored::samples(prometheus.address, begin - 1000, now());
        let (_, samples) = stored.iter().find(|(name, _)| name.contains("firing")).unwrap();
        let (first, last) = (*samples.keys().next().unwrap(), *samples.keys().last().unwrap());
        // The receiver is away for a while longer, over another kill.
        let service = Service::start(&settings);
        wait_for_failure(&service, "webhook", "server_error");
        service.signal("KILL");
        drop(service);
        let service = Service::start(&settings);
        receiver.behave(Conduct::Take);
        let told = wait_until_taken(&receiver, 1, &service);
        let told_alert = &told[0]["alerts"][0];
        assert_eq!(told[0]["alerts"].as_array().unwrap().len(), 1, "{told:?}");
        let expected = json!({"state": "missed", "alert": "Trouble", "severity": "warning", "summary": "There is trouble at sensor",
            "remedy": "Mend it.", "times": 1});
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&told_alert[key], value, "{key}: {told_alert}");
        }
        let time = |key: &str| {
            let time: jiff::Timestamp = told_alert[key].as_str().unwrap().parse().unwrap();
            time.as_millisecond()
        };
        assert_eq!((time("since"), time("until")), (first, last), "{}", program.display());
        thread::sleep(Duration::from_secs(5));
        assert_eq!(receiver.taken().len(), 1);
    }
}

#[test]
fn fifty_alerts_of_an_outage_are_one_message() {
    let begin = now() - 24 * HOUR;
    let alerts = (0..50).map(|number| {
        let since = begin + HOUR + number * 20 * 60_000;
        let severity = if number == 49 { "critical" } else { "warning" };
        alert(
            &format!("Alert{number}"),
            severity,
            since,
            if number == 49 { i64::MAX } else { since + 600_000 },
        )
    });
    let story = Story::new(alerts.collect());
    let directory = state_directory();
    let receiver = Receiver::start(Kind::Webhook, Conduct::Take);
    write_state(directory.path(), "webhook", 24 * HOUR);
    let settings = settings(&story, directory.path(), "http://127.0.0.1:1", "").replace(
        "[notify.ntfy]\nurl = \"http://127.0.0.1:1/gate-7\"",
        &format!("[notify.webhook]\nurl = \"{}/hook\"", receiver.url()),
    );
    let service = Service::start(&settings);
    let told = wait_until_taken(&receiver, 1, &service);
    assert_eq!(
        (told[0]["alerts"].as_array().unwrap().len(), &told[0]["more"]),
        (50, &json!(0))
    );
    assert_eq!(
        told[0]["subject"],
        "gate-7: 50 alerts, 1 critical, 49 warning, 1 still there"
    );
    assert_eq!(told[0]["alerts"][0]["alert"], "Alert49");
    let states: Vec<_> = told[0]["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|alert| &alert["state"])
        .collect();
    assert!(states.iter().all(|state| *state == "missed"), "{states:?}");
    let asked = story.upstream.asked().len();
    assert!(eventually(|| story.upstream.asked().len() > asked + 8));
    assert_eq!(receiver.taken().len(), 1);
}

#[test]
fn an_alert_is_told_when_it_fires_and_when_it_has_ended_and_its_silence_is_kept() {
    let since = now() - 60_000;
    let story = Story::new(vec![
        alert("Hot", "warning", since, i64::MAX),
        alert("CpuSpike", "info", since, i64::MAX),
        alert("Quiet", "critical", since, i64::MAX),
    ]);
    let directory = state_directory();
    let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
    let silence = "silence = [\"severity=info\", \"alertname=Quiet,site=barn\"]";
    let service = Service::start(&settings(&story, directory.path(), &receiver.url(), silence));
    let told = wait_until_taken(&receiver, 1, &service);
    assert_eq!(
        (&told[0]["title"], &told[0]["priority"]),
        (&json!("gate-7: warning: Hot in barn"), &json!(4))
    );
    let message = told[0]["message"].as_str().unwrap();
    for part in [
        "It is 1.",
        "What to do: Mend it.",
        "still so.",
        "site=barn",
        &minute(since),
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    story.set(vec![alert("Hot", "warning", since, now())]);
    let told = wait_until_taken(&receiver, 2, &service);
    assert_eq!(
        (&told[1]["title"], &told[1]["priority"]),
        (&json!("gate-7: over: Hot in barn"), &json!(3))
    );
    assert_eq!(told[1]["tags"], json!(["white_check_mark"]));
    assert_eq!(receiver.taken().len(), 2);
    service.wait_for_metric("edge_notify_up{receiver=\"ntfy\"}", |value| value == Some(1.0));
}

#[test]
fn of_ten_thousand_alerts_one_message_counts_those_that_it_does_not_name() {
    let mut alerts: Vec<Alert> = (0..10_000)
        .map(|number| alert(&format!("Alert{number}"), "warning", now() - 60_000, i64::MAX))
        .collect();
    alerts[9_999].severity = "critical";
    let story = Story::new(alerts);
    let directory = state_directory();
    let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
    let service = Service::start(&settings(&story, directory.path(), &receiver.url(), ""));
    let told = wait_until_taken(&receiver, 1, &service);
    let (title, message) = (told[0]["title"].as_str().unwrap(), told[0]["message"].as_str().unwrap());
    assert!(
        title.contains("critical") && message.starts_with("- critical: Alert9999"),
        "{title}\n{message}"
    );
    let count: usize = title.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(count >= 10_000, "{title}");
    let asked = story.upstream.asked().len();
    assert!(eventually(|| story.upstream.asked().len() > asked + 6));
    assert_eq!(receiver.taken().len(), 1);
}

#[test]
fn a_reload_goes_on_with_what_was_told_and_a_receiver_that_is_gone_is_not_told() {
    let story = Story::new(vec![alert("Hot", "critical", now() - 60_000, i64::MAX)]);
    let directory = state_directory();
    let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
    let settings = |more: &str| settings(&story, directory.path(), &receiver.url(), more);
    let service = Service::start(&settings(""));
    wait_until_taken(&receiver, 1, &service);
    service.reload(&settings("repeat = \"1h\""));
    service.wait_for_metric(SENT, |sent| sent == Some(1.0));
    let asked = story.upstream.asked().len();
    assert!(eventually(|| story.upstream.asked().len() > asked + 6));
    assert_eq!(receiver.taken().len(), 1);
    assert_eq!(failures(&service, "ntfy", "state"), 0.0);
    // Files that cannot be read are refused, and what runs goes on.
    service.configure(&(settings("") + "bearer_token_file = \"/nonexistent/token\"\n"));
    service.signal("HUP");
    service
        .manager
        .wait_for("reload refused: notify.ntfy.bearer_token_file = /nonexistent/token");
    service.reload(&only(&["load"]));
    assert!(!service.metrics().contains("edge_notify"));
}

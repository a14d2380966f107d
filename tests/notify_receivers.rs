//! Each receiver gets what it documents, and `edgewatch notify --test` says what it answered.

mod mail;

use crate::common;

use std::path::{Path, PathBuf};

use common::centre::Conduct;
use common::receiver::{Kind, Receiver};
use common::story::{Alert, Story, now};
use common::{Service, eventually, only, run};
use tempfile::TempDir;

/// Settings in a file, with files of secrets beside it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("token", "12345:correct-horse\n"),
            ("password", "correct-horse\n"),
            ("wrong", "battery-staple\n"),
        ] {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `edgewatch notify --test` with these settings below `[notify]`.
    fn test(&self, settings: &str, more: &[&str]) -> (bool, String) {
        let file = self.path("edgewatch.toml");
        let head = "[notify]\ndevice = \"gate-7\"\nlink = \"http://gate-7/\"\ntimeout = \"20s\"\n";
        let text = if settings.is_empty() {
            String::new()
        } else {
            format!("{head}{settings}")
        };
        std::fs::write(&file, text).unwrap();
        let mut arguments = vec!["notify", "--test", "--config", file.to_str().unwrap()];
        arguments.extend(more);
        let (status, printed, said) = run(&arguments, &[]);
        let text = printed + &said;
        assert!(!text.contains("horse"), "{text}");
        (status.success(), text)
    }
}

fn telegram(receiver: &Receiver, files: &Files) -> String {
    let token = files.path("token");
    format!(
        "[notify.telegram]\nurl = \"{}\"\ntoken_file = {token:?}\nchat = \"-100123\"\n",
        receiver.url()
    )
}

fn ntfy(receiver: &Receiver, files: &Files) -> String {
    let token = files.path("password");
    format!(
        "[notify.ntfy]\nurl = \"{}/gate-7\"\nbearer_token_file = {token:?}\n",
        receiver.url()
    )
}

#[test]
fn a_test_reaches_every_receiver_and_says_what_each_answered() {
    let files = Files::new();
    let receivers = [Kind::Ntfy, Kind::Telegram, Kind::Webhook, Kind::Ping]
        .map(|kind| (kind, Receiver::start(kind, Conduct::Take)));
    let [(_, to_ntfy), (_, to_telegram), (_, to_webhook), (_, to_ping)] = &receivers;
    let password = files.path("password");
    let settings = format!(
        "{}{}[notify.webhook]\nurl = \"{}/hook\"\nuser = \"operator\"\npassword_file = {password:?}\n\
         [notify.webhook.header_files]\nX-Api-Key = {password:?}\n[notify.ping]\nurl = \"{}/ping\"\n",
        ntfy(to_ntfy, &files),
        telegram(to_telegram, &files),
        to_webhook.url(),
        to_ping.url(),
    );
    let (success, text) = files.test(&settings, &[]);
    assert!(success, "{text}");
    for line in [
        "ntfy: http://",
        "telegram: http://",
        "webhook: http://",
        "ping: http://",
    ] {
        assert!(
            text.contains(line) && text.matches("answered 200").count() == 4,
            "{line}: {text}"
        );
    }
    for (kind, receiver) in &receivers {
        receiver.assert_all_was_well();
        assert_eq!(receiver.heads().len(), 1, "{kind:?}");
    }
    let head = &to_webhook.heads()[0].to_ascii_lowercase();
    for line in [
        "authorization: basic b3blcmf0b3i6y29ycmvjdc1ob3jzzq==",
        "x-api-key: correct-horse",
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "{line}: {head}");
    }
    assert!(to_ntfy.heads()[0].contains("Bearer correct-horse\r\n"));
    assert!(
        to_telegram.taken()[0]["text"]
            .as_str()
            .unwrap()
            .contains("This is a test")
    );
    // Only to one of them.
    let (success, text) = files.test(&settings, &["--receiver", "telegram"]);
    assert!(success && text.lines().count() == 1, "{text}");
    assert_eq!((to_telegram.taken().len(), to_ntfy.taken().len()), (2, 1));
}

#[test]
fn a_test_that_fails_says_what_was_answered_and_what_to_do_and_shows_no_secret() {
    let files = Files::new();
    let repeats = Conduct::Answer(401, String::new(), "12345:correct-horse is nobody\nsecond".to_owned());
    let receiver = Receiver::start(Kind::Telegram, repeats);
    let (success, text) = files.test(&telegram(&receiver, &files), &[]);
    assert!(!success);
    for part in [
        "telegram: FAILED: http://127.0.0.1:",
        "answered 401: [hidden] is nobody; look at the credentials in [notify.telegram]",
        "1 of 1 receivers did not take the test",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (success, text) = files.test("", &[]);
    assert!(!success && text.contains("names no receiver"), "{text}");
    let (success, text) = files.test(&telegram(&receiver, &files), &["--receiver", "mail"]);
    assert!(!success && text.contains("names no receiver of this name"), "{text}");
}

fn hot(since: i64) -> Alert {
    Alert {
        name: "Hot".to_owned(),
        severity: "critical",
        since,
        until: i64::MAX,
    }
}

/// A service that tells whom `receivers` name.
fn service(story: &Story, directory: &Path, notify: &str, receivers: &str) -> Service {
    Service::start(&format!(
        "{}{}[log]\nlevel = \"trace\"\n[notify]\ndevice = \"gate-7\"\nlink = \"http://gate-7/\"\ngrouping = \"1s\"\n\
         directory = {directory:?}\n{notify}\n{receivers}",
        only(&["load"]),
        story.upstream.settings(),
    ))
}

#[test]
fn one_receiver_that_hangs_keeps_no_other_waiting_and_secrets_are_shown_nowhere() {
    let files = Files::new();
    let (story, directory) = (Story::new(vec![hot(now() - 60_000)]), tempfile::tempdir().unwrap());
    let hangs = Receiver::start(Kind::Ntfy, Conduct::Hang);
    let takes = Receiver::start(Kind::Telegram, Conduct::Take);
    let receivers = ntfy(&hangs, &files) + &telegram(&takes, &files);
    let service = service(&story, directory.path(), "timeout = \"5s\"", &receivers);
    assert!(eventually(|| takes.taken().len() == 1), "{}", service.log.text());
    takes.assert_all_was_well();
    let text = takes.taken()[0]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("gate-7: critical: Hot in barn\n"), "{text}");
    service.wait_for_metric(
        "edge_notify_failed_total{kind=\"timeout\",receiver=\"ntfy\"}",
        |value| value > Some(0.0),
    );
    hangs.behave(Conduct::Answer(
        500,
        String::new(),
        "correct-horse at gate-7 fails".to_owned(),
    ));
    service.log.wait_for("[hidden] at");
    let state = std::fs::read_to_string(directory.path().join("notify-telegram.json")).unwrap();
    for text in service.everything_shown().into_iter().chain([state]) {
        assert!(!text.contains("horse"), "{text}");
    }
}

#[test]
fn what_understands_alertmanager_is_told_as_by_one() {
    let (story, directory) = (Story::new(vec![hot(now() - 60_000)]), tempfile::tempdir().unwrap());
    let receiver = Receiver::start(Kind::Alertmanager, Conduct::Take);
    let webhook = format!(
        "[notify.webhook]\nurl = \"{}/hook\"\nformat = \"alertmanager\"\n",
        receiver.url()
    );
    let service = service(&story, directory.path(), "", &webhook);
    assert!(eventually(|| receiver.taken().len() == 1), "{}", service.log.text());
    receiver.assert_all_was_well();
    let alert = &receiver.taken()[0]["alerts"][0];
    assert_eq!(
        (&alert["status"], &alert["labels"]["edge"]),
        (&"firing".into(), &"gate-7".into()),
        "{alert}"
    );
    assert_eq!(alert["annotations"]["remedy"], "Mend it.");
}

#[test]
fn the_dead_mans_switch_is_asked_only_while_prometheus_evaluates() {
    let (story, directory) = (Story::new(vec![hot(now() - 60_000)]), tempfile::tempdir().unwrap());
    story.fail(Some(503));
    let receiver = Receiver::start(Kind::Ping, Conduct::Take);
    let file = directory.path().join("url");
    std::fs::write(&file, format!("{}/ping\n", receiver.url())).unwrap();
    let ping = format!("[notify.ping]\nurl_file = {file:?}\nevery = \"10s\"\n");
    let service = service(&story, directory.path(), "", &ping);
    service.wait_for_metric("edge_notify_failed_total{kind=\"source\",receiver=\"ping\"}", |value| {
        value > Some(1.0)
    });
    assert!(receiver.heads().is_empty());
    assert_eq!(service.metric("edge_notify_up{receiver=\"ping\"}"), Some(0.0));
    story.fail(None);
    service.wait_for_metric("edge_notify_up{receiver=\"ping\"}", |value| value == Some(1.0));
    assert!(!receiver.heads().is_empty());
    receiver.assert_all_was_well();
    assert!(!service.log.text().contains("/ping"), "{}", service.log.text());
}

#[test]
fn a_light_blinks_for_what_is_critical_and_shines_for_a_warning() {
    let (story, directory) = (Story::new(vec![hot(now() - 60_000)]), tempfile::tempdir().unwrap());
    let sysfs = tempfile::tempdir().unwrap();
    let led = sysfs.path().join("class/leds/ACT");
    std::fs::create_dir_all(&led).unwrap();
    for (name, text) in [
        ("brightness", "0\n"),
        ("max_brightness", "255\n"),
        ("trigger", "none [mmc0] timer\n"),
    ] {
        std::fs::write(led.join(name), text).unwrap();
    }
    let brightness = || std::fs::read_to_string(led.join("brightness")).unwrap();
    let notify = format!("led = \"ACT\"\n[paths]\nsysfs = {:?}\n", sysfs.path());
    let service = service(&story, directory.path(), &notify, "");
    for shown in ["255", "0", "255"] {
        assert!(
            eventually(|| brightness().trim() == shown),
            "{shown}\n{}",
            service.log.text()
        );
    }
    assert_eq!(std::fs::read_to_string(led.join("trigger")).unwrap(), "none");
    assert!(!service.metrics().contains("edge_notify_up"));
    // It looks every 15 s; a reload begins at once.
    story.set(vec![Alert {
        severity: "warning",
        ..hot(now() - 60_000)
    }]);
    let mut shone = 0;
    assert!(eventually(|| {
        shone = if brightness().trim() == "255" { shone + 1 } else { 0 };
        // Longer than it is on when it blinks.
        shone > 40
    }));
}

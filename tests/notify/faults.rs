//! What can go wrong with receivers, Prometheus, the disk and the settings.

use super::*;
use crate::common::small_disk::SmallDisk;
use crate::common::{serve, serve_outbound};

#[test]
fn whatever_the_receiver_answers_is_tried_again_until_it_takes_the_alert() {
    let story = Story::new(vec![alert("Hot", "critical", now() - 60_000, i64::MAX)]);
    let elsewhere = Receiver::start(Kind::Ntfy, Conduct::Take);
    let location = format!("Location: {}/\r\n", elsewhere.url());
    for (conduct, kind) in [
        (answer(400, "", "no"), "client_error"),
        (answer(401, "", "no"), "unauthorized"),
        (answer(403, "", "no"), "unauthorized"),
        (answer(413, "", "no"), "too_large"),
        (answer(429, "Retry-After: 1\r\n", "no"), "throttled"),
        (answer(500, "", "no"), "server_error"),
        (answer(307, &location, ""), "redirect"),
        (
            answer(200, "Content-Type: text/html\r\n", "<html>a hotel</html>"),
            "protocol",
        ),
        (Conduct::Garbage, "protocol"),
        (Conduct::Close, "closed"),
        (Conduct::Hang, "timeout"),
    ] {
        let directory = state_directory();
        let receiver = Receiver::start(Kind::Ntfy, conduct);
        let settings = settings(&story, directory.path(), &receiver.url(), "");
        // Long enough for a busy machine, but where it is waited for.
        let settings = match kind {
            "timeout" => settings.replace("timeout = \"20s\"", "timeout = \"1s\""),
            _ => settings,
        };
        let service = Service::start(&settings);
        wait_for_failure(&service, "ntfy", kind);
        assert_eq!(service.metric("edge_notify_up{receiver=\"ntfy\"}"), Some(0.0), "{kind}");
        receiver.behave(Conduct::Take);
        let told = wait_until_taken(&receiver, 1, &service);
        assert_eq!(told[0]["title"], "gate-7: critical: Hot in barn", "{kind}");
        assert_eq!(failures(&service, "ntfy", "panic"), 0.0);
    }
    assert!(elsewhere.heads().is_empty());
    // A name that nobody has, as without a network.
    let directory = state_directory();
    let service = Service::start(&settings(&story, directory.path(), "http://nowhere.invalid", ""));
    wait_for_failure(&service, "ntfy", "connect");
}

#[test]
fn what_is_refused_as_too_large_is_told_in_fewer_words() {
    let alerts = (0..50).map(|number| alert(&format!("Alert{number}"), "warning", now() - 60_000, i64::MAX));
    let story = Story::new(alerts.collect());
    let directory = state_directory();
    let receiver = Receiver::start(Kind::Ntfy, Conduct::AtMost(2000));
    let service = Service::start(&settings(&story, directory.path(), &receiver.url(), ""));
    let told = wait_until_taken(&receiver, 1, &service);
    let message = told[0]["message"].as_str().unwrap();
    assert!(
        message.contains("more.") && message.contains("- warning: Alert"),
        "{message}"
    );
    wait_for_failure(&service, "ntfy", "too_large");
}

#[test]
fn a_webhook_that_was_away_is_told_of_every_alert_and_one_that_refuses_much_of_one_at_least() {
    let alerts = (0..3).map(|number| alert(&format!("Alert{number}"), "warning", now() - 60_000, i64::MAX));
    let story = Story::new(alerts.collect());
    for (status, kind, times, told_one_by_one) in [(404, "client_error", 3.0, 3), (413, "too_large", 5.0, 1)] {
        let directory = state_directory();
        let receiver = Receiver::start(Kind::Webhook, answer(status, "", "no"));
        let hook = format!("[notify.webhook]\nurl = \"{}/hook\"\n", receiver.url());
        let settings = settings(&story, directory.path(), "", "");
        let settings = settings.split("[notify.ntfy]").next().unwrap().to_owned() + &hook;
        let service = Service::start(&settings);
        let failed = format!("edge_notify_failed_total{{kind=\"{kind}\",receiver=\"webhook\"}}");
        service.wait_for_metric(&failed, |value| value >= Some(times));
        receiver.behave(Conduct::Take);
        let told = wait_until_taken(&receiver, 1, &service);
        assert_eq!(told[0]["alerts"].as_array().unwrap().len(), told_one_by_one, "{told:?}");
        assert_eq!(told[0]["more"], 3 - told_one_by_one, "{told:?}");
    }
}

#[test]
fn a_state_that_is_damaged_tells_again_what_is_stored_and_one_of_the_future_goes_on() {
    let (since, until) = (now() - 3 * HOUR, now() - 2 * HOUR);
    let story = Story::new(vec![alert("Hot", "warning", since, until)]);
    let directory = state_directory();
    for text in ["", "{\"read_until_ms\":", "\0\0\0\0\0\0", "{\"read_until_ms\":1}"] {
        std::fs::write(directory.path().join("notify-ntfy.json"), text).unwrap();
        let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
        let service = Service::start(&settings(&story, directory.path(), &receiver.url(), ""));
        service.log.wait_for("not what edgewatch writes there");
        let told = wait_until_taken(&receiver, 1, &service);
        assert!(told[0]["title"].as_str().unwrap().contains("over again"), "{told:?}");
    }
    // What fires now is told though the clock was wrong when the state was written.
    write_state(directory.path(), "ntfy", -1000 * HOUR);
    story.set(vec![alert("Cold", "warning", now() - 60_000, i64::MAX)]);
    let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
    let service = Service::start(&settings(&story, directory.path(), &receiver.url(), ""));
    let told = wait_until_taken(&receiver, 1, &service);
    assert_eq!(told[0]["title"], "gate-7: warning: Cold in barn");
}

#[test]
fn a_full_disk_under_the_state_is_told_and_keeps_nobody_from_being_told() {
    let Some(disk) = SmallDisk::new("a_full_disk_under_the_state_is_told_and_keeps_nobody_from_being_told") else {
        return;
    };
    std::fs::write(disk.path().join("notify-ntfy.lock"), "").unwrap();
    disk.fill();
    let story = Story::new(vec![alert("Hot", "critical", now() - 60_000, i64::MAX)]);
    let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
    let service = Service::start(&settings(&story, disk.path(), &receiver.url(), ""));
    wait_until_taken(&receiver, 1, &service);
    service.log.wait_for("after a restart alerts may be told again");
    wait_for_failure(&service, "ntfy", "state");
    assert_eq!(receiver.taken().len(), 1);
}

#[test]
fn a_card_that_has_become_read_only_keeps_nobody_from_being_told() {
    let test = "a_card_that_has_become_read_only_keeps_nobody_from_being_told";
    let story = Story::new(vec![alert("FilesystemReadOnly", "critical", now() - 60_000, i64::MAX)]);
    for has_lock in [true, false] {
        let Some(disk) = SmallDisk::new(test) else {
            return;
        };
        if has_lock {
            std::fs::write(disk.path().join("notify-ntfy.lock"), "").unwrap();
        }
        disk.make_read_only();
        let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
        let settings = settings(&story, disk.path(), &receiver.url(), "");
        let service = Service::start(&settings);
        wait_until_taken(&receiver, 1, &service);
        service.log.wait_for("after a restart alerts may be told again");
        wait_for_failure(&service, "ntfy", "state");
        // One that is there is held all the same.
        if has_lock {
            let second = Service::start(&settings);
            second.log.wait_for("another edgewatch has this state");
        }
        assert_eq!(receiver.taken().len(), 1);
    }
}

#[test]
fn of_two_services_with_one_state_one_tells_and_the_other_says_why_not() {
    let story = Story::new(vec![alert("Hot", "critical", now() - 60_000, i64::MAX)]);
    let directory = state_directory();
    let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
    let settings = settings(&story, directory.path(), &receiver.url(), "");
    let first = Service::start(&settings);
    wait_until_taken(&receiver, 1, &first);
    let second = Service::start(&settings);
    second.log.wait_for("another edgewatch has this state");
    assert!(second.log.text().contains("notify.directory"));
    assert_eq!(second.metric(SENT), Some(0.0));
    // It takes over when the first one has ended, and knows what was told.
    drop(first);
    second.log.wait_for("alerts are told by ntfy");
    story.set(vec![alert("Hot", "critical", now() - 60_000, now())]);
    let told = wait_until_taken(&receiver, 2, &second);
    assert_eq!(told[1]["title"], "gate-7: over: Hot in barn");
}

#[test]
fn an_alert_that_fires_on_over_a_restart_of_a_real_prometheus_is_told_once() {
    for program in installed() {
        let (address, trouble) = target();
        trouble.store(true, Ordering::Relaxed);
        // Longer than it takes until what is stored has been read (5 s), and until an alert that is not there counts as over (0.6 s).
        let mut prometheus = Prometheus::start_with_alert(&program, address, Duration::from_millis(200), "12s");
        let directory = state_directory();
        let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
        let settings = format!(
            "{}[prometheus]\nurl = \"http://{}\"\n[notify]\ndevice = \"gate-7\"\nlink = \"http://gate-7/\"\ngrouping = \"1s\"\n\
             directory = {:?}\n[notify.ntfy]\nurl = \"{}/gate-7\"\n",
            only(&["load"]),
            prometheus.address,
            directory.path(),
            receiver.url()
        );
        let service = Service::start(&settings);
        let told = wait_until_taken(&receiver, 1, &service);
        assert_eq!(told[0]["title"], "gate-7: warning: There is trouble at sensor");
        prometheus.kill_and_restart();
        // That it fires is stored from before; that it is pending no more is from now.
        let is_pending = || !prometheus.query(r#"ALERTS{alertstate="pending"}"#).is_empty();
        assert!(eventually(is_pending) && eventually(|| !is_pending()));
        thread::sleep(Duration::from_secs(3));
        assert_eq!(receiver.taken().len(), 1, "{:#?}", receiver.taken());
        // It ends as ever.
        trouble.store(false, Ordering::Relaxed);
        let told = wait_until_taken(&receiver, 2, &service);
        assert_eq!(told[1]["title"], "gate-7: over: There is trouble at sensor");
    }
}

#[test]
fn a_prometheus_that_is_away_or_has_lost_its_history_loses_no_alert() {
    let story = Story::new(vec![alert("Hot", "critical", now() - 60_000, i64::MAX)]);
    story.fail(Some(503));
    let directory = state_directory();
    let receiver = Receiver::start(Kind::Ntfy, Conduct::Take);
    let service = Service::start(&settings(&story, directory.path(), &receiver.url(), ""));
    wait_for_failure(&service, "ntfy", "source");
    story.fail(None);
    wait_until_taken(&receiver, 1, &service);
    // It starts anew with nothing: the alert that was told fires on, and nobody hears of it again; then it ends.
    story.restart_without_history();
    let asked = story.upstream.asked().len();
    assert!(eventually(|| story.upstream.asked().len() > asked + 8));
    assert_eq!(receiver.taken().len(), 1);
    story.set(vec![alert("Hot", "critical", now() - 60_000, now())]);
    let told = wait_until_taken(&receiver, 2, &service);
    assert_eq!(told[1]["title"], "gate-7: over: Hot in barn");
}

#[test]
fn settings_that_cannot_be_are_refused_with_what_to_do() {
    for (text, said) in [
        ("[notify]\nrepeat = \"1h\"\n", "[notify.ntfy]"),
        ("[notify.ntfy]\nurl = \"hunter2\"\n", "https://HOST:PORT"),
        (
            "[notify.ntfy]\nurl = \"https://ntfy.sh/a\"\ntoken = \"hunter2\"\n",
            "bearer_token_file",
        ),
        (
            "[notify.ntfy]\nurl = \"https://a:hunter2@ntfy.sh/a\"\n",
            "password_file",
        ),
        ("[notify.telegram]\nchat = \"1\"\ntoken = \"hunter2\"\n", "token_file"),
        (
            "[notify.mail]\nserver = \"mail\"\nfrom = \"a@b\"\nto = [\"a@b\"]\n",
            "smtps://HOST",
        ),
        ("[notify.ping]\nurl = \"https://x/y\"\nevery = \"1s\"\n", "10s to"),
        (
            "[notify.webhook]\nurl = \"https://x/y\"\nformat = \"slack\"\n",
            "alertmanager",
        ),
        (
            "[notify.telegram]\nchat = \"1\"\ntoken_file = \"/nonexistent\"\n",
            "No such file",
        ),
    ] {
        let (status, error) = serve(&["--check"], text);
        assert!(!status.success() && error.contains(said), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let (status, error) = serve_outbound("[notify.ntfy]\nurl = \"https://ntfy.sh/a\"\n");
    assert!(
        !status.success() && error.contains("notify.directory") && error.contains("StateDirectory="),
        "{error}"
    );
}

//! Forwarding, against a centre that misbehaves in every way: what is stored arrives, whatever happens.

mod bytes;
mod history;
mod reload;
mod way;

use crate::common;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use common::centre::{Centre, Conduct};
use common::prometheus::{Prometheus, installed};
use common::small_disk::SmallDisk;
use common::{Service, Setup, eventually, only, serve, serve_outbound, stored};
use tempfile::TempDir;

const INTERVAL: Duration = Duration::from_millis(200);
const SENT: &str = "edge_forward_samples_sent_total";
const REFUSED: &str = "edge_forward_samples_refused_total";

/// A Prometheus that scrapes a service, which forwards from it.
struct Stack {
    listener: TcpListener,
    prometheus: Prometheus,
    directory: TempDir,
}

impl Stack {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let program = installed().pop().expect("Prometheus is installed");
        let prometheus = Prometheus::start(&program, &[listener.local_addr().unwrap()], INTERVAL);
        // It looks for its targets every five seconds.
        assert!(eventually(|| !prometheus.query("up").is_empty()));
        Self {
            prometheus,
            listener,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Settings that forward to `url`, accelerated; `more` are further lines of `[forward]`.
    fn settings(&self, url: &str, more: &str) -> String {
        self.settings_in(self.directory.path(), url, more)
    }

    fn settings_in(&self, directory: &Path, url: &str, more: &str) -> String {
        format!(
            "{}[prometheus]\nurl = \"http://{}\"\n[forward]\nurl = {url:?}\nwindow = \"1s\"\nlag = \"2s\"\ntimeout = \"1s\"\n\
             directory = {directory:?}\n{more}\n[forward.labels]\nedge = \"gate-7\"\n",
            only(&["load"]),
            self.prometheus.address
        )
    }

    fn service(&self, settings: &str) -> Service {
        Setup::new(settings).socket(&self.listener).start()
    }

    /// Waits until everything stored up to now has been sent, and fails if the centre lacks a sample of it.
    fn assert_all_arrives(&self, service: &Service, centre: &Centre, from: i64) {
        // On a busy machine it may take a while until there is anything.
        assert!(eventually(
            || !stored::samples(self.prometheus.address, from, now()).is_empty()
        ));
        let until = now();
        let arrived = eventually(|| sent_until(service) >= until);
        assert!(
            arrived,
            "sent until {} of {until}\n{}",
            sent_until(service),
            service.log.text()
        );
        let stored = stored::samples(self.prometheus.address, from, until);
        assert!(!stored.is_empty());
        let missing = stored::missing(&stored, &centre.samples());
        assert!(missing.is_empty(), "{missing:?}\n{}", service.log.text());
        centre.assert_all_was_well();
    }
}

fn now() -> i64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    now.as_millis() as i64
}

fn sent_until(service: &Service) -> i64 {
    let age = service
        .metric("edge_forward_oldest_unsent_age_seconds")
        .unwrap_or(f64::MAX);
    now() - (age * 1000.0) as i64 - stored::READING_AGE_MS
}

fn failures(service: &Service, kind: &str) -> f64 {
    service
        .metric(&format!("edge_forward_requests_failed_total{{kind=\"{kind}\"}}"))
        .unwrap()
}

fn wait_for_failure(service: &Service, kind: &str) {
    let name = format!("edge_forward_requests_failed_total{{kind=\"{kind}\"}}");
    service.wait_for_metric(&name, |value| value > Some(0.0));
}

fn answer(status: u16, headers: &str) -> Conduct {
    Conduct::Answer(status, headers.to_owned(), "no".to_owned())
}

#[test]
fn without_forwarding_there_is_nothing_of_it() {
    let service = Service::start(&only(&["load"]));
    assert!(!service.metrics().contains("edge_forward"));
    assert!(!service.log.text().contains("forward"));
}

#[test]
fn whatever_the_centre_answers_but_a_refusal_is_tried_again_until_all_has_arrived() {
    let (stack, from) = (Stack::start(), now());
    let elsewhere = Centre::start(Conduct::Take);
    let location = format!("Location: {}\r\n", elsewhere.url());
    let centre = Centre::start(Conduct::Take);
    let service = stack.service(&stack.settings(&centre.url(), ""));
    for (conduct, kind) in [
        (answer(401, ""), "unauthorized"),
        (answer(403, ""), "unauthorized"),
        (answer(404, ""), "client_error"),
        (answer(429, "Retry-After: 1\r\n"), "throttled"),
        (answer(500, ""), "server_error"),
        (answer(307, &location), "redirect"),
        // nginx in front, when the device's certificate has expired.
        (
            Conduct::Answer(
                400,
                "Content-Type: text/html\r\n".to_owned(),
                "<html>\r\n<head><title>400 The SSL certificate error</title></head>\r\n</html>\r\n".to_owned(),
            ),
            "protocol",
        ),
        // A portal that says nothing of its page.
        (
            Conduct::Answer(200, String::new(), "<!DOCTYPE html><title>Welcome</title>".to_owned()),
            "protocol",
        ),
        (Conduct::AtMost(0), "too_large"),
        (Conduct::Garbage, "protocol"),
        (Conduct::Close, "closed"),
        (Conduct::Hang, "timeout"),
    ] {
        let before = failures(&service, kind);
        centre.behave(conduct);
        let name = format!("edge_forward_requests_failed_total{{kind=\"{kind}\"}}");
        service.wait_for_metric(&name, |value| value > Some(before));
        // What succeeds makes the next pause a short one.
        let taken = centre.taken();
        centre.behave(Conduct::Take);
        assert!(eventually(|| centre.taken() > taken), "{kind}\n{}", service.log.text());
    }
    stack.assert_all_arrives(&service, &centre, from);
    assert_eq!(elsewhere.requests(), 0);
    assert_eq!(service.metric(REFUSED), Some(0.0));
    assert_eq!(failures(&service, "panic"), 0.0);
}

#[test]
fn what_the_centre_refuses_for_good_is_counted_told_and_passed_over() {
    let stack = Stack::start();
    let centre = Centre::start(answer(400, ""));
    let service = stack.service(&stack.settings(&centre.url(), ""));
    service.wait_for_metric(REFUSED, |value| value > Some(0.0));
    service.log.wait_for("passed over");
    service.log.wait_for("answered 400: no");
    assert_eq!(service.metric(SENT), Some(0.0));
    let from = sent_until(&service);
    centre.behave(Conduct::Take);
    assert!(eventually(|| centre.taken() > 0));
    stack.assert_all_arrives(&service, &centre, from + 3000);
}

#[test]
fn requests_become_as_small_as_the_centre_wants_them() {
    let (stack, from) = (Stack::start(), now());
    let centre = Centre::start(Conduct::AtMost(3000));
    let service = stack.service(&stack.settings(&centre.url(), ""));
    stack.assert_all_arrives(&service, &centre, from);
    assert_eq!(failures(&service, "too_large"), 0.0);
}

#[test]
fn a_cursor_that_is_damaged_or_of_the_future_loses_nothing() {
    let (stack, from) = (Stack::start(), now());
    let centre = Centre::start(answer(500, ""));
    let file = stack.directory.path().join("forward.json");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let future = now() + 1_000_000_000;
    let of_this_boot = format!(
        "{{\"sent_until_ms\":{future},\"written\":{{\"wall_ms\":{future},\"uptime_ms\":0,\"boot\":{:?}}}}}",
        boot.trim()
    );
    let of_another = of_this_boot.replace(boot.trim(), "another");
    for text in [
        "",
        "{\"sent_until_ms\":",
        "\0\0\0\0\0\0\0\0",
        &of_this_boot,
        &of_another,
    ] {
        std::fs::write(&file, text).unwrap();
        let service = stack.service(&stack.settings(&centre.url(), ""));
        // A power cut before anything was sent.
        wait_for_failure(&service, "server_error");
        match text == of_this_boot || text == of_another {
            true => service.log.wait_for("the clock may have gone back"),
            false => service.log.wait_for("not what edgewatch writes there"),
        }
    }
    std::fs::write(&file, "damaged").unwrap();
    centre.behave(Conduct::Take);
    let service = stack.service(&stack.settings(&centre.url(), ""));
    stack.assert_all_arrives(&service, &centre, from);
}

#[test]
fn zstd_is_sent_where_it_is_taken_and_snappy_where_it_is_not() {
    let zstd = "compression = \"zstd\"\n";
    let encodings = |centre: &Centre| {
        let heads = centre.heads();
        let mut encodings: Vec<_> = heads
            .iter()
            .map(|head| common::header(head, "content-encoding").unwrap().to_owned())
            .collect();
        encodings.dedup();
        encodings
    };
    // Prometheus answers 415; who does not look at the encoding finds a damaged message. Neither may cost a sample.
    for (conduct, expected) in [
        (Conduct::Take, vec!["zstd"]),
        (Conduct::Snappy(415), vec!["zstd", "snappy"]),
        (Conduct::Snappy(400), vec!["zstd", "snappy"]),
    ] {
        let (stack, from) = (Stack::start(), now());
        let centre = Centre::start(conduct);
        let service = stack.service(&stack.settings(&centre.url(), zstd));
        stack.assert_all_arrives(&service, &centre, from);
        assert_eq!(encodings(&centre), expected);
        assert_eq!(service.metric(REFUSED), Some(0.0));
        // Once zstd is known to be taken, 400 is about the content.
        if expected == ["zstd"] {
            centre.behave(answer(400, ""));
            service.wait_for_metric(REFUSED, |value| value > Some(0.0));
            assert_eq!(encodings(&centre), expected);
        }
    }
}

#[test]
fn a_full_disk_under_the_cursor_is_told_and_stops_nothing() {
    let Some(disk) = SmallDisk::new("a_full_disk_under_the_cursor_is_told_and_stops_nothing") else {
        return;
    };
    let (stack, from) = (Stack::start(), now());
    std::fs::write(disk.path().join("forward.lock"), "").unwrap();
    disk.fill();
    let centre = Centre::start(Conduct::Take);
    let settings = stack.settings_in(disk.path(), &centre.url(), "");
    let service = stack.service(&settings);
    service.log.wait_for("after a restart more is sent again");
    wait_for_failure(&service, "state");
    stack.assert_all_arrives(&service, &centre, from);
    disk.free();
    let cursor = disk.path().join("forward.json");
    assert!(eventually(
        || std::fs::read_to_string(&cursor).is_ok_and(|text| text.contains("sent_until_ms"))
    ));
}

#[test]
fn of_two_services_with_one_cursor_one_forwards_and_the_other_says_why_not() {
    let stack = Stack::start();
    let centre = Centre::start(Conduct::Take);
    let first = stack.service(&stack.settings(&centre.url(), ""));
    first.wait_for_metric(SENT, |value| value > Some(0.0));
    let second = Service::start(&stack.settings(&centre.url(), ""));
    second.log.wait_for("another edgewatch has this state");
    wait_for_failure(&second, "state");
    assert_eq!(second.metric(SENT), Some(0.0));
    assert_eq!(failures(&first, "state"), 0.0);
    // It takes over when the first one has ended.
    drop(first);
    second.wait_for_metric(SENT, |value| value > Some(0.0));
}

#[test]
fn secrets_are_sent_and_shown_nowhere() {
    let stack = Stack::start();
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "correct-horse\n").unwrap();
    // It repeats what it was sent, and is then content.
    let centre = Centre::start(Conduct::Answer(
        403,
        String::new(),
        "correct-horse is no token".to_owned(),
    ));
    let more = format!("bearer_token_file = {:?}\n", token.path());
    let settings = stack.settings(&centre.url(), &more) + "[log]\nlevel = \"trace\"\n";
    let service = stack.service(&settings);
    service.log.wait_for("[hidden] is no token");
    centre.behave(Conduct::Take);
    service.wait_for_metric(SENT, |value| value > Some(0.0));
    let heads = centre.heads();
    assert!(
        heads.iter().all(|head| head.contains("Bearer correct-horse\r\n")),
        "{heads:?}"
    );
    for text in service.everything_shown() {
        assert!(!text.contains("horse"), "{text}");
    }
}

#[test]
fn a_prometheus_that_is_away_is_waited_for() {
    let (mut stack, from) = (Stack::start(), now());
    let centre = Centre::start(Conduct::Take);
    let elsewhere = SocketAddr::from(([127, 0, 0, 1], common::prometheus::free_port()));
    let settings = stack.settings(&centre.url(), "");
    let away = settings.replace(&stack.prometheus.address.to_string(), &elsewhere.to_string());
    let service = stack.service(&away);
    wait_for_failure(&service, "source");
    service.reload(&settings);
    stack.prometheus.kill_and_restart();
    stack.assert_all_arrives(&service, &centre, from);
}

#[test]
fn settings_that_cannot_be_are_refused_with_what_to_do() {
    for (text, said) in [
        ("[forward]\nprofile = \"lte\"\n", "forward.url = not set"),
        ("[forward]\nurl = \"centre\"\n", "https://HOST:PORT"),
        ("[forward]\nurl = \"https://a:hunter2@centre\"\n", "password_file"),
        (
            "[forward]\nurl = \"https://centre\"\npassword = \"hunter2\"\n",
            "password_file",
        ),
        (
            "[forward]\nurl = \"https://centre\"\n[forward.labels]\ndevice = \"x\"\n",
            "such as edge",
        ),
        ("[forward]\nurl = \"https://centre\"\nprofile = \"some\"\n", "heartbeat"),
        ("[forward]\nurl = \"https://centre\"\nwindow = \"1ms\"\n", "1s to 3600s"),
        (
            "[forward]\nurl = \"http://centre\"\nbearer_token_file = \"/nonexistent\"\n",
            "No such file",
        ),
    ] {
        let (status, error) = serve(&["--check"], text);
        assert!(!status.success() && error.contains(said), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let (status, error) = serve_outbound("[forward]\nurl = \"http://centre\"\n");
    assert!(!status.success() && error.contains("StateDirectory="), "{error}");
}

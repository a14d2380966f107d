//! Who may ask, once the service can be reached from elsewhere.

use crate::common;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::process::Process;
use common::{Answer, Service, Setup, users_file};
use tempfile::NamedTempFile;

/// As [`users_file`]'s.
const COST: u32 = 6;

fn settings(file: &NamedTempFile) -> String {
    format!(
        "[http]\nlisten = [\"0.0.0.0:0\"]\n[auth]\nusers_file = {:?}\n",
        file.path()
    )
}

fn get(service: &Service, path: &str, user: &str, password: &str) -> Answer {
    let credentials = STANDARD.encode(format!("{user}:{password}"));
    let port = service.address().port();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: device\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
    );
    common::ask(([127, 0, 0, 1], port).into(), request.as_bytes()).unwrap()
}

#[test]
fn every_page_but_the_health_checks_asks_for_a_password() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = Service::start(&settings(&file));
    for path in [
        "/",
        "/metrics",
        "/sensor",
        "/dashboards",
        "/dashboards.json",
        "/style.css",
        "/nope",
    ] {
        let answer = service.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(
            answer.header("www-authenticate").unwrap().starts_with("Basic "),
            "{path}"
        );
        assert!(!answer.text().contains("node_"), "{path}");
    }
    assert_eq!(
        (service.get("/healthz").status, service.get("/readyz").status),
        (200, 200)
    );
    assert_eq!(get(&service, "/metrics", "operator", "correct horse").status, 200);
}

#[test]
fn wrong_credentials_are_refused_counted_and_slowed_down() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = Service::start(&settings(&file));
    assert_eq!(get(&service, "/metrics", "operator", "battery staple").status, 401);
    let again = get(&service, "/metrics", "operator", "battery staple 2");
    assert_eq!(again.status, 429);
    assert!(again.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    // Even the right password waits, or guessing on could not be told from knowing.
    assert_eq!(get(&service, "/metrics", "operator", "correct horse").status, 429);
    std::thread::sleep(Duration::from_millis(1100));
    let answer = get(&service, "/metrics", "operator", "correct horse");
    assert_eq!(answer.status, 200);
    assert_eq!(common::value_of(&answer.text(), "edge_auth_failures_total"), Some(3.0));
}

#[test]
fn a_right_password_lets_in_though_the_client_closes_its_side_behind_the_request() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = Service::start(&settings(&file));
    let credentials = STANDARD.encode("operator:correct horse");
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", service.address().port())).unwrap();
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: device\r\nAuthorization: Basic {credentials}\r\n\r\n"
    )
    .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\nedge_auth_failures_total 0"), "{answer}");
}

#[test]
fn credentials_that_cannot_be_read_count_as_wrong_and_missing_ones_do_not() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = Service::start(&settings(&file));
    let there = ([127, 0, 0, 1], service.address().port()).into();
    for header in ["", "Authorization: Bearer x\r\n", "Authorization: Basic ~\r\n"] {
        let request = format!("GET / HTTP/1.1\r\nHost: device\r\n{header}Connection: close\r\n\r\n");
        assert_eq!(common::ask(there, request.as_bytes()).unwrap().status, 401);
    }
    let metrics = get(&service, "/metrics", "operator", "correct horse").text();
    assert_eq!(common::value_of(&metrics, "edge_auth_failures_total"), Some(2.0));
}

#[test]
fn a_client_that_is_in_stays_in_while_somebody_guesses_from_the_same_address() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = Service::start(&settings(&file));
    assert_eq!(get(&service, "/metrics", "operator", "correct horse").status, 200);
    assert_eq!(get(&service, "/metrics", "admin", "admin").status, 401);
    assert_eq!(get(&service, "/metrics", "operator", "correct horse").status, 200);
}

#[test]
fn a_known_password_does_not_cost_bcrypt_at_each_scrape() {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(
        file.path(),
        format!("operator:{}\n", bcrypt::hash("correct horse", 11).unwrap()),
    )
    .unwrap();
    let service = Service::start(&settings(&file));
    let first = Instant::now();
    assert_eq!(get(&service, "/metrics", "operator", "correct horse").status, 200);
    let first = first.elapsed();
    let next = Instant::now();
    for _ in 0..5 {
        assert_eq!(get(&service, "/metrics", "operator", "correct horse").status, 200);
    }
    assert!(
        next.elapsed() < first,
        "five requests took {:?}, the first {first:?}",
        next.elapsed()
    );
}

#[test]
fn an_unknown_user_takes_as_long_as_a_wrong_password() {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(
        file.path(),
        format!("operator:{}\n", bcrypt::hash("correct horse", 11).unwrap()),
    )
    .unwrap();
    let time = |user: &str| {
        let service = Service::start(&settings(&file));
        let process = Process {
            pid: service.child.id(),
        };
        // Of the CPU: how long it takes on the clock depends on what else runs.
        let before = process.cpu();
        assert_eq!(get(&service, "/metrics", user, "wrong").status, 401);
        (process.cpu() - before).as_secs_f64()
    };
    let (known, unknown) = (time("operator"), time("nobody"));
    assert!((0.5..2.0).contains(&(unknown / known)), "{unknown} s and {known} s");
}

#[test]
fn loopback_is_trusted_only_if_asked_for() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = Service::start(&(settings(&file) + "trust_loopback = true\n"));
    assert_eq!(service.get("/metrics").status, 200);
}

#[test]
fn users_change_with_a_reload() {
    let file = users_file(&[("operator", "old")]);
    let service = Service::start(&settings(&file));
    assert_eq!(get(&service, "/metrics", "operator", "old").status, 200);
    std::fs::write(
        file.path(),
        format!("operator:{}\n", bcrypt::hash("new", COST).unwrap()),
    )
    .unwrap();
    service.signal("HUP");
    service.manager.wait_for_nth("READY=1", 2);
    assert_eq!(get(&service, "/metrics", "operator", "new").status, 200);
    assert_eq!(get(&service, "/metrics", "operator", "old").status, 401);
}

#[test]
fn a_credential_of_the_unit_is_found_by_its_name() {
    let file = users_file(&[("operator", "correct horse")]);
    let directory = file.path().parent().unwrap().to_str().unwrap();
    let name = file.path().file_name().unwrap();
    let service = Setup::new(&format!("[auth]\nusers_file = {name:?}\n"))
        .environment("CREDENTIALS_DIRECTORY", directory)
        .start();
    assert_eq!(get(&service, "/metrics", "operator", "correct horse").status, 200);
    assert_eq!(service.get("/metrics").status, 401);
}

#[test]
fn the_check_reads_the_file_that_the_unit_loads_at_its_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let (users, systemctl) = (directory.path().join("users"), directory.path().join("systemctl"));
    let unit = format!(
        "#!/bin/sh\necho '[Service]'\necho LoadCredential=users:{}\n",
        users.display()
    );
    std::fs::write(&systemctl, unit).unwrap();
    std::fs::set_permissions(&systemctl, std::fs::Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap());
    let check = || {
        let environment = [("EDGEWATCH__AUTH__USERS_FILE", "users"), ("PATH", &path)];
        common::run(&["serve", "--check", "--config", "/dev/null"], &environment)
    };
    std::fs::write(&users, "garbage\n").unwrap();
    let (status, _, error) = check();
    assert!(!status.success() && error.contains("line 1"), "{error}");
    std::fs::write(&users, format!("o:{}\n", bcrypt::hash("x", 4).unwrap())).unwrap();
    let (status, _, error) = check();
    assert!(status.success(), "{error}");
}

#[test]
fn a_bad_users_file_is_refused_without_showing_it() {
    for (content, expected) in [
        ("operator:hunter2\n", "line 1"),
        ("# nobody\n", "no user"),
        (":x\n", "line 1"),
    ] {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let mut service = Setup::new(&settings(&file)).spawn();
        assert!(!service.wait().success());
        service.log.wait_for(expected);
        assert!(!service.log.text().contains("hunter2"), "{}", service.log.text());
    }
}

#[test]
fn a_users_file_that_cannot_serve_is_refused_by_the_check_and_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("users");
    let hash = bcrypt::hash("x", 4).unwrap();
    let check = || {
        let (status, _, stderr) = common::run(
            &["serve", "--check", "--config", "/dev/null"],
            &[("EDGEWATCH__AUTH__USERS_FILE", path.to_str().unwrap())],
        );
        assert!(!status.success(), "it was taken");
        stderr
    };
    let long = "# ".repeat(1 << 20);
    for (content, said) in [
        (format!("o:{}\n", hash.replace("$04$", "$31$")).as_bytes(), "cost 31"),
        (format!("o:{}\n", hash.replace("$2b$", "$2x$")).as_bytes(), "$2x$"),
        (format!("\u{feff}o:{hash}\n").as_bytes(), "byte order mark"),
        (b"\xff\xfeo\0:\0".as_slice(), "UTF-16"),
        (b"\xe9:x\n".as_slice(), "Latin-1"),
        (long.as_bytes(), "larger than 1 MiB"),
    ] {
        std::fs::write(&path, content).unwrap();
        let error = check();
        assert!(
            error.contains("auth.users_file") && error.contains(said),
            "{said}: {error}"
        );
    }
    std::fs::remove_file(&path).unwrap();
    // Nobody writes to it: whoever opens it as usual waits for ever.
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let error = check();
    assert!(error.contains("no regular file"), "{error}");
}

#[test]
fn a_line_that_cannot_serve_locks_no_other_user_out_at_the_start() {
    let file = users_file(&[("operator", "correct horse")]);
    let good = std::fs::read_to_string(file.path()).unwrap();
    let slow = good.replace("operator", "slow").replace("$06$", "$31$");
    std::fs::write(file.path(), slow + &good).unwrap();
    let service = Service::start(&settings(&file));
    service.log.wait_for("line 1 has a hash of cost 31");
    assert_eq!(get(&service, "/metrics", "operator", "correct horse").status, 200);
    assert_eq!(get(&service, "/metrics", "slow", "correct horse").status, 401);
    // While somebody is there to mend it, it is refused.
    service.signal("HUP");
    service.manager.wait_for("reload refused");
}

//! The way to the centre: TLS on both sides, proxies, and credentials as systemd hands them over.

use super::*;
use crate::common::certificates::Certificates;
use crate::common::proxy::{Kind, Proxy};

fn over_tls(centre: &Centre) -> String {
    format!("https://localhost:{}/api/v1/write", centre.address.port())
}

#[test]
fn a_centre_that_wants_a_certificate_of_the_device_gets_it_and_without_it_nothing() {
    let (stack, from) = (Stack::start(), now());
    let certificates = Certificates::new();
    let centre = Centre::start_tls(Conduct::Take, certificates.server("localhost", 2125));
    let trusting = format!("ca_file = {:?}\n", certificates.authority);
    let service = stack.service(&stack.settings(&over_tls(&centre), &trusting));
    wait_for_failure(&service, "tls");
    assert_eq!(centre.requests(), 0);
    let (certificate, key) = certificates.write("device", "gate-7", 2125);
    let own = format!("{trusting}certificate_file = {certificate:?}\nkey_file = {key:?}\n");
    service.reload(&stack.settings(&over_tls(&centre), &own));
    stack.assert_all_arrives(&service, &centre, from);
    let key = std::fs::read_to_string(key).unwrap();
    let secret = key.lines().nth(1).unwrap();
    for text in service.everything_shown() {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_centre_whose_certificate_is_old_of_another_name_or_of_nobody_gets_nothing() {
    let (stack, certificates) = (Stack::start(), Certificates::new());
    let (certificate, key) = certificates.write("device", "gate-7", 2125);
    let own = format!("certificate_file = {certificate:?}\nkey_file = {key:?}\n");
    let stranger = Certificates::new();
    for (host, until, trusted, said) in [
        ("localhost", 2020, &certificates, "xpired"),
        ("centre.example", 2125, &certificates, "not valid for name"),
        // An authority of the same name, with another key.
        ("localhost", 2125, &stranger, "BadSignature"),
    ] {
        let centre = Centre::start_tls(Conduct::Take, certificates.server(host, until));
        let more = format!("ca_file = {:?}\n{own}", trusted.authority);
        let service = stack.service(&stack.settings(&over_tls(&centre), &more));
        service.log.wait_for(said);
        wait_for_failure(&service, "tls");
        assert_eq!(centre.requests(), 0, "{said}");
    }
}

#[test]
fn whatever_is_sent_goes_through_the_proxy() {
    let stack = Stack::start();
    for (kind, scheme) in [(Kind::Http, "http"), (Kind::Socks, "socks5"), (Kind::Socks, "socks5h")] {
        let from = now();
        let centre = Centre::start(Conduct::Take);
        let proxy = Proxy::start(kind, centre.address);
        // Who has to go through one often cannot resolve names himself.
        let host = match scheme {
            "socks5" => "127.0.0.1",
            _ => "centre.invalid",
        };
        let more = format!("proxy = \"{scheme}://{}\"\n", proxy.address);
        let url = format!("http://{host}:8480/api/v1/write");
        let directory = tempfile::tempdir().unwrap();
        let service = stack.service(&stack.settings_in(directory.path(), &url, &more));
        stack.assert_all_arrives(&service, &centre, from);
        let asked = proxy.asked();
        assert!(!asked.is_empty());
        assert!(
            asked.iter().all(|target| *target == format!("{host}:8480")),
            "{scheme}: {asked:?}"
        );
        assert_eq!(failures(&service, "panic"), 0.0, "{scheme}");
    }
}

#[test]
fn a_proxy_that_is_away_or_refuses_is_waited_for() {
    let (stack, from) = (Stack::start(), now());
    let centre = Centre::start(Conduct::Take);
    // What it answers is an answer of a proxy as well.
    let refuses = Centre::start(answer(407, ""));
    let url = "http://centre.invalid/api/v1/write";
    let through = |address: SocketAddr| stack.settings(url, &format!("proxy = \"http://{address}\"\n"));
    let service = stack.service(&through(refuses.address));
    service.log.wait_for("407");
    let nobody = SocketAddr::from(([127, 0, 0, 1], common::prometheus::free_port()));
    service.reload(&through(nobody));
    wait_for_failure(&service, "connect");
    let proxy = Proxy::start(Kind::Http, centre.address);
    service.reload(&through(proxy.address));
    stack.assert_all_arrives(&service, &centre, from);
}

#[test]
fn credentials_of_the_unit_are_sent_and_shown_nowhere() {
    let (stack, from) = (Stack::start(), now());
    let credentials = tempfile::tempdir().unwrap();
    for (name, text) in [("password", "correct-horse\n"), ("key", "battery-staple\n")] {
        std::fs::write(credentials.path().join(name), text).unwrap();
    }
    // It repeats what it was sent, and is then content.
    let repeats = "Basic Z2F0ZS03OmNvcnJlY3QtaG9yc2U= battery-staple".to_owned();
    let centre = Centre::start(Conduct::Answer(401, String::new(), repeats));
    let more = "user = \"gate-7\"\npassword_file = \"password\"\n[forward.header_files]\nX-Api-Key = \"key\"\n";
    let settings = stack.settings(&centre.url(), more) + "[log]\nlevel = \"trace\"\n";
    let service = Setup::new(&settings)
        .socket(&stack.listener)
        .environment("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap())
        .start();
    service.log.wait_for("answered 401: Basic [hidden] [hidden]");
    centre.behave(Conduct::Take);
    stack.assert_all_arrives(&service, &centre, from);
    for head in centre.heads() {
        assert_eq!(common::header(&head, "x-api-key"), Some("battery-staple"));
        let authorization = common::header(&head, "authorization");
        assert_eq!(authorization, Some("Basic Z2F0ZS03OmNvcnJlY3QtaG9yc2U="));
    }
    for text in service.everything_shown() {
        for secret in ["horse", "staple", "Z2F0ZS03OmNvcnJl"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

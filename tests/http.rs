//! HTTP as its standards say, and bounds for clients that do not.

use crate::common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::{PATIENCE, Service, ask, only};

fn service(http: &str) -> Service {
    Service::start(&format!("[http]\n{http}\n{}", only(&["load"])))
}

#[test]
fn head_answers_as_get_does_without_the_body() {
    let service = service("");
    for path in [
        "/",
        "/metrics",
        "/sensor",
        "/healthz",
        "/readyz",
        "/dashboards",
        "/style.css",
    ] {
        let get = service.get(path);
        let head = service.request(&format!(
            "HEAD {path} HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert_eq!(get.header("content-type"), head.header("content-type"), "{path}");
        assert!(head.header("content-length").is_some(), "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
    }
}

#[test]
fn an_unknown_route_is_404_and_an_unknown_method_405() {
    let service = service("");
    for path in [
        "/nope",
        "/metrics/",
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/dashboards/x.json",
    ] {
        assert_eq!(service.get(path).status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "BREW"] {
        let answer = service.request(&format!(
            "{method} /metrics HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{method}");
    }
    assert_eq!(
        service.metric("edge_http_requests_total{code=\"4xx\",handler=\"other\"}"),
        Some(4.0)
    );
}

#[test]
fn a_body_is_refused_and_the_connection_closed() {
    let service = service("");
    let big = service.request("POST /sensor HTTP/1.1\r\nHost: device\r\nContent-Length: 100000\r\n\r\n");
    let chunked =
        service.request("POST /sensor HTTP/1.1\r\nHost: device\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    assert_eq!((big.status, chunked.status), (413, 413));
}

#[test]
fn headers_are_bounded() {
    let mut service = service("");
    let filler = format!("X: {}\r\n", "y".repeat(1000));
    // The server may close while we still send; that is a refusal as well.
    for count in [94, 1000] {
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: device\r\nConnection: close\r\n{}\r\n",
            filler.repeat(count)
        );
        if let Ok(answer) = ask(service.address(), request.as_bytes()) {
            assert!(
                (400..500).contains(&answer.status) || count == 94,
                "{count} headers: {}",
                answer.status
            );
        }
    }
    assert!(service.child.try_wait().unwrap().is_none());
    assert_eq!(service.get("/healthz").status, 200);
}

#[test]
fn a_client_that_dawdles_is_cut_off() {
    let service = service("client_timeout = \"500ms\"");
    let began = Instant::now();
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: dev").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn connections_beyond_the_limit_wait_and_are_served_when_slow_ones_are_cut_off() {
    let service = service("max_connections = 4\nclient_timeout = \"1s\"");
    let address = service.address();
    let slow: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
            stream
        })
        .collect();
    assert_eq!(service.get("/healthz").status, 200);
    let open = std::fs::read_dir(format!("/proc/{}/fd", service.child.id()))
        .unwrap()
        .count();
    assert!(open < 40, "{open} files are open");
    drop(slow);
}

#[test]
fn garbage_is_answered_or_dropped_but_never_fatal() {
    let mut service = service("client_timeout = \"500ms\"\nkeep_alive = \"1s\"");
    let hostile: [&[u8]; 6] = [
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ];
    for request in hostile {
        if let Ok(answer) = ask(service.address(), request) {
            assert!((400..600).contains(&answer.status), "{request:?}: {}", answer.status);
        }
    }
    assert!(service.child.try_wait().unwrap().is_none());
    assert_eq!(service.get("/healthz").status, 200);
}

#[test]
fn pages_run_no_script_and_load_nothing_from_elsewhere() {
    let service = service("");
    for path in ["/", "/dashboards"] {
        let answer = service.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(!answer.text().contains("<script"), "{path}");
    }
}

#[test]
fn the_status_page_shows_readings_and_the_way_to_the_other_parts() {
    let service = common::Setup::new("[simulated]\nenabled = true\n")
        .environment("EDGEWATCH__HTTP__HOSTS", "cabinet.local")
        .start();
    let page = service
        .request("GET / HTTP/1.1\r\nHost: cabinet.local:8000\r\nConnection: close\r\n\r\n")
        .text();
    for expected in [
        "<h3>simulated",
        "<th scope=\"row\">temp1 (ambient): Temperature<div class=\"detail\">node_hwmon_temp_celsius{",
        "<th scope=\"row\">MemAvailable<div class=\"detail\">node_memory_MemAvailable_bytes</div></th>",
        " °C</td>",
        "http://cabinet.local:9090",
        "http://cabinet.local:3000",
        "/dashboards",
        "all sources read",
        "are made up",
        "width=device-width",
    ] {
        assert!(page.contains(expected), "{expected} is missing in\n{page}");
    }
}

#[test]
fn the_status_page_opens_what_is_attached_and_closes_the_counters_of_the_host() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, content: &str| {
        let file = root.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    };
    // A supply without a temperature, and a value that another program leaves.
    write("sys/class/power_supply/ups/capacity", "83\n");
    write("text/tank.prom", "tank_litres 120\n");
    let service = Service::start(&format!(
        "[paths]\nsysfs = {:?}\n[textfile]\ndirectories = [{:?}]\n",
        root.path().join("sys"),
        root.path().join("text")
    ));
    let page = service.get("/").text();
    for (source, opened) in [("power_supply", " open"), ("textfile", " open"), ("memory", "")] {
        let expected = format!("<details id=\"{source}\"{opened}>");
        assert!(page.contains(&expected), "{expected} is missing in\n{page}");
    }
}

#[test]
fn a_part_that_does_not_run_here_is_not_linked() {
    let service = Service::start("[links]\ngrafana = \"\"\nprometheus = \"https://watch.example/p\"\n");
    let page = service.get("/").text();
    assert!(page.contains("Grafana does not run here") && page.contains("https://watch.example/p"));
}

#[test]
fn a_file_at_the_path_of_a_socket_is_not_removed_unless_it_is_a_socket_that_nobody_listens_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("http.sock");
    let settings = format!("[http]\nlisten = [\"unix:{}\"]\n{}", path.display(), only(&["load"]));
    let kept = directory.path().join("precious");
    std::fs::write(&kept, "data").unwrap();
    for obstacle in ["file", "link", "directory"] {
        match obstacle {
            "file" => std::fs::write(&path, "data").unwrap(),
            "link" => std::os::unix::fs::symlink(&kept, &path).unwrap(),
            _ => std::fs::create_dir(&path).unwrap(),
        }
        let mut service = common::Setup::new(&settings).spawn();
        assert!(!service.wait().success(), "{obstacle}");
        service.log.wait_for("no socket is in the way");
        match obstacle {
            "directory" => std::fs::remove_dir(&path).unwrap(),
            _ => std::fs::remove_file(&path).unwrap(),
        }
    }
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "data");
    // What a service that was killed leaves behind is replaced; the socket of one that lives is not.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let _service = common::Setup::new(&settings).start();
    let mut second = common::Setup::new(&settings).spawn();
    assert!(!second.wait().success());
}

#[test]
fn a_client_that_closes_its_side_of_the_connection_behind_the_request_is_answered() {
    let service = Service::start(&only(&["load"]));
    for path in ["/metrics", "/sensor", "/healthz"] {
        let mut stream = TcpStream::connect(service.address()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

#[test]
fn links_that_people_have_from_grafana_lead_to_the_same_panel_and_picture() {
    let service = Service::start("");
    for (link, expected) in [
        ("/d-solo/x?orgId=1&panelId=2", "/d/x?orgId=1&viewPanel=2"),
        ("/d-solo/x/any-name?panelId=2", "/d/x?viewPanel=2"),
        ("/render/d/x?width=800", "/render/d/x.png?width=800"),
        ("/render/d/x/any-name", "/render/d/x.png"),
        ("/render/d-solo/x/any-name?panelId=2", "/render/d/x.png?viewPanel=2"),
    ] {
        let answer = service.get(link);
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, Some(expected)),
            "{link}"
        );
    }
    assert_eq!(
        service
            .get("/d/edgewatch-overview?orgId=1&refresh=auto&timezone=utc")
            .status,
        200
    );
}

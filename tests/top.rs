//! `edgewatch top` in real terminals, fed by a real service and Prometheus.

use crate::common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::prometheus::{Prometheus, installed};
use common::pty::Pty;
use common::{Service, binary, eventually};

/// A service and a Prometheus that has scraped it.
struct Stack {
    prometheus: Prometheus,
    _service: Service,
}

impl Stack {
    fn start() -> Self {
        let service = Service::start("[simulated]\nenabled = true\n");
        let program = installed().pop().expect("a Prometheus");
        let prometheus = Prometheus::start_stack(&program, service.address(), Duration::from_secs(1));
        assert!(eventually(|| {
            prometheus.query("up") == [1.0, 1.0] && !prometheus.query("node_hwmon_temp_celsius").is_empty()
        }));
        Self {
            prometheus,
            _service: service,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.prometheus.address)
    }

    fn top(&self, size: (u16, u16), environment: &[(&str, &str)], more: &[&str]) -> Pty {
        let url = self.url();
        let mut arguments = vec!["top", "--prometheus", &url, "--refresh", "1s", "--from", "5m"];
        arguments.extend(more);
        Pty::start(&arguments, size, environment)
    }
}

fn once(arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(["top", "--once"])
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm")
        .env("COLUMNS", "80")
        .output()
        .unwrap()
}

/// What was sent so far may end in the middle of a character.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_terminal_of_80_by_24_shows_the_overview() {
    let stack = Stack::start();
    let mut top = stack.top((24, 80), &[], &[]);
    top.wait_for("numbers of the first panels", |text| {
        text.contains("Highest temperature") && text.contains(" °C") && text.contains("Uptime")
    });
    assert!(top.is_taken());
    for line in top.text().lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
    // What lies below comes by keys.
    // As long as values are missing, panels are lower.
    top.wait_for("more than one screen", |text| {
        text.lines().next().is_some_and(|head| head.contains(" 0%")) && !text.contains("CPU spike")
    });
    top.press("G");
    top.wait_for("the end of the page", |text| text.contains("CPU spike"));
    top.press("g");
    top.wait_for("its beginning", |text| text.contains("Highest temperature"));
    top.press("?");
    top.wait_for("the help", |text| text.contains("another dashboard"));
    top.press("?");
    top.press("2");
    top.wait_for("the second dashboard", |text| text.contains("Failing sources"));
    top.press("+");
    top.wait_for("a longer range", |text| text.contains("now-15m to now"));
    top.press("q");
    let (status, given_back) = top.end();
    assert!(status.success() && given_back, "{status}");
}

#[test]
fn another_size_is_heeded() {
    let stack = Stack::start();
    let top = stack.top((24, 80), &[], &[]);
    let beside = |text: &str| {
        text.lines()
            .any(|line| line.contains("Targets") && line.contains("Uptime"))
    };
    top.wait_for("the overview", |text| text.contains("Highest temperature"));
    assert!(!beside(&top.text()), "{}", top.text());
    top.resize(50, 160);
    top.wait_for("all numbers beside each other", beside);
    top.resize(5, 12);
    top.wait_for("something in a tiny terminal", |text| text.contains("Targets"));
    top.resize(24, 80);
    top.wait_for("the overview again", |text| text.contains("Highest temperature"));
}

#[test]
fn a_serial_line_gets_ascii_without_colours() {
    let stack = Stack::start();
    let top = stack.top((0, 0), &[("TERM", "vt220")], &[]);
    top.wait_for("numbers", |text| {
        text.contains("Highest temperature") && text.contains(" 'C")
    });
    let bytes = top.bytes();
    assert!(bytes.is_ascii());
    let sent = text(&bytes);
    for color in (30..=37).chain(40..=47).chain(90..=97) {
        assert!(!sent.contains(&format!("\x1b[{color}m")), "{color}: {sent:?}");
    }
    assert!(!sent.contains("\x1b[38;"), "{sent:?}");
}

#[test]
fn colours_are_left_out_where_nobody_wants_them() {
    let stack = Stack::start();
    let colored = stack.top((24, 80), &[], &[]);
    colored.wait_for("numbers", |text| text.contains(" °C"));
    assert!(eventually(|| text(&colored.bytes()).contains("\x1b[38;5;")));
    let plain = stack.top((24, 80), &[("NO_COLOR", "1")], &[]);
    plain.wait_for("numbers", |text| text.contains(" °C"));
    assert!(!text(&plain.bytes()).contains("\x1b[38;"));
}

#[test]
fn the_terminal_is_given_back_when_the_program_is_stopped() {
    let stack = Stack::start();
    for signal in ["TERM", "INT", "HUP"] {
        let top = stack.top((24, 80), &[], &[]);
        top.wait_for("the overview", |text| text.contains("Highest temperature"));
        common::signal(top.child.id(), signal);
        let (status, given_back) = top.end();
        assert!(status.success() && given_back, "{signal}: {status}");
    }
}

#[test]
fn a_prometheus_that_does_not_answer_is_named_and_asked_again() {
    let service = Service::start("[simulated]\nenabled = true\n");
    let port = common::prometheus::free_port();
    let url = format!("http://127.0.0.1:{port}");
    let mut top = Pty::start(&["top", "--prometheus", &url, "--refresh", "1s"], (24, 80), &[]);
    top.wait_for("the reason", |text| text.contains("Prometheus does not answer"));
    top.wait_for("where", |text| {
        text.contains(&format!("nothing listens on 127.0.0.1:{port}"))
    });
    top.press("q");
    assert!(top.end().0.success());
    drop(service);
}

#[test]
fn once_prints_what_prometheus_says() {
    let stack = Stack::start();
    let memory = stack.prometheus.value("node_memory_MemTotal_bytes");
    let memory = edgewatch_grafana_model::units::format("bytes", None, memory);
    let mut page = String::new();
    // The last point of a graph lies up to a step in the past, when there was nothing yet.
    let is_shown = eventually(|| {
        let output = once(&["--prometheus", &stack.url(), "--from", "5m"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        page = text(&output.stdout);
        page.lines()
            .any(|line| line.contains("total") && line.ends_with(&memory))
    });
    assert!(is_shown, "{memory}:\n{page}");
    assert!(!page.contains('\x1b'), "{page:?}");
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
    assert!(page.contains("Scrape success, 1 h"), "{page}");
}

#[test]
fn once_shows_a_file_and_its_values() {
    let stack = Stack::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mine.json");
    // The label tries to clear the screen.
    let hostile = r#"label_replace(vector(1), "x", "\u001b[2J\u0007", "", "")"#;
    let panel = |id: u32, kind: &str, unit: &str, expression: &str| {
        serde_json::json!({
            "id": id, "type": kind, "title": format!("Panel {id}"),
            "gridPos": { "x": 0, "y": 4 * id, "w": 24, "h": 4 },
            "fieldConfig": { "defaults": { "unit": unit } },
            "targets": [{ "refId": "A", "expr": expression, "legendFormat": "{{x}}" }],
        })
    };
    let dashboard = serde_json::json!({
        "uid": "mine", "title": "Mine\u{1b}[2J", "time": { "from": "now-5m", "to": "now" },
        "panels": [
            panel(1, "stat", "bytes", "vector(1536)"),
            panel(2, "timeseries", "s", hostile),
            panel(3, "gauge", "percentunit", "vector(0.5)"),
            panel(4, "bargauge", "percent", "label_replace(vector(75), \"x\", \"disk\", \"\", \"\")"),
            panel(5, "table", "celsius", "vector(21.5)"),
            panel(6, "state-timeline", "bool_on_off", "vector(1)"),
            panel(7, "nodeGraph", "none", "vector(1)"),
            panel(8, "timeseries", "none", "rate("),
        ],
    });
    std::fs::write(&file, dashboard.to_string()).unwrap();
    let output = once(&["--prometheus", &stack.url(), "--dashboard", file.to_str().unwrap()]);
    let page = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        !page.chars().any(|letter| letter.is_control() && letter != '\n'),
        "{page:?}"
    );
    for wanted in [
        "1.50 KiB",
        "1 s",
        "50%",
        "75%",
        "disk",
        "21.5 °C",
        "On",
        "nodeGraph",
        "parse error",
        "█",
    ] {
        assert!(page.contains(wanted), "{wanted}:\n{page}");
    }
}

/// Answers every request with 401, and tells what each asked.
fn guarded() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
            let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
        }
    });
    (url, asked)
}

#[test]
fn a_password_is_sent_and_its_lack_explained() {
    let (url, asked) = guarded();
    let output = once(&["--prometheus", &url]);
    assert!(text(&output.stderr).contains("edgewatch top and edgewatch render take --user"));
    assert!(!asked.recv().unwrap().to_ascii_lowercase().contains("authorization"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "open sesame\n").unwrap();
    let password = file.path().to_str().unwrap();
    let output = once(&["--prometheus", &url, "--user", "Aladdin", "--password-file", password]);
    assert!(
        text(&output.stderr).contains("wrong user or password"),
        "{}",
        text(&output.stderr)
    );
    // The example of RFC 7617, section 2.
    assert!(asked.recv().unwrap().contains("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
}

#[test]
fn what_cannot_be_done_is_said() {
    let port = common::prometheus::free_port();
    let url = format!("http://127.0.0.1:{port}");
    for (arguments, reason) in [
        (
            vec!["--prometheus", &*url],
            format!("nothing listens on 127.0.0.1:{port}"),
        ),
        (vec!["--prometheus", "localhost"], "is no address".to_owned()),
        (
            vec!["--dashboard", "nonsense"],
            "there are edgewatch-overview, ".to_owned(),
        ),
        (
            vec!["--dashboard", "/nowhere/d.json"],
            "/nowhere/d.json: No such file".to_owned(),
        ),
        (vec!["--from", "yesterday"], "yesterday".to_owned()),
        (vec!["--refresh", "5s"], "cannot be used with".to_owned()),
    ] {
        let output = once(&arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            text(&output.stderr).contains(&reason),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
    let output = Command::new(binary()).arg("top").output().unwrap();
    assert!(text(&output.stderr).contains("pass --once"), "{}", text(&output.stderr));
}

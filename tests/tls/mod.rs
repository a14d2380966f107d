//! TLS: whoever knows the device's certificate reads it over any network, and nothing that a client or a file does locks others out.

mod cost;
mod first_start;
mod versions;
mod web_config;

use crate::common;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use common::{
    PATIENCE, Service, Setup, ask, ask_from_outside, ask_over, connect_from_outside, eventually, only, run, serve, skip,
};
use rcgen::{Certificate, CertificateParams, KeyPair};
use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned};
use tempfile::TempDir;

const PAGE: &[u8] = b"GET / HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n";
const METRICS: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n";
const INFO: &str = "edge_tls_certificate_info";

type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// A service that speaks TLS, and its directories.
struct Device {
    service: Service,
    files: TempDir,
}

impl Device {
    fn start() -> Self {
        let files = tempfile::tempdir().unwrap();
        Self {
            service: Setup::new(&settings(&files)).start(),
            files,
        }
    }

    /// The device's own certificate.
    fn own(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.files.path().join("tls.pem")).unwrap()
    }

    /// A connection of a client that trusts nothing but `certificate`.
    fn connect(&self, certificate: &CertificateDer<'static>) -> TlsStream {
        shake(
            TcpStream::connect(self.service.address()).unwrap(),
            certificate,
            "localhost",
        )
    }

    fn fingerprint(&self) -> String {
        let metrics = self.service.metrics();
        let line = metrics
            .lines()
            .find(|line| line.starts_with(INFO))
            .expect("a certificate");
        line.split('"').nth(1).unwrap().to_owned()
    }
}

fn settings(files: &TempDir) -> String {
    let path = files.path();
    format!(
        "{}[tls]\nenabled = true\nstate_directory = {path:?}\ndirectory = {:?}\n",
        only(&["load"]),
        path.join("dropped-in")
    )
}

fn shake(stream: TcpStream, certificate: &CertificateDer<'static>, name: &'static str) -> TlsStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let config = client_config(certificate).with_no_client_auth();
    StreamOwned::new(
        ClientConnection::new(Arc::new(config), name.try_into().unwrap()).unwrap(),
        stream,
    )
}

fn client_config(certificate: &CertificateDer<'static>) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

/// Sends `request` without ending the connection, and reads one answer with a length.
fn ask_held(stream: &mut TlsStream, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: device\r\n\r\n").unwrap();
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        text.push(char::from(byte[0]));
    }
    let length = text
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap()];
    stream.read_exact(&mut body).unwrap();
    text
}

/// A certificate that nobody else has signed, and its key.
fn made(name: &str) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    parameters.is_ca = rcgen::IsCa::ExplicitNoCa;
    (parameters.self_signed(&key).unwrap(), key)
}

/// A certificate for `localhost`, laid into the directory for others' under `name`.
fn drop_in(files: &Path, name: &str) -> CertificateDer<'static> {
    let directory = files.join("dropped-in");
    fs::create_dir_all(&directory).unwrap();
    let (certificate, key) = made("localhost");
    fs::write(directory.join(name).with_extension("crt"), certificate.pem()).unwrap();
    fs::write(directory.join(name).with_extension("key"), key.serialize_pem()).unwrap();
    certificate.der().clone()
}

#[test]
fn whoever_trusts_the_device_s_own_certificate_reads_it_over_tls_and_loopback_needs_none() {
    let device = Device::start();
    let own = device.own();
    for request in [PAGE, METRICS] {
        let secure = ask_over(device.connect(&own), request).unwrap();
        let plain = ask(device.service.address(), request).unwrap();
        assert_eq!((secure.status, plain.status), (200, 200));
    }
    let outside = shake(
        connect_from_outside(device.service.address()).unwrap(),
        &own,
        "localhost",
    );
    assert_eq!(ask_over(outside, PAGE).map(|answer| answer.status).unwrap(), 200);

    let page = device.service.get("/").text();
    assert!(
        page.contains(&device.fingerprint()),
        "the status page shows the fingerprint"
    );
    let (_, found, _) = run(
        &["check", "--service", &format!("http://{}", device.service.address())],
        &[],
    );
    assert!(
        found.contains(&device.fingerprint()),
        "so does `edgewatch check`: {found}"
    );
}

#[test]
fn clear_text_from_the_network_is_sent_to_tls_but_for_health() {
    let device = Device::start();
    let address = device.service.address();
    let ask =
        |head: &str| ask_from_outside(address, format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let answer = ask("GET /d/overview?from=now-1h HTTP/1.1\r\nHost: device:8000");
    assert_eq!(answer.status, 307);
    assert_eq!(
        answer.header("location"),
        Some("https://device:8000/d/overview?from=now-1h")
    );
    assert_eq!(ask("GET /metrics HTTP/1.1\r\nHost: device").status, 307);
    for (request, target) in [
        (
            "GET http://pi:8000/metrics?x=1 HTTP/1.1\r\nHost: evil.example",
            "https://pi:8000/metrics?x=1",
        ),
        ("GET http://pi HTTP/1.1\r\nHost: evil.example", "https://pi/"),
        ("OPTIONS * HTTP/1.1\r\nHost: [::1]:8000", "https://[::1]:8000/"),
        ("CONNECT evil:443 HTTP/1.1\r\nHost: pi", "https://pi/"),
    ] {
        assert_eq!(ask(request).header("location"), Some(target), "{request}");
    }
    for host in ["evil.example/x?", "user@pi", "pi:8000:1", "a b"] {
        assert_eq!(ask(&format!("GET / HTTP/1.1\r\nHost: {host}")).status, 400, "{host}");
    }
    assert_eq!(ask("GET /healthz HTTP/1.1\r\nHost: device").status, 200);
    assert_eq!(
        ask("GET /metrics HTTP/1.0").status,
        400,
        "there is no name to redirect to"
    );
}

#[test]
fn the_certificate_stays_through_restarts_and_one_that_is_damaged_is_replaced() {
    let mut device = Device::start();
    let first = device.fingerprint();
    let restart = |device: &mut Device| {
        device.service.signal("TERM");
        device.service.wait();
        device.service = Setup::new(&settings(&device.files)).start();
    };
    restart(&mut device);
    assert_eq!(device.fingerprint(), first);
    fs::write(device.files.path().join("tls.pem"), "").unwrap();
    restart(&mut device);
    assert_ne!(device.fingerprint(), first);
    assert_eq!(ask_over(device.connect(&device.own()), PAGE).unwrap().status, 200);
}

#[test]
fn a_certificate_that_is_dropped_in_is_in_force_after_a_reload_which_loses_no_connection() {
    let device = Device::start();
    let mut held = device.connect(&device.own());
    assert!(ask_held(&mut held, "/healthz").starts_with("HTTP/1.1 200"));
    let mut held = device.connect(&device.own());
    assert!(ask_held(&mut held, "/metrics").starts_with("HTTP/1.1 200"));

    let certificate = drop_in(device.files.path(), "10-ours");
    device.service.reload(&settings(&device.files));
    assert!(
        ask_held(&mut held, "/metrics").starts_with("HTTP/1.1 200"),
        "that of before goes on"
    );
    assert_eq!(ask_over(device.connect(&certificate), PAGE).unwrap().status, 200);
    assert!(device.service.metrics().contains("origin=\"directory\""));
    // A key of another certificate beside it: said, and passed over.
    drop_in(device.files.path(), "20-wrong");
    let wrong = device.files.path().join("dropped-in/20-wrong.key");
    fs::write(wrong, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    device.service.reload(&settings(&device.files));
    assert_eq!(ask_over(device.connect(&certificate), PAGE).unwrap().status, 200);
    let log = &device.service.log;
    assert!(
        eventually(|| log.text().contains("20-wrong.crt: the key does not belong")),
        "{}",
        log.text()
    );
}

#[test]
fn what_is_wrong_with_a_certificate_fails_the_check_of_the_settings() {
    let files = tempfile::tempdir().unwrap();
    drop_in(files.path(), "10");
    let check = |settings: &str| serve(&["--check"], settings);
    let (status, error) = check(&settings(&files));
    assert!(status.success(), "{error}");
    fs::remove_file(files.path().join("dropped-in/10.key")).unwrap();
    let (status, error) = check(&settings(&files));
    assert!(
        !status.success() && error.contains("10.crt: its key is neither in it nor in"),
        "{error}"
    );
    // A relative path, and a misspelt key.
    for (text, expected) in [
        ("directory = \"tls\"", "absolute paths"),
        ("certificate = \"x\"", "unknown field"),
    ] {
        let (status, error) = check(&format!("[tls]\nenabled = true\n{text}\n"));
        assert!(!status.success() && error.contains(expected), "{error}");
    }
}

#[test]
fn without_a_place_for_its_certificate_the_device_serves_tls_and_says_what_to_do() {
    let settings = only(&["load"]) + "[tls]\nenabled = true\n";
    let (status, error) = serve(&["--check"], &settings);
    assert!(status.success(), "{error}");
    let service = Service::start(&settings);
    service
        .log
        .wait_for("set tls.state_directory, or StateDirectory= in the unit; until then each start");
    assert!(service.metrics().contains("origin=\"unsaved\""));
}

#[test]
fn handshakes_that_are_never_finished_keep_nobody_out() {
    let device = Device::start();
    let address = device.service.address();
    // The beginning of a record of 16 KiB, of which nothing more comes.
    let unfinished: Vec<TcpStream> = (0..80)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(address).ok()?;
            stream.write_all(&[22, 3, 1, 64, 0]).ok()?;
            Some(stream)
        })
        .collect();
    assert_eq!(ask_over(device.connect(&device.own()), PAGE).unwrap().status, 200);
    assert_eq!(ask(address, METRICS).unwrap().status, 200);
    drop(unfinished);
    // What is no TLS behind the first byte.
    let mut garbage = TcpStream::connect(address).unwrap();
    garbage.write_all(&[22; 4096]).unwrap();
    let closed = "edge_http_connections_closed_total{reason=\"malformed\"}";
    device.service.wait_for_metric(closed, |count| count == Some(1.0));
}

#[test]
fn clients_that_do_not_read_keep_nobody_out_and_cost_no_memory_over_tls() {
    let device = Device::start();
    let own = device.own();
    let before = device.service.process().status("RssAnon");
    // Far more answers than a socket takes, asked for at once.
    let pipelined = b"GET /metrics HTTP/1.1\r\nHost: device\r\n\r\n".repeat(200);
    let mut held: Vec<TlsStream> = Vec::new();
    for _ in 0..70 {
        let mut stream = device.connect(&own);
        // One that has been evicted takes no more.
        let _ = stream.write_all(&pipelined);
        held.push(stream);
    }
    assert_eq!(ask_over(device.connect(&own), PAGE).unwrap().status, 200);
    assert_eq!(ask(device.service.address(), METRICS).unwrap().status, 200);
    let grown = device.service.process().status("RssAnon").saturating_sub(before);
    assert!(
        grown < 6 << 10,
        "{grown} KiB for {} clients that do not read",
        held.len()
    );
}

#[test]
fn a_browser_that_trusts_the_device_s_certificate_shows_its_pages_without_a_warning() {
    let test = "a_browser_that_trusts_the_device_s_certificate_shows_its_pages_without_a_warning";
    let device = Device::start();
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join(".pki/nssdb");
    fs::create_dir_all(&store).unwrap();
    let store = format!("sql:{}", store.display());
    let certutil = |arguments: &[&str]| Command::new("certutil").args(["-d", &store]).args(arguments).output();
    if certutil(&["-N", "--empty-password"]).is_err() || Command::new("chromium").arg("--version").output().is_err() {
        return skip(test, "chromium or certutil cannot be had here");
    }
    let page = || {
        let output = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-sync",
                "--dump-dom",
            ])
            .args(["--disable-background-networking", "--disable-component-update"])
            .arg(format!("--user-data-dir={}", home.path().join("profile").display()))
            .arg(format!("https://localhost:{}/", device.service.address().port()))
            .env("HOME", home.path())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(
        !page().contains("all sources read"),
        "a certificate that nobody vouches for"
    );
    let certificate = device.files.path().join("tls.pem");
    let added = certutil(&["-A", "-t", "P,,", "-n", "device", "-i", certificate.to_str().unwrap()]).unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let page = page();
    assert!(
        page.contains("all sources read") && page.contains(&device.fingerprint()),
        "{page}"
    );
}

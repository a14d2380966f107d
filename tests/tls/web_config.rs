//! The web configuration file of Prometheus' exporters (exporter-toolkit), read as it is.

use super::*;

/// Settings with a web configuration file of this content, and certificates of a server and of a client beside it.
struct WebConfig {
    files: TempDir,
    settings: String,
    server: CertificateDer<'static>,
    client: (CertificateDer<'static>, KeyPair),
}

impl WebConfig {
    fn new(content: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let path = |name: &str| files.path().join(name);
        let ((server, key), (client, client_key)) = (made("localhost"), made("client"));
        fs::write(path("server.crt"), server.pem()).unwrap();
        fs::write(path("server.key"), key.serialize_pem()).unwrap();
        fs::write(path("client.crt"), client.pem()).unwrap();
        fs::write(path("web.yml"), content).unwrap();
        Self {
            settings: format!("{}[http]\nweb_config_file = {:?}\n", only(&["load"]), path("web.yml")),
            server: server.der().clone(),
            client: (client.der().clone(), client_key),
            files,
        }
    }

    fn service(&self, listener: &TcpListener) -> Service {
        Setup::new(&self.settings).socket(listener).start()
    }

    /// What `serve --check` says.
    fn problem(&self) -> String {
        serve(&["--check"], &self.settings).1
    }
}

#[test]
fn a_web_configuration_file_is_read_as_exporters_read_it() {
    let users = format!("basic_auth_users:\n  Alice: {}\n", bcrypt::hash("test", 4).unwrap());
    let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  min_version: TLS13\n";
    let headers = "http_server_config:\n  http2: true\n  headers:\n    Strict-Transport-Security: max-age=60\n";
    let config = WebConfig::new(&format!("{tls}{headers}{users}"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _service = config.service(&listener);
    let address = listener.local_addr().unwrap();
    let ask = |head: &str| {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: device\r\n{head}Connection: close\r\n\r\n");
        ask_over(
            shake(TcpStream::connect(address).unwrap(), &config.server, "localhost"),
            request.as_bytes(),
        )
        .unwrap()
    };
    let credentials = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "Alice:test");
    let answer = ask(&format!("Authorization: Basic {credentials}\r\n"));
    assert_eq!(
        (answer.status, answer.header("strict-transport-security")),
        (200, Some("max-age=60"))
    );
    assert!(answer.text().contains("origin=\"web_config\""));
    let refused = ask("");
    assert_eq!(
        (refused.status, refused.header("strict-transport-security")),
        (401, Some("max-age=60"))
    );
}

#[test]
fn a_client_without_the_certificate_that_is_required_is_refused() {
    let config = WebConfig::new(
        "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client.crt\n",
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _service = config.service(&listener);
    let connect = || TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(ask_over(shake(connect(), &config.server, "localhost"), PAGE).is_err());
    let (certificate, key) = &config.client;
    let client = client_config(&config.server)
        .with_client_auth_cert(vec![certificate.clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    let stream = StreamOwned::new(
        ClientConnection::new(Arc::new(client), "localhost".try_into().unwrap()).unwrap(),
        connect(),
    );
    assert_eq!(ask_over(stream, PAGE).unwrap().status, 200);
}

#[test]
fn a_web_configuration_file_that_cannot_be_followed_says_where_and_why() {
    let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
    for (content, expected) in [
        (
            "tls_server_config:\n  cert_file: server.crt\n",
            "key and key_file are missing",
        ),
        (
            "tls_server_config:\n  cert_file: gone.crt\n  key_file: server.key\n",
            "gone.crt: No such file",
        ),
        (
            "tls_server_config:\n  cert_file: client.crt\n  key_file: server.key\n",
            "the key does not belong",
        ),
        (
            &*format!("{tls}  min_version: TLS09\n"),
            "min_version = TLS09: TLS12 or TLS13",
        ),
        (
            &*format!("{tls}  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n"),
            "cipher_suites = TLS_RSA_WITH_RC4_128_SHA: not spoken",
        ),
        (
            &*format!("{tls}  client_allowed_sans: [a]\n"),
            "client_allowed_sans = a",
        ),
        (
            &*format!("{tls}  client_auth_type: RequireAnyClientCert\n"),
            "client_auth_type = \"RequireAnyClientCert\"",
        ),
        (
            "basic_auth_users:\n  a: secret\n",
            "the line of a is not user:bcrypt-hash",
        ),
        ("basic_auth_user:\n  a: b\n", "unknown field `basic_auth_user`"),
        ("a: [", "not YAML"),
    ] {
        let problem = WebConfig::new(content).problem();
        assert!(problem.contains(expected), "{content}: {problem}");
        assert!(!problem.contains("secret"), "{problem}");
    }
    let mut both = WebConfig::new(tls);
    both.settings.push_str("[tls]\nenabled = true\n");
    assert!(
        both.problem().contains("tls.enabled and tls_server_config"),
        "{}",
        both.problem()
    );
}

#[test]
fn keys_without_a_value_and_numbers_are_read_as_exporters_read_them() {
    for content in [
        "http_server_config:\n  headers:\n    X-XSS-Protection: 1\n    X-Frame-Options:\n",
        "http_server_config:\nbasic_auth_users:\n",
        "http_server_config:\n  headers:\n  http2:\n",
        "tls_server_config: {}\n",
        "tls_server_config:\n  min_version: TLS12\n  cert_file: ''\n",
        "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  cipher_suites:\n  client_auth_type:\n  client_ca_file: ''\n",
    ] {
        let problem = WebConfig::new(content).problem();
        assert!(problem.is_empty(), "{content}: {problem}");
    }
    for header in [
        "Content-Type: text/html",
        "Content-Length: \"5\"",
        "Location: /",
        "Connection: close",
    ] {
        let problem = WebConfig::new(&format!("http_server_config:\n  headers:\n    {header}\n")).problem();
        assert!(problem.contains("may not be set"), "{header}: {problem}");
    }
}

#[test]
fn an_expired_certificate_is_shown_and_said_and_keeps_the_service_neither_from_starting_nor_from_reloading() {
    let config = WebConfig::new("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n");
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let expired = parameters.self_signed(&key).unwrap().pem();
    fs::write(config.files.path().join("server.crt"), expired).unwrap();
    fs::write(config.files.path().join("server.key"), key.serialize_pem()).unwrap();
    assert!(
        config.problem().contains("tls_server_config: expired on 2001-01-01"),
        "{}",
        config.problem()
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let service = config.service(&listener);
    service.log.wait_for("expired on 2001-01-01; it is shown all the same");
    service.reload(&(config.settings.clone() + "[log]\nlevel = \"debug\"\n"));
}

#[test]
fn certificates_of_clients_are_authentication_and_a_certificate_of_the_server_alone_is_not() {
    let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: client.crt\n";
    for (kind, is_enough) in [("VerifyClientCertIfGiven", false), ("RequireAndVerifyClientCert", true)] {
        let mut config = WebConfig::new(&format!("{tls}  client_auth_type: {kind}\n"));
        config.settings += "listen = [\"0.0.0.0:0\"]\n";
        let problem = config.problem();
        assert_eq!(problem.contains("without authentication"), !is_enough, "{problem}");
        let mut service = Setup::new(&config.settings).spawn();
        match is_enough {
            true => {
                service.manager.wait_for("READY=1");
                let page = service.get("/").text();
                assert!(!page.contains("Everybody in the network"), "{page}");
            }
            false => assert!(!service.wait().success()),
        }
    }
}

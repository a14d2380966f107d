//! Settings: defaults, file, environment; what is impossible is refused at the start, with the key, the value and what is allowed.

use crate::common;

use common::run;

/// Checks settings; gives what the command says.
fn check(settings: &str, environment: &[(&str, &str)]) -> (bool, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), settings).unwrap();
    let (status, stdout, stderr) = run(
        &["serve", "--check", "--config", file.path().to_str().unwrap()],
        environment,
    );
    (status.success(), stdout + &stderr)
}

#[test]
fn what_cannot_be_is_refused_with_key_value_and_what_is_allowed() {
    let cases = [
        ("[http]\nport = 1\n", vec!["http.port", "unknown field", "listen"]),
        ("colour = 1\n", vec!["colour", "unknown field", "sources"]),
        (
            "[http]\nmax_connections = \"many\"\n",
            vec!["http.max_connections", "many", "whole number"],
        ),
        (
            "[http]\nmax_connections = 0\n",
            vec!["http.max_connections = 0", "1 to 1024"],
        ),
        (
            "[http]\nlisten = [\"localhost\"]\n",
            vec!["http.listen", "\"localhost\"", "IP:PORT"],
        ),
        ("[http]\nlisten = []\n", vec!["http.listen", "at least one"]),
        (
            "[http]\nlisten = [\"0.0.0.0:8000\"]\n",
            vec!["http.listen = 0.0.0.0:8000", "auth.users_file", "insecure"],
        ),
        (
            "[http]\nclient_timeout = \"soon\"\n",
            vec!["http.client_timeout", "soon"],
        ),
        (
            "[http]\nclient_timeout = \"1h\"\n",
            vec!["http.client_timeout = 3600s", "100ms to 60s"],
        ),
        ("[log]\nlevel = \"loud\"\n", vec!["log.level", "loud", "warn"]),
        (
            "[cpu_spike]\nthreshold = 2.0\n",
            vec!["cpu_spike.threshold = 2", "0.05 to 1"],
        ),
        (
            "[cpu_spike]\nthreshold = 0.5\nclear = 0.6\n",
            vec!["cpu_spike.clear = 0.6", "0 to 0.5"],
        ),
        (
            "[limits]\nreadings_per_source = 0\n",
            vec!["limits.readings_per_source = 0", "1 to 10000"],
        ),
        ("[sources.hwmonn]\nenabled = true\n", vec!["hwmonn", "thermal"]),
        (
            "[sources.thermal]\nperiod = \"1ms\"\n",
            vec!["sources.thermal.period = 1ms", "100ms to 3600s"],
        ),
        (
            "[links]\ngrafana = \"javascript:alert(1)\"\n",
            vec!["links.grafana", "http://"],
        ),
        (
            "[[simulated.faults]]\nkind = \"bad\"\n",
            vec!["simulated.faults", "bad", "hang"],
        ),
        (
            "[[simulated.faults]]\nkind = \"io\"\nprobability = 2.0\n",
            vec!["simulated.faults[0].probability = 2", "0 to 1"],
        ),
        (
            "[auth]\nusers_file = \"/does/not/exist\"\n",
            vec!["auth.users_file", "/does/not/exist", "No such file"],
        ),
        (
            "[paths]\nbudget = \"/does/not/exist\"\n",
            vec!["budget", "/does/not/exist"],
        ),
        ("not toml", vec!["settings"]),
    ];
    for (settings, expected) in cases {
        let (valid, said) = check(settings, &[]);
        assert!(!valid, "{settings} was taken");
        for part in expected {
            assert!(said.contains(part), "{settings}\n{part:?} is missing in: {said}");
        }
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let (valid, said) = check("[http]\nmax_connections = 0\n[limits]\nlabel_length = 1\n", &[]);
    assert!(
        !valid && said.contains("max_connections") && said.contains("label_length"),
        "{said}"
    );
}

#[test]
fn the_environment_beats_the_file_and_is_checked_alike() {
    let settings = "[http]\nmax_connections = 10\n";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), settings).unwrap();
    let arguments = ["serve", "--print-config", "--config", file.path().to_str().unwrap()];
    let environment = [
        ("EDGEWATCH__HTTP__MAX_CONNECTIONS", "20"),
        ("EDGEWATCH__HTTP__LISTEN", "127.0.0.1:8001,[::1]:8001"),
        ("EDGEWATCH__SIMULATED__ENABLED", "true"),
        ("EDGEWATCH__SOURCES__THERMAL__PERIOD", "2s"),
    ];
    let (status, stdout, stderr) = run(&arguments, &environment);
    assert!(status.success(), "{stderr}");
    for expected in [
        "max_connections = 20",
        "listen = [\"127.0.0.1:8001\", \"[::1]:8001\"]",
        "enabled = true",
        "period = \"2s\"",
    ] {
        assert!(stdout.contains(expected), "{expected} is missing in\n{stdout}");
    }
    let (valid, said) = check("", &[("EDGEWATCH__HTTP__COLOUR", "red")]);
    assert!(!valid && said.contains("http.colour"), "{said}");
    let (valid, said) = check("", &[("EDGEWATCH__HTTP__MAX_CONNECTIONS", "many")]);
    assert!(!valid && said.contains("many"), "{said}");
}

#[test]
fn the_environment_gives_lists_and_texts_that_look_like_numbers() {
    let environment = [
        ("EDGEWATCH__HTTP__LISTEN", "127.0.0.1:8001, [::1]:8001,"),
        ("EDGEWATCH__HTTP__HOSTS", ""),
        ("EDGEWATCH__MQTT__URL", "mqtt://broker"),
        ("EDGEWATCH__MQTT__PRESETS", "shelly,tasmota"),
        (
            "EDGEWATCH__UPDATE__PUBLIC_KEYS",
            "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        ),
        ("EDGEWATCH__NOTIFY__DEVICE", "42"),
        ("EDGEWATCH__NOTIFY__PING__URL", "https://ping.example/x"),
        ("EDGEWATCH__FORWARD__URL", "https://centre.example"),
        ("EDGEWATCH__FORWARD__LABELS__EDGE", "007"),
    ];
    let (status, stdout, stderr) = run(&["serve", "--print-config", "--config", "/dev/null"], &environment);
    assert!(status.success(), "{stderr}");
    for expected in [
        "listen = [\"127.0.0.1:8001\", \"[::1]:8001\"]",
        "hosts = []",
        "presets = [\"shelly\", \"tasmota\"]",
        "public_keys = [\"MCow",
        "device = \"42\"",
        "edge = \"007\"",
    ] {
        assert!(stdout.contains(expected), "{expected} is missing in\n{stdout}");
    }
    let (valid, said) = check("", &[("EDGEWATCH__HTTP__MAX_CONNECTIONS", "-1")]);
    assert!(
        !valid && said.contains("`-1`") && said.contains("whole number"),
        "{said}"
    );
}

#[test]
fn the_effective_settings_can_be_fed_back() {
    let (status, printed, stderr) = run(&["serve", "--print-config"], &[]);
    assert!(status.success(), "{stderr}");
    let (valid, said) = check(&printed, &[]);
    assert!(valid, "{said}\n{printed}");
}

/// NixOS builds the settings elsewhere, without the files of the device.
#[test]
fn settings_are_printed_and_judged_without_the_files_that_they_name() {
    let printed = |settings: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), settings).unwrap();
        run(
            &["serve", "--print-config", "--config", file.path().to_str().unwrap()],
            &[
                ("SSL_CERT_FILE", "/nonexistent/authorities"),
                ("SSL_CERT_DIR", "/nonexistent"),
            ],
        )
    };
    let settings = r#"
        [http]
        web_config_file = "/nonexistent/web.yml"
        [forward]
        url = "https://centre.example.org/api/v1/write"
        certificate_file = "/nonexistent/device.crt"
        key_file = "/nonexistent/device.key"
        ca_file = "/nonexistent/ca.crt"
        header_files.X-Api-Key = "/nonexistent/header"
        [notify.ntfy]
        url = "https://ntfy.sh/gate-7"
        bearer_token_file = "/nonexistent/token"
    "#;
    let (status, _, stderr) = printed(settings);
    assert!(status.success(), "{stderr}");
    let (status, _, stderr) = printed(&settings.replace("[notify.ntfy]", "window = \"1ms\"\n[notify.ntfy]"));
    assert!(!status.success() && stderr.contains("forward.window"), "{stderr}");
}

#[test]
fn a_settings_file_that_cannot_be_read_is_named() {
    let (status, _, stderr) = run(&["serve", "--check", "--config", "/does/not/exist.toml"], &[]);
    assert!(!status.success());
    assert!(
        stderr.contains("/does/not/exist.toml") && stderr.contains("No such file"),
        "{stderr}"
    );
}

#[test]
fn user_and_password_of_an_address_are_shown_nowhere() {
    for (settings, key) in [
        ("[mqtt]\nurl = \"mqtt://meter:s3cret@broker\"\n", "mqtt.username"),
        (
            "[prometheus]\nurl = \"http://meter:s3cret@127.0.0.1:9090\"\n",
            "prometheus.url",
        ),
        ("[links]\ngrafana = \"meter:s3cret@grafana\"\n", "links.grafana"),
        (
            "[update]\nmanifest = \"https://meter:s3cret@updates\"\n",
            "update.manifest",
        ),
        (
            "[update]\nmanifest = \"https://updates\"\ncache = \"https://meter:s3cret@cache\"\n",
            "update.cache",
        ),
        ("[forward]\nurl = \"https://meter:s3cret@centre\"\n", "forward.url"),
        (
            "[forward]\nurl = \"https://centre\"\nproxy = \"meter:s3cret@proxy\"\n",
            "forward.proxy",
        ),
        (
            "[notify.webhook]\nurl = \"https://meter:s3cret@hook\"\n",
            "notify.webhook.url",
        ),
    ] {
        let (valid, said) = check(settings, &[]);
        assert!(!valid && said.contains(key), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    let (_, _, said) = run(
        &["top", "--once", "--prometheus", "http://meter:s3cret@127.0.0.1:9090"],
        &[],
    );
    assert!(said.contains("is no address") && !said.contains("s3cret"), "{said}");
}

#[test]
fn settings_that_are_there_and_cannot_be_read_are_refused_and_what_never_ends_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let check = |file: &std::path::Path| run(&["serve", "--check", "--config", file.to_str().unwrap()], &[]);
    let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
    assert!(made.success());
    for (file, said) in [
        (path("pipe").as_path(), "no regular file"),
        ("/dev/zero".as_ref(), "larger than 1 MiB"),
    ] {
        let (status, _, error) = check(file);
        assert!(!status.success() && error.contains(said), "{error}");
    }
    // A link to what is not mounted.
    std::fs::write(path("edgewatch.toml"), "").unwrap();
    assert!(check(&path("edgewatch.toml")).0.success());
    std::os::unix::fs::symlink("/nonexistent", path("edgewatch.d")).unwrap();
    let (status, _, error) = check(&path("edgewatch.toml"));
    assert!(
        !status.success() && error.contains("edgewatch.d: No such file"),
        "{error}"
    );
}

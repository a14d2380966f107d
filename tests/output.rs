//! What commands print, into a pipe that nobody reads any more and onto a disk that is full.

use crate::common;

use std::fs::OpenOptions;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use common::binary;
use common::prometheus::free_port;
use common::upstream::{Reply, Upstream};

/// A Prometheus without a series.
fn prometheus() -> Upstream {
    Upstream::start(|path| {
        let data = match path {
            path if path.starts_with("/api/v1/query_range") => r#"{"resultType":"matrix","result":[]}"#,
            path if path.starts_with("/api/v1/query") => r#"{"resultType":"vector","result":[]}"#,
            path if path.starts_with("/api/v1/targets") => r#"{"activeTargets":[]}"#,
            _ => "[]",
        };
        Reply::Json(200, format!(r#"{{"status":"success","data":{data}}}"#))
    })
}

/// Each command that prints an answer, and its exit status if somebody reads it.
fn commands(prometheus: &str) -> Vec<(Vec<String>, i32)> {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    vec![
        (words("--help"), 0),
        (words("--version"), 0),
        (words("serve --help"), 0),
        (words("serve --check"), 0),
        (words("serve --print-config"), 0),
        (
            words(&format!(
                "check --service {nowhere} --prometheus {nowhere} --grafana {nowhere}"
            )),
            2,
        ),
        (
            words(&format!(
                "check --json --service {nowhere} --prometheus {nowhere} --grafana {nowhere}"
            )),
            2,
        ),
        (words(&format!("top --once --prometheus {prometheus}")), 0),
        (words("sensors"), 0),
        (words("sensors --json"), 0),
    ]
}

/// Exit status and standard error.
fn run(arguments: &[String], stdout: impl Into<Stdio>) -> (Option<i32>, String) {
    let output = Command::new(binary()).args(arguments).stdout(stdout).output().unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn every_option_that_a_usage_names_is_explained() {
    for command in [
        "serve", "up", "check", "sensors", "notify", "enrol", "top", "render", "update", "wait",
    ] {
        let output = Command::new(binary()).args([command, "--help"]).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap();
        let named = usage
            .split(|c: char| !c.is_ascii_lowercase() && c != '-')
            .filter(|word| word.starts_with("--"));
        for option in named {
            let is_explained = help.lines().any(|line| {
                let words = line.trim_start();
                // Behind its letter, as in "-o, --output <FILE>".
                let words = words
                    .split_once(", ")
                    .filter(|(letter, _)| letter.len() == 2)
                    .map_or(words, |(_, words)| words);
                line.starts_with("  ") && words.split(' ').next() == Some(option)
            });
            assert!(is_explained, "{command}: {option} in {help}");
        }
    }
}

#[test]
fn a_pipe_that_nobody_reads_ends_a_command_quietly() {
    let prometheus = prometheus();
    for (arguments, status) in commands(&format!("http://{}", prometheus.address)) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(run(&arguments, writer), (Some(status), String::new()), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_told_and_fails() {
    let prometheus = prometheus();
    for (arguments, status) in commands(&format!("http://{}", prometheus.address)) {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, errors) = run(&arguments, full);
        assert_eq!(code, Some(status.max(1)), "{arguments:?}: {errors}");
        assert_eq!(
            errors, "edgewatch: cannot write: No space left on device (os error 28)\n",
            "{arguments:?}"
        );
    }
}

#[test]
fn a_picture_that_does_not_fit_is_told_and_fails() {
    let prometheus = prometheus();
    let directory = tempfile::tempdir().unwrap();
    for format in ["svg", "png"] {
        let file = directory.path().join(format!("picture.{format}"));
        std::os::unix::fs::symlink("/dev/full", &file).unwrap();
        let file = file.to_str().unwrap();
        let prometheus = format!("http://{}", prometheus.address);
        let arguments = ["render", "edgewatch-overview", "--prometheus", &prometheus, "-o", file].map(str::to_owned);
        let (code, errors) = run(&arguments, Stdio::null());
        assert_eq!(code, Some(1), "{errors}");
        assert!(
            errors.starts_with(&format!("edgewatch: cannot write {file}: ")) && errors.contains("No space left"),
            "{errors}"
        );
    }
}

#[test]
fn a_standard_error_that_is_full_is_no_panic() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(binary());
    command
        .args(["serve", "--check", "--config", "/nonexistent"])
        .stderr(full);
    assert_eq!(command.status().unwrap().code(), Some(1));
}

#[test]
fn what_a_server_says_steers_no_terminal() {
    let server = Upstream::start(|_| Reply::Html(500, "\u{1b}]0;pwned\u{7}\u{9b}2J\u{202e}no"));
    let url = format!("http://{}", server.address);
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    for arguments in [
        vec!["check", "--service", &url, "--prometheus", &url, "--grafana", &nowhere],
        vec![
            "check",
            "--json",
            "--service",
            &url,
            "--prometheus",
            &url,
            "--grafana",
            &nowhere,
        ],
        vec!["wait", "--timeout", "0s", &url],
    ] {
        let output = Command::new(binary()).args(&arguments).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(text.contains("pwned"), "{arguments:?}: {text}");
        let odd = text
            .chars()
            .find(|c| edgewatch_program::output::is_terminal_control(*c));
        assert_eq!(odd, None, "{arguments:?}: {text:?}");
    }
}

#[test]
fn why_a_start_failed_has_the_priority_of_an_error_in_the_journal() {
    // As systemd connects it; a file has device and inode too.
    let stderr = tempfile::NamedTempFile::new().unwrap();
    let metadata = stderr.as_file().metadata().unwrap();
    let status = Command::new(binary())
        .args(["serve", "--config", "/nonexistent"])
        .env("JOURNAL_STREAM", format!("{}:{}", metadata.dev(), metadata.ino()))
        .stderr(stderr.reopen().unwrap())
        .status()
        .unwrap();
    let said = std::fs::read_to_string(stderr.path()).unwrap();
    assert!(
        !status.success() && said.starts_with("<3>edgewatch: settings file"),
        "{said}"
    );
}

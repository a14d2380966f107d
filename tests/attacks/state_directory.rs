//! Other users of the machine and `edgewatch up`: directories to which they can write, and programs that they name.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{Log, binary, eventually, run};

fn up(state: &Path, program: &str) -> (Option<i32>, String) {
    let state = state.to_str().unwrap();
    let (status, _, message) = run(
        &[
            "up",
            "--no-grafana",
            "--port",
            "0",
            "--prometheus-port",
            "0",
            "--state-dir",
            state,
            "--prometheus",
            program,
        ],
        &[],
    );
    (status.code(), message)
}

/// Made by another process, so that no fork of this one has it open while it is executed.
fn script(file: &Path, text: &str) {
    let status = Command::new("sh")
        .args(["-c", "printf '#!/bin/sh\\n%s\\n' \"$1\" >\"$0\" && chmod 755 \"$0\""])
        .args([file.as_os_str(), text.as_ref()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_state_directory_of_everybody_is_refused_and_no_link_in_it_is_followed() {
    let base = tempfile::tempdir().unwrap();
    let (state, victim) = (base.path().join("state"), base.path().join("victim"));
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
    fs::create_dir_all(victim.join("rules")).unwrap();
    fs::write(victim.join("prometheus.yml"), "precious").unwrap();
    symlink(&victim, state.join("prometheus")).unwrap();
    symlink(victim.join("made"), state.join("lock")).unwrap();
    let untouched = || {
        assert_eq!(fs::read_to_string(victim.join("prometheus.yml")).unwrap(), "precious");
        assert!(!victim.join("made").exists());
        assert_eq!(fs::read_dir(victim.join("rules")).unwrap().count(), 0);
    };
    let (code, message) = up(&state, "prometheus");
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("so others can write to it: chmod go-w"), "{message}");
    untouched();

    // What was planted while everybody could write is still there after the advice was followed.
    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).unwrap();
    let (code, message) = up(&state, "prometheus");
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("lock"), "{message}");
    fs::remove_file(state.join("lock")).unwrap();
    let (code, message) = up(&state, "prometheus");
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("prometheus is a link: remove it"), "{message}");
    untouched();
}

#[test]
fn a_program_whose_version_does_not_end_fills_no_memory() {
    let base = tempfile::tempdir().unwrap();
    let endless = base.path().join("endless");
    script(&endless, "exec yes");
    let mut child = Command::new(binary())
        .args(["up", "--no-grafana", "--port", "0", "--prometheus-port", "0"])
        .args(["--state-dir".as_ref(), base.path().join("state").as_os_str()])
        .args(["--prometheus".as_ref(), endless.as_os_str()])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = Log::follow(child.stderr.take().unwrap());
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = eventually(|| {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or_default());
        std::thread::sleep(Duration::from_millis(5));
        child.try_wait().unwrap().is_some()
    });
    let _ = child.kill();
    let _ = child.wait();
    assert!(ended, "still reading, at {peak} kB");
    log.wait_for("does not say that it is Prometheus");
    assert!(peak < 100 << 10, "{peak} kB");
}

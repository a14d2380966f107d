//! Scripts of the Debian package, run by dpkg itself as far as that needs no root, with another machine around them.

mod machine;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use machine::{Machine, packaging, path_with, program};

const DROP_IN: &str = "usr/lib/systemd/system/prometheus.service.d/edgewatch-debian.conf";
/// The directory of Debian's own Prometheus, and that of edgewatch.
const OWN: &str = "var/lib/prometheus/metrics2";
const DATA: &str = "var/lib/prometheus/edgewatch";

/// Runs `preinst install` on a machine with the processor `processor`, as uname(1) calls it.
fn preinst(processor: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    program(directory.path(), "uname", &format!("echo {processor}"));
    let mut command = Command::new("sh");
    command.arg(packaging("preinst")).arg("install");
    command.env("PATH", path_with(directory.path())).output().unwrap()
}

#[test]
fn a_processor_that_cannot_run_the_programs_is_told_before_they_are_installed() {
    for processor in ["x86_64", "aarch64", "armv8l", "armv7l"] {
        let output = preinst(processor);
        assert!(output.status.success(), "{processor}: {output:?}");
    }
    let output = preinst("armv6l");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("ARMv7"), "{said}");
}

/// What `edgewatch check --json` says of a device that is well.
const WELL: &str = r#"echo '{"checks": []}'"#;

impl Machine {
    /// Brings version 2 over version 1, on trial; somebody then holds the package there. `edgewatch check` does this.
    fn judge(&self, check: &str) -> String {
        self.install("1", &[(DROP_IN, &drop_in())]);
        let state = "var/lib/edgewatch-trial";
        for (file, text) in [("trial", "2 1795890277\n"), ("duties", ""), ("failing", "")] {
            self.write(&format!("{state}/{file}"), text);
        }
        fs::copy(
            self.package("1", &[(DROP_IN, &drop_in())]),
            self.path(state).join("previous.deb"),
        )
        .unwrap();
        self.install("2", &[(DROP_IN, &drop_in())]);
        let mut hold = self.command("sh");
        let held = hold
            .args(["-c", "echo edgewatch hold | dpkg --set-selections"])
            .status();
        assert!(held.unwrap().success());
        let programs = self.directory.path().join("programs");
        program(&programs, "edgewatch", check);
        program(&programs, "lslocks", "exit 0");
        program(&programs, "sleep", "exit 0");
        let mut trial = self.command("sh");
        trial
            .arg(packaging("trial"))
            .arg("run")
            .env("WELL_FOR", "0")
            .env("WITHIN", "0");
        let output = trial.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(
            !self.path(state).join("previous.deb").exists(),
            "the package before takes its room for good"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The version that is installed, and what somebody wants of it.
    fn version(&self) -> String {
        let format = "--showformat=${Version} ${db:Status-Want}";
        let output = self
            .command("dpkg-query")
            .args(["--show", format, "edgewatch"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn an_upgrade_that_somebody_holds_is_judged_as_any_other_and_stays_held() {
    let Some(machine) = Machine::new("package") else { return };
    let said = machine.judge(WELL);
    assert_eq!(machine.version(), "2 hold", "{said}");
    let said = machine.judge("exit 1");
    assert_eq!(machine.version(), "1 hold", "{said}");
}

#[test]
fn whoever_installs_the_same_version_again_hears_that_it_is_not_on_trial() {
    let Some(machine) = Machine::new("package") else { return };
    machine.install("1", &[(DROP_IN, &drop_in())]);
    let output = machine
        .command("sh")
        .arg(packaging("trial"))
        .args(["begin", "1"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("no trial"), "{said}");
}

fn drop_in() -> String {
    fs::read_to_string(packaging("prometheus.service.d/edgewatch-debian.conf")).unwrap()
}

/// The drop-in of packages that ran Prometheus on the directory of Debian's own.
fn drop_in_of_before() -> String {
    drop_in().replace("/var/lib/prometheus/edgewatch", "/var/lib/prometheus/metrics2")
}

#[test]
fn the_history_of_an_owners_prometheus_is_left_alone_from_installation_to_purge() {
    let Some(machine) = Machine::new("package") else { return };
    machine.write(&format!("{OWN}/block"), "years");
    let said = machine.install("1", &[(DROP_IN, &drop_in())]);
    for word in [
        "/etc/default/prometheus",
        "/var/lib/prometheus/metrics2",
        "/var/lib/prometheus/edgewatch",
    ] {
        assert!(said.contains(word), "what was taken over is not told: {said}");
    }
    assert!(
        drop_in().contains("--storage.tsdb.path=/var/lib/prometheus/edgewatch "),
        "no directory of its own"
    );
    machine.write(&format!("{DATA}/block"), "hours");
    machine.install("2", &[(DROP_IN, &drop_in())]);
    assert_eq!(machine.read(&format!("{DATA}/block")).unwrap(), "hours");
    machine.dpkg(&["--purge", "edgewatch"]);
    assert_eq!(machine.read(&format!("{OWN}/block")).unwrap(), "years");
    assert!(!machine.path(DATA).exists(), "its own is left behind");
}

#[test]
fn the_history_that_a_package_kept_in_debians_directory_goes_on_and_comes_back_with_that_package() {
    let Some(machine) = Machine::new("package") else { return };
    machine.install("1", &[(DROP_IN, &drop_in_of_before())]);
    machine.write(&format!("{OWN}/block"), "hours");
    // The next one, which is taken back, comes again, and stays.
    for version in ["2", "1", "3"] {
        let (drop_in, here) = match version {
            "1" => (drop_in_of_before(), OWN),
            _ => (drop_in(), DATA),
        };
        machine.install(version, &[(DROP_IN, &drop_in)]);
        assert_eq!(machine.read(&format!("{here}/block")).unwrap(), "hours", "{version}");
    }
    assert_eq!(
        fs::read_dir(machine.path(OWN)).unwrap().count(),
        0,
        "Debian's Prometheus has no directory to go back to"
    );
}

#[test]
fn a_history_that_no_package_of_ours_wrote_is_not_moved() {
    let Some(machine) = Machine::new("package") else { return };
    // A command line of the owner's own goes on with the directory that it names.
    machine.write(
        "etc/systemd/system/prometheus.service.d/override.conf",
        "[Service]\nExecStart=\nExecStart=/usr/bin/prometheus\n",
    );
    machine.install("1", &[(DROP_IN, &drop_in_of_before())]);
    machine.write(&format!("{OWN}/block"), "theirs");
    machine.install("2", &[(DROP_IN, &drop_in())]);
    assert_eq!(machine.read(&format!("{OWN}/block")).unwrap(), "theirs");
    // Nor does what edgewatch has written take the place of what is there when a package of before comes again.
    machine.write(&format!("{DATA}/block"), "hours");
    machine.install("1", &[(DROP_IN, &drop_in_of_before())]);
    assert_eq!(machine.read(&format!("{OWN}/block")).unwrap(), "theirs");
    assert_eq!(machine.read(&format!("{DATA}/block")).unwrap(), "hours");
}

#[test]
fn a_purge_leaves_no_key_no_secret_and_no_override_of_ours() {
    let Some(machine) = Machine::new("package") else { return };
    let overrides = "etc/systemd/system/edgewatch-outbound.service.d";
    for with_their_own in [false, true] {
        machine.install("1", &[(DROP_IN, &drop_in())]);
        // Where DynamicUser= keeps it, and what it leaves in its place.
        machine.write("var/lib/private/edgewatch/tls.pem", "PRIVATE KEY");
        symlink("private/edgewatch", machine.path("var/lib/edgewatch")).unwrap();
        machine.write("var/lib/private/edgewatch-outbound/forward", "");
        machine.write("etc/edgewatch/forward-secret", "secret");
        machine.write(&format!("{overrides}/zz-enrolled.conf"), "");
        if with_their_own {
            machine.write(&format!("{overrides}/override.conf"), "");
        }
        machine.dpkg(&["--purge", "edgewatch"]);
        for left in [
            "var/lib/private/edgewatch",
            "var/lib/edgewatch",
            "var/lib/private/edgewatch-outbound",
            "etc/edgewatch",
        ] {
            assert!(
                !machine.path(left).exists() && !machine.path(left).is_symlink(),
                "{left}"
            );
        }
        assert_eq!(machine.path(overrides).exists(), with_their_own);
    }
}

const ALERTS: &str = "etc/edgewatch/rules/alerts.yml";
const RECORDING: &str = "etc/edgewatch/rules/recording.yml";

/// Rules as packages had them that lead to them by links, and as they have them since.
fn rules_of_before() -> [(&'static str, &'static str); 5] {
    [
        (DROP_IN, ""),
        (ALERTS, "-> /usr/share/edgewatch/prometheus/rules/alerts.yml"),
        (RECORDING, "-> /usr/share/edgewatch/prometheus/rules/recording.yml"),
        ("usr/share/edgewatch/prometheus/rules/alerts.yml", "of before"),
        ("usr/share/edgewatch/prometheus/rules/recording.yml", "of before"),
    ]
}

#[test]
fn an_upgrade_keeps_the_rules_that_somebody_changed_or_deleted_and_renews_the_others() {
    let Some(machine) = Machine::new("package") else { return };
    let [drop_in, ..] = rules_of_before();
    machine.install("1", &rules_of_before());
    fs::remove_file(machine.path(ALERTS)).unwrap();
    machine.write(ALERTS, "mine");
    for version in ["2", "3"] {
        machine.install(version, &[drop_in, (ALERTS, version), (RECORDING, version)]);
        assert_eq!(machine.read(ALERTS).unwrap(), "mine");
        assert_eq!(machine.read(RECORDING).unwrap(), version);
        assert!(!machine.path(RECORDING).is_symlink() && !machine.path("usr/share/edgewatch").exists());
    }
    fs::remove_file(machine.path(RECORDING)).unwrap();
    machine.install("4", &[drop_in, (ALERTS, "4"), (RECORDING, "4")]);
    assert_eq!(machine.read(ALERTS).unwrap(), "mine");
    assert_eq!(machine.read(RECORDING), None);
}

#[test]
fn an_upgrade_that_does_not_come_leaves_the_rules_of_before() {
    let Some(machine) = Machine::new("package") else { return };
    let [drop_in, ..] = rules_of_before();
    machine.install("1", &rules_of_before());
    // Cut off where it was copied.
    let deb = machine.package(
        "2",
        &[drop_in, (ALERTS, "2"), ("usr/bin/edgewatch", &"2".repeat(100_000))],
    );
    File::options().write(true).open(&deb).unwrap().set_len(50_000).unwrap();
    let output = machine.command("dpkg").arg("--install").arg(deb).output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    for rules in [ALERTS, RECORDING] {
        assert!(machine.path(rules).is_symlink(), "{rules}: {output:?}");
    }
}

/// The version of a package made of a source whose only commit is of this time.
fn version_at(time: &str, cargo: &str) -> String {
    let source = tempfile::tempdir().unwrap();
    let source = source.path();
    fs::create_dir(source.join("scripts")).unwrap();
    fs::write(source.join("Cargo.toml"), format!("[package]\nversion = \"{cargo}\"\n")).unwrap();
    let script = source.join("scripts/version");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/version"), &script).unwrap();
    let commit = "git init -q && git add . && git -c user.name=a -c user.email=a@b.invalid commit -qm a --date \"$1\"";
    let mut shell = Command::new("sh");
    let made = shell
        .args(["-c", commit, "sh", time])
        .current_dir(source)
        .env("GIT_COMMITTER_DATE", time);
    assert!(made.status().unwrap().success());
    let output = Command::new(script).env("TZ", "Asia/Tokyo").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_package_of_a_later_commit_is_newer_and_that_of_a_release_is_newer_than_its_candidates() {
    let Some(machine) = Machine::new("package") else { return };
    let versions = [
        version_at("2026-11-29T00:00:00+00:00", "0.1.0-rc.1"),
        version_at("2026-11-28T23:59:59+00:00", "0.1.0"),
        version_at("2026-11-29T01:00:00+02:00", "0.1.0"),
        version_at("2026-11-29T00:00:00+00:00", "0.1.0"),
        version_at("2026-11-01T00:00:00+00:00", "0.1.1"),
    ];
    assert!(versions[1].starts_with("0.1.0+git20261128235959."), "{versions:?}");
    for (before, after) in [(0, 1), (2, 1), (1, 3), (3, 4)] {
        let (before, after) = (&versions[before], &versions[after]);
        machine.dpkg(&["--compare-versions", before, "lt", after]);
    }
}

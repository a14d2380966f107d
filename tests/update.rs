//! Updates of a NixOS device: a real store, a real binary cache and a real stack that is judged; the systems in them are small stand-ins
//! that switch by a link. Where systems come from and go to is a directory of the test.

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use common::prometheus::{Prometheus, installed};
use common::upstream::{Reply, Upstream};
use common::{FakeSys, Service, eventually, skip};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// What an Ed25519 key begins with in DER (RFC 8410).
const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A publisher with a binary cache, and a device with a store and a well stack.
struct Fleet {
    files: TempDir,
    key: Ed25519KeyPair,
    manifest: Arc<Mutex<String>>,
    upstream: Upstream,
    service: Service,
    _sys: FakeSys,
    _prometheus: Prometheus,
    prometheus_url: String,
}

impl Fleet {
    /// None where there is no Nix.
    fn new(test: &str) -> Option<Self> {
        if Command::new("nix").arg("--version").output().is_err() {
            skip(test, "nix cannot be had here");
            return None;
        }
        let sys = FakeSys::new();
        sys.zone(0, "48312\n");
        let service = Service::start(&sys.settings(&["thermal", "process"]));
        let program = installed().pop().expect("Prometheus is installed");
        let prometheus = Prometheus::start_stack(&program, service.address(), Duration::from_millis(500));
        let prometheus_url = format!("http://{}", prometheus.address);
        let manifest = Arc::new(Mutex::new(String::new()));
        let offered = Arc::clone(&manifest);
        let fleet = Self {
            files: tempfile::tempdir().unwrap(),
            key: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap(),
            manifest,
            upstream: Upstream::start(move |_| Reply::Json(200, offered.lock().unwrap().clone())),
            service,
            _sys: sys,
            _prometheus: prometheus,
            prometheus_url,
        };
        for directory in [
            "device/run",
            "device/boot/loader",
            "device/nix/var/nix/profiles",
            "device/nix/var/nix/gcroots",
            "state",
        ] {
            fs::create_dir_all(fleet.path(directory)).unwrap();
        }
        // What the device has when it leaves the factory.
        let first = fleet.publish("first", "true");
        let output = fleet.nix("device", &["copy", "--from", &fleet.cache(), first.to_str().unwrap()]);
        assert!(output.status.success(), "{}", text(&output));
        let profile = fleet.path("device/nix/var/nix/profiles/system");
        let set = fleet.tool(
            "nix-env",
            "device",
            &["--profile", profile.to_str().unwrap(), "--set", first.to_str().unwrap()],
        );
        assert!(set.status.success(), "{}", text(&set));
        for link in ["current-system", "booted-system"] {
            symlink(&first, fleet.path("device/run").join(link)).unwrap();
        }
        // The program looks at what has booted through the root of the device.
        fleet.boot(&first);
        Some(fleet)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.files.path().join(path)
    }

    fn cache(&self) -> String {
        format!("file://{}", self.path("cache").display())
    }

    fn tool(&self, tool: &str, store: &str, arguments: &[&str]) -> Output {
        Command::new(tool)
            .args(arguments)
            .envs(self.environment(store))
            .output()
            .unwrap()
    }

    fn nix(&self, store: &str, arguments: &[&str]) -> Output {
        self.tool(
            "nix",
            store,
            &[&["--extra-experimental-features", "nix-command"], arguments].concat(),
        )
    }

    fn environment(&self, store: &str) -> [(String, String); 3] {
        let root = self.path(store);
        let public = fs::read_to_string(self.path("cache.public")).unwrap_or_default();
        [
            ("NIX_REMOTE".to_owned(), format!("local?root={}", root.display())),
            (
                "NIX_CONFIG".to_owned(),
                format!("trusted-public-keys = {public}\nsubstituters =\n"),
            ),
            ("HOME".to_owned(), self.files.path().display().to_string()),
        ]
    }

    /// Puts a system into the cache, signed. Its `switch-to-configuration` makes it the one that runs, after `script`.
    fn publish(&self, name: &str, script: &str) -> PathBuf {
        let path = self.publish_unsigned(name, script, "kernel-1");
        let secret = self.path("cache.secret");
        if !secret.exists() {
            let made = self.tool(
                "nix-store",
                "publisher",
                &[
                    "--generate-binary-cache-key",
                    "cache-1",
                    secret.to_str().unwrap(),
                    self.path("cache.public").to_str().unwrap(),
                ],
            );
            assert!(made.status.success(), "{}", text(&made));
        }
        let signed = self.nix(
            "publisher",
            &[
                "store",
                "sign",
                "--recursive",
                "--key-file",
                secret.to_str().unwrap(),
                path.to_str().unwrap(),
            ],
        );
        assert!(signed.status.success(), "{}", text(&signed));
        self.upload(&path);
        path
    }

    /// As `publish`, into the publisher's own store alone.
    fn publish_unsigned(&self, name: &str, script: &str, kernel: &str) -> PathBuf {
        let tree = self.path(&format!("nixos-system-{name}"));
        fs::create_dir_all(tree.join("bin")).unwrap();
        let switch = tree.join("bin/switch-to-configuration");
        let root = self.path("device");
        // Its own path in the store, as the device sees it.
        let body = format!(
            "#!/bin/sh\nself=$(dirname \"$(dirname \"$0\")\")\necho \"{name} $1\" >>{root}/switched\n[ \"$1\" = boot ] || {{ {script}; }} || exit 1\n\
             [ \"$1\" = boot ] || ln -sfn \"${{self#{root}}}\" {root}/run/current-system\n",
            root = root.display()
        );
        fs::write(&switch, body).unwrap();
        fs::set_permissions(&switch, fs::Permissions::from_mode(0o755)).unwrap();
        for part in ["kernel", "initrd", "kernel-modules"] {
            symlink(format!("/nix/store/{kernel}-{part}"), tree.join(part)).unwrap();
        }
        fs::write(tree.join("kernel-params"), "quiet").unwrap();
        let added = self.nix("publisher", &["store", "add-path", tree.to_str().unwrap()]);
        assert!(added.status.success(), "{}", text(&added));
        PathBuf::from(String::from_utf8(added.stdout).unwrap().trim())
    }

    fn upload(&self, path: &Path) {
        let copied = self.nix("publisher", &["copy", "--to", &self.cache(), path.to_str().unwrap()]);
        assert!(copied.status.success(), "{}", text(&copied));
    }

    /// Offers a system to the device.
    fn offer(&self, serial: u64, system: &Path) {
        self.offer_signed_by(&self.key, serial, system, "gate");
    }

    fn offer_signed_by(&self, key: &Ed25519KeyPair, serial: u64, system: &Path, class: &str) {
        let manifest = serde_json::json!({
            "class": class, "serial": serial, "system": system, "size": 1000, "needs_reboot": false, "not_after": "2100-01-01T00:00:00Z",
        })
        .to_string();
        let signature = BASE64.encode(key.sign(manifest.as_bytes()));
        *self.manifest.lock().unwrap() =
            serde_json::json!({ "manifest": manifest, "signature": signature }).to_string();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let file = self.path("edgewatch.toml");
        let budget = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("budget.toml")).unwrap();
        // A service that is built for tests is several times as large.
        let budget = budget
            .replace("\"12M\"", "\"80M\"")
            .replace("\"180M\"", "\"112M\"")
            .replace("\"170M\"", "\"110M\"");
        fs::write(self.path("budget.toml"), budget).unwrap();
        let public = BASE64.encode([&PREFIX[..], self.key.public_key().as_ref()].concat());
        let settings = format!(
            "[paths]\nbudget = {:?}\n[prometheus]\nurl = {:?}\n[update]\nmanifest = \"http://{}/gate.json\"\npublic_keys = [{public:?}]\n\
             class = \"gate\"\ncache = {:?}\nwell_for = \"10s\"\nwithin = \"25s\"\ndirectory = {:?}\n",
            self.path("budget.toml"),
            self.prometheus_url,
            self.upstream.address,
            self.cache(),
            self.path("state"),
        );
        fs::write(&file, settings).unwrap();
        let mut command = Command::new(common::binary());
        command
            .arg("update")
            .args(arguments)
            .arg("--config")
            .arg(&file)
            .arg("--root")
            .arg(self.path("device"))
            .args(["--service", &format!("http://{}", self.service.address())])
            .env(
                "PATH",
                format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap()),
            )
            .env_remove("JOURNAL_STREAM")
            .envs(self.environment("device"))
            .stdin(Stdio::null());
        command
    }

    /// Exit status and all that was said.
    fn update(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.command(arguments).output().unwrap();
        (output.status.success(), text(&output))
    }

    fn running(&self) -> PathBuf {
        fs::read_link(self.path("device/run/current-system")).unwrap()
    }

    /// The system that the profile leads to.
    fn default_system(&self) -> PathBuf {
        let profiles = self.path("device/nix/var/nix/profiles");
        let generation = fs::read_link(profiles.join("system")).unwrap();
        fs::read_link(profiles.join(generation)).unwrap()
    }

    /// As after a restart of the device into `system`.
    fn boot(&self, system: &Path) {
        for link in ["current-system", "booted-system"] {
            let link = self.path("device/run").join(link);
            fs::remove_file(&link).unwrap();
            symlink(system, &link).unwrap();
        }
    }

    fn switched(&self) -> String {
        fs::read_to_string(self.path("device/switched")).unwrap_or_default()
    }

    /// Starts `--now` and waits until the new system runs.
    fn begin(&self, system: &Path) -> Child {
        let child = self
            .command(&["--now"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        assert!(eventually(|| self.running() == system), "{}", self.switched());
        child
    }
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_system_that_the_device_is_well_with_is_kept_and_boots_from_then_on() {
    let Some(fleet) = Fleet::new("a_system_that_the_device_is_well_with_is_kept_and_boots_from_then_on") else {
        return;
    };
    let second = fleet.publish("second", "true");
    fleet.offer(2, &second);
    let (ok, said) = fleet.update(&["--check"]);
    assert!(ok && said.contains("serial 2 is new"), "{said}");
    let before = fleet.default_system();
    let (ok, said) = fleet.update(&["--now"]);
    assert!(ok && said.contains("serial 2 is kept"), "{said}");
    assert_eq!(
        (fleet.running(), fleet.default_system()),
        (second.clone(), second.clone())
    );
    assert_ne!(before, second);
    assert_eq!(
        fleet.switched(),
        "second test\nsecond boot\n",
        "it boots only once it is known to be well"
    );
    let (ok, said) = fleet.update(&["--now"]);
    assert!(ok && said.contains("serial 2 is the newest"), "{said}");
    // An old one, which somebody has kept.
    fleet.offer(1, &before);
    let (ok, said) = fleet.update(&["--now"]);
    assert!(!ok && said.contains("its serial is 1, and the device has 2"), "{said}");
    let (_, said) = fleet.update(&["--status"]);
    assert!(said.contains("serial 2 was the last that was kept"), "{said}");
}

#[test]
fn a_system_that_the_device_is_not_well_with_is_left_and_after_two_tries_never_tried_again() {
    let test = "a_system_that_the_device_is_not_well_with_is_left_and_after_two_tries_never_tried_again";
    let Some(fleet) = Fleet::new(test) else {
        return;
    };
    let first = fleet.running();
    // It cannot even switch; it hangs; it breaks the way to the manifest, as one without a network would.
    let failing = fleet.publish("failing", "false");
    fleet.offer(2, &failing);
    for _ in 0..2 {
        let (ok, said) = fleet.update(&["--now"]);
        assert!(
            !ok && said.contains("serial 2") && said.contains("the system before it is back"),
            "{said}"
        );
        assert_eq!(
            (fleet.running(), fleet.default_system()),
            (first.clone(), first.clone())
        );
    }
    let tries = fleet.switched().matches("failing").count();
    let (ok, said) = fleet.update(&["--now"]);
    assert!(!ok && said.contains("serial 2 failed 2 times on this device"), "{said}");
    assert_eq!(
        fleet.switched().matches("failing").count(),
        tries,
        "it is not switched to"
    );
    let record = fs::read_to_string(fleet.path("state/update.json")).unwrap();
    assert!(record.contains("\"failures\":{\"2\":2}"), "{record}");

    let hanging = fleet.publish("hanging", "sleep 600");
    fleet.offer(3, &hanging);
    let (ok, said) = fleet.update(&["--now"]);
    assert!(!ok && said.contains("took longer than 25 s"), "{said}");
    assert_eq!(fleet.running(), first);

    let lonely = fleet.publish("lonely", "true");
    fleet.offer(4, &lonely);
    let mut child = fleet.begin(&lonely);
    fleet.manifest.lock().unwrap().clear();
    assert!(!child.wait().unwrap().success());
    assert_eq!(
        (fleet.running(), fleet.default_system()),
        (first.clone(), first.clone())
    );
}

#[test]
fn a_device_that_is_cut_off_in_the_middle_has_the_old_system_or_the_new_one() {
    let test = "a_device_that_is_cut_off_in_the_middle_has_the_old_system_or_the_new_one";
    let Some(fleet) = Fleet::new(test) else {
        return;
    };
    let first = fleet.running();
    let second = fleet.publish("second", "true");
    fleet.offer(2, &second);
    // The power goes during the trial: what boots is the system before.
    let mut child = fleet.begin(&second);
    child.kill().unwrap();
    child.wait().unwrap();
    fleet.boot(&first);
    let (ok, said) = fleet.update(&["--resume"]);
    assert!(!ok && said.contains("was on trial when the device restarted"), "{said}");
    assert_eq!(fleet.default_system(), first);
    // The program is killed, and the device goes on: so does the trial.
    let mut child = fleet.begin(&second);
    child.kill().unwrap();
    child.wait().unwrap();
    let (ok, said) = fleet.update(&["--resume"]);
    assert!(ok && said.contains("serial 2 is kept"), "{said}");
    assert_eq!(fleet.default_system(), second);
    let (ok, said) = fleet.update(&["--resume"]);
    assert!(ok && said.contains("no update is on trial"), "{said}");
}

#[test]
fn what_nobody_who_is_trusted_has_signed_changes_nothing() {
    let Some(fleet) = Fleet::new("what_nobody_who_is_trusted_has_signed_changes_nothing") else {
        return;
    };
    let second = fleet.publish("second", "true");
    let refused = |expected: &str| {
        let (ok, said) = fleet.update(&["--now"]);
        assert!(!ok && said.contains(expected), "{said}");
        assert!(
            !fleet.path("device").join(second.strip_prefix("/").unwrap()).exists(),
            "nothing is written"
        );
    };
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    fleet.offer_signed_by(&stranger, 2, &second, "gate");
    refused("none of update.public_keys has signed it");
    fleet.offer_signed_by(&fleet.key, 2, &second, "another");
    refused("it is for devices of the class another");
    *fleet.manifest.lock().unwrap() = "<html>".to_owned();
    refused("not a signed manifest");
    assert_eq!(fleet.switched(), "");
}

#[test]
fn a_system_with_another_kernel_is_booted_once_where_the_boot_loader_can_and_refused_elsewhere() {
    let test = "a_system_with_another_kernel_is_booted_once_where_the_boot_loader_can_and_refused_elsewhere";
    let Some(fleet) = Fleet::new(test) else {
        return;
    };
    let first = fleet.running();
    let second = fleet.publish_unsigned("second", "true", "kernel-2");
    let secret = fleet.path("cache.secret");
    fleet.nix(
        "publisher",
        &[
            "store",
            "sign",
            "--key-file",
            secret.to_str().unwrap(),
            second.to_str().unwrap(),
        ],
    );
    fleet.upload(&second);
    fleet.offer(2, &second);
    // The tools of systemd, which must not restart this machine.
    fs::create_dir(fleet.path("bin")).unwrap();
    for tool in ["bootctl", "systemctl"] {
        let path = fleet.path("bin").join(tool);
        fs::write(
            &path,
            format!("#!/bin/sh\necho {tool} \"$@\" >>{}\n", fleet.path("asked").display()),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let (ok, said) = fleet.update(&["--now"]);
    assert!(!ok && said.contains("only systemd-boot can"), "{said}");
    assert_eq!(fleet.switched(), "");

    fs::write(fleet.path("device/boot/loader/loader.conf"), "").unwrap();
    let (ok, said) = fleet.update(&["--now"]);
    assert!(ok && said.contains("the device restarts into it"), "{said}");
    let asked = fs::read_to_string(fleet.path("asked")).unwrap();
    assert_eq!(
        asked,
        "bootctl set-oneshot nixos-edgewatch-trial-generation-1.conf\nsystemctl reboot\n"
    );
    assert_eq!(
        fleet.switched(),
        "first boot\n",
        "what boots otherwise stays the system before"
    );
    assert_eq!(fleet.default_system(), first);

    fleet.boot(&second);
    let (ok, said) = fleet.update(&["--resume"]);
    assert!(ok && said.contains("serial 2 is kept"), "{said}");
    assert_eq!(fleet.default_system(), second);
    assert!(fleet.switched().ends_with("second boot\n"));
    let left: Vec<_> = fs::read_dir(fleet.path("device/nix/var/nix/profiles/system-profiles"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

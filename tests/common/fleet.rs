//! A publisher with a binary cache, and a device that updates itself: a real store, a real stack that is judged, and small stand-ins for
//! systems, which switch by a link.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use tempfile::TempDir;

use super::prometheus::{Prometheus, installed};
use super::upstream::{Reply, Upstream};
use super::{FakeSys, Service, Setup, eventually, skip};

/// What an Ed25519 key begins with in DER (RFC 8410).
const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Bytes that no device has free, so that it asks the cache what of them it lacks.
const NO_ROOM: u64 = 1 << 60;
/// Between scrapes of the stack, and the time for each: one that is lost on a busy machine makes the device unwell.
const INTERVAL: Duration = Duration::from_secs(2);

/// A publisher with a binary cache, and a device with a store and a well stack.
pub struct Fleet {
    files: TempDir,
    pub key: Ed25519KeyPair,
    pub manifest: Arc<Mutex<String>>,
    upstream: Upstream,
    pub service: Service,
    pub sys: FakeSys,
    _prometheus: Prometheus,
    prometheus_url: String,
}

impl Fleet {
    /// None where there is no Nix.
    pub fn new(test: &str) -> Option<Self> {
        Self::on(test, |_| ())
    }

    /// As [`Self::new`]; the device forwards to a centre at `url`, accelerated.
    pub fn forwarding(test: &str, url: &str) -> Option<Self> {
        Self::launch(test, |_| (), Some(url))
    }

    /// As [`Self::new`]; `prepare` gets the directory that becomes the root of the device.
    pub fn on(test: &str, prepare: impl FnOnce(&Path)) -> Option<Self> {
        Self::launch(test, prepare, None)
    }

    fn launch(test: &str, prepare: impl FnOnce(&Path), centre: Option<&str>) -> Option<Self> {
        if Command::new("nix").arg("--version").output().is_err() {
            skip(test, "nix cannot be had here");
            return None;
        }
        let sys = FakeSys::new();
        sys.zone(0, "48312\n");
        sys.write("class/watchdog/watchdog0/state", "active\n");
        let program = installed().pop().expect("Prometheus is installed");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let prometheus = Prometheus::start_stack(&program, listener.local_addr().unwrap(), INTERVAL);
        let prometheus_url = format!("http://{}", prometheus.address);
        let files = tempfile::tempdir().unwrap();
        let mut settings = sys.settings(&["thermal", "process", "watchdog"])
            + &format!("[sources.watchdog]\nperiod = \"1s\"\n[prometheus]\nurl = {prometheus_url:?}\n");
        if let Some(url) = centre {
            settings += &format!(
                "[forward]\nurl = {url:?}\nwindow = \"1s\"\nlag = \"2s\"\ndirectory = {:?}\n",
                files.path()
            );
        }
        let service = Setup::new(&settings).socket(&listener).start();
        let manifest = Arc::new(Mutex::new(String::new()));
        let offered = Arc::clone(&manifest);
        let fleet = Self {
            files,
            key: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap(),
            manifest,
            upstream: Upstream::start(move |_| Reply::Json(200, offered.lock().unwrap().clone())),
            service,
            sys,
            _prometheus: prometheus,
            prometheus_url,
        };
        fs::create_dir(fleet.path("device")).unwrap();
        prepare(&fleet.path("device"));
        for directory in [
            "device/run",
            "device/boot/loader",
            "device/nix/var/nix/profiles",
            "device/nix/var/nix/gcroots",
            "device/var/lib/edgewatch-update",
        ] {
            fs::create_dir_all(fleet.path(directory)).unwrap();
        }
        // What the device has when it leaves the factory.
        let first = fleet.publish("first", "true");
        let output = fleet.nix("device", &["copy", "--from", &fleet.cache(), first.to_str().unwrap()]);
        assert!(output.status.success(), "{}", text(&output));
        fleet.set_default(&first);
        for link in ["current-system", "booted-system"] {
            symlink(&first, fleet.path("device/run").join(link)).unwrap();
        }
        // The program looks at what has booted through the root of the device.
        fleet.boot(&first);
        Some(fleet)
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.files.path().join(path)
    }

    pub fn cache(&self) -> String {
        format!("file://{}", self.path("cache").display())
    }

    pub fn tool(&self, tool: &str, store: &str, arguments: &[&str]) -> Output {
        Command::new(tool)
            .args(arguments)
            .envs(self.environment(store))
            .output()
            .unwrap()
    }

    pub fn nix(&self, store: &str, arguments: &[&str]) -> Output {
        self.tool(
            "nix",
            store,
            &[&["--extra-experimental-features", "nix-command"], arguments].concat(),
        )
    }

    pub fn environment(&self, store: &str) -> [(String, String); 3] {
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
    pub fn publish(&self, name: &str, script: &str) -> PathBuf {
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

    /// As `publish`, with more files of 64 KiB.
    pub fn publish_large(&self, name: &str, files: usize) -> PathBuf {
        let tree = self.path(&format!("nixos-system-{name}"));
        fs::create_dir_all(&tree).unwrap();
        for number in 0..files {
            fs::write(
                tree.join(format!("file-{number}")),
                format!("{name} {number} ").repeat(4096),
            )
            .unwrap();
        }
        self.publish(name, "true")
    }

    /// As `publish`, into the publisher's own store alone.
    pub fn publish_unsigned(&self, name: &str, script: &str, kernel: &str) -> PathBuf {
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
        // The program with which the system is looked at.
        fs::create_dir_all(tree.join("sw/bin")).unwrap();
        symlink(super::binary(), tree.join("sw/bin/edgewatch")).unwrap();
        let added = self.nix("publisher", &["store", "add-path", tree.to_str().unwrap()]);
        assert!(added.status.success(), "{}", text(&added));
        PathBuf::from(String::from_utf8(added.stdout).unwrap().trim())
    }

    pub fn upload(&self, path: &Path) {
        let copied = self.nix("publisher", &["copy", "--to", &self.cache(), path.to_str().unwrap()]);
        assert!(copied.status.success(), "{}", text(&copied));
    }

    /// Offers a system to the device.
    pub fn offer(&self, serial: u64, system: &Path) {
        self.offer_signed_by(&self.key, serial, system, "gate");
    }

    pub fn offer_signed_by(&self, key: &Ed25519KeyPair, serial: u64, system: &Path, class: &str) {
        self.sign(key, serial, system, class, "2100-01-01T00:00:00Z");
    }

    /// Offers a system until a time, in the form of RFC 3339.
    pub fn offer_until(&self, not_after: &str, serial: u64, system: &Path) {
        self.sign(&self.key, serial, system, "gate", not_after);
    }

    fn sign(&self, key: &Ed25519KeyPair, serial: u64, system: &Path, class: &str, not_after: &str) {
        let manifest = serde_json::json!({
            "class": class, "serial": serial, "system": system, "size": NO_ROOM, "needs_reboot": false, "not_after": not_after,
        })
        .to_string();
        let signature = BASE64.encode(key.sign(manifest.as_bytes()));
        *self.manifest.lock().unwrap() =
            serde_json::json!({ "manifest": manifest, "signature": signature }).to_string();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let file = self.path("edgewatch.toml");
        let budget = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("budget.toml")).unwrap();
        // A service that is built for tests is several times as large.
        let budget = budget
            .replace("\"11M\"", "\"80M\"")
            .replace("\"180M\"", "\"110M\"")
            .replace("\"170M\"", "\"109M\"");
        fs::write(self.path("budget.toml"), budget).unwrap();
        let public = BASE64.encode([&PREFIX[..], self.key.public_key().as_ref()].concat());
        let settings = format!(
            "[paths]\nbudget = {:?}\n[prometheus]\nurl = {:?}\n[update]\nmanifest = \"http://{}/gate.json\"\npublic_keys = [{public:?}]\n\
             class = \"gate\"\ncache = {:?}\nservice = \"http://{}\"\nwell_for = \"10s\"\nwithin = \"25s\"\ndirectory = {:?}\n",
            self.path("budget.toml"),
            self.prometheus_url,
            self.upstream.address,
            self.cache(),
            self.service.address(),
            self.path("device/var/lib/edgewatch-update"),
        );
        fs::write(&file, settings).unwrap();
        let mut command = Command::new(super::binary());
        command
            .arg("update")
            .args(arguments)
            .arg("--config")
            .arg(&file)
            .arg("--root")
            .arg(self.path("device"))
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
    pub fn update(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.command(arguments).output().unwrap();
        (output.status.success(), text(&output))
    }

    pub fn running(&self) -> PathBuf {
        fs::read_link(self.path("device/run/current-system")).unwrap()
    }

    /// The system that the profile leads to.
    pub fn default_system(&self) -> PathBuf {
        let profiles = self.path("device/nix/var/nix/profiles");
        let generation = fs::read_link(profiles.join("system")).unwrap();
        fs::read_link(profiles.join(generation)).unwrap()
    }

    fn set_default(&self, system: &Path) {
        let profile = self.path("device/nix/var/nix/profiles/system");
        let arguments = [
            "--profile",
            profile.to_str().unwrap(),
            "--set",
            system.to_str().unwrap(),
        ];
        let set = self.tool("nix-env", "device", &arguments);
        assert!(set.status.success(), "{}", text(&set));
    }

    /// As after `nixos-rebuild switch` to `system`.
    pub fn deploy(&self, system: &Path) {
        self.set_default(system);
        let link = self.path("device/run/current-system");
        fs::remove_file(&link).unwrap();
        symlink(system, link).unwrap();
    }

    /// As after a restart of the device into `system`.
    pub fn boot(&self, system: &Path) {
        for link in ["current-system", "booted-system"] {
            let link = self.path("device/run").join(link);
            fs::remove_file(&link).unwrap();
            symlink(system, &link).unwrap();
        }
    }

    pub fn switched(&self) -> String {
        fs::read_to_string(self.path("device/switched")).unwrap_or_default()
    }

    /// Starts `--now` and waits until the new system runs.
    pub fn begin(&self, system: &Path) -> Child {
        let child = self
            .command(&["--now"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert!(eventually(|| self.running() == system), "{}", self.switched());
        child
    }

    /// The same, killed while the system is on trial.
    pub fn begin_and_kill(&self, system: &Path) {
        let mut child = self.begin(system);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

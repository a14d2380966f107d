//! The first boot of an image: nobody has to set a password, and whoever gives one is heard. The real script, on directories of its own,
//! and the real service with the users that it leaves behind.

use crate::common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::Service;
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/nixos/hosts/first-boot.sh");
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIXk0J7eYlSnGaGiGqGvaSnOFqz4nYxOmzyGJbIWbTXB me@desk";

/// What the script finds and leaves behind.
struct Device {
    root: TempDir,
}

impl Device {
    /// With an empty boot partition. None where the tools that the script calls are missing.
    fn new(test: &str) -> Option<Self> {
        for tool in ["iconv", "mkpasswd", "ssh-keygen"] {
            let found = Command::new("sh").args(["-c", "command -v \"$0\"", tool]).output();
            if !found.unwrap().status.success() {
                common::skip(test, &format!("{tool} cannot be had here"));
                return None;
            }
        }
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("boot")).unwrap();
        // The accounts of this machine are none of the test's business.
        let chpasswd = root.path().join("bin/chpasswd");
        fs::create_dir(chpasswd.parent().unwrap()).unwrap();
        fs::write(&chpasswd, "#!/bin/sh\ncat >\"$EDGEWATCH_ROOT/accounts\"\n").unwrap();
        fs::set_permissions(&chpasswd, fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(common::binary(), root.path().join("bin/edgewatch")).unwrap();
        Some(Self { root })
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// Puts a file on the boot partition.
    fn give(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path("boot").join(name), content).unwrap();
    }

    fn given(&self, name: &str) -> bool {
        self.path("boot").join(name).exists()
    }

    /// Boots, and returns what the console shows.
    fn boot(&self) -> String {
        let (well, shown) = self.try_boot();
        assert!(well, "{shown}");
        shown
    }

    /// Boots, and returns whether the script ended well and what the console shows.
    fn try_boot(&self) -> (bool, String) {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .arg(SCRIPT)
            .arg(self.path("boot"))
            .env("PATH", path)
            .env("EDGEWATCH_ROOT", self.root.path())
            .output()
            .unwrap();
        let shown = self.read("run/edgewatch-appliance/issue") + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), shown)
    }

    fn password(&self) -> String {
        self.read("var/lib/edgewatch-appliance/password")
    }

    /// The status of `/` for the operator with this password.
    fn status(&self, password: &str) -> u16 {
        let users = self.path("var/lib/edgewatch-appliance/users");
        let service = Service::start(&format!(
            "[http]\nlisten = [\"0.0.0.0:0\"]\n[auth]\nusers_file = {users:?}\n"
        ));
        let credentials = STANDARD.encode(format!("operator:{password}"));
        let request = format!(
            "GET / HTTP/1.1\r\nHost: device\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
        );
        let port = service.address().port();
        common::ask(([127, 0, 0, 1], port).into(), request.as_bytes())
            .unwrap()
            .status
    }
}

#[test]
fn the_first_boot_makes_a_password_that_lets_in_and_later_boots_keep_it() {
    let Some(device) = Device::new("first boot") else {
        return;
    };
    let shown = device.boot();
    let password = device.password();
    assert!(shown.contains(&format!("Password {password}\n")), "{shown}");
    assert_eq!(password.len(), 19, "{password}");
    assert_eq!(device.status(&password), 200);
    assert_eq!(device.status("operator"), 401);
    let account = device.read("accounts");
    assert_eq!(account, device.read("var/lib/edgewatch-appliance/users"));
    assert!(account.starts_with("operator:$2b$10$"), "{account}");

    assert_eq!(device.boot(), shown);
    assert_eq!(device.password(), password);
}

#[test]
fn two_devices_have_different_passwords() {
    let (Some(one), Some(other)) = (Device::new("two devices"), Device::new("two devices")) else {
        return;
    };
    one.boot();
    other.boot();
    assert_ne!(one.password(), other.password());
}

#[test]
fn only_root_can_read_the_secrets() {
    let Some(device) = Device::new("secrets") else { return };
    device.boot();
    for file in ["password", "users"] {
        let mode = fs::metadata(device.path("var/lib/edgewatch-appliance").join(file)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{file}");
    }
    let console = fs::metadata(device.path("run/edgewatch-appliance/issue")).unwrap();
    assert_eq!(console.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_password_on_the_boot_partition_is_taken_over_and_shown_to_nobody() {
    let Some(device) = Device::new("given password") else {
        return;
    };
    device.boot();
    let made = device.password();
    // As a Windows editor leaves it.
    device.give("password", "correct horse battery\r\n");
    let shown = device.boot();
    assert!(!shown.contains("correct horse") && !shown.contains(&made), "{shown}");
    assert!(!device.given("password"), "it is still on the boot partition");
    assert_eq!(device.password(), "correct horse battery");
    assert_eq!(device.status("correct horse battery"), 200);
    assert_eq!(device.status(&made), 401);
}

#[test]
fn a_password_is_what_was_typed_whatever_editor_wrote_it() {
    let utf16 = |text: &str, to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes).collect::<Vec<_>>();
    for (editor, content) in [
        ("plain", "gr\u{fc}\u{df}e-123".into()),
        ("UTF-8 with a byte order mark", "\u{feff}gr\u{fc}\u{df}e-123\r\n".into()),
        ("UTF-16", utf16("\u{feff}gr\u{fc}\u{df}e-123\r\n", u16::to_le_bytes)),
        (
            "UTF-16, big end first",
            utf16("\u{feff}gr\u{fc}\u{df}e-123\n", u16::to_be_bytes),
        ),
    ] {
        let Some(device) = Device::new("editors") else { return };
        device.give("password", content);
        let shown = device.boot();
        assert!(shown.contains("with the password that was given"), "{editor}: {shown}");
        assert_eq!(device.password(), "gr\u{fc}\u{df}e-123", "{editor}");
        assert!(!device.given("password"), "{editor}");
    }
    let Some(device) = Device::new("editors") else { return };
    device.give("password.txt", "\u{feff}correct horse\r\n");
    device.boot();
    assert_eq!(device.status("correct horse"), 200);
    assert!(!device.given("password.txt"));
}

#[test]
fn a_password_that_cannot_be_read_for_sure_is_not_taken_and_the_made_one_lets_in() {
    for (content, why) in [
        // Latin-1: the same bytes are other letters elsewhere.
        (
            &b"gr\xfc\xdfe-123\r\n"[..],
            "is neither UTF-8 nor UTF-16: save it as UTF-8",
        ),
        // UTF-16 without a byte order mark.
        (b"c\0o\0r\0r\0e\0c\0t\0 \0h\0o\0", "is neither UTF-8 nor UTF-16"),
        (b"\xff\xfec\0o\0r\0r\0e", "is neither UTF-8 nor UTF-16"),
        (b"\r\ncorrect horse\r\n", "has 0 bytes, and 8 to 72 are needed"),
        (&[b'x'; 70_000], "is longer than 64 KiB"),
    ] {
        let Some(device) = Device::new("odd passwords") else {
            return;
        };
        device.give("password", content);
        let shown = device.boot();
        assert!(
            shown.contains(why) && shown.contains("it was not taken"),
            "{why}: {shown}"
        );
        assert!(shown.contains(&format!("Password {}\n", device.password())), "{shown}");
        assert_eq!(device.password().len(), 19, "{why}");
        assert!(device.given("password"), "{why}");
    }
}

#[test]
fn a_space_that_nobody_sees_is_told() {
    let Some(device) = Device::new("spaces") else { return };
    device.give("password", "correct horse \r\n");
    device.give("wifi", "home\n sesame, open\\ \n");
    let shown = device.boot();
    assert!(
        shown.contains("password on the boot partition begins or ends with a space"),
        "{shown}"
    );
    assert!(
        shown.contains("passphrase of the wireless network begins or ends"),
        "{shown}"
    );
    assert_eq!(device.password(), "correct horse ");
    let file = device.read("var/lib/iwd/home.psk");
    assert_eq!(file, "[Security]\nPassphrase=\\ssesame, open\\\\\\s\n");
}

#[test]
fn the_console_is_told_even_if_something_fails() {
    let Some(device) = Device::new("failures") else { return };
    device.boot();
    let password = device.password();
    // Nothing can be written there.
    fs::write(device.path("var/lib/iwd"), "").unwrap();
    device.give("wifi", "home\nsesame, open\n");
    let (status, shown) = device.try_boot();
    assert!(!status, "a failure is a failure");
    assert!(shown.contains(&format!("Password {password}\n")), "{shown}");
    assert!(shown.contains("journalctl -u edgewatch-first-boot"), "{shown}");
}

#[test]
fn keys_on_the_boot_partition_are_taken_over() {
    let Some(device) = Device::new("given keys") else {
        return;
    };
    device.give("authorized_keys", format!("{KEY}\r\n"));
    device.boot();
    assert!(!device.given("authorized_keys"));
    assert_eq!(device.read("var/lib/edgewatch-keys/operator"), format!("{KEY}\n"));
    // sshd reads it as the user.
    let mode = fs::metadata(device.path("var/lib/edgewatch-keys/operator")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o644);
}

#[test]
fn a_wireless_network_on_the_boot_partition_is_taken_over() {
    let Some(device) = Device::new("given network") else {
        return;
    };
    device.give("wifi", "At home\nsesame, open\\up");
    device.boot();
    assert!(!device.given("wifi"));
    let file = device.read("var/lib/iwd/At home.psk");
    assert_eq!(file, "[Security]\nPassphrase=sesame, open\\\\up\n");
    // A name that is no file name is written in hexadecimal digits.
    device.give("wifi", "../caf\u{e9}\r\nsesame, open\r\n");
    device.boot();
    assert_eq!(
        device.read("var/lib/iwd/=2e2e2f636166c3a9.psk"),
        "[Security]\nPassphrase=sesame, open\n"
    );
}

#[test]
fn every_wireless_network_that_there_can_be_is_taken_and_no_other() {
    let key = "0123456789ABCDEF".repeat(4);
    for (name, secret, file) in [
        ("\"quoted\"", "\"sesame $HOME `id`\"", "=2271756f74656422.psk"),
        (&"x".repeat(32), "sesame, open", &format!("{}.psk", "x".repeat(32))),
        (
            &"\u{e9}".repeat(16),
            "sesame, open",
            &format!("={}.psk", "c3a9".repeat(16)),
        ),
        ("home", &"p".repeat(63), "home.psk"),
        ("home", &key, "home.psk"),
    ] {
        let Some(device) = Device::new("networks") else { return };
        device.give("wifi", format!("{name}\n{secret}\n"));
        let shown = device.boot();
        let expected = match secret == key {
            true => format!("[Security]\nPreSharedKey={}\n", key.to_lowercase()),
            false => format!("[Security]\nPassphrase={secret}\n"),
        };
        assert_eq!(device.read(&format!("var/lib/iwd/{file}")), expected, "{name}: {shown}");
        assert!(!device.given("wifi"), "{name}");
    }
    for (name, secret, why) in [
        ("x".repeat(33), "sesame, open", "a name of 33 bytes"),
        ("x".repeat(300), "sesame, open", "a name of 300 bytes"),
        (String::new(), "sesame, open", "a name of 0 bytes"),
        ("home".to_owned(), "short", "8 to 63 characters of ASCII"),
        ("home".to_owned(), "s\u{e9}same, open", "8 to 63 characters of ASCII"),
        ("home".to_owned(), "sesame\topen", "8 to 63 characters of ASCII"),
        ("home".to_owned(), &"p".repeat(64), "a key of 64 hexadecimal digits"),
    ] {
        let Some(device) = Device::new("networks") else { return };
        device.give("wifi", format!("{name}\n{secret}\n"));
        let shown = device.boot();
        assert!(
            shown.contains(why) && shown.contains("it was not taken"),
            "{name} {secret}: {shown}"
        );
        assert!(shown.contains(&device.password()), "the rest goes on: {shown}");
        assert!(device.given("wifi"));
    }
}

#[test]
fn what_cannot_be_taken_over_stays_and_the_console_says_why() {
    let Some(device) = Device::new("bad files") else { return };
    device.give("password", "short\n");
    device.give("authorized_keys", "not a key\n");
    device.give("wifi", "only a name\n");
    let shown = device.boot();
    for (file, why) in [
        ("password", "has 5 bytes, and 8 to 72 are needed"),
        ("authorized_keys", "no ssh key that can be read"),
        ("wifi", "needs two lines"),
    ] {
        assert!(shown.contains(why), "{file}: {shown}");
        assert!(device.given(file), "{file} was removed");
    }
    // And there is a password all the same.
    assert_eq!(device.status(&device.password()), 200);
}

const CENTRE: &str = "url = \"https://centre.example:8443/api/v1/write\"\r\nedge = \"gate-7\"\r\nuser = \"gate-7\"\r\npassword = \"hunter2\"\r\n\
     ca = \"\"\"\r\n-----BEGIN CERTIFICATE-----\r\nMIIB\r\n-----END CERTIFICATE-----\r\n\"\"\"\r\n";

#[test]
fn a_centre_on_the_boot_partition_is_taken_over_for_this_and_every_later_boot() {
    let Some(device) = Device::new("given centre") else {
        return;
    };
    device.give("centre.txt", CENTRE);
    let shown = device.boot();
    assert!(!device.given("centre.txt"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let (unit, secret) = (
        "run/systemd/system/edgewatch-outbound.service.d/zz-enrolled.conf",
        "var/lib/edgewatch-appliance/forward-secret",
    );
    let mode = |path: &str| fs::metadata(device.path(path)).unwrap().permissions().mode() & 0o777;
    let kept = [secret, "var/lib/edgewatch-appliance/centre"].map(mode);
    assert_eq!(kept, [0o600, 0o600]);
    // The services, other users than root, read the rest themselves.
    let read = ["", "/forward.toml", "/forward-ca.pem"].map(|file| mode(&format!("etc/edgewatch/edgewatch.d{file}")));
    assert_eq!(read, [0o755, 0o644, 0o644]);
    // What is below /run does not outlive a boot.
    fs::remove_dir_all(device.path("run/systemd")).unwrap();
    // One that cannot be used leaves what was taken before.
    device.give("centre", "url = \"https://centre.example\"\npassword = hunter2\n");
    let shown = device.boot();
    assert!(
        shown.contains("centre on the boot partition cannot be used (line 2 is no TOML"),
        "{shown}"
    );
    assert!(
        shown.contains("it was not taken") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert!(device.given("centre"));
    assert_eq!(device.read(secret), "hunter2");
    let drop_in = device.read(unit);
    assert!(
        drop_in.contains(&format!(
            "LoadCredential=forward-secret:{}",
            device.path(secret).display()
        )),
        "{drop_in}"
    );
    let settings = device.read("etc/edgewatch/edgewatch.d/forward.toml");
    assert!(
        settings.contains("edge = \"gate-7\"") && !settings.contains("hunter2"),
        "{settings}"
    );
}

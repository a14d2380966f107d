use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

const FILE: &str = "url = \"https://centre.example:8443/api/v1/write\"\nedge = \"gate-7\"\nprofile = \"lte\"\ncompression = \"zstd\"\nuser = \"12345\"\n\
                    password = \"hunter2 \\\"%d\"\nca = \"\"\"\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n\"\"\"\n";

struct Device(TempDir);

impl Device {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn enrol(&self, text: &str) -> Result<(), EnrolError> {
        fs::write(self.path("given"), text).unwrap();
        run(&Args {
            file: self.path("given"),
            directory: self.path("etc"),
            units: self.path("units"),
            config: self.path("edgewatch.toml"),
            no_restart: true,
        })
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }
}

#[test]
fn one_file_is_all_that_a_device_needs_and_its_secret_is_where_only_root_reads_it() {
    let device = Device::new();
    fs::write(device.path("edgewatch.toml"), "# mine\n[log]\nlevel = \"debug\"\n").unwrap();
    device.enrol(FILE).unwrap();
    assert_eq!(device.read("etc/forward-secret"), "hunter2 \"%d");
    assert_eq!(device.mode("etc/forward-secret"), 0o600);
    assert!(device.read("edgewatch.d/forward-ca.pem").contains("MIIB"));
    let unit = device.read("units/edgewatch-outbound.service.d/zz-enrolled.conf");
    let credential = format!(
        "LoadCredential=forward-secret:{}\n",
        device.path("etc/forward-secret").display()
    );
    assert!(unit.contains(&credential), "{unit}");
    for file in [
        "edgewatch.d/forward.toml",
        "units/edgewatch-outbound.service.d/zz-enrolled.conf",
    ] {
        assert!(!device.read(file).contains("hunter2"), "{file}");
    }
    // The service has all of it, and what was there before. A number stays the name that it is.
    let settings = Settings::load(Some(&device.path("edgewatch.toml"))).unwrap();
    assert_eq!(
        settings.forward.url.as_deref(),
        Some("https://centre.example:8443/api/v1/write")
    );
    assert_eq!(settings.forward.user.as_deref(), Some("12345"));
    assert_eq!(settings.forward.password_file.as_deref(), Some(Path::new(SECRET)));
    assert_eq!(settings.forward.profile, Profile::Lte);
    assert_eq!(settings.forward.compression, Compression::Zstd);
    assert_eq!(settings.forward.external_labels()[EDGE], "gate-7");
    assert_eq!(settings.log.level, edgewatch_program::logging::Level::Debug);
    // Another file replaces it: a token that was renewed.
    device
        .enrol("url = \"https://centre.example/api/v1/write\"\nbearer_token = \"new\"\n")
        .unwrap();
    assert_eq!(device.read("etc/forward-secret"), "new");
    let settings = Settings::load(Some(&device.path("edgewatch.toml"))).unwrap();
    assert_eq!((settings.forward.user, settings.forward.ca_file), (None, None));
}

#[test]
fn a_file_that_cannot_be_used_changes_nothing_is_told_what_is_wrong_and_shown_to_nobody() {
    let url = "url = \"https://centre.example/api/v1/write\"\n";
    let device = Device::new();
    device.enrol(FILE).unwrap();
    let before = device.read("edgewatch.d/forward.toml");
    for (text, says) in [
        (format!("{url}password = hunter2\n"), "line 2 is no TOML"),
        (format!("{url}password = 12345678\n"), "password is no text in quotes"),
        (format!("{url}pass_word = \"hunter2\"\n"), "pass_word is no key"),
        (format!("{url}password = \"hunter2\"\n"), "together with user"),
        (format!("{url}user = \"me\"\n"), "together with user"),
        (
            format!("{url}user = \"me\"\npassword = \"hunter2\"\nbearer_token = \"hunter2\"\n"),
            "one of them",
        ),
        (
            format!("{url}bearer_token = \"a\\nhunter2\"\n"),
            "bearer_token is no text",
        ),
        (format!("{url}profile = \"hunter2\"\n"), "full, lte or heartbeat"),
        (format!("{url}compression = \"hunter2\"\n"), "snappy or zstd"),
        ("bearer_token = \"hunter2\"\n".to_owned(), "url is no text"),
        (
            "url = \"https://me:hunter2@centre.example/\"\n".to_owned(),
            "without user and password",
        ),
        ("url = \"centre.example hunter2\"\n".to_owned(), "https://HOST:PORT"),
        (format!("{url}edge = \"gate-7 site=north\"\n"), "a name without spaces"),
        (String::new(), "url is no text"),
        ("x".repeat(70_000), "longer than 64 KiB"),
    ] {
        let error = device.enrol(&text).unwrap_err().to_string();
        assert!(
            error.contains(says) && !error.contains("hunter2") && !error.contains("12345678"),
            "{says}: {error}"
        );
    }
    assert_eq!(device.read("edgewatch.d/forward.toml"), before);
    assert_eq!(device.read("etc/forward-secret"), "hunter2 \"%d");
}

#[test]
fn what_somebody_has_set_by_hand_is_not_overruled() {
    let device = Device::new();
    fs::write(
        device.path("edgewatch.toml"),
        "[forward]\nurl = \"http://127.0.0.1:1/\"\n",
    )
    .unwrap();
    let error = device.enrol(FILE).unwrap_err();
    assert!(matches!(error, EnrolError::Set(_)), "{error}");
    assert!(!device.path("etc").exists() && !device.path("edgewatch.d").exists());
}

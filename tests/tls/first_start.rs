//! The certificate that the device makes for itself at its first start, which may be cut off at any moment.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use super::*;
use crate::common::clock::Clock;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

const CUTS: usize = 50;
/// First starts among which these power cuts are.
const STARTS: usize = 10;

#[test]
fn the_certificate_says_whose_it_is_what_for_and_is_good_from_1970_on() {
    let device = Device::start();
    let own = device.own();
    let (rest, certificate) = X509Certificate::from_der(&own).unwrap();
    assert!(rest.is_empty());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert_eq!(certificate.subject().to_string(), format!("CN=edgewatch on {host}"));
    assert_eq!(certificate.issuer(), certificate.subject());
    let validity = certificate.validity();
    assert_eq!(validity.not_before.timestamp(), 0);
    // 9999-12-31T23:59:59Z: none (RFC 5280, 4.1.2.5).
    assert_eq!(validity.not_after.timestamp(), 253_402_300_799);
    // An elliptic curve, P-256.
    let key = certificate.public_key();
    assert_eq!(key.algorithm.algorithm.to_id_string(), "1.2.840.10045.2.1");
    let curve = key.algorithm.parameters.as_ref().unwrap().as_oid().unwrap();
    assert_eq!(curve.to_id_string(), "1.2.840.10045.3.1.7");
    let mut found = BTreeSet::new();
    for extension in certificate.extensions() {
        found.insert(match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => format!("authority: {}", constraints.ca),
            ParsedExtension::KeyUsage(usage) => format!("usage: {usage}"),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                assert!(!usage.any && !usage.client_auth && usage.other.is_empty());
                format!("server: {}", usage.server_auth)
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                assert!(names.general_names.contains(&GeneralName::DNSName("localhost")));
                "names".to_owned()
            }
            _ => continue,
        });
    }
    let expected = ["authority: false", "names", "server: true", "usage: Digital Signature"];
    assert_eq!(found, expected.map(str::to_owned).into());
}

#[test]
fn a_certificate_that_is_made_while_the_clock_says_1970_is_good_today() {
    let Some(clock) = Clock::new("a_certificate_that_is_made_while_the_clock_says_1970_is_good_today") else {
        return;
    };
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    clock.set(30 - i64::try_from(since.as_secs()).unwrap());
    let files = tempfile::tempdir().unwrap();
    let mut setup = Setup::new(&settings(&files));
    for (name, value) in clock.environment() {
        setup = setup.environment(name, &value);
    }
    let device = Device {
        service: setup.start(),
        files,
    };
    assert_eq!(ask_over(device.connect(&device.own()), PAGE).unwrap().status, 200);
}

/// What is in `directory` after this start serves, and stays.
fn assert_usable(files: TempDir) -> String {
    let device = Device {
        service: Setup::new(&settings(&files)).start(),
        files,
    };
    assert_eq!(ask_over(device.connect(&device.own()), PAGE).unwrap().status, 200);
    assert!(device.service.metrics().contains("origin=\"device\""));
    device.fingerprint()
}

#[test]
fn fifty_kills_in_the_first_start_leave_a_usable_pair() {
    let time = {
        let began = Instant::now();
        let _device = Device::start();
        began.elapsed()
    };
    let mut files_left = BTreeSet::new();
    for cut in 0..CUTS {
        let files = tempfile::tempdir().unwrap();
        let service = Setup::new(&settings(&files)).spawn();
        thread::sleep(time * cut as u32 / CUTS as u32);
        drop(service);
        files_left.insert(fs::read_dir(files.path()).unwrap().count());
        assert_usable(files);
    }
    // Some were before it was made, and some after.
    assert!(files_left.len() > 1, "{files_left:?}");
}

/// A disk in a file in memory, copies of which are what a power cut leaves: what the file system has not written is lost.
struct Disk {
    directory: TempDir,
    mounted: PathBuf,
}

impl Disk {
    /// `None`, with a line that says why, where it cannot be mounted: that takes root.
    fn new(test: &str, image: Option<&[u8]>) -> Option<Self> {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let mounted = directory.path().join("mounted");
        fs::create_dir(&mounted).unwrap();
        let disk = Self { directory, mounted };
        let file = disk.image();
        let run = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output();
            output.is_ok_and(|output| output.status.success())
        };
        match image {
            Some(image) => fs::write(&file, image).unwrap(),
            None => fs::File::create(&file).unwrap().set_len(4 << 20).unwrap(),
        }
        let (file, mounted) = (file.to_str().unwrap(), disk.mounted.to_str().unwrap());
        let is_made = image.is_some() || run("mkfs.ext4", &["-q", "-F", file]);
        if !is_made || !run("mount", &["-o", "loop", file, mounted]) {
            skip(test, "no disk can be mounted: that takes root");
            return None;
        }
        Some(disk)
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.mounted).status();
    }
}

/// What a power cut leaves.
struct Cut {
    image: Vec<u8>,
    /// The directory on the disk.
    name: OsString,
    /// The certificate that was shown before it, if one was.
    shown: Option<String>,
}

/// A first start, and what power cuts in it and right after it leave of `disk`.
fn start_with_cuts(disk: &Disk, cuts: &mut Vec<Cut>) {
    let files = tempfile::tempdir_in(&disk.mounted).unwrap();
    let name = files.path().file_name().unwrap().to_owned();
    // The directory is there since the device was installed.
    rustix::fs::sync();
    let service = Setup::new(&settings(&files)).spawn();
    let mut before = Vec::new();
    while service.manager.count("READY=1") == 0 {
        before.push(fs::read(disk.image()).unwrap());
    }
    let after = fs::read(disk.image()).unwrap();
    let device = Device { service, files };
    // The last of them are around the write.
    let skipped = before.len().saturating_sub(CUTS / STARTS - 1);
    cuts.extend(before.into_iter().skip(skipped).map(|image| Cut {
        image,
        name: name.clone(),
        shown: None,
    }));
    cuts.push(Cut {
        image: after,
        name,
        shown: Some(device.fingerprint()),
    });
}

#[test]
fn fifty_power_cuts_in_the_first_start_leave_a_usable_pair_and_once_it_is_shown_that_very_one() {
    let test = "fifty_power_cuts_in_the_first_start_leave_a_usable_pair_and_once_it_is_shown_that_very_one";
    let Some(disk) = Disk::new(test, None) else { return };
    let mut cuts = Vec::new();
    while cuts.len() < CUTS {
        start_with_cuts(&disk, &mut cuts);
    }
    let mut with_a_pair = 0;
    for cut in &cuts {
        let disk = Disk::new(test, Some(&cut.image)).unwrap();
        let files = tempfile::tempdir().unwrap();
        let left = disk.mounted.join(&cut.name).join("tls.pem");
        if left.exists() {
            fs::copy(&left, files.path().join("tls.pem")).unwrap();
            with_a_pair += 1;
        }
        let afterwards = assert_usable(files);
        assert!(
            cut.shown.as_ref().is_none_or(|shown| *shown == afterwards),
            "another certificate than the one that was shown"
        );
    }
    println!(
        "{} power cuts, {with_a_pair} of them after the pair was on the disk",
        cuts.len()
    );
    assert!(with_a_pair > 0 && with_a_pair < cuts.len());
}

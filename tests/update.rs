//! Updates of a NixOS device: a real store, a real binary cache and a real stack that is judged; the systems in them are small stand-ins
//! that switch by a link. Where systems come from and go to is a directory of the test.

mod trial;

use crate::common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::fleet::{Fleet, text};
use ring::signature::Ed25519KeyPair;

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
    let record = fs::read_to_string(fleet.path("device/var/lib/edgewatch-update/update.json")).unwrap();
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
fn a_device_without_a_manifest_hears_that_it_is_not_updated() {
    for option in ["--check", "--status", "--now"] {
        let (status, _, stderr) = common::run(&["update", option, "--config", "/dev/null"], &[]);
        assert!(!status.success(), "{option}");
        assert!(
            stderr.contains("update.manifest is not set") && stderr.contains("apt"),
            "{option}: {stderr}"
        );
    }
}

#[test]
fn a_manifest_that_nobody_renews_is_not_heard_of() {
    let Some(fleet) = Fleet::new("a_manifest_that_nobody_renews_is_not_heard_of") else {
        return;
    };
    let checked = || {
        let record = fs::read_to_string(fleet.path("device/var/lib/edgewatch-update/update.json")).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        record["checked"].as_i64().unwrap()
    };
    // Nor was there ever one.
    let (ok, _) = fleet.update(&["--check"]);
    assert!(!ok);
    let first = checked();
    let (_, said) = fleet.update(&["--status"]);
    assert!(
        said.contains("the manifest was last read, or first asked for in vain, at "),
        "{said}"
    );
    std::thread::sleep(std::time::Duration::from_millis(1100));
    fleet.offer_until("2001-01-01T00:00:00Z", 2, &fleet.running());
    let (ok, said) = fleet.update(&["--check"]);
    assert!(!ok && said.contains("2001-01-01"), "{said}");
    assert_eq!(checked(), first);
    fleet.offer(2, &fleet.running());
    let (ok, said) = fleet.update(&["--check"]);
    assert!(ok, "{said}");
    assert!(checked() > first);
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
    fleet.begin_and_kill(&second);
    fleet.boot(&first);
    let (ok, said) = fleet.update(&["--resume"]);
    assert!(
        !ok && said.contains("was on trial when the device or this program was restarted"),
        "{said}"
    );
    assert_eq!(fleet.default_system(), first);
    // The program is killed, and the device goes on: so does the trial.
    fleet.begin_and_kill(&second);
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
fn what_publish_writes_is_what_a_device_takes() {
    let Some(fleet) = Fleet::new("what_publish_writes_is_what_a_device_takes") else {
        return;
    };
    let second = fleet.publish("second", "true");
    // The seed of the fleet's key, in PEM (RFC 8410, 7).
    let key = [
        &b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"[..],
        &[7; 32],
    ]
    .concat();
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(key)
    );
    fs::write(fleet.path("manifest.pem"), key).unwrap();
    let publish = |key: &str, system: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/nixos/publish.sh");
        let output = Command::new(script)
            .args(["--class", "gate", "--serial", "9", "--cache", &fleet.cache(), "--key"])
            .arg(fleet.path(key))
            .arg("--manifest")
            .arg(fleet.path("gate.json"))
            .arg(system)
            .envs(fleet.environment("publisher"))
            .output()
            .unwrap();
        (output.status.success(), text(&output))
    };
    let (ok, said) = publish("manifest.pem", second.to_str().unwrap());
    assert!(ok && said.contains("serial 9 for gate"), "{said}");
    *fleet.manifest.lock().unwrap() = fs::read_to_string(fleet.path("gate.json")).unwrap();
    let (ok, said) = fleet.update(&["--now"]);
    assert!(ok && said.contains("serial 9 is kept"), "{said}");
    assert_eq!(fleet.running(), second);

    let (ok, said) = publish("cache.secret", second.to_str().unwrap());
    assert!(!ok && said.contains("no Ed25519 key"), "{said}");
    let (ok, said) = publish("manifest.pem", "/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-nothing");
    assert!(!ok && said.contains("no system of NixOS"), "{said}");
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
    // The boot loader cannot be written: nothing has changed, and nothing restarts.
    let bootctl = fleet.path("bin/bootctl");
    let works = fs::read(&bootctl).unwrap();
    fs::write(&bootctl, "#!/bin/sh\nexit 1\n").unwrap();
    let (ok, said) = fleet.update(&["--now"]);
    assert!(!ok && said.contains("bootctl ended with status 1"), "{said}");
    assert!(!fleet.path("asked").exists());
    fs::write(&bootctl, works).unwrap();
    fs::remove_file(fleet.path("device/switched")).unwrap();

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

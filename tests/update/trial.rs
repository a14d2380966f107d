//! How a system on trial is judged, and who may end its trial.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::common::centre::{Centre, Conduct};
use crate::common::eventually;
use crate::common::fleet::{Fleet, text};

#[test]
fn a_system_that_leaves_undone_what_the_one_before_did_is_left() {
    let test = "a_system_that_leaves_undone_what_the_one_before_did_is_left";
    let centre = Centre::start(Conduct::Take);
    let Some(fleet) = Fleet::forwarding(test, &centre.url()) else {
        return;
    };
    let first = fleet.running();
    assert!(eventually(|| centre.taken() > 0), "{}", fleet.service.log.text());

    let armed = fleet.sys.path().join("class/watchdog/watchdog0/state");
    let careless = fleet.publish("careless", &format!("echo inactive >{}", armed.display()));
    fleet.offer(2, &careless);
    let (ok, said) = fleet.update(&["--now"]);
    assert!(
        !ok && said.contains("hardware watchdog: it is not armed, and before it was"),
        "{said}"
    );
    assert_eq!(fleet.running(), first);

    fleet.sys.write("class/watchdog/watchdog0/state", "active\n");
    assert!(eventually(|| fleet.service.metrics().contains("state=\"active\"")));
    let good = fleet.publish("good", "true");
    fleet.offer(3, &good);
    let (ok, said) = fleet.update(&["--now"]);
    assert!(ok && said.contains("serial 3 is kept"), "{said}");

    // The centre does not know its password.
    let go = fleet.path("go");
    let stranger = fleet.publish(
        "stranger",
        &format!("until [ -e {} ]; do sleep 0.1; done", go.display()),
    );
    fleet.offer(4, &stranger);
    let mut command = fleet.command(&["--now"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(eventually(|| fleet.switched().contains("stranger test")));
    centre.behave(Conduct::Answer(401, String::new(), String::new()));
    fs::write(go, "").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    assert!(
        !output.status.success() && said.contains("nothing has arrived at the centre since then, and before it did"),
        "{said}"
    );
    assert_eq!(fleet.running(), good);
}

#[test]
fn a_device_with_a_broken_sensor_takes_updates_all_the_same() {
    let Some(fleet) = Fleet::new("a_device_with_a_broken_sensor_takes_updates_all_the_same") else {
        return;
    };
    fleet.sys.break_file("class/thermal/thermal_zone0/temp");
    fleet
        .service
        .wait_for_metric("edge_source_age_seconds{source=\"thermal\"}", |age| {
            age.is_some_and(|age| age > 16.0)
        });
    let second = fleet.publish("second", "true");
    fleet.offer(2, &second);
    let (ok, said) = fleet.update(&["--now"]);
    assert!(ok && said.contains("serial 2 is kept"), "{said}");
}

#[test]
fn a_system_that_would_hear_of_no_other_update_is_left() {
    let Some(fleet) = Fleet::new("a_system_that_would_hear_of_no_other_update_is_left") else {
        return;
    };
    let first = fleet.running();
    // By its own settings, which came with it.
    let settings = fleet.path("edgewatch.toml");
    let script = format!(
        "sed -i 's|//[^/]*/gate.json|//127.0.0.1:1/gate.json|' {}",
        settings.display()
    );
    let lost = fleet.publish("lost", &script);
    fleet.offer(2, &lost);
    let (ok, said) = fleet.update(&["--now"]);
    assert!(!ok && said.contains("is back: manifest: "), "{said}");
    assert_eq!(fleet.running(), first);
}

#[test]
fn a_unit_that_does_not_start_is_for_the_gate_to_judge() {
    let Some(fleet) = Fleet::new("a_unit_that_does_not_start_is_for_the_gate_to_judge") else {
        return;
    };
    // What switch-to-configuration says of a unit that the owner has, and that never starts.
    let second = fleet.publish("second", "trap 'exit 4' EXIT");
    fleet.offer(2, &second);
    let (ok, said) = fleet.update(&["--now"]);
    assert!(ok && said.contains("serial 2 is kept"), "{said}");
    assert_eq!(fleet.default_system(), second);
}

#[test]
fn what_the_owner_deploys_during_a_trial_stays() {
    let Some(fleet) = Fleet::new("what_the_owner_deploys_during_a_trial_stays") else {
        return;
    };
    let second = fleet.publish("second", "true");
    fleet.offer(2, &second);
    let deploy = |name: &str| {
        let owners = fleet.publish(name, "true");
        let copied = fleet.nix("device", &["copy", "--from", &fleet.cache(), owners.to_str().unwrap()]);
        assert!(copied.status.success(), "{}", text(&copied));
        fleet.deploy(&owners);
        owners
    };
    let child = fleet.begin(&second);
    let owners = deploy("owners");
    let said = text(&child.wait_with_output().unwrap());
    assert!(said.contains("another system was deployed"), "{said}");
    assert_eq!((fleet.running(), fleet.default_system()), (owners.clone(), owners));

    // And restarts the device.
    fleet.begin_and_kill(&second);
    let owners = deploy("newer");
    fleet.boot(&owners);
    let (ok, said) = fleet.update(&["--resume"]);
    assert!(!ok && said.contains("another system was deployed"), "{said}");
    assert_eq!((fleet.running(), fleet.default_system()), (owners.clone(), owners));
}

#[test]
fn a_switch_that_is_cut_off_is_switched_back() {
    let Some(fleet) = Fleet::new("a_switch_that_is_cut_off_is_switched_back") else {
        return;
    };
    let slow = fleet.publish("slow", "sleep 60");
    fleet.offer(2, &slow);
    let mut child = fleet.command(&["--now"]).stderr(Stdio::null()).spawn().unwrap();
    assert!(eventually(|| fleet.switched() == "slow test\n"));
    child.kill().unwrap();
    child.wait().unwrap();
    // Units that it had stopped start again by that.
    let (ok, said) = fleet.update(&["--resume"]);
    assert!(!ok && said.contains("the system before it is back"), "{said}");
    assert_eq!(fleet.switched(), "slow test\nfirst test\nfirst boot\n");
}

#[test]
fn what_a_later_version_has_added_to_the_record_of_its_trial_does_not_keep_the_device_from_going_back() {
    let test = "what_a_later_version_has_added_to_the_record_of_its_trial_does_not_keep_the_device_from_going_back";
    let Some(fleet) = Fleet::new(test) else {
        return;
    };
    let first = fleet.running();
    let second = fleet.publish("second", "true");
    fleet.offer(2, &second);
    fleet.begin_and_kill(&second);
    let file = fleet.path("device/var/lib/edgewatch-update/update.json");
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    record["later"] = 1.into();
    record["trial"]["later"] = 1.into();
    fs::write(&file, record.to_string()).unwrap();
    // It hangs, and is reset.
    fleet.boot(&first);
    let (ok, said) = fleet.update(&["--resume"]);
    assert!(!ok && said.contains("the system before it is back"), "{said}");
    assert_eq!(fleet.default_system(), first);
    let record = fs::read_to_string(&file).unwrap();
    assert!(record.contains("\"failures\":{\"2\":1}"), "{record}");
}

#[test]
fn a_system_that_restarts_again_and_again_is_left() {
    let Some(fleet) = Fleet::new("a_system_that_restarts_again_and_again_is_left") else {
        return;
    };
    let first = fleet.running();
    let second = fleet.publish("second", "true");
    fleet.offer(2, &second);
    let mut child = fleet.begin(&second);
    for _ in 0..3 {
        child.kill().unwrap();
        child.wait().unwrap();
        child = fleet.command(&["--resume"]).spawn().unwrap();
        sleep(Duration::from_secs(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (ok, said) = fleet.update(&["--resume"]);
    assert!(!ok && said.contains("the trial was cut off 4 times"), "{said}");
    assert_eq!((fleet.running(), fleet.default_system()), (first.clone(), first));
}

//! Arrays of disks (Documentation/admin-guide/md.rst), under the names of node_exporter.

use crate::error::ReadError;
use crate::plausible::{NOT_NEGATIVE, SWITCH};
use crate::reading::{Metric, Recorder};
use crate::sysfs::Root;

const STATE: Metric = Metric::gauge(
    "node_md_state",
    "",
    "1 for the state that the array is in, 0 for the others.",
)
.within(SWITCH);
const DISKS: Metric = Metric::gauge("node_md_disks", "", "Disks of the array by state.").within(NOT_NEGATIVE);
const REQUIRED: Metric =
    Metric::gauge("node_md_disks_required", "", "Disks that the array is made of.").within(NOT_NEGATIVE);
const RAID_DISKS: Metric =
    Metric::gauge("node_md_raid_disks", "", "Disks that the array is made of.").within(NOT_NEGATIVE);
const DEGRADED: Metric = Metric::gauge("node_md_degraded", "", "Disks that the array lacks.").within(NOT_NEGATIVE);

const BLOCK: &str = "block";

pub fn record(sysfs: &Root, recorder: &mut Recorder) -> Result<(), ReadError> {
    for device in sysfs.list(BLOCK)? {
        let directory = format!("{BLOCK}/{device}/md");
        if device.starts_with("md") && sysfs.exists(&directory) && recorder.has_room() {
            record_array(sysfs, &device, &directory, recorder);
        }
    }
    Ok(())
}

/// All that can be read of an array: nothing that fails takes the rest, or another array, with it.
fn record_array(sysfs: &Root, device: &str, directory: &str, recorder: &mut Recorder) {
    let labels = [("device", device)];
    let text = |file: &str| sysfs.attribute(format!("{directory}/{file}"));
    // While the array grows there are two numbers: "11 (10)".
    let path = format!("{directory}/raid_disks");
    let required = text("raid_disks").and_then(|text| sysfs.parse::<u32>(&path, text.split(' ').next()));
    if let Ok(required) = required {
        recorder.push(&RAID_DISKS, &labels, required.into());
    }
    recorder.record(&REQUIRED, &labels, required.map(f64::from));
    recorder.record(&DEGRADED, &labels, sysfs.number(format!("{directory}/degraded")));
    let state = record_state(sysfs, &labels, directory, recorder);
    let disks = record_disks(sysfs, &labels, directory, recorder);
    for part in [state, disks] {
        recorder.present(part);
    }
}

fn record_state(
    sysfs: &Root,
    labels: &[(&'static str, &str); 1],
    directory: &str,
    recorder: &mut Recorder,
) -> Result<(), ReadError> {
    let text = |file: &str| sysfs.attribute(format!("{directory}/{file}"));
    let is_off = matches!(text("array_state")?.as_str(), "clear" | "inactive");
    let state = match text("sync_action").as_deref() {
        _ if is_off => "inactive",
        Ok("recover" | "reshape") => "recovering",
        Ok("resync" | "repair") => "resync",
        Ok("check") => "check",
        _ => "active",
    };
    for known in ["active", "inactive", "recovering", "resync", "check"] {
        let value = f64::from(u8::from(known == state));
        recorder.push(&STATE, &[labels[0], ("state", known)], value);
    }
    Ok(())
}

fn record_disks(
    sysfs: &Root,
    labels: &[(&'static str, &str); 1],
    directory: &str,
    recorder: &mut Recorder,
) -> Result<(), ReadError> {
    let mut counts = [("active", 0_u32), ("failed", 0), ("spare", 0)];
    for entry in sysfs.list(directory)? {
        // A disk has several states at once: "faulty,write_error".
        if entry.starts_with("dev-")
            && let Ok(states) = sysfs.attribute(format!("{directory}/{entry}/state"))
        {
            let is = |wanted| states.split(',').any(|state| state == wanted);
            // One that an array is rebuilt on is a "spare" too, but has a place in it.
            let has_no_place = || {
                let slot = sysfs.attribute(format!("{directory}/{entry}/slot"));
                slot.is_ok_and(|slot| slot == "none")
            };
            let of_kind = [
                is("in_sync") && !is("faulty"),
                is("faulty"),
                is("spare") && has_no_place(),
            ];
            for ((_, count), is_of_kind) in counts.iter_mut().zip(of_kind) {
                *count += u32::from(is_of_kind);
            }
        }
    }
    for (state, count) in counts {
        recorder.push(&DISKS, &[labels[0], ("state", state)], count.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::collectors::storage::COLLECTOR;
    use crate::collectors::testing::Machine;

    #[test]
    fn an_array_that_lacks_a_disk_says_so_and_what_it_is_rebuilt_on_is_no_spare() {
        let read = Machine::new(&[
            ("sys/block/md0/md/array_state", "clean\n"),
            ("sys/block/md0/md/sync_action", "recover\n"),
            ("sys/block/md0/md/raid_disks", "2\n"),
            ("sys/block/md0/md/degraded", "1\n"),
            ("sys/block/md0/md/dev-sda1/state", "in_sync\n"),
            ("sys/block/md0/md/dev-sdb1/state", "faulty,write_error\n"),
            ("sys/block/md0/md/dev-sdc1/state", "spare\n"),
            ("sys/block/md0/md/dev-sdc1/slot", "none\n"),
            // The array is rebuilt on it.
            ("sys/block/md0/md/dev-sdd1/state", "spare\n"),
            ("sys/block/md0/md/dev-sdd1/slot", "1\n"),
            ("sys/block/sda/size", "1\n"),
        ])
        .read(&COLLECTOR);
        assert!(read.errors.is_empty(), "{:?}", read.errors);
        assert_eq!(
            read.lines(),
            [
                "node_md_raid_disks{device=md0} 2",
                "node_md_disks_required{device=md0} 2",
                "node_md_degraded{device=md0} 1",
                "node_md_state{device=md0,state=active} 0",
                "node_md_state{device=md0,state=inactive} 0",
                "node_md_state{device=md0,state=recovering} 1",
                "node_md_state{device=md0,state=resync} 0",
                "node_md_state{device=md0,state=check} 0",
                "node_md_disks{device=md0,state=active} 1",
                "node_md_disks{device=md0,state=failed} 1",
                "node_md_disks{device=md0,state=spare} 1",
            ]
        );
    }

    #[test]
    fn an_array_that_cannot_be_read_takes_nothing_of_the_others_with_it() {
        let machine = Machine::new(&[
            ("sys/block/md0/md/raid_disks", "2\n"),
            ("sys/block/md1/md/array_state", "clean\n"),
            ("sys/block/md1/md/dev-sda1/state", "in_sync\n"),
            // Stopped while it is read.
            ("sys/block/md2/md/raid_disks", "2\n"),
        ]);
        // A directory in place of a file: the read fails, here with EISDIR.
        machine.write("sys/block/md0/md/array_state/x", "");
        let read = machine.read(&COLLECTOR);
        assert_eq!(read.errors.len(), 1, "{:?}", read.errors);
        for (series, value) in [
            ("node_md_raid_disks{device=md0}", Some("2")),
            ("node_md_state{device=md0,state=active}", None),
            ("node_md_state{device=md1,state=active}", Some("1")),
            ("node_md_disks{device=md1,state=active}", Some("1")),
            ("node_md_raid_disks{device=md2}", Some("2")),
        ] {
            assert_eq!(read.value(series).as_deref(), value, "{series}");
        }
    }
}

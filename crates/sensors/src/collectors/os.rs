//! The distribution (os-release(5)) and the machine that the firmware names (`/sys/class/dmi`, drivers/firmware/dmi-id.c).

use std::collections::HashMap;
use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule, attributes};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "os",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::Periodic,
    // An update changes it.
    period: Duration::from_secs(60),
    deadline: Duration::from_secs(1),
    open,
};

const INFO: Metric = Metric::gauge("node_os_info", "", "The distribution; always 1.");
const VERSION: Metric = Metric::gauge(
    "node_os_version",
    "",
    "Version of the distribution, as far as it is a number.",
);
const DMI: Metric = Metric::gauge("node_dmi_info", "", "The machine, as its firmware names it; always 1.");

/// Labels of the info and the variables that they come from.
const VARIABLES: [(&str, &str); 12] = [
    ("build_id", "BUILD_ID"),
    ("id", "ID"),
    ("id_like", "ID_LIKE"),
    ("image_id", "IMAGE_ID"),
    ("image_version", "IMAGE_VERSION"),
    ("name", "NAME"),
    ("pretty_name", "PRETTY_NAME"),
    ("variant", "VARIANT"),
    ("variant_id", "VARIANT_ID"),
    ("version", "VERSION"),
    ("version_codename", "VERSION_CODENAME"),
    ("version_id", "VERSION_ID"),
];
/// Without serial numbers, which only root may read.
const DMI_TEXTS: [(&str, &str); 14] = [
    ("bios_date", "bios_date"),
    ("bios_release", "bios_release"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_vendor", "chassis_vendor"),
    ("product_family", "product_family"),
    ("product_name", "product_name"),
    ("product_sku", "product_sku"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

struct Os {
    rootfs: Root,
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Os {
        rootfs: Root::new(&settings.paths.rootfs),
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Os {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let release = self
            .rootfs
            .table("etc/os-release")
            .or_else(|_| self.rootfs.table("usr/lib/os-release"));
        if let Some(text) = recorder.present(release) {
            record_release(&text, recorder);
        }
        attributes::record_info(&self.sysfs, "class/dmi/id", &DMI, None, &DMI_TEXTS, recorder);
        Ok(())
    }
}

fn record_release(text: &str, recorder: &mut Recorder) {
    let variables: HashMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim().trim_matches(['"', '\''])))
        .collect();
    let label = |(label, variable): (&'static str, &str)| (label, variables.get(variable).copied().unwrap_or_default());
    recorder.push(&INFO, &VARIABLES.map(label), 1.0);
    // The first two parts: "24.04.1" is 24.04.
    let version = variables.get("VERSION_ID").copied().unwrap_or_default();
    let end = version.match_indices('.').nth(1).map_or(version.len(), |(end, _)| end);
    if let Some(number) = version.get(..end).and_then(|number| number.parse().ok()) {
        recorder.push(
            &VERSION,
            &[("id", "ID"), ("id_like", "ID_LIKE"), ("name", "NAME")].map(label),
            number,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn the_distribution_and_the_machine_are_named() {
        let mut machine = Machine::new(&[
            (
                "proc/etc/os-release",
                "PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04.1\"\nID=ubuntu\nID_LIKE=debian\n# x\n",
            ),
            ("sys/class/dmi/id/product_name", "NUC7i5\n"),
            ("sys/class/dmi/id/sys_vendor", "Intel\n"),
        ]);
        machine.settings.paths.rootfs.clone_from(&machine.settings.paths.procfs);
        let lines = machine.read(&COLLECTOR).lines();
        assert_eq!(
            lines[1..],
            [
                "node_os_version{id=ubuntu,id_like=debian,name=Ubuntu} 24.04",
                "node_dmi_info{product_name=NUC7i5,system_vendor=Intel} 1",
            ]
        );
        assert!(lines[0].contains("pretty_name=Ubuntu 24.04.1 LTS,"), "{lines:?}");
        machine.settings.paths.rootfs = "/nowhere".into();
        assert_eq!(machine.read(&COLLECTOR).lines().len(), 1);
    }
}

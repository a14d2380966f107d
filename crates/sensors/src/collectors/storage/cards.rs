//! SD cards and eMMC: what they are and how worn (Documentation/driver-api/mmc/mmc-dev-attrs.rst).

use crate::collectors::attributes;
use crate::error::ReadError;
use crate::reading::{Metric, Recorder};
use crate::sysfs::Root;

const INFO: Metric = Metric::gauge(
    "edge_mmc_info",
    "",
    "What the card or the eMMC says of itself; always 1.",
);
const LIFE_USED: Metric = Metric::gauge(
    "edge_mmc_life_used_ratio",
    "ratio",
    "Share of its life that the eMMC has used at most, by kind of memory; 1.1 is more than all.",
)
.within((0.0, 1.1));
const PRE_EOL: Metric = Metric::gauge(
    "edge_mmc_pre_eol_state",
    "",
    "Reserve of blocks of the eMMC: 1 is normal, 2 less than a fifth, 3 less than a tenth.",
)
.within((1.0, 3.0));

const TEXTS: [(&str, &str); 5] = [
    ("type", "type"),
    ("name", "name"),
    ("manfid", "manfid"),
    ("oemid", "oemid"),
    ("date", "date"),
];
const CLASS: &str = "class/block";

pub fn record(sysfs: &Root, recorder: &mut Recorder) -> Result<(), ReadError> {
    for device in sysfs.list(CLASS)? {
        // Not a partition, nor one of the areas of an eMMC (`mmcblk0boot0`).
        let number = device.strip_prefix("mmcblk");
        if !number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit())) || !recorder.has_room() {
            continue;
        }
        let directory = format!("{CLASS}/{device}/device");
        if attributes::record_info(sysfs, &directory, &INFO, Some(("device", &device)), &TEXTS, recorder) {
            record_wear(sysfs, &device, &directory, recorder);
        }
    }
    Ok(())
}

/// Of an eMMC only: an SD card keeps its wear to itself.
fn record_wear(sysfs: &Root, device: &str, directory: &str, recorder: &mut Recorder) {
    let path = format!("{directory}/life_time");
    match sysfs.attribute(&path) {
        Ok(text) => {
            let mut steps = text.split_ascii_whitespace();
            for kind in ["a", "b"] {
                let labels = [("device", device), ("type", kind)];
                match hexadecimal(sysfs, &path, steps.next()) {
                    // Not reported.
                    Ok(0) => {}
                    // Step 1 is 0 to 10 %, 10 is 90 to 100 %, 11 beyond.
                    step => recorder.record(&LIFE_USED, &labels, step.map(|step| f64::from(step) / 10.0)),
                }
            }
        }
        Err(error) => recorder.record(&LIFE_USED, &[("device", device), ("type", "a")], Err(error)),
    }
    let path = format!("{directory}/pre_eol_info");
    match sysfs
        .attribute(&path)
        .and_then(|text| hexadecimal(sysfs, &path, Some(&text)))
    {
        Ok(0) => {}
        state => recorder.record(&PRE_EOL, &[("device", device)], state.map(f64::from)),
    }
}

fn hexadecimal(sysfs: &Root, path: &str, text: Option<&str>) -> Result<u32, ReadError> {
    let digits = text.and_then(|text| text.strip_prefix("0x"));
    digits
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or_else(|| ReadError::invalid(&sysfs.path(path), "not a hexadecimal number"))
}

#[cfg(test)]
mod tests {
    use crate::collectors::storage::COLLECTOR;
    use crate::collectors::testing::Machine;

    #[test]
    fn an_emmc_tells_its_wear_and_a_card_only_what_it_is() {
        let read = Machine::new(&[
            ("sys/class/block/mmcblk0/device/type", "MMC\n"),
            ("sys/class/block/mmcblk0/device/name", "BJTD4R\n"),
            ("sys/class/block/mmcblk0/device/manfid", "0x000015\n"),
            ("sys/class/block/mmcblk0/device/life_time", "0x02 0x0b\n"),
            ("sys/class/block/mmcblk0/device/pre_eol_info", "0x01\n"),
            ("sys/class/block/mmcblk0boot0/device/type", "MMC\n"),
            ("sys/class/block/mmcblk0p1/device/type", "MMC\n"),
            ("sys/class/block/mmcblk1/device/type", "SD\n"),
            ("sys/class/block/mmcblk1/device/name", "SD64G\n"),
            ("sys/class/block/mmcblk1/device/date", "03/2023\n"),
            ("sys/class/block/mmcblk2/device/type", "MMC\n"),
            ("sys/class/block/mmcblk2/device/life_time", "0x00 0x00\n"),
            ("sys/class/block/mmcblk2/device/pre_eol_info", "0x00\n"),
            ("sys/class/block/mmcblk3/device/type", "MMC\n"),
            ("sys/class/block/mmcblk3/device/life_time", "2\n"),
        ])
        .read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "edge_mmc_info{device=mmcblk0,type=MMC,name=BJTD4R,manfid=0x000015} 1",
                "edge_mmc_life_used_ratio{device=mmcblk0,type=a} 0.2",
                "edge_mmc_life_used_ratio{device=mmcblk0,type=b} 1.1",
                "edge_mmc_pre_eol_state{device=mmcblk0} 1",
                "edge_mmc_info{device=mmcblk1,type=SD,name=SD64G,date=03/2023} 1",
                "edge_mmc_info{device=mmcblk2,type=MMC} 1",
                "edge_mmc_info{device=mmcblk3,type=MMC} 1",
                "edge_mmc_life_used_ratio{device=mmcblk3,type=a} invalid",
                "edge_mmc_life_used_ratio{device=mmcblk3,type=b} invalid",
            ]
        );
    }
}

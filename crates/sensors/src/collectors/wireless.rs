//! The radio links of network interfaces, from `/proc/net/wireless` (wireless extensions: include/uapi/linux/wireless.h, net/wireless/wext-proc.c).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "wireless",
    needs: Some("an interface that is up; the kernel's CONFIG_CFG80211_WEXT, which distributions have"),
    collect: Collect::Standard,
    // The driver asks the chip.
    schedule: Schedule::Periodic,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const QUALITY: Metric = Metric::gauge(
    "edge_wireless_link_quality",
    "",
    "Quality of the radio link as the driver tells it: of most up to 70.",
)
.within(NOT_NEGATIVE);
const SIGNAL: Metric = Metric::gauge(
    "edge_wireless_signal_dbm",
    "dBm",
    "Strength of the signal that is received.",
);
const NOISE: Metric = Metric::gauge("edge_wireless_noise_dbm", "dBm", "Strength of the noise.");
const DISCARDED: Metric = Metric::counter(
    "edge_wireless_discarded_packets_total",
    "",
    "Packets lost on the radio link, by reason.",
)
.within(NOT_NEGATIVE);
const BEACONS: Metric = Metric::counter(
    "edge_wireless_missed_beacons_total",
    "",
    "Beacons of the access point that did not come.",
)
.within(NOT_NEGATIVE);

/// The columns after the link's.
const REASONS: [&str; 5] = ["network", "encryption", "fragment", "retries", "other"];
const FILE: &str = "net/wireless";

struct Wireless {
    procfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Wireless {
        procfs: Root::new(&settings.paths.procfs),
    }))
}

impl Collector for Wireless {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        // Two lines of headings have no colon.
        for (device, rest) in self.procfs.table(FILE)?.lines().filter_map(|line| line.split_once(':')) {
            if recorder.has_room() {
                self.read_link(device.trim(), rest, recorder);
            }
        }
        Ok(())
    }
}

impl Wireless {
    fn read_link(&self, device: &str, rest: &str, recorder: &mut Recorder) {
        let device = ("device", device);
        let mut fields = rest.split_ascii_whitespace().skip(1);
        // A dot behind a number says that it is new.
        let mut number = || {
            let field = fields.next().map(|field| field.trim_end_matches('.'));
            self.procfs.parse::<i64>(FILE, field).map(|number| number as f64)
        };
        recorder.record(&QUALITY, &[device], number());
        for metric in [&SIGNAL, &NOISE] {
            // -256 is unknown, and what is not negative no strength but a share.
            match number() {
                Ok(strength) if !(-255.0..0.0).contains(&strength) => {}
                strength => recorder.record(metric, &[device], strength),
            }
        }
        for reason in REASONS {
            recorder.record(&DISCARDED, &[device, ("reason", reason)], number());
        }
        recorder.record(&BEACONS, &[device], number());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    const HEAD: &str = "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n";

    #[test]
    fn a_link_has_its_strength_and_what_was_lost_and_no_strength_that_is_unknown() {
        let links = format!(
            "{HEAD} wlan0: 0000   54.  -56.  -256        1      2      3      4     54        5\n wlan1: 0000   30   70   -95  0 0 0 0\n"
        );
        let read = Machine::new(&[("proc/net/wireless", &links)]).read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            [
                "edge_wireless_link_quality{device=wlan0} 54",
                "edge_wireless_signal_dbm{device=wlan0} -56",
                "edge_wireless_discarded_packets_total{device=wlan0,reason=network} 1",
                "edge_wireless_discarded_packets_total{device=wlan0,reason=encryption} 2",
                "edge_wireless_discarded_packets_total{device=wlan0,reason=fragment} 3",
                "edge_wireless_discarded_packets_total{device=wlan0,reason=retries} 4",
                "edge_wireless_discarded_packets_total{device=wlan0,reason=other} 54",
                "edge_wireless_missed_beacons_total{device=wlan0} 5",
                "edge_wireless_link_quality{device=wlan1} 30",
                "edge_wireless_noise_dbm{device=wlan1} -95",
                "edge_wireless_discarded_packets_total{device=wlan1,reason=network} 0",
                "edge_wireless_discarded_packets_total{device=wlan1,reason=encryption} 0",
                "edge_wireless_discarded_packets_total{device=wlan1,reason=fragment} 0",
                "edge_wireless_discarded_packets_total{device=wlan1,reason=retries} 0",
                "edge_wireless_discarded_packets_total{device=wlan1,reason=other} invalid",
                "edge_wireless_missed_beacons_total{device=wlan1} invalid",
            ]
        );
    }
}

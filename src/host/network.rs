//! Network interfaces, from `/proc/net/dev` (proc_pid_net(5)) and `/sys/class/net` (Documentation/ABI/testing/sysfs-class-net).

use std::time::Duration;

use crate::config::Settings;
use crate::error::{Failure, ReadError};
use crate::reading::{Metric, Sample};
use crate::sources::{Definition, Pace, Source};
use crate::sysfs::Root;

/// The source.
pub const SOURCE: Definition = Definition {
    name: "network",
    pace: Pace::AtScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const UP: Metric = Metric::gauge("node_network_up", "", "1 if the operational state is up.");

/// Columns of `/proc/net/dev` after the name, and their metrics.
static COLUMNS: [(usize, Metric); 8] = [
    (
        0,
        Metric::counter("node_network_receive_bytes_total", "bytes", "Bytes received."),
    ),
    (
        1,
        Metric::counter("node_network_receive_packets_total", "", "Packets received."),
    ),
    (
        2,
        Metric::counter("node_network_receive_errs_total", "", "Errors while receiving."),
    ),
    (
        3,
        Metric::counter(
            "node_network_receive_drop_total",
            "",
            "Packets dropped while receiving.",
        ),
    ),
    (
        8,
        Metric::counter("node_network_transmit_bytes_total", "bytes", "Bytes sent."),
    ),
    (
        9,
        Metric::counter("node_network_transmit_packets_total", "", "Packets sent."),
    ),
    (
        10,
        Metric::counter("node_network_transmit_errs_total", "", "Errors while sending."),
    ),
    (
        11,
        Metric::counter("node_network_transmit_drop_total", "", "Packets dropped while sending."),
    ),
];

const INTERFACES: usize = 16;
const DEV: &str = "net/dev";

struct Network {
    procfs: Root,
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Source>, Failure> {
    Ok(Box::new(Network {
        procfs: Root::new(&settings.paths.procfs),
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Source for Network {
    fn read(&mut self, sample: &mut Sample) -> Result<(), ReadError> {
        let text = self.procfs.table(DEV)?;
        // The two lines of headings have no colon.
        let interfaces = text.lines().filter_map(|line| line.split_once(':'));
        let interfaces = interfaces.map(|(name, counters)| (name.trim(), counters));
        for (number, (name, counters)) in interfaces.filter(|(name, _)| is_of_the_device(name)).enumerate() {
            if number >= INTERFACES {
                sample.drop_one();
                continue;
            }
            let counters: Vec<&str> = counters.split_ascii_whitespace().collect();
            let labels = [("device", name)];
            for (column, metric) in &COLUMNS {
                let value = self.procfs.parse(DEV, counters.get(*column).copied());
                sample.record(metric, &labels, value.map(|number: u64| number as f64));
            }
            let state = self.sysfs.attribute(format!("class/net/{name}/operstate"));
            sample.record(&UP, &labels, state.map(|state| f64::from(u8::from(state == "up"))));
        }
        Ok(())
    }
}

/// False for what containers come and go with, and for the loopback interface, whose state is always `unknown`.
fn is_of_the_device(name: &str) -> bool {
    name != "lo" && !["veth", "docker", "br-"].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::Machine;

    #[test]
    fn interfaces_of_containers_are_left_out_and_others_bounded() {
        let row = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
        let mut table = format!("Inter-| Receive | Transmit\n face |bytes |bytes\n lo: {row}veth0: {row}eth0:{row}");
        for number in 0..20 {
            table.push_str(&format!("vlan{number}: {row}"));
        }
        let machine = Machine::new(&[("proc/net/dev", &table), ("sys/class/net/eth0/operstate", "up\n")]);
        let read = machine.read(&SOURCE);
        assert_eq!(read.lines().len(), INTERFACES * 8 + 1);
        assert_eq!(read.dropped, 5);
        for (series, value) in [
            ("node_network_receive_drop_total{device=eth0}", "4"),
            ("node_network_transmit_bytes_total{device=eth0}", "9"),
            ("node_network_up{device=eth0}", "1"),
        ] {
            assert_eq!(read.value(series).as_deref(), Some(value), "{series}");
        }
    }
}

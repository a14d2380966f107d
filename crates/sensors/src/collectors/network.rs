//! Network interfaces, from `/proc/net/dev` (proc_pid_net(5)) and `/sys/class/net` (Documentation/ABI/testing/sysfs-class-net).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "network",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
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

const MAX_INTERFACES: usize = 16;
const DEV: &str = "net/dev";

struct Network {
    procfs: Root,
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Network {
        procfs: Root::new(&settings.paths.procfs),
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Network {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let text = self.procfs.table(DEV)?;
        // The two lines of headings have no colon; the name of an alias (`eth0:1`) has one of its own.
        let rows = text.lines().filter_map(|line| line.rsplit_once(':'));
        let mut interfaces: Vec<(&str, Vec<&str>)> = rows
            .map(|(name, counters)| (name.trim(), counters.split_ascii_whitespace().collect()))
            .filter(|(name, _)| is_exported(name))
            .collect();
        // Those in use first, so that idle ones do not take up the limit.
        interfaces.sort_by_key(|(_, counters)| counters.iter().all(|counter| *counter == "0"));
        for (number, (name, counters)) in interfaces.iter().enumerate() {
            if number >= MAX_INTERFACES {
                recorder.drop_one();
                continue;
            }
            let name = *name;
            let labels = [("device", name)];
            for (column, metric) in &COLUMNS {
                let value = self.procfs.parse(DEV, counters.get(*column).copied());
                recorder.record(metric, &labels, value.map(|number: u64| number as f64));
            }
            let state = self.sysfs.attribute(format!("class/net/{name}/operstate"));
            recorder.record(&UP, &labels, state.map(|state| f64::from(u8::from(state == "up"))));
        }
        Ok(())
    }
}

/// False for interfaces of containers, and for the loopback interface, whose state is always `unknown`.
fn is_exported(name: &str) -> bool {
    /// Docker names a bridge after the beginning of its network's identifier; `br-lan` is one of the device.
    fn is_of_docker(bridge: &str) -> bool {
        bridge.len() == 12 && bridge.bytes().all(|digit| digit.is_ascii_hexdigit())
    }
    name != "lo"
        && !["veth", "docker"].iter().any(|prefix| name.starts_with(prefix))
        && !name.strip_prefix("br-").is_some_and(is_of_docker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn interfaces_of_containers_are_left_out_and_others_bounded() {
        let row = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
        let mut table = format!("Inter-| Receive | Transmit\n face |bytes |bytes\n lo: {row}veth0: {row}eth0:{row}");
        for number in 0..20 {
            table.push_str(&format!("vlan{number}: {row}"));
        }
        let machine = Machine::new(&[("proc/net/dev", &table), ("sys/class/net/eth0/operstate", "up\n")]);
        let read = machine.read(&COLLECTOR);
        assert_eq!(read.lines().len(), MAX_INTERFACES * 8 + 1);
        assert_eq!(read.dropped, 5);
        for (series, value) in [
            ("node_network_receive_drop_total{device=eth0}", "4"),
            ("node_network_transmit_bytes_total{device=eth0}", "9"),
            ("node_network_up{device=eth0}", "1"),
        ] {
            assert_eq!(read.value(series).as_deref(), Some(value), "{series}");
        }
    }

    #[test]
    fn a_bridge_of_the_device_is_kept_and_one_of_docker_is_not() {
        for name in [
            "br-lan",
            "br-0",
            "br-0123456789xy",
            "br-0123456789abc",
            "wlan0",
            "enp1s0",
        ] {
            assert!(is_exported(name), "{name}");
        }
        for name in ["br-0123456789ab", "docker0", "veth12ab", "lo"] {
            assert!(!is_exported(name), "{name}");
        }
    }

    #[test]
    fn the_name_of_an_alias_has_a_colon() {
        let row = "100 2 3 4 5 6 7 8 900 10 11 12 13 14 15 16\n";
        let table = format!("eth0:{row} eth0:1: {row}");
        let read = Machine::new(&[("proc/net/dev", &table)]).read(&COLLECTOR);
        assert!(read.errors.is_empty(), "{:?}", read.errors);
        for device in ["eth0", "eth0:1"] {
            let series = format!("node_network_receive_bytes_total{{device={device}}}");
            assert_eq!(read.value(&series).as_deref(), Some("100"), "{device}");
        }
    }

    #[test]
    fn an_interface_in_use_is_not_crowded_out_by_idle_ones() {
        let idle = "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
        let mut table: String = (0..16).map(|number| format!("tap{number}: {idle}")).collect();
        table.push_str("wlan0: 7 2 3 4 5 6 7 8 900 10 11 12 13 14 15 16\n");
        let read = Machine::new(&[("proc/net/dev", &table)]).read(&COLLECTOR);
        let series = "node_network_receive_bytes_total{device=wlan0}";
        assert_eq!(read.value(series).as_deref(), Some("7"));
        assert_eq!(read.dropped, 1);
    }
}

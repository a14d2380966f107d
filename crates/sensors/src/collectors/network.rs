//! Network interfaces, from `/proc/net/dev` (proc_pid_net(5)) and `/sys/class/net` (Documentation/ABI/testing/sysfs-class-net).

use std::time::Duration;

use crate::collectors::attributes::{self, Attribute};
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

/// Columns of `/proc/net/dev` after the name: from which `collect` on, and metric.
static COLUMNS: [(Collect, Metric); 16] = [
    (
        Collect::Standard,
        Metric::counter("node_network_receive_bytes_total", "bytes", "Bytes received."),
    ),
    (
        Collect::Standard,
        Metric::counter("node_network_receive_packets_total", "", "Packets received."),
    ),
    (
        Collect::Standard,
        Metric::counter("node_network_receive_errs_total", "", "Errors while receiving."),
    ),
    (
        Collect::Standard,
        Metric::counter(
            "node_network_receive_drop_total",
            "",
            "Packets dropped while receiving.",
        ),
    ),
    (
        Collect::Full,
        Metric::counter(
            "node_network_receive_fifo_total",
            "",
            "Packets lost because the receiving queue was full.",
        ),
    ),
    (
        Collect::Full,
        Metric::counter(
            "node_network_receive_frame_total",
            "",
            "Packets received with a broken frame.",
        ),
    ),
    (
        Collect::Full,
        Metric::counter(
            "node_network_receive_compressed_total",
            "",
            "Compressed packets received.",
        ),
    ),
    (
        Collect::Full,
        Metric::counter("node_network_receive_multicast_total", "", "Packets received for many."),
    ),
    (
        Collect::Standard,
        Metric::counter("node_network_transmit_bytes_total", "bytes", "Bytes sent."),
    ),
    (
        Collect::Standard,
        Metric::counter("node_network_transmit_packets_total", "", "Packets sent."),
    ),
    (
        Collect::Standard,
        Metric::counter("node_network_transmit_errs_total", "", "Errors while sending."),
    ),
    (
        Collect::Standard,
        Metric::counter("node_network_transmit_drop_total", "", "Packets dropped while sending."),
    ),
    (
        Collect::Full,
        Metric::counter(
            "node_network_transmit_fifo_total",
            "",
            "Packets lost because the sending queue was full.",
        ),
    ),
    (
        Collect::Full,
        Metric::counter("node_network_transmit_colls_total", "", "Collisions while sending."),
    ),
    (
        Collect::Full,
        Metric::counter(
            "node_network_transmit_carrier_total",
            "",
            "Packets lost because there was no carrier.",
        ),
    ),
    (
        Collect::Full,
        Metric::counter("node_network_transmit_compressed_total", "", "Compressed packets sent."),
    ),
];

const fn optional(file: &'static str, name: &'static str, help: &'static str) -> Attribute {
    // Of an interface that is down the kernel finds no sense in some of them.
    Attribute::optional(file, 1.0, Metric::gauge(name, "", help))
}

const fn changes(file: &'static str, name: &'static str, help: &'static str) -> Attribute {
    Attribute::optional(file, 1.0, Metric::counter(name, "", help))
}

/// Attributes in sysfs that are exported with every `collect`.
static ATTRIBUTES: &[Attribute] = &[changes(
    "carrier_changes",
    "node_network_carrier_changes_total",
    "How often the link came or went.",
)];
/// Those that few look at.
static MORE_ATTRIBUTES: &[Attribute] = &[
    optional(
        "addr_assign_type",
        "node_network_address_assign_type",
        "Where the address comes from: 0 the hardware.",
    ),
    optional("carrier", "node_network_carrier", "1 if there is a link."),
    changes(
        "carrier_up_count",
        "node_network_carrier_up_changes_total",
        "How often the link came.",
    ),
    changes(
        "carrier_down_count",
        "node_network_carrier_down_changes_total",
        "How often the link went.",
    ),
    optional(
        "dev_id",
        "node_network_device_id",
        "Number among the interfaces of one device.",
    ),
    optional(
        "dormant",
        "node_network_dormant",
        "1 if the interface waits, as for a password.",
    ),
    optional("flags", "node_network_flags", "Flags of the interface (IFF_*)."),
    optional("ifindex", "node_network_iface_id", "Number of the interface."),
    optional(
        "iflink",
        "node_network_iface_link",
        "Number of the interface that this one is on.",
    ),
    optional(
        "link_mode",
        "node_network_iface_link_mode",
        "1 if the link may be dormant.",
    ),
    Attribute::optional(
        "mtu",
        1.0,
        Metric::gauge("node_network_mtu_bytes", "bytes", "Bytes of the largest packet."),
    ),
    optional(
        "name_assign_type",
        "node_network_name_assign_type",
        "Where the name comes from.",
    ),
    changes(
        "statistics/rx_nohandler",
        "node_network_receive_nohandler_total",
        "Packets received that nobody wanted.",
    ),
    optional("netdev_group", "node_network_net_dev_group", "Group of the interface."),
    optional(
        "type",
        "node_network_protocol_type",
        "Kind of the interface (ARPHRD_*).",
    ),
    optional(
        "tx_queue_len",
        "node_network_transmit_queue_length",
        "Packets that the sending queue holds.",
    ),
];
const SPEED: Metric = Metric::gauge(
    "node_network_speed_bytes",
    "bytes per second",
    "Speed of the link, in bytes per second.",
);
const INFO: Metric = Metric::gauge(
    "node_network_info",
    "",
    "What the interface is and how it is; always 1.",
);
const TEXTS: [(&str, &str); 5] = [
    ("address", "address"),
    ("broadcast", "broadcast"),
    ("duplex", "duplex"),
    ("ifalias", "ifalias"),
    ("operstate", "operstate"),
];
/// `IFF_UP` of the flags.
const UP_FLAG: i64 = 1;

const MAX_INTERFACES: usize = 16;
const DEV: &str = "net/dev";

struct Network {
    procfs: Root,
    sysfs: Root,
    collect: Collect,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Network {
        procfs: Root::new(&settings.paths.procfs),
        sysfs: Root::new(&settings.paths.sysfs),
        collect: settings.collect,
    }))
}

impl Collector for Network {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let text = self.procfs.table(DEV)?;
        // The two lines of headings have no colon; the name of an alias (`eth0:1`) has one of its own.
        let rows = text.lines().filter_map(|line| line.rsplit_once(':'));
        let mut interfaces: Vec<(&str, Vec<&str>)> = rows
            .map(|(name, counters)| (name.trim(), counters.split_ascii_whitespace().collect()))
            .filter(|(name, _)| self.collect == Collect::Full || is_exported(name))
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
            for (column, (least, metric)) in COLUMNS.iter().enumerate() {
                if self.collect >= *least && recorder.has_room() {
                    let value = self.procfs.parse(DEV, counters.get(column).copied());
                    recorder.record(metric, &labels, value.map(|number: u64| number as f64));
                }
            }
            self.read_attributes(name, recorder);
        }
        Ok(())
    }
}

impl Network {
    fn read_attributes(&self, name: &str, recorder: &mut Recorder) {
        let directory = format!("class/net/{name}");
        let labels = [("device", name)];
        let state = self.sysfs.attribute(format!("{directory}/operstate"));
        recorder.record(&UP, &labels, state.map(|state| f64::from(u8::from(state == "up"))));
        attributes::record(&self.sysfs, &directory, ATTRIBUTES, &labels, recorder);
        // In Mbit/s. An interface that is down answers EINVAL, one that does not know -1.
        if let Ok(megabits) = self.sysfs.number(format!("{directory}/speed"))
            && megabits >= 0.0
            && recorder.has_room()
        {
            recorder.push(&SPEED, &labels, megabits * 1e6 / 8.0);
        }
        if self.collect < Collect::Full {
            return;
        }
        attributes::record(&self.sysfs, &directory, MORE_ATTRIBUTES, &labels, recorder);
        let texts = attributes::texts(&self.sysfs, &directory, &TEXTS);
        if recorder.has_room() {
            let state = match self.sysfs.number(format!("{directory}/flags")) {
                Ok(flags) if flags as i64 & UP_FLAG != 0 => "up",
                Ok(_) => "down",
                Err(_) => "unknown",
            };
            let labels: Vec<_> = [labels[0], ("adminstate", state)]
                .into_iter()
                .chain(texts.iter().map(|(label, text)| (*label, text.as_str())))
                .collect();
            recorder.push(&INFO, &labels, 1.0);
        }
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
mod tests;

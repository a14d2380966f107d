//! Sockets by their state and what waits in them, and neighbours by interface: tables with a line for each (proc_pid_net(5), arp(7)).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "sockets",
    needs: None,
    collect: Collect::Full,
    // The kernel walks its hash tables for them.
    schedule: Schedule::Periodic,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const CONNECTIONS: Metric = Metric::gauge(
    "node_tcp_connection_states",
    "",
    "Sockets of TCP in each state; as rx_queued_bytes and tx_queued_bytes what waits in them.",
)
.within(NOT_NEGATIVE);
const QUEUES: Metric = Metric::gauge(
    "node_udp_queues",
    "bytes",
    "Bytes that wait in the sockets of UDP, to be read (rx) and to be sent (tx).",
)
.within(NOT_NEGATIVE);
const NEIGHBOURS: Metric =
    Metric::gauge("node_arp_entries", "", "Neighbours on IPv4 that the kernel knows.").within(NOT_NEGATIVE);

/// By the numbers from 1 on (include/net/tcp_states.h). A twelfth is of connections that wait to be accepted, which are in syn_recv for everybody else.
const STATES: [&str; 11] = [
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
];
const SYN_RECV: usize = 3;
const NEW_SYN_RECV: usize = 12;
const MAX_INTERFACES: usize = 16;

struct Sockets {
    procfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Sockets {
        procfs: Root::new(&settings.paths.procfs),
    }))
}

impl Collector for Sockets {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        self.read_tcp(recorder);
        for (ip, file) in [("v4", "net/udp"), ("v6", "net/udp6")] {
            let Some(sockets) = recorder.present(self.sockets(file)) else {
                continue;
            };
            for (queue, bytes) in [("tx", sockets.sending), ("rx", sockets.received)] {
                recorder.push(&QUEUES, &[("queue", queue), ("ip", ip)], bytes as f64);
            }
        }
        self.read_neighbours(recorder);
        Ok(())
    }
}

/// The sockets of a table, or of several. They are counted while they are read: a busy machine has thousands, most of them in time_wait.
#[derive(Default)]
struct Totals {
    /// By the number of the state.
    states: [usize; NEW_SYN_RECV + 1],
    /// Bytes that wait.
    sending: u64,
    received: u64,
}

impl Totals {
    /// `None` if the line is not as the kernel writes it.
    fn add(&mut self, line: &str) -> Option<()> {
        // Number, both addresses, state, tx_queue:rx_queue, …
        let mut fields = line.split_ascii_whitespace().skip(3);
        let state = usize::from_str_radix(fields.next()?, 16).ok()?;
        let (sending, received) = fields.next()?.split_once(':')?;
        let (sending, received) = (
            u32::from_str_radix(sending, 16).ok()?,
            u32::from_str_radix(received, 16).ok()?,
        );
        // States that a later kernel may have are none of those that are exported.
        if let Some(count) = self.states.get_mut(state) {
            *count += 1;
        }
        self.sending += u64::from(sending);
        self.received += u64::from(received);
        Some(())
    }

    fn with(mut self, other: &Self) -> Self {
        for (count, more) in self.states.iter_mut().zip(other.states) {
            *count += more;
        }
        self.sending += other.sending;
        self.received += other.received;
        self
    }
}

impl Sockets {
    fn sockets(&self, file: &str) -> Result<Totals, ReadError> {
        let mut totals = Totals::default();
        let mut is_head = true;
        self.procfs.each_line(file, |line| {
            if std::mem::take(&mut is_head) {
                return Ok(());
            }
            let invalid = || ReadError::invalid(&self.procfs.path(file), "a line has no state or no queues");
            totals.add(line).ok_or_else(invalid)
        })?;
        Ok(totals)
    }

    fn read_tcp(&self, recorder: &mut Recorder) {
        let mut sockets: Option<Totals> = None;
        for file in ["net/tcp", "net/tcp6"] {
            match self.sockets(file) {
                Ok(totals) => sockets = Some(sockets.unwrap_or_default().with(&totals)),
                Err(error) if error.is_missing() => {}
                // What the other one has is not what there is.
                Err(error) => {
                    recorder.fail(error);
                    return;
                }
            }
        }
        let Some(sockets) = sockets else {
            return;
        };
        for (number, state) in (1..).zip(STATES) {
            let mut count = sockets.states[number];
            if number == SYN_RECV {
                count += sockets.states[NEW_SYN_RECV];
            }
            recorder.push(&CONNECTIONS, &[("state", state)], count as f64);
        }
        for (state, bytes) in [
            ("rx_queued_bytes", sockets.received),
            ("tx_queued_bytes", sockets.sending),
        ] {
            recorder.push(&CONNECTIONS, &[("state", state)], bytes as f64);
        }
    }

    fn read_neighbours(&self, recorder: &mut Recorder) {
        let Some(table) = recorder.present(self.procfs.table("net/arp")) else {
            return;
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for device in table
            .lines()
            .skip(1)
            .filter_map(|line| line.split_ascii_whitespace().last())
        {
            if counts.contains_key(device) || counts.len() < MAX_INTERFACES {
                *counts.entry(device).or_default() += 1;
            }
        }
        for (device, count) in counts {
            recorder.push(&NEIGHBOURS, &[("device", device)], count as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;
    use crate::error::ErrorKind;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    #[test]
    fn sockets_are_counted_by_state_with_what_waits_in_them_and_neighbours_by_interface() {
        let line = |number: u32, state: &str, queues: &str| {
            format!(
                "{number:4}: 0100007F:1F90 00000000:0000 {state} {queues} 00:00000000 00000000     0        0 5 1 0 100\n"
            )
        };
        let tcp = format!(
            "{HEAD}{}{}{}",
            line(0, "0A", "00000000:00000000"),
            line(1, "01", "00000010:00000002"),
            line(2, "0C", "00000000:00000000"),
        );
        let read = Machine::new(&[
            ("proc/net/tcp", &tcp),
            (
                "proc/net/tcp6",
                &format!("{HEAD}{}", line(0, "01", "00000000:00000100")),
            ),
            ("proc/net/udp", &format!("{HEAD}{}", line(9, "07", "00000000:000000FF"))),
            ("proc/net/udp6", &format!("{HEAD}nonsense\n")),
            (
                "proc/net/arp",
                "IP address       HW type     Flags       HW address            Mask     Device\n\
                 192.0.2.1        0x1         0x2         00:00:5e:00:53:01     *        eth0\n\
                 192.0.2.2        0x1         0x0         00:00:00:00:00:00     *        eth0\n",
            ),
        ])
        .read(&COLLECTOR);
        for (series, value) in [
            ("node_tcp_connection_states{state=established}", Some("2")),
            ("node_tcp_connection_states{state=listen}", Some("1")),
            ("node_tcp_connection_states{state=syn_recv}", Some("1")),
            ("node_tcp_connection_states{state=closing}", Some("0")),
            ("node_tcp_connection_states{state=rx_queued_bytes}", Some("258")),
            ("node_tcp_connection_states{state=tx_queued_bytes}", Some("16")),
            ("node_udp_queues{queue=rx,ip=v4}", Some("255")),
            ("node_udp_queues{queue=rx,ip=v6}", None),
            ("node_arp_entries{device=eth0}", Some("2")),
        ] {
            assert_eq!(read.value(series).as_deref(), value, "{series}");
        }
        let kinds: Vec<_> = read.errors.iter().map(ReadError::kind).collect();
        assert_eq!(kinds, [ErrorKind::Invalid]);
    }

    #[test]
    fn a_machine_that_has_served_thousands_of_connections_within_a_minute_is_still_counted() {
        let line = |number: usize, state: &str| {
            let line = format!(
                "{number:4}: 0100007F:1F90 0100007F:C350 {state} 00000001:00000002 06:00001000 00000000     0        0 0 3 0"
            );
            format!("{line:<149}\n")
        };
        let waiting: String = (1..=20_000).map(|number| line(number, "06")).collect();
        let tcp = format!("{HEAD}{}{waiting}{}", line(0, "0A"), line(20_001, "01"));
        let read = Machine::new(&[("proc/net/tcp", &tcp)]).read(&COLLECTOR);
        for (series, value) in [
            ("node_tcp_connection_states{state=time_wait}", "20000"),
            ("node_tcp_connection_states{state=listen}", "1"),
            ("node_tcp_connection_states{state=established}", "1"),
            ("node_tcp_connection_states{state=rx_queued_bytes}", "40004"),
        ] {
            assert_eq!(read.value(series).as_deref(), Some(value), "{series}");
        }
        assert!(read.errors.is_empty(), "{:?}", read.errors);
    }

    #[test]
    fn what_no_kernel_writes_ends_the_reading_of_a_table() {
        let endless = format!("{HEAD}{}", "0".repeat(5000));
        let files = [
            ("proc/net/tcp", endless.as_str()),
            ("proc/net/tcp6", HEAD),
            ("proc/net/udp", HEAD),
        ];
        let read = Machine::new(&files).read(&COLLECTOR);
        assert_eq!(read.value("node_tcp_connection_states{state=listen}"), None);
        assert_eq!(read.value("node_udp_queues{queue=rx,ip=v4}").as_deref(), Some("0"));
        let said: Vec<_> = read.errors.iter().map(ToString::to_string).collect();
        assert!(
            said.len() == 1 && said[0].ends_with("a line longer than 4096 bytes"),
            "{said:?}"
        );
    }

    #[test]
    fn a_kernel_without_a_protocol_has_none_of_it() {
        let read = Machine::new(&[("proc/net/dev", "")]).read(&COLLECTOR);
        assert!(read.lines().is_empty() && read.errors.is_empty());
    }
}

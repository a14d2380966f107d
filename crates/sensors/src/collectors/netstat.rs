//! Counters of the network's protocols, sockets, and queues of packets (proc_pid_net(5), RFC 1213 and its successors).

use std::collections::HashMap;
use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "netstat",
    needs: None,
    collect: Collect::Full,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const fn counter(name: &'static str) -> Metric {
    Metric::counter(name, "", "Counter of the protocol, by its name in /proc/net.")
}

const fn gauge(name: &'static str) -> Metric {
    Metric::gauge(name, "", "Value of the protocol, by its name in /proc/net.")
}

/// Protocol, field and metric: what node_exporter exports by default.
static PROTOCOLS: &[(&str, &str, Metric)] = &[
    ("Icmp6", "InErrors", counter("node_netstat_Icmp6_InErrors")),
    ("Icmp6", "InMsgs", counter("node_netstat_Icmp6_InMsgs")),
    ("Icmp6", "OutMsgs", counter("node_netstat_Icmp6_OutMsgs")),
    ("Icmp", "InErrors", counter("node_netstat_Icmp_InErrors")),
    ("Icmp", "InMsgs", counter("node_netstat_Icmp_InMsgs")),
    ("Icmp", "OutMsgs", counter("node_netstat_Icmp_OutMsgs")),
    ("Ip6", "InOctets", counter("node_netstat_Ip6_InOctets")),
    ("Ip6", "OutOctets", counter("node_netstat_Ip6_OutOctets")),
    ("IpExt", "InOctets", counter("node_netstat_IpExt_InOctets")),
    ("IpExt", "OutOctets", counter("node_netstat_IpExt_OutOctets")),
    ("Ip", "Forwarding", gauge("node_netstat_Ip_Forwarding")),
    ("TcpExt", "ListenDrops", counter("node_netstat_TcpExt_ListenDrops")),
    (
        "TcpExt",
        "ListenOverflows",
        counter("node_netstat_TcpExt_ListenOverflows"),
    ),
    (
        "TcpExt",
        "SyncookiesFailed",
        counter("node_netstat_TcpExt_SyncookiesFailed"),
    ),
    (
        "TcpExt",
        "SyncookiesRecv",
        counter("node_netstat_TcpExt_SyncookiesRecv"),
    ),
    (
        "TcpExt",
        "SyncookiesSent",
        counter("node_netstat_TcpExt_SyncookiesSent"),
    ),
    ("TcpExt", "TCPOFOQueue", counter("node_netstat_TcpExt_TCPOFOQueue")),
    ("TcpExt", "TCPRcvQDrop", counter("node_netstat_TcpExt_TCPRcvQDrop")),
    ("TcpExt", "TCPSynRetrans", counter("node_netstat_TcpExt_TCPSynRetrans")),
    ("TcpExt", "TCPTimeouts", counter("node_netstat_TcpExt_TCPTimeouts")),
    ("Tcp", "ActiveOpens", counter("node_netstat_Tcp_ActiveOpens")),
    ("Tcp", "CurrEstab", gauge("node_netstat_Tcp_CurrEstab")),
    ("Tcp", "InErrs", counter("node_netstat_Tcp_InErrs")),
    ("Tcp", "InSegs", counter("node_netstat_Tcp_InSegs")),
    ("Tcp", "OutRsts", counter("node_netstat_Tcp_OutRsts")),
    ("Tcp", "OutSegs", counter("node_netstat_Tcp_OutSegs")),
    ("Tcp", "PassiveOpens", counter("node_netstat_Tcp_PassiveOpens")),
    ("Tcp", "RetransSegs", counter("node_netstat_Tcp_RetransSegs")),
    ("Udp6", "InDatagrams", counter("node_netstat_Udp6_InDatagrams")),
    ("Udp6", "InErrors", counter("node_netstat_Udp6_InErrors")),
    ("Udp6", "NoPorts", counter("node_netstat_Udp6_NoPorts")),
    ("Udp6", "OutDatagrams", counter("node_netstat_Udp6_OutDatagrams")),
    ("Udp6", "RcvbufErrors", counter("node_netstat_Udp6_RcvbufErrors")),
    ("Udp6", "SndbufErrors", counter("node_netstat_Udp6_SndbufErrors")),
    ("UdpLite6", "InErrors", counter("node_netstat_UdpLite6_InErrors")),
    ("UdpLite", "InErrors", counter("node_netstat_UdpLite_InErrors")),
    ("Udp", "InDatagrams", counter("node_netstat_Udp_InDatagrams")),
    ("Udp", "InErrors", counter("node_netstat_Udp_InErrors")),
    ("Udp", "NoPorts", counter("node_netstat_Udp_NoPorts")),
    ("Udp", "OutDatagrams", counter("node_netstat_Udp_OutDatagrams")),
    ("Udp", "RcvbufErrors", counter("node_netstat_Udp_RcvbufErrors")),
    ("Udp", "SndbufErrors", counter("node_netstat_Udp_SndbufErrors")),
];
static SOCKETS: &[(&str, &str, Metric)] = &[
    ("sockets", "used", gauge("node_sockstat_sockets_used")),
    ("TCP", "inuse", gauge("node_sockstat_TCP_inuse")),
    ("TCP", "orphan", gauge("node_sockstat_TCP_orphan")),
    ("TCP", "tw", gauge("node_sockstat_TCP_tw")),
    ("TCP", "alloc", gauge("node_sockstat_TCP_alloc")),
    ("TCP", "mem", gauge("node_sockstat_TCP_mem")),
    ("UDP", "inuse", gauge("node_sockstat_UDP_inuse")),
    ("UDP", "mem", gauge("node_sockstat_UDP_mem")),
    ("UDPLITE", "inuse", gauge("node_sockstat_UDPLITE_inuse")),
    ("RAW", "inuse", gauge("node_sockstat_RAW_inuse")),
    ("FRAG", "inuse", gauge("node_sockstat_FRAG_inuse")),
    ("FRAG", "memory", gauge("node_sockstat_FRAG_memory")),
    ("TCP6", "inuse", gauge("node_sockstat_TCP6_inuse")),
    ("UDP6", "inuse", gauge("node_sockstat_UDP6_inuse")),
    ("UDPLITE6", "inuse", gauge("node_sockstat_UDPLITE6_inuse")),
    ("RAW6", "inuse", gauge("node_sockstat_RAW6_inuse")),
    ("FRAG6", "inuse", gauge("node_sockstat_FRAG6_inuse")),
    ("FRAG6", "memory", gauge("node_sockstat_FRAG6_memory")),
];
/// Memory of sockets, which the kernel writes in pages, in bytes.
static SOCKET_BYTES: [(&str, Metric); 2] = [
    (
        "TCP",
        Metric::gauge("node_sockstat_TCP_mem_bytes", "bytes", "Memory of the sockets of TCP."),
    ),
    (
        "UDP",
        Metric::gauge("node_sockstat_UDP_mem_bytes", "bytes", "Memory of the sockets of UDP."),
    ),
];

const fn of_cpu(name: &'static str, help: &'static str) -> Metric {
    Metric::counter(name, "", help)
}

/// Columns of `/proc/net/softnet_stat`, which has a line for each CPU.
static QUEUES: [(usize, Metric); 7] = [
    (
        0,
        of_cpu(
            "node_softnet_processed_total",
            "Packets that the CPU has taken from the queue.",
        ),
    ),
    (
        1,
        of_cpu(
            "node_softnet_dropped_total",
            "Packets dropped because the queue was full.",
        ),
    ),
    (
        2,
        of_cpu(
            "node_softnet_times_squeezed_total",
            "How often there was more to do than time.",
        ),
    ),
    (
        8,
        of_cpu(
            "node_softnet_cpu_collision_total",
            "How often the lock of a device was taken.",
        ),
    ),
    (
        9,
        of_cpu(
            "node_softnet_received_rps_total",
            "How often the CPU was woken by another.",
        ),
    ),
    (
        10,
        of_cpu(
            "node_softnet_flow_limit_count_total",
            "How often one sender had too much of the queue.",
        ),
    ),
    (
        11,
        Metric::gauge("node_softnet_backlog_len", "", "Packets in the queue."),
    ),
];
/// The column with the number of the CPU, since Linux 5.10.
const CPU_COLUMN: usize = 12;

struct Netstat {
    procfs: Root,
    page: f64,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Netstat {
        procfs: Root::new(&settings.paths.procfs),
        page: rustix::param::page_size() as f64,
    }))
}

impl Collector for Netstat {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let files: [(&str, Parse); 5] = [
            ("net/netstat", pairs_of_lines),
            ("net/snmp", pairs_of_lines),
            ("net/snmp6", one_name),
            ("net/sockstat", one_line),
            ("net/sockstat6", one_line),
        ];
        for (file, parse) in files {
            // A kernel without IPv6.
            if let Some(text) = recorder.present(self.procfs.table(file)) {
                self.record(file, &parse(&text), recorder);
            }
        }
        self.read_queues(recorder)
    }
}

/// Numbers by protocol and name.
type Fields<'a> = HashMap<(&'a str, &'a str), &'a str>;
type Parse = fn(&str) -> Fields;

/// "Tcp: ActiveOpens …", then "Tcp: 17 …".
fn pairs_of_lines(text: &str) -> Fields<'_> {
    let mut fields = Fields::new();
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    while let Some(((protocol, names), (_, numbers))) = lines.next().zip(lines.next()) {
        let numbers = numbers.split_ascii_whitespace();
        let names = names.split_ascii_whitespace();
        fields.extend(names.zip(numbers).map(|(name, number)| ((protocol, name), number)));
    }
    fields
}

/// "Icmp6InMsgs 5": the protocol ends at the first 6.
fn one_name(text: &str) -> Fields<'_> {
    let lines = text
        .lines()
        .filter_map(|line| line.split_once(|c: char| c.is_ascii_whitespace()));
    lines
        .filter_map(|(name, number)| {
            let (protocol, name) = name.split_at(name.find('6')? + 1);
            Some(((protocol, name), number.trim()))
        })
        .collect()
}

/// "TCP: inuse 1 orphan 0 …".
fn one_line(text: &str) -> Fields<'_> {
    let mut fields = Fields::new();
    for (protocol, rest) in text.lines().filter_map(|line| line.split_once(':')) {
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        for pair in words.chunks_exact(2) {
            fields.insert((protocol, pair[0]), pair[1]);
        }
    }
    fields
}

impl Netstat {
    fn record(&self, file: &str, fields: &Fields, recorder: &mut Recorder) {
        for (protocol, name, metric) in PROTOCOLS.iter().chain(SOCKETS) {
            if let Some(number) = fields.get(&(*protocol, *name)) {
                let value = self.procfs.parse::<i64>(file, Some(number));
                recorder.record(metric, &[], value.map(|number| number as f64));
            }
        }
        for (protocol, metric) in &SOCKET_BYTES {
            if let Some(number) = fields.get(&(*protocol, "mem")) {
                let pages = self.procfs.parse::<i64>(file, Some(number));
                recorder.record(metric, &[], pages.map(|pages| pages as f64 * self.page));
            }
        }
    }

    fn read_queues(&self, recorder: &mut Recorder) -> Result<(), ReadError> {
        const FILE: &str = "net/softnet_stat";
        for (number, line) in self.procfs.table(FILE)?.lines().enumerate() {
            let columns: Vec<&str> = line.split_ascii_whitespace().collect();
            let column = |position: usize| u32::from_str_radix(columns.get(position)?, 16).ok();
            let cpu = column(CPU_COLUMN).map_or(number as u64, u64::from).to_string();
            for (position, metric) in &QUEUES {
                // Old kernels have fewer columns.
                if *position < columns.len() && recorder.has_room() {
                    let invalid = || ReadError::invalid(&self.procfs.path(FILE), "a column is no hexadecimal number");
                    let value = column(*position).map(f64::from).ok_or_else(invalid);
                    recorder.record(metric, &[("cpu", &cpu)], value);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn each_form_of_table_is_read() {
        let read = Machine::new(&[
            (
                "proc/net/snmp",
                "Tcp: RtoAlgorithm CurrEstab OutSegs\nTcp: 1 9 5012\nUdp: NoPorts\nUdp: x\n",
            ),
            ("proc/net/netstat", "TcpExt: SyncookiesSent ListenDrops\nTcpExt: 3 4\n"),
            (
                "proc/net/snmp6",
                "Icmp6InMsgs                     \t7\nUdpLite6InErrors \t0\n",
            ),
            (
                "proc/net/sockstat",
                "sockets: used 14\nTCP: inuse 1 orphan 0 tw 449 alloc 1 mem 2\nFRAG: inuse 0 memory 0\n",
            ),
            (
                "proc/net/softnet_stat",
                "005d912a 00000001 00000013 0 0 0 0 0 00000002 00000003 00000004 00000005 0000000a\n",
            ),
        ])
        .read(&COLLECTOR);
        let page = rustix::param::page_size() as f64;
        for (series, value) in [
            ("node_netstat_Tcp_CurrEstab{}", "9"),
            ("node_netstat_Tcp_OutSegs{}", "5012"),
            ("node_netstat_Udp_NoPorts{}", "invalid"),
            ("node_netstat_TcpExt_ListenDrops{}", "4"),
            ("node_netstat_Icmp6_InMsgs{}", "7"),
            ("node_netstat_UdpLite6_InErrors{}", "0"),
            ("node_sockstat_sockets_used{}", "14"),
            ("node_sockstat_TCP_tw{}", "449"),
            ("node_sockstat_TCP_mem_bytes{}", &(2.0 * page).to_string()),
            ("node_sockstat_FRAG_memory{}", "0"),
            ("node_softnet_processed_total{cpu=10}", "6132010"),
            ("node_softnet_received_rps_total{cpu=10}", "3"),
            ("node_softnet_backlog_len{cpu=10}", "5"),
        ] {
            assert_eq!(read.value(series).as_deref(), Some(value), "{series}");
        }
        assert_eq!(read.errors.len(), 1);
    }

    #[test]
    fn what_the_kernel_counts_in_pages_is_told_in_bytes_whatever_the_size_of_a_page() {
        let machine = Machine::new(&[("proc/net/sockstat", "TCP: mem 2\n"), ("proc/net/softnet_stat", "")]);
        for page in [4096.0, 16384.0, 65536.0] {
            let procfs = Root::new(&machine.settings.paths.procfs);
            let read = machine.read_from(&mut Netstat { procfs, page });
            let bytes = read.value("node_sockstat_TCP_mem_bytes{}");
            assert_eq!(bytes, Some((2.0 * page).to_string()), "{:#?}", read.lines());
        }
    }
}

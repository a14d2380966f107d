//! The kernel counts in 64 bits, on a machine of 32 as well: what one of these collectors cuts to 32 is wrong after 4 GiB of traffic, or
//! fails. One line for each way in which they read numbers.

use super::testing::Machine;
use super::{Definition, cgroup, cpu, disk, kernel, memory, netstat, network, pressure, rapl, storage};

/// What every counter below stands at: 2^33 + 1, which would be 1 in 32 bits.
const COUNT: &str = "8589934593";

#[test]
fn counters_and_sizes_go_on_beyond_32_bits() {
    let unit = "sys/fs/cgroup/edgewatch.slice";
    let cases: [(&Definition, &str, &str, &str, &str); 15] = [
        (
            &cpu::COLLECTOR,
            "proc/stat",
            "cpu0 N 0 0 1 0 0 0 0\n",
            "node_cpu_seconds_total{cpu=0,mode=user}",
            "85899345.93",
        ),
        (
            &cpu::COLLECTOR,
            "proc/stat",
            "cpu0 1 0 0 1 0 0 0 0\nctxt N\n",
            "node_context_switches_total{}",
            COUNT,
        ),
        (
            &disk::COLLECTOR,
            "proc/diskstats",
            " 8 0 sda 1 2 N 4 5 6 7 8 9 10 11\n",
            "node_disk_read_bytes_total{device=sda}",
            "4398046511616",
        ),
        (
            &network::COLLECTOR,
            "proc/net/dev",
            "h|\nh|\neth0: N 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
            "node_network_receive_bytes_total{device=eth0}",
            COUNT,
        ),
        (
            &netstat::COLLECTOR,
            "proc/net/snmp",
            "Tcp: OutSegs\nTcp: N\n",
            "node_netstat_Tcp_OutSegs{}",
            COUNT,
        ),
        (
            &netstat::COLLECTOR,
            "proc/net/snmp6",
            "Icmp6InMsgs N\n",
            "node_netstat_Icmp6_InMsgs{}",
            COUNT,
        ),
        (
            &memory::COLLECTOR,
            "proc/meminfo",
            "MemTotal: N kB\n",
            "node_memory_MemTotal_bytes{}",
            "8796093023232",
        ),
        (
            &kernel::COLLECTOR,
            "proc/sys/fs/file-nr",
            "1\t0\tN\n",
            "node_filefd_maximum{}",
            COUNT,
        ),
        (
            &pressure::COLLECTOR,
            "proc/pressure/cpu",
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=N\n",
            "node_pressure_cpu_waiting_seconds_total{}",
            "8589.934593",
        ),
        (
            &rapl::COLLECTOR,
            "sys/class/powercap/intel-rapl:0/energy_uj",
            "N\n",
            "node_rapl_package_joules_total{index=0",
            "8589.934593",
        ),
        (
            &storage::COLLECTOR,
            "sys/fs/ext4/sda1/lifetime_write_kbytes",
            "N\n",
            "edge_ext4_lifetime_written_bytes_total{device=sda1}",
            "8796093023232",
        ),
        (
            &cgroup::COLLECTOR,
            "memory.current",
            "N\n",
            "edge_unit_memory_current_bytes{unit=edgewatch.slice}",
            COUNT,
        ),
        (
            &cgroup::COLLECTOR,
            "memory.max",
            "N\n",
            "edge_unit_memory_limit_bytes{unit=edgewatch.slice,limit=max}",
            COUNT,
        ),
        (
            &cgroup::COLLECTOR,
            "memory.events",
            "high N\n",
            "edge_unit_memory_events_total{unit=edgewatch.slice,event=high}",
            COUNT,
        ),
        (
            &cgroup::COLLECTOR,
            "cpu.stat",
            "usage_usec N\n",
            "edge_unit_cpu_seconds_total{unit=edgewatch.slice}",
            "8589.934593",
        ),
    ];
    for (collector, file, content, series, value) in cases {
        let machine = Machine::new(&[
            ("proc/self/cgroup", "0::/edgewatch.slice/edgewatch.service\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
            ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
            ("sys/class/net/eth0/operstate", "up\n"),
            ("proc/net/softnet_stat", ""),
            ("sys/fs/ext4/sda1/errors_count", "0\n"),
        ]);
        let file = match file.contains('/') {
            true => file.to_owned(),
            false => format!("{unit}/{file}"),
        };
        machine.write(&file, content.replace('N', COUNT));
        let read = machine.read(collector);
        let is_it = |line: &String| line.starts_with(series) && line.ends_with(&format!(" {value}"));
        assert!(read.lines().iter().any(is_it), "{series} {value}: {:#?}", read.lines());
    }
}

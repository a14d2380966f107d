//! Interfaces as the kernel lists them.

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
fn everything_that_the_kernel_says_of_an_interface_is_exported_if_wanted() {
    let mut machine = Machine::new(&[
        (
            "proc/net/dev",
            "a\nb\n eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        ),
        ("sys/class/net/eth0/operstate", "up\n"),
        ("sys/class/net/eth0/speed", "1000\n"),
        ("sys/class/net/eth0/flags", "0x1003\n"),
        ("sys/class/net/eth0/mtu", "1500\n"),
        ("sys/class/net/eth0/carrier_changes", "3\n"),
        ("sys/class/net/eth0/address", "dc:a6:32:01:02:03\n"),
        ("sys/class/net/lo/speed", "-1\n"),
    ]);
    machine.settings.collect = Collect::Full;
    let read = machine.read(&COLLECTOR);
    assert!(read.errors.is_empty(), "{:?}", read.errors);
    for (series, value) in [
        ("node_network_speed_bytes{device=eth0}", "125000000"),
        ("node_network_flags{device=eth0}", "4099"),
        ("node_network_mtu_bytes{device=eth0}", "1500"),
        ("node_network_carrier_changes_total{device=eth0}", "3"),
        ("node_network_receive_multicast_total{device=eth0}", "8"),
        ("node_network_transmit_carrier_total{device=lo}", "15"),
        (
            "node_network_info{device=eth0,adminstate=up,address=dc:a6:32:01:02:03,operstate=up}",
            "1",
        ),
    ] {
        assert_eq!(read.value(series).as_deref(), Some(value), "{series}");
    }
    assert_eq!(read.value("node_network_speed_bytes{device=lo}"), None);
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

//! Dashboards and rules that were made for node_exporter find the metrics that they ask for, but for a list of those that are left out with reasons.
//! How many panels have data then, on this machine: `make node-exporter-full`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What Node Exporter Full asks for and is not exported. A `*` stands for the rest of the name.
const LEFT_OUT_OF_FULL: &[(&str, &str)] = &[
    (
        "node_filesystem_device_error",
        "an error is counted, and the size missing",
    ),
    (
        "node_hwmon_temp_crit_alarm_celsius",
        "an alarm as 0.001 °C: edge_hwmon_alarm",
    ),
    (
        "node_kernel_hung_tasks",
        "an older name of node_kernel_hung_tasks_total",
    ),
    (
        "node_netstat_Tcp_MaxConn",
        "not among the fields that are on by default there, and always -1",
    ),
    (
        "node_systemd_*",
        "off by default there: no file says that a unit has failed, and D-Bus is not spoken (docs/sensors.md)",
    ),
    ("process_virtual_memory_max_bytes", "there is no limit"),
];

/// What the recording rules, alerts and dashboards of node-mixin ask for on Linux: prometheus/node_exporter at a7dcc3a,
/// docs/node-mixin/{alerts/alerts,rules/rules,dashboards/use,lib/prom-mixin}.libsonnet.
const ASKED_BY_NODE_MIXIN: &[&str] = &[
    "node_bonding_active",
    "node_bonding_slaves",
    "node_cpu_seconds_total",
    "node_disk_io_time_seconds_total",
    "node_disk_io_time_weighted_seconds_total",
    "node_disk_read_bytes_total",
    "node_disk_written_bytes_total",
    "node_filefd_allocated",
    "node_filefd_maximum",
    "node_filesystem_avail_bytes",
    "node_filesystem_files",
    "node_filesystem_files_free",
    "node_filesystem_readonly",
    "node_filesystem_size_bytes",
    "node_load1",
    "node_load15",
    "node_load5",
    "node_md_disks",
    "node_md_disks_required",
    "node_memory_Buffers_bytes",
    "node_memory_Cached_bytes",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemFree_bytes",
    "node_memory_MemTotal_bytes",
    "node_memory_Slab_bytes",
    "node_network_receive_bytes_total",
    "node_network_receive_drop_total",
    "node_network_receive_errs_total",
    "node_network_receive_packets_total",
    "node_network_transmit_bytes_total",
    "node_network_transmit_drop_total",
    "node_network_transmit_errs_total",
    "node_network_transmit_packets_total",
    "node_nf_conntrack_entries",
    "node_nf_conntrack_entries_limit",
    "node_systemd_service_restart_total",
    "node_systemd_unit_state",
    "node_textfile_scrape_error",
    "node_time_seconds",
    "node_timex_maxerror_seconds",
    "node_timex_offset_seconds",
    "node_timex_sync_status",
    "node_uname_info",
    "node_vmstat_pgmajfault",
];
const LEFT_OUT_OF_MIXIN: &[(&str, &str)] = &[(
    "node_systemd_*",
    "off by default there: no file says that a unit has failed, and D-Bus is not spoken (docs/sensors.md)",
)];

/// Every metric that is exported: a test of its own holds this page against the service.
fn exported() -> BTreeSet<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|row| row.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next().map(ToOwned::to_owned))
        .collect()
}

/// That exactly those of `asked` are missing that are left out on purpose; gives how many.
fn missing(asked: &[&str], left_out: &[(&str, &str)]) -> usize {
    let exported = exported();
    let is_it = |pattern: &str, name: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    let missing: Vec<&&str> = asked.iter().filter(|name| !exported.contains(**name)).collect();
    let is_meant = |name: &&&&str| left_out.iter().any(|(pattern, _)| is_it(pattern, name));
    let unmeant: Vec<_> = missing.iter().filter(|name| !is_meant(name)).collect();
    assert!(unmeant.is_empty(), "{unmeant:?}");
    for (pattern, _) in left_out {
        assert!(
            missing.iter().any(|name| is_it(pattern, name)),
            "{pattern} is exported by now"
        );
    }
    missing.len()
}

#[test]
fn node_exporter_full_finds_all_metrics_but_what_has_a_reason() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/asked-by-node-exporter-full.txt");
    let list = fs::read_to_string(list).unwrap();
    let asked: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!((asked.len(), missing(&asked, LEFT_OUT_OF_FULL)), (229, 9));
}

#[test]
fn node_mixin_finds_all_metrics_but_what_has_a_reason() {
    assert_eq!(missing(ASKED_BY_NODE_MIXIN, LEFT_OUT_OF_MIXIN), 2);
}

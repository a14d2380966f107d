//! The files of cgroup v2, and machines that lack some of them.

use super::*;
use crate::collectors::testing::Machine;

const SLICE_DIRECTORY: &str = "sys/fs/cgroup/edgewatch.slice";

fn machine(own: &str, controllers: &str) -> Machine {
    let machine = Machine::new(&[
        ("proc/self/cgroup", own),
        ("sys/fs/cgroup/cgroup.controllers", controllers),
    ]);
    machine.write(&format!("{SLICE_DIRECTORY}/memory.max"), "314572800\n");
    machine.write(&format!("{SLICE_DIRECTORY}/memory.high"), "max\n");
    machine.write(
        &format!("{SLICE_DIRECTORY}/edgewatch.service/cpu.stat"),
        "usage_usec 1500000\nuser_usec 1\nthrottled_usec 1\n",
    );
    machine.write(
        &format!("{SLICE_DIRECTORY}/edgewatch.service/cpu.max"),
        "50000 100000\n",
    );
    machine.write(&format!("{SLICE_DIRECTORY}/cpu.max"), "max 100000\n");
    machine
}

#[test]
fn the_slice_and_its_units_are_read_wherever_the_slice_is() {
    let own = "12:pids:/other\n0::/edgewatch.slice/edgewatch.service\n";
    let read = machine(own, "cpu io memory pids\n").read(&COLLECTOR);
    assert!(read.errors.is_empty());
    for (series, value) in [
        ("edge_budget_enforced{}", Some("1")),
        (
            "edge_unit_memory_limit_bytes{unit=edgewatch.slice,limit=max}",
            Some("314572800"),
        ),
        ("edge_unit_memory_limit_bytes{unit=edgewatch.slice,limit=high}", None),
        ("edge_unit_cpu_seconds_total{unit=edgewatch.service}", Some("1.5")),
        ("edge_unit_cpu_limit_cores{unit=edgewatch.service}", Some("0.5")),
        ("edge_unit_cpu_limit_cores{unit=edgewatch.slice}", None),
    ] {
        assert_eq!(read.value(series).as_deref(), value, "{series}");
    }
    let debian = machine(own, "memory\n");
    debian.write(
        &format!("{SLICE_DIRECTORY}/grafana-server.service/memory.current"),
        "5\n",
    );
    let grafana = "edge_unit_memory_current_bytes{unit=grafana.service}";
    assert_eq!(debian.read(&COLLECTOR).value(grafana).as_deref(), Some("5"));
    let path = "/user.slice/edgewatch.slice/a.service/sub";
    assert_eq!(slice_above(path), Some("/user.slice/edgewatch.slice"));
    assert_eq!(slice_above("/not-edgewatch.slice/a.service"), None);
}

#[test]
fn without_the_memory_controller_nothing_is_enforced() {
    let read = machine("0::/edgewatch.slice/edgewatch.service\n", "cpu\n").read(&COLLECTOR);
    assert_eq!(read.value("edge_budget_enforced{}").as_deref(), Some("0"));
    let memory = "edge_cgroup_controller_available{controller=memory}";
    assert_eq!(read.value(memory).as_deref(), Some("0"));
}

#[test]
fn on_cgroup_v1_nothing_is_enforced_and_no_controller_works() {
    let own = "4:memory:/edgewatch.slice/edgewatch.service\n1:name=systemd:/edgewatch.slice/edgewatch.service\n";
    let v1 = Machine::new(&[("proc/self/cgroup", own)]);
    // Beside v1, the hierarchy of v2 has the processes, but no controllers.
    let hybrid = Machine::new(&[
        (
            "proc/self/cgroup",
            &format!("{own}0::/edgewatch.slice/edgewatch.service\n"),
        ),
        ("sys/fs/cgroup/unified/cgroup.controllers", "\n"),
    ]);
    hybrid.write("sys/fs/cgroup/unified/edgewatch.slice/cgroup.procs", "");
    for machine in [v1, hybrid] {
        let read = machine.read(&COLLECTOR);
        assert!(read.errors.is_empty());
        assert_eq!(read.value("edge_budget_enforced{}").as_deref(), Some("0"));
        for controller in CONTROLLERS {
            let series = format!("edge_cgroup_controller_available{{controller={controller}}}");
            assert_eq!(read.value(&series).as_deref(), Some("0"));
        }
    }
}

#[test]
fn a_limit_above_the_budget_is_not_the_budget() {
    for (limit, value) in [("314572800\n", "1"), ("314576896\n", "0"), ("max\n", "0")] {
        let machine = machine("0::/edgewatch.slice/edgewatch.service\n", "memory\n");
        machine.write(&format!("{SLICE_DIRECTORY}/memory.max"), limit);
        assert_eq!(
            machine.read(&COLLECTOR).value("edge_budget_enforced{}").as_deref(),
            Some(value)
        );
    }
}

#[test]
fn a_quota_that_is_none_fails() {
    for (text, value) in [
        ("50000 0\n", Some("invalid")),
        ("50000\n", Some("invalid")),
        ("-1 100000\n", Some("invalid")),
        ("max 100000\n", None),
    ] {
        let machine = machine("0::/edgewatch.slice/edgewatch.service\n", "memory\n");
        machine.write(&format!("{SLICE_DIRECTORY}/edgewatch.service/cpu.max"), text);
        let quota = "edge_unit_cpu_limit_cores{unit=edgewatch.service}";
        assert_eq!(machine.read(&COLLECTOR).value(quota).as_deref(), value, "{text:?}");
    }
}

#[test]
fn outside_of_the_slice_only_the_own_unit_counts() {
    let units = |own: &str| {
        let machine = machine(own, "memory\n");
        machine.write("sys/fs/cgroup/memory.current", "1\n");
        machine.write("sys/fs/cgroup/session-1.scope/memory.current", "7\n");
        let lines = machine.read(&COLLECTOR).lines();
        lines
            .into_iter()
            .filter(|line| line.starts_with("edge_unit"))
            .collect::<Vec<_>>()
    };
    let scope = "edge_unit_memory_current_bytes{unit=session-1.scope} 7";
    assert_eq!(units("0::/session-1.scope\n"), [scope]);
    for own in ["0::/\n", "0::/../session-1.scope\n", "4:memory:/session-1.scope\n", ""] {
        assert!(units(own).is_empty(), "{own:?}");
    }
}

//! What the kernel can do: hold the stack to its budget, and measure pressure.

use super::machine::Machine;
use super::samples::Samples;
use super::verdict::Verdict;
use edgewatch_sensors::budget::{Budget, SLICE};

/// Whether anything holds the stack to its budget. `machine` is the one it runs on, if that is this one; `installed` tells
/// whether systemd there has units for it.
pub fn judge_enforcement(samples: &Samples, machine: Option<&Machine>, installed: bool, budget: &Budget) -> Verdict {
    let subject = "enforcement";
    let megabytes = budget.total.memory_max.0 >> 20;
    let nothing = format!("nothing holds the stack to {megabytes} MB");
    // The CPU time is there even where the memory controller is off.
    let in_a_unit = ["edgewatch.service", SLICE].iter().any(|unit| {
        samples
            .value("edge_unit_cpu_seconds_total", &[("unit", unit)])
            .is_some()
    });
    let missing: Vec<_> = samples
        .all("edge_cgroup_controller_available")
        .filter(|sample| sample.value == 0.0)
        .map(|sample| sample.label("controller"))
        .collect();
    let enforced = samples.value("edge_budget_enforced", &[]);
    if enforced == Some(1.0) {
        return match missing.is_empty() {
            true => Verdict::ok(subject, format!("the kernel holds {SLICE} to {megabytes} MB")),
            false => Verdict::warn(
                subject,
                format!(
                    "the kernel holds {SLICE} to {megabytes} MB, but lacks: {}",
                    missing.join(", ")
                ),
                "use a kernel with these cgroup controllers; cat /sys/fs/cgroup/cgroup.controllers lists what there is",
            ),
        };
    }
    let Some(machine) = machine else {
        return Verdict::warn(
            subject,
            nothing,
            "run edgewatch check on the device itself: there it sees why",
        );
    };
    if !installed && !in_a_unit {
        return Verdict::skip(subject, format!("{nothing}: it runs without systemd, which would"));
    }
    let (why, remedy) = if enforced.is_none() {
        (
            "the service does not say that anything does",
            "switch its source on in the settings: [sources.cgroup] enabled = true".to_owned(),
        )
    } else if !machine.cgroup2 {
        (
            "the machine uses cgroup v1",
            format!(
                "put systemd.unified_cgroup_hierarchy=1 into {} and reboot",
                machine.command_line
            ),
        )
    } else if missing.contains(&"memory") && machine.has_parameter("cgroup_enable=memory") {
        // Only Raspberry Pi's kernels know it (raspberrypi/linux#6524, December 2024); what it is to undo stands in the device tree
        // that their firmware hands to any kernel.
        (
            "the kernel's memory controller is off, although cgroup_enable=memory is on its command line",
            "boot a kernel of Raspberry Pi's own, up to date: no other knows cgroup_enable=memory; or remove cgroup_disable=memory, which \
             may stand in bootargs of the device tree that the firmware loads (docs/raspberry-pi.md)"
                .to_owned(),
        )
    } else if missing.contains(&"memory") {
        (
            "the kernel's memory controller is off",
            format!(
                "put cgroup_enable=memory into {0}, remove cgroup_disable=memory if it is there, and reboot",
                machine.command_line
            ),
        )
    } else if samples
        .value("edge_unit_memory_current_bytes", &[("unit", SLICE)])
        .is_none()
    {
        (
            "systemd does not run it in edgewatch.slice",
            "systemctl enable --now edgewatch.socket edgewatch.service".to_owned(),
        )
    } else {
        (
            "edgewatch.slice has no such limit",
            format!(
                "set MemoryMax={megabytes}M and CPUQuota in {SLICE}: systemctl cat {SLICE} shows what is set, and where"
            ),
        )
    };
    Verdict::warn(subject, format!("{nothing}: {why}"), remedy)
}

/// Whether the kernel measures pressure stall information (PSI), which alerts rest on.
pub fn judge_pressure(samples: &Samples, machine: Option<&Machine>) -> Verdict {
    match samples.value("edge_pressure_available", &[]) {
        Some(0.0) => Verdict::warn(
            "pressure",
            "the kernel does not measure pressure (PSI is off)",
            format!(
                "put psi=1 into {} and reboot",
                machine.map_or("the kernel command line", |machine| machine.command_line)
            ),
        ),
        Some(_) => Verdict::ok("pressure", "the kernel measures pressure (PSI)"),
        None => Verdict::skip("pressure", "the service does not read it"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    const PI: Machine = Machine {
        systemd: true,
        cgroup2: true,
        command_line: "/boot/firmware/cmdline.txt",
        parameters: String::new(),
    };
    const MEMORY_OFF: &str = "edge_budget_enforced 0\nedge_cgroup_controller_available{controller=\"memory\"} 0";
    const IN_SLICE: &str = "edge_budget_enforced 0\nedge_unit_memory_current_bytes{unit=\"edgewatch.slice\"} 1";

    fn enforcement(text: &str, machine: Option<&Machine>) -> Verdict {
        let installed = machine.is_some_and(|machine| machine.systemd);
        judge_enforcement(
            &Samples::parse(text).unwrap(),
            machine,
            installed,
            &Budget::load(None).unwrap(),
        )
    }

    #[test]
    fn each_reason_has_its_remedy() {
        let v1 = Machine { cgroup2: false, ..PI };
        let foreign_kernel = Machine {
            parameters: "cgroup_disable=memory root=/dev/mmcblk0p2 cgroup_enable=memory".to_owned(),
            ..PI
        };
        for (text, machine, remedy) in [
            (
                MEMORY_OFF,
                Some(&PI),
                "put cgroup_enable=memory into /boot/firmware/cmdline.txt",
            ),
            (MEMORY_OFF, Some(&foreign_kernel), "boot a kernel of Raspberry Pi's own"),
            (MEMORY_OFF, Some(&v1), "put systemd.unified_cgroup_hierarchy=1"),
            (MEMORY_OFF, None, "run edgewatch check on the device"),
            ("edge_budget_enforced 0", Some(&PI), "systemctl enable --now"),
            (IN_SLICE, Some(&PI), "set MemoryMax=300M"),
            ("", Some(&PI), "switch its source on"),
        ] {
            let verdict = enforcement(text, machine);
            assert_eq!(verdict.status, Status::Warn, "{text}");
            assert!(
                verdict.found.starts_with("nothing holds the stack to 300 MB"),
                "{}",
                verdict.found
            );
            assert!(verdict.remedy.as_ref().unwrap().starts_with(remedy), "{verdict:?}");
        }
    }

    #[test]
    fn what_holds_is_ok_and_what_cannot_be_is_skipped_aloud() {
        let held = enforcement("edge_budget_enforced 1", Some(&PI));
        assert_eq!(
            (held.status, &*held.found),
            (Status::Ok, "the kernel holds edgewatch.slice to 300 MB")
        );
        let bare = enforcement("edge_budget_enforced 0", Some(&Machine::default()));
        assert_eq!(bare.status, Status::Skip);
        assert!(bare.found.starts_with("nothing holds"), "{}", bare.found);
        let in_a_unit = "edge_budget_enforced 0\nedge_unit_cpu_seconds_total{unit=\"edgewatch.service\"} 1";
        assert_eq!(enforcement(in_a_unit, Some(&Machine::default())).status, Status::Warn);
        let no_cpu = enforcement(
            "edge_budget_enforced 1\nedge_cgroup_controller_available{controller=\"cpu\"} 0",
            Some(&PI),
        );
        assert!(
            no_cpu.status == Status::Warn && no_cpu.found.ends_with("lacks: cpu"),
            "{no_cpu:?}"
        );
    }

    #[test]
    fn missing_pressure_warns() {
        for (text, status) in [
            ("edge_pressure_available 1", Status::Ok),
            ("edge_pressure_available 0", Status::Warn),
            ("", Status::Skip),
        ] {
            let verdict = judge_pressure(&Samples::parse(text).unwrap(), Some(&PI));
            assert_eq!(verdict.status, status, "{text}");
        }
    }
}

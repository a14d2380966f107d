//! The units of systemd, where it runs the stack.

use std::collections::BTreeMap;

use super::verdict::Verdict;
use edgewatch_program::error::CommandFailure;
use edgewatch_program::systemctl;
use edgewatch_sensors::budget::{DASHBOARDS, GRAFANA, GRAFANA_OF_DEBIAN, OUTBOUND, SLICE};

const SERVICE: &str = "edgewatch.service";
const UNITS: [&str; 9] = [
    SLICE,
    "edgewatch.socket",
    SERVICE,
    "edgewatch-dashboards.socket",
    DASHBOARDS,
    OUTBOUND,
    "prometheus.service",
    GRAFANA,
    GRAFANA_OF_DEBIAN,
];
const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,Result,NRestarts,Slice";

/// Properties of a unit (org.freedesktop.systemd1(5)) by name.
#[derive(Clone, Debug, Default)]
pub struct Unit(BTreeMap<String, String>);

impl Unit {
    fn property(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn is_loaded(&self) -> bool {
        self.property("LoadState") == "loaded"
    }

    fn is_grafana(&self) -> bool {
        [GRAFANA, GRAFANA_OF_DEBIAN].contains(&self.property("Id"))
    }

    /// Whether nothing is wrong while it does not run. While it ends it is known already whether it ended well.
    fn is_asleep(&self) -> bool {
        let state = self.property("ActiveState");
        (self.is_grafana() || [DASHBOARDS, OUTBOUND].contains(&self.property("Id")))
            && (state == "inactive" || state == "deactivating" && self.property("Result") == "success")
    }
}

/// The units of the stack, as `systemctl show` tells of them.
///
/// # Errors
/// There is no `systemctl`, or it cannot reach systemd, or not in time.
pub fn read() -> Result<Vec<Unit>, CommandFailure> {
    let show = ["show", "--no-pager", "--property", PROPERTIES];
    systemctl::answer(show.into_iter().chain(UNITS)).map(|text| parse(&text))
}

/// Blocks of `Name=value`, parted by empty lines.
fn parse(text: &str) -> Vec<Unit> {
    let blocks = text.split("\n\n").map(|block| {
        let lines = block.lines().filter_map(|line| line.split_once('='));
        Unit(lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    });
    let mut units: Vec<_> = blocks.filter(|unit| !unit.property("Id").is_empty()).collect();
    // Where one of Grafana's names is an alias of the other.
    units.dedup_by(|one, other| one.property("Id") == other.property("Id"));
    units
}

/// Whether the stack is installed as units.
pub fn are_installed(units: &[Unit]) -> bool {
    units
        .iter()
        .any(|unit| unit.property("Id") == SERVICE && unit.is_loaded())
}

/// Whether Grafana runs, if systemd knows of it. To ask Grafana itself would wake it up.
pub fn grafana_runs(units: &[Unit]) -> Option<bool> {
    let mut grafana = units.iter().filter(|unit| unit.is_grafana() && unit.is_loaded());
    grafana.next().map(|unit| unit.property("ActiveState") != "inactive")
}

/// One verdict for each unit, if they are installed.
pub fn judge(units: &[Unit]) -> Vec<Verdict> {
    if !are_installed(units) {
        let reason = "edgewatch.service is not installed here: the stack runs without systemd";
        return vec![Verdict::skip("units", reason)];
    }
    let expected = units.iter().filter(|unit| unit.is_loaded() || !unit.is_grafana());
    expected.map(judge_unit).collect()
}

fn judge_unit(unit: &Unit) -> Verdict {
    let id = unit.property("Id");
    let subject = format!("unit {id}");
    if !unit.is_loaded() {
        return Verdict::warn(
            subject,
            format!("not installed ({})", unit.property("LoadState")),
            format!("install it with edgewatch's package or module; systemctl status {id}"),
        );
    }
    let restarts = match unit.property("NRestarts") {
        "" | "0" => String::new(),
        number => format!(", restarts: {number}"),
    };
    let state = format!(
        "{} ({}){restarts}",
        unit.property("ActiveState"),
        unit.property("SubState")
    );
    let slice = unit.property("Slice");
    match unit.property("ActiveState") {
        "active" if id.ends_with(".service") && slice != SLICE => Verdict::warn(
            subject,
            format!("{state}, but in {slice}, outside the budget"),
            format!("set Slice={SLICE} with a drop-in: systemctl edit {id}; systemctl restart {id}"),
        ),
        "active" => Verdict::ok(subject, state),
        _ if unit.is_asleep() && id == OUTBOUND => Verdict::ok(subject, "ended: nothing to send is set"),
        _ if unit.is_asleep() => Verdict::ok(subject, format!("asleep: it starts on demand{restarts}")),
        "activating" | "reloading" => Verdict::warn(subject, state, format!("wait, or see journalctl -u {id}")),
        _ => Verdict::fail(
            subject,
            format!("{state}, result {}", unit.property("Result")),
            format!("systemctl restart {id}; journalctl -u {id} says why it stopped"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    const WELL: &str = "\
Id=edgewatch.slice\nLoadState=loaded\nActiveState=active\nSubState=active\nSlice=-.slice\n
Result=success\nId=edgewatch.socket\nLoadState=loaded\nActiveState=active\nSubState=running\nSlice=system.slice\n
Result=success\nNRestarts=2\nSlice=edgewatch.slice\nId=edgewatch.service\nLoadState=loaded\nActiveState=active\nSubState=running\n
Result=success\nId=edgewatch-dashboards.socket\nLoadState=loaded\nActiveState=active\nSubState=listening\nSlice=system.slice\n
Result=success\nNRestarts=0\nSlice=\nId=edgewatch-dashboards.service\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n
Result=success\nNRestarts=0\nSlice=\nId=edgewatch-outbound.service\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n
Result=success\nNRestarts=0\nSlice=edgewatch.slice\nId=prometheus.service\nLoadState=loaded\nActiveState=active\nSubState=running\n
Result=success\nNRestarts=0\nSlice=\nId=grafana.service\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n";

    fn statuses(text: &str) -> Vec<Status> {
        judge(&parse(text)).iter().map(|verdict| verdict.status).collect()
    }

    #[test]
    fn running_units_and_sleeping_ones_are_well() {
        assert_eq!(statuses(WELL), [Status::Ok; 8]);
        let units = parse(WELL);
        assert_eq!(judge(&units)[2].found, "active (running), restarts: 2");
        assert_eq!(grafana_runs(&units), Some(false));
        assert_eq!(grafana_runs(&[]), None);
        let debian = WELL.replace("Id=grafana.service", "Id=grafana-server.service");
        assert_eq!(statuses(&debian), [Status::Ok; 8]);
        assert_eq!(grafana_runs(&parse(&debian)), Some(false));
        let (_, grafana) = WELL.rsplit_once("\n\n").unwrap();
        assert_eq!(statuses(&format!("{WELL}\n{grafana}")), [Status::Ok; 8]);
    }

    #[test]
    fn what_stopped_fails_and_what_is_outside_the_slice_warns() {
        let failed = WELL.replace(
            "Result=success\nNRestarts=2\nSlice=edgewatch.slice\nId=edgewatch.service\nLoadState=loaded\nActiveState=active\nSubState=running",
            "Result=oom-kill\nId=edgewatch.service\nLoadState=loaded\nActiveState=failed\nSubState=failed",
        );
        assert_eq!(statuses(&failed)[2], Status::Fail);
        assert_eq!(judge(&parse(&failed))[2].found, "failed (failed), result oom-kill");
        let outside = WELL.replace("NRestarts=0\nSlice=edgewatch.slice", "NRestarts=0\nSlice=system.slice");
        assert_eq!(statuses(&outside)[6], Status::Warn);
        let dashboards = |ends: &str| {
            let text = WELL.replace(
                "Result=success\nNRestarts=0\nSlice=\nId=edgewatch-dashboards.service\nLoadState=loaded\nActiveState=inactive",
                &format!("Result={ends}\nId=edgewatch-dashboards.service\nLoadState=loaded\nActiveState=deactivating"),
            );
            [
                statuses(&text)[4],
                statuses(&text.replace("ActiveState=deactivating", "ActiveState=failed"))[4],
            ]
        };
        assert_eq!(dashboards("success")[0], Status::Ok);
        assert_eq!(dashboards("watchdog"), [Status::Fail; 2]);
        let absent = WELL.replace(
            "Id=grafana.service\nLoadState=loaded",
            "Id=grafana.service\nLoadState=not-found",
        );
        assert_eq!(statuses(&absent), [Status::Ok; 7]);
    }

    #[test]
    fn a_machine_without_our_units_is_skipped() {
        assert_eq!(statuses(&WELL.replace("loaded", "not-found")), [Status::Skip]);
        assert_eq!(statuses(""), [Status::Skip]);
        assert_eq!(statuses("garbage\n\n=\n"), [Status::Skip]);
    }
}

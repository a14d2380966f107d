//! The dashboards: listed by the service, and present in Grafana while it runs.

use serde::Deserialize;

use super::machine;
use super::verdict::Verdict;
use edgewatch_dashboards::library::SHIPPED;
use edgewatch_prometheus_client::Client;

#[derive(Deserialize)]
struct Listed {
    uid: String,
}

/// Whether the service lists every shipped dashboard.
pub fn check_service(service: &Client) -> Verdict {
    let subject = "dashboards";
    match service.get_json::<Vec<Listed>>("/dashboards.json") {
        Ok(listed) => {
            let missing = missing(|uid| listed.iter().any(|dashboard| dashboard.uid == uid));
            match missing.is_empty() {
                true => Verdict::ok(subject, format!("{} at {}/dashboards", listed.len(), service.base())),
                false => Verdict::fail(
                    subject,
                    format!("the service lacks {}", missing.join(", ")),
                    "the service and this command are of different versions: restart the service",
                ),
            }
        }
        Err(error) => Verdict::fail(
            subject,
            error.to_string(),
            "journalctl -u edgewatch -u edgewatch-dashboards says more",
        ),
    }
}

/// Whether Grafana has them. `runs` is what systemd says of it, if it knows: to ask a sleeping Grafana would wake it up.
pub fn check_grafana(grafana: &Client, runs: Option<bool>) -> Verdict {
    let subject = "grafana";
    let asleep = "not running (it starts on demand)";
    if runs == Some(false) {
        return Verdict::skip(subject, asleep);
    }
    match grafana.get_ok("/api/health") {
        Err(error) if runs == Some(true) => Verdict::fail(
            subject,
            error.to_string(),
            "systemctl restart grafana; journalctl -u grafana says more",
        ),
        Err(error) if error.is_refused() => Verdict::skip(subject, format!("{asleep}: {error}")),
        Err(error) => Verdict::warn(
            subject,
            error.to_string(),
            machine::remedy(&error, "see what its log says", grafana.port()),
        ),
        Ok(_) => judge_grafana(|uid| Ok(grafana.get(&format!("/api/dashboards/uid/{uid}"), &[])?.status)),
    }
}

fn judge_grafana(status_of: impl Fn(&str) -> Result<u16, edgewatch_program::error::CommandFailure>) -> Verdict {
    let subject = "grafana";
    let remedy = "see that Grafana is provisioned with edgewatch's dashboards: journalctl -u grafana -g provisioning";
    let mut absent = Vec::new();
    for dashboard in SHIPPED {
        match status_of(dashboard.uid) {
            Ok(200) => {}
            Ok(401 | 403) => return Verdict::skip(subject, "runs, but shows its dashboards only after a login"),
            Ok(404) => absent.push(dashboard.uid),
            Ok(status) => return Verdict::fail(subject, format!("answered {status} for {}", dashboard.uid), remedy),
            Err(error) => return Verdict::fail(subject, error.to_string(), remedy),
        }
    }
    match absent.is_empty() {
        true => Verdict::ok(subject, format!("runs and has all {} dashboards", SHIPPED.len())),
        false => Verdict::fail(subject, format!("runs, but lacks {}", absent.join(", ")), remedy),
    }
}

fn missing(is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let uids = SHIPPED.iter().map(|dashboard| dashboard.uid);
    uids.filter(|uid| !is_there(uid)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Status;
    use super::*;

    #[test]
    fn grafana_is_judged_by_its_dashboards() {
        assert_eq!(judge_grafana(|_| Ok(200)).status, Status::Ok);
        assert_eq!(judge_grafana(|_| Ok(401)).status, Status::Skip);
        let lacks = judge_grafana(|uid| Ok(if uid == "edgewatch-budget" { 404 } else { 200 }));
        assert_eq!(
            (lacks.status, &*lacks.found),
            (Status::Fail, "runs, but lacks edgewatch-budget")
        );
        assert_eq!(judge_grafana(|_| Ok(500)).status, Status::Fail);
    }

    #[test]
    fn a_sleeping_grafana_is_left_alone() {
        let nowhere = Client::new("http://127.0.0.1:1").unwrap();
        assert_eq!(
            check_grafana(&nowhere, Some(false)).found,
            "not running (it starts on demand)"
        );
        assert_eq!(check_grafana(&nowhere, None).status, Status::Skip);
        assert_eq!(check_grafana(&nowhere, Some(true)).status, Status::Fail);
    }
}

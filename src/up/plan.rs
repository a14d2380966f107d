//! The checks before anything is started: settings, programs, state directory, ports.

use std::fs;
use std::path::Path;

use super::error::UpError;
use super::grafana::Grafana;
use super::ports::{self, Port};
use super::state_dir::StateDir;
use super::terminal::say;
use super::{Args, Simulated, prometheus};
use crate::config::Settings;
use edgewatch_dashboards::settings::Links;

use edgewatch_sensors::budget::Budget;
use edgewatch_sensors::collectors::simulated;

/// The collector that needs no hardware.
const SIMULATED: &str = simulated::COLLECTOR.name;

/// What will run, and where. The ports stay bound until their owners take over, so that no two get the same.
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    /// Limits of all parts.
    pub(crate) budget: Budget,
    /// Files of the children.
    pub(crate) state: StateDir,
    pub(crate) service: Port,
    pub(crate) prometheus: Port,
    /// Grafana and its port, if it is installed and not left out.
    pub(crate) grafana: Option<(Grafana, Port)>,
}

impl Plan {
    /// Checks the settings, the programs, the state directory and the ports.
    ///
    /// # Errors
    /// The first of them with which the stack cannot run.
    pub(crate) async fn make(args: &Args) -> Result<Self, UpError> {
        let mut settings = Settings::load(args.config.as_deref())?;
        if settings.auth.users_file.is_some() && !settings.auth.trust_loopback {
            return Err(UpError::Authentication);
        }
        let budget = Budget::load(settings.paths.budget.as_deref())?;
        prometheus::check(&args.prometheus).await?;
        let state = StateDir::take(args.state_dir.as_deref())?;
        let service = ports::take("--port", args.port, 8000)?;
        let prometheus = ports::take("--prometheus-port", args.prometheus_port, 9090)?;
        let grafana = match Grafana::find() {
            Some(grafana) if !args.no_grafana => {
                Some((grafana, ports::take("--grafana-port", args.grafana_port, 3000)?))
            }
            _ => None,
        };
        simulate(&mut settings, args.simulated);
        // The dashboards show this stack, even if the settings name another one.
        settings.prometheus.url = prometheus.url();
        link(&mut settings.links, &prometheus, grafana.as_ref().map(|(_, port)| port));
        Ok(Self {
            settings,
            budget,
            state,
            service,
            prometheus,
            grafana,
        })
    }
}

/// Enables or disables the simulated sensors.
fn simulate(settings: &mut Settings, when: Simulated) {
    let is_configured = settings
        .sources
        .get(SIMULATED)
        .is_some_and(|source| source.enabled.is_some());
    let enabled = match when {
        Simulated::Always => true,
        Simulated::Never => false,
        Simulated::Auto if is_configured || settings.simulated.enabled || has_sensors(&settings.paths.sysfs) => return,
        Simulated::Auto => {
            say("no sensors found on this machine: showing simulated ones (chip=\"simulated\")");
            true
        }
    };
    settings.sources.entry(SIMULATED.to_owned()).or_default().enabled = Some(enabled);
}

/// True if the kernel knows a chip or a thermal zone.
fn has_sensors(sysfs: &Path) -> bool {
    [("class/hwmon", "hwmon"), ("class/thermal", "thermal_zone")]
        .iter()
        .any(|(directory, prefix)| {
            fs::read_dir(sysfs.join(directory))
                .into_iter()
                .flatten()
                .flatten()
                .any(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()))
        })
}

/// Sets the links of the status page to the actual ports, unless the settings have links.
fn link(links: &mut Links, prometheus: &Port, grafana: Option<&Port>) {
    links.prometheus.get_or_insert_with(|| prometheus.url());
    // An empty string means that there is none.
    links
        .grafana
        .get_or_insert_with(|| grafana.map(Port::url).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(entry: &str) -> (tempfile::TempDir, Settings) {
        let sysfs = tempfile::tempdir().unwrap();
        fs::create_dir_all(sysfs.path().join("class").join(entry)).unwrap();
        let mut settings = Settings::default();
        settings.paths.sysfs = sysfs.path().to_owned();
        (sysfs, settings)
    }

    #[test]
    fn sensors_are_simulated_where_there_are_none() {
        for (entry, simulated) in [
            ("hwmon", true),
            ("thermal/cooling_device0", true),
            ("thermal/thermal_zone0", false),
            ("hwmon/hwmon3", false),
        ] {
            let (_sysfs, mut settings) = settings(entry);
            simulate(&mut settings, Simulated::Auto);
            assert_eq!(
                simulated::COLLECTOR.is_enabled(&settings.sensors()),
                simulated,
                "{entry}"
            );
        }
    }

    #[test]
    fn what_the_person_says_counts_more_than_what_the_machine_has() {
        let (_sysfs, mut settings) = settings("hwmon/hwmon0");
        simulate(&mut settings, Simulated::Always);
        assert!(simulated::COLLECTOR.is_enabled(&settings.sensors()));
        simulate(&mut settings, Simulated::Never);
        assert!(!simulated::COLLECTOR.is_enabled(&settings.sensors()));
        settings.paths.sysfs = "/nonexistent".into();
        simulate(&mut settings, Simulated::Auto);
        assert!(
            !simulated::COLLECTOR.is_enabled(&settings.sensors()),
            "decided by the settings"
        );
    }

    #[test]
    fn links_of_the_settings_stay() {
        let port = ports::take("--port", Some(0), 8000).unwrap();
        let mut links = Links {
            prometheus: Some("http://pi.local/prometheus".into()),
            grafana: None,
        };
        link(&mut links, &port, None);
        assert_eq!(links.prometheus.as_deref(), Some("http://pi.local/prometheus"));
        assert_eq!(links.grafana.as_deref(), Some(""));
        links.grafana = None;
        link(&mut links, &port, Some(&port));
        assert_eq!(links.grafana, Some(port.url()));
    }
}

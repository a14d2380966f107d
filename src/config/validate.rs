//! Validation of values.

use std::fmt;
use std::time::Duration;

use super::Settings;
use super::error::{InvalidValue, SettingsError};

use edgewatch_program::output::without_credentials;
use edgewatch_prometheus_client::Client;
use edgewatch_sensors::collectors;
use edgewatch_sensors::collectors::modbus::registers;
use edgewatch_sensors::collectors::mqtt::rules::rules;
use edgewatch_sensors::settings::mqtt::Address;

impl Settings {
    /// Reports all invalid values at once.
    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        let mut problems = Problems::default();
        self.validate_http(&mut problems);
        problems.within("limits.readings_per_source", self.limits.readings_per_source, 1, 10_000);
        problems.within("limits.label_length", self.limits.label_length, 16, 1024);
        let spike = &self.cpu_spike;
        problems.within("cpu_spike.threshold", spike.threshold, 0.05, 1.0);
        problems.within("cpu_spike.clear", spike.clear, 0.0, spike.threshold);
        problems.within_time("cpu_spike.window", spike.window, 1_000, 600_000);
        self.validate_dashboards(&mut problems);
        for (key, link) in [
            ("links.prometheus", &self.links.prometheus),
            ("links.grafana", &self.links.grafana),
        ] {
            if let Some(link) = link
                && !link.is_empty()
                && !link.starts_with("http://")
                && !link.starts_with("https://")
            {
                problems.add(key, link, "an address that begins with http:// or https://, or nothing");
            }
        }
        for (name, source) in &self.sources {
            if collectors::find(name).is_none() {
                problems.add("sources", name, &collectors::names().join(", "));
            }
            if let Some(period) = source.period {
                problems.within_time(&format!("sources.{name}.period"), period, 100, 3_600_000);
            }
            if let Some(deadline) = source.deadline {
                problems.within_time(&format!("sources.{name}.deadline"), deadline, 10, 300_000);
            }
        }
        for (number, fault) in self.simulated.faults.iter().enumerate() {
            problems.within(
                &format!("simulated.faults[{number}].probability"),
                fault.probability,
                0.0,
                1.0,
            );
        }
        self.validate_mqtt(&mut problems);
        self.validate_modbus(&mut problems);
        for (table, inner) in [
            ("forward", self.forward.problems()),
            ("update", self.update.problems()),
            ("notify", self.notify.problems()),
        ] {
            for problem in inner {
                problems.add(&format!("{table}.{}", problem.key), problem.value, &problem.allowed);
            }
        }
        problems.into_result()
    }

    fn validate_modbus(&self, problems: &mut Problems) {
        let buses = &self.modbus.buses;
        if buses.len() > 16 {
            problems.add("modbus.buses", buses.len(), "at most 16");
        }
        // Beside each device's own series.
        let devices = buses.iter().flat_map(|bus| &bus.devices);
        let series: usize = devices.map(|device| device.registers.len() + 1).sum();
        if series > self.limits.readings_per_source {
            let allowed = format!("at least {series} with these [[modbus.buses]]");
            problems.add("limits.readings_per_source", self.limits.readings_per_source, &allowed);
        }
        for (number, bus) in buses.iter().enumerate() {
            problems.within_time(&format!("modbus.buses[{number}].timeout"), bus.timeout, 50, 30_000);
            problems.within(&format!("modbus.buses[{number}].baud"), bus.baud, 300, 1_000_000);
            if bus.name.is_empty() || buses[..number].iter().any(|other| other.name == bus.name) {
                problems.add(
                    &format!("modbus.buses[{number}].name"),
                    &bus.name,
                    "a name that no other bus has",
                );
            }
        }
        if let Err((number, error)) = registers::buses(&self.modbus) {
            problems.add(
                &format!("modbus.buses[{number}]"),
                &buses[number].name,
                &error.to_string(),
            );
        }
    }

    fn validate_mqtt(&self, problems: &mut Problems) {
        let mqtt = &self.mqtt;
        let has_rules = !mqtt.presets.is_empty() || !mqtt.subscriptions.is_empty();
        match &mqtt.url {
            Some(url) if Address::parse(url).is_none() => {
                problems.add("mqtt.url", url, "mqtt://HOST, mqtts://HOST, and :PORT behind it; user and password belong into mqtt.username and mqtt.password_file");
            }
            Some(_) if !has_rules => {
                problems.add(
                    "mqtt.presets",
                    "[]",
                    "a preset, or [[mqtt.subscriptions]]: otherwise nothing is subscribed to",
                );
            }
            None if has_rules => problems.add("mqtt.url", "", "the address of the broker, mqtt://HOST"),
            Some(_) | None => {}
        }
        if mqtt.subscriptions.len() > 100 {
            problems.add("mqtt.subscriptions", mqtt.subscriptions.len(), "at most 100");
        }
        problems.within_time("mqtt.stale_after", mqtt.stale_after, 1_000, 2_592_000_000);
        for (number, subscription) in mqtt.subscriptions.iter().enumerate() {
            if let Some(stale_after) = subscription.stale_after {
                let key = format!("mqtt.subscriptions[{number}].stale_after");
                problems.within_time(&key, stale_after, 1_000, 2_592_000_000);
            }
        }
        if let Err((number, error)) = rules(mqtt) {
            problems.add(&format!("mqtt.subscriptions[{number}]"), "", &error.to_string());
        }
    }

    fn validate_dashboards(&self, problems: &mut Problems) {
        let prometheus = &self.prometheus;
        if Client::new(&prometheus.url).is_err() {
            problems.add(
                "prometheus.url",
                &prometheus.url,
                "http://HOST:PORT, and a path behind it, without user and password",
            );
        }
        problems.within_time("prometheus.timeout", prometheus.timeout, 500, 15_000);
        if let Some(interval) = prometheus.scrape_interval {
            problems.within_time("prometheus.scrape_interval", interval, 1_000, 3_600_000);
        }
        problems.within("prometheus.max_series", prometheus.max_series, 1, 1000);
        // A relative path would depend on the working directory of the service.
        let directories = [
            ("dashboards.directories", &self.dashboards.directories[..]),
            ("textfile.directories", &self.textfile.directories[..]),
            ("tls.directory", self.tls.directory.as_slice()),
            ("tls.state_directory", self.tls.state_directory.as_slice()),
        ];
        for (key, directories) in directories {
            for directory in directories.iter().filter(|path| path.is_relative()) {
                problems.add(key, directory.display(), "absolute paths");
            }
        }
    }

    fn validate_http(&self, problems: &mut Problems) {
        let http = &self.http;
        if http.listen.is_empty() {
            problems.add("http.listen", "[]", "at least one address");
        }
        for listen in &http.listen {
            if !listen.is_local() && self.auth.users_file.is_none() && http.web_config_file.is_none() && !http.insecure
            {
                problems.add(
                    "http.listen",
                    listen,
                    "a loopback address; for any other set auth.users_file, or http.insecure = true to let everybody in the network read",
                );
            }
        }
        for host in &http.hosts {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.' || byte == b'_';
            if host.is_empty() || !host.bytes().all(is_name) {
                problems.add(
                    "http.hosts",
                    host,
                    "names such as status.example, without scheme and port",
                );
            }
        }
        problems.within("http.max_connections", http.max_connections, 1, 1024);
        problems.within_time("http.client_timeout", http.client_timeout, 100, 60_000);
        problems.within_time("http.keep_alive", http.keep_alive, 1_000, 600_000);
        problems.within_time("http.shutdown_timeout", http.shutdown_timeout, 1_000, 60_000);
    }
}

/// The invalid values.
#[derive(Default)]
struct Problems(Vec<InvalidValue>);

impl Problems {
    fn add(&mut self, key: &str, value: impl fmt::Display, allowed: &str) {
        self.0.push(InvalidValue {
            key: key.to_owned(),
            value: without_credentials(&value.to_string()).into_owned(),
            allowed: allowed.to_owned(),
        });
    }

    fn within<T: Copy + PartialOrd + fmt::Display>(&mut self, key: &str, value: T, min: T, max: T) {
        if !(min..=max).contains(&value) {
            self.add(key, value, &format!("{min} to {max}"));
        }
    }

    fn within_time(&mut self, key: &str, value: Duration, min_ms: u64, max_ms: u64) {
        let (min, max) = (Duration::from_millis(min_ms), Duration::from_millis(max_ms));
        if !(min..=max).contains(&value) {
            self.add(key, format!("{value:?}"), &format!("{min:?} to {max:?}"));
        }
    }

    fn into_result(self) -> Result<(), SettingsError> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(SettingsError::Invalid(self.0)),
        }
    }
}

//! Grafana as a child, if it is installed: provisioned, small, and on the loopback address.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::process::Command;

use super::child::Child;
use super::error::UpError;
use super::ports::Port;
use super::state_dir::StateDir;
use edgewatch_dashboards::library;

use edgewatch_sensors::budget::GrafanaBudget;

/// Its name in messages.
pub(crate) const NAME: &str = "grafana";
/// The uid of the data source in the dashboards.
const DATA_SOURCE: &str = "edgewatch-prometheus";
/// Where Debian's package has the program itself; that in /usr/sbin is a wrapper that requires /etc/grafana.
const DEBIAN: &str = "/usr/share/grafana/bin";
const SETTINGS: &str = include_str!("grafana.ini");
/// Files in the state directory, which the settings name as well.
const PASSWORD: &str = "grafana/admin_password";
const SECRET: &str = "grafana/secret_key";
const PROVISIONING: &str = "grafana/provisioning";
const DASHBOARDS: &str = "grafana/dashboards";

/// An installed Grafana.
#[derive(Debug)]
pub(crate) struct Grafana {
    program: PathBuf,
    /// The directory of its web pages and defaults.
    home: PathBuf,
}

impl Grafana {
    /// Searches where the packages install it, then `$PATH`.
    pub(crate) fn find() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let directories = env::split_paths(&path).collect::<Vec<_>>();
        Self::find_in([DEBIAN.into()].into_iter().chain(directories))
    }

    fn find_in(directories: impl Iterator<Item = PathBuf>) -> Option<Self> {
        directories
            .flat_map(|directory| ["grafana", "grafana-server"].map(|name| directory.join(name)))
            .filter(|program| is_program(program))
            .find_map(|program| {
                Some(Self {
                    home: home_of(&program)?,
                    program,
                })
            })
    }

    /// Starts it on `port`, with `prometheus` as its data source, and gives a line about the result. The stack runs without it as well.
    pub(crate) fn start(
        &self,
        state: &StateDir,
        budget: &GrafanaBudget,
        prometheus: SocketAddr,
        port: Port,
    ) -> (String, Option<Child>) {
        let password = state.path(PASSWORD);
        let about = format!(
            "{} in half a minute; the password of admin is in {}",
            port.url(),
            password.display()
        );
        match self.try_start(state, budget, prometheus, port) {
            Ok(child) => (about, Some(child)),
            Err(error) => (error.to_string(), None),
        }
    }

    fn try_start(
        &self,
        state: &StateDir,
        budget: &GrafanaBudget,
        prometheus: SocketAddr,
        port: Port,
    ) -> Result<Child, UpError> {
        state.secret(PASSWORD)?;
        state.secret(SECRET)?;
        for (part, content) in provisioning(state, prometheus) {
            state.write(&part, &content)?;
        }
        let configuration = state.write("grafana/grafana.ini", &settings(state, port.address))?;
        let mut command = Command::new(&self.program);
        if self.program.file_name().is_some_and(|name| name == "grafana") {
            command.arg("server");
        }
        command
            .arg("--homepath")
            .arg(&self.home)
            .arg("--config")
            .arg(configuration)
            .env("GOMEMLIMIT", &budget.gomemlimit)
            .env("GOMAXPROCS", budget.gomaxprocs.to_string());
        drop(port);
        Child::start(NAME, command, &state.lock)
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// The directory above the program (release archive, Debian), or the one in share beside it (Nix).
fn home_of(program: &Path) -> Option<PathBuf> {
    let program = fs::canonicalize(program).ok()?;
    let prefix = program.parent()?.parent()?;
    [prefix.to_owned(), prefix.join("share/grafana")]
        .into_iter()
        .find(|home| home.join("conf/defaults.ini").is_file())
}

/// Paths in the state directory and contents of the provisioning files. They are JSON, which is YAML as well.
fn provisioning(state: &StateDir, prometheus: SocketAddr) -> Vec<(String, String)> {
    let source = json!({
        "apiVersion": 1,
        "datasources": [{
            "name": "Prometheus",
            "uid": DATA_SOURCE,
            "type": "prometheus",
            "access": "proxy",
            "url": format!("http://{prometheus}"),
            "isDefault": true,
            "editable": false,
            // The scrape interval: $__rate_interval is four of them.
            "jsonData": { "timeInterval": "15s" },
        }],
    });
    let provider = json!({
        "apiVersion": 1,
        "providers": [{
            "name": "edgewatch",
            "type": "file",
            "allowUiUpdates": false,
            "options": { "path": state.path(DASHBOARDS) },
        }],
    });
    let mut files: Vec<_> = library::SHIPPED
        .iter()
        .map(|dashboard| {
            (
                format!("{DASHBOARDS}/{}.json", dashboard.uid),
                dashboard.json.to_owned(),
            )
        })
        .collect();
    files.push((format!("{PROVISIONING}/datasources/edgewatch.yaml"), source.to_string()));
    files.push((
        format!("{PROVISIONING}/dashboards/edgewatch.yaml"),
        provider.to_string(),
    ));
    files
}

/// The settings: anonymous viewers on this machine only, and without features that need memory or the internet.
fn settings(state: &StateDir, address: SocketAddr) -> String {
    SETTINGS
        .replace("@STATE@", &state.directory.to_string_lossy())
        .replace("@IP@", &address.ip().to_string())
        .replace("@PORT@", &address.port().to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn state() -> (tempfile::TempDir, StateDir) {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDir::take(Some(directory.path())).unwrap();
        (directory, state)
    }

    #[test]
    fn each_layout_of_an_installation_is_found() {
        for (program, defaults) in [
            ("bin/grafana", "conf/defaults.ini"),
            ("bin/grafana-server", "share/grafana/conf/defaults.ini"),
        ] {
            let root = tempfile::tempdir().unwrap();
            let (program, defaults) = (root.path().join(program), root.path().join(defaults));
            for file in [&program, &defaults] {
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, "").unwrap();
            }
            let find = || Grafana::find_in([root.path().join("bin")].into_iter());
            assert!(find().is_none(), "not executable");
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let found = find().unwrap();
            assert_eq!(found.program, program);
            assert_eq!(
                found.home.join("conf/defaults.ini"),
                fs::canonicalize(&defaults).unwrap()
            );
            fs::remove_file(defaults).unwrap();
            assert!(find().is_none(), "no defaults");
        }
    }

    #[test]
    fn no_setting_stands_twice_and_every_file_named_is_written() {
        let (_directory, state) = state();
        let text = settings(&state, "127.0.0.1:3001".parse().unwrap());
        assert!(text.contains("http_addr = 127.0.0.1\nhttp_port = 3001\n") && !text.contains('@'));
        let mut seen = BTreeSet::new();
        let mut section = "";
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let key = line.split_once(" = ").map_or("", |(key, _)| key);
            if key.is_empty() {
                section = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).unwrap();
            }
            assert!(seen.insert((section, key)), "{line}");
        }
        let files = provisioning(&state, "127.0.0.1:9091".parse().unwrap());
        for part in files
            .iter()
            .map(|(part, _)| &**part)
            .filter(|part| part.contains("overview"))
            .chain([PASSWORD, SECRET, PROVISIONING])
        {
            assert!(text.contains(&format!("{}", state.path(part).display())), "{part}");
        }
    }

    #[test]
    fn provisioning_is_json_with_the_real_address() {
        let (_directory, state) = state();
        let files = provisioning(&state, "127.0.0.1:9091".parse().unwrap());
        let read = |name: &str| -> serde_json::Value {
            let (_, content) = files.iter().find(|(part, _)| part.ends_with(name)).unwrap();
            serde_json::from_str(content).unwrap()
        };
        let source = &read("datasources/edgewatch.yaml")["datasources"][0];
        assert_eq!(
            (&source["uid"], &source["url"]),
            (&json!(DATA_SOURCE), &json!("http://127.0.0.1:9091"))
        );
        let provider = &read("dashboards/edgewatch.yaml")["providers"][0];
        assert_eq!(provider["options"]["path"], json!(state.path(DASHBOARDS)));
    }

    #[test]
    fn secrets_are_made_once() {
        let (_directory, state) = state();
        let secret = || fs::read_to_string(state.secret(PASSWORD).unwrap()).unwrap();
        let first = secret();
        assert_eq!(first.len(), 32);
        assert_eq!(secret(), first);
        let other = fs::read_to_string(state.secret(SECRET).unwrap()).unwrap();
        assert_ne!(other, first);
    }
}

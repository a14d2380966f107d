//! The units of systemd say what `budget.toml` says, and what keeps the stack alive.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use edgewatch::config::Settings;
use edgewatch_sensors::budget::Budget;

/// A drop-in of every service.
const SANDBOX: &str = "systemd/10-edgewatch-sandbox.conf";

/// The files that make up each unit in the order in which systemd reads them, and its table in `budget.toml`.
const UNITS: [(&str, &[&str]); 6] = [
    ("total", &["systemd/edgewatch.slice"]),
    ("edgewatch", &["systemd/edgewatch.service", SANDBOX]),
    ("dashboards", &["systemd/edgewatch-dashboards.service", SANDBOX]),
    ("outbound", &["systemd/edgewatch-outbound.service", SANDBOX]),
    (
        "prometheus",
        &[
            SANDBOX,
            "packaging/debian/prometheus.service.d/edgewatch-debian.conf",
            "systemd/prometheus.service.d/edgewatch.conf",
        ],
    ),
    (
        "grafana",
        &[
            SANDBOX,
            "packaging/debian/grafana-server.service.d/edgewatch-debian.conf",
            "systemd/grafana-server.service.d/edgewatch.conf",
        ],
    ),
];

const LIMITS: [(&str, &str); 8] = [
    ("MemoryMax", "memory_max"),
    ("MemoryHigh", "memory_high"),
    ("MemoryMin", "memory_min"),
    ("MemorySwapMax", "memory_swap_max"),
    ("CPUQuota", "cpu_quota"),
    ("CPUWeight", "cpu_weight"),
    ("TasksMax", "tasks_max"),
    ("OOMScoreAdjust", "oom_score_adjust"),
];

/// What every service of the stack has, whatever its limits are.
const SERVICES: [(&str, &str); 5] = [
    ("Slice", "edgewatch.slice"),
    ("StartLimitIntervalSec", "0"),
    ("OOMPolicy", "kill"),
    ("NoNewPrivileges", "yes"),
    ("ProtectSystem", "strict"),
];

/// What those have that run always.
const ALWAYS: [(&str, &str); 1] = [("Restart", "always")];

/// What the sensor service has beside that: without the first it would hang unseen.
const SENSOR: [(&str, &str); 7] = [
    ("WatchdogSec", "30s"),
    ("Type", "notify-reload"),
    ("Sockets", "edgewatch.socket"),
    ("DynamicUser", "yes"),
    // It reads /proc/stat, the interfaces, the clock and a separate /home, which other values of these would hide.
    ("ProtectHome", "read-only"),
    ("SystemCallFilter", "adjtimex clock_adjtime clock_adjtime64"),
    // Without, it could not connect to the dashboards.
    ("SupplementaryGroups", "edgewatch-sockets"),
];

/// What the program that shows dashboards has: it is started by its socket, is killed soon when it stands still, and sees little.
const DASHBOARDS: [(&str, &str); 11] = [
    ("WatchdogSec", "20s"),
    ("TimeoutAbortSec", "2s"),
    ("Type", "notify"),
    ("StandardInput", "socket"),
    ("DynamicUser", "yes"),
    ("ProtectProc", "invisible"),
    ("ProcSubset", "pid"),
    ("InaccessiblePaths", "/sys"),
    ("IPAddressDeny", "any"),
    ("IPAddressAllow", "localhost"),
    // Without, one that cannot start would be started without a pause for the connection that waits.
    (
        "ExecStopPost",
        r#"+/bin/sh -c '[ "$$SERVICE_RESULT" = success ] || sleep 1'"#,
    ),
];

/// What the program that sends has: it comes back after a fault, not after an end, keeps what it has sent, and is allowed out.
const OUTBOUND: [(&str, &str); 9] = [
    // Behind what writes settings before the service starts, such as the first boot of an image.
    ("After", "edgewatch.service"),
    ("Type", "notify-reload"),
    ("WatchdogSec", "60s"),
    ("Restart", "on-failure"),
    ("DynamicUser", "yes"),
    ("StateDirectory", "edgewatch-outbound"),
    ("RuntimeDirectory", "edgewatch-outbound"),
    // The service, another user, reads the metrics there.
    ("RuntimeDirectoryMode", "0755"),
    ("IPAddressAllow", "any"),
];
const HIDES_WHAT_THE_SENSOR_READS: [&str; 3] = ["ProcSubset", "PrivateNetwork", "ProtectClock"];

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Every file of [`UNITS`] by its name.
fn shipped() -> BTreeMap<&'static str, String> {
    let names = UNITS.iter().flat_map(|(_, files)| *files);
    names.map(|name| (*name, read(name))).collect()
}

/// `Key=value` of all sections in order.
fn settings(text: &str) -> Vec<(String, String)> {
    let text = text.replace("\\\n", " ");
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='));
    lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// What the unit must say beside its limits.
fn required(table: &str) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let lists: &[&[_]] = match table {
        "total" => &[],
        "edgewatch" => &[&SERVICES, &ALWAYS, &SENSOR],
        "dashboards" => &[&SERVICES, &DASHBOARDS],
        "outbound" => &[&SERVICES, &OUTBOUND],
        _ => &[&SERVICES, &ALWAYS],
    };
    lists.iter().copied().flatten()
}

/// What is wrong with the units.
fn problems(files: &BTreeMap<&str, String>) -> Vec<String> {
    let budget: toml::Table = edgewatch_sensors::budget::SHIPPED.parse().unwrap();
    let mut problems = Vec::new();
    for (table, names) in UNITS {
        let settings: Vec<_> = names.iter().flat_map(|name| settings(&files[name])).collect();
        let last = |key: &str| {
            settings
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map(|(_, value)| &**value)
        };
        let granted = |key: &str| match budget[table].get(key)? {
            toml::Value::String(text) => Some(text.clone()),
            number => Some(number.to_string()),
        };
        let limits = LIMITS.map(|(key, name)| (key, granted(name)));
        let expected = limits
            .into_iter()
            .chain(required(table).map(|(key, value)| (*key, Some((*value).to_owned()))));
        for (key, value) in expected {
            if last(key) != value.as_deref() {
                problems.push(format!("{table}: {key} is {:?}, not {value:?}", last(key)));
            }
        }
        for key in HIDES_WHAT_THE_SENSOR_READS {
            if table == "edgewatch" && last(key).is_some() {
                problems.push(format!("{table}: {key} hides what the service reads"));
            }
        }
        let words = |key: &str| -> Vec<String> {
            let values = settings.iter().filter(|(name, _)| name == key);
            values
                .flat_map(|(_, value)| value.split_whitespace().map(ToOwned::to_owned))
                .collect()
        };
        for word in of_the_program(table) {
            let key = if word.starts_with("--") {
                "ExecStart"
            } else {
                "Environment"
            };
            if !words(key).contains(&word) {
                problems.push(format!("{table}: {key} lacks {word}"));
            }
        }
    }
    problems
}

/// Flags and variables that the budget asks for.
fn of_the_program(table: &str) -> Vec<String> {
    let budget = Budget::load(None).unwrap();
    match table {
        "prometheus" => {
            let variables = budget.prometheus.environment();
            let variables = variables.iter().map(|(name, value)| format!("{name}={value}"));
            budget.prometheus.flags().into_iter().chain(variables).collect()
        }
        "grafana" => vec![
            format!("GOMEMLIMIT={}", budget.grafana.gomemlimit),
            format!("GOMAXPROCS={}", budget.grafana.gomaxprocs),
        ],
        _ => Vec::new(),
    }
}

/// `text` of a unit of `table` with the numbers of `budget.toml` in the lines that are there.
fn renewed(table: &str, text: &str) -> String {
    let budget: toml::Table = edgewatch_sensors::budget::SHIPPED.parse().unwrap();
    let of_the_program = of_the_program(table);
    let word = |word: &str| {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        let same = of_the_program
            .iter()
            .find(|other| other.split_once('=').is_some_and(|(other, _)| other == name));
        same.map_or_else(|| word.to_owned(), Clone::clone)
    };
    let line = |line: &str| {
        let key = line.split_once('=').map_or("", |(key, _)| key);
        let limit = LIMITS.iter().find(|(known, _)| *known == key);
        match limit.and_then(|(_, name)| budget[table].get(*name)) {
            Some(toml::Value::String(text)) => format!("{key}={text}"),
            Some(number) => format!("{key}={number}"),
            None => {
                let (key, words) = match line.strip_prefix("Environment=") {
                    Some(words) => ("Environment=", words),
                    None => ("", line),
                };
                let words = words.split(' ').map(word).collect::<Vec<_>>().join(" ");
                format!("{key}{words}")
            }
        }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// With `UPDATE_UNITS=1`, as `make budget` sets it, they are written anew.
#[test]
fn the_units_say_what_the_budget_says() {
    for (table, names) in UNITS {
        for name in names {
            let (text, path) = (read(name), Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
            let renewed = renewed(table, &text);
            if renewed != text && std::env::var_os("UPDATE_UNITS").is_some() {
                fs::write(path, &renewed).unwrap();
            } else {
                assert_eq!(renewed, text, "{name} is stale: make budget");
            }
        }
    }
    assert_eq!(problems(&shipped()), [""; 0]);
}

#[test]
fn a_line_that_is_missing_or_different_is_found() {
    for (table, names) in UNITS {
        for name in names {
            let text = read(name);
            for line in text.lines() {
                let Some((key, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
                    continue;
                };
                let is_checked = LIMITS.iter().chain(required(table)).any(|(known, _)| *known == key);
                let is_part_of_a_list = line.contains('@');
                if !(is_checked || line.starts_with("Environment=GO")) || is_part_of_a_list {
                    continue;
                }
                for replacement in [String::new(), format!("{key}=1")] {
                    let mut files = shipped();
                    files.insert(
                        name,
                        text.replacen(&format!("\n{line}\n"), &format!("\n{replacement}\n"), 1),
                    );
                    let is_redundant = ["edgewatch", "outbound"].contains(&table) && line == "Type=notify";
                    assert_eq!(
                        problems(&files).is_empty(),
                        is_redundant,
                        "{name}: {line} became {replacement:?}"
                    );
                }
            }
        }
    }
    let debian = "packaging/debian/prometheus.service.d/edgewatch-debian.conf";
    for flag in Budget::load(None).unwrap().prometheus.flags() {
        let mut files = shipped();
        files.insert(debian, read(debian).replace(&flag, "--log.level=warn"));
        assert_eq!(problems(&files).len(), 1, "{flag}");
    }
}

#[test]
fn what_the_units_are_promised_and_limited_to_fits_into_the_slice() {
    let budget = Budget::load(None).unwrap();
    let units = [
        &budget.edgewatch,
        &budget.dashboards,
        &budget.outbound,
        &budget.prometheus.unit,
        &budget.grafana.unit,
    ];
    let promised: u64 = units.iter().filter_map(|unit| unit.memory_min).map(|min| min.0).sum();
    assert!(promised <= budget.total.memory_min.0);
    assert!(units.iter().map(|unit| unit.memory_max.0).sum::<u64>() <= budget.total.memory_max.0);
    for unit in units {
        assert!(unit.memory_min.is_none_or(|min| min < unit.memory_high) && unit.memory_high < unit.memory_max);
    }
}

#[test]
fn everybody_agrees_on_the_addresses() {
    let listen = Settings::default().http.listen[0].to_string();
    assert!(read("systemd/edgewatch.socket").contains(&format!("\nListenStream={listen}\n")));
    let scrape = read("prometheus/prometheus.yml");
    let prometheus = read("packaging/debian/prometheus.service.d/edgewatch-debian.conf");
    let (_, address) = prometheus.split_once("--web.listen-address=").unwrap();
    let address = address.split_whitespace().next().unwrap();
    assert!(scrape.contains(&format!("targets: [{listen}]")) && scrape.contains(&format!("targets: [{address}]")));
    let source = read("packaging/debian/provisioning/datasources/edgewatch.yaml");
    assert!(source.contains(&format!("url: http://{address}\n")));
}

/// The socket of the dashboards: the service connects where systemd listens, and nobody else can.
#[test]
fn the_service_and_nobody_else_reaches_the_dashboards() {
    let socket = settings(&read("systemd/edgewatch-dashboards.socket"));
    let of_socket = |key: &str| {
        let mut values = socket.iter().filter(|(name, _)| name == key);
        let (_, value) = values.next().unwrap_or_else(|| panic!("no {key}"));
        assert!(values.next().is_none(), "{key} twice");
        value.clone()
    };
    let service = read("systemd/edgewatch.service");
    let path = of_socket("ListenStream");
    assert!(service.contains(&format!("\nEnvironment=EDGEWATCH__DASHBOARDS__SOCKET={path}\n")));
    let group = of_socket("SocketGroup");
    assert!(service.contains(&format!("\nSupplementaryGroups={group}\n")));
    assert_eq!(of_socket("SocketMode"), "0660");
    // Any other would close the socket for good.
    assert_eq!(of_socket("TriggerLimitIntervalSec"), "0");
    let sysusers = read("packaging/debian/sysusers.d/edgewatch.conf");
    assert!(sysusers.contains(&format!("\ng {group} -\n")));
    assert!(read("nixos/sensor.nix").contains(&format!("users.groups.{group} = {{ }};")));
    // What a service without the dashboards starts with.
    assert!(
        service.contains("\nWants=edgewatch-dashboards.socket\n") && !service.contains("Requires=edgewatch-dashboards")
    );
}

/// What the network may ask neither connects to it nor has its secrets.
#[test]
fn the_service_has_no_way_out_and_starts_what_has_one() {
    let service = read("systemd/edgewatch.service");
    assert!(!service.contains("\nIPAddressAllow=") && !service.contains("\nStateDirectory="));
    assert!(service.contains("\nWants=edgewatch-outbound.service\n"));
    assert!(service.contains("\nPropagatesReloadTo=edgewatch-outbound.service\n"));
    let metrics = Settings::default().paths.outbound;
    let directory = Path::new("/run/edgewatch-outbound");
    assert_eq!(metrics.parent(), Some(directory));
}

/// A start that another unit asks for does not wait for `RestartSec=`: units that pull each other in would restart without a pause when
/// a program cannot be run.
#[test]
fn no_unit_starts_another_that_waits_to_restart() {
    let restarted = ["edgewatch.service", "prometheus.service", "grafana-server.service"];
    let units = [
        "systemd/edgewatch.service",
        "systemd/edgewatch-dashboards.service",
        "systemd/edgewatch-outbound.service",
        "systemd/edgewatch-probe.service",
        "systemd/edgewatch-probe.timer",
        "systemd/prometheus.service.d/edgewatch.conf",
        "systemd/grafana-server.service.d/edgewatch.conf",
    ];
    for name in units {
        for (key, value) in settings(&read(name)) {
            let starts = ["Wants", "Requires", "BindsTo", "Upholds"].contains(&key.as_str());
            let again: Vec<_> = value
                .split_whitespace()
                .filter(|unit| restarted.contains(unit))
                .collect();
            assert!(!starts || again.is_empty(), "{name}: {key}={value}");
        }
    }
}

/// Else it would kill, every two minutes, a Prometheus that wants a password or has a path of its own.
#[test]
fn the_probe_kills_for_no_answer_and_not_for_its_status() {
    let probe = read("systemd/edgewatch-probe.service");
    let asked = probe.matches("/usr/bin/edgewatch wait ").count();
    assert_eq!(asked, 2);
    assert_eq!(probe.matches("/usr/bin/edgewatch wait --any-status ").count(), asked);
}

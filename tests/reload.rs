//! `SIGHUP`, as `Type=notify-reload` sends it.

use crate::common;

use common::clock::Clock;
use common::{FakeSys, Service, Setup, eventually};

const ZONE: &str = "node_thermal_zone_temp{zone=\"0\",type=\"cpu-thermal\"}";
const SUCCESS: &str = "edge_config_last_reload_successful";
const TIME: &str = "edge_config_last_reload_success_timestamp_seconds";

#[test]
fn good_settings_are_taken_without_a_restart_and_without_losing_counters() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    let service = Service::start(&sys.settings(&["thermal"]));
    service.get("/sensor");
    let before = service.metric(TIME).unwrap();
    let other = FakeSys::new();
    other.zone(0, "50000\n");
    service.configure(&other.settings(&["thermal"]));
    service.signal("HUP");
    let reloading = service.manager.wait_for("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    service.manager.wait_for_nth("READY=1", 2);
    assert_eq!(service.metric(ZONE), Some(50.0));
    assert_eq!(service.metric("sensor_requests_total"), Some(1.0));
    assert_eq!(service.metric(SUCCESS), Some(1.0));
    assert!(service.metric(TIME).unwrap() > before);
}

#[test]
fn what_sources_count_themselves_goes_on_after_a_reload() {
    let Some(clock) = Clock::new("what_sources_count_themselves_goes_on_after_a_reload") else {
        return;
    };
    let sys = FakeSys::new();
    sys.write("class/hwmon/hwmon0/name", "rpi_volt\n");
    sys.write("class/hwmon/hwmon0/in0_lcrit_alarm", "1\n");
    let before = sys.settings(&["clock", "raspberry_pi"]);
    let mut setup = Setup::new(&before);
    for (name, value) in clock.environment() {
        setup = setup.environment(name, &value);
    }
    let service = setup.start();
    let (steps, events) = ("edge_clock_steps_total", "edge_rpi_undervoltage_events_total");
    service.wait_for_metric(events, |value| value == Some(1.0));
    clock.set(3600);
    service.wait_for_metric(steps, |value| value == Some(1.0));
    service.reload(&format!("{before}[cpu_spike]\nthreshold = 0.8\n"));
    // The voltage is still as low as it was: no other event.
    assert_eq!((service.metric(steps), service.metric(events)), (Some(1.0), Some(1.0)));
    assert_eq!(service.metric("edge_clock_step_seconds").map(f64::round), Some(3600.0));
}

#[test]
fn bad_settings_are_refused_and_the_old_ones_stay() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    let mut service = Service::start(&sys.settings(&["thermal"]));
    let before = service.metric(TIME).unwrap();
    service.configure("[http]\nmax_connections = 0\n");
    service.signal("HUP");
    let said = service.manager.wait_for("reload refused");
    assert!(
        said.contains("READY=1") && said.contains("max_connections = 0"),
        "{said}"
    );
    assert_eq!(service.metric(SUCCESS), Some(0.0));
    assert_eq!(service.metric(TIME), Some(before));
    assert_eq!(service.metric(ZONE), Some(40.0));
    service.configure(&sys.settings(&["thermal"]));
    service.signal("HUP");
    service.wait_for_metric(SUCCESS, |value| value == Some(1.0));
    assert!(service.child.try_wait().unwrap().is_none());
}

#[test]
fn a_change_that_needs_a_restart_is_said() {
    let service = Service::start("");
    service.configure("[http]\nmax_connections = 5\n");
    service.signal("HUP");
    service.log.wait_for("next start");
}

#[test]
fn a_change_that_waits_for_a_restart_is_said_at_each_reload_and_not_shown_as_in_force() {
    let service = Service::start("");
    service.configure("[http]\nmax_connections = 5\n");
    for round in 1..=2 {
        service.signal("HUP");
        service.manager.wait_for_nth("READY=1", round + 1);
        // What it has written is read by another thread.
        assert!(common::eventually(|| service.log.count("next start") >= round));
        assert_eq!(service.log.count("next start"), round);
    }
}

#[test]
fn names_and_the_permission_to_be_open_take_effect_at_once() {
    let users = common::users_file(&[("operator", "correct horse")]);
    let tcp = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let there = std::net::SocketAddr::from(([127, 0, 0, 1], tcp.local_addr().unwrap().port()));
    let locked = format!("[auth]\nusers_file = {:?}\n", users.path());
    let service = common::Setup::new(&locked).socket(&tcp).start();
    let ask = |host: &str| {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        common::ask(there, request.as_bytes()).unwrap().status
    };
    assert_eq!(ask("127.0.0.1"), 401);
    // Without a password and without the permission: refused, and the password stays.
    service.configure("");
    service.signal("HUP");
    service.manager.wait_for("reload refused: refusing to listen");
    assert_eq!(ask("127.0.0.1"), 401);
    service.configure("[http]\ninsecure = true\n");
    service.signal("HUP");
    service.log.wait_for("everybody in the network can read");
    service.log.wait_for("settings reloaded");
    assert_eq!((ask("127.0.0.1"), ask("attacker.example")), (200, 421));
    assert_eq!(service.log.count("next start"), 0);
}

#[test]
fn no_scrape_fails_while_settings_are_reloaded_over_and_over() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    let service = Service::start(&sys.settings(&["thermal"]));
    for round in 0..30 {
        sys.zone(0, &format!("{}\n", 40_000 + round));
        service.configure(&format!(
            "{}\n[sources.thermal]\nperiod = \"{}ms\"\n",
            sys.settings(&["thermal"]),
            200 + round
        ));
        service.signal("HUP");
        assert!(service.metric(ZONE).is_some(), "round {round}");
    }
    assert!(
        eventually(|| service.process().status("Threads") < 6),
        "threads are left behind"
    );
}

#[test]
fn why_settings_are_refused_is_in_the_message_itself_and_one_line_for_systemd() {
    let service = Service::start("");
    service.configure("[http\n\n[log]\nlevel = \"x\\nMAINPID=1\"\n");
    service.signal("HUP");
    // A field beside the message, as `error=…`, is not what `journalctl` shows.
    service.log.wait_for("the old ones stay in force: settings (");
    let said = service.manager.wait_for("reload refused");
    assert!(said.contains("unclosed table"), "{said}");
    service.configure("[log]\nlevel = \"x\\nMAINPID=1\"\n");
    service.signal("HUP");
    let said = service.manager.wait_for_nth("reload refused", 2);
    assert!(said.contains("MAINPID=1") && !said.contains("\nMAINPID"), "{said}");
}

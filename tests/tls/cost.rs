//! What TLS costs the service in memory of its own.

use std::thread;
use std::time::Duration;

use super::*;

/// Connections that dashboards, scrapers and browsers hold.
const HELD: usize = 30;

/// KiB that TLS may take while nobody is connected, of which 36 were measured.
const AT_REST: u64 = 205;
/// KiB that those connections may take, of which 850 were measured.
const WHILE_HELD: u64 = 2000;

/// KiB of its own memory once it has served a scrape, the least of several looks.
fn at_rest(service: &Service) -> u64 {
    service.metrics();
    let looks = (0..10).map(|_| {
        thread::sleep(Duration::from_millis(100));
        service.process().status("RssAnon")
    });
    looks.min().unwrap()
}

#[test]
fn at_rest_tls_costs_little_memory() {
    let clear = at_rest(&Service::start(&only(&["load"])));
    let secure = at_rest(&Device::start().service);
    println!("{clear} KiB in clear text, {secure} KiB with TLS");
    assert!(
        secure <= clear + AT_REST,
        "{clear} KiB in clear text, {secure} KiB with TLS"
    );
}

#[test]
fn thirty_connections_that_are_held_cost_less_than_two_megabytes() {
    let device = Device::start();
    let own = device.own();
    let before = at_rest(&device.service);
    let mut held: Vec<TlsStream> = (0..HELD).map(|_| device.connect(&own)).collect();
    for stream in &mut held {
        assert!(ask_held(stream, "/metrics").starts_with("HTTP/1.1 200"));
    }
    let during = device.service.process().status("RssAnon");
    println!("{before} KiB without connections, {during} KiB with {HELD}");
    assert!(
        during <= before + WHILE_HELD,
        "{before} KiB without, {during} KiB with {HELD} connections"
    );
    for stream in &mut held {
        assert!(ask_held(stream, "/metrics").starts_with("HTTP/1.1 200"), "still open");
    }
}

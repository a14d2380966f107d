//! The behaviour of the real binary, one module for each subject: `cargo test --test all outage::` runs the tests of one.
//!
//! One program, because each is linked with everything, which took most of the time of the gate when there were forty. `scripts/test` runs
//! each module as a process of its own.

mod alerts;
mod attacks;
mod auth;
mod boards;
mod browser;
mod check;
mod common;
mod dashboard_directories;
mod dashboards;
mod dashboards_program;
mod documentation;
mod exposition;
mod faults;
mod first_boot;
mod fleet;
mod forward;
mod fuzz;
mod hot_plug;
mod http;
mod modbus;
mod mqtt;
mod node_dashboards;
mod node_exporter;
mod notify;
mod notify_receivers;
mod outage;
mod output;
mod package;
mod page_addresses;
mod pages;
mod prometheus;
mod public_dashboards;
mod query_limits;
mod reload;
mod render;
mod restart;
mod scrape;
mod scrape_reads;
mod sensors;
mod settings;
mod slow_sensors;
mod supported_dashboards;
mod systemd;
mod tls;
mod top;
mod units;
mod up;
mod update;
mod update_power_cuts;
mod value_units;
mod wait;

#[test]
fn every_file_of_tests_is_a_module() {
    let named = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_module = path.join("mod.rs").exists() || path.extension().is_some_and(|extension| extension == "rs");
        let module = format!("\nmod {name};\n");
        assert!(!is_module || name == "main" || named.contains(&module), "mod {name};");
    }
}

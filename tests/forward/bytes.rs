//! What an hour costs on the line, counted by the centre, heads of requests included: the history is that of crates/forward/tests/recorded,
//! 15 minutes of a busy machine, moved to where it is due now.

use serde_json::{Value, json};

use super::*;
use crate::common::upstream::{Reply, Upstream};

const MINUTE: i64 = 60_000;

/// What a real Prometheus has answered.
fn recorded(profile: &str) -> Vec<Value> {
    let file = format!(
        "{}/crates/forward/tests/recorded/{profile}.json.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    let file = flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap());
    let answer: Value = serde_json::from_reader(file).unwrap();
    answer["data"]["result"].as_array().unwrap().clone()
}

fn millis(sample: &Value) -> i64 {
    (sample[0].as_f64().unwrap() * 1000.0).round() as i64
}

/// A Prometheus with these series, each of whose samples is `later` by so many milliseconds.
fn prometheus(series: Vec<Value>, later: i64) -> Upstream {
    let number = |text: &str, before: &str, behind: char| -> f64 {
        let (_, rest) = text.rsplit_once(before).unwrap();
        rest.split(behind).next().unwrap().parse().unwrap()
    };
    Upstream::start(move |asked| {
        let data = if asked.starts_with("/api/v1/series") {
            json!([{"__name__": "up"}])
        } else if asked.starts_with("/api/v1/query") {
            let until = (number(asked, "time=", '&') * 1000.0).round() as i64;
            let after = until - number(asked, "[", 'm') as i64;
            let within = |sample: &&Value| (after + 1..=until).contains(&(millis(sample) + later));
            let mut result = Vec::new();
            for series in &series {
                let values = series["values"].as_array().unwrap().iter().filter(within);
                let values: Vec<Value> = values
                    .map(|sample| json!([(millis(sample) + later) as f64 / 1000.0, sample[1]]))
                    .collect();
                if !values.is_empty() {
                    result.push(json!({"metric": series["metric"], "values": values}));
                }
            }
            json!({"resultType": "matrix", "result": result})
        } else {
            json!({"lastConfigTime": "2026-01-01T00:00:00Z", "storageRetention": "12h"})
        };
        Reply::Json(200, json!({"status": "success", "data": data}).to_string())
    })
}

/// Bytes of an hour, from the windows of 15 minutes.
fn hour(profile: &str, compression: &str, window: i64, series: usize) -> usize {
    let mut history = recorded(profile);
    history.truncate(series);
    let values = history.iter().flat_map(|series| series["values"].as_array().unwrap());
    let newest = values.map(millis).max().unwrap();
    let centre = Centre::start(Conduct::Take);
    for number in 0..15 * MINUTE / window {
        // One window is due, and none before it.
        let end = now() - 2000;
        let prometheus = prometheus(history.clone(), end - newest + number * window);
        let directory = tempfile::tempdir().unwrap();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let written = json!({"wall_ms": now(), "uptime_ms": (uptime * 1000.0) as i64, "boot": boot.trim()});
        let cursor = json!({"sent_until_ms": end - window, "written": written});
        std::fs::write(directory.path().join("forward.json"), cursor.to_string()).unwrap();
        let service = Service::start(&format!(
            "{}{}[forward]\nurl = {:?}\nprofile = {profile:?}\ncompression = {compression:?}\nlag = \"1s\"\ndirectory = {:?}\n\
             [forward.labels]\nedge = \"gate-1a2b3c4d\"\n",
            only(&["load"]),
            prometheus.settings(),
            centre.url(),
            directory.path(),
        ));
        service.wait_for_metric(SENT, |sent| sent > Some(0.0));
        assert!(eventually(|| sent_until(&service) >= end - stored::READING_AGE_MS));
    }
    centre.assert_all_was_well();
    let (sent, samples) = (centre.samples(), centre.taken());
    println!(
        "{profile}, {compression}: {} series, {} requests, {} bytes an hour",
        sent.len(),
        centre.requests(),
        centre.bytes() * 4
    );
    // All of the recording, which has a sample every 15 s or, of rules, every 30 s.
    assert!(samples > 25 * sent.len(), "{samples} samples of {} series", sent.len());
    centre.bytes() * 4
}

/// What the table of docs/fleet.md says of a profile: KB an hour with the heads, with snappy and perhaps with zstd, and of how many series.
fn documented(profile: &str) -> (Vec<f64>, usize) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/fleet.md");
    let text = std::fs::read_to_string(file).unwrap();
    let row = text
        .lines()
        .find(|line| line.starts_with(&format!("| `{profile}` |")))
        .unwrap();
    let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
    let (_, series) = cells[3].split_once(" for ").unwrap();
    let series = series.split(' ').next().unwrap().parse().unwrap();
    (cells[4].split(", ").map(|size| size.parse().unwrap()).collect(), series)
}

#[test]
fn an_hour_on_the_line_costs_what_the_documents_say() {
    for (profile, window) in [("full", 5 * MINUTE), ("lte", 15 * MINUTE), ("heartbeat", 5 * MINUTE)] {
        let (sizes, series) = documented(profile);
        for (compression, size) in ["snappy", "zstd"].into_iter().zip(sizes) {
            let bytes = hour(profile, compression, window, series);
            let ratio = bytes as f64 / 1000.0 / size;
            assert!(
                (0.97..1.03).contains(&ratio),
                "{profile}, {compression}: {bytes} bytes an hour, documented {size} KB"
            );
        }
    }
}

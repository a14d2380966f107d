//! How many bytes an hour takes, counted from answers of a real Prometheus: 15 minutes of edgewatch (`collect = "full"`), Prometheus and the
//! shipped rules on a virtual machine, scraped every 15 s. Recorded for each profile by
//! `curl -G …/api/v1/query --data-urlencode 'query=SELECTOR[15m]' | gzip -9`; addresses and mounts have other names since. The machine was
//! busy: of its first 400 series 121 had another value at nearly each scrape.

use std::collections::BTreeSet;
use std::io::BufReader;

use crate::compression::Compression;
use crate::encode::{Encoder, Label, MAX_MESSAGE, Sample};
use crate::profile::Profile;
use crate::source::decode;
use crate::window::Window;

const MINUTE: i64 = 60_000;

/// What was recorded, by profile.
const fn recorded(profile: Profile) -> &'static [u8] {
    match profile {
        Profile::Full => include_bytes!("../../tests/recorded/full.json.gz"),
        Profile::Lte => include_bytes!("../../tests/recorded/lte.json.gz"),
        Profile::Heartbeat => include_bytes!("../../tests/recorded/heartbeat.json.gz"),
    }
}

/// Reads the samples of a window of at most `max` series, as they come from Prometheus.
fn read(profile: Profile, window: Window, max: usize, sink: &mut dyn FnMut(&[Label], &[Sample])) -> usize {
    let mut series = BTreeSet::new();
    let mut take = |own: &[Label], samples: &[Sample]| {
        let name: Vec<String> = own
            .iter()
            .map(|label| format!("{}={}", label.name, label.value))
            .collect();
        if series.len() < max || series.contains(&name) {
            series.insert(name);
            sink(own, samples);
        }
        Ok(())
    };
    let answer = BufReader::new(flate2::read::GzDecoder::new(recorded(profile)));
    decode::matrix(answer, window, &mut take).unwrap();
    series.len()
}

/// Series, samples, and bytes of the bodies of an hour.
fn hour(profile: Profile, max: usize, compression: Compression) -> (usize, u64, usize) {
    let everything = Window {
        after: 0,
        until: i64::MAX,
    };
    let mut newest = 0;
    let series = read(profile, everything, max, &mut |_, samples| {
        newest = newest.max(samples[samples.len() - 1].timestamp);
    });
    let length = i64::try_from(profile.window().as_millis()).unwrap();
    let (mut samples, mut bytes) = (0, 0);
    let mut until = newest;
    while until > newest - 15 * MINUTE {
        let window = Window {
            after: until - length,
            until,
        };
        let external = [Label {
            name: "edge".to_owned(),
            value: "gate-1a2b3c4d".to_owned(),
        }];
        let (mut encoder, mut merged) = (Encoder::new(MAX_MESSAGE, compression), Vec::new());
        let mut requests = Vec::new();
        read(profile, window, max, &mut |own, mut left| {
            super::shipment::merge(own, &external, &mut merged);
            loop {
                left = &left[encoder.push(&merged, left)..];
                if left.is_empty() {
                    return;
                }
                requests.extend(encoder.take().unwrap());
            }
        });
        requests.extend(encoder.take().unwrap());
        samples += requests.iter().map(|body| body.samples).sum::<u64>();
        bytes += requests.iter().map(|body| body.bytes.len()).sum::<usize>();
        until -= length;
    }
    (series, samples * 4, bytes * 4)
}

/// What the table of docs/fleet.md says of a profile: KB of bodies an hour, with snappy and with zstd, and of how many series.
fn documented(profile: Profile) -> ([f64; 2], usize) {
    let name = match profile {
        Profile::Full => "full",
        Profile::Lte => "lte",
        Profile::Heartbeat => "heartbeat",
    };
    let text = include_str!("../../../../docs/fleet.md");
    let row = text
        .lines()
        .find(|line| line.starts_with(&format!("| `{name}` |")))
        .unwrap();
    let (sizes, series) = row.split(" | ").nth(3).unwrap().split_once(" for ").unwrap();
    let (snappy, zstd) = sizes.split_once(", ").unwrap();
    let series = series.split(' ').next().unwrap();
    (
        [snappy, zstd].map(|size| size.parse().unwrap()),
        series.parse().unwrap(),
    )
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures of docs/fleet.md")]
fn an_hour_takes_what_the_documents_say() {
    for profile in [Profile::Full, Profile::Lte, Profile::Heartbeat] {
        let (sizes, documented_series) = documented(profile);
        for (compression, size) in [Compression::Snappy, Compression::Zstd].into_iter().zip(sizes) {
            let (series, samples, bytes) = hour(profile, documented_series, compression);
            let said =
                format!("{profile:?}, {compression:?}: {series} series, {samples} samples and {bytes} bytes an hour");
            println!("{said}");
            assert_eq!(series, documented_series, "{said}");
            // Versions of a compressor differ by less.
            let ratio = bytes as f64 / 1000.0 / size;
            assert!((0.97..1.03).contains(&ratio), "{said}, documented {size} KB");
            // The recording is what it should be: samples every 15 s or, of rules, every 30 s.
            assert!(samples > 100 * series as u64, "{said}");
        }
    }
}

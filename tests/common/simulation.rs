//! A fleet of simulated devices, made from what one real device has recorded: its series, under many names, by clocks that are not the same,
//! in the windows and the encoding in which `edgewatch-forward` sends them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use edgewatch_forward::compression::Compression;
use edgewatch_forward::encode::{Encoder, Label, MAX_MESSAGE, Sample};
use serde_json::Value;

use super::prometheus::{Prometheus, installed};
use super::{Setup, eventually};

/// Stands for the name of a device in a message that is made once for many.
const NAME: &str = "sim-XXXXXX";
/// Stands for its boot.
const BOOT: &str = "bbbbbbbb";
/// A window of the profile `full`.
const WINDOW: i64 = 300_000;

/// A series of the recorded device: values by milliseconds since the recording began.
struct Series {
    labels: Vec<Label>,
    values: Vec<(i64, f64)>,
}

/// What a real service, Prometheus and the shipped rules made of this machine.
pub struct Recording {
    series: Vec<Series>,
    length: i64,
}

impl Recording {
    /// Records as many scrapes, one a second, with a simulated chip of which one sensor fails, so that an alert fires.
    pub fn make(scrapes: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let program = installed().pop().expect("Prometheus is installed");
        let prometheus = Prometheus::start_shipped(&program, &[listener.local_addr().unwrap()]);
        let state = tempfile::tempdir().unwrap();
        // Nobody listens there: the metrics of forwarding are those of a device that cannot send.
        let settings = format!(
            "[simulated]\nenabled = true\n[[simulated.faults]]\nkind = \"io\"\nsensor = \"humidity1\"\n\
             [prometheus]\nurl = \"http://{}\"\n[forward]\nurl = \"http://127.0.0.1:1/\"\ndirectory = {:?}\n",
            prometheus.address,
            state.path()
        );
        let _service = Setup::new(&settings).socket(&listener).start();
        for needed in [
            "ALERTS{alertstate=\"firing\"}",
            "edge_forward_oldest_unsent_age_seconds",
            "edge_boot_info",
        ] {
            assert!(eventually(|| !prometheus.query(needed).is_empty()), "{needed}");
        }
        std::thread::sleep(Duration::from_secs(scrapes.into()) + Duration::from_secs(1));
        let text = ureq::get(format!("http://{}/api/v1/query", prometheus.address))
            .query("query", format!("{{__name__!=\"\"}}[{scrapes}s]"))
            .call()
            .unwrap()
            .body_mut()
            .with_config()
            .limit(256 << 20)
            .read_to_string()
            .unwrap();
        Self::read(&text, i64::from(scrapes) * 1000)
    }

    fn read(answer: &str, length: i64) -> Self {
        let answer: Value = serde_json::from_str(answer).unwrap();
        let result = answer["data"]["result"].as_array().unwrap();
        let time = |pair: &Value| (pair[0].as_f64().unwrap() * 1000.0).round() as i64;
        let times = result
            .iter()
            .flat_map(|series| series["values"].as_array().unwrap().iter().map(time));
        let from = times.max().unwrap() - length;
        let series = result.iter().map(|series| {
            let labels = series["metric"].as_object().unwrap().iter();
            let value = |name: &str, value: &Value| match name {
                "boot" => BOOT.to_owned(),
                _ => value.as_str().unwrap().to_owned(),
            };
            let mut labels: Vec<Label> = labels
                .map(|(name, text)| Label {
                    name: name.clone(),
                    value: value(name, text),
                })
                .collect();
            labels.push(Label {
                name: "edge".to_owned(),
                value: NAME.to_owned(),
            });
            labels.sort();
            let values = series["values"].as_array().unwrap().iter();
            let values = values.map(|pair| (time(pair) - from, pair[1].as_str().unwrap().parse().unwrap()));
            Series {
                labels,
                values: values.filter(|(time, _)| (1..=length).contains(time)).collect(),
            }
        });
        Self {
            series: series.filter(|series| !series.values.is_empty()).collect(),
            length,
        }
    }

    pub fn series(&self) -> usize {
        self.series.len()
    }

    /// The window that ends at `until`, in milliseconds. A second of the recording stands for `spacing` seconds, and after its end it begins
    /// anew, with counters where they were. By a clock that is `skew` milliseconds ahead.
    pub fn window(&self, from: i64, until: i64, spacing: i64, skew: i64) -> Window {
        let (mut encoder, mut messages, mut counts) = (
            Encoder::new(MAX_MESSAGE, Compression::Snappy),
            Vec::new(),
            BTreeMap::new(),
        );
        for series in &self.series {
            let [(_, first), .., (_, last)] = &series.values[..] else {
                continue;
            };
            let grows = if series.is_counter() { last - first } else { 0.0 };
            let rounds = (until - WINDOW - from) / (self.length * spacing)..=(until - from) / (self.length * spacing);
            let samples: Vec<Sample> = rounds
                .flat_map(|round| {
                    series.values.iter().map(move |(time, value)| Sample {
                        timestamp: from + (round * self.length + time) * spacing,
                        value: value + round as f64 * grows,
                    })
                })
                .filter(|sample| (until - WINDOW + 1..=until).contains(&sample.timestamp))
                .map(|sample| Sample {
                    timestamp: sample.timestamp + skew,
                    ..sample
                })
                .collect();
            if samples.is_empty() {
                continue;
            }
            *counts
                .entry(key(series.labels.iter().map(|label| (&*label.name, &*label.value))))
                .or_default() += samples.len();
            let mut left = &samples[..];
            while !left.is_empty() {
                left = &left[encoder.push(&series.labels, left)..];
                if !left.is_empty() {
                    messages.extend(encoder.take().unwrap());
                }
            }
        }
        messages.extend(encoder.take().unwrap());
        let decompress = |bytes: &[u8]| snap::raw::Decoder::new().decompress_vec(bytes).unwrap();
        Window {
            samples: messages.iter().map(|body| body.samples).sum(),
            messages: messages
                .iter()
                .map(|body| Message::new(decompress(&body.bytes)))
                .collect(),
            counts,
        }
    }
}

impl Series {
    fn is_counter(&self) -> bool {
        let name = self.labels.iter().find(|label| label.name == "__name__").unwrap();
        ["_total", "_bucket", "_sum", "_count"]
            .iter()
            .any(|end| name.value.ends_with(end))
    }
}

/// What a series is called in counts: its labels but for those that devices differ in.
pub fn key<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut labels: Vec<String> = labels
        .filter(|(name, _)| !["edge", "boot"].contains(name))
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    labels.sort();
    labels.join(",")
}

/// A window of any device with the same clock.
pub struct Window {
    messages: Vec<Message>,
    pub samples: u64,
    /// How many samples each series has.
    pub counts: BTreeMap<String, usize>,
}

/// A message, and where in it names and boots stand.
struct Message {
    bytes: Vec<u8>,
    names: Vec<usize>,
    boots: Vec<usize>,
}

impl Message {
    fn new(bytes: Vec<u8>) -> Self {
        let find = |what: &str| {
            let (what, mut found, mut at) = (what.as_bytes(), Vec::new(), 0);
            while at + what.len() <= bytes.len() {
                match bytes[at..].starts_with(what) {
                    true => {
                        found.push(at);
                        at += what.len();
                    }
                    false => at += 1,
                }
            }
            found
        };
        let (names, boots) = (find(NAME), find(BOOT));
        Self { bytes, names, boots }
    }
}

impl Window {
    /// The bodies of the requests in which a device sends it.
    pub fn bodies(&self, name: &str, boot: &str) -> Vec<Vec<u8>> {
        assert!(name.len() == NAME.len() && boot.len() == BOOT.len(), "{name} {boot}");
        let body = |message: &Message| {
            let mut bytes = message.bytes.clone();
            for (places, text) in [(&message.names, name), (&message.boots, boot)] {
                for at in places {
                    bytes[*at..at + text.len()].copy_from_slice(text.as_bytes());
                }
            }
            snap::raw::Encoder::new().compress_vec(&bytes).unwrap()
        };
        self.messages.iter().map(body).collect()
    }
}

/// What becomes of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It sends each window when it ends.
    Well,
    /// Its answers get lost: it sends each window twice.
    Repeats,
    /// No way to the centre in the second third; then the newest first, and the rest.
    Outage,
    /// Sends nothing in the second half.
    Silent,
    /// Its card was copied to another one, which sends under its name.
    Cloned,
    /// Its clock is five minutes ahead.
    Ahead,
}

/// A simulated device.
pub struct Device {
    pub name: String,
    pub boot: String,
    pub fate: Fate,
    pub skew: i64,
}

/// Clocks of devices that are well, in milliseconds.
const SKEWS: [i64; 4] = [0, 11_000, -17_000, 29_000];

/// As many devices, and a copy of each that is cloned. Of each ten one has an outage and one repeats; of each fifty one is silent, one a
/// clone, one ahead.
pub fn devices(count: usize) -> Vec<Device> {
    let mut devices = Vec::new();
    for number in 0..count {
        let (name, boot) = (format!("sim-{number:06}"), format!("{:08x}", number * 7919 + 1));
        let fate = match (number % 50, number % 10) {
            (1, _) => Fate::Silent,
            (2, _) => Fate::Cloned,
            (4, _) => Fate::Ahead,
            (_, 3) => Fate::Outage,
            (_, 5) => Fate::Repeats,
            _ => Fate::Well,
        };
        let skew = if fate == Fate::Ahead {
            300_000
        } else {
            SKEWS[number % SKEWS.len()]
        };
        if fate == Fate::Cloned {
            // No sample of it falls on one of the other.
            let (name, boot) = (name.clone(), format!("{:08x}", number * 7919 + 0x8000_0000));
            devices.push(Device {
                name,
                boot,
                fate,
                skew: skew + 137,
            });
        }
        devices.push(Device { name, boot, fate, skew });
    }
    devices
}

impl Device {
    /// Which of `count` windows it sends when window `now` has ended, in this order.
    pub fn sends(&self, now: usize, count: usize) -> Vec<usize> {
        let cut = count / 3..2 * count / 3;
        match self.fate {
            Fate::Well | Fate::Cloned | Fate::Ahead => vec![now],
            Fate::Repeats => vec![now, now],
            Fate::Outage if cut.contains(&now) => Vec::new(),
            Fate::Outage if now == cut.end => [now].into_iter().chain(cut).collect(),
            Fate::Outage => vec![now],
            Fate::Silent if now >= count / 2 => Vec::new(),
            Fate::Silent => vec![now],
        }
    }
}

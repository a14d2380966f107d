//! What a Prometheus, or something that answers like one, has stored.

use std::net::SocketAddr;

use serde_json::Value;

use super::centre::{Samples, name_of};

/// All samples after `from` and until `until` (milliseconds since 1970), read in pieces of ten seconds.
pub fn samples(server: SocketAddr, from: i64, until: i64) -> Samples {
    let mut all = Samples::new();
    let mut start = from;
    while start < until {
        let end = (start + 10_000).min(until);
        let query = format!("{{__name__!=\"\"}}[{}ms]", end - start);
        let mut answer = ureq::get(format!("http://{server}/api/v1/query"))
            .query("query", &query)
            .query("time", format!("{}.{:03}", end / 1000, end % 1000))
            .call()
            .unwrap();
        let text = answer
            .body_mut()
            .with_config()
            .limit(256 << 20)
            .read_to_string()
            .unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        for series in answer["data"]["result"].as_array().unwrap() {
            let labels = series["metric"].as_object().unwrap().iter();
            let name = name_of(labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())));
            let values = series["values"].as_array().unwrap().iter().map(|pair| {
                let value: f64 = pair[1].as_str().unwrap().parse().unwrap();
                ((pair[0].as_f64().unwrap() * 1000.0).round() as i64, value.to_bits())
            });
            // Prometheus before 3.0 gives the left end as well.
            let values = values.filter(|(time, _)| *time > start && *time <= end);
            all.entry(name).or_default().extend(values);
        }
        start = end;
    }
    all.retain(|_, values| !values.is_empty());
    all
}

/// Milliseconds that a metric of what sends may be old: the service reads it once a second at most.
pub const READING_AGE_MS: i64 = 1100;

/// Samples of `stored` that `received` lacks, series by series: the name and how many.
pub fn missing(stored: &Samples, received: &Samples) -> Vec<(String, usize)> {
    let lacks =
        |name: &String, time: &i64, value: &u64| received.get(name).and_then(|values| values.get(time)) != Some(value);
    stored
        .iter()
        .map(|(name, values)| {
            let count = values.iter().filter(|(time, value)| lacks(name, time, value)).count();
            (name.clone(), count)
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

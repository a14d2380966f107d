use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;
use crate::digest::News;

const MINUTE: i64 = 60_000;
const NOW: i64 = 1_700_000_000_000;

/// A Prometheus that answers a target with a status and a JSON text.
fn serve(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            let (status, text) = answer(head.split(' ').nth(1).unwrap_or_default());
            let length = text.len();
            let head = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
            let _ = stream.get_mut().write_all((head + &text).as_bytes());
        }
    });
    address
}

fn source(address: SocketAddr) -> Source {
    Source::new(&format!("http://{address}"), Vec::new()).unwrap()
}

fn kinds(ledger: &Ledger, now: i64) -> Vec<(String, News)> {
    let digest = ledger.due(now, 0, 0, true).unwrap_or_default();
    digest
        .items
        .iter()
        .map(|item| (item.name().to_owned(), item.news))
        .collect()
}

#[test]
fn a_prometheus_that_does_not_answer_for_five_minutes_is_an_alert_itself_and_ends_like_one() {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let (mut absent, mut ledger) = (source(nowhere), Ledger::new(NOW));
    assert!(absent.look(&mut ledger, NOW).is_err());
    assert!(absent.look(&mut ledger, NOW + 4 * MINUTE).is_err());
    assert_eq!(kinds(&ledger, NOW + 4 * MINUTE), []);
    assert!(absent.look(&mut ledger, NOW + 6 * MINUTE).is_err());
    assert_eq!(
        kinds(&ledger, NOW + 6 * MINUTE),
        [("PrometheusUnreachable".to_owned(), News::Fires)]
    );
    // Whom it does not interest is not told.
    let silence = vec![Matcher::parse("alertname=PrometheusUnreachable").unwrap()];
    let (mut quiet, mut nothing) = (
        Source::new(&format!("http://{nowhere}"), silence).unwrap(),
        Ledger::new(NOW),
    );
    let _ = quiet.look(&mut nothing, NOW);
    let _ = quiet.look(&mut nothing, NOW + 6 * MINUTE);
    assert_eq!(kinds(&nothing, NOW + 6 * MINUTE), []);
    // It is back, and no rule knows of it.
    let back = serve(|target| {
        let data = match target.split('?').next().unwrap() {
            "/api/v1/alerts" => r#"{"alerts":[]}"#,
            "/api/v1/rules" => r#"{"groups":[]}"#,
            "/api/v1/query" => r#"{"resultType":"matrix","result":[]}"#,
            _ => r#"{"lastConfigTime":"2020-01-01T00:00:00Z"}"#,
        };
        (200, format!(r#"{{"status":"success","data":{data}}}"#))
    });
    let mut back = source(back);
    // For a while it is not known whether it is over.
    assert!(!back.look(&mut ledger, NOW + 7 * MINUTE).unwrap());
    assert!(back.look(&mut ledger, NOW + 12 * MINUTE).unwrap());
    let end = NOW + 12 * MINUTE;
    assert_eq!(
        kinds(&ledger, end),
        [("PrometheusUnreachable".to_owned(), News::WasMissed)]
    );
}

#[test]
fn an_alert_that_a_new_prometheus_shows_as_pending_is_not_over_and_one_that_it_does_not_show_is() {
    let hot: Labels = [("alertname", "Hot"), ("severity", "warning")].into_iter().collect();
    let time = |ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    let began = NOW - 5 * MINUTE;
    for (state, expected) in [("pending", None), ("inactive", Some(News::Ended))] {
        let mut source = source(serve(move |target| {
            let data = match target.split('?').next().unwrap() {
                "/api/v1/alerts" => {
                    let (labels, at) = (r#"{"alertname":"Hot","severity":"warning"}"#, time(began + 10_000));
                    format!(
                        r#"{{"alerts":[{{"labels":{labels},"state":"{state}","activeAt":"{at}","value":"1","annotations":{{}}}}]}}"#
                    )
                }
                "/api/v1/rules" => format!(
                    r#"{{"groups":[{{"name":"g","file":"f","interval":15,"rules":[{{"name":"Hot","type":"alerting","health":"ok","duration":300,
                    "query":"x","alerts":[],"labels":{{"severity":"warning"}},"annotations":{{}},"lastEvaluation":"{}","state":"pending"}}]}}]}}"#,
                    time(NOW)
                ),
                "/api/v1/query" => r#"{"resultType":"matrix","result":[]}"#.to_owned(),
                _ => format!(r#"{{"lastConfigTime":"{}"}}"#, time(began)),
            };
            (200, format!(r#"{{"status":"success","data":{data}}}"#))
        }));
        let mut ledger = Ledger::new(NOW - 10 * MINUTE);
        ledger.fires(&hot, NOW - 10 * MINUTE, NOW - 10 * MINUTE, None, NOW - 10 * MINUTE);
        ledger.told(&ledger.due(NOW - 10 * MINUTE, 0, 0, true).unwrap(), NOW - 10 * MINUTE);
        assert!(source.look(&mut ledger, NOW).unwrap(), "{state}");
        let expected: Vec<_> = expected.into_iter().map(|news| ("Hot".to_owned(), news)).collect();
        assert_eq!(kinds(&ledger, NOW), expected, "{state}");
    }
}

#[test]
fn a_history_with_more_samples_than_prometheus_gives_at_once_is_read_in_smaller_pieces() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&asked);
    let address = serve(move |target| {
        if target.starts_with("/api/v1/alerts") {
            return (200, r#"{"status":"success","data":{"alerts":[]}}"#.to_owned());
        }
        if !target.starts_with("/api/v1/query") {
            return (500, String::new());
        }
        let target = target.replace("%5B", "[");
        let width: i64 = target
            .split("}[")
            .nth(1)
            .or_else(|| target.split("%7D[").nth(1))
            .unwrap()
            .split("ms")
            .next()
            .unwrap()
            .parse()
            .unwrap();
        if width > 20 * MINUTE {
            return (
                422,
                r#"{"status":"error","error":"query processing would load too many samples"}"#.to_owned(),
            );
        }
        let until: f64 = target.split("time=").nth(1).unwrap().parse().unwrap();
        let until = (until * 1000.0).round() as i64;
        record.lock().unwrap().push((until - width, until));
        (
            200,
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.to_owned(),
        )
    });
    let mut ledger = Ledger::new(NOW - 3 * WINDOW);
    source(address).look(&mut ledger, NOW).unwrap();
    let asked = asked.lock().unwrap();
    // Without a gap, up to what is stored.
    assert_eq!((asked[0].0, asked.last().unwrap().1), (NOW - 3 * WINDOW, NOW - LAG));
    assert!(asked.windows(2).all(|pair| pair[0].1 == pair[1].0), "{asked:?}");
    assert_eq!(ledger.read_until_ms, NOW - LAG);
}

#[test]
fn a_history_of_years_is_read_for_a_week_and_a_cursor_of_the_future_is_waited_for() {
    let address = serve(|target| {
        let list = if target.starts_with("/api/v1/alerts") {
            r#""alerts""#
        } else {
            r#""result""#
        };
        (200, format!(r#"{{"status":"success","data":{{{list}:[]}}}}"#))
    });
    let mut old = Ledger::new(0);
    source(address).look(&mut old, NOW).unwrap();
    assert_eq!(old.read_until_ms, NOW - LAG);
    let mut future = Ledger::new(NOW + MINUTE);
    source(address).look(&mut future, NOW).unwrap();
    assert_eq!(future.read_until_ms, NOW + MINUTE);
}

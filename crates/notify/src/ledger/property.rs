use super::tests::{INTERVAL, MINUTE, Person, START, labels};
use super::*;
use crate::digest::Item;

/// Whatever the order of looks, kills and outages: each firing is told, and none twice.
#[test]
fn every_alert_is_told_exactly_once_over_outages_and_kills_in_any_order() {
    for seed in 1..60_u64 {
        let mut state = seed;
        let mut random = |below: u64| {
            // xorshift64 (Marsaglia, 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut person = Person::new();
        let mut saved = person.ledger.clone();
        let mut saved_told = 0;
        // Each alert fires once, for some minutes, at some time of six hours.
        let alerts: Vec<(Labels, i64, i64)> = (0..12)
            .map(|number| {
                let since = START + (random(300) as i64) * MINUTE;
                let until = since + (1 + random(60) as i64) * MINUTE;
                (labels(&format!("A{number}"), "warning"), since, until)
            })
            .collect();
        let (mut now, mut is_reachable) = (START, true);
        while now < START + 500 * MINUTE {
            now += 15_000;
            if random(40) == 0 {
                is_reachable = !is_reachable;
            }
            // A kill: what was read since the last save is read again. A time in which the service is off is as good as an outage.
            if random(60) == 0 {
                person.ledger = saved.clone();
                person.ledger.check().unwrap();
                assert_eq!(person.told.len(), saved_told);
                now += random(40) as i64 * MINUTE;
            }
            let after = person.ledger.read_until_ms;
            for (labels, since, until) in &alerts {
                let times: Vec<i64> = (0..)
                    .map(|number| since + number * INTERVAL)
                    .take_while(|time| time <= until)
                    .filter(|time| *time > after && *time <= now)
                    .collect();
                person.ledger.fired(labels, &times, now);
            }
            let firing: Vec<&Labels> = alerts
                .iter()
                .filter(|(_, since, until)| (*since..=*until).contains(&now))
                .map(|(labels, _, _)| labels)
                .collect();
            match is_reachable || now > START + 480 * MINUTE {
                true if person.round(now, &firing) > 0 => {
                    saved = person.ledger.clone();
                    saved_told = person.told.len();
                }
                true => {}
                false => drop(person.look(now, &firing)),
            }
        }
        for (labels, since, until) in &alerts {
            let name = labels.get("alertname").unwrap();
            let items: Vec<&Item> = person
                .told
                .iter()
                .flat_map(|digest| &digest.items)
                .filter(|item| item.name() == name)
                .collect();
            let news: Vec<News> = items.iter().map(|item| item.news).collect();
            assert!(
                news == [News::WasMissed] || news == [News::Fires, News::Ended],
                "seed {seed}, {name}: {news:?}"
            );
            let last = items.last().unwrap();
            // An end is seen at a look, at most one after the last evaluation.
            assert!(
                last.since - since <= INTERVAL && (last.until - until).abs() <= INTERVAL,
                "seed {seed}, {name}: {last:?}"
            );
        }
    }
}

use super::*;

pub(super) const MINUTE: i64 = 60_000;
/// Prometheus evaluates its rules so often.
pub(super) const INTERVAL: i64 = 30_000;
const GROUPING: i64 = 30_000;
const REPEAT: i64 = 24 * 60 * MINUTE;
/// Some time in November 2023.
pub(super) const START: i64 = 1_700_000_000_000;

pub(super) fn labels(name: &str, severity: &str) -> Labels {
    [("alertname", name), ("severity", severity)].into_iter().collect()
}

fn words() -> Words {
    Words {
        summary: "It is hot".to_owned(),
        ..Words::default()
    }
}

/// Rules that have been evaluated at this time, since another.
struct Evaluated {
    last: i64,
    began: i64,
    is_healthy: bool,
}

impl Rules for Evaluated {
    fn evaluations(&self, labels: &BTreeMap<String, String>) -> Vec<Evaluation> {
        let evaluation = Evaluation {
            last: self.last,
            interval: INTERVAL,
            is_healthy: self.is_healthy,
        };
        if labels["alertname"] == "Removed" {
            Vec::new()
        } else {
            vec![evaluation]
        }
    }

    fn words(&self, _: &BTreeMap<String, String>) -> Option<(Words, i64)> {
        Some((words(), 0))
    }

    fn began(&self) -> i64 {
        self.began
    }
}

/// A receiver, and a Prometheus that has been running since long ago.
pub(super) struct Person {
    pub(super) ledger: Ledger,
    began: i64,
    is_healthy: bool,
    pub(super) told: Vec<Digest>,
}

impl Person {
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::new(START),
            began: 0,
            is_healthy: true,
            told: Vec::new(),
        }
    }

    /// A look at this time, at which these alerts fire.
    pub(super) fn look(&mut self, now: i64, firing: &[&Labels]) -> bool {
        for labels in firing {
            self.ledger.fires(labels, now, now, Some(&words()), now);
        }
        self.ledger.read_until_ms = self.ledger.read_until_ms.max(now);
        self.ledger.looked(now);
        let rules = Evaluated {
            last: now,
            began: self.began,
            is_healthy: self.is_healthy,
        };
        self.ledger.judge(&rules, now)
    }

    /// The same, and what is due is taken.
    pub(super) fn round(&mut self, now: i64, firing: &[&Labels]) -> usize {
        let is_settled = self.look(now, firing);
        let due = self.ledger.due(now, GROUPING, REPEAT, is_settled);
        due.iter().for_each(|digest| self.ledger.told(digest, now));
        let is_due = usize::from(due.is_some());
        self.told.extend(due);
        is_due
    }

    fn news(&self) -> Vec<Vec<News>> {
        let of = |digest: &Digest| digest.items.iter().map(|item| item.news).collect();
        self.told.iter().map(of).collect()
    }
}

#[test]
fn an_alert_is_told_once_when_it_fires_and_once_when_it_has_ended() {
    let (mut person, hot) = (Person::new(), labels("Hot", "warning"));
    for second in (0..1800).step_by(15) {
        let now = START + second * 1000;
        let firing = [&hot];
        person.round(now, &firing[..usize::from(second < 600)]);
    }
    assert_eq!(person.news(), [[News::Fires], [News::Ended]]);
    let ended = &person.told[1].items[0];
    assert_eq!((ended.since - START, ended.until - START), (0, 585_000));
    assert!(person.ledger.untold_since().is_none() && person.ledger.entries.is_empty());
}

#[test]
fn what_fired_and_ended_while_nobody_could_be_told_is_told_once_with_both_times() {
    let mut person = Person::new();
    let (hot, day) = (labels("Hot", "critical"), 24 * 60 * MINUTE);
    // From the history, after a day.
    let times: Vec<i64> = (0..20).map(|number| START + MINUTE * 60 + number * INTERVAL).collect();
    person.ledger.fired(&hot, &times, START + day);
    for second in (0..600).step_by(15) {
        person.round(START + day + second * 1000, &[]);
    }
    assert_eq!(person.news(), [[News::WasMissed]]);
    let item = &person.told[0].items[0];
    assert_eq!((item.since, item.until), (times[0], times[19]));
    assert_eq!(item.times, 1);
}

#[test]
fn alerts_that_come_together_are_one_message_and_a_flapping_one_is_not_many() {
    let mut person = Person::new();
    let all: Vec<Labels> = (0..50).map(|number| labels(&format!("A{number}"), "warning")).collect();
    for (number, hot) in all.iter().enumerate() {
        for hour in 0..24 {
            let time = START + hour * 60 * MINUTE + number as i64 * 1000;
            person
                .ledger
                .fired(hot, &[time, time + INTERVAL], START + 24 * 60 * MINUTE);
        }
    }
    assert_eq!(person.round(START + 24 * 60 * MINUTE + GROUPING, &[]), 1);
    assert_eq!(person.told[0].items.len(), 50);
    assert!(person.told[0].items.iter().all(|item| item.times == 24));
    // Now one that fires in every other minute: after it was told, its pauses are too short for an end.
    let (hot, begin) = (labels("Hot", "warning"), START + 25 * 60 * MINUTE);
    let mut messages = 0;
    for second in (0..3600).step_by(15) {
        let is_firing = second / 60 % 2 == 0;
        let firing = [&hot];
        messages += person.round(begin + second * 1000, &firing[..usize::from(is_firing)]);
    }
    assert_eq!(messages, 1, "{:?}", person.news());
}

#[test]
fn an_alert_that_goes_on_is_told_again_after_the_time_of_repeat_and_never_without_one() {
    let (mut person, hot) = (Person::new(), labels("Hot", "warning"));
    for minute in 0..(3 * 24 * 60 + 10) {
        person.round(START + minute * MINUTE, &[&hot]);
    }
    let repeated = [
        [News::Fires],
        [News::StillFires],
        [News::StillFires],
        [News::StillFires],
    ];
    assert_eq!(person.news(), repeated);
    assert_eq!(person.ledger.due(START + 100 * REPEAT, GROUPING, 0, true), None);
}

#[test]
fn right_after_a_start_of_prometheus_nothing_has_ended() {
    let (mut person, hot) = (Person::new(), labels("Hot", "warning"));
    person.round(START, &[&hot]);
    person.round(START + GROUPING, &[&hot]);
    // A power cut of two hours, and a first evaluation that has no samples yet.
    let boot = START + 120 * MINUTE;
    person.began = boot;
    for second in [5, 20, 35, 50] {
        assert_eq!(person.round(boot + second * 1000, &[]), 0);
    }
    // Then it fires as before, of which nobody wants to hear.
    for second in (65..900).step_by(15) {
        assert_eq!(person.round(boot + second * 1000, &[&hot]), 0);
    }
    assert_eq!(person.news(), [[News::Fires]]);
}

#[test]
fn an_alert_that_is_pending_since_the_start_of_prometheus_is_not_over_before_that_is_known() {
    let boot = START + 120 * MINUTE;
    for fires_again in [true, false] {
        let (mut person, hot, new) = (Person::new(), labels("Hot", "warning"), labels("New", "critical"));
        person.round(START, &[&hot]);
        person.round(START + GROUPING, &[&hot]);
        // It starts anew at once, in the second of which it says.
        person.round(boot + 800, &[&hot]);
        person.began = boot;
        // For five minutes, in which other news does not wait for it.
        for second in (30..300).step_by(15) {
            person.ledger.pends(&hot, boot + 20_000);
            person.round(boot + second * 1000, &[&new]);
        }
        assert_eq!(person.news(), [[News::Fires], [News::Fires]], "{fires_again}");
        for second in (300..900).step_by(15) {
            let firing = [&new, &hot];
            person.round(boot + second * 1000, &firing[..1 + usize::from(fires_again)]);
        }
        let messages = if fires_again { 2 } else { 3 };
        assert_eq!(person.told.len(), messages, "{:?}", person.news());
    }
}

#[test]
fn an_alert_that_has_ended_and_is_pending_anew_while_prometheus_runs_is_over() {
    let (mut person, hot) = (Person::new(), labels("Hot", "warning"));
    person.round(START, &[&hot]);
    person.round(START + GROUPING, &[&hot]);
    for second in (45..300).step_by(15) {
        person.ledger.pends(&hot, START + 45_000);
        person.round(START + second * 1000, &[]);
    }
    assert_eq!(person.news(), [[News::Fires], [News::Ended]]);
}

#[test]
fn a_start_of_prometheus_by_a_clock_that_was_ahead_keeps_no_alert_for_long() {
    let (mut person, hot) = (Person::new(), labels("Hot", "warning"));
    person.began = START + 365 * 24 * 60 * MINUTE;
    person.round(START, &[&hot]);
    person.round(START + GROUPING, &[&hot]);
    for second in (45..300).step_by(15) {
        person.round(START + second * 1000, &[]);
    }
    assert_eq!(person.news(), [[News::Fires], [News::Ended]]);
}

#[test]
fn what_may_have_ended_is_waited_for_so_that_one_message_tells_all_but_not_for_ever() {
    let (mut person, boot) = (Person::new(), START + 120 * MINUTE);
    person.ledger.fired(&labels("Hot", "warning"), &[START], boot);
    person.began = boot;
    let new = labels("New", "critical");
    for second in [0, 15, 30, 45, 60, 75] {
        assert_eq!(person.round(boot + second * 1000, &[&new]), 0, "{second}");
    }
    assert_eq!(person.round(boot + 90_000, &[&new]), 1);
    assert_eq!(person.news(), [[News::Fires, News::WasMissed]]);
    // A Prometheus that is killed again and again.
    let mut person = Person::new();
    person.ledger.fired(&labels("Hot", "warning"), &[START], boot);
    let mut messages = 0;
    for second in (0..1200).step_by(15) {
        person.began = boot + second * 1000;
        messages += person.round(boot + second * 1000, &[]);
    }
    assert_eq!(messages, 1);
}

#[test]
fn of_what_fired_just_before_the_first_look_nobody_is_told_that_it_fires_still() {
    let mut person = Person::new();
    let (hot, begin) = (labels("Hot", "warning"), START + 60 * MINUTE);
    person.ledger.fired(&hot, &[begin - INTERVAL, begin - 5_000], begin);
    for second in (0..300).step_by(15) {
        person.round(begin + second * 1000, &[]);
    }
    assert_eq!(person.news(), [[News::WasMissed]]);
}

#[test]
fn a_rule_that_fails_ends_no_alert_and_one_that_is_gone_does() {
    let mut person = Person::new();
    let (hot, removed) = (labels("Hot", "warning"), labels("Removed", "warning"));
    person.round(START, &[&hot, &removed]);
    person.round(START + GROUPING, &[&hot, &removed]);
    person.is_healthy = false;
    for minute in 1..60 {
        person.round(START + minute * MINUTE, &[]);
    }
    assert_eq!(person.news(), [vec![News::Fires, News::Fires], vec![News::Ended]]);
    assert_eq!(person.told[1].items[0].name(), "Removed");
    person.is_healthy = true;
    person.round(START + 61 * MINUTE, &[]);
    person.round(START + 62 * MINUTE, &[]);
    assert_eq!(person.told[2].items[0].name(), "Hot");
}

#[test]
fn nothing_ends_before_what_is_stored_has_been_read_as_far() {
    let (mut ledger, hot) = (Ledger::new(START), labels("Hot", "warning"));
    ledger.fires(&hot, START, START, Some(&words()), START);
    let rules = Evaluated {
        last: START + 60 * MINUTE,
        began: 0,
        is_healthy: true,
    };
    ledger.judge(&rules, START + 60 * MINUTE);
    assert!(!ledger.entries[0].has_ended);
    ledger.read_until_ms = START + 60 * MINUTE;
    ledger.judge(&rules, START + 60 * MINUTE);
    assert!(ledger.entries[0].has_ended);
}

#[test]
fn a_clock_that_goes_back_keeps_no_alert_for_ever() {
    let (mut person, hot) = (Person::new(), labels("Hot", "warning"));
    person.round(START, &[&hot]);
    person.round(START + GROUPING, &[&hot]);
    let earlier = START - 10 * 365 * 24 * 60 * MINUTE;
    person.ledger.went_back(earlier);
    for second in (0..300).step_by(15) {
        person.round(earlier + second * 1000, &[]);
    }
    assert_eq!(person.news(), [[News::Fires], [News::Ended]]);
    let item = &person.told[1].items[0];
    assert!(item.since <= item.until && item.until <= earlier, "{item:?}");
}

#[test]
fn of_ten_thousand_alerts_the_worst_are_told_and_the_rest_is_counted() {
    let mut person = Person::new();
    let all: Vec<Labels> = (0..10_000)
        .map(|number| {
            let severity = if number % 100 == 0 { "critical" } else { "warning" };
            labels(&format!("A{number}"), severity)
        })
        .collect();
    let firing: Vec<&Labels> = all.iter().collect();
    let messages: usize = (0..20).map(|round| person.round(START + round * 15_000, &firing)).sum();
    assert_eq!(messages, 1);
    let digest = &person.told[0];
    assert_eq!(digest.items.len(), MAX_ENTRIES);
    let critical = digest
        .items
        .iter()
        .filter(|item| item.severity() == Severity::Critical)
        .count();
    assert_eq!(critical, 100);
    assert!(digest.more >= 10_000 - MAX_ENTRIES, "{}", digest.more);
    let state = serde_json::to_vec(&person.ledger).unwrap();
    assert!(state.len() < 200 << 10, "{}", state.len());
}

#[test]
fn labels_as_large_as_a_page_are_counted_and_not_kept() {
    let mut person = Person::new();
    let large = labels("Large", &"x".repeat(MAX_LABELS));
    person.round(START, &[&large]);
    assert_eq!(person.round(START + GROUPING, &[&large]), 1);
    assert_eq!((person.told[0].items.len(), person.told[0].more), (0, 1));
}

#[test]
fn a_state_is_read_as_it_was_written_and_a_damaged_one_is_refused() {
    let (mut person, hot) = (Person::new(), labels("Hot", "warning"));
    person.round(START, &[&hot]);
    person.round(START + GROUPING, &[&hot]);
    let text = serde_json::to_string(&person.ledger).unwrap();
    let mut read: Ledger = serde_json::from_str(&text).unwrap();
    read.check().unwrap();
    // It knows what was told.
    person.ledger = read;
    assert_eq!(person.round(START + 2 * GROUPING, &[&hot]), 0);
    let mut twice = person.ledger.clone();
    twice.entries.push(twice.entries[0].clone());
    assert!(twice.check().is_err());
    // Sums with it would be none.
    for time in [i64::MIN, i64::MAX] {
        let mut odd = person.ledger.clone();
        odd.entries[0].told_ms = Some(time);
        assert!(odd.check().is_err());
        assert!(Ledger::new(time).check().is_err());
    }
    assert!(serde_json::from_str::<Ledger>("{}").is_err());
    // One of a later version of this program, which was taken back.
    let mut later: serde_json::Value = serde_json::from_str(&text).unwrap();
    later["later"] = 1.into();
    later["entries"][0]["later"] = 1.into();
    let later: Ledger = serde_json::from_value(later).unwrap();
    assert_eq!(later, serde_json::from_str(&text).unwrap());
}

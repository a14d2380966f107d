//! What was told, what is to be told, and when. It knows no clock and no network: it is given what Prometheus says, and the time.

mod entry;

use std::collections::{BTreeMap, BTreeSet};

use edgewatch_prometheus_client::labels::Labels;
use serde::{Deserialize, Serialize};

use crate::alert::{MAX_LABELS, Matcher, Severity, Words, fingerprint};
use crate::digest::{Digest, News};
use entry::Entry;

/// Alerts that are known one by one; of more, the least severe ones are only counted.
pub const MAX_ENTRIES: usize = 200;
/// Evaluations without an alert after which it has ended: right after a start of Prometheus one that fires is not there for some.
pub const EVALUATIONS: i64 = 3;
/// Milliseconds after which an alert without a rule has ended.
const WITHOUT_RULE: i64 = 5 * 60_000;
/// Milliseconds for which a message waits until Prometheus, after its start, knows which alerts fire still.
const SETTLING: i64 = 10 * 60_000;
/// Milliseconds that a start of Prometheus may lie ahead of a look, which takes a while. One beyond is of before the clock was set back.
const AHEAD: i64 = 5 * 60_000;
/// Milliseconds of which Prometheus says its start: it gives the second.
const RESOLUTION: i64 = 1000;
/// Milliseconds beyond the usual after which a message says that it is late.
const LATE: i64 = 5 * 60_000;

/// Milliseconds since 1970 that a clock may show, right or wrong.
const TIMES: std::ops::Range<i64> = -1_000_000_000_000..1_000_000_000_000_000;

/// All alerts of a receiver.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Ledger {
    /// Up to here the history was read: milliseconds since 1970.
    pub read_until_ms: i64,
    entries: Vec<Entry>,
    /// At least so many more than there is room for.
    more: usize,
    more_is_told: bool,
    /// Since when.
    more_ms: i64,
    #[serde(skip)]
    places: BTreeMap<u64, usize>,
    /// The least severity of the entries.
    #[serde(skip)]
    least: Option<Severity>,
    /// Alerts that there was no room for: in this part of a look, and at most in one of them.
    #[serde(skip)]
    overflow: usize,
    #[serde(skip)]
    most_overflow: usize,
    #[serde(skip)]
    is_changed: bool,
}

/// A rule, as far as the end of its alerts depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation {
    /// When it was last evaluated: milliseconds since 1970.
    pub last: i64,
    /// Milliseconds between two.
    pub interval: i64,
    /// Whether that succeeds.
    pub is_healthy: bool,
}

/// What is known of the rules of an alert whose end is to be judged.
pub trait Rules {
    /// Those it may come from.
    fn evaluations(&self, labels: &BTreeMap<String, String>) -> Vec<Evaluation>;
    /// What they say of it, and for how many milliseconds its condition holds before it fires.
    fn words(&self, labels: &BTreeMap<String, String>) -> Option<(Words, i64)>;
    /// Since when they are evaluated: milliseconds since 1970.
    fn began(&self) -> i64;
}

impl Ledger {
    /// One that has read nothing before this time.
    pub fn new(read_until_ms: i64) -> Self {
        Self {
            read_until_ms,
            is_changed: true,
            ..Self::default()
        }
    }

    /// Makes one that was read from a file fit for use.
    ///
    /// # Errors
    /// It is none that we wrote.
    pub fn check(&mut self) -> Result<(), &'static str> {
        if self.entries.len() > MAX_ENTRIES {
            return Err("it has more alerts than it can");
        }
        let times = self.entries.iter().flat_map(|entry| {
            let told = entry.told_ms.unwrap_or_default();
            [entry.since_ms, entry.seen_ms, entry.news_ms, told]
        });
        if !times
            .chain([self.read_until_ms, self.more_ms])
            .all(|time| TIMES.contains(&time))
        {
            return Err("it has a time that no clock shows");
        }
        self.index();
        match self.places.len() == self.entries.len() {
            true => Ok(()),
            false => Err("it has an alert twice"),
        }
    }

    /// Whether it is another one than the one that was saved.
    pub const fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// That it was saved.
    pub const fn saved(&mut self) {
        self.is_changed = false;
    }

    fn index(&mut self) {
        let key = |entry: &Entry| fingerprint(entry.labels.iter().map(|(name, value)| (&**name, &**value)));
        self.places = self
            .entries
            .iter()
            .enumerate()
            .map(|(place, entry)| (key(entry), place))
            .collect();
        self.least = self.entries.iter().map(Entry::severity).min();
    }

    /// The clock went back: what was seen lies in the future otherwise, and would never end.
    pub fn went_back(&mut self, now: i64) {
        for entry in &mut self.entries {
            entry.since_ms = entry.since_ms.min(now);
            entry.seen_ms = entry.seen_ms.min(now);
            entry.news_ms = entry.news_ms.min(now);
            entry.told_ms = entry.told_ms.map(|told| told.min(now));
        }
        self.more_ms = self.more_ms.min(now);
    }

    /// An alert was seen to fire, by the history or now: since when, and until when at last. `words` if they are known.
    pub fn fires(&mut self, labels: &Labels, since: i64, seen: i64, words: Option<&Words>, now: i64) {
        let key = fingerprint(labels.iter());
        if let Some(&place) = self.places.get(&key) {
            let entry = &mut self.entries[place];
            if seen > entry.seen_ms {
                self.is_changed |= entry.fires(seen);
            }
            if let Some(words) = words
                && entry.summary.is_empty()
            {
                entry.say(words);
                entry.since_ms = entry.since_ms.min(since);
            }
            return;
        }
        let size: usize = labels.iter().map(|(name, value)| name.len() + value.len()).sum();
        let severity = Severity::of(labels.get("severity").unwrap_or_default());
        if size > MAX_LABELS || !self.make_room(severity) {
            self.overflow += 1;
            return;
        }
        let mut entry = Entry {
            labels: labels
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            summary: String::new(),
            description: String::new(),
            remedy: String::new(),
            since_ms: since,
            seen_ms: seen,
            times: 1,
            has_ended: false,
            told_ms: None,
            news_ms: now,
            pends_since: None,
        };
        if let Some(words) = words {
            entry.say(words);
        }
        self.places.insert(key, self.entries.len());
        self.least = Some(self.least.map_or(severity, |least| least.min(severity)));
        self.entries.push(entry);
        self.is_changed = true;
    }

    /// An alert was seen to be pending: its condition holds since then, though not for long enough.
    pub fn pends(&mut self, labels: &Labels, since: i64) {
        if let Some(&place) = self.places.get(&fingerprint(labels.iter())) {
            self.entries[place].pends_since = Some(since);
        }
    }

    /// More than one sample of the history.
    pub fn fired(&mut self, labels: &Labels, times: &[i64], now: i64) {
        for time in times {
            self.fires(labels, *time, *time, None, now);
        }
    }

    /// Makes room for an alert, if there is a less severe one.
    fn make_room(&mut self, severity: Severity) -> bool {
        if self.entries.len() < MAX_ENTRIES {
            return true;
        }
        let Some(place) = self
            .entries
            .iter()
            .position(|entry| self.least < Some(severity) && Some(entry.severity()) == self.least)
        else {
            return false;
        };
        self.entries.swap_remove(place);
        self.index();
        self.overflow += 1;
        true
    }

    /// After a part of a look, in which each alert was given once.
    pub fn read_part(&mut self) {
        self.most_overflow = self.most_overflow.max(std::mem::take(&mut self.overflow));
    }

    /// After a look at all that fires or fired: how many there was no room for. They are told once, and again only after there was room.
    pub fn looked(&mut self, now: i64) {
        self.read_part();
        match std::mem::take(&mut self.most_overflow) {
            0 if self.more_is_told => (self.more, self.more_is_told) = (0, false),
            0 => {}
            overflow => {
                if self.more == 0 {
                    self.more_ms = now;
                    self.is_changed = true;
                }
                self.more = self.more.max(overflow);
            }
        }
    }

    /// The names of alerts whose rules are needed: those that were not seen to fire this time, and those without words.
    pub fn needs_rules_of(&self, now: i64) -> BTreeSet<String> {
        let is_unclear = |entry: &&Entry| entry.summary.is_empty() || (!entry.has_ended && entry.seen_ms < now);
        let unclear = self.entries.iter().filter(is_unclear);
        unclear
            .map(|entry| entry.labels.get("alertname").cloned().unwrap_or_default())
            .collect()
    }

    /// Decides what has ended. False if that cannot be told yet of something that is to be told, or since Prometheus has just started.
    pub fn judge(&mut self, rules: &dyn Rules, now: i64) -> bool {
        let mut is_settled = true;
        let began = Some(rules.began()).filter(|began| began - now <= AHEAD).unwrap_or(0);
        for entry in &mut self.entries {
            // Prometheus forgets at its start that an alert fires whose `for` is less than its grace period (10 minutes), or that fired more
            // than an hour ago: it is pending anew for the whole of that time.
            let pends = entry.pends_since.take();
            let pends = pends.is_some_and(|since| since >= began && entry.seen_ms < began + RESOLUTION);
            if entry.summary.is_empty() {
                let known = rules.words(&entry.labels);
                let labels = entry.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
                let (words, hold) = known.unwrap_or_else(|| (Words::new(|_| None, &labels), 0));
                entry.say(&words);
                entry.since_ms -= hold;
                self.is_changed = true;
            }
            if entry.has_ended || entry.seen_ms >= now {
                continue;
            }
            let evaluations = rules.evaluations(&entry.labels);
            let seen_or_began = entry.seen_ms.max(began);
            // What is stored must have been read as far: it may say that it fired once more.
            let is_over = |rule: &Evaluation| {
                let until = rule.last.min(self.read_until_ms);
                rule.is_healthy && until - seen_or_began >= EVALUATIONS * rule.interval
            };
            entry.has_ended = match evaluations.is_empty() {
                _ if pends => false,
                true => now - seen_or_began >= WITHOUT_RULE,
                false => evaluations.iter().all(is_over),
            };
            if entry.has_ended {
                self.is_changed = true;
                // Of what was not told yet, there has been news since it fired.
                entry.news_ms = if entry.told_ms.is_some() { now } else { entry.news_ms };
            } else {
                // Of what is told for the first time, it is told whether it fires still.
                let is_told = entry.told_ms.is_some();
                let since_start = pends || entry.seen_ms >= began || now - began >= SETTLING;
                is_settled &= is_told && since_start;
            }
        }
        is_settled
    }

    /// What is to be told now, if it is time: `grouping` milliseconds after there was something, and `repeat` after it was told.
    pub fn due(&self, now: i64, grouping: i64, repeat: i64, is_settled: bool) -> Option<Digest> {
        let mut items = Vec::new();
        let mut oldest = self.untold_more();
        let mut repeats = false;
        for entry in &self.entries {
            let Some(news) = entry.news(now, repeat) else { continue };
            match news {
                News::StillFires => repeats = true,
                News::Fires | News::WasMissed | News::Ended => {
                    oldest = Some(oldest.map_or(entry.news_ms, |time| time.min(entry.news_ms)));
                }
            }
            items.push(entry.item(news));
        }
        let waited = match oldest {
            Some(time) => now - time,
            None if repeats => grouping,
            None => return None,
        };
        if waited < grouping || (!is_settled && waited < grouping + SETTLING) {
            return None;
        }
        let late_since = oldest.filter(|_| waited > grouping + LATE);
        Some(Digest::new(items, self.more, late_since))
    }

    /// Since when something is to be told: milliseconds since 1970.
    pub fn untold_since(&self) -> Option<i64> {
        let is_untold = |entry: &&Entry| entry.told_ms.is_none() || entry.has_ended;
        let oldest = self.entries.iter().filter(is_untold).map(|entry| entry.news_ms).min();
        [oldest, self.untold_more()].into_iter().flatten().min()
    }

    fn untold_more(&self) -> Option<i64> {
        (self.more > 0 && !self.more_is_told).then_some(self.more_ms)
    }

    /// The receiver has taken what was due.
    pub fn told(&mut self, digest: &Digest, now: i64) {
        for item in &digest.items {
            if let Some(&place) = self.places.get(&item.fingerprint()) {
                self.entries[place].told_ms = Some(now);
            }
        }
        self.entries
            .retain(|entry| !(entry.has_ended && entry.told_ms == Some(now)));
        self.index();
        self.more_is_told = self.more > 0;
        self.is_changed = true;
    }
}

/// Whether nobody is told of an alert.
pub fn is_silenced(silence: &[Matcher], labels: &Labels) -> bool {
    silence.iter().any(|matcher| matcher.matches(labels))
}

#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;

//! All that is told at once.

use std::collections::BTreeMap;

use edgewatch_prometheus_client::labels::Labels;

use crate::alert::{Severity, Words, fingerprint};

/// What is told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It fires.
    Fires,
    /// It fired and ended before anybody could be told.
    WasMissed,
    /// It fires still, long after it was told.
    StillFires,
    /// It was told, and has ended.
    Ended,
}

impl News {
    /// Whether it fires now.
    pub const fn is_firing(self) -> bool {
        match self {
            Self::Fires | Self::StillFires => true,
            Self::WasMissed | Self::Ended => false,
        }
    }

    /// The word for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fires => "firing",
            Self::WasMissed => "missed",
            Self::StillFires => "still_firing",
            Self::Ended => "ended",
        }
    }
}

/// An alert, and what is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What is told.
    pub news: News,
    /// Its labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// What its rule says.
    pub words: Words,
    /// Since when it fires or fired: milliseconds since 1970.
    pub since: i64,
    /// When it last fired; that it fires still if `news` says so.
    pub until: i64,
    /// How often it fired between the two.
    pub times: u32,
}

impl Item {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        Severity::of(self.labels.get("severity").map_or("", String::as_str))
    }

    /// The name of the alert.
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }

    /// By which receivers tell alerts apart.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(self.labels.iter().map(|(name, value)| (&**name, &**value)))
    }
}

/// Alerts that are told in one message, the most urgent one first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// The alerts.
    pub items: Vec<Item>,
    /// So many more that there was no room for.
    pub more: usize,
    /// Since when the oldest of them has been waiting, if that is too long: milliseconds since 1970.
    pub late_since: Option<i64>,
}

impl Digest {
    /// Sorts the alerts: those that fire first, then by severity, then by time.
    pub fn new(mut items: Vec<Item>, more: usize, late_since: Option<i64>) -> Self {
        items.sort_by_key(|item| {
            let order = std::cmp::Reverse((item.news.is_firing(), item.severity()));
            (order, item.since, item.fingerprint())
        });
        Self {
            items,
            more,
            late_since,
        }
    }

    /// To try a receiver.
    pub fn test(now: i64) -> Self {
        let labels: Labels = [("alertname", "EdgewatchTest"), ("severity", "info")]
            .into_iter()
            .collect();
        let words = [
            ("summary", "This is a test of edgewatch's notifications"),
            ("description", "If you read it, alerts of this device reach you here."),
            ("remedy", "Nothing is to do."),
        ];
        let word = |name: &str| {
            words
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, text)| (*text).to_owned())
        };
        let item = Item {
            news: News::Fires,
            words: Words::new(word, &labels),
            labels: labels
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            since: now,
            until: now,
            times: 1,
        };
        Self::new(vec![item], 0, None)
    }

    /// Whether anything fires.
    pub fn is_firing(&self) -> bool {
        self.more > 0 || self.items.iter().any(|item| item.news.is_firing())
    }

    /// The worst of what fires, or of all if nothing does.
    pub fn severity(&self) -> Severity {
        let worst = |items: &mut dyn Iterator<Item = &Item>| items.map(Item::severity).max();
        worst(&mut self.items.iter().filter(|item| item.news.is_firing()))
            .or_else(|| worst(&mut self.items.iter()))
            .unwrap_or(Severity::Warning)
    }
}

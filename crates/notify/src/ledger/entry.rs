//! An alert, and what was told of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::alert::{Severity, Words};
use crate::digest::{Item, News};

/// Milliseconds without an alert after which it fires anew, for counting how often it did.
const PAUSE: i64 = 5 * 60_000;

/// An alert.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Entry {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) remedy: String,
    /// Since when it fires.
    pub(super) since_ms: i64,
    /// When it was last seen to.
    pub(super) seen_ms: i64,
    pub(super) times: u32,
    pub(super) has_ended: bool,
    /// When that was told.
    pub(super) told_ms: Option<i64>,
    /// Since when there is something to tell of it.
    pub(super) news_ms: i64,
    /// Since when its condition has held, if this look has found it pending.
    #[serde(skip)]
    pub(super) pends_since: Option<i64>,
}

impl Entry {
    pub(super) fn news(&self, now: i64, repeat: i64) -> Option<News> {
        match (self.told_ms, self.has_ended) {
            (None, false) => Some(News::Fires),
            (None, true) => Some(News::WasMissed),
            (Some(_), true) => Some(News::Ended),
            (Some(told), false) => (repeat > 0 && now - told >= repeat).then_some(News::StillFires),
        }
    }

    pub(super) fn severity(&self) -> Severity {
        Severity::of(self.labels.get("severity").map_or("", String::as_str))
    }

    /// It is seen to fire at this time. True if that is news.
    pub(super) fn fires(&mut self, time: i64) -> bool {
        let is_news = self.has_ended;
        if self.has_ended || time - self.seen_ms > PAUSE {
            self.times = self.times.saturating_add(1);
        }
        self.has_ended = false;
        self.seen_ms = self.seen_ms.max(time);
        is_news
    }
}

impl Entry {
    pub(super) fn say(&mut self, words: &Words) {
        self.summary.clone_from(&words.summary);
        self.description.clone_from(&words.description);
        self.remedy.clone_from(&words.remedy);
    }

    pub(super) fn item(&self, news: News) -> Item {
        Item {
            news,
            labels: self.labels.clone(),
            words: Words {
                summary: self.summary.clone(),
                description: self.description.clone(),
                remedy: self.remedy.clone(),
            },
            since: self.since_ms,
            until: self.seen_ms,
            times: self.times,
        }
    }
}

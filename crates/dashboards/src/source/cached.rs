//! A cache in front of Prometheus: equal queries of several viewers are sent once, results are cached briefly, and after a failed
//! connection queries fail at once for a while instead of running into the timeout panel by panel.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::Direct;
use crate::settings;
use edgewatch_grafana_model::source::{Answered, QueryError, Series, Source};
use edgewatch_grafana_model::time::Grid;

use edgewatch_program::lock::lock;
use edgewatch_prometheus_client::error::Error;
use edgewatch_prometheus_client::labels::Labels;

/// Bytes of cached results; the oldest are evicted first.
const MAX_BYTES: usize = 512 << 10;
/// Cached results.
const MAX_ENTRIES: usize = 256;
/// Lifetime of results that do not depend on a step, and the minimum of the others. The maximum of those that found nothing: where a
/// history begins, as on a device that has just started, the next scrape brings something.
const MIN_LIFETIME: Duration = Duration::from_secs(5);
/// Maximum lifetime; range queries are cached for one step, in which the newest point can still change.
const MAX_LIFETIME: Duration = Duration::from_secs(60);
/// After a failed connection the server is not queried for so long, so that a page of many panels completes in about one timeout.
const BACK_OFF: Duration = Duration::from_secs(3);

/// Lifetime of the scrape interval, which changes with the configuration of the server.
const INTERVAL_LIFETIME: Duration = Duration::from_secs(300);

/// A small cache in front of [`Direct`].
pub(crate) struct CachedSource {
    upstream: Direct,
    cache: Mutex<Cache>,
    /// Until when it is known, and what it is.
    scrape_interval: Mutex<Option<(Instant, i64)>>,
}

#[derive(Default)]
struct Cache {
    entries: HashMap<Key, CacheEntry>,
    /// Until when queries fail at once, and with which error.
    back_off: Option<(Instant, QueryError)>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
enum Key {
    Range(String, Grid),
    Instant(String, i64),
    Values(String, String, i64, i64),
    Series(String, i64, i64),
}

/// A query that has a result, or is being sent by one of those who hold the cell.
struct CacheEntry {
    cell: Cell,
    bytes: usize,
    until: Instant,
}

#[derive(Clone)]
enum Cell {
    Range(Arc<OnceLock<Answered<Series>>>),
    Instant(Arc<OnceLock<Answered<(Labels, f64)>>>),
    Values(Arc<OnceLock<Answered<String>>>),
    Series(Arc<OnceLock<Answered<Labels>>>),
}

impl CachedSource {
    /// An empty cache in front of the server of the settings.
    ///
    /// # Errors
    /// Its address is invalid.
    pub(crate) fn new(settings: &settings::Prometheus) -> Result<Self, Error> {
        Ok(Self {
            upstream: Direct::new(settings)?,
            cache: Mutex::default(),
            scrape_interval: Mutex::default(),
        })
    }

    /// The scrape interval in milliseconds, or `otherwise` while it is not known. Those who ask at once wait for one answer.
    pub(crate) fn scrape_interval(&self, otherwise: i64) -> i64 {
        let mut known = lock(&self.scrape_interval);
        if let Some((_, interval)) = known.filter(|(until, _)| *until > Instant::now()) {
            return interval;
        }
        if self.back_off_error().is_some() {
            return otherwise;
        }
        match self.upstream.scrape_interval() {
            Ok(interval) => {
                let interval = interval.unwrap_or(otherwise);
                *known = Some((Instant::now() + INTERVAL_LIFETIME, interval));
                interval
            }
            Err(error) => {
                lock(&self.cache).back_off = Some((Instant::now() + BACK_OFF, error));
                otherwise
            }
        }
    }

    /// The result of the query `key`: cached, awaited from a concurrent equal query, or sent.
    fn get<T: Cacheable>(&self, key: Key, lifetime: Duration, send: impl FnOnce() -> Answered<T>) -> Answered<T> {
        let now = Instant::now();
        let cell = {
            let mut cache = lock(&self.cache);
            cache.evict_expired(now);
            cache.evict_superseded(&key);
            let entry = cache.entries.entry(key.clone()).or_insert_with(|| CacheEntry {
                cell: T::wrap(Arc::default()),
                bytes: size_of_key(&key),
                until: now + lifetime,
            });
            let cell = T::unwrap(&entry.cell);
            cache.evict_oldest(Some(&key));
            cell
        };
        // Does not happen, since the key determines the type; sending the query again would be right nevertheless.
        let Some(cell) = cell else { return send() };
        let mut is_new = false;
        let result = cell.get_or_init(|| {
            is_new = true;
            match self.back_off_error() {
                Some(error) => Err(error),
                None => send(),
            }
        });
        if is_new {
            self.store(&key, result);
        }
        result.clone()
    }

    fn back_off_error(&self) -> Option<QueryError> {
        let cache = lock(&self.cache);
        let (until, error) = cache.back_off.as_ref()?;
        (*until > Instant::now()).then(|| error.clone())
    }

    /// Accounts for the result of a query.
    fn store<T: Cacheable>(&self, key: &Key, result: &Answered<T>) {
        let now = Instant::now();
        let mut cache = lock(&self.cache);
        match result {
            Ok(answer) => {
                cache.back_off = None;
                let notes = answer.notes.iter().map(String::len);
                let size = size_of_key(key) + answer.items.iter().map(Cacheable::size).chain(notes).sum::<usize>();
                if size > MAX_BYTES / 2 {
                    // Those who wait for it hold the cell; in the cache it would evict everything else.
                    cache.remove(key);
                } else if let Some(entry) = cache.entries.get_mut(key) {
                    entry.bytes = size;
                    if answer.items.is_empty() {
                        entry.until = entry.until.min(now + MIN_LIFETIME);
                    }
                }
            }
            Err(error @ QueryError::Unreachable(_)) => {
                // Not prolonged by queries that fail because of it.
                if cache.back_off.as_ref().is_none_or(|(until, _)| *until <= now) {
                    cache.back_off = Some((now + BACK_OFF, error.clone()));
                }
                cache.remove(key);
            }
            Err(QueryError::Refused(_) | QueryError::TooLarge(_) | QueryError::TooMuch(_)) => {}
        }
        cache.evict_oldest(None);
    }
}

impl Cache {
    /// Bytes of all entries. Summed up each time: with a running total, an entry that was evicted and inserted again while its query was
    /// in progress would be counted twice.
    fn bytes(&self) -> usize {
        self.entries.values().map(|entry| entry.bytes).sum()
    }

    fn remove(&mut self, key: &Key) {
        self.entries.remove(key);
    }

    fn evict_expired(&mut self, now: Instant) {
        self.entries.retain(|_, entry| entry.until > now);
    }

    /// Evicts the result of the same query some steps earlier: ranges that end now are not queried again.
    fn evict_superseded(&mut self, key: &Key) {
        let Key::Range(expression, grid) = key else { return };
        self.entries.retain(|other, _| {
            !matches!(other, Key::Range(same, old)
                if same == expression && old.step == grid.step && old.len == grid.len && old.start < grid.start)
        });
    }

    /// Evicts the oldest entries above the limits, but not `current`.
    fn evict_oldest(&mut self, current: Option<&Key>) {
        while self.bytes() > MAX_BYTES || self.entries.len() > MAX_ENTRIES {
            let others = self.entries.iter().filter(|(key, _)| Some(*key) != current);
            let oldest = others.min_by_key(|(_, entry)| entry.until);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            self.remove(&key);
        }
    }
}

impl Source for CachedSource {
    fn range(&self, expression: &str, grid: Grid) -> Answered<Series> {
        let step = Duration::from_millis(u64::try_from(grid.step).unwrap_or_default());
        self.get(
            Key::Range(expression.to_owned(), grid),
            step.clamp(MIN_LIFETIME, MAX_LIFETIME),
            || self.upstream.range(expression, grid),
        )
    }

    fn instant(&self, expression: &str, at: i64) -> Answered<(Labels, f64)> {
        self.get(Key::Instant(expression.to_owned(), at), MIN_LIFETIME, || {
            self.upstream.instant(expression, at)
        })
    }

    fn label_values(&self, label: &str, selector: &str, from: i64, to: i64) -> Answered<String> {
        let key = Key::Values(label.to_owned(), selector.to_owned(), from, to);
        self.get(key, MAX_LIFETIME, || {
            self.upstream.label_values(label, selector, from, to)
        })
    }

    fn series(&self, selector: &str, from: i64, to: i64) -> Answered<Labels> {
        let key = Key::Series(selector.to_owned(), from, to);
        self.get(key, MAX_LIFETIME, || self.upstream.series(selector, from, to))
    }
}

/// The item types of results, which are cached in one map.
trait Cacheable: Sized {
    fn wrap(cell: Arc<OnceLock<Answered<Self>>>) -> Cell;
    fn unwrap(cell: &Cell) -> Option<Arc<OnceLock<Answered<Self>>>>;
    /// Bytes in memory, roughly.
    fn size(&self) -> usize;
}

macro_rules! cacheable {
    ($type:ty, $kind:ident, $item:ident => $size:expr) => {
        impl Cacheable for $type {
            fn wrap(cell: Arc<OnceLock<Answered<Self>>>) -> Cell {
                Cell::$kind(cell)
            }

            fn unwrap(cell: &Cell) -> Option<Arc<OnceLock<Answered<Self>>>> {
                match cell {
                    Cell::$kind(cell) => Some(Arc::clone(cell)),
                    _ => None,
                }
            }

            fn size(&self) -> usize {
                let $item = self;
                $size
            }
        }
    };
}

cacheable!(Series, Range, series => series.labels.size() + series.values.len() * size_of::<f64>());
cacheable!((Labels, f64), Instant, sample => sample.0.size() + size_of::<f64>());
cacheable!(String, Values, text => text.len() + size_of::<String>());
cacheable!(Labels, Series, labels => labels.size());

fn size_of_key(key: &Key) -> usize {
    let texts = match key {
        Key::Range(text, _) | Key::Instant(text, _) | Key::Series(text, _, _) => text.len(),
        Key::Values(label, selector, _, _) => label.len() + selector.len(),
    };
    texts + size_of::<Key>() + size_of::<CacheEntry>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_of_a_later_step_replaces_the_earlier_one_of_the_same_query() {
        let key = |expression: &str, start, step, len| Key::Range(expression.to_owned(), Grid { start, step, len });
        let mut cache = Cache::default();
        let kept = [
            key("a", 60, 30, 3),
            key("b", 0, 30, 3),
            key("a", 0, 15, 3),
            key("a", 0, 30, 9),
        ];
        for key in kept.iter().cloned().chain([key("a", 30, 30, 3)]) {
            let entry = CacheEntry {
                cell: Series::wrap(Arc::default()),
                bytes: 100,
                until: Instant::now(),
            };
            cache.entries.insert(key, entry);
        }
        cache.evict_superseded(&kept[0]);
        assert_eq!((cache.entries.len(), cache.bytes()), (4, 400));
        assert!(kept.iter().all(|key| cache.entries.contains_key(key)));
    }

    #[test]
    fn what_found_nothing_is_asked_again_soon() {
        let source = CachedSource::new(&settings::Prometheus::default()).unwrap();
        let lifetime = |label: &str, items: Vec<String>| {
            let key = Key::Values(label.to_owned(), String::new(), 0, 60);
            let began = Instant::now();
            let notes = Vec::new();
            let answer = || Ok(Arc::new(edgewatch_grafana_model::source::Answer { items, notes }));
            source.get(key.clone(), MAX_LIFETIME, answer).unwrap();
            lock(&source.cache).entries[&key].until - began
        };
        assert!(lifetime("job", vec!["edgewatch".to_owned()]) >= MAX_LIFETIME);
        assert!(lifetime("nothing", Vec::new()) <= MIN_LIFETIME + Duration::from_secs(1));
    }

    /// A query is evicted while it is in progress, and the same query is sent again before its result.
    #[test]
    fn results_are_still_cached_after_many_evictions_of_queries_in_progress() {
        let source = CachedSource::new(&settings::Prometheus::default()).unwrap();
        let answer = || {
            let items = vec![(Labels::from_iter([("name", "x".repeat(1000).as_str())]), 1.0)];
            let notes = Vec::new();
            Ok(Arc::new(edgewatch_grafana_model::source::Answer { items, notes }))
        };
        for number in 0..1000 {
            let key = Key::Instant("a".to_owned(), number);
            let both = source.get(key.clone(), MAX_LIFETIME, || {
                lock(&source.cache).remove(&key);
                source.get(key.clone(), MAX_LIFETIME, answer)
            });
            assert!(both.is_ok());
        }
        let mut sent = 0;
        for _ in 0..2 {
            let cached = source.get(Key::Instant("b".to_owned(), 0), MAX_LIFETIME, || {
                sent += 1;
                answer()
            });
            assert!(cached.is_ok());
        }
        assert_eq!(sent, 1);
        assert!(lock(&source.cache).entries.len() > 100, "the others are cached as well");
    }
}

//! One question of Prometheus for many viewers: equal queries are asked once, answers are kept for a moment, and a server that does
//! not answer is left alone for a while instead of being waited for again by each panel.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::Direct;
use crate::settings;
use edgewatch_grafana_model::source::{Answered, QueryError, Series, Source};
use edgewatch_grafana_model::time::Grid;
use edgewatch_program::error::Failure;
use edgewatch_program::lock::lock;
use edgewatch_prometheus_client::labels::Labels;

/// Bytes of answers that are kept; the oldest go first.
const MOST_BYTES: usize = 512 << 10;
/// Answers that are kept, however small.
const MOST_ENTRIES: usize = 256;
/// An answer that does not depend on a step is kept for so long.
const BRIEFLY: Duration = Duration::from_secs(5);
/// No answer is kept for longer: the newest point of a series can still change while its step lasts.
const LONGEST: Duration = Duration::from_secs(60);
/// How long a server that did not answer is not asked. Within it a page of any number of panels comes to its end.
const REST: Duration = Duration::from_secs(3);

/// Answers from a small cache in front of [`Direct`].
pub struct Shared {
    upstream: Direct,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// Until when nothing is asked, and why.
    rest: Option<(Instant, QueryError)>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
enum Key {
    Range(String, Grid),
    Instant(String, i64),
    Values(String, String, i64, i64),
    Series(String, i64, i64),
}

/// A question that was asked, or is being asked by one who holds the cell.
struct Entry {
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

impl Shared {
    /// An empty cache in front of the server that the settings name.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(settings: &settings::Prometheus) -> Result<Self, Failure> {
        Ok(Self {
            upstream: Direct::new(settings)?,
            state: Mutex::default(),
        })
    }

    /// The answer to the question `key`: kept, awaited from whoever asks it already, or asked.
    fn answer<T: Kept>(&self, key: Key, lifetime: Duration, ask: impl FnOnce() -> Answered<T>) -> Answered<T> {
        let now = Instant::now();
        let cell = {
            let mut state = lock(&self.state);
            state.forget(now);
            state.supersede(&key);
            let entry = state.entries.entry(key.clone()).or_insert_with(|| Entry {
                cell: T::wrap(Arc::default()),
                bytes: size_of_key(&key),
                until: now + lifetime,
            });
            let cell = T::unwrap(&entry.cell);
            state.shrink(Some(&key));
            cell
        };
        // The key names the kind, so that this does not happen; asking once more would be right all the same.
        let Some(cell) = cell else { return ask() };
        let mut was_asked = false;
        let answer = cell.get_or_init(|| {
            was_asked = true;
            match self.resting() {
                Some(error) => Err(error),
                None => ask(),
            }
        });
        if was_asked {
            self.settle(&key, answer);
        }
        answer.clone()
    }

    fn resting(&self) -> Option<QueryError> {
        let state = lock(&self.state);
        let (until, error) = state.rest.as_ref()?;
        (*until > Instant::now()).then(|| error.clone())
    }

    /// Notes what came of a question.
    fn settle<T: Kept>(&self, key: &Key, answer: &Answered<T>) {
        let now = Instant::now();
        let mut state = lock(&self.state);
        match answer {
            Ok(answer) => {
                state.rest = None;
                let notes = answer.notes.iter().map(String::len);
                let size = size_of_key(key) + answer.items.iter().map(Kept::size).chain(notes).sum::<usize>();
                if size > MOST_BYTES / 2 {
                    // Whoever waits for it holds the cell; to keep it would throw out everything else.
                    state.remove(key);
                } else if let Some(entry) = state.entries.get_mut(key) {
                    entry.bytes = size;
                }
            }
            Err(error @ QueryError::Unreachable(_)) => {
                // Not to be prolonged by the answers it gives itself.
                if state.rest.as_ref().is_none_or(|(until, _)| *until <= now) {
                    state.rest = Some((now + REST, error.clone()));
                }
                state.remove(key);
            }
            Err(QueryError::Refused(_) | QueryError::TooMuch(_)) => {}
        }
        state.shrink(None);
    }
}

impl State {
    /// Bytes of everything that is kept. Counted anew each time: of two who ask the same, one whose question was thrown out meanwhile
    /// would otherwise count what the other has counted.
    fn bytes(&self) -> usize {
        self.entries.values().map(|entry| entry.bytes).sum()
    }

    fn remove(&mut self, key: &Key) {
        self.entries.remove(key);
    }

    fn forget(&mut self, now: Instant) {
        self.entries.retain(|_, entry| entry.until > now);
    }

    /// Drops the answer that this question asks anew, some steps later: those who look at the present do not ask it again.
    fn supersede(&mut self, key: &Key) {
        let Key::Range(expression, grid) = key else { return };
        self.entries.retain(|other, _| {
            !matches!(other, Key::Range(same, old)
                if same == expression && old.step == grid.step && old.len == grid.len && old.start < grid.start)
        });
    }

    /// Keeps within the bounds, and `asked` in any case.
    fn shrink(&mut self, asked: Option<&Key>) {
        while self.bytes() > MOST_BYTES || self.entries.len() > MOST_ENTRIES {
            let others = self.entries.iter().filter(|(key, _)| Some(*key) != asked);
            let oldest = others.min_by_key(|(_, entry)| entry.until);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            self.remove(&key);
        }
    }
}

impl Source for Shared {
    fn range(&self, expression: &str, grid: Grid) -> Answered<Series> {
        let step = Duration::from_millis(u64::try_from(grid.step).unwrap_or_default());
        self.answer(
            Key::Range(expression.to_owned(), grid),
            step.clamp(BRIEFLY, LONGEST),
            || self.upstream.range(expression, grid),
        )
    }

    fn instant(&self, expression: &str, at: i64) -> Answered<(Labels, f64)> {
        self.answer(Key::Instant(expression.to_owned(), at), BRIEFLY, || {
            self.upstream.instant(expression, at)
        })
    }

    fn label_values(&self, label: &str, selector: &str, from: i64, to: i64) -> Answered<String> {
        let key = Key::Values(label.to_owned(), selector.to_owned(), from, to);
        self.answer(key, LONGEST, || self.upstream.label_values(label, selector, from, to))
    }

    fn series(&self, selector: &str, from: i64, to: i64) -> Answered<Labels> {
        let key = Key::Series(selector.to_owned(), from, to);
        self.answer(key, LONGEST, || self.upstream.series(selector, from, to))
    }
}

/// What is kept, of four kinds in one table.
trait Kept: Sized {
    fn wrap(cell: Arc<OnceLock<Answered<Self>>>) -> Cell;
    fn unwrap(cell: &Cell) -> Option<Arc<OnceLock<Answered<Self>>>>;
    /// Bytes in memory, roughly.
    fn size(&self) -> usize;
}

macro_rules! kept {
    ($type:ty, $kind:ident, $item:ident => $size:expr) => {
        impl Kept for $type {
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

kept!(Series, Range, series => series.labels.size() + series.values.len() * size_of::<f64>());
kept!((Labels, f64), Instant, sample => sample.0.size() + size_of::<f64>());
kept!(String, Values, text => text.len() + size_of::<String>());
kept!(Labels, Series, labels => labels.size());

fn size_of_key(key: &Key) -> usize {
    let texts = match key {
        Key::Range(text, _) | Key::Instant(text, _) | Key::Series(text, _, _) => text.len(),
        Key::Values(label, selector, _, _) => label.len() + selector.len(),
    };
    texts + size_of::<Key>() + size_of::<Entry>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_a_later_step_replaces_the_earlier_one_of_the_same_question() {
        let key = |expression: &str, start, step, len| Key::Range(expression.to_owned(), Grid { start, step, len });
        let mut state = State::default();
        let kept = [
            key("a", 60, 30, 3),
            key("b", 0, 30, 3),
            key("a", 0, 15, 3),
            key("a", 0, 30, 9),
        ];
        for key in kept.iter().cloned().chain([key("a", 30, 30, 3)]) {
            let entry = Entry {
                cell: Series::wrap(Arc::default()),
                bytes: 100,
                until: Instant::now(),
            };
            state.entries.insert(key, entry);
        }
        state.supersede(&kept[0]);
        assert_eq!((state.entries.len(), state.bytes()), (4, 400));
        assert!(kept.iter().all(|key| state.entries.contains_key(key)));
    }

    /// One asks, a later step of the same question throws that out, and another asks the first again before its answer has come.
    #[test]
    fn answers_are_still_kept_after_many_were_thrown_out_while_they_were_asked() {
        let shared = Shared::new(&settings::Prometheus::default()).unwrap();
        let answer = || {
            let items = vec![(Labels::from_iter([("name", "x".repeat(1000).as_str())]), 1.0)];
            let notes = Vec::new();
            Ok(Arc::new(edgewatch_grafana_model::source::Answer { items, notes }))
        };
        for number in 0..1000 {
            let key = Key::Instant("a".to_owned(), number);
            let both = shared.answer(key.clone(), LONGEST, || {
                lock(&shared.state).remove(&key);
                shared.answer(key.clone(), LONGEST, answer)
            });
            assert!(both.is_ok());
        }
        let mut asked = 0;
        for _ in 0..2 {
            let kept = shared.answer(Key::Instant("b".to_owned(), 0), LONGEST, || {
                asked += 1;
                answer()
            });
            assert!(kept.is_ok());
        }
        assert_eq!(asked, 1);
        assert!(lock(&shared.state).entries.len() > 100, "the others are kept as well");
    }
}

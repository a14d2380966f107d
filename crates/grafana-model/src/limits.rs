//! What a dashboard, and the panel that is made of it, may cost: a file of a few KB can ask for gigabytes. The bounds are far above
//! what people draw; what lies beyond one is left out, and the page says so. How many panels, queries and the like a file may
//! have is in [`super::model`]; docs/dashboards.md lists everything.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::error::Panicked;

/// Bytes that the values of a file may take in memory, by a rough count. The largest public dashboards take half of it.
pub const DASHBOARD: usize = 12 << 20;
/// Bytes of a text of a dashboard, and of what becomes of one when variables are put in.
pub const TEXT: usize = 64 << 10;
/// Bytes of a title, of the name of a series and of a value that can be chosen.
pub const NAME: usize = 1 << 10;
/// Series of a panel, and values of all of them together.
pub const SERIES: usize = 1000;
/// See [`SERIES`].
pub const VALUES: usize = 100_000;
/// Bytes of the values that a panel holds between its transformations.
pub const FRAMES: usize = 1 << 20;
/// Bytes of all options that differ between the fields of a panel.
pub const OPTIONS: usize = 1 << 20;
/// What the regular expressions of a panel are held against: bytes of text times expressions.
pub const MATCHING: usize = 500_000;
/// Bytes of everything that can be chosen for the variables of a page.
pub const CHOICES: usize = 512 << 10;
/// Problems of a panel that are told, and bytes of each.
pub const PROBLEMS: usize = 20;
/// See [`PROBLEMS`].
pub const PROBLEM: usize = 500;
/// Time for a panel, from its first query on. The last query may end later: it has a limit of its own.
pub const PANEL_TIME: Duration = Duration::from_secs(10);

/// As much of `text` as has at most `bytes`, with an ellipsis if it is cut.
pub fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(floor_char_boundary(&text, bytes));
        text.push('…');
    }
    text
}

/// The greatest place up to `at` at which `text` can be cut.
pub fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Adds `problem` to those of a panel, once, and no more than a person reads.
pub fn note(problems: &mut Vec<String>, problem: String) {
    let problem = cut(problem, PROBLEM);
    if problems.contains(&problem) {
        return;
    }
    match problems.len() {
        0..PROBLEMS => problems.push(problem),
        PROBLEMS => problems.push("and more of the kind".to_owned()),
        _ => {}
    }
}

/// Whether somebody still waits for a piece of work.
#[derive(Clone, Debug, Default)]
pub struct Deadline {
    until: Option<Instant>,
    gone: Arc<AtomicBool>,
}

impl Deadline {
    /// Work that is no longer wanted once `gone` is true.
    pub const fn of_reader(gone: Arc<AtomicBool>) -> Self {
        Self { until: None, gone }
    }

    /// The same for a part of the work that may take `time` from now on.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        let until = Instant::now() + time;
        Self {
            until: Some(self.until.map_or(until, |earlier| earlier.min(until))),
            gone: Arc::clone(&self.gone),
        }
    }

    /// Why the work is to end; `None`: it may go on.
    pub fn over(&self) -> Option<String> {
        if self.gone.load(Ordering::Relaxed) {
            return Some("nobody waits for it any more".to_owned());
        }
        let is_late = self.until.is_some_and(|until| Instant::now() >= until);
        is_late.then(|| {
            format!(
                "this panel takes longer than {} s: what follows is left out; a shorter range or fewer queries help",
                PANEL_TIME.as_secs()
            )
        })
    }
}

/// What `work` brings. A panic in it, which the hook has logged, becomes an error for whoever looks at the panel, so that the
/// others are shown.
///
/// # Errors
/// It panicked.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    // What it has changed when it panics is dropped with it.
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("aä".to_owned(), 3), "aä");
        assert_eq!(cut("aäb".to_owned(), 2), "a…");
        assert_eq!(cut(String::new(), 0), "");
    }

    #[test]
    fn problems_are_told_once_and_few() {
        let mut problems = Vec::new();
        for number in 0..100 {
            note(&mut problems, "x".repeat(PROBLEM * 2));
            note(&mut problems, number.to_string());
        }
        assert_eq!(problems.len(), PROBLEMS + 1);
        assert!(problems[0].len() < PROBLEM + 4);
    }

    #[test]
    fn work_ends_when_its_time_is_up_or_nobody_waits() {
        let gone = Arc::new(AtomicBool::new(false));
        let deadline = Deadline::of_reader(Arc::clone(&gone));
        assert!(deadline.over().is_none() && deadline.within(Duration::from_secs(60)).over().is_none());
        assert!(
            deadline
                .within(Duration::ZERO)
                .over()
                .is_some_and(|why| why.contains("10 s"))
        );
        gone.store(true, Ordering::Relaxed);
        assert!(deadline.over().is_some());
    }

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert!(guarded(|| -> u8 { panic!("on purpose") }).is_err());
    }
}

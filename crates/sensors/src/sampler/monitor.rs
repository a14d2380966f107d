//! Watches the workers for reads that are slow or stuck.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::MAX_DELAY;
use super::isolation::SLOW;
use super::shared::Shared;
use super::state::CollectorState;
use crate::error::{ErrorKind, SourceError};

/// Least time between two checks.
const MIN_INTERVAL: Duration = Duration::from_millis(20);

/// Checks for stuck reads whenever one can have passed its deadline.
pub(super) async fn monitor(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(shared.next_deadline().into()) => shared.check_deadlines(),
            () = shared.rescheduled.notified() => {}
        }
    }
}

impl Shared {
    /// When the next read can pass its deadline: one in progress, or one that will begin.
    fn next_deadline(&self) -> Instant {
        let now = Instant::now();
        let next = self.readers().filter_map(|(scheduled, reader)| {
            let state = reader.state();
            let limit = match scheduled.has_parts.load(Ordering::Relaxed) && reader.parts.is_none() {
                true => SLOW.min(scheduled.deadline),
                false => scheduled.deadline_of(&reader, &state),
            };
            let is_watched = !state.overdue && state.rejoined.is_none();
            is_watched.then(|| state.active.as_ref().map_or(state.due, |read| read.since) + limit)
        });
        // Not in the past: a read that waits for its worker is late, but has not begun.
        next.min().unwrap_or(now + MAX_DELAY).max(now + MIN_INTERVAL)
    }

    /// Isolates slow parts, counts the reads that passed their deadline, and replaces the threads of their workers.
    fn check_deadlines(self: &Arc<Self>) {
        for scheduled in &self.scheduled {
            self.isolate_if_slow(scheduled);
        }
        for (scheduled, reader) in self.readers() {
            let name = scheduled.definition.name;
            let mut state = reader.state();
            let deadline = scheduled.deadline_of(&reader, &state);
            let active = state.active.as_ref();
            let late = active.filter(|read| read.since.elapsed() > deadline);
            let Some(read) = late.filter(|_| !state.overdue) else {
                continue;
            };
            let part = read.part.as_ref().map_or_else(String::new, |part| format!("{part}: "));
            let blocks_others = match !part.is_empty() && reader.parts.is_none() {
                true => "; so many hang that the others have to wait for it",
                false => "",
            };
            let what = format!("{part}no answer within {deadline:?}{blocks_others}");
            state.errors = vec![SourceError::new(ErrorKind::Timeout, what)];
            state.overdue = true;
            state.fail_readings(ErrorKind::Timeout);
            let CollectorState { errors, log, .. } = &mut *state;
            log.update(name, errors);
            drop(state);
            self.counters.collector_failed(name, ErrorKind::Timeout);
            if Arc::ptr_eq(&reader.worker, &self.common_worker) {
                self.replace_thread(&reader.worker);
            }
            self.changed.send_replace(());
        }
    }
}

//! The watch over the threads that read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::SLACK;
use super::apart::SLOW;
use super::shared::Shared;
use super::state::State;
use crate::error::ErrorKind;

/// Between two looks for stuck reads.
const LEAST_PAUSE: Duration = Duration::from_millis(20);

/// Looks for stuck reads when one can be late.
pub(super) async fn monitor(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(shared.next_deadline().into()) => shared.look_for_stuck_reads(),
            () = shared.hurried.notified() => {}
        }
    }
}

impl Shared {
    /// When the next read can pass its deadline: one under way, or one that will begin.
    fn next_deadline(&self) -> Instant {
        let now = Instant::now();
        let next = self.readers().filter_map(|(slot, reader)| {
            let state = reader.state();
            let limit = match slot.has_parts.load(Ordering::Relaxed) && reader.parts.is_none() {
                true => SLOW.min(slot.deadline),
                false => slot.deadline,
            };
            let is_watched = !state.overdue && state.leaves.is_none();
            is_watched.then(|| state.turn.as_ref().map_or(state.due, |turn| turn.since) + limit)
        });
        // Not in the past: a read that waits for its lane is late, but has not begun.
        next.min().unwrap_or(now + SLACK).max(now + LEAST_PAUSE)
    }

    /// Sets slow parts apart, counts the reads that passed their deadline, and gives their lanes another thread.
    fn look_for_stuck_reads(self: &Arc<Self>) {
        for slot in &self.slots {
            self.set_apart_if_slow(slot);
        }
        for (slot, reader) in self.readers() {
            let mut state = reader.state();
            let late = state.turn.as_ref().filter(|turn| turn.since.elapsed() > slot.deadline);
            let Some(turn) = late.filter(|_| !state.overdue) else {
                continue;
            };
            let part = turn.part.as_ref().map_or_else(String::new, |part| format!("{part}: "));
            let keeps_others = match !part.is_empty() && reader.parts.is_none() {
                true => "; so many hang that the others have to wait for it",
                false => "",
            };
            state.trouble = vec![format!("{part}no answer within {:?}{keeps_others}", slot.deadline)];
            state.overdue = true;
            state.fail_readings(ErrorKind::Timeout);
            let State { trouble, log, .. } = &mut *state;
            log.note(slot.definition.name, trouble);
            drop(state);
            self.counters.source_failed(slot.definition.name, ErrorKind::Timeout);
            if Arc::ptr_eq(&reader.lane, &self.common) {
                self.replace_thread(&reader.lane);
            }
            self.changed.send_replace(());
        }
    }
}

//! Which piece of time is sent next: the oldest that is closed, and now and then the newest, so that the centre sees the present while it
//! gets the past.

/// The samples after one time and until another, in milliseconds since 1970: `(after, until]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not in it.
    pub after: i64,
    /// In it.
    pub until: i64,
}

impl Window {
    /// Two halves; `None` if it is one of less than two milliseconds.
    pub fn halves(self) -> Option<(Self, Self)> {
        let middle = self.after + (self.until - self.after) / 2;
        (middle > self.after).then_some((Self { until: middle, ..self }, Self { after: middle, ..self }))
    }
}

/// The plan: lengths in milliseconds, and what was sent out of turn.
#[derive(Debug)]
pub struct Plan {
    length: i64,
    lag: i64,
    live_until: i64,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The window at the cursor, which then moves to its end.
    Oldest(Window),
    /// The newest closed window, out of turn: the cursor stays, and later this time is sent once more.
    Live(Window),
    /// Nothing is closed for so many milliseconds.
    Wait(i64),
}

impl Plan {
    /// Windows of `length` are closed `lag` after their end, when the scrapes that began in them are stored.
    pub const fn new(length: i64, lag: i64) -> Self {
        Self {
            length,
            lag,
            live_until: i64::MIN,
        }
    }

    /// What is next with everything up to `cursor` sent.
    pub fn next(&self, cursor: i64, now: i64) -> Next {
        let closed = now - self.lag;
        let until = cursor.saturating_add(self.length);
        if until > closed {
            return Next::Wait(until.saturating_sub(closed));
        }
        let live = Window {
            after: (closed - self.length).max(self.live_until),
            until: closed,
        };
        // With one window to go the oldest is the newest.
        if until + self.length <= closed && live.until - live.after >= self.length {
            return Next::Live(live);
        }
        Next::Oldest(Window { after: cursor, until })
    }

    /// The end of what is closed.
    pub const fn closed(&self, now: i64) -> i64 {
        now - self.lag
    }

    /// That a live window has been sent.
    pub const fn sent_live(&mut self, window: Window) {
        self.live_until = window.until;
    }

    /// That the clock has gone back: what was live lies in the future now.
    pub fn went_back(&mut self, now: i64) {
        self.live_until = self.live_until.min(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn plan() -> Plan {
        Plan::new(5 * MINUTE, MINUTE)
    }

    #[test]
    fn a_window_is_sent_when_it_has_been_over_for_the_lag() {
        let minutes = |cursor, now| plan().next(cursor * MINUTE, now * MINUTE);
        assert_eq!(minutes(100, 103), Next::Wait(3 * MINUTE));
        assert_eq!(
            minutes(100, 106),
            Next::Oldest(Window {
                after: 100 * MINUTE,
                until: 105 * MINUTE
            })
        );
        // A cursor in the future waits, and does not overflow.
        assert!(matches!(plan().next(i64::MAX, 0), Next::Wait(_)));
    }

    #[test]
    fn in_a_backlog_each_new_window_is_sent_once_out_of_turn_and_the_rest_in_order() {
        let (mut plan, mut cursor, mut order) = (plan(), 0, Vec::new());
        for round in 0..12 {
            // Two windows can be sent in the time in which one passes.
            let now = (60 + round * 5 / 2) * MINUTE;
            match plan.next(cursor, now) {
                Next::Oldest(window) => {
                    assert_eq!(window.after, cursor);
                    cursor = window.until;
                    order.push('o');
                }
                Next::Live(window) => {
                    assert_eq!(window.until, now - MINUTE);
                    plan.sent_live(window);
                    order.push('l');
                }
                Next::Wait(_) => order.push('w'),
            }
        }
        let order: String = order.into_iter().collect();
        assert_eq!(order, "lolololololo", "{order}");
    }

    #[test]
    fn after_a_step_back_the_present_is_sent_again() {
        let mut plan = plan();
        let Next::Live(first) = plan.next(0, 100 * MINUTE) else {
            panic!("no live window")
        };
        plan.sent_live(first);
        assert!(matches!(plan.next(0, 50 * MINUTE), Next::Oldest(_)));
        plan.went_back(50 * MINUTE);
        assert!(matches!(plan.next(0, 56 * MINUTE), Next::Live(_)));
    }

    #[test]
    fn a_window_is_halved_until_a_millisecond_is_left() {
        let window = Window { after: 0, until: 3 };
        let (one, other) = window.halves().unwrap();
        assert_eq!(
            (one, other),
            (Window { after: 0, until: 1 }, Window { after: 1, until: 3 })
        );
        assert_eq!(one.halves(), None);
    }
}

//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 by the wall clock; 0 before.
pub fn unix_time() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

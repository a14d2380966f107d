//! The clocks of this device. Samples bear the time of the wall clock, which may step; how long ago something was, only the time since boot
//! tells.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Of this process. Without it each start counts as one after a boot, and more is sent again than needed.
static BOOT: LazyLock<String> = LazyLock::new(|| {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| String::new(), |text| text.trim().to_owned())
});

/// A look at the clocks.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Clocks {
    /// Wall clock: milliseconds since 1970; negative before.
    pub wall_ms: i64,
    /// Milliseconds since boot, with the time in suspension (`CLOCK_BOOTTIME`, clock_gettime(2)).
    pub uptime_ms: i64,
    /// Which boot: the kernel's `/proc/sys/kernel/random/boot_id` (random(4)).
    pub boot: String,
}

impl Clocks {
    /// Now.
    pub fn now() -> Self {
        let uptime = clock_gettime(ClockId::Boottime);
        Self {
            wall_ms: wall_ms(),
            uptime_ms: uptime.tv_sec * 1000 + uptime.tv_nsec / 1_000_000,
            boot: BOOT.clone(),
        }
    }

    /// The wall clock's time at the earliest moment at which it may have been set since `before`, as the clock goes now. Nothing stored
    /// since then is older. `None` if `before` cannot have been.
    pub fn earliest_since(&self, before: &Self) -> Option<i64> {
        let elapsed = match !self.boot.is_empty() && self.boot == before.boot {
            true => self
                .uptime_ms
                .checked_sub(before.uptime_ms)
                .filter(|elapsed| *elapsed >= 0)?,
            false => self.uptime_ms,
        };
        self.wall_ms.checked_sub(elapsed)
    }
}

/// Milliseconds since 1970 by the wall clock; negative before.
pub fn wall_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(elapsed) => elapsed.as_millis() as i64,
        Err(before) => -(before.duration().as_millis() as i64),
    }
}

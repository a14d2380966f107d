//! The wall clock: its time, whether it is synchronised (adjtimex(2)), and whether it was stepped.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edgewatch_program::lock::lock;
use edgewatch_program::time::unix_time;
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::collectors::lasting::Lasting;
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "clock",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const TIME: Metric = Metric::gauge("node_time_seconds", "seconds", "Unix time of the device.");
const SYNC: Metric = Metric::gauge("node_timex_sync_status", "", "1 if the kernel's clock is synchronised.");
const OFFSET: Metric = Metric::gauge(
    "node_timex_offset_seconds",
    "seconds",
    "Offset from the reference clock.",
);
const MAXERROR: Metric = Metric::gauge("node_timex_maxerror_seconds", "seconds", "Maximum error of the clock.");
const STEPS: Metric = Metric::counter(
    "edge_clock_steps_total",
    "",
    "Steps of the wall clock against the monotonic clock of more than a second.",
);
const STEP: Metric = Metric::gauge(
    "edge_clock_step_seconds",
    "seconds",
    "Size of the last step; negative if the clock went back; 0 if there was none.",
);

/// Far more than what passes between the reads of the two clocks. Slewing, however fast (by a twelfth with chronyd), is no step: the kernel
/// slews the time since boot as well (clock_gettime(2)), so that the difference stays the same.
const MIN_STEP: f64 = 1.0;

const fn timex(name: &'static str, unit: &'static str, help: &'static str) -> Metric {
    Metric::gauge(name, unit, help)
}

const fn pulses(name: &'static str, help: &'static str) -> Metric {
    Metric::counter(name, "", help)
}

/// What else adjtimex(2) tells, with `collect = "full"`: value and metric.
type More = (fn(&libc::timex) -> f64, Metric);
static MORE: [More; 14] = [
    (
        |timex| timex.esterror as f64 / 1e6,
        timex(
            "node_timex_estimated_error_seconds",
            "seconds",
            "Estimated error of the clock.",
        ),
    ),
    (
        |timex| 1.0 + timex.freq as f64 / PPM,
        timex(
            "node_timex_frequency_adjustment_ratio",
            "ratio",
            "How much faster than its crystal the clock is made to run.",
        ),
    ),
    (
        |timex| timex.constant as f64,
        timex(
            "node_timex_loop_time_constant",
            "",
            "Time constant of the loop that follows the reference clock.",
        ),
    ),
    (
        |timex| timex.status.into(),
        timex("node_timex_status", "", "Status bits of the clock (STA_*)."),
    ),
    (
        |timex| timex.tick as f64 / 1e6,
        timex(
            "node_timex_tick_seconds",
            "seconds",
            "Time between two ticks of the clock.",
        ),
    ),
    (
        |timex| timex.tai.into(),
        timex(
            "node_timex_tai_offset_seconds",
            "seconds",
            "How far International Atomic Time is ahead.",
        ),
    ),
    (
        |timex| timex.ppsfreq as f64 / PPM,
        timex(
            "node_timex_pps_frequency_hertz",
            "hertz",
            "Frequency of the pulse of a second.",
        ),
    ),
    (
        |timex| timex.shift.into(),
        timex(
            "node_timex_pps_shift_seconds",
            "seconds",
            "Interval over which the pulse of a second is watched.",
        ),
    ),
    (
        |timex| timex.jitter as f64 / unit(timex),
        timex(
            "node_timex_pps_jitter_seconds",
            "seconds",
            "How far the pulse of a second varies.",
        ),
    ),
    (
        |timex| timex.stabil as f64 / PPM,
        timex(
            "node_timex_pps_stability_hertz",
            "hertz",
            "How far the frequency of the pulse of a second varies.",
        ),
    ),
    (
        |timex| timex.jitcnt as f64,
        pulses("node_timex_pps_jitter_total", "Pulses of a second that varied too far."),
    ),
    (
        |timex| timex.calcnt as f64,
        pulses(
            "node_timex_pps_calibration_total",
            "Intervals in which the pulse of a second was watched.",
        ),
    ),
    (
        |timex| timex.errcnt as f64,
        pulses("node_timex_pps_error_total", "Such intervals that were of no use."),
    ),
    (
        |timex| timex.stbcnt as f64,
        pulses(
            "node_timex_pps_stability_exceeded_total",
            "Such intervals in which the frequency varied too far.",
        ),
    ),
];
/// Parts of a second in which the kernel tells some times.
fn unit(timex: &libc::timex) -> f64 {
    match timex.status & libc::STA_NANO != 0 {
        true => 1e9,
        false => 1e6,
    }
}

/// One part in a million, in the kernel's fixed point.
const PPM: f64 = 1e6 * 65536.0;

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    static STEPS: Lasting<(), Mutex<Steps>> = Lasting::new();
    Ok(Box::new(Clock {
        steps: STEPS.get((), Mutex::default),
        collect: settings.collect,
    }))
}

struct Clock {
    steps: Arc<Mutex<Steps>>,
    collect: Collect,
}

impl Collector for Clock {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        recorder.push(&TIME, &[], unix_time());
        let mut steps = lock(&self.steps);
        steps.observe(boot_time());
        recorder.push(&STEPS, &[], steps.count);
        recorder.push(&STEP, &[], steps.last);
        drop(steps);
        match Timex::read() {
            Ok(clock) => {
                recorder.push(&SYNC, &[], f64::from(u8::from(clock.is_synchronised)));
                recorder.push(&OFFSET, &[], clock.offset);
                recorder.push(&MAXERROR, &[], clock.maxerror);
                for (value, metric) in MORE.iter().filter(|_| self.collect == Collect::Full) {
                    recorder.push(metric, &[], value(&clock.timex));
                }
            }
            // A sandbox may forbid the call, which the other metrics do not need.
            Err(source) => recorder.record(
                &SYNC,
                &[],
                Err(ReadError::Io {
                    path: "adjtimex".into(),
                    source,
                }),
            ),
        }
        Ok(())
    }
}

/// Unix time, in seconds, at which the machine was booted if the wall clock is right. The time that the machine slept counts,
/// so that only a step of the wall clock changes it by much.
pub(crate) fn boot_time() -> f64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Boottime);
    unix_time() - (tv_sec as f64 + tv_nsec as f64 / 1e9)
}

/// The steps of the clock since the first read.
#[derive(Default)]
struct Steps {
    boot_time: Option<f64>,
    count: f64,
    last: f64,
}

impl Steps {
    fn observe(&mut self, boot_time: f64) {
        let step = self.boot_time.map_or(0.0, |before| boot_time - before);
        if step.abs() > MIN_STEP {
            self.count += 1.0;
            self.last = step;
        }
        self.boot_time = Some(boot_time);
    }
}

/// The kernel's state of the clock; times in seconds.
#[derive(Debug)]
struct Timex {
    is_synchronised: bool,
    offset: f64,
    maxerror: f64,
    timex: libc::timex,
}

impl Timex {
    fn read() -> io::Result<Self> {
        // SAFETY: `timex` consists of integers, for which all bits 0 is a value; `modes` = 0 asks without setting anything.
        let mut timex: libc::timex = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a `timex` that lives until the call returns, the only thing the call writes to.
        if unsafe { libc::adjtimex(&raw mut timex) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            is_synchronised: timex.status & libc::STA_UNSYNC == 0,
            offset: timex.offset as f64 / unit(&timex),
            maxerror: timex.maxerror as f64 / 1e6,
            timex,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_jump_is_a_step_and_it_is_counted_once() {
        let mut steps = Steps::default();
        let mut observe = |boot_time| {
            steps.observe(boot_time);
            (steps.count, steps.last)
        };
        assert_eq!(observe(1000.0), (0.0, 0.0));
        assert_eq!(observe(1000.875), (0.0, 0.0));
        assert_eq!(observe(4600.875), (1.0, 3600.0));
        assert_eq!(observe(4600.875), (1.0, 3600.0));
        assert_eq!(observe(1000.875), (2.0, -3600.0));
    }

    #[test]
    fn the_kernel_is_asked_without_privileges() {
        let clock = Timex::read().unwrap();
        assert!(clock.offset.abs() <= 0.5 && clock.maxerror >= 0.0, "{clock:?}");
        let boot_time = boot_time();
        assert!(boot_time > 0.0 && boot_time < unix_time());
    }
}

//! Simulated sensors, for machines that have none: a random walk, and faults on demand.

use std::thread;
use std::time::{Duration, Instant};

use crate::collectors::hwmon::quantities::{ALARM, CHIP_NAME, FAN, LABEL, MOISTURE, TEMP, VOLTAGE};
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{ErrorKind, OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{self, Collect, Fault, FaultKind, Settings};

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "simulated",
    needs: None,
    collect: Collect::Standard,
    // As hwmon, which it replaces.
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(1),
    deadline: Duration::from_secs(1),
    open,
};

const CHIP: (&str, &str) = ("chip", "simulated");
/// Below this a Raspberry Pi reports undervoltage.
const MIN_VOLTS: f64 = 4.63;

struct Simulated {
    started: Instant,
    sensors: [Sensor; 5],
    faults: Vec<Fault>,
    /// Separate from that of the walk, so that faults do not change the values.
    fault_random: Random,
}

struct Sensor {
    name: &'static str,
    label: &'static str,
    metric: &'static Metric,
    walk: Walk,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    let settings::Simulated { seed, faults, .. } = &settings.simulated;
    let mut seeds = Random(*seed);
    let mut sensor = |name, label, metric, low, high| Sensor {
        name,
        label,
        metric,
        walk: Walk {
            value: (low + high) / 2.0,
            low,
            high,
            random: Random(seeds.next()),
        },
    };
    Ok(Box::new(Simulated {
        started: Instant::now(),
        sensors: [
            sensor("temp1", "ambient", &TEMP, 15.0, 35.0),
            sensor("temp2", "board", &TEMP, 35.0, 75.0),
            sensor("in1", "supply", &VOLTAGE, 4.6, 5.4),
            sensor("fan1", "case", &FAN, 800.0, 2400.0),
            sensor("humidity1", "ambient", &MOISTURE, 0.3, 0.7),
        ],
        faults: faults.clone(),
        fault_random: Random(seeds.next()),
    }))
}

impl Collector for Simulated {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        recorder.push(&CHIP_NAME, &[CHIP, ("chip_name", "simulated")], 1.0);
        for number in 0..self.sensors.len() {
            let sensor = &mut self.sensors[number];
            let value = sensor.walk.step();
            let Sensor {
                name, label, metric, ..
            } = *sensor;
            recorder.push(&LABEL, &[CHIP, ("sensor", name), ("label", label)], 1.0);
            let outcome = self.inject_faults(name).map(|()| value);
            if name == "in1"
                && let Ok(volts) = outcome
            {
                let alarm = f64::from(u8::from(volts < MIN_VOLTS));
                recorder.push(&ALARM, &[CHIP, ("sensor", "in0"), ("kind", "lcrit_alarm")], alarm);
            }
            recorder.record(metric, &[CHIP, ("sensor", name)], outcome);
        }
        Ok(())
    }
}

impl Simulated {
    /// Injects the faults that are due for the sensor. After a panic the collector is opened again, and with it the time of its faults
    /// starts from 0.
    fn inject_faults(&mut self, sensor: &str) -> Result<(), ReadError> {
        for fault in &self.faults {
            let is_target = fault.sensor == "*" || fault.sensor == sensor;
            if !is_target || !is_due(fault, self.started.elapsed()) || self.fault_random.ratio() >= fault.probability {
                continue;
            }
            match fault.kind {
                FaultKind::Io => return Err(ReadError::Injected(ErrorKind::Io)),
                FaultKind::NotReady => return Err(ReadError::Injected(ErrorKind::NotReady)),
                FaultKind::Invalid => return Err(ReadError::Injected(ErrorKind::Invalid)),
                FaultKind::Panic => panic!("injected fault"),
                FaultKind::Hang => {
                    while is_due(fault, self.started.elapsed()) {
                        thread::sleep(Duration::from_millis(50));
                    }
                }
                FaultKind::RouteError | FaultKind::RoutePanic => {}
            }
        }
        Ok(())
    }
}

/// True while the fault lasts, `elapsed` after the start.
fn is_due(fault: &Fault, elapsed: Duration) -> bool {
    elapsed
        .checked_sub(fault.after)
        .is_some_and(|since| fault.lasting.is_none_or(|lasting| since < lasting))
}

/// A mean-reverting random walk that never leaves its range.
struct Walk {
    value: f64,
    low: f64,
    high: f64,
    random: Random,
}

impl Walk {
    fn step(&mut self) -> f64 {
        let range = self.high - self.low;
        let middle = (self.low + self.high) / 2.0;
        let push = (self.random.ratio() - 0.5) * range * 0.1;
        self.value = (self.value + push + (middle - self.value) * 0.01).clamp(self.low, self.high);
        self.value
    }
}

/// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 up to, but not including, 1.
    fn ratio(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    fn fault(kind: FaultKind, sensor: &str) -> Fault {
        Fault {
            kind,
            sensor: sensor.to_owned(),
            after: Duration::ZERO,
            lasting: None,
            probability: 1.0,
        }
    }

    #[test]
    fn the_same_seed_walks_the_same_way_and_stays_in_range() {
        let walk = |seed| Walk {
            value: 25.0,
            low: 15.0,
            high: 35.0,
            random: Random(seed),
        };
        let (mut first, mut second, mut other) = (walk(1), walk(1), walk(2));
        let (mut lowest, mut highest) = (25.0_f64, 25.0_f64);
        for _ in 0..100_000 {
            let value = first.step();
            assert_eq!(value, second.step());
            assert_ne!(value, other.step());
            lowest = lowest.min(value);
            highest = highest.max(value);
        }
        assert!(
            (15.0..20.0).contains(&lowest) && (30.0..=35.0).contains(&highest),
            "{lowest} to {highest}"
        );
    }

    #[test]
    fn the_alarm_is_raised_by_the_voltage() {
        let machine = Machine::new(&[]);
        let mut collector = (COLLECTOR.open)(&machine.settings).unwrap();
        let mut raised = 0;
        for _ in 0..10_000 {
            let read = machine.read_from(collector.as_mut());
            let volts: f64 = read
                .value("node_hwmon_in_volts{chip=simulated,sensor=in1}")
                .unwrap()
                .parse()
                .unwrap();
            let alarm = read
                .value("edge_hwmon_alarm{chip=simulated,sensor=in0,kind=lcrit_alarm}")
                .unwrap();
            assert_eq!(alarm == "1", volts < MIN_VOLTS);
            raised += u32::from(alarm == "1");
        }
        assert!((1..2000).contains(&raised), "{raised}");
    }

    #[test]
    fn a_fault_hits_the_sensor_it_names_and_leaves_the_walk_alone() {
        let mut machine = Machine::new(&[]);
        let healthy = machine.read(&COLLECTOR);
        machine.settings.simulated.faults = vec![fault(FaultKind::NotReady, "temp2")];
        let faulty = machine.read(&COLLECTOR);
        assert_eq!(faulty.errors.len(), 1);
        let differing = healthy.lines().into_iter().zip(faulty.lines()).filter(|(a, b)| a != b);
        let differing: Vec<_> = differing.map(|(_, line)| line).collect();
        assert_eq!(
            differing,
            ["node_hwmon_temp_celsius{chip=simulated,sensor=temp2} not_ready"]
        );
    }

    #[test]
    fn a_fault_begins_and_ends_when_it_should() {
        let second = Duration::from_secs(1);
        let fault = Fault {
            after: second * 5,
            lasting: Some(second * 10),
            ..fault(FaultKind::Io, "*")
        };
        let due = [4, 5, 14, 15].map(|elapsed| is_due(&fault, second * elapsed));
        assert_eq!(due, [false, true, true, false]);
    }

    #[test]
    fn a_hanging_sensor_blocks_the_read_while_the_fault_lasts() {
        let mut machine = Machine::new(&[]);
        let lasting = Duration::from_millis(200);
        machine.settings.simulated.faults = vec![Fault {
            lasting: Some(lasting),
            ..fault(FaultKind::Hang, "fan1")
        }];
        let start = Instant::now();
        assert!(machine.read(&COLLECTOR).errors.is_empty());
        assert!(start.elapsed() >= lasting);
    }
}

//! Sensors that take long, or never answer: only they are late, each for itself.

use crate::common;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::upstream::{Reply, Upstream};
use common::{FakeSys, Service, eventually};

const CPU: &str = "node_hwmon_temp_celsius{chip=\"cpu\",sensor=\"temp1\"}";
const TIMEOUTS: &str = "edge_source_errors_total{kind=\"timeout\",source=\"hwmon\"}";

fn temperature(number: usize) -> String {
    format!("class/hwmon/hwmon{number}/temp1_input")
}

fn chip(sys: &FakeSys, number: usize, name: &str, millidegrees: &str) {
    sys.write(&format!("class/hwmon/hwmon{number}/name"), name);
    sys.write(&temperature(number), millidegrees);
}

/// A chip that never answers.
fn stuck_chip(sys: &FakeSys, number: usize) {
    chip(sys, number, &format!("stuck{number}"), "");
    sys.block_file(&temperature(number));
}

/// A chip that answers each read after `conversion`, as a DS18B20 does after 750 ms.
struct SlowChip {
    stop: Arc<AtomicBool>,
    pipe: PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl SlowChip {
    fn new(sys: &FakeSys, number: usize, conversion: Duration) -> Self {
        chip(sys, number, &format!("w1_slave_temp{number}"), "");
        sys.block_file(&temperature(number));
        let (stop, pipe) = (Arc::new(AtomicBool::new(false)), sys.path().join(temperature(number)));
        let (stopped, file) = (Arc::clone(&stop), pipe.clone());
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // Waits for a reader.
                let mut writer = OpenOptions::new().write(true).open(&file).unwrap();
                thread::sleep(conversion);
                let _ = writeln!(writer, "{}", 20_000 + 1000 * number);
                drop(writer);
                // The reader has to close its end first, or it would be taken for the next one.
                thread::sleep(Duration::from_millis(20));
            }
        });
        Self {
            stop,
            pipe,
            thread: Some(thread),
        }
    }
}

impl Drop for SlowChip {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Stands for a reader, if none comes any more.
        let reader = fs::File::options().read(true).write(true).open(&self.pipe);
        let _ = self.thread.take().unwrap().join();
        drop(reader);
    }
}

/// The number of threads that read sensors.
fn samplers(service: &Service) -> usize {
    let tasks = fs::read_dir(format!("/proc/{}/task", service.child.id())).unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok())
        .filter(|name| name.trim() == "sampler")
        .count()
}

#[test]
fn six_chips_that_take_750_ms_do_not_silence_the_cpu() {
    let sys = FakeSys::new();
    chip(&sys, 0, "cpu", "48000\n");
    let _chips: Vec<_> = (1..=6)
        .map(|number| SlowChip::new(&sys, number, Duration::from_millis(750)))
        .collect();
    // With the deadline of 2 s, which six of them together do not keep.
    let service = Service::start(&(sys.settings(&["hwmon", "load"]) + "[sources.hwmon]\nperiod = \"1s\"\n"));
    let slow = |metrics: &str, number: usize| {
        let series = format!("node_hwmon_temp_celsius{{chip=\"w1_slave_temp{number}\",sensor=\"temp1\"}}");
        common::value_of(metrics, &series)
    };
    let mut all = false;
    for round in 0..60 {
        sys.write(&temperature(0), format!("{}\n", 48_000 + round));
        let metrics = service.metrics();
        assert!(common::value_of(&metrics, CPU).is_some(), "round {round}: {metrics}");
        let found = (1..=6).filter(|number| slow(&metrics, *number) == Some(f64::from(20 + *number as u32)));
        all |= found.count() == 6;
        thread::sleep(Duration::from_millis(100));
    }
    assert!(all, "{}", service.metrics());
    service.wait_for_metric(CPU, |value| value == Some(48.059));
    // They are one source all the same.
    let metrics = service.metrics();
    assert_eq!(metrics.matches("edge_source_age_seconds{source=\"hwmon\"}").count(), 1);
    assert!(common::value_of(&metrics, "edge_source_duration_seconds{source=\"hwmon\"}") > Some(0.7));
}

#[test]
fn a_slow_chip_that_is_pulled_out_ends_and_comes_back_under_the_same_labels() {
    const SLOW: &str = "node_hwmon_temp_celsius{chip=\"w1_slave_temp1\",sensor=\"temp1\"}";
    let sys = FakeSys::new();
    chip(&sys, 0, "cpu", "48000\n");
    let slow = SlowChip::new(&sys, 1, Duration::from_millis(200));
    let service = Service::start(&(sys.settings(&["hwmon", "load"]) + "[sources.hwmon]\nperiod = \"200ms\"\n"));
    service.wait_for_metric(SLOW, |value| value == Some(21.0));
    let pipe = sys.path().join(temperature(1));
    let waiting = fs::File::options().read(true).write(true).open(pipe).unwrap();
    drop(slow);
    fs::remove_dir_all(sys.path().join("class/hwmon/hwmon1")).unwrap();
    // Whoever waits for a device that goes is told so by the kernel.
    drop(waiting);
    service.wait_for_metric(SLOW, |value| value.is_none());
    chip(&sys, 5, "w1_slave_temp1", "22000\n");
    service.wait_for_metric(SLOW, |value| value == Some(22.0));
    assert_eq!(service.metric(CPU), Some(48.0));
}

#[test]
fn a_bus_of_23_chips_that_take_750_ms_is_read_at_its_pace_while_another_hangs_for_half_a_minute() {
    const CHIPS: usize = 23;
    const CONVERSION: Duration = Duration::from_millis(750);
    let sys = FakeSys::new();
    let _chips: Vec<_> = (1..=CHIPS)
        .map(|number| SlowChip::new(&sys, number, CONVERSION))
        .collect();
    chip(&sys, 0, "cpu", "48000\n");
    let service = Service::start(&sys.settings(&["hwmon", "load"]));
    let values = |metrics: &str| {
        let is_right = |number: &usize| {
            let series = format!("node_hwmon_temp_celsius{{chip=\"w1_slave_temp{number}\",sensor=\"temp1\"}}");
            common::value_of(metrics, &series) == Some(f64::from(20 + *number as u32))
        };
        (1..=CHIPS).filter(is_right).count()
    };
    assert!(
        eventually(|| values(&service.metrics()) == CHIPS),
        "{}",
        service.metrics()
    );
    // One that hangs fails alone.
    stuck_chip(&sys, CHIPS + 1);
    service.wait_for_metric(TIMEOUTS, |count| count == Some(1.0));
    // For half a minute, six periods, each of the others is there, and none is older than two periods and its conversion.
    let oldest = Duration::from_secs(10) + CONVERSION;
    let (began, mut scrapes) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_secs(30) {
        let asked = Instant::now();
        let metrics = service.metrics();
        scrapes.push(asked.elapsed());
        assert_eq!(values(&metrics), CHIPS, "{metrics}");
        let readings = service.get("/sensor").json()["readings"].clone();
        let slow = readings.as_array().unwrap().iter();
        let slow = slow.filter(|reading| reading["labels"]["chip"].to_string().contains("w1_slave"));
        let age = slow
            .map(|reading| reading["age_seconds"].as_f64().unwrap())
            .fold(0.0, f64::max);
        assert!(age < oldest.as_secs_f64(), "{age}");
        assert_eq!(common::value_of(&metrics, TIMEOUTS), Some(1.0));
        thread::sleep(Duration::from_millis(500));
    }
    scrapes.sort();
    let median = scrapes[scrapes.len() / 2];
    assert!(median < Duration::from_millis(100), "a scrape takes {median:?}");
    sys.write(&temperature(0), "49000\n");
    service.wait_for_metric(CPU, |value| value == Some(49.0));
    assert_eq!(values(&service.metrics()), CHIPS);
}

#[test]
fn a_chip_that_always_answers_late_is_given_the_time_it_takes() {
    let sys = FakeSys::new();
    chip(&sys, 0, "cpu", "48000\n");
    // Longer than the deadline of 2 s.
    let _chip = SlowChip::new(&sys, 1, Duration::from_millis(2500));
    let service = Service::start(&(sys.settings(&["hwmon", "load"]) + "[sources.hwmon]\nperiod = \"100ms\"\n"));
    let series = "node_hwmon_temp_celsius{chip=\"w1_slave_temp1\",sensor=\"temp1\"}";
    service.wait_for_metric(series, |value| value == Some(21.0));
    let late = service.metric(TIMEOUTS);
    for _ in 0..16 {
        thread::sleep(Duration::from_millis(500));
        assert_eq!(service.metric(series), Some(21.0));
    }
    assert_eq!(service.metric(TIMEOUTS), late, "it is late at each read");
    assert!(
        service
            .metric("edge_source_age_seconds{source=\"hwmon\"}")
            .is_some_and(|age| age < 8.0)
    );
}

#[test]
fn a_chip_that_hangs_for_good_takes_no_other_with_it() {
    let sys = FakeSys::new();
    chip(&sys, 0, "cpu", "48000\n");
    let service = Service::start(
        &(sys.settings(&["hwmon", "load"]) + "[sources.hwmon]\nperiod = \"100ms\"\ndeadline = \"2s\"\n"),
    );
    chip(&sys, 1, "disk", "30000\n");
    let disk = "node_hwmon_temp_celsius{chip=\"disk\",sensor=\"temp1\"}";
    service.wait_for_metric(disk, |value| value == Some(30.0));
    sys.block_file(&temperature(1));
    service.wait_for_metric(TIMEOUTS, |count| count == Some(1.0));
    for round in 1..=5 {
        sys.write(&temperature(0), format!("{}\n", 48_000 + round * 1000));
        service.wait_for_metric(CPU, |value| value == Some(f64::from(48 + round)));
    }
    let metrics = service.metrics();
    assert_eq!(common::value_of(&metrics, disk), None);
    assert_eq!(
        common::value_of(&metrics, TIMEOUTS),
        Some(1.0),
        "one stuck read is one error"
    );
    assert_eq!(
        common::value_of(&metrics, "edge_source_success{source=\"hwmon\"}"),
        Some(0.0)
    );
    let age = || service.metric("edge_source_age_seconds{source=\"hwmon\"}");
    assert!(eventually(|| age() > Some(1.0)), "the age does not grow");
    let page = service.get("/").text();
    assert!(page.contains("disk: no answer within 2s"), "{page}");
    // It answers again: a writer comes and goes, and a file takes the place of the pipe.
    let pipe = sys.path().join(temperature(1));
    let writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    sys.write(&temperature(1), "31000\n");
    drop(writer);
    service.wait_for_metric(disk, |value| value == Some(31.0));
    service.wait_for_metric("edge_source_success{source=\"hwmon\"}", |value| value == Some(1.0));
}

#[test]
fn a_chip_that_hangs_from_the_start_makes_the_source_old() {
    let sys = FakeSys::new();
    chip(&sys, 0, "cpu", "48000\n");
    stuck_chip(&sys, 1);
    let service = Service::start(
        &(sys.settings(&["hwmon", "load"]) + "[sources.hwmon]\nperiod = \"100ms\"\ndeadline = \"2s\"\n"),
    );
    assert_eq!(service.metric(CPU), Some(48.0));
    assert_eq!(service.metric(TIMEOUTS), Some(1.0));
    service.wait_for_metric("edge_source_age_seconds{source=\"hwmon\"}", |age| age > Some(1.0));
    // A chip that is pulled out is gone, once its read has ended.
    fs::rename(sys.path().join("class/hwmon/hwmon1"), sys.path().join("away")).unwrap();
    drop(
        OpenOptions::new()
            .write(true)
            .open(sys.path().join("away/temp1_input"))
            .unwrap(),
    );
    service.wait_for_metric("edge_source_success{source=\"hwmon\"}", |value| value == Some(1.0));
    assert!(eventually(|| samplers(&service) == 1), "a thread is left behind");
    assert!(
        service
            .metric("edge_source_age_seconds{source=\"hwmon\"}")
            .is_some_and(|age| age < 1.0)
    );
}

#[test]
fn chips_that_hang_by_the_dozen_are_bounded_and_the_cpu_is_read() {
    const STUCK: usize = 36;
    let sys = FakeSys::new();
    chip(&sys, 0, "cpu", "48000\n");
    for number in 1..=STUCK {
        stuck_chip(&sys, number);
    }
    let service = Service::start(
        &(sys.settings(&["hwmon", "load"]) + "[sources.hwmon]\nperiod = \"100ms\"\ndeadline = \"2s\"\n"),
    );
    for round in 1..=5 {
        sys.write(&temperature(0), format!("{}\n", 48_000 + round * 1000));
        service.wait_for_metric(CPU, |value| value == Some(f64::from(48 + round)));
    }
    // 32 readers of slow chips, one error each, and the chips that share the last one.
    service.wait_for_metric(TIMEOUTS, |count| count == Some(32.0));
    // One for each chip that has hung, and one for all that is quick.
    assert_eq!(samplers(&service), STUCK + 1);
    assert_eq!(service.get("/readyz").status, 200);
}

#[test]
fn more_chips_that_hang_than_there_are_threads_for_stop_only_their_source_and_it_says_so() {
    let sys = FakeSys::new();
    for number in 1..=60 {
        stuck_chip(&sys, number);
    }
    let settings = sys.settings(&["hwmon", "load"]) + "[sources.hwmon]\nperiod = \"100ms\"\ndeadline = \"100ms\"\n";
    let service = Service::start(&settings);
    let told = "so many hang that the others have to wait for it";
    assert!(
        eventually(|| service.get("/").text().contains(told)),
        "{}",
        service.log.text()
    );
    // 44, and the one that took over from that which waits for the source as a whole.
    assert_eq!(samplers(&service), 45);
    service.wait_for_metric("edge_source_age_seconds{source=\"load\"}", |age| {
        age.is_some_and(|age| age < 1.0)
    });
}

#[test]
fn a_chip_that_is_quick_again_gives_its_thread_back_and_is_never_missed() {
    let sys = FakeSys::new();
    chip(&sys, 0, "cpu", "48000\n");
    let service = Service::start(&(sys.settings(&["hwmon", "load"]) + "[sources.hwmon]\nperiod = \"100ms\"\n"));
    sys.block_file(&temperature(0));
    assert!(eventually(|| samplers(&service) == 2));
    let pipe = sys.path().join(temperature(0));
    let writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    sys.write(&temperature(0), "49000\n");
    drop(writer);
    service.wait_for_metric(CPU, |value| value == Some(49.0));
    let alone = eventually(|| {
        assert_eq!(service.metric(CPU), Some(49.0));
        samplers(&service) == 1
    });
    assert!(alone, "the thread stays");
    sys.write(&temperature(0), "50000\n");
    service.wait_for_metric(CPU, |value| value == Some(50.0));
}

#[test]
fn a_zone_that_hangs_takes_no_other_with_it() {
    let zone = |number: usize| format!("node_thermal_zone_temp{{zone=\"{number}\",type=\"cpu-thermal\"}}");
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    sys.zone(1, "50000\n");
    let settings = sys.settings(&["thermal", "load"]) + "[sources.thermal]\nperiod = \"100ms\"\ndeadline = \"300ms\"\n";
    let service = Service::start(&settings);
    sys.block_file("class/thermal/thermal_zone0/temp");
    service.wait_for_metric(&zone(0), |value| value.is_none());
    sys.zone(1, "51000\n");
    service.wait_for_metric(&zone(1), |value| value == Some(51.0));
}

#[test]
fn an_iio_device_that_sleeps_takes_no_other_with_it() {
    let sys = FakeSys::new();
    let channel = |number: usize| format!("bus/iio/devices/iio:device{number}/in_temp_input");
    sys.write("bus/iio/devices/iio:device0/name", "scd30\n");
    sys.write(&channel(0), "");
    sys.block_file(&channel(0));
    sys.write("bus/iio/devices/iio:device1/name", "bme280\n");
    sys.write(&channel(1), "21000\n");
    let service = Service::start(&(sys.settings(&["iio", "load"]) + "[sources.iio]\nperiod = \"100ms\"\n"));
    let temperature = |name: &str| format!("edge_iio_temperature_celsius{{device=\"{name}\",channel=\"temp\"}}");
    for millidegrees in [22_000, 23_000] {
        sys.write(&channel(1), format!("{millidegrees}\n"));
        let celsius = f64::from(millidegrees / 1000);
        service.wait_for_metric(&temperature("bme280"), |value| value == Some(celsius));
    }
    let sleeping = sys.path().join(channel(0));
    writeln!(OpenOptions::new().write(true).open(&sleeping).unwrap(), "24000").unwrap();
    service.wait_for_metric(&temperature("scd30"), |value| value == Some(24.0));
}

#[test]
fn after_a_reload_one_sampler_reads_whoever_still_looks_at_the_old_one() {
    let sys = FakeSys::new();
    sys.zone(0, "40000\n");
    let upstream = Upstream::start(|_| Reply::Silence);
    let settings = |period: &str| {
        let source = format!("[sources.thermal]\nperiod = \"{period}\"\n");
        sys.settings(&["thermal"]) + &upstream.settings() + "timeout = \"15s\"\n" + &source
    };
    let service = Service::start(&settings("1s"));
    assert_eq!(samplers(&service), 1);
    let address = service.address();
    let viewer = thread::spawn(move || {
        common::ask(
            address,
            b"GET /d/edgewatch-overview HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n",
        )
    });
    assert!(eventually(|| !upstream.asked().is_empty()), "the page asks nothing");
    service.reload(&settings("2s"));
    assert!(eventually(|| samplers(&service) == 1), "{} read", samplers(&service));
    assert!(!viewer.is_finished(), "the page does not wait for Prometheus");
    drop(service);
    let _ = viewer.join();
}

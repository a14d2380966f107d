//! A light of the device (<https://docs.kernel.org/leds/leds-class.html>) that shows the worst of what fires: it is on for a warning, blinks
//! when it is critical, and is dark otherwise.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use edgewatch_outbound::failure::{Failure, Kind};
use edgewatch_outbound::worker::Stop;

use crate::alert::Severity;
use crate::look::Source;
use crate::settings::Settings;

/// How often Prometheus is asked.
const PERIOD: Duration = Duration::from_secs(15);
/// For how long it is on, and off, when it blinks.
const BLINK: Duration = Duration::from_millis(500);

/// The light while it is ours.
struct Led {
    brightness: PathBuf,
    /// Its own greatest value, as a text.
    max: String,
    shown: Option<bool>,
}

impl Led {
    /// Takes the light from the kernel's own triggers.
    fn take(directory: &Path) -> io::Result<Self> {
        let max = fs::read_to_string(directory.join("max_brightness"))?;
        let trigger = fs::read_to_string(directory.join("trigger"))?;
        if !trigger.contains("[none]") {
            fs::write(directory.join("trigger"), "none")?;
        }
        Ok(Self {
            brightness: directory.join("brightness"),
            max: max.trim().to_owned(),
            shown: None,
        })
    }

    fn set(&mut self, is_on: bool) -> io::Result<()> {
        if self.shown != Some(is_on) {
            fs::write(&self.brightness, if is_on { &*self.max } else { "0" })?;
            self.shown = Some(is_on);
        }
        Ok(())
    }
}

/// Shows the worst severity until it is stopped; the light is dark then.
///
/// # Errors
/// There is no such light, or it may not be written to.
pub fn run(settings: &Settings, sysfs: &Path, source: &str, stop: &Stop) -> Result<(), Failure> {
    let Some(name) = &settings.led else { return Ok(()) };
    let directory = sysfs.join("class/leds").join(name);
    let failed = |error: io::Error| {
        let what = format!(
            "{}: {error} (docs/notifications.md says what a light needs)",
            directory.display()
        );
        Failure::new(Kind::Credentials, what)
    };
    let source = Source::new(source, settings.matchers())?;
    let mut led = Led::take(&directory).map_err(failed)?;
    while !stop.is_set() {
        // While Prometheus does not answer nobody knows, and that is critical.
        let worst = source.worst().unwrap_or(Some(Severity::Critical));
        let until = Instant::now() + PERIOD;
        match worst {
            Some(Severity::Critical) => {
                while Instant::now() < until && !stop.is_set() {
                    led.set(led.shown != Some(true)).map_err(failed)?;
                    stop.wait(BLINK);
                }
            }
            Some(Severity::Warning) | Some(Severity::Info) | None => {
                led.set(worst == Some(Severity::Warning)).map_err(failed)?;
                stop.wait(PERIOD);
            }
        }
    }
    led.set(false).map_err(failed)
}

//! Sensors of the industrial I/O subsystem (Documentation/ABI/testing/sysfs-bus-iio): air, light, motion, analogue inputs.

pub(crate) mod channels;

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::device;
use crate::error::{OpenError, ReadError};
use crate::plausible::is_measurement;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;
use channels::Channel;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "iio",
    needs: Some(
        "a chip and its driver: on a Raspberry Pi dtparam=i2c_arm=on and dtoverlay=i2c-sensor,bme280 (or ads1015, …)",
    ),
    collect: Collect::Standard,
    schedule: Schedule::OnScrapeIfQuick,
    period: Duration::from_secs(5),
    // An SCD30 answers each read with its next measurement, after 2 s.
    deadline: Duration::from_secs(5),
    open,
};

const INFO: Metric = Metric::gauge(
    "edge_iio_device_info",
    "",
    "What the driver calls the device; always 1.",
);
const LABEL: Metric = Metric::gauge(
    "edge_iio_channel_label",
    "",
    "What the device tree calls the channel; always 1.",
);

const DEVICES: &str = "bus/iio/devices";
/// The kernel itself has no more (`IIO_DEV_MAX`).
const MAX_DEVICES: usize = 256;

struct Iio {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Iio {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Iio {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let mut entries = self.sysfs.list(DEVICES)?;
        entries.retain(|entry| entry.starts_with("iio:device"));
        for _ in entries.drain(entries.len().min(MAX_DEVICES)..) {
            recorder.drop_one();
        }
        let devices: Vec<_> = entries.iter().map(|entry| self.identify(entry)).collect();
        for ((entry, label), (_, name)) in entries.iter().zip(device::unique(&devices)).zip(&devices) {
            if !recorder.has_room() || !recorder.begin_part(&label) {
                continue;
            }
            if let Err(error) = self.read_device(entry, &label, name.as_deref(), recorder) {
                recorder.fail(error);
            }
        }
        Ok(())
    }
}

impl Iio {
    /// The label of the device that the entry belongs to, as of its address on the bus, and the driver's name for it.
    fn identify(&self, entry: &str) -> (String, Option<String>) {
        let directory = format!("{DEVICES}/{entry}");
        let name = self.sysfs.attribute(format!("{directory}/name")).ok();
        let device = self.sysfs.resolve(&directory);
        let label = device
            .as_deref()
            .filter(|path| !path.ends_with(&directory))
            .and_then(|path| device::label(path.parent()?))
            .or_else(|| name.as_deref().map(device::clean).filter(|name| !name.is_empty()))
            .unwrap_or_else(|| device::clean(entry));
        (label, name)
    }

    fn read_device(
        &self,
        entry: &str,
        label: &str,
        name: Option<&str>,
        recorder: &mut Recorder,
    ) -> Result<(), ReadError> {
        let directory = format!("{DEVICES}/{entry}");
        let attributes = self.sysfs.list(&directory)?;
        let channels = Channel::find(&attributes);
        if let Some(name) = name
            && !channels.is_empty()
        {
            recorder.push(&INFO, &[("device", label), ("name", name)], 1.0);
        }
        for channel in channels {
            if !recorder.has_room() {
                continue;
            }
            let labels = [("device", label), ("channel", channel.name)];
            let value = self.measure(&directory, &channel);
            recorder.record(&channel.quantity.metric, &labels, value);
            let of_channel = format!("in_{}_label", channel.name);
            if attributes.contains(&of_channel)
                && recorder.has_room()
                && let Ok(text) = self.sysfs.attribute(format!("{directory}/{of_channel}"))
            {
                recorder.push(&LABEL, &[labels[0], labels[1], ("label", &text)], 1.0);
            }
        }
        Ok(())
    }

    /// The value in the base unit: (raw + offset) × scale is in IIO's, unless the driver has computed that itself.
    fn measure(&self, directory: &str, channel: &Channel) -> Result<f64, ReadError> {
        let read = |attribute: &str| self.sysfs.decimal(format!("{directory}/{attribute}"));
        let number = read(&channel.attribute)?;
        if !is_measurement(number) {
            let path = self.sysfs.path(format!("{directory}/{}", channel.attribute));
            return Err(ReadError::invalid(&path, format!("{number} is no measurement")));
        }
        let offset = channel.offset.as_deref().map_or(Ok(0.0), read)?;
        let scale = channel.scale.as_deref().map_or(Ok(1.0), read)?;
        Ok(channel.quantity.to_base((number + offset) * scale))
    }
}

#[cfg(test)]
mod tests;

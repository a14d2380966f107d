//! What was found: readings by device, errors with a remedy, and what was not found.

use edgewatch_sensors::collectors;
use edgewatch_sensors::sampler::Sampler;
use edgewatch_sensors::settings::Settings;
use serde::Serialize;

use super::advice::{self, Problem};
use crate::readings::{Device, devices};

/// Everything that one look brings.
#[derive(Debug, Serialize)]
pub(super) struct Inventory {
    pub devices: Vec<Device>,
    pub errors: Vec<Problem>,
    /// Devices on a bus that no driver has taken.
    pub without_driver: Vec<Problem>,
    /// Sources that have found nothing.
    pub not_found: Vec<NotFound>,
}

/// A source without hardware.
#[derive(Debug, Serialize)]
pub(super) struct NotFound {
    pub source: &'static str,
    pub needs: &'static str,
}

impl Inventory {
    /// Takes what the sampler has read.
    pub fn take(sampler: &Sampler, settings: &Settings) -> Self {
        let mut inventory = Self {
            devices: Vec::new(),
            errors: Vec::new(),
            without_driver: advice::without_driver(&settings.paths.sysfs),
            not_found: Vec::new(),
        };
        sampler.visit(|source, state| {
            if !state.has_output() {
                inventory.not_found.extend(not_found(source));
            }
            inventory.devices.extend(devices(source, &state.readings));
            inventory.errors.extend(state.errors.iter().map(|error| Problem {
                source: source.to_owned(),
                error: error.what.clone(),
                remedy: advice::remedy(error).to_owned(),
            }));
        });
        inventory
    }

    /// How many values could not be read.
    pub fn failures(&self) -> usize {
        self.errors.len()
    }
}

fn not_found(source: &str) -> Option<NotFound> {
    let definition = collectors::find(source)?;
    Some(NotFound {
        source: definition.name,
        needs: definition.needs?,
    })
}

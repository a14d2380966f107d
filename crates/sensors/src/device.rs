//! Labels of devices that stay the same from boot to boot: a number such as that of `hwmon0` depends on the order of probing.

use std::collections::HashSet;
use std::path::Path;

/// The bus and the name of the device, as node_exporter labels a chip: `platform_coretemp_0`, `nvme_nvme0`.
pub fn label(device: &Path) -> Option<String> {
    let name = clean(&device.file_name()?.to_string_lossy());
    let bus = clean(&device.parent()?.file_name()?.to_string_lossy());
    let label = [bus, name].join("_");
    Some(label.trim_matches('_').to_owned()).filter(|label| !label.is_empty())
}

/// Lower case, with `_` for what node_exporter does not allow in a chip.
pub fn clean(text: &str) -> String {
    let clean: String = text
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == ':' { c } else { '_' })
        .collect();
    clean.trim_matches('_').to_owned()
}

/// Each label with the driver's name behind it if it is not unique, and with a number if it still is not.
pub fn unique(devices: &[(String, Option<String>)]) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut unique = Vec::with_capacity(devices.len());
    for (label, name) in devices {
        let is_shared = devices.iter().filter(|(other, _)| other == label).count() > 1;
        let base = match name {
            Some(name) if is_shared => format!("{label}_{}", clean(name)),
            _ => label.clone(),
        };
        let mut candidate = base.clone();
        let mut number = 1;
        while !taken.insert(candidate.clone()) {
            number += 1;
            candidate = format!("{base}_{number}");
        }
        unique.push(candidate);
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_of_one_device_have_different_labels() {
        let chip = |name: Option<&str>| ("pci_x".to_owned(), name.map(str::to_owned));
        let labels = unique(&[chip(Some("a")), chip(Some("b")), chip(Some("b")), chip(None)]);
        assert_eq!(labels, ["pci_x_a", "pci_x_b", "pci_x_b_2", "pci_x"]);
    }

    #[test]
    fn a_device_is_named_after_its_bus_and_itself() {
        let label = |path: &str| label(Path::new(path));
        assert_eq!(
            label("/sys/devices/platform/coretemp.0").as_deref(),
            Some("platform_coretemp_0")
        );
        assert_eq!(label("/Ä/--").as_deref(), None);
        assert_eq!(label("/"), None);
    }
}

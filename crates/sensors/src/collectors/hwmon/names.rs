//! Labels of chips that stay the same from boot to boot.

use std::collections::HashSet;
use std::path::Path;

use super::Chip;

/// The bus and the name of the device, as node_exporter labels a chip: `platform_coretemp_0`, `nvme_nvme0`.
pub fn of_device(device: &Path) -> Option<String> {
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

/// Appends the driver's name to labels that are not unique, and a number to those that still are not.
pub fn make_unique(chips: &mut [Chip]) {
    let labels: Vec<String> = chips.iter().map(|chip| chip.label.clone()).collect();
    let mut taken = HashSet::new();
    for chip in chips {
        let is_shared = labels.iter().filter(|label| **label == chip.label).count() > 1;
        if let Some(name) = &chip.name
            && is_shared
        {
            chip.label = format!("{}_{}", chip.label, clean(name));
        }
        let label = chip.label.clone();
        let mut number = 1;
        while !taken.insert(chip.label.clone()) {
            number += 1;
            chip.label = format!("{label}_{number}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_of_one_device_have_different_labels() {
        let chip = |name: Option<&str>| Chip {
            directory: String::new(),
            attributes: Vec::new(),
            name: name.map(str::to_owned),
            label: "pci_x".to_owned(),
        };
        let mut chips = [chip(Some("a")), chip(Some("b")), chip(Some("b")), chip(None)];
        make_unique(&mut chips);
        let labels = chips.map(|chip| chip.label);
        assert_eq!(labels, ["pci_x_a", "pci_x_b", "pci_x_b_2", "pci_x"]);
    }

    #[test]
    fn a_device_is_named_after_its_bus_and_itself() {
        let label = |path: &str| of_device(Path::new(path));
        assert_eq!(
            label("/sys/devices/platform/coretemp.0").as_deref(),
            Some("platform_coretemp_0")
        );
        assert_eq!(label("/Ä/--").as_deref(), None);
        assert_eq!(label("/"), None);
    }
}

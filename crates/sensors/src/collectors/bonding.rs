//! Interfaces that are bonds of others: how many, and of how many the link is up (Documentation/networking/bonding.rst).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::NOT_NEGATIVE;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "bonding",
    needs: None,
    collect: Collect::Full,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const SLAVES: Metric = Metric::gauge("node_bonding_slaves", "", "Interfaces of the bond.").within(NOT_NEGATIVE);
const ACTIVE: Metric =
    Metric::gauge("node_bonding_active", "", "Interfaces of the bond whose link is up.").within(NOT_NEGATIVE);

const MAX_BONDS: usize = 16;
const MAX_SLAVES: usize = 16;

struct Bonding {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Bonding {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Bonding {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let bonds = empty_if_none(self.sysfs.attribute("class/net/bonding_masters"))?;
        for bond in bonds.split_ascii_whitespace().take(MAX_BONDS) {
            let directory = format!("class/net/{bond}");
            let slaves = match empty_if_none(self.sysfs.attribute(format!("{directory}/bonding/slaves"))) {
                Ok(slaves) => slaves,
                Err(error) => {
                    recorder.record(&SLAVES, &[("master", bond)], Err(error));
                    continue;
                }
            };
            let slaves: Vec<&str> = slaves.split_ascii_whitespace().take(MAX_SLAVES).collect();
            let is_up = |slave: &&&str| {
                let status = self
                    .sysfs
                    .attribute(format!("{directory}/lower_{slave}/bonding_slave/mii_status"));
                status.is_ok_and(|status| status == "up")
            };
            recorder.push(&SLAVES, &[("master", bond)], slaves.len() as f64);
            recorder.push(&ACTIVE, &[("master", bond)], slaves.iter().filter(is_up).count() as f64);
        }
        Ok(())
    }
}

/// The kernel writes nothing for an empty list.
fn empty_if_none(list: Result<String, ReadError>) -> Result<String, ReadError> {
    match list {
        Err(ReadError::Empty { .. }) => Ok(String::new()),
        list => list,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn a_bond_has_its_interfaces_and_those_whose_link_is_up() {
        let machine = Machine::new(&[
            ("sys/class/net/bonding_masters", "bond0 bond1\n"),
            ("sys/class/net/bond0/bonding/slaves", "eth0 eth1\n"),
            ("sys/class/net/bond0/lower_eth0/bonding_slave/mii_status", "up\n"),
            ("sys/class/net/bond0/lower_eth1/bonding_slave/mii_status", "down\n"),
            ("sys/class/net/bond1/bonding/slaves", "\n"),
        ]);
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            [
                "node_bonding_slaves{master=bond0} 2",
                "node_bonding_active{master=bond0} 1",
                "node_bonding_slaves{master=bond1} 0",
                "node_bonding_active{master=bond1} 0",
            ]
        );
    }
}

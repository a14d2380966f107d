//! Memory, from `/proc/meminfo` (Documentation/filesystems/proc.rst).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "memory",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const fn pages(name: &'static str) -> Metric {
    Metric::gauge(name, "", "Field of /proc/meminfo, in huge pages.")
}

const fn bytes(name: &'static str) -> Metric {
    Metric::gauge(name, "bytes", "Field of /proc/meminfo.")
}

/// What the owner of a device looks at.
static FIELDS: &[(&str, Metric)] = &[
    ("MemTotal", bytes("node_memory_MemTotal_bytes")),
    ("MemFree", bytes("node_memory_MemFree_bytes")),
    ("MemAvailable", bytes("node_memory_MemAvailable_bytes")),
    ("Buffers", bytes("node_memory_Buffers_bytes")),
    ("Cached", bytes("node_memory_Cached_bytes")),
    ("AnonPages", bytes("node_memory_AnonPages_bytes")),
    ("Shmem", bytes("node_memory_Shmem_bytes")),
    ("SReclaimable", bytes("node_memory_SReclaimable_bytes")),
    ("SUnreclaim", bytes("node_memory_SUnreclaim_bytes")),
    ("Dirty", bytes("node_memory_Dirty_bytes")),
    ("Writeback", bytes("node_memory_Writeback_bytes")),
    ("SwapTotal", bytes("node_memory_SwapTotal_bytes")),
    ("SwapFree", bytes("node_memory_SwapFree_bytes")),
];

/// What else the kernel writes.
static MORE_FIELDS: &[(&str, Metric)] = &[
    ("Active", bytes("node_memory_Active_bytes")),
    ("Active(anon)", bytes("node_memory_Active_anon_bytes")),
    ("Active(file)", bytes("node_memory_Active_file_bytes")),
    ("AnonHugePages", bytes("node_memory_AnonHugePages_bytes")),
    ("Balloon", bytes("node_memory_Balloon_bytes")),
    ("Bounce", bytes("node_memory_Bounce_bytes")),
    ("CmaFree", bytes("node_memory_CmaFree_bytes")),
    ("CmaTotal", bytes("node_memory_CmaTotal_bytes")),
    ("CommitLimit", bytes("node_memory_CommitLimit_bytes")),
    ("Committed_AS", bytes("node_memory_Committed_AS_bytes")),
    ("DirectMap1G", bytes("node_memory_DirectMap1G_bytes")),
    ("DirectMap2M", bytes("node_memory_DirectMap2M_bytes")),
    ("DirectMap4M", bytes("node_memory_DirectMap4M_bytes")),
    ("DirectMap4k", bytes("node_memory_DirectMap4k_bytes")),
    ("FileHugePages", bytes("node_memory_FileHugePages_bytes")),
    ("FilePmdMapped", bytes("node_memory_FilePmdMapped_bytes")),
    ("HardwareCorrupted", bytes("node_memory_HardwareCorrupted_bytes")),
    ("HighFree", bytes("node_memory_HighFree_bytes")),
    ("HighTotal", bytes("node_memory_HighTotal_bytes")),
    ("Hugepagesize", bytes("node_memory_Hugepagesize_bytes")),
    ("Hugetlb", bytes("node_memory_Hugetlb_bytes")),
    ("Inactive", bytes("node_memory_Inactive_bytes")),
    ("Inactive(anon)", bytes("node_memory_Inactive_anon_bytes")),
    ("Inactive(file)", bytes("node_memory_Inactive_file_bytes")),
    ("KReclaimable", bytes("node_memory_KReclaimable_bytes")),
    ("KernelStack", bytes("node_memory_KernelStack_bytes")),
    ("LowFree", bytes("node_memory_LowFree_bytes")),
    ("LowTotal", bytes("node_memory_LowTotal_bytes")),
    ("Mapped", bytes("node_memory_Mapped_bytes")),
    ("Mlocked", bytes("node_memory_Mlocked_bytes")),
    ("NFS_Unstable", bytes("node_memory_NFS_Unstable_bytes")),
    ("PageTables", bytes("node_memory_PageTables_bytes")),
    ("Percpu", bytes("node_memory_Percpu_bytes")),
    ("SecPageTables", bytes("node_memory_SecPageTables_bytes")),
    ("ShmemHugePages", bytes("node_memory_ShmemHugePages_bytes")),
    ("ShmemPmdMapped", bytes("node_memory_ShmemPmdMapped_bytes")),
    ("Slab", bytes("node_memory_Slab_bytes")),
    ("SwapCached", bytes("node_memory_SwapCached_bytes")),
    ("Unaccepted", bytes("node_memory_Unaccepted_bytes")),
    ("Unevictable", bytes("node_memory_Unevictable_bytes")),
    ("VmallocChunk", bytes("node_memory_VmallocChunk_bytes")),
    ("VmallocTotal", bytes("node_memory_VmallocTotal_bytes")),
    ("VmallocUsed", bytes("node_memory_VmallocUsed_bytes")),
    ("WritebackTmp", bytes("node_memory_WritebackTmp_bytes")),
    ("Zswap", bytes("node_memory_Zswap_bytes")),
    ("Zswapped", bytes("node_memory_Zswapped_bytes")),
    ("HugePages_Free", pages("node_memory_HugePages_Free")),
    ("HugePages_Rsvd", pages("node_memory_HugePages_Rsvd")),
    ("HugePages_Surp", pages("node_memory_HugePages_Surp")),
    ("HugePages_Total", pages("node_memory_HugePages_Total")),
];

const MEMINFO: &str = "meminfo";

struct Memory {
    procfs: Root,
    collect: Collect,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Memory {
        procfs: Root::new(&settings.paths.procfs),
        collect: settings.collect,
    }))
}

impl Collector for Memory {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for line in self.procfs.table(MEMINFO)?.lines() {
            let (name, rest) = line.split_once(':').unwrap_or((line, ""));
            let more = MORE_FIELDS.iter().filter(|_| self.collect == Collect::Full);
            if let Some((_, metric)) = FIELDS.iter().chain(more).find(|(field, _)| *field == name) {
                let mut words = rest.split_ascii_whitespace();
                let number = self.procfs.parse(MEMINFO, words.next());
                // "MemTotal: 3884380 kB", but huge pages are only counted.
                let unit = if words.next() == Some("kB") { 1024.0 } else { 1.0 };
                recorder.record(metric, &[], number.map(|number: u64| number as f64 * unit));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn kibibytes_become_bytes_and_pages_stay_pages() {
        let mut machine = Machine::new(&[(
            "proc/meminfo",
            "MemTotal:        3884380 kB\nActive(anon):     1024 kB\nHugePages_Total:       3\nNews: 7 kB\nZswap: x kB\n",
        )]);
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            ["node_memory_MemTotal_bytes{} 3977605120"]
        );
        machine.settings.collect = Collect::Full;
        assert_eq!(
            machine.read(&COLLECTOR).lines(),
            [
                "node_memory_MemTotal_bytes{} 3977605120",
                "node_memory_Active_anon_bytes{} 1048576",
                "node_memory_HugePages_Total{} 3",
                "node_memory_Zswap_bytes{} invalid",
            ]
        );
    }
}

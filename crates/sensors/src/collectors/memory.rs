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

const fn bytes(name: &'static str) -> Metric {
    Metric::gauge(name, "bytes", "Field of /proc/meminfo.")
}

static FIELDS: [(&str, Metric); 13] = [
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

const MEMINFO: &str = "meminfo";

struct Memory {
    procfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Memory {
        procfs: Root::new(&settings.paths.procfs),
    }))
}

impl Collector for Memory {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for line in self.procfs.table(MEMINFO)?.lines() {
            let (name, rest) = line.split_once(':').unwrap_or((line, ""));
            if let Some((_, metric)) = FIELDS.iter().find(|(field, _)| *field == name) {
                let kibibytes = self.procfs.parse(MEMINFO, rest.split_ascii_whitespace().next());
                recorder.record(metric, &[], kibibytes.map(|number: u64| number as f64 * 1024.0));
            }
        }
        Ok(())
    }
}

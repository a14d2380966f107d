//! Returns memory that is not needed while idle to the system: the device has little, and the unit is charged for all of it.

use std::fs;

use rustix::mm::{Advice, madvise};

/// Releases freed heap memory, and pages of the program that were last needed to start or to draw. Cheap, but not for a hot path: pages
/// of the program that are still needed are read again one by one.
pub fn release() {
    trim_heap();
    if let Err(error) = release_program() {
        tracing::debug!(%error, "pages of the program stay in memory");
    }
}

/// Releases freed heap memory, which the allocator keeps for each thread.
pub fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Releases the pages of the program: the kernel reads them ahead in large pieces, and without memory pressure keeps all of them, several
/// times as many as run between two scrapes.
fn release_program() -> std::io::Result<()> {
    let program = fs::read_link("/proc/self/exe")?;
    let mappings = fs::read_to_string("/proc/self/smaps")?;
    for mapping in clean_mappings(&mappings, &program.to_string_lossy()) {
        let start = std::ptr::without_provenance_mut(mapping.start);
        // SAFETY: nothing has been written to these pages since they were mapped from the file, and nothing can be: the next
        // access reads the same content from it.
        unsafe {
            // Or the kernel would read ahead again at the first page fault. Since Linux 6.16 it does so nevertheless in executable
            // mappings, but only around the pages that are needed.
            madvise(start, mapping.len(), Advice::Random)?;
            madvise(start, mapping.len(), Advice::LinuxDontNeed)?;
        }
    }
    // The unit is charged for them as long as they are cached.
    rustix::fs::fadvise(fs::File::open(&program)?, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

/// Address ranges of `smaps` (proc(5)) that map `program`, cannot be written to and have never been.
fn clean_mappings(smaps: &str, program: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut current = None;
    for line in smaps.lines() {
        if let Some(range) = header(line) {
            let mut words = line.split_whitespace().skip(1);
            let is_read_only = words.next().is_some_and(|rights| !rights.contains('w'));
            current = (is_read_only && line.ends_with(program)).then_some(range);
        } else if let Some(size) = line.strip_prefix("Anonymous:")
            && size.trim() == "0 kB"
        {
            // Relocated data counts as anonymous: it differs from the file.
            found.extend(current.take());
        }
    }
    found
}

/// The range at the beginning of a mapping's first line.
fn header(line: &str) -> Option<std::ops::Range<usize>> {
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(address(start)?..address(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
5500-5600 r--p 00000000 fd:00 7 /usr/bin/edgewatch
Size:                 1 kB
Anonymous:            0 kB
5600-5800 r-xp 00000100 fd:00 7 /usr/bin/edgewatch
Anonymous:            0 kB
5800-5900 r--p 00000300 fd:00 7 /usr/bin/edgewatch
Anonymous:            4 kB
5900-5a00 rw-p 00000400 fd:00 7 /usr/bin/edgewatch
Anonymous:            0 kB
7700-7800 r-xp 00000000 fd:00 9 /usr/lib/libc.so.6
Anonymous:            0 kB
";

    #[test]
    fn only_clean_pages_are_released() {
        assert_eq!(
            clean_mappings(SMAPS, "/usr/bin/edgewatch"),
            [0x5500..0x5600, 0x5600..0x5800]
        );
    }

    #[test]
    fn the_program_goes_on_after_its_pages_were_released() {
        release_program().unwrap();
        assert_eq!(header("5500-5600 r--p"), Some(0x5500..0x5600));
    }
}

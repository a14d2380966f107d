//! Returns memory that is not needed while idle to the system: the device has little, and the unit is charged for all of it.

use std::fs::File;
use std::ops::Range;
use std::time::Duration;

use libc::{PF_W, PT_LOAD};
use rustix::mm::{Advice, madvise};
use tokio::task::JoinHandle;

/// Time after which memory that only the start needed is released.
const DELAY: Duration = Duration::from_secs(20);

/// Releases once what only the start needed. Not at once: after a restart scrapes are waiting, and the first requests need those pages.
/// Must be called within a Tokio runtime.
pub fn release_after_start() -> JoinHandle<()> {
    tokio::spawn(async {
        tokio::time::sleep(DELAY).await;
        release();
    })
}

/// Releases freed heap memory, and pages of the program that were last needed to start or to draw. Cheap, but not for a hot path: pages
/// of the program that are still needed are read again one by one.
pub fn release() {
    trim_heap();
    if let Err(error) = release_program() {
        tracing::debug!("pages of the program stay in memory: {error}");
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
    for pages in read_only_pages(&segments(), rustix::param::page_size()) {
        let start = std::ptr::without_provenance_mut(pages.start);
        // SAFETY: these pages hold what is in the file, and nothing else: their segments cannot be written to, and the loader relocates
        // nothing in them (no DT_TEXTREL: the compiler makes position-independent code). The next access reads the same from the file.
        unsafe {
            // Or the kernel would read ahead again at the first page fault. Since Linux 6.16 it does so nevertheless in executable
            // mappings, but only around the pages that are needed.
            madvise(start, pages.len(), Advice::Random)?;
            madvise(start, pages.len(), Advice::LinuxDontNeed)?;
        }
    }
    // The unit is charged for them as long as they are cached.
    rustix::fs::fadvise(File::open("/proc/self/exe")?, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

/// A piece of the program's file that the loader has put into memory, and whether the file says that it can be written to: relocated
/// data can, although the loader takes that right away when it has done its work.
#[derive(Clone, Debug, PartialEq)]
struct Segment {
    memory: Range<usize>,
    is_writable: bool,
}

/// The segments of this program, libraries not included, by the headers that the loader itself went by (elf(5)). Not /proc/self/smaps,
/// which tells what has become of each page: an emulator makes up its own.
fn segments() -> Vec<Segment> {
    let mut found: Vec<Segment> = Vec::new();
    // SAFETY: the callback is called with a valid `info`, and with the pointer to `found`, before dl_iterate_phdr(3) returns.
    unsafe { libc::dl_iterate_phdr(Some(add_segments), (&raw mut found).cast()) };
    found
}

/// What dl_iterate_phdr(3) calls for each object, the program first; `found` is a vector of segments.
unsafe extern "C" fn add_segments(
    info: *mut libc::dl_phdr_info,
    _: libc::size_t,
    found: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the pointers are those that `segments` and dl_iterate_phdr(3) say they are, and valid during this call.
    let (info, found) = unsafe { (&*info, &mut *found.cast::<Vec<Segment>>()) };
    // SAFETY: the loader's array of this many program headers, which stays as long as the object does.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    found.extend(headers.iter().filter(|header| header.p_type == PT_LOAD).map(|header| {
        let start = info.dlpi_addr as usize + header.p_vaddr as usize;
        Segment {
            memory: start..start + header.p_memsz as usize,
            is_writable: header.p_flags & PF_W != 0,
        }
    }));
    1 // The libraries would come next.
}

/// The whole pages, of `page` bytes, that hold only segments that cannot be written to: such as begin or end in one that can are left
/// out.
fn read_only_pages(segments: &[Segment], page: usize) -> Vec<Range<usize>> {
    let whole = |memory: &Range<usize>| memory.start / page * page..memory.end.next_multiple_of(page);
    let writable: Vec<_> = segments
        .iter()
        .filter(|segment| segment.is_writable)
        .map(|segment| whole(&segment.memory))
        .collect();
    segments
        .iter()
        .filter(|segment| !segment.is_writable)
        .map(|segment| {
            let mut pages = whole(&segment.memory);
            for other in &writable {
                if other.contains(&pages.start) {
                    pages.start = other.end;
                }
                if other.start < pages.end && pages.end <= other.end {
                    pages.end = other.start;
                }
            }
            pages
        })
        .filter(|pages| !pages.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Debian's linker lays out the program on arm64: what runs, and what is written, 64 KiB apart.
    const SEGMENTS: [Segment; 3] = [
        Segment {
            memory: 0x5500_0000..0x5530_4a10,
            is_writable: false,
        },
        Segment {
            memory: 0x5531_f3c0..0x5533_0298,
            is_writable: true,
        },
        Segment {
            memory: 0x5540_9120..0x5541_0001,
            is_writable: false,
        },
    ];

    #[test]
    fn whole_pages_are_released_whatever_their_size() {
        assert_eq!(
            read_only_pages(&SEGMENTS, 4 << 10),
            [0x5500_0000..0x5530_5000, 0x5540_9000..0x5541_1000]
        );
        assert_eq!(
            read_only_pages(&SEGMENTS, 16 << 10),
            [0x5500_0000..0x5530_8000, 0x5540_8000..0x5541_4000]
        );
        assert_eq!(
            read_only_pages(&SEGMENTS, 64 << 10),
            [0x5500_0000..0x5531_0000, 0x5540_0000..0x5542_0000]
        );
    }

    #[test]
    fn a_page_that_holds_written_data_is_kept() {
        // Larger pages than the linker reckoned with: the first segment ends in one that is written to.
        assert_eq!(
            read_only_pages(&SEGMENTS, 256 << 10),
            [0x5500_0000..0x5530_0000, 0x5540_0000..0x5544_0000]
        );
        assert_eq!(
            read_only_pages(&SEGMENTS, 2 << 20),
            [0x5500_0000..0x5520_0000, 0x5540_0000..0x5560_0000]
        );
    }

    #[test]
    fn relocated_and_static_data_is_no_read_only_page() {
        static RELOCATED: &[&str] = &["a", "b"];
        static WRITTEN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
        let pages = read_only_pages(&segments(), rustix::param::page_size());
        let is_released = |address: usize| pages.iter().any(|pages| pages.contains(&address));
        assert!(is_released(release_program as fn() -> _ as usize), "{pages:x?}");
        assert!(!is_released(RELOCATED.as_ptr().addr()), "{pages:x?}");
        assert!(!is_released((&raw const WRITTEN).addr()), "{pages:x?}");
    }

    #[test]
    fn the_program_goes_on_after_its_pages_were_released() {
        static RELOCATED: [fn(u32) -> u32; 2] = [u32::count_ones, u32::count_zeros];
        release_program().unwrap();
        assert_eq!(std::hint::black_box(&RELOCATED).map(|function| function(7)), [3, 29]);
    }
}

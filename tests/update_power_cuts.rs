//! The power is cut at moments of an update: afterwards the device has a whole system, the old one or the new one, and comes to the new one.
//! What a cut leaves is the state of the block device at that moment, as a copy that shares its blocks (FICLONE) has it: what the file
//! system has not written by then is lost.

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::fleet::{Fleet, text};
use common::skip;
use tempfile::TempDir;

/// Updates, and cuts in each.
const UPDATES: u64 = 10;
const CUTS: usize = 10;
/// Files of a system, of 64 KiB each.
const FILES: usize = 60;

/// A disk in a file, whose states can be kept.
struct Disk {
    files: TempDir,
    kept: usize,
}

impl Disk {
    /// `None` where no file system with shared blocks can be made.
    fn new() -> Option<Self> {
        let files = tempfile::tempdir().unwrap();
        let path = |name: &str| files.path().join(name);
        let image = fs::File::create(path("shelf.img")).unwrap();
        image.set_len(6 << 30).unwrap();
        fs::create_dir(path("shelf")).unwrap();
        run("mkfs.xfs", &["-q", "-m", "reflink=1", path("shelf.img").to_str()?])?;
        run(
            "mount",
            &["-o", "loop", path("shelf.img").to_str()?, path("shelf").to_str()?],
        )?;
        let disk = Self { files, kept: 0 };
        fs::File::create(disk.image()).unwrap().set_len(512 << 20).unwrap();
        run("mkfs.ext4", &["-q", "-F", disk.image().to_str()?])?;
        Some(disk)
    }

    fn image(&self) -> PathBuf {
        self.files.path().join("shelf/device.img")
    }

    fn state(&self, number: usize) -> PathBuf {
        self.files.path().join(format!("shelf/state-{number}.img"))
    }

    /// Keeps what is on it now.
    fn keep(&mut self) {
        let copied = run(
            "cp",
            &[
                "--reflink=always",
                self.image().to_str().unwrap(),
                self.state(self.kept).to_str().unwrap(),
            ],
        );
        assert!(copied.is_some(), "the state cannot be kept");
        self.kept += 1;
    }

    /// Drops one of those that are kept.
    fn drop_state(&mut self, number: usize) {
        self.kept -= 1;
        fs::rename(self.state(self.kept), self.state(number)).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run(
            "umount",
            &["--lazy", self.files.path().join("shelf").to_str().unwrap_or_default()],
        );
    }
}

fn run(program: &str, arguments: &[&str]) -> Option<()> {
    let output = Command::new(program).args(arguments).output().ok()?;
    if !output.status.success() {
        eprintln!("{program} {arguments:?}: {}", text(&output));
    }
    output.status.success().then_some(())
}

fn mount(image: &Path, at: &Path) {
    assert!(
        run(
            "mount",
            &["-o", "loop,commit=60", image.to_str().unwrap(), at.to_str().unwrap()]
        )
        .is_some()
    );
}

fn unmount(at: &Path) {
    assert!(run("umount", &[at.to_str().unwrap()]).is_some());
}

/// Numbers that are the same in each run.
fn number(seed: &mut u64, below: usize) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % below
}

#[test]
#[ignore = "takes a quarter of an hour, root and xfsprogs: make update-power-cuts"]
fn a_hundred_power_cuts_leave_a_whole_system_and_the_device_comes_to_the_new_one() {
    let test = "a_hundred_power_cuts_leave_a_whole_system_and_the_device_comes_to_the_new_one";
    let Some(mut disk) = Disk::new() else {
        return skip(
            test,
            "no disk with shared blocks can be made: that takes root and xfsprogs",
        );
    };
    let Some(fleet) = Fleet::on(test, |root| mount(&disk.image(), root)) else {
        return;
    };
    let root = fleet.path("device");
    // A device is not cut off while it is being made.
    rustix::fs::sync();
    let mut systems = vec![fleet.default_system()];
    let mut seed = 1;
    for serial in 1..=UPDATES {
        let system = fleet.publish_large(&format!("update-{serial}"), FILES);
        fleet.offer(serial, &system);
        let mut child = fleet.command(&["--now"]).spawn().unwrap();
        let first = disk.kept;
        // All the time, but for the middle of the trial, in which nothing is written.
        let begun = Instant::now();
        let mut on_trial = None;
        while child.try_wait().unwrap().is_none() {
            if on_trial.is_none() && fleet.running() == system {
                on_trial = Some(Instant::now());
            }
            let is_quiet = on_trial
                .is_some_and(|since| (Duration::from_secs(2)..Duration::from_secs(19)).contains(&since.elapsed()));
            match is_quiet {
                true => sleep(Duration::from_millis(50)),
                false => disk.keep(),
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "the update takes too long");
        }
        assert_eq!(fleet.default_system(), system, "the update itself");
        assert!(
            disk.kept >= first + CUTS,
            "{} states of update {serial}",
            disk.kept - first
        );
        while disk.kept > first + CUTS {
            let victim = first + number(&mut seed, disk.kept - first);
            disk.drop_state(victim);
        }
        systems.push(system);
    }
    unmount(&root);

    let (mut old, mut new, mut tries) = (0, 0, 0);
    for cut in 0..disk.kept {
        mount(&disk.state(cut), &root);
        let update = cut / CUTS;
        let booted = fleet.default_system();
        assert!(
            booted == systems[update] || booted == systems[update + 1],
            "cut {cut} of update {}",
            update + 1
        );
        let verified = fleet.nix(
            "device",
            &["store", "verify", "--no-trust", "--recursive", booted.to_str().unwrap()],
        );
        assert!(
            verified.status.success(),
            "cut {cut} of update {}: {}",
            update + 1,
            text(&verified)
        );
        match booted == systems[update] {
            true => old += 1,
            false => new += 1,
        }
        // It restarts, and finishes or forgets the trial.
        fleet.boot(&booted);
        fleet.offer(update as u64 + 1, &systems[update + 1]);
        let (_, said) = fleet.update(&["--resume"]);
        tries += usize::from(said.contains("was on trial"));
        // It takes the update again, of which one try is left: a trial lasts, so not after each cut.
        if cut % CUTS == update {
            let (ok, said) = fleet.update(&["--now"]);
            assert!(ok, "cut {cut} of update {}: {said}", update + 1);
            assert_eq!(fleet.default_system(), systems[update + 1]);
        }
        unmount(&root);
    }
    println!(
        "{} cuts: {old} in the old system, {new} in the new one, {tries} during the trial",
        disk.kept
    );
}

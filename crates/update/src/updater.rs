//! An update from the manifest to the system that boots.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use edgewatch_outbound::clock::Clocks;
use edgewatch_outbound::http::{ClientOptions, Server, origin};
use edgewatch_outbound::state::{Store, directory};
use jiff::Timestamp;

use crate::decision::{decide, fits};
use crate::error::{Refusal, UpdateError};
use crate::gate::{Gate, Verdict};
use crate::health::MANIFEST;
use crate::host::Host;
use crate::manifest::Manifest;
use crate::nix;
use crate::record::{FILE, MAX_RESUMES, Record, Trial, TrialMethod};
use crate::settings::Settings;

/// Time between two looks at a system on trial.
const PAUSE: Duration = Duration::from_secs(10);
/// Age up to which what the centre lacks is on its way: the longest window that is sent at once, and some.
const ON_ITS_WAY: Duration = Duration::from_secs(1200);
/// Time for the manifest.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What has become of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device has the newest already.
    UpToDate(u64),
    /// There is one.
    Available(u64),
    /// It is kept.
    Kept(u64),
    /// The device restarts into it.
    Restarting(u64),
    /// Nothing was on trial.
    NothingToResume,
}

/// Updates a device.
pub struct Updater<'a> {
    settings: &'a Settings,
    /// Where they were read, if not where each system has its own.
    config: Option<&'a Path>,
    host: Host,
    store: Store,
    record: Record,
}

impl<'a> Updater<'a> {
    /// Reads what the device remembers. There is one at a time.
    ///
    /// # Errors
    /// Another one is at work, or what is remembered cannot be read.
    pub fn new(settings: &'a Settings, config: Option<&'a Path>, host: Host) -> Result<Self, UpdateError> {
        // Where nothing is updated, nobody needs to make a directory for it.
        let directory =
            directory(settings.directory.as_deref(), FILE.key).map_err(|error| match settings.manifest {
                None => UpdateError::NoManifest,
                Some(_) => error.into(),
            })?;
        // Somebody may ask before the unit has made it.
        std::fs::create_dir_all(&directory).map_err(|source| UpdateError::Io {
            path: directory.clone(),
            source,
        })?;
        let store = Store::open(&directory, FILE)?;
        let record = store.load()?.unwrap_or_default();
        Ok(Self {
            settings,
            config,
            host,
            store,
            record,
        })
    }

    /// What the device remembers.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Asks what there is, and whether it would be tried.
    ///
    /// # Errors
    /// There is no manifest, or what it offers is refused.
    pub fn check(&mut self) -> Result<Outcome, UpdateError> {
        let (manifest, is_wanted) = self.ask()?;
        Ok(match is_wanted {
            true => Outcome::Available(manifest.serial),
            false => Outcome::UpToDate(manifest.serial),
        })
    }

    /// Updates the device, which takes as long as the trial.
    ///
    /// # Errors
    /// What is offered is refused, cannot be had, or was not well; then the device has the system that it had.
    pub fn update(&mut self) -> Result<Outcome, UpdateError> {
        if self.record.trial.is_some() {
            return self.resume();
        }
        let (manifest, is_wanted) = self.ask()?;
        if !is_wanted {
            return Ok(Outcome::UpToDate(manifest.serial));
        }
        let cache = self.settings.cache.as_deref().ok_or(UpdateError::NotSet("cache"))?;
        let free = self.host.free_bytes()?;
        // Only where the whole would not fit is the cache asked, path by path, what of it is missing.
        if fits(manifest.size, free).is_err() {
            fits(nix::missing_bytes(self.host.root(), cache, &manifest.system)?, free)?;
        }
        self.host.hold(&manifest.system)?;
        nix::copy(cache, &manifest.system)?;
        rustix::fs::sync();
        let previous = self.host.default_system()?;
        if previous == manifest.system {
            // Somebody has deployed it from elsewhere.
            self.record.keep(manifest.serial);
            self.store.save(&self.record)?;
            self.host.release()?;
            return Ok(Outcome::Kept(manifest.serial));
        }
        let method = match manifest.needs_reboot || self.host.needs_boot(&manifest.system)? {
            true => TrialMethod::Boot,
            false => TrialMethod::Switch,
        };
        if method == TrialMethod::Boot
            && let Err(refusal) = self.host.require_one_shot()
        {
            self.host.release()?;
            return Err(refusal.into());
        }
        let before = self.host.look(self.config, ON_ITS_WAY);
        let trial = Trial {
            serial: manifest.serial,
            system: manifest.system,
            previous,
            method,
            duties: before.duties,
            boot: Clocks::now().boot,
            resumed: 0,
            failing: before
                .failures
                .into_iter()
                .map(|failure| failure.subject)
                // It was read just now.
                .filter(|subject| subject != MANIFEST)
                .collect(),
        };
        // Before anything changes: whatever happens from here on, the next start knows of it.
        self.record.trial = Some(trial.clone());
        self.store.save(&self.record)?;
        tracing::info!("serial {} is on trial: {}", trial.serial, trial.system.display());
        match method {
            TrialMethod::Switch => match self.host.switch(&trial.system, self.settings.within) {
                // It runs, and some unit of it does not: whether that matters is for the gate to say.
                Err(error) if is_of_units(&error) && self.host.running()? == trial.system => {
                    tracing::warn!("serial {}: {error}: a unit does not start", trial.serial);
                    self.judge(&trial)
                }
                Err(error) => self.take_back(&trial, &error.to_string()),
                Ok(()) => self.judge(&trial),
            },
            TrialMethod::Boot => match self.host.boot_once(&trial.system, &trial.previous) {
                Ok(()) => {
                    self.host.reboot()?;
                    Ok(Outcome::Restarting(trial.serial))
                }
                Err(error) => self.take_back(&trial, &error.to_string()),
            },
        }
    }

    /// Goes on with a trial after a restart of the device or of this program.
    ///
    /// # Errors
    /// As of [`Self::update`].
    pub fn resume(&mut self) -> Result<Outcome, UpdateError> {
        let Some(trial) = self.record.trial.clone() else {
            return Ok(Outcome::NothingToResume);
        };
        if self.is_superseded(&trial)? {
            return self.abandon(&trial);
        }
        if self.host.running()? != trial.system {
            // A power cut, a crash, a reset by the watchdog: whatever it was, the system before has booted. Or, in the same boot, this program was
            // killed while it switched, and units were stopped by then.
            if trial.boot == Clocks::now().boot {
                self.switch_back(&trial);
            }
            self.forget(&trial)?;
            return Err(UpdateError::Interrupted(trial.serial));
        }
        let resumed = trial.resumed + 1;
        if resumed > MAX_RESUMES {
            return self.take_back(&trial, &format!("the trial was cut off {resumed} times"));
        }
        let trial = Trial { resumed, ..trial };
        self.record.trial = Some(trial.clone());
        self.store.save(&self.record)?;
        self.judge(&trial)
    }

    /// Reads the manifest, and whether it is to be tried.
    fn ask(&mut self) -> Result<(Manifest, bool), UpdateError> {
        let class = self.settings.class.as_deref().ok_or(UpdateError::NotSet("class"))?;
        let now = Timestamp::now();
        let asked = read_manifest(self.settings).and_then(|manifest| {
            match decide(&manifest, class, &self.record, now) {
                // As good as none: whoever published it has stopped, or somebody else offers it for ever.
                Err(refusal @ (Refusal::Expired(_) | Refusal::Class { .. })) => Err(refusal.into()),
                decision => Ok((manifest, decision)),
            }
        });
        let checked = match (&asked, self.record.checked) {
            (Err(_), Some(before)) => before,
            _ => now.as_second(),
        };
        if self.record.checked != Some(checked) {
            self.record.checked = Some(checked);
            self.store.save(&self.record)?;
        }
        let (manifest, decision) = asked?;
        Ok((manifest, decision?))
    }

    /// Whether somebody has deployed another system since the trial began: that one is theirs, and stays.
    fn is_superseded(&self, trial: &Trial) -> Result<bool, UpdateError> {
        let (running, default) = (self.host.running()?, self.host.default_system()?);
        let is_ours = |system| system == trial.system || system == trial.previous;
        Ok(!is_ours(running) || !is_ours(default))
    }

    fn abandon(&mut self, trial: &Trial) -> Result<Outcome, UpdateError> {
        self.record.trial = None;
        self.store.save(&self.record)?;
        self.host.forget_entry()?;
        self.host.release()?;
        Err(UpdateError::Superseded(trial.serial))
    }

    /// Looks at the device until it is clear whether its system is kept.
    fn judge(&mut self, trial: &Trial) -> Result<Outcome, UpdateError> {
        let mut gate = Gate::begin(self.settings.well_for, self.settings.within, Instant::now());
        let mut last = String::new();
        loop {
            sleep(PAUSE);
            if self.is_superseded(trial)? {
                return self.abandon(trial);
            }
            let health = self.host.look(self.config, gate.elapsed(Instant::now()));
            let problem = health.complaint(&trial.failing);
            let missing = trial.duties.missing(health.duties);
            let found = match (&problem, missing) {
                (Some(problem), _) => format!("is not well: {problem}"),
                (None, Some(missing)) => format!("is well, but for {missing}"),
                (None, None) => "is well".to_owned(),
            };
            if found != last {
                match &problem {
                    Some(_) => tracing::warn!("serial {} {found}", trial.serial),
                    None => tracing::info!("serial {} {found}", trial.serial),
                }
                last = found;
            }
            match gate.look(problem.is_none(), missing.is_none(), Instant::now()) {
                Verdict::Open => {}
                Verdict::Passed => return self.keep(trial),
                Verdict::Failed => {
                    let reason = problem.as_deref().or(missing).unwrap_or("never for long");
                    return self.take_back(trial, reason);
                }
            }
        }
    }

    fn keep(&mut self, trial: &Trial) -> Result<Outcome, UpdateError> {
        self.host.make_default(&trial.system)?;
        self.record.keep(trial.serial);
        self.store.save(&self.record)?;
        self.host.release()?;
        Ok(Outcome::Kept(trial.serial))
    }

    /// Back to the system before. If that cannot be switched to, it boots.
    fn take_back(&mut self, trial: &Trial, reason: &str) -> Result<Outcome, UpdateError> {
        tracing::error!("serial {} is taken back: {reason}", trial.serial);
        self.switch_back(trial);
        // Whatever this says: if it fails, the next start does it again.
        let forgotten = self.forget(trial);
        if self.host.running()? != trial.previous {
            self.host.reboot()?;
        }
        forgotten?;
        Err(UpdateError::NotWell {
            serial: trial.serial,
            well_for: self.settings.well_for.as_secs(),
            within: self.settings.within.as_secs(),
            reason: reason.to_owned(),
        })
    }

    /// Switches to the system before, if it was left by a switch. What this says does not matter: some unit of the owner may fail all the time.
    fn switch_back(&self, trial: &Trial) {
        if trial.method == TrialMethod::Switch
            && let Err(error) = self.host.switch(&trial.previous, self.settings.within)
        {
            tracing::warn!("serial {}: back to the system before: {error}", trial.serial);
        }
    }

    /// Counts a trial as failed, once, and makes sure that the system before is what boots.
    fn forget(&mut self, trial: &Trial) -> Result<(), UpdateError> {
        self.host.make_default(&trial.previous)?;
        self.record.fail(trial.serial);
        self.store.save(&self.record)?;
        self.host.release()
    }
}

/// switch-to-configuration's exit status if it has switched and units do not start: of whoever owns them, perhaps, since long.
fn is_of_units(error: &UpdateError) -> bool {
    matches!(error, UpdateError::Command { status: Some(4), .. })
}

/// Reads what is offered.
///
/// # Errors
/// It is not set where that is, it cannot be had, or nobody who is trusted has signed it.
pub fn read_manifest(settings: &Settings) -> Result<Manifest, UpdateError> {
    let url = settings.manifest.as_deref().ok_or(UpdateError::NoManifest)?;
    let options = ClientOptions {
        table: "update",
        timeout: TIMEOUT,
        ca_file: settings.ca_file.as_deref(),
        ..ClientOptions::default()
    };
    let server = Server::new(url, &origin(url), &options)?;
    let reply = server.get()?;
    if reply.status != 200 {
        return Err(server.refusal(&reply).into());
    }
    Ok(Manifest::verify(&reply.body, &settings.public_keys)?)
}

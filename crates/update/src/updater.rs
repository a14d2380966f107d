//! An update from the manifest to the system that boots.

use std::thread::sleep;
use std::time::{Duration, Instant};

use edgewatch_outbound::http::{Server, Way as WayTo, origin};
use edgewatch_outbound::state::{Store, directory};
use jiff::Timestamp;

use crate::decision::{decide, fits};
use crate::error::UpdateError;
use crate::gate::{Gate, Verdict};
use crate::health::Health;
use crate::host::Host;
use crate::manifest::Manifest;
use crate::nix;
use crate::record::{FILE, Record, Trial, Way};
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
    host: Host,
    store: Store,
    record: Record,
    /// Looks at the device. What the centre lacks may be as old as the argument says.
    look: &'a dyn Fn(Duration) -> Health,
}

impl<'a> Updater<'a> {
    /// Reads what the device remembers. There is one at a time.
    ///
    /// # Errors
    /// Another one is at work, or what is remembered cannot be read.
    pub fn new(settings: &'a Settings, host: Host, look: &'a dyn Fn(Duration) -> Health) -> Result<Self, UpdateError> {
        let directory = directory(settings.directory.as_deref(), FILE.key)?;
        // Somebody may ask before the unit has made it.
        std::fs::create_dir_all(&directory).map_err(|source| UpdateError::Io {
            path: directory.clone(),
            source,
        })?;
        let store = Store::open(&directory, FILE)?;
        let record = store.load()?.unwrap_or_default();
        Ok(Self {
            settings,
            host,
            store,
            record,
            look,
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
        let manifest = self.fetch()?;
        Ok(match self.is_wanted(&manifest)? {
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
        let manifest = self.fetch()?;
        if !self.is_wanted(&manifest)? {
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
        let way = match manifest.needs_reboot || self.host.needs_boot(&manifest.system)? {
            true => Way::Boot,
            false => Way::Switch,
        };
        if way == Way::Boot {
            self.host.require_one_shot()?;
        }
        let trial = Trial {
            serial: manifest.serial,
            system: manifest.system,
            previous,
            way,
            duties: (self.look)(ON_ITS_WAY).duties,
        };
        // Before anything changes: whatever happens from here on, the next start knows of it.
        self.record.trial = Some(trial.clone());
        self.store.save(&self.record)?;
        tracing::info!("serial {} is on trial: {}", trial.serial, trial.system.display());
        match way {
            Way::Switch => match self.host.switch(&trial.system, self.settings.within) {
                Ok(()) => self.judge(&trial),
                Err(error) => self.take_back(&trial, &error.to_string()),
            },
            Way::Boot => match self.host.boot_once(&trial.system, &trial.previous) {
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
        if self.host.running()? == trial.system {
            return self.judge(&trial);
        }
        // A power cut, a crash, a reset by the watchdog: whatever it was, the system before has booted.
        self.forget(&trial)?;
        Err(UpdateError::Interrupted(trial.serial))
    }

    fn fetch(&mut self) -> Result<Manifest, UpdateError> {
        let manifest = read_manifest(self.settings)?;
        self.record.checked = Some(Timestamp::now().as_second());
        self.store.save(&self.record)?;
        Ok(manifest)
    }

    fn is_wanted(&self, manifest: &Manifest) -> Result<bool, UpdateError> {
        let class = self.settings.class.as_deref().ok_or(UpdateError::NotSet("class"))?;
        Ok(decide(manifest, class, &self.record, Timestamp::now())?)
    }

    /// Looks at the device until it is clear whether its system is kept.
    fn judge(&mut self, trial: &Trial) -> Result<Outcome, UpdateError> {
        let mut gate = Gate::begin(self.settings.well_for, self.settings.within, Instant::now());
        let mut last = String::new();
        loop {
            sleep(PAUSE);
            let health = (self.look)(gate.elapsed(Instant::now()));
            // One that cannot get at the next update would be the last one.
            let problem = health
                .complaint
                .or_else(|| read_manifest(self.settings).err().map(|error| error.to_string()));
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
        let is_back = trial.way == Way::Switch && self.host.switch(&trial.previous, self.settings.within).is_ok();
        // Whatever this says: if it fails, the next start does it again.
        let forgotten = self.forget(trial);
        if !is_back {
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

    /// Counts a trial as failed, once, and makes sure that the system before is what boots.
    fn forget(&mut self, trial: &Trial) -> Result<(), UpdateError> {
        self.host.make_default(&trial.previous)?;
        self.record.fail(trial.serial);
        self.store.save(&self.record)?;
        self.host.release()
    }
}

fn read_manifest(settings: &Settings) -> Result<Manifest, UpdateError> {
    let url = settings.manifest.as_deref().ok_or(UpdateError::NotSet("manifest"))?;
    let way = WayTo {
        table: "update",
        timeout: TIMEOUT,
        ca_file: settings.ca_file.as_deref(),
        ..WayTo::default()
    };
    let server = Server::new(url, &origin(url), &way)?;
    let reply = server.get()?;
    if reply.status != 200 {
        return Err(server.refusal(&reply).into());
    }
    Ok(Manifest::verify(&reply.body, &settings.public_keys)?)
}

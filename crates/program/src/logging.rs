//! Logs: to the journal with fields when systemd started us, else readable on stderr.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::lock::lock;

/// The least severe message that is logged.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Only what needs somebody's attention.
    Error,
    /// Also what works less well than it should.
    Warn,
    /// Also starts, stops and recoveries.
    #[default]
    Info,
    /// Also each request.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

static CURRENT: Mutex<Level> = Mutex::new(Level::Info);
static LEVEL: OnceLock<Handle<Targets, Registry>> = OnceLock::new();

/// Set while the last line of the terminal shows live state; whatever is written next wipes it first.
pub static LIVE_LINE: AtomicBool = AtomicBool::new(false);

/// Makes room for a message.
pub fn wipe_live_line() {
    if LIVE_LINE.swap(false, Ordering::Relaxed) {
        // Fails if the terminal is gone, and the line with it.
        let _ = std::io::stderr().write_all(b"\r\x1b[K");
    }
}

/// Begins to log under `name`, and sends panics to the log, but for those of threads named `quiet`, whose owner reports them itself.
pub fn start(name: &str, level: Level, quiet: Option<&'static str>) {
    *lock(&CURRENT) = level;
    let (filter, handle) = reload::Layer::new(targets(level));
    let output: Box<dyn Layer<_> + Send + Sync> = match journal(name) {
        Some(journal) => Box::new(journal),
        None => Box::new(
            tracing_subscriber::fmt::layer()
                .with_writer(|| {
                    wipe_live_line();
                    std::io::stderr()
                })
                // Its own complaint that stderr is gone would go to stderr, and panic.
                .log_internal_errors(false)
                .with_target(false)
                .with_ansi(false)
                .without_time(),
        ),
    };
    if tracing_subscriber::registry()
        .with(filter)
        .with(output)
        .try_init()
        .is_ok()
    {
        let _ = LEVEL.set(handle);
    }
    std::panic::set_hook(Box::new(move |info| {
        if quiet.is_none_or(|quiet| std::thread::current().name() != Some(quiet)) {
            tracing::error!("{info}");
        }
    }));
}

/// What is logged now.
pub fn level() -> Level {
    *lock(&CURRENT)
}

/// Changes the level while running.
pub fn set_level(level: Level) {
    *lock(&CURRENT) = level;
    if let Some(handle) = LEVEL.get() {
        // Fails only if the subscriber is gone, and then nobody logs.
        let _ = handle.reload(targets(level));
    }
}

/// Our own messages from `level` on; those of libraries only if something is wrong.
fn targets(level: Level) -> Targets {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    // As a beginning: our crates are edgewatch and edgewatch_….
    let targets = Targets::new().with_target("edgewatch", level);
    let targets = match level {
        LevelFilter::TRACE => targets,
        // One error for each malformed request, as many as strangers like; the server logs them itself, a few.
        _ => targets.with_target("actix_http::h1::dispatcher", LevelFilter::OFF),
    };
    targets.with_default(if level == LevelFilter::TRACE {
        level
    } else {
        level.min(LevelFilter::WARN)
    })
}

/// The journal, if stderr is connected to it (`$JOURNAL_STREAM`, systemd.exec(5)) and it can be reached.
fn journal(name: &str) -> Option<tracing_journald::Layer> {
    let stream = std::env::var("JOURNAL_STREAM").ok()?;
    // Not by /proc, which not every sandbox shows.
    let stderr = rustix::fs::fstat(std::io::stderr()).ok()?;
    if stream != format!("{}:{}", stderr.st_dev, stderr.st_ino) {
        return None;
    }
    let layer = tracing_journald::layer().ok()?;
    Some(
        layer
            .with_syslog_identifier(name.to_owned())
            .with_field_prefix(Some("EDGEWATCH".to_owned())),
    )
}

/// Lets a few messages through and counts the rest: for what others can cause as often as they like.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    window: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl Seldom {
    /// Messages in each [`Self::WINDOW`].
    const MOST: u32 = 5;
    const WINDOW: Duration = Duration::from_secs(60);

    /// What to add to a message of `now`, about those that were left out before; `None` if it is to be left out as well.
    pub fn allow(&self, now: Instant) -> Option<String> {
        let mut seen = lock(&self.0);
        if seen.window.is_none_or(|began| now - began > Self::WINDOW) {
            (seen.window, seen.written) = (Some(now), 0);
        }
        if seen.written >= Self::MOST {
            seen.left_out += 1;
            return None;
        }
        seen.written += 1;
        let left_out = std::mem::take(&mut seen.left_out);
        Some(match (left_out, seen.written) {
            (0, Self::MOST) => " (no more of it for a minute)".to_owned(),
            (0, _) => String::new(),
            (left_out, _) => format!(" ({left_out} like it were left out)"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_of_the_log_is_counted_in_it() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        let written: Vec<String> = (0..2000).filter_map(|_| seldom.allow(start)).collect();
        assert_eq!(written.len(), 5);
        assert!(written[4].contains("no more of it for a minute"), "{written:?}");
        let later = seldom.allow(start + Seldom::WINDOW + Duration::from_secs(1));
        assert_eq!(later.as_deref(), Some(" (1995 like it were left out)"));
    }
}

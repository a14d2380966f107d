//! Logs: to the journal with fields when systemd started us, else readable on stderr.

use std::io::Write;
use std::os::fd::AsFd;
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
    /// Only what needs attention.
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

/// Set while the last line of the terminal is the status line of `edgewatch up`; whatever is written next clears it first.
pub static STATUS_LINE: AtomicBool = AtomicBool::new(false);

/// Clears the status line, before a message is written.
pub fn clear_status_line() {
    if STATUS_LINE.swap(false, Ordering::Relaxed) {
        // Fails if the terminal is gone, and the line with it.
        let _ = std::io::stderr().write_all(b"\r\x1b[K");
    }
}

/// Starts logging under `name`. Panics are logged too, but for those of threads named `quiet`, whose owner reports them itself.
pub fn start(name: &str, level: Level, quiet: Option<&'static str>) {
    *lock(&CURRENT) = level;
    let (filter, handle) = reload::Layer::new(targets(level));
    let output: Box<dyn Layer<_> + Send + Sync> = match journal(name) {
        Some(journal) => Box::new(journal),
        None => Box::new(
            tracing_subscriber::fmt::layer()
                .with_writer(|| {
                    clear_status_line();
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

/// The current level.
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
    // A prefix: our crates are edgewatch and edgewatch_….
    let targets = Targets::new().with_target("edgewatch", level);
    let targets = match level {
        LevelFilter::TRACE => targets,
        // One error for each malformed request, without a limit; the server logs them itself, with one.
        _ => targets.with_target("actix_http::h1::dispatcher", LevelFilter::OFF),
    };
    targets.with_default(if level == LevelFilter::TRACE {
        level
    } else {
        level.min(LevelFilter::WARN)
    })
}

/// Whether `output` is connected to the journal (`$JOURNAL_STREAM`, systemd.exec(5)).
pub(crate) fn is_journal(output: impl AsFd) -> bool {
    // fstat(2), since not every sandbox shows /proc.
    let (Ok(stream), Ok(output)) = (std::env::var("JOURNAL_STREAM"), rustix::fs::fstat(output)) else {
        return false;
    };
    stream == format!("{}:{}", output.st_dev, output.st_ino)
}

/// The journal, if stderr is connected to it and it can be reached. Its messages must say all by themselves: fields beside them are shown
/// by `journalctl --output verbose` alone.
fn journal(name: &str) -> Option<tracing_journald::Layer> {
    if !is_journal(std::io::stderr()) {
        return None;
    }
    let layer = tracing_journald::layer().ok()?;
    Some(
        layer
            .with_syslog_identifier(name.to_owned())
            .with_field_prefix(Some("EDGEWATCH".to_owned())),
    )
}

/// Limits the rate of a message that clients can cause as often as they like, and counts the suppressed ones.
#[derive(Debug, Default)]
pub struct LogRateLimit(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    began: Option<Instant>,
    written: u32,
    suppressed: u64,
}

impl LogRateLimit {
    /// Messages in each [`Self::WINDOW`].
    const MAX_MESSAGES: u32 = 5;
    const WINDOW: Duration = Duration::from_secs(60);

    /// The suffix of a message at `now`, which counts those that were suppressed before; `None` if it is to be suppressed as well.
    pub fn allow(&self, now: Instant) -> Option<String> {
        let mut window = lock(&self.0);
        if window.began.is_none_or(|began| now - began > Self::WINDOW) {
            (window.began, window.written) = (Some(now), 0);
        }
        if window.written >= Self::MAX_MESSAGES {
            window.suppressed += 1;
            return None;
        }
        window.written += 1;
        let suppressed = std::mem::take(&mut window.suppressed);
        Some(match (suppressed, window.written) {
            (0, Self::MAX_MESSAGES) => " (no more of it for a minute)".to_owned(),
            (0, _) => String::new(),
            (suppressed, _) => format!(" ({suppressed} like it were left out)"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suppressed_messages_are_counted_in_the_log() {
        let (limit, start) = (LogRateLimit::default(), Instant::now());
        let written: Vec<String> = (0..2000).filter_map(|_| limit.allow(start)).collect();
        assert_eq!(written.len(), 5);
        assert!(written[4].contains("no more of it for a minute"), "{written:?}");
        let later = limit.allow(start + LogRateLimit::WINDOW + Duration::from_secs(1));
        assert_eq!(later.as_deref(), Some(" (1995 like it were left out)"));
    }
}

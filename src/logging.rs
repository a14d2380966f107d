//! Logs: to the journal with fields when systemd started us, else readable on stderr.

use std::io::Write;
use std::os::linux::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::config::Level;
use crate::lock::lock;
use crate::sampler;

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

/// Begins to log, and sends panics to the log.
pub fn start(level: Level) {
    let (filter, handle) = reload::Layer::new(targets(level));
    let output: Box<dyn Layer<_> + Send + Sync> = match journal() {
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
    std::panic::set_hook(Box::new(|info| {
        // The sampler reports a panic of a source itself, once.
        if std::thread::current().name() != Some(sampler::THREAD_NAME) {
            tracing::error!("{info}");
        }
    }));
}

/// Changes the level while running.
pub fn set_level(level: Level) {
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
    let targets = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
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
fn journal() -> Option<tracing_journald::Layer> {
    let stream = std::env::var("JOURNAL_STREAM").ok()?;
    let stderr = std::fs::metadata("/proc/self/fd/2").ok()?;
    if stream != format!("{}:{}", stderr.st_dev(), stderr.st_ino()) {
        return None;
    }
    let layer = tracing_journald::layer().ok()?;
    Some(
        layer
            .with_syslog_identifier("edgewatch".to_owned())
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

/// Logs the troubles of a source when they change, not each time they are found.
#[derive(Debug, Default)]
pub struct ChangeLog {
    last: Vec<String>,
    window: Option<Instant>,
    written: u32,
}

impl ChangeLog {
    /// A sensor that comes and goes changes at every read; past this many changes in [`Self::WINDOW`] they are not logged.
    const MOST: u32 = 10;
    const WINDOW: Duration = Duration::from_secs(600);

    /// Takes the troubles of the last read.
    pub fn note(&mut self, source: &str, troubles: &[String]) {
        if self.last == troubles {
            return;
        }
        let recovered = troubles.is_empty();
        self.last = troubles.to_vec();
        let now = Instant::now();
        if self.window.is_none_or(|began| now - began > Self::WINDOW) {
            self.window = Some(now);
            self.written = 0;
        }
        self.written += 1;
        if self.written > Self::MOST {
            return;
        }
        let quiet = if self.written == Self::MOST {
            " (changes too often: no more of it for 10 minutes)"
        } else {
            ""
        };
        if recovered {
            tracing::info!(source, "source recovered{quiet}");
        } else {
            let first = &troubles[0];
            let more = troubles.len() - 1;
            tracing::warn!(
                source,
                failures = troubles.len(),
                "source fails: {first} (and {more} more){quiet}"
            );
        }
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

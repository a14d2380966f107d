//! The protocols of systemd: inherited sockets (sd_listen_fds(3)) and notifications (sd_notify(3)).

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::error::Error;
use crate::logging::LogRateLimit;
use crate::output::one_line;
use crate::socket::Socket;

/// Minimum time between two `WATCHDOG=1`: with `WATCHDOG_USEC=1` the service would do nothing else.
const MIN_INTERVAL: Duration = Duration::from_millis(50);

/// The sockets that systemd passed (socket activation); none without it.
///
/// # Errors
/// A file descriptor that is neither a TCP nor a Unix stream socket.
pub fn inherited_sockets() -> Result<Vec<Socket>, Error> {
    let mut inherited = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..inherited.len() {
        // Taking it as the wrong kind fails and leaves it there for the next try.
        let socket = match inherited.take_tcp_listener(index) {
            Ok(listener) => listener.map(Socket::Tcp),
            Err(_) => inherited
                .take_unix_listener(index)
                .map_err(Error::InheritedSocket)?
                .map(Socket::Unix),
        };
        sockets.extend(socket);
    }
    Ok(sockets)
}

/// Notifies systemd; does nothing without a service manager.
pub fn notify(states: &[NotifyState]) {
    static LIMIT: LazyLock<LogRateLimit> = LazyLock::new(LogRateLimit::default);
    // A status is a line: systemd reads the next one as another assignment.
    let texts = states.iter().map(|state| match state {
        NotifyState::Status(text) => one_line(text),
        _ => String::new(),
    });
    let texts: Vec<String> = texts.collect();
    let lines = states.iter().zip(&texts).map(|(state, text)| match state {
        NotifyState::Status(_) => NotifyState::Status(text),
        other => other.clone(),
    });
    if let Err(error) = sd_notify::notify(&lines.collect::<Vec<_>>())
        && let Some(suppressed) = LIMIT.allow(Instant::now())
    {
        tracing::warn!("cannot notify systemd: {error}{suppressed}");
    }
}

/// `RELOADING=1` with the time stamp that `Type=notify-reload` asks for.
pub fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("cannot read the monotonic clock: {error}"),
    }
}

/// Time between two `WATCHDOG=1`: half of `WatchdogSec=`, as systemd recommends, but at least 50 ms. `None` without a watchdog.
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|timeout| (timeout / 2).max(MIN_INTERVAL))
}

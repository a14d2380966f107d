//! What systemd and the service tell each other: inherited sockets (sd_listen_fds(3)) and notifications (sd_notify(3)).

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::error::Failure;
use crate::listen::Socket;
use crate::logging::Seldom;

/// The least time between two `WATCHDOG=1`: with `WATCHDOG_USEC=1` the service would do nothing else.
const LEAST_INTERVAL: Duration = Duration::from_millis(50);

/// The sockets that systemd handed over; none if it did not.
///
/// # Errors
/// A file descriptor that is neither a TCP nor a Unix stream socket.
pub fn inherited_sockets() -> Result<Vec<Socket>, Failure> {
    let mut inherited = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..inherited.len() {
        // Taking it as the wrong kind fails and leaves it there for the next try.
        let socket = match inherited.take_tcp_listener(index) {
            Ok(listener) => listener.map(Socket::Tcp),
            Err(_) => inherited
                .take_unix_listener(index)
                .map_err(|error| Failure::because("socket from systemd (ListenStream=)", error))?
                .map(Socket::Unix),
        };
        sockets.extend(socket);
    }
    Ok(sockets)
}

/// Tells systemd; does nothing where no service manager listens.
pub fn notify(states: &[NotifyState]) {
    static SAID: LazyLock<Seldom> = LazyLock::new(Seldom::default);
    if let Err(error) = sd_notify::notify(states)
        && let Some(more) = SAID.allow(Instant::now())
    {
        tracing::warn!("cannot notify systemd: {error}{more}");
    }
}

/// `RELOADING=1` with the time stamp that `Type=notify-reload` asks for.
pub fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "cannot read the monotonic clock"),
    }
}

/// Time between two `WATCHDOG=1`: half of `WatchdogSec=`, as systemd recommends, but at least 50 ms. `None` without a watchdog.
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|timeout| (timeout / 2).max(LEAST_INTERVAL))
}

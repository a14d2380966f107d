//! The state of one connection: what the stream, the handlers and admission control know of its client.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::telemetry::CloseReason;
use edgewatch_program::lock::lock;

/// Time that a client has to send its request, however many others connect: it may be a round trip away, or its data still unread.
pub(super) const GRACE: Duration = Duration::from_millis(250);

/// Those that share a limit of connections.
pub(super) trait Peers {
    /// True if the limit is reached.
    fn is_full(&self) -> bool;
    /// One of them has been closed.
    fn remove(&self, client: &Arc<ClientConnection>);
    /// One of them is closed by the service.
    fn count_closed(&self, reason: CloseReason);
}

/// One client at the other end of a connection.
pub(crate) struct ClientConnection {
    network: Option<IpAddr>,
    /// `None` for the watchdog's probe, which no other connection may displace.
    peers: Option<Arc<dyn Peers + Send + Sync>>,
    disconnected: Notify,
    state: Mutex<ConnectionState>,
}

struct ConnectionState {
    phase: Phase,
    since: Instant,
    has_request: bool,
    is_trusted: bool,
    is_disconnected: bool,
    is_closing: bool,
    is_evicted: bool,
    /// Woken when the stream may read again.
    reader: Option<Waker>,
}

impl ConnectionState {
    fn new() -> Self {
        Self {
            // Not idle: it has had no time for a request yet.
            phase: Phase::Receiving,
            since: Instant::now(),
            has_request: false,
            is_trusted: false,
            is_disconnected: false,
            is_closing: false,
            is_evicted: false,
            reader: None,
        }
    }

    fn enter(&mut self, phase: Phase) {
        if self.phase != phase {
            self.phase = phase;
            self.since = Instant::now();
        }
        if phase == Phase::Idle {
            self.wake();
        }
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// What a connection waits for, in the order of eviction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// For the next request.
    Idle,
    /// For the rest of a request.
    Receiving,
    /// For the client to read the response.
    Stalled,
    /// For the response: the service is at work.
    Served,
}

/// Whether the stream may read.
pub(super) enum ReadGate {
    /// The next request.
    Open,
    /// Not before the response has been written.
    Wait,
    /// Only to discard what comes.
    Closing,
    /// Not any more.
    Evicted,
}

impl ClientConnection {
    pub(super) fn new(network: Option<IpAddr>, peers: Option<Arc<dyn Peers + Send + Sync>>) -> Arc<Self> {
        Arc::new(Self {
            network,
            peers,
            disconnected: Notify::new(),
            state: Mutex::new(ConnectionState::new()),
        })
    }

    /// That of the watchdog's probe.
    pub(super) fn probe() -> Arc<Self> {
        Self::new(None, None)
    }

    /// The client's network ([`super::admission::client_network`]); `None` on a Unix socket.
    pub(super) fn network(&self) -> Option<IpAddr> {
        self.network
    }

    /// The first byte of a request has been received.
    pub(super) fn request_started(&self) {
        lock(&self.state).enter(Phase::Receiving);
    }

    /// The head of a request has been received. Nothing more is read before its [`RequestGuard`] is dropped.
    pub(super) fn request_received(&self) {
        let mut state = lock(&self.state);
        state.has_request = true;
        state.enter(Phase::Served);
    }

    /// The pending bytes have been written.
    pub(super) fn write_completed(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Stalled {
            let phase = if state.has_request { Phase::Served } else { Phase::Idle };
            state.enter(phase);
        }
    }

    /// The client does not read, and the socket's buffer is full.
    pub(super) fn write_blocked(&self) {
        lock(&self.state).enter(Phase::Stalled);
    }

    /// The client has closed its side, and as a rule is gone.
    pub(super) fn end_of_stream(&self) {
        lock(&self.state).is_disconnected = true;
        self.disconnected.notify_waiters();
    }

    /// Waits until the client closes its side, after which as a rule it is gone.
    pub(crate) async fn disconnected(&self) {
        // Created before the check, so that no notification is missed in between.
        let disconnected = self.disconnected.notified();
        if !lock(&self.state).is_disconnected {
            disconnected.await;
        }
    }

    /// Marks it as authenticated: it is evicted after all others.
    pub(super) fn trust(&self) {
        lock(&self.state).is_trusted = true;
    }

    /// The connection is to be closed after this response.
    pub(super) fn close_after_response(&self) {
        lock(&self.state).is_closing = true;
    }

    /// Counts it as closed for a reason.
    pub(super) fn count_closed(&self, reason: CloseReason) {
        if let Some(peers) = &self.peers {
            peers.count_closed(reason);
        }
    }

    /// Whether the stream may read; `reader` is woken when that changes.
    pub(super) fn read_gate(&self, reader: &Waker) -> ReadGate {
        let mut state = lock(&self.state);
        if state.is_evicted {
            return ReadGate::Evicted;
        }
        if !state.reader.as_ref().is_some_and(|known| known.will_wake(reader)) {
            state.reader = Some(reader.clone());
        }
        match state.phase {
            Phase::Served | Phase::Stalled => ReadGate::Wait,
            Phase::Idle | Phase::Receiving if state.is_closing => ReadGate::Closing,
            Phase::Idle | Phase::Receiving => ReadGate::Open,
        }
    }

    /// Waits until the connection is to be closed in favour of another one, while no stream reads from it.
    pub(super) async fn evicted(&self) {
        poll_fn(|context| match self.read_gate(context.waker()) {
            ReadGate::Evicted => Poll::Ready(()),
            ReadGate::Open | ReadGate::Wait | ReadGate::Closing => Poll::Pending,
        })
        .await;
    }

    /// True if the limit of connections is reached, so that this one must not stay open after its response.
    pub(super) fn is_over_limit(&self) -> bool {
        self.peers.as_ref().is_some_and(|peers| peers.is_full())
    }

    /// The connection has been closed.
    pub(super) fn close(self: &Arc<Self>) {
        if let Some(peers) = &self.peers {
            peers.remove(self);
        }
    }

    pub(super) fn is_evicted(&self) -> bool {
        lock(&self.state).is_evicted
    }

    /// The lowest is evicted first; `None` if it may not be evicted.
    pub(super) fn eviction_priority(&self, now: Instant) -> Option<impl Ord + Copy + use<>> {
        let state = lock(&self.state);
        let is_waiting = match state.phase {
            Phase::Idle => true,
            Phase::Receiving | Phase::Stalled => now >= state.since + GRACE,
            Phase::Served => false,
        };
        (is_waiting && !state.is_evicted).then_some((state.is_trusted, state.phase, state.since))
    }

    pub(super) fn evict(&self) {
        let mut state = lock(&self.state);
        state.is_evicted = true;
        state.wake();
    }
}

/// One request in progress; dropped when its response has been handed over.
pub(super) struct RequestGuard(pub(super) Arc<ClientConnection>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.has_request = false;
        if state.phase == Phase::Served {
            state.enter(Phase::Idle);
        }
    }
}

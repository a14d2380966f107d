//! Who may connect: a bound for all, a smaller one for each address, and room for newcomers.
//!
//! A connection that merely waits for its client makes room for one that asks, so that nobody keeps others out by being there.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::telemetry::Telemetry;
use edgewatch_program::listen::is_loopback;
use edgewatch_program::lock::lock;
use edgewatch_program::logging::LogRateLimit;

/// Time that a client has to ask, however many others come: it may be a round trip away, or its connection still unread.
const GRACE: Duration = Duration::from_millis(250);
/// Time between two looks for a connection that can make room.
const LOOK: Duration = Duration::from_millis(50);

/// Why the service closed a connection: `edge_http_connections_closed_total{reason}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Its address has too many already.
    Address,
    /// It waited for its client, and another one came.
    MadeRoom,
    /// The request took longer than `http.client_timeout`.
    SlowRequest,
    /// The head of the request was too long.
    LongHead,
    /// The client did not read its answer.
    NotReading,
    /// What came was no HTTP.
    Malformed,
}

impl Closed {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::Address,
        Self::MadeRoom,
        Self::SlowRequest,
        Self::LongHead,
        Self::NotReading,
        Self::Malformed,
    ];

    /// The value of the label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::MadeRoom => "made_room",
            Self::SlowRequest => "slow_request",
            Self::LongHead => "long_head",
            Self::NotReading => "not_reading",
            Self::Malformed => "malformed",
        }
    }
}

/// The address by which clients are told apart: of IPv6 the network, as anybody can have 2^64 addresses in one (RFC 6177).
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

/// The open connections of a server.
pub struct Doors {
    most: usize,
    telemetry: Arc<Telemetry>,
    open: Mutex<Vec<Arc<Client>>>,
    is_clearing: AtomicBool,
    said: LogRateLimit,
}

impl Doors {
    /// Doors for `most` connections.
    pub fn new(most: usize, telemetry: Arc<Telemetry>) -> Arc<Self> {
        Arc::new(Self {
            most,
            telemetry,
            open: Mutex::default(),
            is_clearing: AtomicBool::new(false),
            said: LogRateLimit::default(),
        })
    }

    /// Lets a client in; `None` if its address has too many connections at work. `address` is `None` on a Unix socket.
    pub fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Arc<Client>> {
        let network = address.map(network);
        let mut open = lock(&self.open);
        if let Some(network) = network {
            let share = self.share(network);
            let own = || open.iter().filter(|client| client.network == Some(network));
            if own().filter(|client| client.stays()).count() >= share && !self.make_room(own(), Instant::now()) {
                drop(open);
                self.telemetry.closed(Closed::Address);
                if let Some(more) = self.said.allow(Instant::now()) {
                    tracing::warn!("{network} has {share} connections at work: no more from there{more}");
                }
                return None;
            }
        }
        let client = Arc::new(Client {
            network,
            doors: Some(Arc::clone(self)),
            gone: Notify::new(),
            state: Mutex::new(State::new()),
        });
        open.push(Arc::clone(&client));
        Some(client)
    }

    /// Sees to it that one more client can come. While the last place is taken the kernel keeps others waiting, and none that comes could
    /// displace one that merely waits.
    pub async fn clear(&self) {
        if self.is_clearing.swap(true, Ordering::AcqRel) {
            return;
        }
        while self.is_full() && !self.make_room(lock(&self.open).iter(), Instant::now()) {
            tokio::time::sleep(LOOK).await;
        }
        self.is_clearing.store(false, Ordering::Release);
    }

    /// True if the last place is taken.
    pub fn is_full(&self) -> bool {
        let open = lock(&self.open);
        open.len() >= self.most && open.iter().filter(|client| client.stays()).count() >= self.most
    }

    /// A quarter of all for one address; all for the device itself, where a reverse proxy may be.
    fn share(&self, network: IpAddr) -> usize {
        if is_loopback(network) {
            self.most
        } else {
            (self.most / 4).max(1)
        }
    }

    /// Closes the one of `clients` that has waited longest for its client; false if all are at work.
    fn make_room<'a>(&self, clients: impl Iterator<Item = &'a Arc<Client>>, now: Instant) -> bool {
        let waiting = clients.filter_map(|client| Some((client.rank(now)?, client)));
        let Some((_, client)) = waiting.min_by_key(|(rank, _)| *rank) else {
            return false;
        };
        client.evict();
        self.telemetry.closed(Closed::MadeRoom);
        true
    }
}

/// One client at the other end of a connection: what the stream, the application and the doors know of it.
pub struct Client {
    network: Option<IpAddr>,
    /// None for the service's own question to itself, which no stranger may displace.
    doors: Option<Arc<Doors>>,
    gone: Notify,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    since: Instant,
    is_asking: bool,
    is_trusted: bool,
    has_hung_up: bool,
    is_closing: bool,
    is_evicted: bool,
    reader: Option<Waker>,
}

impl State {
    fn new() -> Self {
        Self {
            // Not idle: it has had no chance to ask yet.
            phase: Phase::Asks,
            since: Instant::now(),
            is_asking: false,
            is_trusted: false,
            has_hung_up: false,
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

/// What is waited for; those that are easiest to do without come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// For the next request.
    Idle,
    /// For the rest of a request.
    Asks,
    /// For the client to read.
    Stalls,
    /// For the answer: the service is at work.
    Served,
}

/// Whether the stream may read.
pub enum Gate {
    /// The next request.
    Open,
    /// Not before the answer has been written.
    Wait,
    /// What comes is of no interest.
    Closing,
    /// No more at all.
    Evicted,
}

impl Client {
    /// The service itself.
    pub fn of_the_service() -> Arc<Self> {
        Arc::new(Self {
            network: None,
            doors: None,
            gone: Notify::new(),
            state: Mutex::new(State::new()),
        })
    }

    /// The first byte of a request has come.
    pub(super) fn begins(&self) {
        lock(&self.state).enter(Phase::Asks);
    }

    /// A whole request has come. Nothing more is read before its [`Turn`] has ended.
    pub(super) fn asks(&self) {
        let mut state = lock(&self.state);
        state.is_asking = true;
        state.enter(Phase::Served);
    }

    /// What was to be written has been written.
    pub(super) fn reads(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Stalls {
            let phase = if state.is_asking { Phase::Served } else { Phase::Idle };
            state.enter(phase);
        }
    }

    /// It does not read what is to be written.
    pub(super) fn stalls(&self) {
        lock(&self.state).enter(Phase::Stalls);
    }

    /// It will send nothing more; as a rule it is gone.
    pub(super) fn hung_up(&self) {
        lock(&self.state).has_hung_up = true;
        self.gone.notify_waiters();
    }

    /// Waits until the client sends nothing more; as a rule it is gone.
    pub async fn gone(&self) {
        // Made before the look, so that nothing is missed in between.
        let gone = self.gone.notified();
        if !lock(&self.state).has_hung_up {
            gone.await;
        }
    }

    /// Its password was right.
    pub fn trust(&self) {
        lock(&self.state).is_trusted = true;
    }

    /// The connection is closed behind this answer.
    pub(super) fn closes(&self) {
        lock(&self.state).is_closing = true;
    }

    /// Counts a connection that is closed for a reason.
    pub(super) fn closed(&self, why: Closed) {
        if let Some(doors) = &self.doors {
            doors.telemetry.closed(why);
        }
    }

    /// What the stream may do; `reader` is woken when that changes.
    pub(super) fn gate(&self, reader: &Waker) -> Gate {
        let mut state = lock(&self.state);
        if state.is_evicted {
            return Gate::Evicted;
        }
        if !state.reader.as_ref().is_some_and(|known| known.will_wake(reader)) {
            state.reader = Some(reader.clone());
        }
        match state.phase {
            Phase::Served | Phase::Stalls => Gate::Wait,
            _ if state.is_closing => Gate::Closing,
            _ => Gate::Open,
        }
    }

    /// True if nobody could connect any more if this connection stayed open behind its answer.
    pub(super) fn is_in_the_way(&self) -> bool {
        self.doors.as_ref().is_some_and(|doors| doors.is_full())
    }

    pub(super) fn leaves(self: &Arc<Self>) {
        if let Some(doors) = &self.doors {
            lock(&doors.open).retain(|other| !Arc::ptr_eq(other, self));
        }
    }

    fn stays(&self) -> bool {
        !lock(&self.state).is_evicted
    }

    /// The order in which connections are closed to make room; `None` for one that is not.
    fn rank(&self, now: Instant) -> Option<(bool, Phase, Instant)> {
        let state = lock(&self.state);
        let waits = match state.phase {
            Phase::Idle => true,
            Phase::Asks | Phase::Stalls => now >= state.since + GRACE,
            Phase::Served => false,
        };
        (waits && !state.is_evicted).then_some((state.is_trusted, state.phase, state.since))
    }

    fn evict(&self) {
        let mut state = lock(&self.state);
        state.is_evicted = true;
        state.wake();
    }
}

/// One request that is being answered; dropped when the answer has been made.
pub struct Turn(pub Arc<Client>);

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.is_asking = false;
        if state.phase == Phase::Served {
            state.enter(Phase::Idle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doors(most: usize) -> Arc<Doors> {
        Doors::new(most, Arc::new(Telemetry::new().unwrap()))
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_has_its_share_and_a_network_of_ipv6_counts_as_one() {
        let doors = doors(16);
        let enter = |address: String| {
            let client = doors.enter(Some(address.parse().unwrap()));
            client.inspect(|client| client.asks())
        };
        let v4: Vec<_> = (0..5).map(|_| enter("192.0.2.7".to_owned())).collect();
        assert_eq!(v4.iter().flatten().count(), 4);
        let v6: Vec<_> = (0..5).map(|host| enter(format!("2001:db8::{host:x}"))).collect();
        assert_eq!(v6.iter().flatten().count(), 4);
        assert!(enter("2001:db8:0:1::1".to_owned()).is_some());
        assert!(enter("::ffff:192.0.2.7".to_owned()).is_none(), "the same address");
        assert!(enter("127.0.0.1".to_owned()).is_some());
    }

    fn make_room(doors: &Doors, now: Instant) -> bool {
        doors.make_room(lock(&doors.open).iter(), now)
    }

    #[test]
    fn who_waits_makes_room_and_who_is_served_stays() {
        let (doors, now) = (doors(16), Instant::now() + GRACE);
        let enter = |n| doors.enter(address(&format!("192.0.2.{n}"))).unwrap();
        let (served, trusted, asking, stalling, idle) = (enter(1), enter(2), enter(3), enter(4), enter(5));
        served.asks();
        trusted.trust();
        stalling.stalls();
        idle.asks();
        drop(Turn(Arc::clone(&idle)));
        for next in [&idle, &asking, &stalling, &trusted] {
            assert!(next.stays());
            assert!(make_room(&doors, Instant::now().max(now) + GRACE));
            assert!(!next.stays());
        }
        assert!(!make_room(&doors, now + GRACE) && served.stays());
    }

    #[test]
    fn who_has_just_come_may_ask_first() {
        let (doors, now) = (doors(16), Instant::now());
        let _client = doors.enter(address("192.0.2.1")).unwrap();
        assert!(!make_room(&doors, now));
        assert!(make_room(&doors, Instant::now() + GRACE));
    }

    #[test]
    fn an_address_makes_room_for_itself_first() {
        let doors = doors(16);
        let idle: Vec<_> = (0..4).map(|_| doors.enter(address("192.0.2.1")).unwrap()).collect();
        for client in &idle {
            client.asks();
            drop(Turn(Arc::clone(client)));
        }
        assert!(doors.enter(address("192.0.2.1")).is_some());
        let staying: Vec<bool> = idle.iter().map(|client| client.stays()).collect();
        assert_eq!(staying, [false, true, true, true]);
    }

    #[test]
    fn who_leaves_is_forgotten() {
        let doors = doors(4);
        let client = doors.enter(None).unwrap();
        client.leaves();
        assert!(lock(&doors.open).is_empty());
    }
}

//! Admission control: a limit of open connections, a smaller one for each client address, and eviction of idle connections.
//!
//! A connection that only waits for its client is evicted in favour of a new one, so that idle connections do not keep others out.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::client::{ClientConnection, Peers};
use crate::telemetry::{CloseReason, Telemetry};
use edgewatch_program::listen::is_loopback;
use edgewatch_program::lock::lock;
use edgewatch_program::logging::LogRateLimit;

/// Time between two searches for a connection to evict.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// The address by which clients are distinguished: of IPv6 the /64 network, since a host has 2^64 addresses in one (RFC 6177).
pub(crate) fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

/// The open connections of a server.
pub(crate) struct Admission {
    max_connections: usize,
    telemetry: Arc<Telemetry>,
    open: Mutex<Vec<Arc<ClientConnection>>>,
    is_freeing: AtomicBool,
    log_limit: LogRateLimit,
}

impl Admission {
    pub(crate) fn new(max_connections: usize, telemetry: Arc<Telemetry>) -> Arc<Self> {
        Arc::new(Self {
            max_connections,
            telemetry,
            open: Mutex::default(),
            is_freeing: AtomicBool::new(false),
            log_limit: LogRateLimit::default(),
        })
    }

    /// Admits a client; `None` if its address has too many active connections. `address` is `None` on a Unix socket.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Arc<ClientConnection>> {
        let network = address.map(client_network);
        let mut open = lock(&self.open);
        if let Some(network) = network {
            let limit = self.address_limit(network);
            let own = || open.iter().filter(|client| client.network() == Some(network));
            let count = own().filter(|client| !client.is_evicted()).count();
            if count >= limit && !self.evict_one(own(), Instant::now()) {
                drop(open);
                self.count_closed(CloseReason::AddressLimit);
                if let Some(suppressed) = self.log_limit.allow(Instant::now()) {
                    tracing::warn!("{network} has {limit} connections at work: no more from there{suppressed}");
                }
                return None;
            }
        }
        let client = ClientConnection::new(network, Some(Arc::clone(self) as _));
        open.push(Arc::clone(&client));
        Some(client)
    }

    /// Evicts a connection as soon as possible if the limit is reached: at the limit the server accepts no more, so that a new client
    /// could not displace one that only waits.
    pub(crate) async fn free_capacity(&self) {
        if self.is_freeing.swap(true, Ordering::AcqRel) {
            return;
        }
        while self.is_full() && !self.evict_one(lock(&self.open).iter(), Instant::now()) {
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        self.is_freeing.store(false, Ordering::Release);
    }

    /// A quarter of all for one address; all for the device itself, which may run a reverse proxy.
    fn address_limit(&self, network: IpAddr) -> usize {
        if is_loopback(network) {
            self.max_connections
        } else {
            (self.max_connections / 4).max(1)
        }
    }

    /// Evicts the one of `clients` with the lowest priority; false if none of them may be evicted.
    fn evict_one<'a>(&self, clients: impl Iterator<Item = &'a Arc<ClientConnection>>, now: Instant) -> bool {
        let candidates = clients.filter_map(|client| Some((client.eviction_priority(now)?, client)));
        let Some((_, client)) = candidates.min_by_key(|(priority, _)| *priority) else {
            return false;
        };
        client.evict();
        self.count_closed(CloseReason::Evicted);
        true
    }
}

impl Peers for Admission {
    fn is_full(&self) -> bool {
        let open = lock(&self.open);
        let count = || open.iter().filter(|client| !client.is_evicted()).count();
        open.len() >= self.max_connections && count() >= self.max_connections
    }

    fn remove(&self, client: &Arc<ClientConnection>) {
        lock(&self.open).retain(|other| !Arc::ptr_eq(other, client));
    }

    fn count_closed(&self, reason: CloseReason) {
        self.telemetry.closed(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::{GRACE, RequestGuard};
    use super::*;

    fn admission(max_connections: usize) -> Arc<Admission> {
        Admission::new(max_connections, Arc::new(Telemetry::new().unwrap()))
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_has_its_limit_and_a_network_of_ipv6_counts_as_one() {
        let admission = admission(16);
        let admit = |address: String| {
            let client = admission.admit(Some(address.parse().unwrap()));
            client.inspect(|client| client.request_received())
        };
        let v4: Vec<_> = (0..5).map(|_| admit("192.0.2.7".to_owned())).collect();
        assert_eq!(v4.iter().flatten().count(), 4);
        let v6: Vec<_> = (0..5).map(|host| admit(format!("2001:db8::{host:x}"))).collect();
        assert_eq!(v6.iter().flatten().count(), 4);
        assert!(admit("2001:db8:0:1::1".to_owned()).is_some());
        assert!(admit("::ffff:192.0.2.7".to_owned()).is_none(), "the same address");
        assert!(admit("127.0.0.1".to_owned()).is_some());
    }

    fn evict_one(admission: &Admission, now: Instant) -> bool {
        admission.evict_one(lock(&admission.open).iter(), now)
    }

    #[test]
    fn waiting_connections_are_evicted_and_served_ones_stay() {
        let (admission, now) = (admission(16), Instant::now() + GRACE);
        let admit = |n| admission.admit(address(&format!("192.0.2.{n}"))).unwrap();
        let (served, trusted, receiving, stalled, idle) = (admit(1), admit(2), admit(3), admit(4), admit(5));
        served.request_received();
        trusted.trust();
        stalled.write_blocked();
        idle.request_received();
        drop(RequestGuard(Arc::clone(&idle)));
        for next in [&idle, &receiving, &stalled, &trusted] {
            assert!(!next.is_evicted());
            assert!(evict_one(&admission, Instant::now().max(now) + GRACE));
            assert!(next.is_evicted());
        }
        assert!(!evict_one(&admission, now + GRACE) && !served.is_evicted());
    }

    #[test]
    fn a_new_connection_has_time_for_its_request() {
        let (admission, now) = (admission(16), Instant::now());
        let _client = admission.admit(address("192.0.2.1")).unwrap();
        assert!(!evict_one(&admission, now));
        assert!(evict_one(&admission, Instant::now() + GRACE));
    }

    #[test]
    fn at_its_limit_an_address_evicts_its_own_connections_first() {
        let admission = admission(16);
        let idle: Vec<_> = (0..4).map(|_| admission.admit(address("192.0.2.1")).unwrap()).collect();
        for client in &idle {
            client.request_received();
            drop(RequestGuard(Arc::clone(client)));
        }
        assert!(admission.admit(address("192.0.2.1")).is_some());
        let evicted: Vec<bool> = idle.iter().map(|client| client.is_evicted()).collect();
        assert_eq!(evicted, [true, false, false, false]);
    }

    #[test]
    fn a_closed_connection_is_removed() {
        let admission = admission(4);
        let client = admission.admit(None).unwrap();
        client.close();
        assert!(lock(&admission.open).is_empty());
    }
}

//! The connection of a request, to see that whoever asked has gone.

use std::io;
use std::os::fd::AsFd;

use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// A second hold on a connection.
pub struct Peer(Option<UnixStream>);

impl Peer {
    /// Of an accepted connection. The service sends one request by each, so anything that can be read after it is its end.
    pub fn of(stream: &impl AsFd) -> Self {
        let held = || -> io::Result<_> {
            let copy = std::os::unix::net::UnixStream::from(stream.as_fd().try_clone_to_owned()?);
            UnixStream::from_std(copy)
        };
        Self(
            held()
                .inspect_err(|error| tracing::warn!(%error, "cannot watch a connection"))
                .ok(),
        )
    }

    /// Waits until the other side has closed the connection.
    pub async fn gone(&self) {
        let Some(stream) = &self.0 else {
            return std::future::pending().await;
        };
        let peek = || Ok(recv(stream, &mut [0; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT)?);
        while stream.readable().await.is_ok() {
            match stream.try_io(Interest::READABLE, peek) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    }
}

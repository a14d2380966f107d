//! The connection of a request, to notice that its client has disconnected.

use std::io;
use std::os::fd::AsFd;

use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// A second file descriptor of a connection.
pub(crate) struct Peer(Option<UnixStream>);

impl Peer {
    /// That of an accepted connection. The service sends one request on each, so that only its end can be read after that.
    pub(crate) fn of(stream: &impl AsFd) -> Self {
        let duplicate = || -> io::Result<_> {
            let copy = std::os::unix::net::UnixStream::from(stream.as_fd().try_clone_to_owned()?);
            UnixStream::from_std(copy)
        };
        Self(
            duplicate()
                .inspect_err(|error| tracing::warn!("cannot watch a connection: {error}"))
                .ok(),
        )
    }

    /// Waits until the other side has closed the connection.
    pub(crate) async fn disconnected(&self) {
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

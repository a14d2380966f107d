//! What carries the bytes of a connection.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// The send buffer in the kernel, large enough for a scrape. The kernel accounts twice as much (socket(7), `SO_SNDBUF`), also to the unit.
const SEND_BUFFER: usize = 64 << 10;
/// The receive buffer in the kernel.
const RECEIVE_BUFFER: usize = 16 << 10;

/// TCP, TLS over TCP, or a Unix socket: one type, so that the HTTP library is compiled once.
pub(crate) enum Transport {
    /// TCP.
    Tcp(TcpStream),
    /// TLS, after the handshake.
    Tls(Box<TlsStream<TcpStream>>),
    /// Unix.
    Unix(UnixStream),
}

impl Transport {
    /// The address of the client; none on a Unix socket.
    ///
    /// # Errors
    /// The client is gone already: getpeername(2) has no address then, and such a client must not pass for one on a Unix socket.
    pub(crate) fn peer(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().map(Some),
            Self::Tls(stream) => stream.get_ref().0.peer_addr().map(Some),
            Self::Unix(_) => Ok(None),
        }
    }

    /// Bounds the kernel's buffers, which would grow to megabytes for a client that does not read.
    pub(crate) fn bound_buffers(&self) {
        let socket = match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Tls(stream) => stream.get_ref().0.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        };
        let bounded = set_socket_send_buffer_size(socket, SEND_BUFFER)
            .and_then(|()| set_socket_recv_buffer_size(socket, RECEIVE_BUFFER));
        if let Err(error) = bounded {
            tracing::debug!("cannot bound the buffers of a connection: {error}");
        }
    }

    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }

    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    /// A socket has no buffer of its own, but TLS has.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
            Self::Tcp(_) | Self::Unix(_) => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

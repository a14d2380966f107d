//! A connection as the HTTP library sees it: one request at a time, and no client that dawdles.
//!
//! actix-http decodes all that it can read into requests, and goes on reading while answers wait to be written: a client that
//! pipelines (RFC 9112, 9.3.2) and does not read would cost tens of megabytes and a whole CPU. So it is handed the head of one
//! request, and nothing more before the answer has been made and written.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Sleep;

use super::doors::{Client, Closed, Gate};

/// Bytes of a request's head. Browsers send one or two thousand; a dashboard with many variables some more.
const LONGEST_HEAD: usize = 16 << 10;
/// Bytes that are read ahead of the request that is being answered, to see whether its client is still there.
const AHEAD: usize = 512;
/// Bytes that the kernel keeps for a client to read, so that a scrape is written at once; it counts twice as many (socket(7), `SO_SNDBUF`), for the unit's memory as well.
const SEND_BUFFER: usize = 64 << 10;
/// The same for what the service has not read yet.
const RECEIVE_BUFFER: usize = 16 << 10;
/// Time in which a client must take some of what waits for it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time in which what a refused client still sends is thrown away: closing at once would take the answer from it (RFC 9112, 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// TCP or a Unix socket: one type, so that the HTTP library is compiled once.
pub enum Transport {
    /// TCP.
    Tcp(TcpStream),
    /// Unix.
    Unix(UnixStream),
}

impl Transport {
    /// The address of the client; none on a Unix socket.
    pub fn peer(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    /// Bounds the kernel's buffers, which would grow to megabytes for a client that does not read.
    pub fn bound_buffers(&self) {
        let socket = match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        };
        let bounded = set_socket_send_buffer_size(socket, SEND_BUFFER)
            .and_then(|()| set_socket_recv_buffer_size(socket, RECEIVE_BUFFER));
        if let Err(error) = bounded {
            tracing::debug!("cannot bound the buffers of a connection: {error}");
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }
}

/// The stream that the HTTP library reads from and writes to.
pub struct Connection {
    transport: Transport,
    client: Arc<Client>,
    /// Read already, but not handed over yet.
    ahead: Vec<u8>,
    head: Head,
    timer: Option<(Waits, Pin<Box<Sleep>>)>,
    client_timeout: Duration,
}

/// What a connection waits for, at most for the time of its timer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// The rest of a request.
    Request,
    /// Somebody to read the answer.
    Reader,
    /// The end of a client that has been refused, and has time to read why.
    End,
}

impl Connection {
    /// `client_timeout` is the time for the head of a request: of the first from now on, of others from their first byte.
    pub fn new(transport: Transport, client: Arc<Client>, client_timeout: Duration) -> Self {
        let mut connection = Self {
            transport,
            client,
            ahead: Vec::new(),
            head: Head::default(),
            timer: None,
            client_timeout,
        };
        connection.start_timer(Waits::Request);
        connection
    }

    /// Who is at the other end.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    fn start_timer(&mut self, waits: Waits) {
        let time = match waits {
            Waits::Request => self.client_timeout,
            Waits::Reader => WRITE_TIMEOUT,
            Waits::End => LINGER,
        };
        self.timer = Some((waits, Box::pin(tokio::time::sleep(time))));
    }

    fn stop_timer(&mut self, waits: Waits) {
        if self.timer.as_ref().is_some_and(|(what, _)| *what == waits) {
            self.timer = None;
        }
    }

    /// What took too long, if anything did; else `context` is woken when it does.
    fn expired(&mut self, context: &mut Context<'_>) -> Option<Waits> {
        let (waits, timer) = self.timer.as_mut()?;
        timer.as_mut().poll(context).is_ready().then_some(*waits)
    }

    /// Looks whether the client is still there while its request is answered.
    fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            return Poll::Pending;
        }
        let mut bytes = [0; AHEAD];
        let mut buffer = ReadBuf::new(&mut bytes);
        match self.transport.poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                self.client.hung_up();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Ok(())) => {
                self.ahead.extend_from_slice(buffer.filled());
                Poll::Pending
            }
            other => other,
        }
    }

    /// Reads up to the end of a request's head. Bytes behind it stay here.
    fn poll_head(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.ahead.is_empty() {
            std::task::ready!(self.transport.poll_read(context, buffer))?;
        } else {
            let length = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead[..length]);
            self.ahead.drain(..length);
        }
        let new = &buffer.filled()[before..];
        if new.is_empty() {
            self.client.hung_up();
            return Poll::Ready(Ok(()));
        }
        if let Some(end) = self.head.end_in(new) {
            let mut rest = new[end..].to_vec();
            rest.append(&mut self.ahead);
            self.ahead = rest;
            buffer.set_filled(before + end);
            self.head = Head::default();
            self.stop_timer(Waits::Request);
            self.client.asks();
        } else if self.head.length > LONGEST_HEAD {
            buffer.set_filled(before);
            return self.refuse(context, Closed::LongHead);
        } else if self.timer.is_none() {
            self.start_timer(Waits::Request);
            self.client.begins();
        }
        Poll::Ready(Ok(()))
    }

    /// Answers in place of the HTTP library, which has not seen a whole request and waits to be given the rest.
    fn refuse(&mut self, context: &mut Context<'_>, why: Closed) -> Poll<io::Result<()>> {
        let answer: &[u8] = match why {
            Closed::SlowRequest => b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            _ => b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        };
        self.client.closed(why);
        // Nothing else waits to be written, so it fits, or the client is gone.
        let _ = self.transport.poll_write(context, answer);
        self.ahead = Vec::new();
        self.start_timer(Waits::End);
        self.poll_end(context)
    }

    /// Throws away what comes until the client closes or its time is over; then says that nothing more comes.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.expired(context).is_some() {
                return Poll::Ready(Ok(()));
            }
            let mut bytes = [0; AHEAD];
            let mut buffer = ReadBuf::new(&mut bytes);
            std::task::ready!(self.transport.poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if matches!(this.timer, Some((Waits::End, _))) {
            return this.poll_end(context);
        }
        match this.expired(context) {
            Some(Waits::Request) => return this.refuse(context, Closed::SlowRequest),
            Some(_) => return Poll::Ready(Err(not_reading(&this.client))),
            None => {}
        }
        match this.client.gate(context.waker()) {
            Gate::Open => this.poll_head(context, buffer),
            Gate::Wait => this.poll_ahead(context),
            // Whatever comes is thrown away by the HTTP library.
            Gate::Closing => this.transport.poll_read(context, buffer),
            Gate::Evicted => Poll::Ready(Err(evicted())),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if matches!(this.timer, Some((Waits::End, _))) {
            // It has been answered.
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = this.transport.poll_write(context, bytes);
        if written.is_ready() {
            this.stop_timer(Waits::Reader);
            this.client.reads();
            return written;
        }
        if !matches!(this.timer, Some((Waits::Reader, _))) {
            this.start_timer(Waits::Reader);
            this.client.stalls();
        }
        if this.expired(context).is_some() {
            return Poll::Ready(Err(not_reading(&this.client)));
        }
        match this.client.gate(context.waker()) {
            Gate::Evicted => Poll::Ready(Err(evicted())),
            _ => Poll::Pending,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has no buffer of its own.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.client.leaves();
    }
}

fn evicted() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "made room for another client")
}

fn not_reading(client: &Client) -> io::Error {
    client.closed(Closed::NotReading);
    io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")
}

/// Looks for the empty line that ends the head of a request. Lines may end without a carriage return, and empty lines before the
/// first are skipped, as the HTTP library does (RFC 9112, 2.2).
#[derive(Default)]
struct Head {
    length: usize,
    has_text: bool,
    in_line: bool,
}

impl Head {
    /// The number of bytes of `piece` that belong to the head, if it ends in there.
    fn end_in(&mut self, piece: &[u8]) -> Option<usize> {
        for (index, byte) in piece.iter().enumerate() {
            match byte {
                b'\n' if self.has_text && !self.in_line => return Some(index + 1),
                b'\n' => self.in_line = false,
                b'\r' => {}
                _ => (self.has_text, self.in_line) = (true, true),
            }
        }
        self.length += piece.len();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_found_wherever_it_is_cut() {
        for (text, end) in [
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /", 27),
            ("GET / HTTP/1.0\n\nrest", 16),
            ("\r\n\r\nGET / HTTP/1.0\r\n\r\n", 22),
            ("\n\n\nGET / HTTP/1.0\n\r\n", 20),
        ] {
            for cut in 0..end {
                let (first, second) = text.as_bytes().split_at(cut);
                let mut head = Head::default();
                assert_eq!(head.end_in(first), None, "{text:?} cut at {cut}");
                assert_eq!(head.end_in(second), Some(end - cut), "{text:?} cut at {cut}");
            }
        }
        for unfinished in ["", "\r\n\r\n", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r"] {
            assert_eq!(Head::default().end_in(unfinished.as_bytes()), None, "{unfinished:?}");
        }
    }
}

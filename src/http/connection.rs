//! The stream that the HTTP library reads: one request at a time, with timeouts for clients that are slow to send or to read.
//!
//! actix-http decodes all that it can read into requests, and goes on reading while responses wait to be written: a client that
//! pipelines (RFC 9112, 9.3.2) and does not read would cost tens of megabytes and a whole CPU. So it is given the head of one
//! request, and nothing more before the response has been written.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::client::{ClientConnection, ReadGate};
use super::transport::Transport;
use crate::telemetry::CloseReason;
use edgewatch_program::listen::is_loopback;

/// Bytes of a request's head. Browsers send one or two thousand; a dashboard with many variables some more.
const MAX_HEAD: usize = 16 << 10;
/// Bytes that are read ahead while a request is being served, to notice that its client has disconnected.
const READ_AHEAD: usize = 512;
/// Time in which a client must read some of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time in which data of a rejected client is discarded before the connection is closed: a reset at once would take the response from it
/// (RFC 9112, 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// The stream that the HTTP library reads from and writes to.
pub(crate) struct Connection {
    transport: Transport,
    /// None on a Unix socket.
    peer: Option<SocketAddr>,
    client: Arc<ClientConnection>,
    /// Read already, but not passed on yet.
    ahead: Vec<u8>,
    head: HeadScanner,
    timer: Option<(Timeout, Pin<Box<Sleep>>)>,
    client_timeout: Duration,
}

/// What the running timer limits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Timeout {
    /// Receiving the rest of a request.
    Request,
    /// Writing a response.
    Write,
    /// Discarding what a rejected client sends, while it reads the response.
    Linger,
}

impl Connection {
    /// `client_timeout` is the time for the head of a request: of the first from now on, of others from their first byte.
    pub(crate) fn new(
        transport: Transport,
        peer: Option<SocketAddr>,
        client: Arc<ClientConnection>,
        client_timeout: Duration,
    ) -> Self {
        let mut connection = Self {
            transport,
            peer,
            client,
            ahead: Vec::new(),
            head: HeadScanner::default(),
            timer: None,
            client_timeout,
        };
        connection.start_timer(Timeout::Request);
        connection
    }

    /// The client at the other end.
    pub(crate) fn client(&self) -> &Arc<ClientConnection> {
        &self.client
    }

    /// Whether others in the network can read along.
    pub(crate) fn is_clear_text(&self) -> bool {
        match &self.transport {
            Transport::Tcp(_) => self.peer.is_none_or(|peer| !is_loopback(peer.ip())),
            Transport::Tls(_) | Transport::Unix(_) => false,
        }
    }

    /// `written`, or an error if the client has been too slow to take it.
    fn limit_write<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stop_timer(Timeout::Write);
            self.client.write_completed();
            return written;
        }
        if !matches!(self.timer, Some((Timeout::Write, _))) {
            self.start_timer(Timeout::Write);
            self.client.write_blocked();
        }
        if self.expired(context).is_some() {
            return Poll::Ready(Err(not_reading(&self.client)));
        }
        match self.client.read_gate(context.waker()) {
            ReadGate::Evicted => Poll::Ready(Err(evicted())),
            ReadGate::Open | ReadGate::Wait | ReadGate::Closing => Poll::Pending,
        }
    }

    fn start_timer(&mut self, timeout: Timeout) {
        let time = match timeout {
            Timeout::Request => self.client_timeout,
            Timeout::Write => WRITE_TIMEOUT,
            Timeout::Linger => LINGER,
        };
        self.timer = Some((timeout, Box::pin(tokio::time::sleep(time))));
    }

    fn stop_timer(&mut self, timeout: Timeout) {
        if self.timer.as_ref().is_some_and(|(running, _)| *running == timeout) {
            self.timer = None;
        }
    }

    /// The timeout that has expired, if any; otherwise `context` is woken when it does.
    fn expired(&mut self, context: &mut Context<'_>) -> Option<Timeout> {
        let (timeout, timer) = self.timer.as_mut()?;
        timer.as_mut().poll(context).is_ready().then_some(*timeout)
    }

    /// Reads ahead while a request is being served, to notice a disconnected client.
    fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            return Poll::Pending;
        }
        let mut bytes = [0; READ_AHEAD];
        let mut buffer = ReadBuf::new(&mut bytes);
        match self.transport.poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                self.client.end_of_stream();
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
            self.client.end_of_stream();
            return Poll::Ready(Ok(()));
        }
        let end = self.head.end_in(new);
        if self.head.length > MAX_HEAD {
            buffer.set_filled(before);
            return self.reject(context, HeadError::TooLong);
        }
        if let Some(end) = end {
            let mut rest = new[end..].to_vec();
            rest.append(&mut self.ahead);
            self.ahead = rest;
            buffer.set_filled(before + end);
            self.head = HeadScanner::default();
            self.stop_timer(Timeout::Request);
            self.client.request_received();
        } else if self.timer.is_none() {
            self.start_timer(Timeout::Request);
            self.client.request_started();
        }
        Poll::Ready(Ok(()))
    }

    /// Responds in place of the HTTP library, which waits for the rest of the request.
    fn reject(&mut self, context: &mut Context<'_>, error: HeadError) -> Poll<io::Result<()>> {
        let (reason, response): (_, &[u8]) = match error {
            HeadError::TooSlow => (
                CloseReason::SlowRequest,
                b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            ),
            HeadError::TooLong => (
                CloseReason::LongHead,
                b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            ),
        };
        self.client.count_closed(reason);
        // No other response is being written, so it fits into the send buffer, or the client is gone.
        let _ = self.transport.poll_write(context, response);
        let _ = self.transport.poll_flush(context);
        self.ahead = Vec::new();
        self.start_timer(Timeout::Linger);
        self.poll_linger(context)
    }

    /// Discards what is received until the client closes or the timeout expires; then reports the end of the stream.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.expired(context).is_some() {
                return Poll::Ready(Ok(()));
            }
            let mut bytes = [0; READ_AHEAD];
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
        if matches!(this.timer, Some((Timeout::Linger, _))) {
            return this.poll_linger(context);
        }
        match this.expired(context) {
            Some(Timeout::Request) => return this.reject(context, HeadError::TooSlow),
            Some(Timeout::Write | Timeout::Linger) => return Poll::Ready(Err(not_reading(&this.client))),
            None => {}
        }
        match this.client.read_gate(context.waker()) {
            ReadGate::Open => this.poll_head(context, buffer),
            ReadGate::Wait => this.poll_ahead(context),
            // The HTTP library discards it.
            ReadGate::Closing => this.transport.poll_read(context, buffer),
            ReadGate::Evicted => Poll::Ready(Err(evicted())),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if matches!(this.timer, Some((Timeout::Linger, _))) {
            // The client has its response already.
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = this.transport.poll_write(context, bytes);
        this.limit_write(context, written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if matches!(this.timer, Some((Timeout::Linger, _))) {
            return Poll::Ready(Ok(()));
        }
        let flushed = this.transport.poll_flush(context);
        this.limit_write(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().transport.poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.client.close();
    }
}

fn evicted() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "evicted in favour of another client")
}

fn not_reading(client: &ClientConnection) -> io::Error {
    client.count_closed(CloseReason::NotReading);
    io::Error::new(io::ErrorKind::TimedOut, "the client does not read the response")
}

/// Why a request's head is rejected.
enum HeadError {
    TooSlow,
    TooLong,
}

/// Searches for the empty line that ends the head of a request. Lines may end without a carriage return, and empty lines before the
/// first are skipped, as the HTTP library does (RFC 9112, 2.2).
#[derive(Default)]
struct HeadScanner {
    length: usize,
    has_text: bool,
    in_line: bool,
}

impl HeadScanner {
    /// The number of bytes of `piece` that belong to the head, if it ends in there.
    fn end_in(&mut self, piece: &[u8]) -> Option<usize> {
        for (index, byte) in piece.iter().enumerate() {
            match byte {
                b'\n' if self.has_text && !self.in_line => {
                    self.length += index + 1;
                    return Some(index + 1);
                }
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
                let mut head = HeadScanner::default();
                assert_eq!(head.end_in(first), None, "{text:?} cut at {cut}");
                assert_eq!(head.end_in(second), Some(end - cut), "{text:?} cut at {cut}");
            }
        }
        for unfinished in ["", "\r\n\r\n", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r"] {
            assert_eq!(
                HeadScanner::default().end_in(unfinished.as_bytes()),
                None,
                "{unfinished:?}"
            );
        }
    }
}

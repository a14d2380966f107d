//! Between lettre and a mail server. lettre reads a line however long it is, for as long as bytes come: whoever answers there, or stands in
//! between before TLS begins, could take all memory of the service, or keep its thread for ever. So it connects to us, and we give it no more
//! than an exchange has, for no longer than one may take. TLS goes through as it is: who the server is, lettre checks.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes that a server says in an exchange: certificates, and some lines.
const MAX_ANSWER: u64 = 128 << 10;
/// What a thread needs that copies.
const STACK: usize = 64 << 10;
/// How often is looked whether lettre has connected.
const POLL: Duration = Duration::from_millis(5);

/// Connects to `host`, within `timeout`, and gives the port of this device at which lettre finds it: for one connection, which is cut after
/// `longest`.
///
/// # Errors
/// There is no such host, or it does not answer.
pub(super) fn connect(host: &str, port: u16, timeout: Duration, longest: Duration) -> io::Result<u16> {
    let server = reach(host, port, timeout)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let local = listener.local_addr()?.port();
    let end = Instant::now() + longest;
    thread::Builder::new()
        .name("notify-smtp".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // Whatever ends it, lettre sees a connection that was closed.
            let _ = relay(&listener, &server, end);
            let _ = server.shutdown(Shutdown::Both);
        })?;
    Ok(local)
}

/// The first address of a host that answers.
fn reach(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn relay(listener: &TcpListener, server: &TcpStream, end: Instant) -> io::Result<()> {
    let client = accept(listener, end)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::Builder::new()
        .name("notify-smtp".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // Ends when the other direction has, at the latest.
            let _ = io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Write);
        })?;
    let copied = give(server, &client, end);
    client.shutdown(Shutdown::Both)?;
    copied
}

fn accept(listener: &TcpListener, end: Instant) -> io::Result<TcpStream> {
    listener.set_nonblocking(true)?;
    loop {
        match listener.accept() {
            Ok((client, _)) => {
                client.set_nonblocking(false)?;
                return Ok(client);
            }
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) if Instant::now() >= end => return Err(io::ErrorKind::TimedOut.into()),
            Err(_) => thread::sleep(POLL),
        }
    }
}

/// Gives what the server says to lettre.
fn give(mut server: &TcpStream, mut client: &TcpStream, end: Instant) -> io::Result<()> {
    let (mut buffer, mut given) = ([0; 4096], 0);
    while given < MAX_ANSWER {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            break;
        }
        server.set_read_timeout(Some(rest))?;
        let count = server.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        client.write_all(&buffer[..count])?;
        given += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_never_ends_its_line_or_its_answer_is_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(&[b'a'; 4096]).is_ok() {}
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"a").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let read = |longest| {
            let local = connect("127.0.0.1", port, Duration::from_secs(30), longest).unwrap();
            let mut text = Vec::new();
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, local)).unwrap();
            // Closed, or reset since more had come.
            let _ = stream.read_to_end(&mut text);
            text.len() as u64
        };
        let flood = read(Duration::from_secs(600));
        assert!((MAX_ANSWER..MAX_ANSWER + 4096).contains(&flood), "{flood}");
        assert!(read(Duration::from_millis(300)) < 300);
    }

    #[test]
    fn what_is_said_goes_both_ways_unchanged() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 5];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(&asked).unwrap();
        });
        let local = connect("127.0.0.1", port, Duration::from_secs(30), Duration::from_secs(30)).unwrap();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, local)).unwrap();
        stream.write_all(b"hello").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }
}

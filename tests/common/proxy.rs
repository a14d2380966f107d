//! Proxies, which lead to one server whatever they are asked for, and keep what that was.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it speaks.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `CONNECT` (RFC 9110, 9.3.6).
    Http,
    /// SOCKS 5 (RFC 1928), without a password.
    Socks,
}

/// A proxy that listens. Ends with the test.
pub struct Proxy {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn start(kind: Kind, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let record = Arc::clone(&record);
                thread::spawn(move || {
                    let mut reader = BufReader::new(client);
                    let target = match kind {
                        Kind::Http => connect(&mut reader),
                        Kind::Socks => socks(&mut reader),
                    };
                    if let Some(target) = target {
                        record.lock().unwrap().push(target);
                        pass(reader.into_inner(), server);
                    }
                });
            }
        });
        Self { address, asked }
    }

    /// `HOST:PORT` of each connection.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn connect(client: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    client
        .get_mut()
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .ok()?;
    Some(target)
}

fn socks(client: &mut BufReader<TcpStream>) -> Option<String> {
    let [5, methods] = read::<2>(client)? else { return None };
    client.read_exact(&mut vec![0; methods.into()]).ok()?;
    client.get_mut().write_all(&[5, 0]).ok()?;
    // CONNECT, and the kind of the address.
    let host = match read::<4>(client)? {
        [5, 1, 0, 1] => Ipv4Addr::from(read::<4>(client)?).to_string(),
        [5, 1, 0, 3] => {
            let [length] = read::<1>(client)?;
            let mut name = vec![0; length.into()];
            client.read_exact(&mut name).ok()?;
            String::from_utf8(name).ok()?
        }
        _ => return None,
    };
    let port = u16::from_be_bytes(read::<2>(client)?);
    client.get_mut().write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    Some(format!("{host}:{port}"))
}

fn read<const LENGTH: usize>(client: &mut impl Read) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    client.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// Passes on what either side says.
fn pass(client: TcpStream, server: SocketAddr) {
    let server = TcpStream::connect(server).unwrap();
    let one_way = |mut from: TcpStream, mut to: TcpStream| {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || one_way(from, to));
    one_way(client, server);
}

//! Requests byte by byte, and what comes back.

use std::io::{BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use super::PATIENCE;

/// An HTTP answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The value of a field in a head, whose first line is none.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The head and the body of the next request; `None` if it does not come whole.
pub fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match reader.read_line(&mut head) {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
    let length = header(&head, "content-length").and_then(|value| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// Sends `request` and reads until the other side closes.
pub fn ask(address: SocketAddr, request: &[u8]) -> std::io::Result<Answer> {
    ask_on(TcpStream::connect(address)?, request)
}

/// As [`ask`], but the other side sees an address of this machine that is none of its loopback's, as if it were another machine.
pub fn ask_from_outside(address: SocketAddr, request: &[u8]) -> std::io::Result<Answer> {
    ask_on(connect_from_outside(address)?, request)
}

/// A connection whose other side sees an address of this machine that is none of its loopback's, as if it were another machine.
pub fn connect_from_outside(address: SocketAddr) -> std::io::Result<TcpStream> {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

    let known = Command::new("hostname").arg("-I").output()?;
    let known = String::from_utf8_lossy(&known.stdout);
    let own: std::net::Ipv4Addr = known
        .split_whitespace()
        .find_map(|text| text.parse().ok())
        .ok_or_else(|| std::io::Error::other("this machine has no IPv4 address beside its loopback"))?;
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddr::from((own, 0)))?;
    connect(&socket, &address)?;
    Ok(TcpStream::from(socket))
}

/// Sends `request` on a connection and reads until the other side closes.
pub fn ask_on(stream: TcpStream, request: &[u8]) -> std::io::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    ask_over(stream, request)
}

/// As [`ask_on`], over whatever carries the bytes, such as TLS.
pub fn ask_over(mut stream: impl Read + Write, request: &[u8]) -> std::io::Result<Answer> {
    stream.write_all(request)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse_answer(&bytes)
        .ok_or_else(|| std::io::Error::other(format!("no answer: {:?}", String::from_utf8_lossy(&bytes))))
}

fn parse_answer(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut answer = Answer {
        status: head.split_whitespace().nth(1)?.parse().ok()?,
        head,
        body: bytes[end + 4..].to_vec(),
    };
    // An answer to HEAD has the header, but no body.
    if answer.header("transfer-encoding") == Some("chunked") && !answer.body.is_empty() {
        answer.body = join_chunks(&answer.body)?;
    }
    Some(answer)
}

/// The body of a chunked answer; `None` if it ends early.
fn join_chunks(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?, 16).ok()?;
        let chunk = bytes.get(end + 2..end + 2 + length)?;
        if length == 0 {
            return Some(body);
        }
        body.extend(chunk);
        bytes = bytes.get(end + 4 + length..)?;
    }
}

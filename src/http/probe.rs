//! The service asks itself over HTTP whether it answers.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::config::Listen;

const TIMEOUT: Duration = Duration::from_secs(3);
const REQUEST: &[u8] = b"GET /healthz HTTP/1.0\r\n\r\n";
const ANSWERS: [&[u8]; 2] = [b"HTTP/1.0 200", b"HTTP/1.1 200"];

/// True if `/healthz` on `address` answers 200 within 3 s.
pub async fn answers(address: &Listen) -> bool {
    match tokio::time::timeout(TIMEOUT, status_line(address)).await {
        Ok(Ok(line)) => ANSWERS.contains(&line.as_slice()),
        Ok(Err(_)) | Err(_) => false,
    }
}

async fn status_line(address: &Listen) -> io::Result<[u8; 12]> {
    match address {
        Listen::Tcp(address) => ask(TcpStream::connect(reachable(*address)).await?).await,
        Listen::Unix(path) => ask(UnixStream::connect(path).await?).await,
    }
}

async fn ask(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> io::Result<[u8; 12]> {
    stream.write_all(REQUEST).await?;
    let mut line = [0; 12];
    stream.read_exact(&mut line).await?;
    Ok(line)
}

/// The address to connect to where the socket listens on all of them.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

//! Addresses to listen on, and listening sockets.

use std::fmt;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Failure;

/// An address to listen on.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Listen {
    /// A TCP address and port; port 0 lets the kernel choose.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Listen {
    /// True if only this device can reach the address.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => is_loopback(address.ip()),
            Self::Unix(_) => true,
        }
    }
}

/// True for 127.0.0.0/8, ::1, and IPv4-mapped addresses of the former.
pub fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err(format!("{text:?}: the path after unix: must begin with /")),
            None => text.parse().map(Self::Tcp).map_err(|_| {
                format!("{text:?} is no address; allowed are IP:PORT (127.0.0.1:8000, [::1]:8000) and unix:/PATH")
            }),
        }
    }
}

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpListener),
    /// Unix.
    Unix(UnixListener),
}

impl Socket {
    /// Binds `listen`. A stale Unix socket, on which no process listens, is replaced.
    ///
    /// # Errors
    /// The address is taken, something other than a socket lies at its path, or the system refuses it.
    pub fn bind(listen: &Listen) -> Result<Self, Failure> {
        let bound = match listen {
            Listen::Tcp(address) => TcpListener::bind(address).map(Self::Tcp),
            Listen::Unix(path) => {
                // A symbolic link is not followed: its target is not ours to remove either.
                if let Ok(metadata) = std::fs::symlink_metadata(path) {
                    if !metadata.file_type().is_socket() {
                        return Err(Failure::because(
                            format!("cannot listen on {listen}"),
                            "a file that is no socket is in the way: remove it, or name another path in http.listen",
                        ));
                    }
                    let connected = std::os::unix::net::UnixStream::connect(path);
                    if connected.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused) {
                        std::fs::remove_file(path).map_err(|error| Failure::because(listen, error))?;
                    }
                }
                UnixListener::bind(path).map(Self::Unix)
            }
        };
        bound.map_err(|error| Failure::because(format!("cannot listen on {listen}"), error))
    }

    /// Its address, with the port that the kernel chose.
    ///
    /// # Errors
    /// The file descriptor is no socket, or a Unix socket without a path.
    pub fn address(&self) -> Result<Listen, Failure> {
        let failed = |error: std::io::Error| Failure::because("listening socket", error);
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Listen::Tcp).map_err(failed),
            Self::Unix(listener) => {
                let address = listener.local_addr().map_err(failed)?;
                let path = address
                    .as_pathname()
                    .ok_or_else(|| Failure("listening socket: a Unix socket without a path cannot be used".into()))?;
                Ok(Listen::Unix(path.to_owned()))
            }
        }
    }
}

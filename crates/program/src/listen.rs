//! Addresses to listen on, and listening sockets.

use std::fmt;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use thiserror::Error;

use crate::error::Error;

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

/// Why a text is no [`Listen`].
#[derive(Debug, Error)]
pub enum ParseListenError {
    /// The path of a Unix socket is relative.
    #[error("{0:?}: the path after unix: must begin with /")]
    RelativePath(String),
    /// It is neither an address with a port nor the path of a Unix socket.
    #[error("{0:?} is no address; allowed are IP:PORT (127.0.0.1:8000, [::1]:8000) and unix:/PATH")]
    Invalid(String),
}

impl FromStr for Listen {
    type Err = ParseListenError;

    fn from_str(text: &str) -> Result<Self, ParseListenError> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err(ParseListenError::RelativePath(text.to_owned())),
            None => {
                let address = text.parse().map(Self::Tcp);
                address.map_err(|_| ParseListenError::Invalid(text.to_owned()))
            }
        }
    }
}

impl TryFrom<String> for Listen {
    type Error = ParseListenError;

    fn try_from(text: String) -> Result<Self, ParseListenError> {
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
    /// The address is in use, its path is a file of another kind, or the system refuses it.
    pub fn bind(listen: &Listen) -> Result<Self, Error> {
        let bound = match listen {
            Listen::Tcp(address) => TcpListener::bind(address).map(Self::Tcp),
            Listen::Unix(path) => {
                // A symbolic link is not followed: its target is not ours to remove either.
                if let Ok(metadata) = std::fs::symlink_metadata(path) {
                    if !metadata.file_type().is_socket() {
                        return Err(Error::PathTaken(listen.clone()));
                    }
                    let connected = std::os::unix::net::UnixStream::connect(path);
                    if connected.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused) {
                        std::fs::remove_file(path).map_err(|source| Error::StaleSocket {
                            listen: listen.clone(),
                            source,
                        })?;
                    }
                }
                UnixListener::bind(path).map(Self::Unix)
            }
        };
        bound.map_err(|source| Error::Bind {
            listen: listen.clone(),
            source,
        })
    }

    /// Its address, with the port that the kernel chose.
    ///
    /// # Errors
    /// The file descriptor is no socket, or a Unix socket without a path.
    pub fn address(&self) -> Result<Listen, Error> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Listen::Tcp).map_err(Error::SocketAddress),
            Self::Unix(listener) => {
                let address = listener.local_addr().map_err(Error::SocketAddress)?;
                let path = address.as_pathname().ok_or(Error::UnnamedSocket)?;
                Ok(Listen::Unix(path.to_owned()))
            }
        }
    }
}

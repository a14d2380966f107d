//! Addresses to listen on.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use thiserror::Error;

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

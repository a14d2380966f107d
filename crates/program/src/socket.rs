//! Listening sockets.

use std::net::TcpListener;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;

use crate::error::Error;
use crate::listen::Listen;

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

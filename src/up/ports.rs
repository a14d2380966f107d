//! Ports on the loopback address.

use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::error::PortError;
use super::processes;
use super::terminal::say;

/// How many ports after the default are tried.
const MAX_TRIES: u16 = 100;

/// A bound port.
#[derive(Debug)]
pub(crate) struct Port {
    /// Keeps the port until it is dropped.
    pub(crate) socket: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Port {
    fn take(port: u16) -> Result<Self, Error> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Its address for a browser.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Binds the requested port, or the default one or the next that is free.
///
/// # Errors
/// The requested port is taken, or the system refuses it.
pub(crate) fn take(option: &str, requested: Option<u16>, default: u16) -> Result<Port, PortError> {
    let first = requested.unwrap_or(default);
    let holder = match Port::take(first) {
        Ok(port) => return Ok(port),
        Err(error) if error.kind() == ErrorKind::AddrInUse => describe_holder(first),
        Err(source) => {
            return Err(PortError::Bind {
                option: option.to_owned(),
                port: first,
                source,
            });
        }
    };
    if requested.is_some() {
        return Err(PortError::Taken {
            option: option.to_owned(),
            port: first,
            holder,
        });
    }
    let last = default + MAX_TRIES;
    let Some(port) = (default + 1..=last).find_map(|port| Port::take(port).ok()) else {
        return Err(PortError::AllTaken {
            option: option.to_owned(),
            first: default,
            last,
            holder,
        });
    };
    say(format!(
        "port {default} is taken by {holder}: using {}",
        port.address.port()
    ));
    Ok(port)
}

fn describe_holder(port: u16) -> String {
    processes::listening_on(port).map_or_else(|| "a process of another user".to_owned(), |holder| holder.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_port_that_is_taken_is_replaced_by_the_next_free_one() {
        let other = Port::take(0).unwrap();
        let usual = other.address.port().min(u16::MAX - MAX_TRIES);
        let _other = Port::take(usual);
        let port = take("--port", None, usual).unwrap().address.port();
        assert!((usual + 1..=usual + MAX_TRIES).contains(&port), "{port}");
    }

    #[test]
    fn a_port_that_was_asked_for_is_not_replaced_and_the_holder_is_named() {
        let other = Port::take(0).unwrap();
        let message = take("--port", Some(other.address.port()), 8000)
            .unwrap_err()
            .to_string();
        let pid = format!("(pid {})", std::process::id());
        assert!(message.contains(&pid) && message.contains("another port"), "{message}");
    }
}

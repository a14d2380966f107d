//! Ports on the loopback address.

use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::processes;
use super::terminal::say;
use edgewatch_program::error::Failure;

/// How many ports after the usual one are tried.
const SPAN: u16 = 100;

/// A port that is ours.
#[derive(Debug)]
pub struct Port {
    /// Keeps it until it is dropped.
    pub socket: TcpListener,
    /// Where it is.
    pub address: SocketAddr,
}

impl Port {
    fn take(port: u16) -> Result<Self, Error> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// As a browser takes it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Takes the port that was asked for, or else on the usual one or the next that is free.
///
/// # Errors
/// The port that was asked for is taken, or the system refuses it.
pub fn take(option: &str, asked: Option<u16>, usual: u16) -> Result<Port, Failure> {
    let first = asked.unwrap_or(usual);
    let taken = match Port::take(first) {
        Ok(port) => return Ok(port),
        Err(error) if error.kind() == ErrorKind::AddrInUse => describe_holder(first),
        Err(error) => return Err(Failure::because(format!("{option} {first}"), error)),
    };
    if asked.is_some() {
        return Err(Failure(format!(
            "{option} {first}: the port is taken by {taken}: stop that, or choose another port"
        )));
    }
    let port = (usual + 1..=usual + SPAN)
        .find_map(|port| Port::take(port).ok())
        .ok_or_else(|| {
            Failure(format!(
                "the ports {usual} to {} are taken, the first by {taken}: choose another with {option}",
                usual + SPAN
            ))
        })?;
    say(format!(
        "port {usual} is taken by {taken}: using {}",
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
        let usual = other.address.port().min(u16::MAX - SPAN);
        let _other = Port::take(usual);
        let port = take("--port", None, usual).unwrap().address.port();
        assert!((usual + 1..=usual + SPAN).contains(&port), "{port}");
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

//! Other processes, as /proc shows them.

use std::fmt;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

/// The state of a listening socket in /proc/net/tcp (include/net/tcp_states.h).
const LISTEN: &str = "0A";

/// A process with its name, for messages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Its name, at most 15 bytes.
    pub(crate) name: String,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.name, self.pid)
    }
}

/// The first process with an open file that matches. The files of other users' processes are visible to root only.
pub(crate) fn with_open_file(matches: impl Fn(&Path) -> bool) -> Option<Process> {
    let opens = |pid: u32| {
        fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten()
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|target| matches(&target)))
    };
    let numbers = fs::read_dir("/proc").ok()?.flatten();
    let pid = numbers
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find(|&pid| opens(pid))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(Process {
        pid,
        name: name.trim_end().to_owned(),
    })
}

/// The process that listens on a port of 127.0.0.1 or of all addresses.
pub(crate) fn listening_on(port: u16) -> Option<Process> {
    let sockets: Vec<String> = socket_tables()
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(|line| inode_of_listener(line, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    with_open_file(|file| sockets.iter().any(|socket| file == Path::new(socket)))
}

/// The number of open connections to a port of this machine that its listener has accepted.
pub(crate) fn connections(port: u16) -> usize {
    let tables = socket_tables();
    let lines = tables.iter().flat_map(|table| table.lines());
    lines.filter(|line| is_accepted(line, port)).count()
}

fn socket_tables() -> [String; 2] {
    ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default())
}

/// True for a line of /proc/net/tcp or tcp6 of a connection to this port that a process holds. One that waits to be accepted has no
/// inode yet.
fn is_accepted(line: &str, port: u16) -> bool {
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    let [_, local, _, state, .., inode] = fields[..fields.len().min(10)] else {
        return false;
    };
    let same_port = local
        .rsplit_once(':')
        .is_some_and(|(_, digits)| u16::from_str_radix(digits, 16) == Ok(port));
    same_port && state != LISTEN && fields.len() > 9 && inode != "0"
}

/// The inode in a line of /proc/net/tcp or tcp6, if it listens on that port of the loopback address or of all addresses.
fn inode_of_listener(line: &str, port: u16) -> Option<&str> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (address, hexadecimal) = fields.next()?.rsplit_once(':')?;
    // The kernel writes the address as a number in its own byte order; IPv4 in IPv6 ends with it.
    let loopback = format!("{:08X}", u32::from_ne_bytes(Ipv4Addr::LOCALHOST.octets()));
    let same_port = u16::from_str_radix(hexadecimal, 16) == Ok(port);
    let same_address = address.ends_with(&loopback) || address.bytes().all(|digit| digit == b'0');
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?;
    (same_port && same_address && state == LISTEN).then_some(inode)
}

/// The resident set of a process in bytes, shared pages included.
///
/// # Errors
/// It has ended.
pub(crate) fn resident_set(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kibibytes: Option<u64> = field(&status, "VmRSS:").and_then(|value| value.strip_suffix(" kB")?.parse().ok());
    // A zombie has no such line.
    kibibytes
        .map(|number| number * 1024)
        .ok_or(io::ErrorKind::NotFound.into())
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn who_listens_is_found_on_one_address_and_on_all() {
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                continue; // a machine without IPv6
            };
            let port = listener.local_addr().unwrap().port();
            let holder = listening_on(port).unwrap();
            assert_eq!(holder.pid, std::process::id(), "{address}");
        }
    }

    #[test]
    fn connections_count_from_when_they_are_accepted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let clients = [0, 1].map(|_| TcpStream::connect(address).unwrap());
        assert_eq!(connections(address.port()), 0);
        let accepted = clients.each_ref().map(|_| listener.accept().unwrap());
        assert_eq!(connections(address.port()), 2);
        drop(accepted);
    }

    #[test]
    fn a_listener_on_another_address_is_not_blamed() {
        let line =
            |address: &str| format!("0: {address}:2382 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 77 1");
        assert_eq!(inode_of_listener(&line("00000000"), 9090), Some("77"));
        assert_eq!(inode_of_listener(&line("0500A8C0"), 9090), None);
        assert_eq!(inode_of_listener(&line("00000000"), 9091), None);
        assert_eq!(inode_of_listener("  sl  local_address rem_address   st", 9090), None);
    }

    #[test]
    fn our_own_resident_set_is_a_few_megabytes() {
        let bytes = resident_set(std::process::id()).unwrap();
        assert!((1 << 20..1 << 30).contains(&bytes), "{bytes}");
    }
}

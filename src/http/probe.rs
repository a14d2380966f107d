//! The watchdog's probe: an HTTP request of the service to itself.
//!
//! It does not use the listening socket, whose connections clients could take up: one end of a socket pair is sent to the thread that
//! serves all connections. If that is stuck or dead, there is no response.

use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc::Sender;

use edgewatch_program::lock::lock;

const TIMEOUT: Duration = Duration::from_secs(3);
const REQUEST: &[u8] = b"GET /healthz HTTP/1.0\r\n\r\n";
const SUCCESS: [&[u8]; 2] = [b"HTTP/1.0 200", b"HTTP/1.1 200"];

/// Probes the worker of the server.
#[derive(Default)]
pub(crate) struct Probe(Mutex<Option<Sender<StdUnixStream>>>);

impl Probe {
    /// Sends probes from now on to the worker that receives from `worker`.
    pub(crate) fn connect(&self, worker: Sender<StdUnixStream>) {
        *lock(&self.0) = Some(worker);
    }

    /// True if the worker responds to `/healthz` with 200 within 3 s.
    pub(crate) async fn succeeds(&self) -> bool {
        match tokio::time::timeout(TIMEOUT, self.status_line()).await {
            Ok(Ok(line)) => SUCCESS.contains(&line.as_slice()),
            Ok(Err(_)) | Err(_) => false,
        }
    }

    async fn status_line(&self) -> io::Result<[u8; 12]> {
        let worker = lock(&self.0).clone().ok_or(io::ErrorKind::NotConnected)?;
        let (ours, theirs) = StdUnixStream::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        worker.send(theirs).await.map_err(|_| io::ErrorKind::NotConnected)?;
        let mut stream = UnixStream::from_std(ours)?;
        stream.write_all(REQUEST).await?;
        let mut line = [0; 12];
        stream.read_exact(&mut line).await?;
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn without_a_worker_or_with_a_dead_one_it_fails() {
        let probe = Probe::default();
        assert!(!probe.succeeds().await);
        let (worker, dead) = mpsc::channel(1);
        probe.connect(worker);
        drop(dead);
        assert!(!probe.succeeds().await);
    }

    #[tokio::test]
    async fn it_succeeds_with_status_200_only() {
        for (response, success) in [("HTTP/1.1 200 OK\r\n", true), ("HTTP/1.1 503 Service\r\n", false)] {
            let probe = Probe::default();
            let (worker, mut probes) = mpsc::channel(1);
            probe.connect(worker);
            tokio::spawn(async move {
                let mut stream = UnixStream::from_std(probes.recv().await.unwrap()).unwrap();
                stream.write_all(response.as_bytes()).await.unwrap();
            });
            assert_eq!(probe.succeeds().await, success, "{response}");
        }
    }
}

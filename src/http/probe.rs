//! The service asks itself over HTTP whether it answers.
//!
//! The question does not come in through the listening socket, where strangers could be in the way: a pair of sockets is handed to
//! the very thread that serves everybody. If that is stuck or dead, nobody answers.

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
const ANSWERS: [&[u8]; 2] = [b"HTTP/1.0 200", b"HTTP/1.1 200"];

/// The way to the worker.
#[derive(Default)]
pub struct Private(Mutex<Option<Sender<StdUnixStream>>>);

impl Private {
    /// From now on questions go to the worker that receives from `worker`.
    pub fn open(&self, worker: Sender<StdUnixStream>) {
        *lock(&self.0) = Some(worker);
    }

    /// True if the worker answers 200 to `/healthz` within 3 s.
    pub async fn answers(&self) -> bool {
        match tokio::time::timeout(TIMEOUT, self.status_line()).await {
            Ok(Ok(line)) => ANSWERS.contains(&line.as_slice()),
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
    async fn a_worker_that_is_not_there_or_dead_does_not_answer() {
        let private = Private::default();
        assert!(!private.answers().await);
        let (worker, dead) = mpsc::channel(1);
        private.open(worker);
        drop(dead);
        assert!(!private.answers().await);
    }

    #[tokio::test]
    async fn only_a_good_answer_counts() {
        for (answer, good) in [("HTTP/1.1 200 OK\r\n", true), ("HTTP/1.1 503 Service\r\n", false)] {
            let private = Private::default();
            let (worker, mut asked) = mpsc::channel(1);
            private.open(worker);
            tokio::spawn(async move {
                let mut stream = UnixStream::from_std(asked.recv().await.unwrap()).unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
            assert_eq!(private.answers().await, good, "{answer}");
        }
    }
}

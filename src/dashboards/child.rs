//! The program that shows dashboards as a child of the service: started when somebody looks, as systemd does it where it holds the socket.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgewatch_program::error::Failure;
use edgewatch_program::lock::lock;
use edgewatch_program::logging;
use tempfile::TempDir;
use tokio::process::{Child as Process, Command};

/// Time between two questions whether it still answers, and for the answer. After two that are not answered it is killed; the unit's
/// watchdog is as patient.
const QUESTION: Duration = Duration::from_secs(5);
/// Time to the next try after one that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// The name of the program, beside our own.
const PROGRAM: &str = "edgewatch-dashboards";

/// The program, whether it runs or not.
pub struct Child {
    /// Nobody else gets into it, and so to the socket.
    _directory: TempDir,
    socket: PathBuf,
    listener: UnixListener,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many requests need it.
    requests: usize,
    is_kept: bool,
}

/// A request that needs the program.
pub struct Request(Arc<Child>);

impl Drop for Request {
    fn drop(&mut self) {
        lock(&self.0.state).requests -= 1;
    }
}

impl Child {
    /// Makes the socket; nothing runs yet.
    ///
    /// # Errors
    /// The directory of temporary files cannot be written to.
    pub fn new() -> Result<Self, Failure> {
        let failed = |error| {
            Failure::because(
                "socket of the dashboards, in the directory of temporary files ($TMPDIR)",
                error,
            )
        };
        // Only its owner may enter it.
        let directory = tempfile::Builder::new()
            .prefix("edgewatch-")
            .tempdir()
            .map_err(failed)?;
        let socket = directory.path().join("dashboards.sock");
        let listener = UnixListener::bind(&socket).map_err(failed)?;
        Ok(Self {
            _directory: directory,
            socket,
            listener,
            state: Mutex::default(),
        })
    }

    /// Where it answers.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Starts it, if it does not run. It stays as long as a request needs it, and then a while.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn wanted(self: &Arc<Self>) -> io::Result<Request> {
        let mut state = lock(&self.state);
        if !state.is_kept {
            let process = self.start()?;
            state.is_kept = true;
            actix_web::rt::spawn(Arc::clone(self).keep(process));
        }
        state.requests += 1;
        Ok(Request(Arc::clone(self)))
    }

    fn start(&self) -> io::Result<Process> {
        let program = program();
        let mut command = Command::new(&program);
        command
            .args(["serve", "--log-level", logging::level().name()])
            .stdin(Stdio::from(OwnedFd::from(self.listener.try_clone()?)))
            .stdout(Stdio::null())
            // It is nobody's business of systemd.
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .kill_on_drop(true);
        let child = command.spawn();
        child.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))
    }

    /// Sees to it that it runs as long as somebody waits for it.
    async fn keep(self: Arc<Self>, mut process: Process) {
        loop {
            let began = Instant::now();
            let is_well = self.watch(&mut process).await;
            {
                let mut state = lock(&self.state);
                if state.requests == 0 {
                    state.is_kept = false;
                    return;
                }
            }
            // Somebody waits at its socket: it may have ended just as they came.
            loop {
                if !is_well || began.elapsed() < PAUSE {
                    tokio::time::sleep(PAUSE).await;
                }
                match self.start() {
                    Ok(next) => {
                        process = next;
                        break;
                    }
                    Err(error) => {
                        tracing::error!("cannot start the program that shows dashboards: {error}");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        }
    }

    /// Waits until it ends, and kills it if it does not answer any more; true if it ended well.
    async fn watch(&self, process: &mut Process) -> bool {
        let mut unanswered = 0;
        loop {
            tokio::select! {
                ended = process.wait() => {
                    return match ended {
                        Ok(status) if status.success() => true,
                        Ok(status) => {
                            tracing::error!("the program that shows dashboards ended: {status}");
                            false
                        }
                        Err(error) => {
                            tracing::error!(%error, "the program that shows dashboards cannot be waited for");
                            false
                        }
                    };
                }
                () = tokio::time::sleep(QUESTION) => {}
            }
            unanswered = match tokio::time::timeout(QUESTION, super::is_answering(&self.socket)).await {
                Ok(true) => 0,
                Ok(false) | Err(_) => unanswered + 1,
            };
            if unanswered >= 2 {
                tracing::error!("the program that shows dashboards does not answer, and is killed");
                if let Err(error) = process.start_kill() {
                    tracing::error!(%error, "it cannot be killed");
                }
            }
        }
    }
}

/// Where the program is: beside this one.
pub fn program() -> PathBuf {
    let own = std::env::current_exe().ok();
    let beside = own.and_then(|own| Some(own.parent()?.join(PROGRAM)));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PROGRAM.into())
}

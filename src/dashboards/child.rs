//! Runs the program that renders dashboards as a child of the service: started on demand, like systemd does with socket activation.

use std::fs::Permissions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::programs::{self, DASHBOARDS};
use edgewatch_program::lock::lock;
use edgewatch_program::logging;
use tempfile::TempDir;
use tokio::process::{Child as Process, Command};

/// Interval and timeout of the health checks. After two that fail it is killed, after the same time as by the unit's watchdog.
const HEALTH_CHECK: Duration = Duration::from_secs(5);
/// Time before a restart after a failure.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// The program, whether it runs or not.
pub(crate) struct Child {
    /// Only its owner can enter it, and so connect to the socket; `None` at the end of the service.
    directory: Mutex<Option<TempDir>>,
    socket: PathBuf,
    listener: UnixListener,
    usage: Mutex<Usage>,
}

#[derive(Default)]
struct Usage {
    /// Requests that need it.
    requests: usize,
    is_supervised: bool,
}

/// Keeps the program running while a request needs it.
pub(crate) struct UsageGuard(Arc<Child>);

impl Drop for UsageGuard {
    fn drop(&mut self) {
        lock(&self.0.usage).requests -= 1;
    }
}

impl Child {
    /// Creates the socket; the program is not started yet.
    ///
    /// # Errors
    /// The directory of temporary files cannot be written to.
    pub(crate) fn new() -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("edgewatch-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()?;
        let socket = directory.path().join("dashboards.sock");
        let listener = UnixListener::bind(&socket)?;
        Ok(Self {
            directory: Mutex::new(Some(directory)),
            socket,
            listener,
            usage: Mutex::default(),
        })
    }

    /// Removes the socket. Those that use the program may live on until the process ends, and then remove nothing.
    pub(crate) fn remove_socket(&self) {
        lock(&self.directory).take();
    }

    /// The socket that it serves.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Starts it, if it does not run. It runs as long as a request needs it, and for a while after that.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn acquire(self: &Arc<Self>) -> io::Result<UsageGuard> {
        let mut usage = lock(&self.usage);
        if !usage.is_supervised {
            let process = self.start()?;
            usage.is_supervised = true;
            actix_web::rt::spawn(Arc::clone(self).supervise(process));
        }
        usage.requests += 1;
        Ok(UsageGuard(Arc::clone(self)))
    }

    fn start(&self) -> io::Result<Process> {
        let program = programs::path(DASHBOARDS);
        let mut command = Command::new(&program);
        command
            .args(["serve", "--log-level", logging::level().name()])
            .stdin(Stdio::from(OwnedFd::from(self.listener.try_clone()?)))
            .stdout(Stdio::null())
            // Those are the service's own: systemd does not know this process.
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .kill_on_drop(true);
        let child = command.spawn();
        child.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))
    }

    /// Restarts it as long as requests need it.
    async fn supervise(self: Arc<Self>, mut process: Process) {
        loop {
            let began = Instant::now();
            let is_success = self.watch(&mut process).await;
            {
                let mut usage = lock(&self.usage);
                if usage.requests == 0 {
                    usage.is_supervised = false;
                    return;
                }
            }
            // A request waits in its socket: it may have ended at the same moment.
            loop {
                if !is_success || began.elapsed() < RESTART_DELAY {
                    tokio::time::sleep(RESTART_DELAY).await;
                }
                match self.start() {
                    Ok(next) => {
                        process = next;
                        break;
                    }
                    Err(error) => {
                        tracing::error!("cannot start the program that shows dashboards: {error}");
                        tokio::time::sleep(RESTART_DELAY).await;
                    }
                }
            }
        }
    }

    /// Waits until it ends, and kills it if the health checks fail; true if it ended with success.
    async fn watch(&self, process: &mut Process) -> bool {
        let mut failed_checks = 0;
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
                            tracing::error!("the program that shows dashboards cannot be waited for: {error}");
                            false
                        }
                    };
                }
                () = tokio::time::sleep(HEALTH_CHECK) => {}
            }
            failed_checks = match tokio::time::timeout(HEALTH_CHECK, super::is_healthy(&self.socket)).await {
                Ok(true) => 0,
                Ok(false) | Err(_) => failed_checks + 1,
            };
            if failed_checks >= 2 {
                tracing::error!("the program that shows dashboards does not answer, and is killed");
                if let Err(error) = process.start_kill() {
                    tracing::error!("it cannot be killed: {error}");
                }
            }
        }
    }
}

//! How a service under test is started: with its settings, and with what systemd hands over.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Log, Manager, OUTBOUND_METRICS, Service, binary};

/// Settings of a service under test.
pub struct Setup {
    settings: String,
    tcp: Option<TcpListener>,
    unix: Option<UnixListener>,
    watchdog: Option<Duration>,
    environment: Vec<(String, String)>,
}

impl Setup {
    /// `settings` is TOML without `[http]`, which `http` adds to.
    pub fn new(settings: &str) -> Self {
        Self {
            settings: settings.to_owned(),
            tcp: None,
            unix: None,
            watchdog: None,
            environment: Vec::new(),
        }
    }

    /// Hands over a listening socket, as `edgewatch.socket` does.
    pub fn socket(mut self, listener: &TcpListener) -> Self {
        self.tcp = Some(listener.try_clone().unwrap());
        self
    }

    /// Hands over a Unix socket beside it.
    pub fn unix_socket(mut self, listener: &UnixListener) -> Self {
        self.unix = Some(listener.try_clone().unwrap());
        self
    }

    /// Asks for `WATCHDOG=1`, as `WatchdogSec=` does.
    pub fn watchdog(mut self, timeout: Duration) -> Self {
        self.watchdog = Some(timeout);
        self
    }

    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the service and waits for `READY=1`.
    pub fn start(self) -> Service {
        let mut service = self.spawn();
        service.manager.wait_for("READY=1");
        service.start_outbound();
        service
    }

    /// Starts the service.
    pub fn spawn(self) -> Service {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("edgewatch.toml");
        std::fs::write(&file, with_free_port(&self.settings)).unwrap();
        let manager = Manager::start(directory.path());
        let mut command = self.command(&file);
        command
            .env("NOTIFY_SOCKET", &manager.path)
            // The name by which the tests ask; no name of this machine.
            .env("EDGEWATCH__HTTP__HOSTS", "device")
            .env(OUTBOUND_METRICS, directory.path().join("outbound.prom"))
            // It is killed in the end, and removes nothing then.
            .env("TMPDIR", directory.path())
            .env_remove("JOURNAL_STREAM")
            .envs(self.environment.iter().cloned())
            .stderr(Stdio::piped());
        if let Some(timeout) = self.watchdog {
            command.env("WATCHDOG_USEC", timeout.as_micros().to_string());
        }
        let mut child = command.spawn().unwrap();
        let log = Log::follow(child.stderr.take().unwrap());
        Service {
            child,
            outbound: None,
            manager,
            log,
            file,
            directory,
            environment: self.environment,
        }
    }

    fn command(&self, file: &Path) -> Command {
        let handed_over = usize::from(self.tcp.is_some()) + usize::from(self.unix.is_some());
        if handed_over == 0 {
            let mut command = Command::new(binary());
            command
                .args(["serve", "--config"])
                .arg(file)
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            return command;
        }
        // LISTEN_PID must be the process's own, which only the process knows. The sockets come in as stdin and stdout.
        let script = "exec 3<&0 4<&1 </dev/null >/dev/null; LISTEN_PID=$$ exec \"$@\"";
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh", binary(), "serve", "--config"])
            .arg(file)
            .env("LISTEN_FDS", handed_over.to_string());
        let mut sockets: Vec<OwnedFd> = Vec::new();
        if let Some(listener) = &self.tcp {
            sockets.push(listener.try_clone().unwrap().into());
        }
        if let Some(listener) = &self.unix {
            sockets.push(listener.try_clone().unwrap().into());
        }
        let mut sockets = sockets.into_iter().map(Stdio::from);
        command.stdin(sockets.next().unwrap_or_else(Stdio::null));
        command.stdout(sockets.next().unwrap_or_else(Stdio::null));
        command
    }
}

/// Lets the kernel choose the port, unless the settings say where to listen.
pub(super) fn with_free_port(settings: &str) -> String {
    if settings.contains("listen") {
        settings.to_owned()
    } else if settings.contains("[http]") {
        settings.replace("[http]", "[http]\nlisten = [\"127.0.0.1:0\"]")
    } else {
        format!("{settings}\n[http]\nlisten = [\"127.0.0.1:0\"]\n")
    }
}

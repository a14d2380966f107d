//! A real Mosquitto.

use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::eventually;
use super::prometheus::free_port;

/// A running broker; killed when dropped.
pub struct Broker {
    child: Child,
    pub port: u16,
    directory: TempDir,
}

impl Broker {
    /// Where everybody may do everything.
    pub fn start() -> Self {
        Self::start_with("allow_anonymous true\n", |_| {})
    }

    /// Where `user` has this password, and nobody else is let in.
    pub fn start_with_password(user: &str, password: &str) -> Self {
        Self::start_with("allow_anonymous false\npassword_file users\n", |directory| {
            let created = Command::new("mosquitto_passwd")
                .args(["-b", "-c", "users", user, password])
                .current_dir(directory)
                .status();
            assert!(created.unwrap().success());
        })
    }

    /// With TLS; [`Broker::authority`] has signed its certificate for `localhost`.
    pub fn start_with_tls() -> Self {
        Self::start_with(
            "allow_anonymous true\ncertfile broker.pem\nkeyfile broker.key\n",
            |directory| {
                let mut parameters = CertificateParams::new(Vec::<String>::new()).unwrap();
                parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
                let key = KeyPair::generate().unwrap();
                let own = CertificateParams::new(["localhost".to_owned()]).unwrap();
                let own = own.signed_by(&key, &authority).unwrap();
                for (name, text) in [
                    ("authority.pem", authority.pem()),
                    ("broker.pem", own.pem()),
                    ("broker.key", key.serialize_pem()),
                ] {
                    std::fs::write(directory.join(name), text).unwrap();
                }
            },
        )
    }

    fn start_with(configuration: &str, prepare: impl FnOnce(&Path)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        prepare(directory.path());
        let port = free_port();
        // Without `user` it would drop root, and could not read what belongs to it.
        let configuration = format!("listener {port} 127.0.0.1\nuser root\n{configuration}");
        std::fs::write(directory.path().join("mosquitto.conf"), configuration).unwrap();
        let child = Self::launch(directory.path(), port);
        Self { child, port, directory }
    }

    fn launch(directory: &Path, port: u16) -> Child {
        let child = Command::new("/usr/sbin/mosquitto")
            .args(["-c", "mosquitto.conf"])
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        assert!(
            eventually(|| TcpStream::connect(("127.0.0.1", port)).is_ok()),
            "no broker"
        );
        child
    }

    /// The certificate that the broker's is signed by.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// At the same address, without what it had kept.
    pub fn restart(&mut self) {
        self.child = Self::launch(self.directory.path(), self.port);
    }

    /// Publishes a message, with options of `mosquitto_pub` such as `-r`.
    pub fn publish(&self, topic: &str, message: impl AsRef<[u8]>, options: &[&str]) {
        let mut publisher = Command::new("mosquitto_pub")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-q",
                "1",
                "-t",
                topic,
                "-s",
            ])
            .args(options)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        publisher.stdin.take().unwrap().write_all(message.as_ref()).unwrap();
        assert!(publisher.wait().unwrap().success(), "{topic}");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

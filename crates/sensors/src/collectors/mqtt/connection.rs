//! The thread that is connected to the broker.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use edgewatch_program::credential::{self, CredentialError};
use edgewatch_program::host;
use edgewatch_program::lock::lock;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::sync::oneshot;

use super::rules::{MAX_MESSAGE, Rule};
use super::store::{Link, Store};
use crate::settings::mqtt::{Address, Mqtt};

/// Enough for a broker in a sleepy network.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT_SECONDS: u64 = 10;
/// Between attempts, doubled up to …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Messages that the broker may send before the first of them is acknowledged.
const IN_FLIGHT: u16 = 16;
/// What a message has beside its content: topic and properties.
const OVERHEAD: u32 = 4096;
/// Bytes that a password, or the certificates of authorities, never have.
const MAX_FILE: u64 = 1 << 20;
/// TLS takes more than what a sampler needs.
const STACK: usize = 512 * 1024;

/// Why the broker cannot be asked.
#[derive(Debug, Error)]
enum LinkError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: CredentialError },
    #[error("{}: {what}", path.display())]
    Certificates { path: PathBuf, what: String },
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error(
        "{0}; the sandbox forbids it: let the address in with `systemctl edit edgewatch`, [Service] IPAddressAllow="
    )]
    Forbidden(#[source] ConnectionError),
    #[error(transparent)]
    Connection(ConnectionError),
}

impl From<ConnectionError> for LinkError {
    fn from(error: ConnectionError) -> Self {
        match &error {
            ConnectionError::Io(source) if source.kind() == io::ErrorKind::PermissionDenied => Self::Forbidden(error),
            _ => Self::Connection(error),
        }
    }
}

/// Ends its thread when it is dropped.
pub struct Connection {
    _stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Connection {
    /// Connects, and goes on to until it is dropped.
    ///
    /// # Errors
    /// The system gives no thread, or no file descriptor.
    pub fn start(
        settings: &Mqtt,
        address: Address,
        rules: Arc<Vec<Rule>>,
        store: Arc<Mutex<Store>>,
    ) -> io::Result<Self> {
        let settings = settings.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // One, for names.
            .max_blocking_threads(1)
            .thread_stack_size(STACK)
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("mqtt".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let run = run(&settings, &address, &rules, &store);
                runtime.block_on(async {
                    tokio::select! {
                        () = run => {}
                        _ = stopped => {}
                    }
                });
                runtime.shutdown_background();
            })?;
        Ok(Self { _stop: stop, thread })
    }

    /// False after a panic.
    pub fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }
}

/// Never ends.
async fn run(settings: &Mqtt, address: &Address, rules: &[Rule], store: &Mutex<Store>) {
    let client = format!(
        "edgewatch-{}-{:08x}",
        host::name(),
        // The service beside `edgewatch sensors`, or two devices of one name, must not take each other's place.
        RandomState::new().hash_one(0) as u32
    );
    let mut pause = FIRST_PAUSE;
    loop {
        let Err(error) = session(settings, address, &client, rules, store).await;
        let before = std::mem::replace(&mut lock(store).link, Link::Failed(error.to_string()));
        if matches!(before, Link::Connected(_)) {
            pause = FIRST_PAUSE;
        }
        tokio::time::sleep(pause).await;
        pause = longer(pause);
    }
}

fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}

/// One connection, from start to end.
async fn session(
    settings: &Mqtt,
    address: &Address,
    client: &str,
    rules: &[Rule],
    store: &Mutex<Store>,
) -> Result<std::convert::Infallible, LinkError> {
    let options = options(settings, address, client)?;
    let filters = filters(rules);
    let (client, mut events) = AsyncClient::new(options, 2);
    loop {
        match events.poll().await? {
            Event::Incoming(Packet::ConnAck(_)) => {
                lock(store).link = Link::Connected(None);
                // There is room for it: nothing else is sent.
                if client.try_subscribe_many(filters.clone()).is_err() {
                    return Err(ConnectionError::RequestsDone.into());
                }
            }
            Event::Incoming(Packet::SubAck(answer)) => {
                let codes = filters.iter().zip(&answer.return_codes);
                let refused = codes
                    .filter(|(_, code)| !matches!(code, SubscribeReasonCode::Success(_)))
                    .map(|(filter, code)| format!("the broker refuses the subscription to {}: {code:?}", filter.path));
                lock(store).link = Link::Connected(refused.into_iter().next());
            }
            Event::Incoming(Packet::Publish(message)) => {
                let topic = String::from_utf8_lossy(&message.topic);
                lock(store).take(rules, &topic, &message.payload, message.retain, Instant::now());
            }
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
    }
}

/// The topics of the rules, each once.
fn filters(rules: &[Rule]) -> Vec<Filter> {
    let mut topics: Vec<&str> = rules.iter().map(|rule| rule.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
        .into_iter()
        .map(|topic| Filter::new(topic.to_owned(), QoS::AtLeastOnce))
        .collect()
}

/// Reads the files anew, so that a password can be changed without a restart.
fn options(settings: &Mqtt, address: &Address, client: &str) -> Result<MqttOptions, LinkError> {
    let mut options = MqttOptions::new(client, &address.host, address.port);
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_start(true)
        .set_connection_timeout(CONNECT_TIMEOUT_SECONDS)
        .set_receive_maximum(Some(IN_FLIGHT))
        // A broker sends nothing that is longer, so no message costs the connection.
        .set_max_packet_size(Some(MAX_MESSAGE as u32 + OVERHEAD))
        // The library keeps an array of this length.
        .set_outgoing_inflight_upper_limit(IN_FLIGHT);
    if let Some(username) = &settings.username {
        let password = settings.password_file.as_deref().map(password).transpose()?;
        options.set_credentials(username, password.unwrap_or_default());
    }
    if address.is_encrypted {
        let tls = TlsConfiguration::Rustls(Arc::new(tls(settings.ca_file.as_deref())?));
        options.set_transport(Transport::Tls(tls));
    }
    Ok(options)
}

/// The first line of a credential of the unit, or of any file.
fn password(file: &Path) -> Result<String, LinkError> {
    let text = read(&credential::path(file))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn read(path: &Path) -> Result<String, LinkError> {
    credential::read(path, MAX_FILE).map_err(|source| LinkError::File {
        path: path.to_owned(),
        source,
    })
}

fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, LinkError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            let failed = |what: String| LinkError::Certificates {
                path: path.to_owned(),
                what,
            };
            let text = read(path)?;
            for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
                roots.add(certificate.map_err(|error| failed(error.to_string()))?)?;
            }
            if roots.is_empty() {
                return Err(failed("no certificate in it".to_owned()));
            }
        }
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::super::presets;
    use super::*;
    use crate::settings::mqtt::Preset;

    #[test]
    fn pauses_between_attempts_double_up_to_a_minute() {
        let pauses = std::iter::successors(Some(FIRST_PAUSE), |pause| Some(longer(*pause)));
        let seconds: Vec<u64> = pauses.take(8).map(|pause| pause.as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn each_topic_is_asked_for_once_and_until_it_is_acknowledged() {
        let filters = filters(&presets::rules(Preset::Tasmota, KEEP_ALIVE));
        let topics: Vec<&str> = filters.iter().map(|filter| filter.path.as_str()).collect();
        assert_eq!(topics, ["tele/+/SENSOR", "tele/+/STATE"]);
        assert!(filters.iter().all(|filter| filter.qos == QoS::AtLeastOnce));
    }
}

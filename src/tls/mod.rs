//! TLS of the pages and of /metrics (RFC 8446, RFC 5246): the certificate in force, and the handshake.
//!
//! [`pair`] a certificate with its key, [`device`] the one that the device makes for itself, [`directory`] those that people drop in,
//! [`options`] how it is used, [`error`] what is wrong with them.

pub(crate) mod device;
mod directory;
pub(crate) mod error;
pub(crate) mod options;
pub(crate) mod pair;

use std::sync::Arc;

use edgewatch_outbound::state;
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, Opts, Registry};
use rustls::server::{NoServerSessionStorage, ServerConnection};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::config;
use crate::http::Transport;
use error::TlsError;
use options::{ClientCertificates, Options};
use pair::{Origin, Pair};

/// The type of the first record of a handshake (RFC 8446, 5.1). No HTTP request begins with it.
const HANDSHAKE: u8 = 22;
/// Bytes of a response that may wait for the client: one record (RFC 8446, 5.1).
const SEND_BUFFER: usize = 16 << 10;

/// TLS with the certificate in force.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    /// SHA-256 of the certificate, as browsers show it: `AB:CD:…`.
    pub(crate) fingerprint: String,
    /// Clients have to show a certificate, which says who they are as a password does.
    pub(crate) requires_certificates: bool,
    metrics: Registry,
}

/// What is in force, if anything, and what was passed over on the way to it.
pub(crate) struct Loaded {
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) problems: Vec<TlsError>,
}

impl Tls {
    /// Loads the certificate that the settings name: the last usable one of `tls.directory`, else the device's own, which is made if
    /// there is none yet. What cannot be used is passed over, since a device that cannot be reached helps nobody.
    ///
    /// # Errors
    /// No certificate of the device's own can be made.
    pub(crate) fn load(settings: &config::Tls) -> Result<Loaded, TlsError> {
        if !settings.enabled {
            return Ok(Loaded {
                tls: None,
                problems: Vec::new(),
            });
        }
        let (dropped_in, mut problems) = match &settings.directory {
            Some(directory) => directory::read(directory),
            None => (None, Vec::new()),
        };
        let pair = match dropped_in {
            Some(pair) => pair,
            None => {
                let directory = state::directory(settings.state_directory.as_deref(), "tls.state_directory");
                let (pair, problem) = match directory {
                    Ok(directory) => device::read_or_make(&directory)?,
                    Err(error) => (device::make_unsaved()?, Some(TlsError::Nowhere(error))),
                };
                problems.extend(problem);
                pair
            }
        };
        Ok(Loaded {
            tls: Some(Arc::new(Self::new(pair, Options::default())?)),
            problems,
        })
    }

    /// Looks whether every certificate that has been dropped in can be used. Makes none.
    ///
    /// # Errors
    /// What is wrong with the first that cannot.
    pub(crate) fn check(settings: &config::Tls) -> Result<(), TlsError> {
        let Some(directory) = settings.directory.as_deref().filter(|_| settings.enabled) else {
            return Ok(());
        };
        let (_, problems) = directory::read(directory);
        problems.into_iter().next().map_or(Ok(()), Err)
    }

    /// With this certificate.
    ///
    /// # Errors
    /// The options leave nothing to agree on.
    pub(crate) fn new(pair: Pair, options: Options) -> Result<Self, TlsError> {
        let metrics = gauges(&pair)?;
        let fingerprint = pair.fingerprint();
        let requires_certificates = matches!(options.clients, ClientCertificates::Required(_));
        let mut config = options.server(pair)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Who comes back is few, and stays connected: nothing is kept for others to resume.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            fingerprint,
            requires_certificates,
            metrics,
        })
    }

    /// Shakes hands with a client that begins with TLS; one that begins with anything else goes on in clear text.
    ///
    /// # Errors
    /// The client closes or does not agree with what is offered.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<Transport> {
        let mut first = [0];
        match stream.peek(&mut first).await? {
            1 if first[0] == HANDSHAKE => Ok(Transport::Tls(Box::new(
                self.acceptor.accept_with(stream, bound_buffers).await?,
            ))),
            _ => Ok(Transport::Tcp(stream)),
        }
    }

    /// Its metrics.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.metrics.gather()
    }
}

/// Bounds what waits for a client that does not read, beside the socket's own buffer.
fn bound_buffers(connection: &mut ServerConnection) {
    connection.set_buffer_limit(Some(SEND_BUFFER));
}

fn gauges(pair: &Pair) -> prometheus::Result<Registry> {
    let registry = Registry::new();
    let info = Gauge::with_opts(
        Opts::new(
            "edge_tls_certificate_info",
            "The certificate that clients are shown; always 1.",
        )
        .const_label("fingerprint", pair.fingerprint())
        .const_label(
            "origin",
            match pair.origin {
                Origin::Device => "device",
                Origin::Directory(_) => "directory",
                Origin::Unsaved => "unsaved",
                Origin::WebConfig => "web_config",
            },
        ),
    )?;
    info.set(1.0);
    let expiry = Gauge::new(
        "edge_tls_certificate_expiry_timestamp_seconds",
        "Unix time at which the certificate that clients are shown expires.",
    )?;
    #[allow(clippy::cast_precision_loss, reason = "whole seconds up to the year 9999 are exact")]
    expiry.set(pair.not_after as f64);
    registry.register(Box::new(info))?;
    registry.register(Box::new(expiry))?;
    Ok(registry)
}

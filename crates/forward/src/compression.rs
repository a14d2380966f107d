//! How requests are compressed: the specification of remote_write knows snappy alone, and some centres take zstd as well.

use serde::{Deserialize, Serialize};

/// The encoding of a body.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Snappy's block format, which every centre takes.
    #[default]
    Snappy,
    /// Zstandard (RFC 8878): a third less, for VictoriaMetrics.
    Zstd,
}

/// What is known of the compression that a centre takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Negotiated {
    /// Only that the settings say so: a refusal may mean that it does not.
    Untried(Compression),
    /// It takes this one, so what it refuses it refuses for the content.
    Taken(Compression),
}

impl Negotiated {
    /// Before the first request.
    pub const fn new(configured: Compression) -> Self {
        match configured {
            Compression::Snappy => Self::Taken(Compression::Snappy),
            Compression::Zstd => Self::Untried(Compression::Zstd),
        }
    }

    /// With what the next request is compressed.
    pub const fn compression(self) -> Compression {
        match self {
            Self::Untried(compression) | Self::Taken(compression) => compression,
        }
    }
}

/// Why a message cannot be compressed.
#[derive(Debug, thiserror::Error)]
pub enum CompressionError {
    /// It is larger than snappy can represent (4 GiB).
    #[error("snappy: {0}")]
    Snappy(#[from] snap::Error),
    /// There is no memory for it.
    #[error("zstd: {0}")]
    Zstd(#[from] std::io::Error),
}

impl Compression {
    /// The names, as they are written in the settings.
    pub const NAMES: &'static str = "snappy or zstd";

    /// Its name in HTTP's `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Snappy => "snappy",
            Self::Zstd => "zstd",
        }
    }

    /// Compresses a message.
    ///
    /// # Errors
    /// The message is too large, or there is no memory.
    pub fn compress(self, message: &[u8]) -> Result<Vec<u8>, CompressionError> {
        let mut bytes = match self {
            Self::Snappy => snap::raw::Encoder::new().compress_vec(message)?,
            Self::Zstd => zstd::bulk::compress(message, zstd::DEFAULT_COMPRESSION_LEVEL)?,
        };
        // Both reserve for what cannot be compressed, which is several times as much.
        bytes.shrink_to_fit();
        Ok(bytes)
    }
}

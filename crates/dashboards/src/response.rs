//! Responses of this program and of the service: short texts, and bodies in chunks that fit into the buffer of a connection.

use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};

/// Bytes of a response that wait to be written before the body is polled for more. Together with one more chunk of this size they fit into
/// the initial 8 KiB of a connection's buffer.
pub const WRITE_BUFFER: usize = 4 << 10;
/// Overhead of a chunk in the chunked transfer coding (RFC 9112, 7.1): its size, and two line ends.
const CHUNK_OVERHEAD: usize = 16;

/// Chunks that fit into the buffer of a connection, which would otherwise grow to the size of the largest one. None is empty: an empty
/// chunk is the end of the body.
pub fn split(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let chunk = bytes.split_to(bytes.len().min(WRITE_BUFFER - CHUNK_OVERHEAD));
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// A short text.
pub fn plain(mut builder: HttpResponseBuilder, text: &'static str) -> HttpResponse {
    builder.content_type("text/plain; charset=utf-8").body(text)
}

/// Status 500. The reason is in the log, and not disclosed to the client.
pub fn internal_error() -> HttpResponse {
    plain(HttpResponse::InternalServerError(), "internal error\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_fit_into_the_buffer_of_a_connection_and_are_never_empty() {
        let text: String = ('a'..='z').cycle().take(3 * WRITE_BUFFER).collect();
        let chunks: Vec<Bytes> = split(Bytes::from(text.clone())).collect();
        assert_eq!(chunks.concat(), text.as_bytes());
        assert!(chunks.iter().all(|chunk| chunk.len() + CHUNK_OVERHEAD <= WRITE_BUFFER));
        assert_eq!(chunks.len(), 4);
        assert_eq!(split(Bytes::new()).count(), 0);
    }
}

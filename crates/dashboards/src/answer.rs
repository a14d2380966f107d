//! Answers of both programs: how they say little, and how they say much without holding it.

use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};

/// Bytes of an answer that wait to be written before no more are asked for. With one more piece of this size they fit into the
/// 8 KiB that a connection has from the beginning.
pub const WRITE_BUFFER: usize = 4 << 10;
/// Bytes around a piece in the chunked coding (RFC 9112, 7.1): its size, and two line ends.
const CHUNK: usize = 16;

/// Pieces that fit into what a connection holds, which would grow to the size of the largest one. None is empty: in the chunked coding
/// that is the end of the answer.
pub fn cut(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let piece = bytes.split_to(bytes.len().min(WRITE_BUFFER - CHUNK));
        (!piece.is_empty()).then_some(piece)
    })
}

/// A short answer for people and scripts.
pub fn plain(mut builder: HttpResponseBuilder, text: &'static str) -> HttpResponse {
    builder.content_type("text/plain; charset=utf-8").body(text)
}

/// The answer to a failure inside. It says nothing of what failed: that is in the log.
pub fn internal_error() -> HttpResponse {
    plain(HttpResponse::InternalServerError(), "internal error\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_fit_into_the_buffer_of_a_connection_and_are_never_empty() {
        let text: String = ('a'..='z').cycle().take(3 * WRITE_BUFFER).collect();
        let pieces: Vec<Bytes> = cut(Bytes::from(text.clone())).collect();
        assert_eq!(pieces.concat(), text.as_bytes());
        assert!(pieces.iter().all(|piece| piece.len() + CHUNK <= WRITE_BUFFER));
        assert_eq!(pieces.len(), 4);
        assert_eq!(cut(Bytes::new()).count(), 0);
    }
}

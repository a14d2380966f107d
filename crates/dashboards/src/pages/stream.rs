//! Streams a page piece by piece while its panels are being rendered: it is never in memory as a whole, and a slow client blocks neither
//! a thread nor other clients.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::task::JoinHandle;

use super::error::PageError;
use super::{Activity, Kind, RenderContext};
use crate::response::split;
use edgewatch_grafana_model::limits::Deadline;
use edgewatch_program::memory;

/// Pieces of one page that are rendered concurrently, or wait for the client to read them.
const READ_AHEAD: usize = 2;
/// A response no longer counts against the limit after this time, so that slow clients do not keep others out.
const PERMIT_LIFETIME: Duration = Duration::from_secs(60);

pub(crate) enum Piece {
    /// Markup.
    Ready(String),
    /// Markup that is created when it is sent, to save memory.
    Deferred(Box<dyn FnOnce() -> String + Send>),
    /// Markup that is rendered on a blocking thread.
    Blocking(Box<dyn FnOnce() -> String + Send>),
}

/// The permit of one response in progress.
pub(crate) struct RenderPermit {
    kind: Kind,
    _activity: Arc<Activity>,
    timer: JoinHandle<()>,
    /// Set when it is dropped: the response is complete, or the client has disconnected.
    is_over: Arc<AtomicBool>,
}

impl RenderPermit {
    /// Acquires a permit.
    ///
    /// # Errors
    /// There are too many responses in progress: [`PageError::Busy`].
    pub(crate) fn acquire(context: &RenderContext, kind: Kind) -> Result<Self, PageError> {
        let permit = Arc::clone(&context.queue(kind).responses).try_acquire_owned();
        let permit = permit.map_err(|_| PageError::Busy)?;
        // In a task of its own: the stream is not polled while its client does not read.
        let timer = actix_web::rt::spawn(async move {
            tokio::time::sleep(PERMIT_LIFETIME).await;
            drop(permit);
        });
        Ok(Self {
            kind,
            _activity: Arc::clone(&context.activity),
            timer,
            is_over: Arc::default(),
        })
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Ends rendering when the client has disconnected.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::of_reader(Arc::clone(&self.is_over))
    }
}

impl Drop for RenderPermit {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Drops the permit, which the task owns.
        self.timer.abort();
        // Or the heap fragments, and grows from refresh to refresh.
        memory::trim_heap();
    }
}

pub(crate) fn body(
    context: Arc<RenderContext>,
    permit: RenderPermit,
    pieces: Vec<Piece>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let kind = permit.kind;
    stream::iter(pieces)
        .map(move |piece| {
            let context = Arc::clone(&context);
            async move {
                let text = match piece {
                    Piece::Ready(text) => text,
                    Piece::Deferred(render) => render(),
                    Piece::Blocking(render) => context
                        .queue(kind)
                        .run(render)
                        .await
                        // Panels catch panics themselves, so this does not happen; the other pieces are of use nevertheless.
                        .unwrap_or_default(),
                };
                Bytes::from(text)
            }
        })
        .buffered(READ_AHEAD)
        .flat_map(|text| stream::iter(split(text)).map(Ok))
        .inspect(move |_| {
            let _permit = &permit;
        })
}

//! A page is sent piece by piece while its panels are being worked on: nobody's memory holds the whole of it, and a client that
//! reads slowly holds neither a thread nor the work of others.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::{Activity, Boards, Kind};
use crate::response::split;
use edgewatch_grafana_model::limits::Deadline;
use edgewatch_program::lock::lock;
use edgewatch_program::memory;

/// Pieces of one page that are worked on at once, or wait for the client to read them.
const AHEAD: usize = 2;
/// A client that has not read its page by then no longer counts among those for whom others have to wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// A piece of a page.
pub enum Piece {
    /// Markup.
    Ready(String),
    /// Markup that takes memory, which nobody has to hold before it is its turn.
    Later(Box<dyn FnOnce() -> String + Send>),
    /// Markup that takes work.
    Work(Box<dyn FnOnce() -> String + Send>),
}

/// One of the pages or pictures that may be written at once.
pub struct Lease {
    kind: Kind,
    _activity: Arc<Activity>,
    timer: JoinHandle<()>,
    /// Set when it is dropped, which is when the client has it all or has gone.
    gone: Arc<AtomicBool>,
}

impl Lease {
    /// Takes one of the permits; `None` if there is none left.
    pub fn take(boards: &Boards, kind: Kind) -> Option<Self> {
        let permit = Arc::clone(&boards.queue(kind).places).try_acquire_owned().ok()?;
        let held: Arc<Mutex<Option<OwnedSemaphorePermit>>> = Arc::new(Mutex::new(Some(permit)));
        // In a task of its own: nobody asks the stream for more while its client does not read.
        let timer = actix_web::rt::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            drop(lock(&held).take());
        });
        Some(Self {
            kind,
            _activity: Arc::clone(&boards.activity),
            timer,
            gone: Arc::default(),
        })
    }

    /// Which kind it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Work for it ends when the client has gone.
    pub fn deadline(&self) -> Deadline {
        Deadline::of_reader(Arc::clone(&self.gone))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        // The permit goes with the task that holds it.
        self.timer.abort();
        // What a page leaves behind would be in the way of the next one's, and grow from refresh to refresh.
        memory::trim_heap();
    }
}

/// The body of a page.
pub fn body(boards: Arc<Boards>, lease: Lease, pieces: Vec<Piece>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let kind = lease.kind;
    stream::iter(pieces)
        .map(move |piece| {
            let boards = Arc::clone(&boards);
            async move {
                let text = match piece {
                    Piece::Ready(text) => text,
                    Piece::Later(write) => write(),
                    Piece::Work(work) => boards
                        .queue(kind)
                        .in_turn(work)
                        .await
                        // Panels see to their panics themselves, so this does not happen; what follows is of use all the same.
                        .unwrap_or_default(),
                };
                Bytes::from(text)
            }
        })
        .buffered(AHEAD)
        .flat_map(|text| stream::iter(split(text)).map(Ok))
        .inspect(move |_| {
            let _held = &lease;
        })
}

//! The service sends its settings in a header of each request, so that this program has nothing to reload.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use edgewatch_program::lock::lock;
use edgewatch_prometheus_client::error::Error as ClientError;

use super::{Activity, RenderContext};
use crate::response::{internal_error, plain};
use crate::settings::{HEADER, Settings};

/// The state that the handlers share.
pub(crate) struct App {
    current: Mutex<Option<Arc<RenderContext>>>,
    activity: Arc<Activity>,
    /// When it was still in progress.
    last_request: Mutex<Instant>,
}

impl App {
    /// Without settings before the first request.
    pub(crate) fn new() -> Self {
        Self {
            current: Mutex::default(),
            activity: Arc::default(),
            last_request: Mutex::new(Instant::now()),
        }
    }

    /// Since when there has been no request; `None` while one is in progress.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let current = lock(&self.current);
        // Our own, and that of the current context.
        let idle_count = 1 + usize::from(current.is_some());
        let mut last_request = lock(&self.last_request);
        if Arc::strong_count(&self.activity) > idle_count {
            // One that takes long has not been the last for as long.
            *last_request = Instant::now();
            return None;
        }
        Some(*last_request)
    }

    fn find(&self, request: &HttpRequest) -> Result<Arc<RenderContext>, ContextError> {
        *lock(&self.last_request) = Instant::now();
        let header = request.headers().get(HEADER);
        let settings = header.and_then(|header| serde_json::from_slice::<Settings>(header.as_bytes()).ok());
        let settings = settings.ok_or(ContextError::NoSettings)?;
        let mut current = lock(&self.current);
        if let Some(known) = current.as_ref().filter(|known| known.settings == settings) {
            return Ok(Arc::clone(known));
        }
        let new = Arc::new(RenderContext::new(settings, Arc::clone(&self.activity))?);
        *current = Some(Arc::clone(&new));
        Ok(new)
    }
}

/// Why there is no context.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextError {
    /// The header is missing or malformed.
    #[error("only the service of edgewatch asks here")]
    NoSettings,
    #[error("the settings of the service cannot be used: {0}")]
    Settings(#[from] ClientError),
    #[error("no state")]
    NoState,
}

impl ResponseError for ContextError {
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::NoSettings => plain(HttpResponse::BadRequest(), "only the service of edgewatch asks here\n"),
            Self::Settings(_) | Self::NoState => {
                tracing::error!("{self}");
                internal_error()
            }
        }
    }
}

/// Extracts the context for the settings of the request.
pub(crate) struct RequestContext(pub Arc<RenderContext>);

impl FromRequest for RequestContext {
    type Error = ContextError;
    type Future = Ready<Result<Self, ContextError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>();
        let context = app.ok_or(ContextError::NoState).and_then(|app| app.find(request));
        ready(context.map(Self))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_without_a_request_begins_when_the_last_one_has_ended() {
        let app = App::new();
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        *lock(&app.last_request) = long_ago;
        assert_eq!(app.idle_since(), Some(long_ago));
        let in_progress = Arc::clone(&app.activity);
        assert_eq!(app.idle_since(), None);
        drop(in_progress);
        let since = app.idle_since().unwrap();
        assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
    }
}

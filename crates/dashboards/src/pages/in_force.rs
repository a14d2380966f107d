//! The settings that are in force in the service come with each of its requests, so that there is nothing to reload here.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest, error};
use edgewatch_program::lock::lock;

use super::{Activity, Boards};
use crate::settings::{HEADER, Settings};

/// What the handlers share.
pub struct App {
    current: Mutex<Option<Arc<Boards>>>,
    activity: Arc<Activity>,
    last: Mutex<Instant>,
}

impl App {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self {
            current: Mutex::default(),
            activity: Arc::default(),
            last: Mutex::new(Instant::now()),
        }
    }

    /// Since when nobody has asked for anything, nor still waits or reads; `None` if somebody does.
    pub fn idle_since(&self) -> Option<Instant> {
        let current = lock(&self.current);
        // Ours, and that of the dashboards in force.
        let at_rest = 1 + usize::from(current.is_some());
        (Arc::strong_count(&self.activity) <= at_rest).then(|| *lock(&self.last))
    }

    fn find(&self, request: &HttpRequest) -> Result<Arc<Boards>, Error> {
        *lock(&self.last) = Instant::now();
        let header = request.headers().get(HEADER);
        let settings = header.and_then(|header| serde_json::from_slice::<Settings>(header.as_bytes()).ok());
        let settings = settings.ok_or_else(|| error::ErrorBadRequest("only the service of edgewatch asks here"))?;
        let mut current = lock(&self.current);
        if let Some(known) = current.as_ref().filter(|known| known.settings == settings) {
            return Ok(Arc::clone(known));
        }
        let new = Boards::new(settings, Arc::clone(&self.activity)).map_err(|error| {
            tracing::error!(%error, "the settings of the service cannot be used");
            error::ErrorInternalServerError("internal error")
        })?;
        let new = Arc::new(new);
        *current = Some(Arc::clone(&new));
        Ok(new)
    }
}

/// The dashboards by the settings of the request.
pub struct InForce(pub Arc<Boards>);

impl FromRequest for InForce {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>();
        let app = app.ok_or_else(|| error::ErrorInternalServerError("internal error"));
        ready(app.and_then(|app| app.find(request)).map(Self))
    }
}

//! Why there is no page, and the HTTP status of each reason.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use thiserror::Error;

use super::query::InvalidQuery;
use crate::library::OpenError;
use crate::response::{internal_error, plain};

/// Why a request for a page, values or a picture fails.
#[derive(Debug, Error)]
pub(crate) enum PageError {
    /// The query string is invalid.
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    /// The dashboard cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The dashboard has no panel with this id.
    #[error("the dashboard has no panel {0}")]
    NoPanel(u32),
    /// The picture cannot be rasterized within the limits.
    #[error("{0}; or take the SVG, or edgewatch render")]
    Picture(String),
    /// There are too many requests, or the dashboards in use are too large together.
    #[error("too many dashboards are being looked at: try again in a moment")]
    Busy,
    /// The client has disconnected.
    #[error("the client has hung up")]
    Disconnected,
    /// Rendering has panicked, or the program ends.
    #[error("internal error")]
    Internal,
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Query(_) | Self::Picture(_) => StatusCode::BAD_REQUEST,
            Self::Open(OpenError::Unknown(_)) | Self::NoPanel(_) => StatusCode::NOT_FOUND,
            Self::Open(OpenError::Broken(_)) | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Disconnected => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// Plain text, for values and pictures. It discloses neither paths nor internal errors.
    fn error_response(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status_code());
        match self {
            Self::Query(_) | Self::Picture(_) => builder
                .content_type("text/plain; charset=utf-8")
                .body(format!("{self}\n")),
            Self::Open(OpenError::Unknown(_)) | Self::NoPanel(_) => plain(builder, "no such dashboard or panel\n"),
            Self::Open(OpenError::Broken(_)) => plain(builder, "the dashboard is broken\n"),
            Self::Busy => {
                builder.insert_header((RETRY_AFTER, 2));
                plain(
                    builder,
                    "too many dashboards are being looked at: try again in a moment\n",
                )
            }
            Self::Disconnected => plain(builder, "the client has hung up\n"),
            Self::Internal => internal_error(),
        }
    }
}

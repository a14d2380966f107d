//! Where values come from: [`Direct`] asks Prometheus, [`Shared`] answers many viewers with few queries.

mod decode;
mod direct;
mod shared;

pub use direct::Direct;
pub use shared::Shared;

//! Sources of values: [`Direct`] queries Prometheus; a cache in front of it answers many viewers with one query.

mod cached;
mod decode;
mod direct;

pub(crate) use cached::CachedSource;
pub use direct::Direct;

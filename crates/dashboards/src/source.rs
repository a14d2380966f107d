//! Sources of values: [`Direct`] queries Prometheus, [`CachedSource`] is a cache in front of it.

mod cached;
mod decode;
mod direct;

pub(crate) use cached::CachedSource;
pub use direct::Direct;

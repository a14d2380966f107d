//! Updates of a NixOS device. It asks for a signed manifest, which names a system that somebody else has built; takes that system from a
//! binary cache; tries it; and makes it the one that boots only after the device has been well with it. Until then a power cut, a crash or
//! a reset leads back to the system before.
//!
//! [`settings`] what can be set, [`manifest`] what is offered and who has signed it, [`record`] what the device remembers, [`decision`]
//! whether it is tried, [`host`] the systems of the device and its boot loader, [`nix`] the store, [`command`] programs that are run,
//! [`health`] how the device is,
//! [`gate`] how long a system has to be well, [`updater`] all of it in order, [`error`] what can go wrong.

#![deny(clippy::expect_used, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

mod command;
mod decision;
pub mod error;
mod gate;
pub mod health;
pub mod host;
mod manifest;
mod nix;
pub mod record;
pub mod settings;
pub mod updater;

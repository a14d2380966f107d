//! The host itself: one source for each subject, below the roots that the settings name.

pub mod cgroup;
pub mod clock;
pub mod cpu;
pub mod disk;
pub mod filesystem;
pub mod load;
pub mod memory;
pub mod network;
pub mod pressure;
pub mod process;
pub mod uname;

//! A wall clock of their own for programs under test, which steps when a test wants it.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// Put in front of the C library's function, from which the standard library has the time.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    long seconds = 0;
    FILE *file;
    int status;

    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    status = real(clock, now);
    if (status || clock != CLOCK_REALTIME)
        return status;
    file = fopen(getenv("TEST_CLOCK"), "r");
    if (file) {
        if (fscanf(file, "%ld", &seconds) != 1)
            seconds = 0;
        fclose(file);
    }
    now->tv_sec += seconds;
    return 0;
}
"#;

/// A clock that goes right at first.
pub struct Clock(TempDir);

impl Clock {
    /// `None`, with a line that says why, where there is no C compiler.
    pub fn new(test: &str) -> Option<Self> {
        let clock = Self(tempfile::tempdir().unwrap());
        std::fs::write(clock.path("clock.c"), SOURCE).unwrap();
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([clock.path("clock.so"), clock.path("clock.c")])
            .arg("-ldl")
            .status();
        if !compiled.is_ok_and(|status| status.success()) {
            super::skip(test, "there is no C compiler");
            return None;
        }
        clock.set(0);
        Some(clock)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// From now on it is so many seconds ahead.
    pub fn set(&self, seconds: i64) {
        let new = self.path("seconds.new");
        std::fs::write(&new, seconds.to_string()).unwrap();
        std::fs::rename(new, self.path("seconds")).unwrap();
    }

    /// The variables with which a program has it.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        [("LD_PRELOAD", "clock.so"), ("TEST_CLOCK", "seconds")]
            .map(|(name, file)| (name, self.path(file).to_str().unwrap().to_owned()))
    }
}

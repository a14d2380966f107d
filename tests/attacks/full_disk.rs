//! The disk of the history is full. `tests/check.rs` has what `edgewatch check` says of it; this is a whole `edgewatch up`, with its
//! interval of 15 s.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::small_disk::SmallDisk;
use crate::common::{Log, binary, run, signal};

/// Three intervals, and the time that a busy machine needs to see them.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
#[ignore = "takes 90 s; scripts/attack runs it"]
fn a_stack_that_stores_nothing_says_so_in_its_line_and_in_the_check() {
    let test = "a_stack_that_stores_nothing_says_so_in_its_line_and_in_the_check";
    let Some(disk) = SmallDisk::new(test) else { return };
    let mut child = Command::new(binary())
        .args(["up", "--no-grafana", "--port", "0", "--prometheus-port", "0"])
        .args(["--state-dir".as_ref(), disk.path().join("state").as_os_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let answer = Log::follow(child.stdout.take().unwrap());
    let log = Log::follow(child.stderr.take().unwrap());
    answer.wait_for("\nready\n");
    disk.fill();
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < PATIENCE, "in vain waited for {what}: {}", log.text());
            thread::sleep(Duration::from_secs(1));
        }
    };
    until("the line", &|| log.text().contains("up · nothing stored for "));
    let text = answer.text();
    let advice = text
        .lines()
        .find_map(|line| line.strip_prefix("to check it  "))
        .unwrap();
    let arguments: Vec<_> = advice.split(' ').skip(1).collect();
    // The two targets are scraped some seconds apart.
    until("both failures", &|| {
        let (status, table, _) = run(&arguments, &[]);
        let fails = |job: &str| {
            let line = table.lines().find(|line| line.contains(&format!("scrapes {job}")));
            line.is_some_and(|line| line.starts_with("FAIL") && line.contains("nothing stored for"))
        };
        status.code() == Some(2) && fails("sensor") && fails("prometheus")
    });
    disk.free();
    until("samples", &|| {
        run(&arguments, &[])
            .1
            .lines()
            .any(|line| line.starts_with("ok    scrapes sensor") || line.contains("that were due are not stored"))
    });
    signal(child.id(), "INT");
    child.wait().unwrap();
}

//! The history on the device, from which is sent: what of it, and what happens when it or its times change.

use super::*;
use crate::common::clock::Clock;

#[test]
fn a_history_that_was_deleted_is_gone_and_what_comes_after_it_arrives() {
    let mut stack = Stack::start();
    let centre = Centre::start(answer(500, ""));
    let service = stack.service(&stack.settings(&centre.url(), ""));
    // The cursor is in the midst of what is deleted.
    wait_for_failure(&service, "server_error");
    stack.prometheus.lose_history();
    let from = now();
    centre.behave(Conduct::Take);
    stack.assert_all_arrives(&service, &centre, from);
    assert_eq!(service.metric(REFUSED), Some(0.0));
    assert_eq!(failures(&service, "panic"), 0.0);
}

#[test]
fn after_the_clock_has_gone_back_everything_is_sent_again_from_there() {
    let Some(clock) = Clock::new("after_the_clock_has_gone_back_everything_is_sent_again_from_there") else {
        return;
    };
    let (stack, from) = (Stack::start(), now());
    let centre = Centre::start(Conduct::Take);
    let mut setup = Setup::new(&stack.settings(&centre.url(), "")).socket(&stack.listener);
    for (name, value) in clock.environment() {
        setup = setup.environment(name, &value);
    }
    let service = setup.start();
    // The centre has ten seconds, of which eight come again.
    assert!(eventually(|| now() - from > 10_000 && centre.taken() > 0));
    centre.behave(answer(500, ""));
    wait_for_failure(&service, "server_error");
    let stepped = now();
    clock.set(-8);
    service.log.wait_for("the clock went back: forwarding goes on at");
    centre.forget();
    centre.behave(Conduct::Take);
    // All of it had been sent before.
    let again = stored::samples(stack.prometheus.address, stepped - 7500, stepped - 5000);
    assert!(!again.is_empty());
    let arrived = eventually(|| stored::missing(&again, &centre.samples()).is_empty());
    assert!(
        arrived,
        "{:?}\n{}",
        stored::missing(&again, &centre.samples()),
        service.log.text()
    );
    centre.assert_all_was_well();
}

#[test]
fn a_profile_sends_what_it_names_and_nothing_else() {
    let stack = Stack::start();
    let heartbeat = [
        "up",
        "edge_build_info",
        "edge_boot_info",
        "edge_forward_oldest_unsent_age_seconds",
    ];
    let lte = [
        "node_load1",
        "node_load5",
        "node_memory_MemTotal_bytes",
        "node_memory_MemAvailable_bytes",
    ];
    for (profile, names) in [("heartbeat", heartbeat.to_vec()), ("lte", [heartbeat, lte].concat())] {
        let centre = Centre::start(Conduct::Take);
        let directory = tempfile::tempdir().unwrap();
        let settings = stack.settings_in(directory.path(), &centre.url(), &format!("profile = \"{profile}\"\n"));
        let settings = settings.replace(&only(&["load"]), &only(&["load", "memory", "kernel"]));
        let service = stack.service(&settings);
        let name_of = |series: &String| {
            series
                .split("__name__=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .to_owned()
        };
        let sent = || -> std::collections::BTreeSet<String> { centre.samples().keys().map(name_of).collect() };
        let arrived = eventually(|| names.iter().all(|name| sent().contains(*name)));
        assert!(arrived, "{profile}: {:?}\n{}", sent(), service.log.text());
        let others: Vec<String> = sent()
            .into_iter()
            .filter(|name| !names.contains(&name.as_str()))
            .collect();
        assert!(others.is_empty(), "{profile}: {others:?}");
        let stored = stored::samples(stack.prometheus.address, now() - 3000, now());
        assert!(stored.keys().any(|series| !names.contains(&name_of(series).as_str())));
        centre.assert_all_was_well();
    }
}

#[test]
fn a_slow_centre_has_one_request_at_a_time_and_gets_everything() {
    let (stack, from) = (Stack::start(), now());
    let centre = Centre::start(Conduct::Slow(Duration::from_millis(300)));
    let service = stack.service(&stack.settings(&centre.url(), ""));
    assert!(eventually(|| centre.requests() > 5));
    assert_eq!(failures(&service, "timeout"), 0.0);
    // So slow that it is no answer any more, and that the request comes again.
    centre.behave(Conduct::Slow(Duration::from_millis(1200)));
    wait_for_failure(&service, "timeout");
    centre.behave(Conduct::Slow(Duration::from_millis(100)));
    stack.assert_all_arrives(&service, &centre, from);
}

#[test]
fn a_card_that_has_become_read_only_under_the_cursor_stops_nothing() {
    let Some(disk) = SmallDisk::new("a_card_that_has_become_read_only_under_the_cursor_stops_nothing") else {
        return;
    };
    disk.make_read_only();
    let (stack, from) = (Stack::start(), now());
    let centre = Centre::start(Conduct::Take);
    let service = stack.service(&stack.settings_in(disk.path(), &centre.url(), ""));
    service.log.wait_for("more is sent again than needed");
    stack.assert_all_arrives(&service, &centre, from);
}

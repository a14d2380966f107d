//! What runs while settings are reloaded goes on.

use super::{SENT, Stack, failures, now};
use crate::common::centre::{Centre, Conduct};
use crate::common::only;

#[test]
fn a_reload_goes_on_with_the_cursor_and_the_counters() {
    let (stack, from) = (Stack::start(), now());
    let centre = Centre::start(Conduct::Take);
    let service = stack.service(&stack.settings(&centre.url(), ""));
    service.wait_for_metric(SENT, |value| value > Some(0.0));
    let before = service.metric(SENT).unwrap();
    service.reload(
        &stack
            .settings(&centre.url(), "")
            .replace("timeout = \"1s\"", "timeout = \"2s\""),
    );
    assert!(service.metric(SENT).unwrap() >= before);
    stack.assert_all_arrives(&service, &centre, from);
    assert_eq!(failures(&service, "state"), 0.0);
    // Files that cannot be read are refused, and what runs goes on.
    service.configure(&stack.settings(&centre.url(), "bearer_token_file = \"/nonexistent/token\"\n"));
    service.signal("HUP");
    service
        .manager
        .wait_for("reload refused: forward.bearer_token_file = /nonexistent/token");
    stack.assert_all_arrives(&service, &centre, from);
    // Without an address it ends.
    service.reload(&only(&["load"]));
    assert!(!service.metrics().contains("edge_forward"));
}

#[test]
fn a_reload_that_is_refused_leaves_all_of_the_old_settings_in_force() {
    let (stack, from) = (Stack::start(), now());
    let (centre, other) = (Centre::start(Conduct::Take), Centre::start(Conduct::Take));
    let settings = stack.settings(&centre.url(), "");
    let service = stack.service(&settings);
    service.wait_for_metric(SENT, |value| value > Some(0.0));
    // Of these only the second half cannot be: there is no place for what is told.
    service.configure(&(stack.settings(&other.url(), "") + "[notify.ntfy]\nurl = \"http://127.0.0.1:1/gate-7\"\n"));
    service.signal("HUP");
    service
        .manager
        .wait_for("reload refused: nowhere to keep the state: set notify.directory");
    // Which are then no change.
    service.reload(&settings);
    stack.assert_all_arrives(&service, &centre, from);
    assert!(other.samples().is_empty());
}

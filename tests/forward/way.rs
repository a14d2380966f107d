//! The way to the centre: proxies.

use super::*;
use crate::common::proxy::{Kind, Proxy};

#[test]
fn whatever_is_sent_goes_through_the_proxy() {
    let stack = Stack::start();
    for (kind, scheme) in [(Kind::Http, "http"), (Kind::Socks, "socks5"), (Kind::Socks, "socks5h")] {
        let from = now();
        let centre = Centre::start(Conduct::Take);
        let proxy = Proxy::start(kind, centre.address);
        // Who has to go through one often cannot resolve names himself.
        let host = match scheme {
            "socks5" => "127.0.0.1",
            _ => "centre.invalid",
        };
        let more = format!("proxy = \"{scheme}://{}\"\n", proxy.address);
        let url = format!("http://{host}:8480/api/v1/write");
        let directory = tempfile::tempdir().unwrap();
        let service = stack.service(&stack.settings_in(directory.path(), &url, &more));
        stack.assert_all_arrives(&service, &centre, from);
        let asked = proxy.asked();
        assert!(!asked.is_empty());
        assert!(
            asked.iter().all(|target| *target == format!("{host}:8480")),
            "{scheme}: {asked:?}"
        );
        assert_eq!(failures(&service, "panic"), 0.0, "{scheme}");
    }
}

#[test]
fn a_proxy_that_is_away_or_refuses_is_waited_for() {
    let (stack, from) = (Stack::start(), now());
    let centre = Centre::start(Conduct::Take);
    // What it answers is an answer of a proxy as well.
    let refuses = Centre::start(answer(407, ""));
    let url = "http://centre.invalid/api/v1/write";
    let through = |address: SocketAddr| stack.settings(url, &format!("proxy = \"http://{address}\"\n"));
    let service = stack.service(&through(refuses.address));
    service.log.wait_for("407");
    let nobody = SocketAddr::from(([127, 0, 0, 1], common::prometheus::free_port()));
    service.reload(&through(nobody));
    wait_for_failure(&service, "connect");
    let proxy = Proxy::start(Kind::Http, centre.address);
    service.reload(&through(proxy.address));
    stack.assert_all_arrives(&service, &centre, from);
}

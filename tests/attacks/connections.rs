//! Clients that hold connections: by not reading, by dawdling, by merely being there.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::{set_socket_linger, set_socket_recv_buffer_size};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use crate::common::{PATIENCE, Service, Setup, ask, eventually, only, users_file};

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: device\r\n\r\n";

/// As the unit runs it, so that its memory is that of the service and not of the allocator's arenas.
fn service(http: &str) -> Service {
    Setup::new(&format!("[http]\n{http}\n{}", only(&["load"])))
        .environment("MALLOC_ARENA_MAX", "1")
        .start()
}

/// A connection from another address of loopback.
fn connect_from(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    set_socket_recv_buffer_size(&socket, 2048).unwrap();
    bind(&socket, &SocketAddr::from((from, 0))).unwrap();
    connect(&socket, &to).unwrap();
    TcpStream::from(socket)
}

/// Sends requests until the service takes no more; gives the connection back unread.
fn pipeline(to: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = connect_from(Ipv4Addr::LOCALHOST, to);
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let many = request.repeat(100);
    for _ in 0..100_000 {
        if stream.write(&many).is_err() {
            break;
        }
    }
    stream
}

/// Seconds of CPU that the service has used.
fn cpu(service: &Service) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", service.child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

/// True once the service has closed the connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 4096];
    stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

#[test]
fn clients_that_pipeline_and_do_not_read_cost_neither_memory_nor_cpu() {
    let service = service("");
    for _ in 0..20 {
        service.get("/healthz");
    }
    let before = service.process().status("VmRSS:");
    let address = service.address();
    let attackers: Vec<_> = (0..40)
        .map(|_| thread::spawn(move || pipeline(address, HEALTH)))
        .collect();
    let attackers: Vec<TcpStream> = attackers.into_iter().map(|attacker| attacker.join().unwrap()).collect();
    // It answers until what waits to be read fills the kernel's buffers; then it has nothing to do.
    let rests = eventually(|| {
        let used = cpu(&service);
        thread::sleep(Duration::from_secs(1));
        cpu(&service) - used < 0.05
    });
    assert!(rests, "it goes on using CPU");
    let grown = service.process().status("VmRSS:").saturating_sub(before);
    assert!(grown < 4096, "grown by {grown} KiB");
    assert_eq!(service.get("/metrics").status, 200);
    drop(attackers);
}

#[test]
fn requests_that_are_pipelined_are_answered_in_turn() {
    let service = service("");
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut requests = b"\r\n".to_vec();
    requests.extend(HEALTH.repeat(39));
    requests.extend(b"GET /metrics HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n");
    stream.write_all(&requests).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200").count(), 40, "{text}");
    assert!(text.ends_with('\n') && text.contains("node_load1"));
}

#[test]
fn the_second_request_of_a_connection_has_a_time_limit_too() {
    let service = service("client_timeout = \"500ms\"");
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(HEALTH).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    let began = Instant::now();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nX: ").unwrap();
    while !is_closed(&mut stream) {
        // A byte now and then does not help.
        let _ = stream.write(b"a");
        thread::sleep(Duration::from_millis(50));
        assert!(began.elapsed() < PATIENCE, "still open");
    }
    assert_eq!(
        service.metric("edge_http_connections_closed_total{reason=\"slow_request\"}"),
        Some(1.0)
    );
}

#[test]
fn a_head_that_does_not_end_is_cut_off_and_said() {
    let service = service("");
    let request = format!("GET / HTTP/1.1\r\nHost: device\r\nX: {}", "y".repeat(20_000));
    // Nor does it help that all of it comes at once.
    for end in ["", "\r\n\r\n"] {
        assert_eq!(service.request(&(request.clone() + end)).status, 431);
    }
    assert_eq!(
        service.metric("edge_http_connections_closed_total{reason=\"long_head\"}"),
        Some(2.0)
    );
}

#[test]
#[ignore = "takes 40 s; scripts/attack runs it"]
fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let service = service("");
    let stream = pipeline(service.address(), HEALTH);
    let began = Instant::now();
    service.wait_for_metric("edge_http_connections_closed_total{reason=\"not_reading\"}", |count| {
        count == Some(1.0) || began.elapsed() > Duration::from_secs(29)
    });
    thread::sleep(Duration::from_secs(5));
    assert_eq!(
        service.metric("edge_http_connections_closed_total{reason=\"not_reading\"}"),
        Some(1.0)
    );
    drop(stream);
}

#[test]
fn idle_connections_make_room_and_the_watchdog_is_fed_meanwhile() {
    let service = Setup::new("[http]\nmax_connections = 16\n")
        .watchdog(Duration::from_secs(2))
        .start();
    let address = service.address();
    let mut held: Vec<TcpStream> = (0..64_u8)
        .map(|n| {
            let mut stream = connect_from(Ipv4Addr::new(127, 0, 9, n), address);
            stream.write_all(HEALTH).unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200"), "connection {n}");
            stream
        })
        .collect();
    let fed = service.manager.count("WATCHDOG=1");
    for _ in 0..5 {
        assert_eq!(service.get("/metrics").status, 200);
    }
    service.manager.wait_for_nth("WATCHDOG=1", fed + 2);
    let open = held
        .iter_mut()
        .filter_map(|stream| (!is_closed(stream)).then_some(()))
        .count();
    assert!(open < 16, "{open} of them are still open");
}

#[test]
fn connections_that_only_wait_to_ask_do_not_keep_others_out() {
    let service = service("max_connections = 16\nclient_timeout = \"60s\"");
    let address = service.address();
    let held: Vec<TcpStream> = (0..64_u8)
        .map(|n| {
            let mut stream = connect_from(Ipv4Addr::new(127, 0, 9, n), address);
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ").unwrap();
            stream
        })
        .collect();
    assert_eq!(service.get("/metrics").status, 200);
    drop(held);
}

#[test]
fn a_stranger_is_answered_and_let_go() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = Service::start(&format!("[auth]\nusers_file = {:?}\n", file.path()));
    for request in [
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /nope",
        "POST /metrics",
    ] {
        // Reads until the service closes, though the client did not ask for that.
        let answer = ask(
            service.address(),
            format!("{request} HTTP/1.1\r\nHost: device\r\n\r\n").as_bytes(),
        )
        .unwrap();
        assert_eq!(answer.header("connection"), Some("close"), "{request}");
    }
}

/// getpeername(2) fails for it: without an address it must not pass for a client on a Unix socket, which is trusted.
#[test]
fn a_connection_that_is_reset_before_it_is_accepted_is_not_served() {
    let service = Service::start(&only(&["load"]));
    service.signal("STOP");
    for _ in 0..5 {
        let mut stream = TcpStream::connect(service.address()).unwrap();
        stream
            .write_all(b"GET /sensor HTTP/1.1\r\nHost: device\r\n\r\n")
            .unwrap();
        // Resets instead of an orderly end.
        set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    }
    service.signal("CONT");
    assert_eq!(service.get("/sensor").status, 200);
    assert_eq!(service.metric("sensor_requests_total"), Some(1.0));
}

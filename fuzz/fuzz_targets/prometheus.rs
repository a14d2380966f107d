//! What Prometheus, or whatever answers at its address, sends: HTTP and JSON, from a socket.

#![no_main]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use edgewatch_prometheus_client::Client;
use edgewatch_prometheus_client::prometheus::Prometheus;
use libfuzzer_sys::fuzz_target;

static ANSWER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// The address of a server that sends [`ANSWER`] to whoever asks.
static SERVER: LazyLock<String> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let _ = connection.read(&mut request);
            let answer = ANSWER.lock().unwrap().clone();
            let _ = connection.write_all(&answer);
        }
    });
    format!("http://{address}")
});

fuzz_target!(|input: (bool, &[u8])| {
    let (has_head, bytes) = input;
    let head: &[u8] = if has_head { b"HTTP/1.1 200 OK\r\n\r\n" } else { b"" };
    *ANSWER.lock().unwrap() = [head, bytes].concat();
    let client = Client::new(&SERVER).unwrap().with_timeout(Duration::from_secs(1));
    let prometheus = Prometheus::new(client);
    let _ = prometheus.query("up");
    let _ = prometheus.targets();
});

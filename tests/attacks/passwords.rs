//! Guessing passwords, and keeping others out by guessing.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use tempfile::NamedTempFile;

use crate::common::{Answer, Service, ask_on, only, users_file, users_file_of_cost, value_of};

fn service(file: &NamedTempFile) -> Service {
    Service::start(&format!("[auth]\nusers_file = {:?}\n{}", file.path(), only(&["load"])))
}

fn connect_from(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::from((from, 0))).unwrap();
    connect(&socket, &to).unwrap();
    TcpStream::from(socket)
}

fn request(user: &str, password: &str) -> Vec<u8> {
    let credentials = STANDARD.encode(format!("{user}:{password}"));
    format!("GET /metrics HTTP/1.1\r\nHost: device\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

fn log_in(service: SocketAddr, from: Ipv4Addr, user: &str, password: &str) -> Answer {
    ask_on(connect_from(from, service), &request(user, password)).unwrap()
}

/// Of guesses at once as many are checked as pauses end meanwhile, on a machine that takes seconds to send them: after 1 s, 2 s, 4 s.
const MOST_CHECKED: usize = 4;

/// How many of `count` guesses at once, each from an address and for a user of its own choice, are checked.
fn guess(service: SocketAddr, count: u8, who: impl Fn(u8) -> (Ipv4Addr, &'static str)) -> usize {
    let guesses: Vec<_> = (0..count)
        .map(|n| {
            let (from, user) = who(n);
            let request = request(user, &format!("guess {n}"));
            // One that is closed to make room for others was not checked either.
            thread::spawn(move || ask_on(connect_from(from, service), &request).map_or(429, |answer| answer.status))
        })
        .collect();
    let answers: Vec<u16> = guesses.into_iter().map(|guess| guess.join().unwrap()).collect();
    assert!(answers.iter().all(|status| [401, 429].contains(status)), "{answers:?}");
    answers.into_iter().filter(|status| *status == 401).count()
}

#[test]
fn of_many_guesses_at_once_hardly_any_is_checked() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = service(&file);
    let guesser = Ipv4Addr::new(127, 0, 4, 1);
    assert_eq!(guess(service.address(), 1, |_| (guesser, "operator")), 1);
    thread::sleep(Duration::from_millis(1100));
    assert!(guess(service.address(), 40, |_| (guesser, "operator")) <= MOST_CHECKED);
    let elsewhere = Ipv4Addr::new(127, 0, 5, 1);
    assert_eq!(
        log_in(service.address(), elsewhere, "operator", "correct horse").status,
        200
    );
}

#[test]
fn names_that_do_not_exist_bring_no_more_tries() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = service(&file);
    let names = ["root", "admin", "pi", "user"];
    let guesser = Ipv4Addr::new(127, 0, 4, 1);
    assert_eq!(
        guess(service.address(), 20, |n| (guesser, names[usize::from(n % 4)])),
        1
    );
}

#[test]
fn who_shares_an_address_with_a_guesser_is_not_locked_out() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = service(&file);
    let proxy = Ipv4Addr::new(127, 0, 4, 1);
    for _ in 0..2 {
        guess(service.address(), 12, |_| (proxy, "x"));
    }
    assert_eq!(
        log_in(service.address(), proxy, "operator", "correct horse").status,
        200
    );
}

#[test]
fn two_hundred_guessers_do_not_keep_the_owner_out() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = service(&file);
    let crowd = |n| (Ipv4Addr::new(127, 0, 4, n), "operator");
    guess(service.address(), 200, crowd);
    let address = service.address();
    // Not so many that they are in each other's way.
    let again = thread::spawn(move || guess(address, 40, crowd));
    let owner = Ipv4Addr::new(127, 0, 5, 1);
    assert_eq!(
        log_in(service.address(), owner, "operator", "correct horse").status,
        200
    );
    again.join().unwrap();
}

#[test]
fn an_old_password_sent_again_and_again_does_not_lock_out_the_new_one() {
    let file = users_file(&[("operator", "correct horse")]);
    let service = service(&file);
    let proxy = Ipv4Addr::new(127, 0, 4, 1);
    for _ in 0..20 {
        assert_eq!(log_in(service.address(), proxy, "operator", "old").status, 401);
    }
    thread::sleep(Duration::from_millis(1100));
    let answer = log_in(service.address(), proxy, "operator", "correct horse");
    assert_eq!(answer.status, 200);
    assert_eq!(value_of(&answer.text(), "edge_auth_failures_total"), Some(20.0));
}

#[test]
fn who_hangs_up_while_waiting_costs_no_check() {
    // A check that takes a while, so that the others wait for it.
    let file = users_file_of_cost(&[("operator", "correct horse")], 12);
    let service = service(&file);
    let address = service.address();
    let guess = |n: u8| {
        let mut stream = connect_from(Ipv4Addr::new(127, 0, 4, n), address);
        stream.write_all(&request("operator", &format!("guess {n}"))).unwrap();
        stream
    };
    let began = Instant::now();
    assert_eq!(
        log_in(address, Ipv4Addr::new(127, 0, 6, 1), "operator", "wrong").status,
        401
    );
    let one = began.elapsed();
    let first = guess(1);
    thread::sleep(Duration::from_millis(20));
    drop((2..5).map(guess).collect::<Vec<_>>());
    let answer = log_in(address, Ipv4Addr::new(127, 0, 5, 1), "operator", "correct horse");
    assert_eq!(answer.status, 200);
    let checked = value_of(&answer.text(), "edge_auth_checks_total");
    // The wrong one before, the first guess, and the right one.
    assert_eq!(checked, Some(3.0), "a check takes {one:?}");
    drop(first);
}

use super::*;

#[test]
fn a_wait_ends_when_it_is_stopped_and_not_before() {
    let stop = Arc::new(Stop::default());
    assert!(!stop.wait(Duration::from_millis(20)));
    let (waiting, began) = (Arc::clone(&stop), Instant::now());
    let thread = thread::spawn(move || waiting.wait(Duration::from_secs(60)));
    stop.set();
    assert!(thread.join().unwrap());
    assert!(stop.is_set() && began.elapsed() < Duration::from_secs(60));
}

#[test]
fn settings_without_a_directory_say_what_to_do() {
    let settings = Settings {
        directory: Some(PathBuf::from("/var/lib/edgewatch")),
        ..Settings::default()
    };
    assert_eq!(directory(&settings).unwrap(), PathBuf::from("/var/lib/edgewatch"));
    assert!(StartError::NoDirectory.to_string().contains("forward.directory"));
}

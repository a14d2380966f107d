use super::*;

fn says(settings: &Settings) -> String {
    let problems = settings.problems();
    let text = |problem: &Problem| format!("{} = {}: {}", problem.key, problem.value, problem.allowed);
    problems.iter().map(text).collect::<Vec<_>>().join("; ")
}

fn to_ntfy(url: &str) -> Settings {
    Settings {
        ntfy: Some(Ntfy {
            url: Some(url.to_owned()),
            ..Ntfy::default()
        }),
        ..Settings::default()
    }
}

fn to_mail(change: impl FnOnce(&mut Mail)) -> Settings {
    let mut mail = Mail {
        server: "smtps://mail.example.org".to_owned(),
        from: "Gate 7 <gate-7@example.org>".to_owned(),
        to: vec!["me@example.org".to_owned()],
        ..Mail::default()
    };
    change(&mut mail);
    Settings {
        mail: Some(mail),
        ..Settings::default()
    }
}

fn to_telegram(chat: &str) -> Settings {
    Settings {
        telegram: Some(Telegram {
            token_file: Some(PathBuf::from("token")),
            chat: chat.to_owned(),
            ..Telegram::default()
        }),
        ..Settings::default()
    }
}

#[test]
fn without_a_receiver_nothing_is_wrong_and_with_one_nothing_else_is_needed() {
    for settings in [
        Settings::default(),
        to_ntfy("https://ntfy.sh/gate-7_x"),
        to_mail(|_| ()),
        to_telegram("-100123"),
        to_telegram("@channel"),
    ] {
        assert_eq!(says(&settings), "");
    }
    assert!(Settings::default().is_off());
    assert_eq!(to_mail(|_| ()).receivers(), [Name::Mail]);
    let alone = Settings {
        repeat: Duration::from_secs(3600),
        ..Settings::default()
    };
    assert!(says(&alone).contains("[notify.ntfy]"), "{}", says(&alone));
}

#[test]
fn addresses_that_may_be_secrets_are_not_shown() {
    for url in [
        "hunter2",
        "https://hunter2@ntfy.sh/x",
        "ftp://ntfy.sh/hunter2",
        "https://ntfy.sh/hunter2/",
        "https://ntfy.sh/hunter2?x=1",
        "https://ntfy.sh",
        "https://",
    ] {
        let settings = to_ntfy(url);
        // With a slash at the end it is the same topic.
        assert_eq!(
            says(&settings).is_empty(),
            url.ends_with("hunter2/"),
            "{url}: {}",
            says(&settings)
        );
        assert!(!says(&settings).contains("hunter2"), "{}", says(&settings));
    }
    let both = Settings {
        webhook: Some(Webhook {
            url: Some("https://example.org/hook".to_owned()),
            url_file: Some(PathBuf::from("hook")),
            ..Webhook::default()
        }),
        ping: Some(Ping::default()),
        ..Settings::default()
    };
    assert!(says(&both).contains("either url or url_file") && says(&both).contains("ping.url = not set"));
}

#[test]
fn what_cannot_be_is_told_with_what_can() {
    let plain = |mail: &mut Mail| mail.plain = true;
    let with_password = |mail: &mut Mail| {
        mail.server = "smtp://mail.example.org".to_owned();
        mail.plain = true;
        mail.user = Some("me".to_owned());
        mail.password_file = Some(PathBuf::from("password"));
    };
    for (settings, said) in [
        (
            to_mail(|mail| mail.server = "mail.example.org".to_owned()),
            "smtps://HOST",
        ),
        (to_mail(|mail| mail.from = "me".to_owned()), "name@example.org"),
        (to_mail(|mail| mail.to.clear()), "1 to 20"),
        (
            to_mail(|mail| mail.to.push("a@b\r\nRCPT TO:<x@y>".to_owned())),
            "name@example.org",
        ),
        (to_mail(|mail| mail.user = Some("me".to_owned())), "password_file"),
        (to_mail(plain), "false with smtps"),
        (to_mail(with_password), "everybody in between"),
        (to_telegram("me"), "number of a chat"),
        (to_telegram(""), "number of a chat"),
        (
            Settings {
                silence: vec!["info".to_owned()],
                ..to_telegram("1")
            },
            "label=value",
        ),
        (
            Settings {
                repeat: Duration::from_secs(60),
                ..to_telegram("1")
            },
            "600s",
        ),
        (
            Settings {
                grouping: Duration::from_secs(7200),
                ..to_telegram("1")
            },
            "3600s",
        ),
        (
            Settings {
                led: Some("../x".to_owned()),
                ..to_telegram("1")
            },
            "/sys/class/leds",
        ),
        (
            Settings {
                device: Some("a\nb".to_owned()),
                ..to_telegram("1")
            },
            "control",
        ),
        (
            Settings {
                directory: Some(PathBuf::from("here")),
                ..to_telegram("1")
            },
            "absolute",
        ),
        (
            Settings {
                link: Some("gate-7".to_owned()),
                ..to_telegram("1")
            },
            "http://HOST",
        ),
    ] {
        assert!(says(&settings).contains(said), "{said}: {}", says(&settings));
    }
}

#[test]
fn a_device_is_named_by_its_settings_by_the_centres_or_by_its_host() {
    let mut settings = Settings::default();
    assert_eq!(Device::new(&settings, Some("gate-7"), "http", 8000).name, "gate-7");
    let host = Device::new(&settings, None, "https", 8001);
    assert!(host.link == format!("https://{}:8001/", host.name), "{host:?}");
    settings.device = Some("Barn".to_owned());
    settings.link = Some(String::new());
    let named = Device::new(&settings, Some("gate-7"), "http", 8000);
    assert_eq!((&*named.name, &*named.link), ("Barn", ""));
}

use super::*;

fn to_centre() -> Settings {
    Settings {
        url: Some("https://centre.example/api/v1/write".to_owned()),
        ..Settings::default()
    }
}

fn says(settings: &Settings) -> String {
    let problems = settings.problems();
    let lines = problems
        .iter()
        .map(|problem| format!("{} = {}: {}", problem.key, problem.value, problem.allowed));
    lines.collect::<Vec<_>>().join("; ")
}

#[test]
fn without_an_address_nothing_is_wrong_and_with_one_nothing_else_is_needed() {
    assert_eq!(says(&Settings::default()), "");
    assert_eq!(says(&to_centre()), "");
    let edge = &to_centre().external_labels()[EDGE];
    assert!(!edge.is_empty());
}

#[test]
fn settings_without_an_address_are_told() {
    let settings = Settings {
        profile: Profile::Lte,
        ..Settings::default()
    };
    assert!(says(&settings).starts_with("url = not set"), "{}", says(&settings));
}

#[test]
fn an_address_with_a_password_is_refused_and_not_shown() {
    for url in [
        "https://me:hunter2@centre.example/write",
        "me:hunter2@centre",
        "https://x/@hunter2",
    ] {
        let settings = Settings {
            url: Some(url.to_owned()),
            ..Settings::default()
        };
        let said = says(&settings);
        assert!(said.contains("password_file") && !said.contains("hunter2"), "{said}");
        let settings = Settings {
            proxy: Some(url.to_owned()),
            ..to_centre()
        };
        assert!(
            !says(&settings).is_empty() && !says(&settings).contains("hunter2"),
            "{}",
            says(&settings)
        );
    }
    for url in [
        "",
        "centre.example",
        "ftp://centre.example",
        "https://",
        "/api/v1/write",
    ] {
        let settings = Settings {
            url: Some(url.to_owned()),
            ..Settings::default()
        };
        assert!(says(&settings).contains("https://HOST:PORT"), "{url}");
    }
}

#[test]
fn a_label_that_series_have_themselves_is_refused_with_what_to_do() {
    for name in ["device", "instance", "job", "unit", "alertname"] {
        let mut settings = to_centre();
        settings.labels.insert(name.to_owned(), "gate-7".to_owned());
        assert!(says(&settings).contains("such as edge"), "{name}: {}", says(&settings));
    }
    for (name, value) in [
        ("__name__", "x"),
        ("a-b", "x"),
        ("", "x"),
        ("7", "x"),
        ("site", ""),
        ("site", "a\nb"),
    ] {
        let mut settings = to_centre();
        settings.labels.insert(name.to_owned(), value.to_owned());
        assert!(says(&settings).contains("labels"), "{name}={value}");
    }
    let mut settings = to_centre();
    settings.labels.insert("site".to_owned(), "Süd 3".to_owned());
    settings.labels.insert(EDGE.to_owned(), "gate-7".to_owned());
    assert_eq!(says(&settings), "");
    assert_eq!(settings.external_labels()[EDGE], "gate-7");
}

#[test]
fn secrets_in_headers_belong_into_files() {
    for name in [
        "Authorization",
        "X-Api-Key",
        "Cookie",
        "X-Auth-Token",
        "Content-Type",
        "Host",
        "a b",
    ] {
        let mut settings = to_centre();
        settings.headers.insert(name.to_owned(), "hunter2".to_owned());
        assert!(says(&settings).contains("headers"), "{name}");
        assert!(!says(&settings).contains("hunter2"), "{name}");
    }
    let mut settings = to_centre();
    settings.headers.insert("X-Scope-OrgID".to_owned(), "tenant".to_owned());
    settings
        .header_files
        .insert("X-Api-Key".to_owned(), PathBuf::from("key"));
    assert_eq!(says(&settings), "");
    settings
        .header_files
        .insert("authorization".to_owned(), PathBuf::from("key"));
    assert!(
        says(&settings).contains("header_files = authorization"),
        "{}",
        says(&settings)
    );
}

#[test]
fn halves_of_a_pair_are_told() {
    let file = || Some(PathBuf::from("file"));
    for settings in [
        Settings {
            user: Some("me".to_owned()),
            ..to_centre()
        },
        Settings {
            password_file: file(),
            ..to_centre()
        },
        Settings {
            certificate_file: file(),
            ..to_centre()
        },
        Settings {
            key_file: file(),
            ..to_centre()
        },
        Settings {
            user: Some("a:b".to_owned()),
            password_file: file(),
            ..to_centre()
        },
        Settings {
            user: Some("me".to_owned()),
            password_file: file(),
            bearer_token_file: file(),
            ..to_centre()
        },
        Settings {
            url: Some("http://centre".to_owned()),
            ca_file: file(),
            ..to_centre()
        },
        Settings {
            window: Some(Duration::from_millis(10)),
            ..to_centre()
        },
        Settings {
            lag: Duration::ZERO,
            ..to_centre()
        },
        Settings {
            directory: Some(PathBuf::from("here")),
            ..to_centre()
        },
    ] {
        assert_eq!(settings.problems().len(), 1, "{}", says(&settings));
    }
}

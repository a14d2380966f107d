//! Mail: what arrives at a real mail server, and what is said of one that does not take it.

use super::{Files, hot, service};
use crate::common::certificates::Certificates;
use crate::common::eventually;
use crate::common::mail::MailServer;
use crate::common::story::{Story, now};

const NO_SUCH_USER: &str = "550 5.1.1 no such user";

fn mail(server: &str, more: &str) -> String {
    format!(
        "[notify.mail]\nserver = \"{server}\"\nfrom = \"Tür 7 <gate-7@example.org>\"\n\
         to = [\"me@example.org\", \"You <you@example.org>\"]\n{more}\n"
    )
}

#[test]
fn a_mail_arrives_with_its_subject_its_text_and_its_heads() {
    let Some(server) = MailServer::start("a_mail_arrives_with_its_subject_its_text_and_its_heads", &[]) else {
        return;
    };
    let files = Files::new();
    let settings = mail(&format!("smtp://localhost:{}", server.port), "plain = true");
    let (success, text) = files.test(&settings, &[]);
    assert!(success && text.contains("answered 250: Message accepted"), "{text}");
    assert!(eventually(|| server.mails().len() == 1));
    let mail = &server.mails()[0];
    assert_eq!(
        mail["recipients"],
        serde_json::json!(["me@example.org", "you@example.org"])
    );
    assert_eq!(
        (&mail["sender"], &mail["tls"]),
        (&"gate-7@example.org".into(), &false.into())
    );
    assert_eq!(mail["defects"], serde_json::json!([]));
    for (name, value) in [
        ("subject", "gate-7: info: This is a test of edgewatch's notifications"),
        ("from", "Tür 7 <gate-7@example.org>"),
        ("to", "me@example.org, You <you@example.org>"),
        ("auto-submitted", "auto-generated"),
        ("mime-version", "1.0"),
    ] {
        assert_eq!(mail["headers"][name], value, "{mail}");
    }
    for name in ["date", "message-id"] {
        assert!(mail["headers"][name].is_string(), "{name}: {mail}");
    }
    assert!(mail["text"].as_str().unwrap().contains("http://gate-7/"), "{mail}");
}

#[test]
fn a_recipient_that_the_mail_server_does_not_know_keeps_no_other_from_being_told() {
    let test = "a_recipient_that_the_mail_server_does_not_know_keeps_no_other_from_being_told";
    let files = Files::new();
    let (me, you) = ("me@example.org", "you@example.org");
    let Some(server) = MailServer::start(test, &["--refuse", me, NO_SUCH_USER]) else {
        return;
    };
    let settings = |port| mail(&format!("smtp://localhost:{port}"), "plain = true");
    let (success, text) = files.test(&settings(server.port), &[]);
    assert!(success && text.contains("answered 250: Message accepted"), "{text}");
    assert!(
        text.contains("me@example.org is not told: smtp://localhost:") && text.contains("no such user"),
        "{text}"
    );
    assert!(eventually(|| server.mails().len() == 1));
    assert_eq!(server.mails()[0]["recipients"], serde_json::json!([you]));
    // Where nobody is told it is a failure.
    let nobody = ["--refuse", me, NO_SUCH_USER, "--refuse", you, NO_SUCH_USER];
    let Some(server) = MailServer::start(test, &nobody) else {
        return;
    };
    let (success, text) = files.test(&settings(server.port), &[]);
    assert!(!success && text.contains("550"), "{text}");
    assert!(server.mails().is_empty());
}

/// A full mailbox stays full for weeks.
#[test]
fn a_recipient_that_is_refused_for_now_keeps_no_other_from_being_told() {
    let test = "a_recipient_that_is_refused_for_now_keeps_no_other_from_being_told";
    let (me, you) = ("me@example.org", "you@example.org");
    for refused in [
        "450 4.2.0 greylisted",
        "452 4.2.2 mailbox full",
        "552 5.2.2 mailbox full",
    ] {
        let Some(server) = MailServer::start(test, &["--refuse", me, refused]) else {
            return;
        };
        let (story, directory) = (Story::new(vec![hot(now() - 60_000)]), tempfile::tempdir().unwrap());
        let receivers = mail(&format!("smtp://localhost:{}", server.port), "plain = true");
        let service = service(&story, directory.path(), "", &receivers);
        service.log.wait_for("me@example.org is not told");
        assert!(eventually(|| server.mails().len() == 1), "{}", service.log.text());
        assert_eq!(server.mails()[0]["recipients"], serde_json::json!([you]), "{refused}");
        // Who tries the receivers is told at once.
        let (success, text) = Files::new().test(&receivers, &[]);
        assert!(
            success && text.contains("me@example.org is not told"),
            "{refused}: {text}"
        );
    }
}

#[test]
fn a_recipient_that_is_refused_just_once_for_now_is_told() {
    let test = "a_recipient_that_is_refused_just_once_for_now_is_told";
    let (me, you) = ("me@example.org", "you@example.org");
    let Some(server) = MailServer::start(test, &["--refuse-once", me, "451 4.3.0 try again"]) else {
        return;
    };
    let (story, directory) = (Story::new(vec![hot(now() - 60_000)]), tempfile::tempdir().unwrap());
    let receivers = mail(&format!("smtp://localhost:{}", server.port), "plain = true");
    let service = service(&story, directory.path(), "", &receivers);
    assert!(eventually(|| server.mails().len() == 1), "{}", service.log.text());
    assert_eq!(server.mails()[0]["recipients"], serde_json::json!([me, you]));
}

#[test]
fn a_mail_server_wants_a_password_over_tls_and_a_wrong_one_is_told() {
    let certificates = Certificates::new();
    let (certificate, key) = certificates.write("own", "localhost", 2125);
    let test = "a_mail_server_wants_a_password_over_tls_and_a_wrong_one_is_told";
    for (option, scheme) in [("--tls", "smtps"), ("--starttls", "smtp")] {
        let options = [option, &certificate, &key, "--user", "operator", "correct-horse"];
        let Some(server) = MailServer::start(test, &options) else {
            return;
        };
        let files = Files::new();
        let with = |password: &str| {
            let file = files.path(password);
            let more = format!("user = \"operator\"\npassword_file = {file:?}\n");
            let settings = mail(&format!("{scheme}://localhost:{}", server.port), &more);
            files.test(&format!("ca_file = {:?}\n{settings}", certificates.authority), &[])
        };
        let (success, text) = with("password");
        assert!(success, "{scheme}: {text}");
        assert!(eventually(|| server.mails().len() == 1));
        let letter = &server.mails()[0];
        assert_eq!(
            (&letter["tls"], &letter["authenticated"]),
            (&true.into(), &true.into()),
            "{letter}"
        );
        let (success, text) = with("wrong");
        assert!(
            !success && text.contains("535") && text.contains("[notify.mail]"),
            "{scheme}: {text}"
        );
        assert!(!text.contains("staple"), "{text}");
        assert_eq!(server.mails().len(), 1);
        // Without the authority nobody vouches for it.
        let (success, text) = files.test(&mail(&format!("{scheme}://localhost:{}", server.port), ""), &[]);
        assert!(!success && text.contains("UnknownIssuer"), "{scheme}: {text}");
    }
}

#[test]
fn a_mail_server_whose_certificate_is_old_or_of_another_gets_nothing() {
    let test = "a_mail_server_whose_certificate_is_old_or_of_another_gets_nothing";
    let certificates = Certificates::new();
    for (name, host, until, said) in [
        ("old", "localhost", 2020, "xpired"),
        ("other", "mail.example.org", 2125, "not valid for name"),
    ] {
        let (certificate, key) = certificates.write(name, host, until);
        let Some(server) = MailServer::start(test, &["--tls", &certificate, &key]) else {
            return;
        };
        let settings = mail(&format!("smtps://localhost:{}", server.port), "");
        let (success, text) = Files::new().test(&format!("ca_file = {:?}\n{settings}", certificates.authority), &[]);
        assert!(!success && text.contains(said), "{name}: {text}");
        assert!(server.mails().is_empty());
    }
    // Who offers no TLS gets nothing either.
    let Some(server) = MailServer::start(test, &[]) else {
        return;
    };
    let (success, text) = Files::new().test(&mail(&format!("smtp://localhost:{}", server.port), ""), &[]);
    assert!(!success, "{text}");
    assert!(server.mails().is_empty());
}

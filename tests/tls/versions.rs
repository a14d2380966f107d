//! What is spoken, asked by another program.

use super::*;

#[test]
fn other_programs_agree_and_old_versions_of_tls_are_refused() {
    let device = Device::start();
    let address = device.service.address();
    let certificate = device.files.path().join("tls.pem");
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl")
            .args([
                "s_client",
                "-connect",
                &address.to_string(),
                "-servername",
                "localhost",
                "-CAfile",
            ])
            .arg(&certificate)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        Some(format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ))
    };
    let Some(newest) = openssl(&["-tls1_3", "-verify_hostname", "localhost"]) else {
        return skip(
            "other_programs_agree_and_old_versions_of_tls_are_refused",
            "openssl cannot be had here",
        );
    };
    assert!(
        newest.contains("Verify return code: 0 (ok)") && newest.contains("TLSv1.3"),
        "{newest}"
    );
    let older = openssl(&["-tls1_2"]).unwrap();
    assert!(
        older.contains("Verify return code: 0 (ok)") && older.contains("TLSv1.2"),
        "{older}"
    );
    // What the client offers is let through on its own side, so that it is the service that refuses.
    for version in ["-tls1_1", "-tls1"] {
        let refused = openssl(&[version, "-cipher", "ALL:@SECLEVEL=0"]).unwrap();
        assert!(refused.contains("alert handshake failure"), "{version}: {refused}");
    }
    for weak in [
        "AES256-SHA",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-SHA",
        "DHE-RSA-AES256-GCM-SHA384",
    ] {
        let refused = openssl(&["-tls1_2", "-cipher", &format!("{weak}:@SECLEVEL=0")]).unwrap();
        assert!(refused.contains("alert handshake failure"), "{weak}: {refused}");
    }
}

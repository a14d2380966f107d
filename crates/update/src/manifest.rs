//! What is offered: a JSON document `{"manifest": "…", "signature": "…"}`. The first is a JSON document in itself, as text, so that it is
//! clear which bytes the second has signed.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

use crate::error::ManifestError;

/// What an Ed25519 key begins with in DER (RFC 8410, 10.1); its 32 bytes follow.
const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// Characters of the hash in the name of a path of the store.
const HASH: usize = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    manifest: String,
    signature: String,
}

/// A system for a class of devices. A field that this version does not know may be a condition, so that it is refused.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The devices that it is for.
    pub class: String,
    /// Rises with each system that is offered.
    pub serial: u64,
    /// Its path in the store, `/nix/store/HASH-NAME`.
    pub system: PathBuf,
    /// Bytes of all that it consists of, unpacked.
    pub size: u64,
    /// Whether it must be booted even if its kernel is the one that runs.
    pub needs_reboot: bool,
    /// When it is not to be taken any more.
    pub not_after: Timestamp,
}

impl Manifest {
    /// Reads a document that one of `keys` has signed.
    ///
    /// # Errors
    /// It is none, nobody of those has signed it, or it names something that is no path of the store.
    pub fn verify(document: &[u8], keys: &[String]) -> Result<Self, ManifestError> {
        let signed: Signed = serde_json::from_slice(document).map_err(ManifestError::Document)?;
        let signature = BASE64
            .decode(signed.signature.trim())
            .map_err(|_| ManifestError::Signature)?;
        let is_signed = keys.iter().filter_map(|key| public_key(key)).any(|key| {
            UnparsedPublicKey::new(&ED25519, key)
                .verify(signed.manifest.as_bytes(), &signature)
                .is_ok()
        });
        if !is_signed {
            return Err(ManifestError::Signature);
        }
        let manifest: Self = serde_json::from_str(&signed.manifest).map_err(ManifestError::Content)?;
        match manifest.is_in_store() {
            true => Ok(manifest),
            false => Err(ManifestError::System(manifest.system)),
        }
    }

    fn is_in_store(&self) -> bool {
        let Some(name) = self.system.to_str().and_then(|path| path.strip_prefix("/nix/store/")) else {
            return false;
        };
        let is_hash = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._?=".contains(&byte);
        let bytes = name.as_bytes();
        bytes.len() > HASH + 1
            && bytes[..HASH].iter().all(|byte| is_hash(*byte))
            && bytes[HASH] == b'-'
            && bytes[HASH..].iter().all(|byte| is_name(*byte))
    }
}

/// The 32 bytes of a key in base64 of its DER; `None` if it is no Ed25519 key.
pub fn public_key(text: &str) -> Option<Vec<u8>> {
    let der = BASE64.decode(text.trim()).ok()?;
    der.strip_prefix(&PREFIX)
        .filter(|key| key.len() == 32)
        .map(<[u8]>::to_vec)
}

#[cfg(test)]
pub(crate) mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    /// A key pair, and the public key as the settings have it.
    pub(crate) fn keys(seed: u8) -> (Ed25519KeyPair, String) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = BASE64.encode([&PREFIX[..], pair.public_key().as_ref()].concat());
        (pair, public)
    }

    pub(crate) fn signed(pair: &Ed25519KeyPair, manifest: &str) -> Vec<u8> {
        let signature = BASE64.encode(pair.sign(manifest.as_bytes()));
        serde_json::to_vec(&serde_json::json!({ "manifest": manifest, "signature": signature })).unwrap()
    }

    pub(crate) fn text(serial: u64) -> String {
        format!(
            r#"{{"class":"pi","serial":{serial},"system":"/nix/store/{}-nixos-system-pi","size":1000,"needs_reboot":false,"not_after":"2027-01-01T00:00:00Z"}}"#,
            "a".repeat(32)
        )
    }

    #[test]
    fn a_manifest_that_one_of_the_keys_has_signed_is_read() {
        let ((pair, public), (_, other)) = (keys(1), keys(2));
        let manifest = Manifest::verify(&signed(&pair, &text(7)), &[other, public]).unwrap();
        assert_eq!((manifest.serial, &*manifest.class), (7, "pi"));
    }

    #[test]
    fn what_nobody_has_signed_is_not_read_and_no_change_goes_unnoticed() {
        let ((pair, public), (stranger, _)) = (keys(1), keys(2));
        let keys = [public];
        let document = signed(&pair, &text(7));
        for forged in [
            signed(&stranger, &text(7)),
            String::from_utf8(document.clone())
                .unwrap()
                .replace("serial\\\":7", "serial\\\":8")
                .into_bytes(),
            br#"{"manifest":"{}","signature":""}"#.to_vec(),
            br#"{"manifest":"{}","signature":"!"}"#.to_vec(),
        ] {
            assert!(matches!(
                Manifest::verify(&forged, &keys),
                Err(ManifestError::Signature)
            ));
        }
        assert!(matches!(
            Manifest::verify(&document, &[]),
            Err(ManifestError::Signature)
        ));
        for other in [&b""[..], b"<html>", &document[..document.len() / 2]] {
            assert!(matches!(
                Manifest::verify(other, &keys),
                Err(ManifestError::Document(_))
            ));
        }
    }

    #[test]
    fn what_is_signed_and_wrong_is_refused_all_the_same() {
        let (pair, public) = keys(1);
        let verify = |text: &str| Manifest::verify(&signed(&pair, text), std::slice::from_ref(&public));
        for path in [
            "/nix/store/../../etc",
            "/nix/store/short-x",
            "/etc/passwd",
            "/nix/store/",
            "relative",
        ] {
            let text = text(7).replace(&format!("/nix/store/{}-nixos-system-pi", "a".repeat(32)), path);
            assert!(matches!(verify(&text), Err(ManifestError::System(_))), "{path}");
        }
        let more = text(7).replace("\"size\"", "\"only_on_mondays\":true,\"size\"");
        assert!(verify(&more).unwrap_err().to_string().contains("only_on_mondays"));
    }

    #[test]
    fn a_key_of_another_kind_is_none() {
        assert!(public_key("").is_none() && public_key("MCowBQYDK2VwAyEA").is_none() && public_key("!").is_none());
        assert_eq!(public_key(&keys(3).1).unwrap().len(), 32);
    }
}

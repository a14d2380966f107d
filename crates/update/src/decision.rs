//! Whether what is offered is tried. Nothing is written before that.

use jiff::Timestamp;

use crate::error::Refusal;
use crate::manifest::Manifest;
use crate::record::{MAX_TRIES, Record};

/// Bytes that stay free beside an update.
pub const RESERVE: u64 = 128 << 20;

/// Whether there is something to try: `false` if the device has this update already.
///
/// # Errors
/// It must not be tried.
pub fn decide(manifest: &Manifest, class: &str, record: &Record, now: Timestamp) -> Result<bool, Refusal> {
    let serial = manifest.serial;
    if manifest.class != class {
        return Err(Refusal::Class {
            offered: manifest.class.clone(),
            own: class.to_owned(),
        });
    }
    if manifest.not_after < now {
        return Err(Refusal::Expired(manifest.not_after));
    }
    // Whoever can stand between could offer an old one, with holes that are known.
    if serial < record.serial {
        return Err(Refusal::Older {
            offered: serial,
            own: record.serial,
        });
    }
    if record.is_blocked(serial) {
        return Err(Refusal::Blocked {
            serial,
            tries: MAX_TRIES,
        });
    }
    Ok(serial > record.serial)
}

/// Whether there is room for `needed` bytes more.
///
/// # Errors
/// There is not.
pub fn fits(needed: u64, free: u64) -> Result<(), Refusal> {
    match needed.saturating_add(RESERVE) <= free {
        true => Ok(()),
        false => Err(Refusal::TooLarge {
            needed,
            free,
            reserve: RESERVE,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::{keys, signed, text};

    fn manifest(serial: u64) -> Manifest {
        let (pair, public) = keys(1);
        Manifest::verify(&signed(&pair, &text(serial)), &[public]).unwrap()
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn a_newer_system_is_tried_and_the_same_is_there_already() {
        let record = Record {
            serial: 7,
            ..Record::default()
        };
        let decide = |serial| decide(&manifest(serial), "pi", &record, at("2026-11-27T00:00:00Z"));
        assert!(decide(8).unwrap());
        assert!(!decide(7).unwrap());
        assert!(matches!(decide(6), Err(Refusal::Older { offered: 6, own: 7 })));
    }

    #[test]
    fn what_is_for_others_or_too_old_or_has_failed_twice_is_refused() {
        let mut record = Record::default();
        let now = at("2026-11-27T00:00:00Z");
        assert!(matches!(
            decide(&manifest(7), "nuc", &record, now),
            Err(Refusal::Class { .. })
        ));
        assert!(matches!(
            decide(&manifest(7), "pi", &record, at("2027-01-01T00:00:01Z")),
            Err(Refusal::Expired(_))
        ));
        // A device without a clock.
        assert!(decide(&manifest(7), "pi", &record, at("1970-01-01T00:00:00Z")).unwrap());
        record.fail(7);
        record.fail(7);
        assert!(matches!(
            decide(&manifest(7), "pi", &record, now),
            Err(Refusal::Blocked { serial: 7, .. })
        ));
        assert!(
            decide(&manifest(8), "pi", &record, now).unwrap(),
            "the next one may be better"
        );
    }

    #[test]
    fn an_update_leaves_room_for_the_history() {
        assert!(fits(0, RESERVE).is_ok() && fits(1, RESERVE).is_err());
        assert!(matches!(fits(u64::MAX, 1), Err(Refusal::TooLarge { .. })));
    }
}

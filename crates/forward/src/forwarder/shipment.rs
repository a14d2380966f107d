//! One window, from the local Prometheus to the centre.

use std::cell::Cell;
use std::time::Instant;

use edgewatch_program::logging::LogRateLimit;

use crate::compression::{Compression, Negotiated};
use crate::counters::Counters;
use crate::encode::{Body, Encoder, Label, MAX_MESSAGE, MIN_MESSAGE, Sample};
use crate::send::{Answer, Receiver};
use crate::source::{Source, SourceError};
use crate::window::Window;
use edgewatch_outbound::failure::{Failure, Kind};

/// What is needed to send windows, and what was learned while sending.
pub(super) struct Shipper<'a> {
    source: &'a Source,
    counters: &'a Counters,
    /// Labels of all series.
    labels: &'a [Label],
    /// Bytes of a message before compression; less than at first once the centre found one too large.
    limit: usize,
    negotiated: &'a Cell<Negotiated>,
    refusals: LogRateLimit,
}

impl<'a> Shipper<'a> {
    pub(super) fn new(
        source: &'a Source,
        counters: &'a Counters,
        labels: &'a [Label],
        negotiated: &'a Cell<Negotiated>,
    ) -> Self {
        Self {
            source,
            counters,
            labels,
            limit: MAX_MESSAGE,
            negotiated,
            refusals: LogRateLimit::default(),
        }
    }

    /// Sends all samples of a window, and tells how many there were. It is sent as a whole or, after a failure, once more as a whole: what
    /// the centre has already, it takes again.
    ///
    /// # Errors
    /// Prometheus cannot be read, or the centre neither takes nor refuses a request.
    pub(super) fn ship(&mut self, window: Window, receiver: &Receiver) -> Result<u64, Failure> {
        // Pieces of the window, the first one last.
        let mut pieces = vec![window];
        let mut samples = 0;
        while let Some(piece) = pieces.pop() {
            match self.ship_piece(piece, receiver) {
                Ok(count) => samples += count,
                Err(SourceError::TooManySamples) => match piece.halves() {
                    Some((first, second)) => pieces.extend([second, first]),
                    None => return Err(Failure::new(Kind::Source, SourceError::TooManySamples)),
                },
                // The centre took some of it, slowly: half of it has as much time.
                Err(SourceError::TimedOut(failure)) => match piece.halves() {
                    Some((first, second)) => {
                        tracing::info!("forwarding: {failure}; half of the window at once");
                        pieces.extend([second, first]);
                    }
                    None => return Err(failure),
                },
                Err(SourceError::Caller(failure)) if failure.kind == Kind::TooLarge && self.limit > MIN_MESSAGE => {
                    self.limit = (self.limit / 2).max(MIN_MESSAGE);
                    tracing::info!("forwarding: {failure}; smaller requests from now on");
                    pieces.push(piece);
                }
                Err(SourceError::Caller(failure)) if failure.kind == Kind::Encoding && self.is_untried() => {
                    let name = self.negotiated.get().compression().name();
                    tracing::warn!(
                        "forwarding: {failure}; this may be for {name}: snappy from now on, as with forward.compression = \"snappy\""
                    );
                    self.negotiated.set(Negotiated::Taken(Compression::Snappy));
                    pieces.push(piece);
                }
                Err(SourceError::Caller(failure) | SourceError::Unreadable(failure)) => return Err(failure),
            }
        }
        Ok(samples)
    }

    fn ship_piece(&self, window: Window, receiver: &Receiver) -> Result<u64, SourceError> {
        let mut encoder = Encoder::new(self.limit, self.negotiated.get().compression());
        let mut labels = Vec::new();
        let mut requests = 0;
        let mut sink = |own: &[Label], mut samples: &[Sample]| {
            merge(own, self.labels, &mut labels);
            loop {
                samples = &samples[encoder.push(&labels, samples)..];
                if samples.is_empty() {
                    return Ok(());
                }
                self.send(take(&mut encoder)?, receiver)?;
                requests += 1;
            }
        };
        let extent = self.source.read(window, &mut sink).map_err(|error| match error {
            SourceError::TimedOut(failure) if requests == 0 => SourceError::Unreadable(failure),
            SourceError::TimedOut(failure) => SourceError::TimedOut(Failure::new(
                failure.kind,
                format!("{failure}, in which {} answered {requests} requests", receiver.shown()),
            )),
            error => error,
        })?;
        let last = take(&mut encoder).map_err(SourceError::Caller)?;
        self.send(last, receiver).map_err(SourceError::Caller)?;
        if extent.unusable > 0 {
            self.refused(extent.unusable, "labels of more than 32 KiB");
        }
        Ok(extent.samples + extent.unusable)
    }

    fn send(&self, body: Option<Body>, receiver: &Receiver) -> Result<(), Failure> {
        let Some(body) = body else { return Ok(()) };
        let answer = receiver.send(&body)?;
        self.counters.bytes.inc_by(body.bytes.len() as u64);
        match answer {
            Answer::Taken => {
                self.negotiated.set(Negotiated::Taken(body.compression));
                self.counters.sent.inc_by(body.samples);
            }
            // Some centres do not look at the encoding, and call zstd a damaged snappy.
            Answer::Refused(why) if self.is_untried() => return Err(Failure::new(Kind::Encoding, why)),
            Answer::Refused(why) => self.refused(body.samples, &why),
        }
        Ok(())
    }

    fn is_untried(&self) -> bool {
        matches!(self.negotiated.get(), Negotiated::Untried(_))
    }

    fn refused(&self, samples: u64, why: &str) {
        self.counters.refused.inc_by(samples);
        if let Some(suppressed) = self.refusals.allow(Instant::now()) {
            tracing::error!("forwarding: {samples} samples are refused and passed over: {why}{suppressed}");
        }
    }
}

fn take(encoder: &mut Encoder) -> Result<Option<Body>, Failure> {
    // For want of memory, or for a message of more than 4 GiB.
    encoder.take().map_err(|error| Failure::new(Kind::Source, error))
}

/// The labels of a series and the external ones, sorted by name, in `merged`. A series keeps its own value of a label, as with Prometheus'
/// `external_labels`.
pub(super) fn merge(own: &[Label], external: &[Label], merged: &mut Vec<Label>) {
    merged.clear();
    merged.extend_from_slice(own);
    merged.extend(
        external
            .iter()
            .filter(|label| own.iter().all(|other| other.name != label.name))
            .cloned(),
    );
    merged.sort_unstable_by(|one, other| one.name.cmp(&other.name));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use edgewatch_program::lock::lock;
    use prost::Message as _;

    use super::super::tests::{history, serve};
    use super::*;
    use crate::encode::WriteRequest;
    use crate::settings::Settings;

    fn labels(pairs: &[(&str, &str)]) -> Vec<Label> {
        let label = |&(name, value): &(&str, &str)| Label {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        pairs.iter().map(label).collect()
    }

    #[test]
    fn labels_are_sorted_and_a_series_keeps_its_own() {
        let mut merged = Vec::new();
        let own = labels(&[("__name__", "up"), ("Zone", "1"), ("job", "sensor")]);
        merge(&own, &labels(&[("edge", "gate-7"), ("job", "x")]), &mut merged);
        let expected = labels(&[("Zone", "1"), ("__name__", "up"), ("edge", "gate-7"), ("job", "sensor")]);
        assert_eq!(merged, expected);
    }

    #[test]
    fn a_window_for_which_the_centre_is_too_slow_arrives_in_pieces() {
        let first = 1_700_000_000_000;
        let window = Window {
            after: first,
            until: first + 4_000_000,
        };
        let received = Arc::new(Mutex::new(BTreeSet::new()));
        let record = Arc::clone(&received);
        let centre = serve(move |_, body| {
            thread::sleep(Duration::from_millis(150));
            let message = snap::raw::Decoder::new().decompress_vec(body).unwrap();
            let series = WriteRequest::decode(&*message).unwrap().timeseries;
            let samples = series.into_iter().flat_map(|series| series.samples);
            lock(&record).extend(samples.map(|sample| sample.timestamp));
            (204, String::new())
        });
        let source = Source::new(&format!("http://{}", history(first)), "{__name__!=\"\"}").unwrap();
        let source = source.within(Duration::from_secs(1));
        let settings = Settings {
            url: Some(format!("http://{centre}/write")),
            ..Settings::default()
        };
        let (counters, negotiated) = (
            Counters::new().unwrap(),
            Cell::new(Negotiated::Taken(Compression::Snappy)),
        );
        let mut shipper = Shipper::new(&source, &counters, &[], &negotiated);
        // Of 4000 samples some 20 requests, of which a second has time for 6.
        shipper.limit = MIN_MESSAGE;
        let samples = shipper.ship(window, &Receiver::new(&settings).unwrap()).unwrap();
        assert_eq!((samples, lock(&received).len()), (4000, 4000));
        // Where Prometheus is what takes so long, no half of it is better.
        let hangs = serve(|_, _| {
            thread::sleep(Duration::from_secs(2));
            (200, String::new())
        });
        let source = Source::new(&format!("http://{hangs}"), "up")
            .unwrap()
            .within(Duration::from_millis(300));
        let mut shipper = Shipper::new(&source, &counters, &[], &negotiated);
        let failure = shipper.ship(window, &Receiver::new(&settings).unwrap()).unwrap_err();
        assert_eq!(failure.kind, Kind::Source, "{failure}");
    }
}

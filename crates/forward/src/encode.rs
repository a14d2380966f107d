//! remote_write 1.0 (<https://prometheus.io/docs/specs/prw/remote_write_spec/>): a protobuf message, compressed.

use prost::Message;

use crate::compression::{Compression, CompressionError};

/// Bytes of a message before compression: a request is as large as its memory may be. A window of 400 series and five minutes has 220 KB.
pub const MAX_MESSAGE: usize = 384 << 10;
/// What a message is cut down to when the centre finds it too large.
pub const MIN_MESSAGE: usize = 4 << 10;

/// Name and value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub struct Label {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A value at a time.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Sample {
    /// The value.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// Samples of one series.
#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// Sorted by name, with `__name__`.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    /// Sorted by time.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
}

/// The message. Only its tests have one as a whole: a message is the concatenation of the fields it repeats, so series are appended to the
/// bytes one by one.
#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    /// The series.
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
}

/// The field of [`WriteRequest`].
const TIMESERIES: u32 = 1;

/// The body of a request.
#[derive(Debug)]
pub struct Body {
    /// Compressed …
    pub bytes: Vec<u8>,
    /// … like this.
    pub compression: Compression,
    /// How many it has.
    pub samples: u64,
}

/// Collects series for a message.
#[derive(Debug)]
pub struct Encoder {
    limit: usize,
    compression: Compression,
    message: Vec<u8>,
    samples: u64,
}

impl Encoder {
    /// For messages of about `limit` bytes before compression.
    pub const fn new(limit: usize, compression: Compression) -> Self {
        Self {
            limit,
            compression,
            message: Vec::new(),
            samples: 0,
        }
    }

    /// Adds samples of a series, as many as there is room for, and tells how many; at least one if the message is empty, so that there is
    /// an end to it. Fewer than all: [`Self::take`] the message, then add the others.
    pub fn push(&mut self, labels: &[Label], samples: &[Sample]) -> usize {
        // The most that a sample takes: a double, an integer of 10 bytes, and their heads.
        const SAMPLE: usize = 23;
        let head: usize = labels.iter().map(|label| label.encoded_len() + 4).sum::<usize>() + 16;
        let room = self.limit.saturating_sub(self.message.len() + head) / SAMPLE;
        let count = match self.message.is_empty() {
            true => room.max(1),
            false => room,
        }
        .min(samples.len());
        if count > 0 {
            let series = TimeSeries {
                labels: labels.to_vec(),
                samples: samples[..count].to_vec(),
            };
            prost::encoding::message::encode(TIMESERIES, &series, &mut self.message);
            self.samples += count as u64;
        }
        count
    }

    /// The request of what was added, and an empty encoder; `None` if nothing was.
    ///
    /// # Errors
    /// The message cannot be compressed.
    pub fn take(&mut self) -> Result<Option<Body>, CompressionError> {
        if self.message.is_empty() {
            return Ok(None);
        }
        let bytes = self.compression.compress(&self.message)?;
        self.message.clear();
        Ok(Some(Body {
            bytes,
            compression: self.compression,
            samples: std::mem::take(&mut self.samples),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(name: &str) -> Vec<Label> {
        [("__name__", name), ("edge", "gate-7"), ("job", "sensor")]
            .map(|(name, value)| Label {
                name: name.to_owned(),
                value: value.to_owned(),
            })
            .to_vec()
    }

    fn samples(count: i64) -> Vec<Sample> {
        (0..count)
            .map(|index| Sample {
                value: index as f64 / 3.0,
                timestamp: 1_700_000_000_000 + index * 15_000,
            })
            .collect()
    }

    fn decode(body: &Body) -> WriteRequest {
        let message = match body.compression {
            Compression::Snappy => snap::raw::Decoder::new().decompress_vec(&body.bytes).unwrap(),
            Compression::Zstd => zstd::bulk::decompress(&body.bytes, MAX_MESSAGE).unwrap(),
        };
        WriteRequest::decode(&*message).unwrap()
    }

    #[test]
    fn a_message_has_the_series_that_were_added() {
        for compression in [Compression::Snappy, Compression::Zstd] {
            let mut encoder = Encoder::new(MAX_MESSAGE, compression);
            assert!(encoder.take().unwrap().is_none());
            assert_eq!(encoder.push(&labels("up"), &samples(20)), 20);
            assert_eq!(encoder.push(&labels("node_load1"), &samples(3)), 3);
            let body = encoder.take().unwrap().unwrap();
            assert_eq!(body.samples, 23);
            let expected = [("up", 20), ("node_load1", 3)].map(|(name, count)| TimeSeries {
                labels: labels(name),
                samples: samples(count),
            });
            assert_eq!(decode(&body).timeseries, expected);
            assert!(encoder.take().unwrap().is_none());
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        // By hand, after the message of the specification: series, label, sample.
        let mut encoder = Encoder::new(MAX_MESSAGE, Compression::Snappy);
        let label = Label {
            name: "a".to_owned(),
            value: "b".to_owned(),
        };
        let sample = Sample {
            value: 1.0,
            timestamp: 300,
        };
        encoder.push(&[label], &[sample]);
        let body = encoder.take().unwrap().unwrap();
        let message = snap::raw::Decoder::new().decompress_vec(&body.bytes).unwrap();
        let expected = [
            [0x0a, 22].as_slice(),
            &[0x0a, 6, 0x0a, 1, b'a', 0x12, 1, b'b'],
            &[0x12, 12, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 0xac, 0x02],
        ]
        .concat();
        assert_eq!(message, expected);
    }

    #[test]
    fn a_full_message_takes_no_more_and_nothing_is_lost_between_messages() {
        for limit in [0, 100, MIN_MESSAGE, 100_000] {
            let (mut encoder, all) = (Encoder::new(limit, Compression::Snappy), samples(2000));
            let (mut left, mut received) = (&*all, Vec::new());
            while !left.is_empty() {
                let added = encoder.push(&labels("up"), left);
                left = &left[added..];
                if !left.is_empty() {
                    let body = encoder.take().unwrap().unwrap();
                    let request = decode(&body);
                    assert!(request.encoded_len() <= limit.max(150), "{}", request.encoded_len());
                    received.extend(request.timeseries.into_iter().flat_map(|series| series.samples));
                }
            }
            let rest = decode(&encoder.take().unwrap().unwrap());
            received.extend(rest.timeseries.into_iter().flat_map(|series| series.samples));
            assert_eq!(received, all, "{limit}");
        }
    }
}

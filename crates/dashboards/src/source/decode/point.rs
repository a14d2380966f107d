//! A sample as Prometheus writes it.

use std::fmt;

use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

/// `[unix time, "number"]`: numbers are strings, since JSON knows neither NaN nor infinity.
pub(super) struct Point {
    pub(super) time: f64,
    pub(super) value: f64,
}

impl<'de> serde::Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PointVisitor;
        impl<'de> Visitor<'de> for PointVisitor {
            type Value = Point;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time and a value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Point, A::Error> {
                let short = || A::Error::invalid_length(2, &"a time and a value");
                let time = sequence.next_element()?.ok_or_else(short)?;
                let Number(value) = sequence.next_element()?.ok_or_else(short)?;
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Point { time, value })
            }
        }
        deserializer.deserialize_seq(PointVisitor)
    }
}

/// A number in quotes.
struct Number(f64);

impl<'de> serde::Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number in quotes")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(NumberVisitor)
    }
}

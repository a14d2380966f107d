//! Numbers with units, as Grafana writes them (`packages/grafana-data/src/valueFormats` of its source, version 13): its ids, its
//! scaling, its decimals. `tests/fixtures/grafana/` holds what Grafana itself wrote for more than a thousand values.

mod date;
mod formatted;
mod kind;
mod number;
mod span;
mod table;

use jiff::tz::TimeZone;

use self::kind::Kind;
use self::number::Scaled;

pub use self::formatted::Formatted;
pub use self::number::decade;
pub(crate) use self::number::leading_number;

/// Digits behind the point are no more than that: an `f64` has not more, and a file may ask for any number.
const MAX_DECIMALS: u8 = 20;

/// How numbers of a unit are written. To be found once for many values.
#[derive(Clone, Debug)]
pub struct Unit<'a> {
    kind: Kind<'a>,
    zone: Option<&'a TimeZone>,
}

impl<'a> Unit<'a> {
    /// The unit with Grafana's id `id`: one of its table, or a custom one such as `suffix:widgets`, `time:YYYY-MM` or `si:mV`. Any
    /// other text stands behind the number; an empty one leaves it alone.
    pub fn of(id: &'a str) -> Self {
        Self {
            kind: table::of(id),
            zone: None,
        }
    }

    /// The same unit, which shows dates in `zone` instead of the device's.
    pub fn in_zone(self, zone: &'a TimeZone) -> Self {
        Self {
            zone: Some(zone),
            ..self
        }
    }

    /// `value` with `decimals` digits behind the point, or as many as Grafana would choose. NaN is empty. Dates are in
    /// milliseconds since 1970.
    pub fn format(&self, decimals: Option<u8>, value: f64) -> Formatted {
        if value.is_nan() {
            return Formatted::default();
        }
        let decimals = decimals.map(|decimals| decimals.min(MAX_DECIMALS));
        match self.kind {
            Kind::Plain => Formatted::text(number::fixed(value, decimals)),
            Kind::Suffix(unit) => Formatted::suffixed(number::fixed(value, decimals), format!(" {unit}")),
            Kind::Prefix(unit) => Formatted {
                prefix: unit.to_owned(),
                ..Formatted::text(number::fixed(value, decimals))
            },
            Kind::Percent(scale) => Formatted::suffixed(number::fixed(scale * value, decimals), "%"),
            Kind::Short => number::scaled(Scaled::SHORT, 0, decimals, value, ""),
            Kind::Si(unit, offset) => number::scaled(Scaled::SI, offset, decimals, value, unit),
            Kind::Binary(unit, offset) => number::scaled(Scaled::BINARY, offset, decimals, value, unit),
            Kind::Psi => number::scaled(Scaled::PSI, 0, decimals, value, ""),
            Kind::Count(unit) => {
                let scaled = number::scaled(Scaled::COUNT, 0, decimals, value, "");
                Formatted::suffixed(scaled.text, format!("{} {unit}", scaled.suffix))
            }
            Kind::Currency(symbol, place) => number::currency(symbol, place, decimals, value),
            Kind::Financial(symbol, place) => number::financial(symbol, place, decimals, value),
            Kind::Hex { prefix } => Formatted::text(number::hex(prefix, decimals, value)),
            Kind::Scientific => Formatted::text(number::scientific(decimals, value)),
            Kind::Locale => Formatted::text(number::grouped(value, 0, decimals.unwrap_or(3))),
            Kind::Text => Formatted::text(number::shortest(value)),
            Kind::Bool(yes, no) => Formatted::text(if value == 0.0 { no } else { yes }),
            Kind::Span(span) => span::scaled(span, decimals, value),
            Kind::Seconds => span::seconds(decimals, value),
            Kind::Ticks => span::seconds(decimals, value / 100.0),
            Kind::Words { milliseconds, unit } => span::words(milliseconds, unit, decimals, value),
            Kind::HoursMinutesSeconds => span::hours_minutes_seconds(value),
            Kind::DaysHoursMinutesSeconds => span::days_hours_minutes_seconds(value),
            Kind::Clock { milliseconds } => Formatted::text(span::clock(value * milliseconds, decimals)),
            Kind::Date(pattern) => Formatted::text(date::date(value, pattern, self.zone)),
            Kind::DateUnlessToday { other, today } => {
                Formatted::text(date::unless_today(value, other, today, self.zone))
            }
            Kind::FromNow => Formatted::text(date::from_now(value)),
        }
    }

    /// Whether `decimals` digits behind the point say `value` and not another one near it: none say 3, but not 2.5.
    pub fn says(&self, decimals: u8, value: f64) -> bool {
        let number = |decimals| number::parse(&self.format(Some(decimals), value).text);
        match (number(decimals), number(decimals.saturating_add(6))) {
            (Some(said), Some(meant)) => (said - meant).abs() <= meant.abs() * 1e-5,
            // Dates, clocks and words.
            _ => true,
        }
    }

    /// The least difference of values that `decimals` digits tell: 1 for none. `None`: a smaller one is told in a smaller unit,
    /// as half a second in milliseconds.
    pub fn grain(&self, decimals: u8) -> Option<f64> {
        let grain = 10_f64.powi(-i32::from(decimals));
        (!self.says(decimals, grain / 2.0)).then_some(grain)
    }

    /// The text of a tick of an axis whose ticks are `step` apart. Grafana scales each tick by itself, and gives all of them the
    /// digits that the step needs, less the zeros at the end, unless the panel says how many digits there are.
    pub fn tick(&self, decimals: Option<u8>, step: f64, value: f64) -> Formatted {
        match (decimals, number::decimals_of(step)) {
            (None, needed @ 1..) if self.kind.is_trimmed() => {
                let mut formatted = self.format(Some(needed), value);
                if let Ok(number) = formatted.text.parse() {
                    formatted.text = number::shortest(number);
                }
                formatted
            }
            _ => self.format(decimals, value),
        }
    }
}

/// The shortest text of a number, as JavaScript writes it, and so the key of value mappings.
pub(crate) fn shortest(value: f64) -> String {
    number::shortest(value)
}

/// The number that JavaScript reads in a text.
pub(crate) fn parse(text: &str) -> Option<f64> {
    number::parse(text)
}

/// Whether it is a unit of dates.
pub fn is_date(unit: &str) -> bool {
    unit.starts_with("dateTime") || unit.starts_with("time:")
}

/// Whether it says yes or no, and its values are 0 and 1.
pub fn is_boolean(unit: &str) -> bool {
    unit.starts_with("bool")
}

/// Whether Grafana has that unit; another text only stands behind the number.
pub fn is_known(unit: &str) -> bool {
    table::known(unit).is_some()
}

/// `value` in Grafana's unit `unit` (`bytes`, `percentunit`, `s`, …), scaled as Grafana scales it, with `decimals` digits behind
/// the point or as many as Grafana would choose. NaN is `""`.
pub fn format(unit: &str, decimals: Option<u8>, value: f64) -> String {
    Unit::of(unit).format(decimals, value).to_string()
}

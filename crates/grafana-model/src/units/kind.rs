//! How numbers of a unit are written.

use super::number;
use super::span::Stage;
use super::table::built_in;

/// How numbers of a unit are written.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// No unit.
    Plain,
    /// Behind the number and a space.
    Suffix(&'a str),
    /// Before the number.
    Prefix(&'a str),
    /// A percent sign, behind this many times the number.
    Percent(f64),
    /// Thousands, millions …
    Short,
    /// Scaled by 1000; the number is in the unit times 1000 to this power.
    Si(&'a str, i32),
    /// Scaled by 1024; the number is in the unit times 1024 to this power.
    Binary(&'a str, i32),
    /// Pounds per square inch.
    Psi,
    /// Thousands, millions … of something.
    Count(&'a str),
    /// Thousands, millions … of money.
    Currency(&'a str, Place),
    /// Money in full.
    Financial(&'a str, Place),
    /// Hexadecimal.
    Hex {
        /// Before the digits.
        prefix: &'static str,
    },
    /// With an exponent.
    Scientific,
    /// With separators.
    Locale,
    /// As JavaScript writes a number.
    Text,
    /// What stands for other numbers than 0, and for 0.
    Bool(&'a str, &'a str),
    /// A span of time in the unit that makes it short.
    Span(&'static [Stage]),
    /// The same of seconds.
    Seconds,
    /// A span of time in hundredths of a second.
    Ticks,
    /// A span of time in words: `2 hours, 5 minutes`.
    Words {
        /// How long the unit is.
        milliseconds: f64,
        /// Its name.
        unit: &'static str,
    },
    /// `hh:mm:ss` of seconds.
    HoursMinutesSeconds,
    /// `d hh:mm:ss` of seconds.
    DaysHoursMinutesSeconds,
    /// `26h:05m:00s:000ms`.
    Clock {
        /// How many the unit has.
        milliseconds: f64,
    },
    /// A date, by a pattern of [`super::date`].
    Date(&'a str),
    /// The same, with a shorter pattern on this very day.
    DateUnlessToday {
        /// The pattern of other days.
        other: &'static str,
        /// The pattern of this day.
        today: &'static str,
    },
    /// `2 hours ago`.
    FromNow,
}

/// On which side of a number a sign stands.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// On the left.
    Before,
    /// On the right.
    Behind,
}

impl Kind<'_> {
    /// True if ticks of an axis lose the zeros behind the point.
    pub const fn is_trimmed(&self) -> bool {
        !matches!(
            self,
            Self::Date(_)
                | Self::DateUnlessToday { .. }
                | Self::FromNow
                | Self::Currency(..)
                | Self::Financial(..)
                | Self::Bool(..)
                | Self::Locale
        )
    }
}

/// The kind of the unit `id`.
pub fn of(id: &str) -> Kind<'_> {
    built_in(id).or_else(|| custom(id)).unwrap_or(Kind::Suffix(id))
}

/// `prefix:`, `suffix:`, `time:`, `si:`, `count:`, `currency:` and `bool:`.
fn custom(id: &str) -> Option<Kind<'_>> {
    let (key, rest) = id.split_once(':')?;
    let fixed = |kind: fn(_) -> _| if rest.is_empty() { Kind::Plain } else { kind(rest) };
    Some(match key {
        "prefix" => fixed(Kind::Prefix),
        "suffix" => fixed(Kind::Suffix),
        "time" => Kind::Date(rest),
        "si" => {
            let letter = rest.chars().next()?;
            match number::si_offset(letter) {
                0 => Kind::Si(rest, 0),
                offset => Kind::Si(&rest[letter.len_utf8()..], offset),
            }
        }
        "count" => Kind::Count(rest),
        "currency" => {
            let mut parts = rest.split(':');
            match (parts.next(), parts.next(), parts.next()) {
                (Some("financial"), Some(""), _) => Kind::Plain,
                (Some("financial"), Some(symbol), Some("suffix")) => Kind::Financial(symbol, Place::Behind),
                (Some("financial"), Some(symbol), _) => Kind::Financial(symbol, Place::Before),
                _ => Kind::Currency(rest, Place::Before),
            }
        }
        "bool" => {
            let (yes, no) = rest.split_once('/').unwrap_or((rest, "-"));
            Kind::Bool(yes, no)
        }
        _ => return None,
    })
}

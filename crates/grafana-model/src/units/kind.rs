//! How numbers of a unit are written.

use super::formatted::Place;
use super::span::Stage;

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

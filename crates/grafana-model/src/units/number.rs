//! Numbers without a unit, and those whose unit grows with them. Rounds and writes as a browser does, since Grafana runs in one.

use super::formatted::{Formatted, Place};

/// A number as text, in as few digits as tell it from its neighbours, as JavaScript writes it.
pub fn shortest(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if (1e-6..1e21).contains(&size) {
        let text = format!("{value}");
        match digits_behind_point(&text) {
            0 => text,
            // Of two texts that are as near JavaScript takes the even one. So does Rust for a given number of digits, though not here above.
            digits => format!("{value:.digits$}"),
        }
    } else {
        let digits = digits_behind_point(&format!("{value:e}"));
        signed_exponent(&format!("{value:.digits$e}"))
    }
}

fn digits_behind_point(text: &str) -> usize {
    let fraction = text.split_once('.').map_or("", |(_, behind)| behind);
    fraction.split('e').next().map_or(0, str::len)
}

/// The number that JavaScript reads in a text, apart from the spaces around it.
pub fn parse(text: &str) -> Option<f64> {
    let plain = text.trim_start_matches(['+', '-']);
    match plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        Some(digits) if plain.len() == text.len() => u64::from_str_radix(digits, 16).ok().map(|number| number as f64),
        // What Rust reads beside digits is no number there, but for this one.
        _ if plain == "Infinity" || plain.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
            text.replace("Infinity", "inf").parse().ok()
        }
        _ => None,
    }
}

/// `value` with `decimals` digits behind the point. Without them a whole number has none, and any other as many as show three
/// digits that count.
pub fn fixed(value: f64, decimals: Option<u8>) -> String {
    if value.is_infinite() {
        return infinite(value);
    }
    let decimals = decimals.map_or_else(|| enough_decimals(value), i32::from);
    let factor = 10_f64.powi(decimals);
    let rounded = round_half_up(value * factor) / factor;
    let mut text = shortest(rounded);
    if text.contains('e') {
        return text;
    }
    let precision = digits_behind_point(&text);
    let missing = usize::try_from(decimals).unwrap_or(0).saturating_sub(precision);
    if missing > 0 {
        if precision == 0 {
            text.push('.');
        }
        text.extend(std::iter::repeat_n('0', missing));
    }
    text
}

/// Digits behind the point that `step` needs, at most 6.
pub fn decimals_of(step: f64) -> u8 {
    let rounded = round_half_up(step * 1e6 * (1.0 + f64::EPSILON)) / 1e6;
    match shortest(rounded).split_once('.') {
        Some((_, digits)) if !digits.contains('e') => digits.len() as u8,
        _ => 0,
    }
}

/// How a unit grows: each further unit is `factor` times the one before it.
#[derive(Clone, Copy)]
pub struct Scaled {
    factor: f64,
    /// Between the space and the unit.
    prefixes: &'static [&'static str],
    /// Where among the prefixes the unit itself stands.
    base: i32,
    /// Between number and prefix.
    space: &'static str,
}

impl Scaled {
    pub const SHORT: Self = Self {
        factor: 1e3,
        prefixes: &["", " K", " Mil", " Bil", " Tri", " Quadr", " Quint", " Sext", " Sept"],
        base: 0,
        space: "",
    };
    pub const COUNT: Self = Self {
        factor: 1e3,
        prefixes: &["", "K", "M", "B", "T"],
        base: 0,
        space: "",
    };
    pub const SI: Self = Self {
        factor: 1e3,
        prefixes: &SI,
        base: 5,
        space: " ",
    };
    pub const BINARY: Self = Self {
        factor: 1024.0,
        prefixes: &["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"],
        base: 0,
        space: " ",
    };
    pub const PSI: Self = Self {
        factor: 1e3,
        prefixes: &["psi", "ksi", "Mpsi"],
        base: 0,
        space: "",
    };
}

/// SI prefixes from 10⁻¹⁵ to 10²⁴.
const SI: [&str; 14] = ["f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y"];

/// How many steps of thousand a unit that begins with `letter` lies above its base, 0 if it is no prefix. Grafana knows both
/// letters that look like a µ.
pub fn si_offset(letter: char) -> i32 {
    let letter = if letter == 'μ' { 'µ' } else { letter };
    let position = SI.iter().position(|prefix| prefix.chars().eq([letter]));
    position.map_or(0, |position| position as i32 - Scaled::SI.base)
}

/// `value`, which is in `unit` times the factor to the power `offset`, in the unit that makes it at least 1, if there is one.
pub fn scaled(scaled: Scaled, offset: i32, decimals: Option<u8>, value: f64, unit: &str) -> Formatted {
    if value.is_infinite() {
        return Formatted::text(infinite(value));
    }
    let zero = scaled.base + offset;
    let last = scaled.prefixes.len() as i32 - 1;
    let reaches = |place: &i32| value.abs() >= scaled.factor.powi(place - zero);
    let place = match value {
        0.0 => zero.clamp(0, last),
        _ => (0..=last).rev().find(reaches).unwrap_or(0),
    };
    let prefix = scaled.prefixes[place as usize];
    let text = fixed(value / scaled.factor.powi(place - zero), decimals);
    Formatted::suffixed(text, format!("{}{prefix}{unit}", scaled.space))
}

/// An amount of money, in thousands, millions …
pub fn currency(symbol: &str, place: Place, decimals: Option<u8>, value: f64) -> Formatted {
    let Formatted { text, suffix, .. } = scaled(Scaled::COUNT, 0, decimals, value.abs(), "");
    let sign = if value < 0.0 { "-" } else { "" };
    if value.is_infinite() && matches!(place, Place::Behind) {
        return Formatted::text(infinite(value));
    }
    match place {
        Place::Before => Formatted {
            prefix: format!("{sign}{symbol}"),
            text,
            suffix,
        },
        Place::Behind => Formatted {
            prefix: sign.to_owned(),
            text,
            suffix: format!("{suffix}{symbol}"),
        },
    }
}

/// An amount of money in full.
pub fn financial(symbol: &str, place: Place, decimals: Option<u8>, value: f64) -> Formatted {
    let text = grouped(value, decimals.unwrap_or(0), decimals.unwrap_or(1));
    match place {
        Place::Before => Formatted {
            prefix: symbol.to_owned(),
            ..Formatted::text(text)
        },
        Place::Behind => Formatted::suffixed(text, symbol),
    }
}

/// With a comma after every three digits, and `least` to `most` digits behind the point: as people write numbers in English.
pub fn grouped(value: f64, least: u8, most: u8) -> String {
    if value.is_infinite() {
        return infinite(value);
    }
    let (whole, fraction) = rounded_digits(&format!("{}", value.abs()), usize::from(most));
    let fraction = fraction.trim_end_matches('0');
    let mut text = String::new();
    let is_negative = value.is_sign_negative();
    if is_negative {
        text.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    let width = fraction.len().max(usize::from(least));
    if width > 0 {
        text.push_str(&format!(".{fraction:0<width$}"));
    }
    text
}

/// In the base 16, of the number that `decimals` digits behind the point leave.
pub fn hex(prefix: &str, decimals: Option<u8>, value: f64) -> String {
    let Ok(value) = fixed(value, decimals).parse::<f64>() else {
        return format!("{prefix}NAN");
    };
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    // Beyond 2¹²⁸ nobody reads hexadecimal digits.
    let mut text = format!("{sign}{prefix}{:X}", size.trunc() as u128);
    let mut fraction = size.fract();
    // Half the distance to the next number: digits below it would say nothing.
    let mut delta = (0.5 * (size.next_up() - size)).max(f64::MIN_POSITIVE);
    if fraction >= delta {
        text.push('.');
    }
    while fraction >= delta {
        fraction *= 16.0;
        delta *= 16.0;
        let mut digit = fraction.trunc();
        fraction -= digit;
        if fraction > 0.5 && fraction + delta > 1.0 {
            digit += 1.0;
            fraction = 0.0;
        }
        text.push_str(&format!("{:X}", digit as u8));
    }
    text
}

/// Such as `1.5e+3`.
pub fn scientific(decimals: Option<u8>, value: f64) -> String {
    match decimals {
        _ if value.is_infinite() => shortest(value),
        // Without the sign of a zero.
        None => signed_exponent(&format!("{:e}", value + 0.0)),
        Some(decimals) => {
            // All digits that an f64 has near 1, so that halves can be told and go up.
            let exact = format!("{:.60e}", value.abs());
            let (digits, exponent) = exact.split_once('e').unwrap_or((&exact, "0"));
            let (mut whole, mut fraction) = rounded_digits(digits, usize::from(decimals));
            let mut exponent: i32 = exponent.parse().unwrap_or_default();
            if whole.len() > 1 {
                (whole, fraction) = ("1".to_owned(), "0".repeat(usize::from(decimals)));
                exponent += 1;
            }
            let sign = if value < 0.0 { "-" } else { "" };
            let point = if fraction.is_empty() { "" } else { "." };
            signed_exponent(&format!("{sign}{whole}{point}{fraction}e{exponent}"))
        }
    }
}

/// Digits behind the point so that three digits count.
fn enough_decimals(value: f64) -> i32 {
    if value.fract() == 0.0 {
        return 0;
    }
    // By logarithms, as Grafana does it: that of what lies just below a power of ten may be that power's.
    #[expect(clippy::cast_possible_truncation, reason = "an exponent")]
    let decade = (value.abs().ln() / std::f64::consts::LN_10).floor() as i32;
    (2 - decade).max(0)
}

/// The exponent of the power of ten that begins the decade of `value`: 3 for 1000 and for -9999. 0 for zero, NaN and infinity.
///
/// From the digits, since a logarithm is not exact, and brings pages of libm into memory that nothing else needs.
pub fn decade(value: f64) -> i32 {
    let text = format!("{value:e}");
    let exponent = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok());
    exponent.unwrap_or(0)
}

/// Halves go up, also below zero.
fn round_half_up(value: f64) -> f64 {
    let floor = value.floor();
    if value - floor >= 0.5 { floor + 1.0 } else { floor }
}

/// The digits before and behind the point of `plain`, a number without sign and exponent, with `most` behind it; halves go up.
fn rounded_digits(plain: &str, most: usize) -> (String, String) {
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let kept = &fraction[..most.min(fraction.len())];
    let goes_up = fraction[kept.len()..].bytes().next().is_some_and(|digit| digit >= b'5');
    let mut digits: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    let mut point = whole.len();
    if goes_up {
        match digits.iter().rposition(|digit| *digit != b'9') {
            Some(last) => {
                digits[last] += 1;
                digits[last + 1..].fill(b'0');
            }
            None => {
                digits.fill(b'0');
                digits.insert(0, b'1');
                point += 1;
            }
        }
    }
    let text = |digits: &[u8]| digits.iter().map(|digit| char::from(*digit)).collect();
    (text(&digits[..point]), text(&digits[point..]))
}

/// JavaScript writes `1e+21` where Rust writes `1e21`.
fn signed_exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text.to_owned(),
    }
}

fn infinite(value: f64) -> String {
    if value < 0.0 { "-∞" } else { "∞" }.to_owned()
}

/// The number at the beginning of a text, as JavaScript's `parseFloat` finds it.
pub fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let mut end = 0;
    for (at, character) in text.char_indices() {
        let next = at + character.len_utf8();
        if !(character.is_ascii_digit() || "+-.eE".contains(character)) {
            break;
        }
        if text.get(..next).is_some_and(|text| text.parse::<f64>().is_ok()) {
            end = next;
        }
    }
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_texts_that_are_as_near_the_even_one_is_written() {
        for (value, text) in [
            (26_857_714_825_309.813, "26857714825309.812"),
            (-19_237_808_343_023.063, "-19237808343023.062"),
            (0.1, "0.1"),
            (12.0, "12"),
            (1.5e-7, "1.5e-7"),
            (1e21, "1e+21"),
        ] {
            assert_eq!(shortest(value), text);
        }
    }

    #[test]
    fn powers_of_ten_begin_their_own_decade() {
        for exponent in -20..=20 {
            let power: f64 = format!("1e{exponent}").parse().unwrap();
            assert_eq!(decade(power), exponent);
            assert_eq!(decade(-9.999 * power), exponent);
            assert_eq!(decade(power.next_down()), exponent - 1);
        }
        assert_eq!([0.0, f64::NAN, f64::INFINITY].map(decade), [0; 3]);
    }

    #[test]
    fn each_prefix_begins_at_the_whole_power_of_its_factor() {
        let text = |kind, value| {
            let Formatted { text, suffix, .. } = scaled(kind, 0, None, value, "B");
            format!("{text}{suffix}")
        };
        assert_eq!(text(Scaled::SI, 1e3), "1 kB");
        assert_eq!(text(Scaled::SI, 1e3_f64.next_down()), "1000 B");
        assert_eq!(text(Scaled::SI, -1e-3), "-1 mB");
        assert_eq!(text(Scaled::SI, 0.0), "0 B");
        assert_eq!(text(Scaled::SI, 1e30), "1000000 YB");
        assert_eq!(text(Scaled::SI, 2e-15), "2 fB");
    }
}

//! The order of texts as people sort them: by base letters, with neither case nor accents, punctuation before digits before letters.
//! What `Intl.Collator` of a browser does for English (Unicode Technical Standard 10), as far as Latin letters go.

use std::cmp::Ordering;

/// Punctuation and symbols in their order.
const MARKS: &str = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
/// Letters that stand for another with a mark, and that other one.
const ACCENTS: [(&str, char); 12] = [
    ("àáâãäåāăą", 'a'),
    ("çćĉċč", 'c'),
    ("ďđ", 'd'),
    ("èéêëēĕėęě", 'e'),
    ("ĝğġģ", 'g'),
    ("ìíîïĩīĭįı", 'i'),
    ("ñńņň", 'n'),
    ("òóôõöøōŏő", 'o'),
    ("śŝşš", 's'),
    ("ùúûüũūŭůűų", 'u'),
    ("ýÿŷ", 'y'),
    ("źżž", 'z'),
];

/// By base letters.
pub fn compare(one: &str, other: &str) -> Ordering {
    weights(one).cmp(weights(other))
}

/// The same with digits as the numbers that they write: `a2` before `a10`.
pub fn compare_naturally(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let (digits, digits_of_other) = (digits(one), digits(other));
        if !digits.is_empty() && !digits_of_other.is_empty() {
            let number = |digits: &str| digits.trim_start_matches('0').to_owned();
            let (left, right) = (number(digits), number(digits_of_other));
            let order = left.len().cmp(&right.len()).then_with(|| left.cmp(&right));
            if order.is_ne() {
                return order;
            }
            one = one.get(digits.len()..).unwrap_or_default();
            other = other.get(digits_of_other.len()..).unwrap_or_default();
            continue;
        }
        let (mut rest, mut rest_of_other) = (one.chars(), other.chars());
        match (rest.next(), rest_of_other.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => {
                let order = weights(left.encode_utf8(&mut [0; 4])).cmp(weights(right.encode_utf8(&mut [0; 4])));
                if order.is_ne() {
                    return order;
                }
            }
        }
        (one, other) = (rest.as_str(), rest_of_other.as_str());
    }
}

/// The digits at the beginning.
fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// What letters are compared by: the group, and the place in it.
fn weights(text: &str) -> impl Iterator<Item = (u8, u32)> {
    text.chars().flat_map(char::to_lowercase).map(|letter| {
        if let Some(place) = MARKS.chars().position(|mark| mark == letter) {
            return (0, place as u32);
        }
        let base = ACCENTS.iter().find(|(letters, _)| letters.contains(letter));
        let base = base.map_or(letter, |(_, base)| *base);
        match base {
            '0'..='9' => (1, base.into()),
            _ => (2, base.into()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(texts: &str, compare: fn(&str, &str) -> Ordering) -> String {
        let mut texts: Vec<&str> = texts.split(' ').collect();
        texts.sort_by(|a, b| compare(a, b));
        texts.join(" ")
    }

    #[test]
    fn letters_are_sorted_by_their_base() {
        assert_eq!(sorted("z é B e a2 Ä a10 1 _", compare), "_ 1 Ä a10 a2 B é e z");
    }

    #[test]
    fn numbers_in_texts_are_sorted_as_numbers() {
        assert_eq!(
            sorted("web-10 web-9 10.0.0.2 9.0.0.1 1.10 1.9 1.2", compare_naturally),
            "1.2 1.9 1.10 9.0.0.1 10.0.0.2 web-9 web-10"
        );
    }
}

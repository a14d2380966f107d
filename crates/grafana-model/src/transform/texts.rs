//! Texts of columns: `formatTime` and `formatString`.

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, read};
use crate::data::{Field, Frame, Values};
use crate::names::Naming;
use crate::overrides::{Match, is_match};
use crate::scope::Scope;
use crate::time::zone;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct FormatTime {
    time_field: String,
    output_format: String,
    timezone: Option<String>,
}

/// `formatTime`: a column of times as texts, by moment's format.
pub fn time(options: &Value, scope: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: FormatTime = read(options)?;
    let format = scope.text(&options.output_format);
    let zoned = Scope {
        zone: options
            .timezone
            .as_deref()
            .filter(|name| !name.is_empty())
            .map_or_else(|| scope.zone.clone(), zone),
        ..scope.clone()
    };
    let naming = Naming::of(&frames);
    for frame in &mut frames {
        let is_meant: Vec<bool> = frame
            .fields
            .iter()
            .map(|field| naming.name(field, frame) == options.time_field)
            .collect();
        for (field, _) in frame.fields.iter_mut().zip(is_meant).filter(|(_, is)| *is) {
            if let Values::Times(times) = &field.values {
                // It keeps the name that it was chosen by.
                field.renamed = Some(options.time_field.clone());
                field.values = Values::texts(
                    times
                        .iter()
                        .map(|seconds| super::columns::date(*seconds, Some(&format), &zoned)),
                );
            }
        }
    }
    Ok(frames)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct FormatString {
    string_field: String,
    output_format: Shape,
    substring_start: Option<f64>,
    substring_end: Option<f64>,
}

/// What becomes of a text.
#[derive(Clone, Copy, Default, Deserialize)]
enum Shape {
    #[default]
    #[serde(rename = "Upper Case")]
    Upper,
    #[serde(rename = "Lower Case")]
    Lower,
    #[serde(rename = "Sentence Case")]
    Sentence,
    #[serde(rename = "Title Case")]
    Title,
    #[serde(rename = "Pascal Case")]
    Pascal,
    #[serde(rename = "Camel Case")]
    Camel,
    #[serde(rename = "Snake Case")]
    Snake,
    #[serde(rename = "Kebab Case")]
    Kebab,
    Trim,
    Substring,
}

/// `formatString`: the texts of a column in another shape.
pub fn string(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: FormatString = read(options)?;
    let naming = Naming::of(&frames);
    let target = Match::Name(options.string_field.clone());
    for frame in &mut frames {
        let is_meant = |field: &Field| is_match(&target, field, &naming.name(field, frame), frame);
        let is_meant: Vec<bool> = frame.fields.iter().map(is_meant).collect();
        for (field, _) in frame.fields.iter_mut().zip(is_meant).filter(|(_, is)| *is) {
            if let Values::Texts(texts) = &mut field.values {
                texts
                    .iter_mut()
                    .flatten()
                    .for_each(|text| *text = shaped(text, &options));
            }
        }
    }
    Ok(frames)
}

fn shaped(text: &str, options: &FormatString) -> String {
    let words = |between: &str| text.split(' ').map(capital).collect::<Vec<_>>().join(between);
    match options.output_format {
        Shape::Upper => text.to_uppercase(),
        Shape::Lower => text.to_lowercase(),
        Shape::Sentence => first(text, |letter| letter.to_uppercase().collect()),
        Shape::Title => words(" "),
        Shape::Pascal => words(""),
        Shape::Camel => first(&words(""), |letter| letter.to_lowercase().collect()),
        Shape::Snake => text.to_lowercase().replace(' ', "_"),
        Shape::Kebab => text.to_lowercase().replace(' ', "-"),
        Shape::Trim => text.trim().to_owned(),
        Shape::Substring => substring(text, options.substring_start, options.substring_end),
    }
}

fn capital(word: &str) -> String {
    first(&word.to_lowercase(), |letter| letter.to_uppercase().collect())
}

/// `text` with another first letter.
fn first(text: &str, change: impl Fn(char) -> String) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |letter| change(letter) + letters.as_str())
}

/// JavaScript's `substring`: the ends may come in either order.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn substring(text: &str, start: Option<f64>, end: Option<f64>) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let place =
        |at: Option<f64>, otherwise: usize| at.map_or(otherwise, |at| at.clamp(0.0, units.len() as f64) as usize);
    let (a, b) = (place(start, 0), place(end, units.len()));
    String::from_utf16_lossy(units.get(a.min(b)..a.max(b)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{series, table, texts, transform};

    #[test]
    fn times_are_written_as_asked() {
        let options = json!({"timeField": "Time", "outputFormat": "YYYY-MM-DD HH:mm", "timezone": "Europe/Berlin"});
        let frames = vec![series("A", "a", &[], &[5.0])];
        assert_eq!(
            transform("formatTime", options, frames),
            [["Time|a", "1970-01-01 01:00|5"]]
        );
    }

    #[test]
    fn texts_get_another_shape() {
        let of = |format: &str| {
            let options = json!({"stringField": "k", "outputFormat": format, "substringStart": 4, "substringEnd": 1});
            transform("formatString", options, vec![table("A", &[("k", texts(&["éa bC"]))])])[0][1].clone()
        };
        let shapes = ["Upper Case", "Title Case", "Camel Case", "Snake Case", "Substring"].map(of);
        assert_eq!(shapes, ["ÉA BC", "Éa Bc", "éaBc", "éa_bc", "a b"]);
    }
}

//! What stat, gauge and bar gauge show.

use super::super::data::{Data, Field, Frame, Values};
use super::super::display::{self, Display};
use super::super::panel::common::ReduceOptions;
use super::super::pattern::Pattern;
use super::super::time;
use super::{reduce, title};

/// What Grafana shows at most, where a panel says nothing else.
const LIMIT: usize = 25;
/// What is shown at most, whatever a panel says.
const MOST: usize = 500;

/// One of the values that a stat, gauge or bar gauge shows.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// What it is.
    pub title: String,
    /// NaN if it is a text, or missing.
    pub value: f64,
    /// Its text, and its colour: never empty.
    pub display: Display,
    /// Where it comes from.
    pub field: &'a Field,
    /// The times of the series behind it (Unix time in seconds); empty if it is of one point in time.
    pub times: &'a [f64],
}

impl Shown<'_> {
    /// Its colour.
    pub fn color(&self) -> &str {
        self.display.color.as_deref().unwrap_or(&self.field.color)
    }
}

/// What a stat, gauge or bar gauge shows of `data`.
pub fn shown<'a>(options: &ReduceOptions, data: &'a Data) -> Vec<Shown<'a>> {
    let named: Vec<&str> = options.calcs.iter().map(String::as_str).collect();
    let calcs = if named.is_empty() { &["lastNotNull"][..] } else { &named };
    let fields = (!options.fields.is_empty()).then(|| Pattern::new(&options.fields));
    let is_wanted = |field: &Field| match &fields {
        None => matches!(field.values, Values::Numbers(_)),
        Some(Ok(pattern)) => pattern.is_match(&field.name),
        Some(Err(_)) => false,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let limit = options.limit.map_or(LIMIT, |limit| limit.max(1.0) as usize).min(MOST);
    let wanted = data
        .frames
        .iter()
        .flat_map(|frame| frame.fields.iter().map(move |field| (frame, field)));
    let mut found = Vec::new();
    for (frame, field) in wanted.filter(|(_, field)| is_wanted(field)) {
        if options.values {
            let rows = (0..field.values.len()).take(limit - found.len());
            found.extend(rows.map(|row| row_of(frame, field, row)));
        } else {
            found.extend(calcs.iter().map(|calc| calculated(frame, field, calc, calcs.len() > 1)));
        }
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    found
}

fn calculated<'a>(frame: &'a Frame, field: &'a Field, calc: &str, several: bool) -> Shown<'a> {
    let (value, display) = match &field.values {
        Values::Numbers(numbers) => {
            let value = reduce(calc, numbers);
            (value, display::number(&field.options, value))
        }
        Values::Texts(texts) => {
            let text = if calc.starts_with("first") {
                texts.first()
            } else {
                texts.last()
            };
            (f64::NAN, display::text(&field.options, text.map_or("", String::as_str)))
        }
        Values::Times(times) => (
            f64::NAN,
            time(
                field,
                if calc.starts_with("first") {
                    times.first()
                } else {
                    times.last()
                },
            ),
        ),
    };
    let title = match title(calc) {
        Some(calc) if several => format!("{calc} {}", field.name),
        _ => field.name.clone(),
    };
    let times = frame.times().filter(|times| times.len() > 1).unwrap_or_default();
    Shown {
        title,
        value,
        display,
        field,
        times,
    }
}

fn row_of<'a>(frame: &'a Frame, field: &'a Field, row: usize) -> Shown<'a> {
    let (value, display) = match &field.values {
        Values::Numbers(numbers) => {
            let value = numbers.get(row).copied().unwrap_or(f64::NAN);
            (value, display::number(&field.options, value))
        }
        Values::Texts(texts) => (
            f64::NAN,
            display::text(&field.options, texts.get(row).map_or("", String::as_str)),
        ),
        Values::Times(times) => (f64::NAN, time(field, times.get(row))),
    };
    // A row of a table is named by its texts, as in Grafana.
    let texts = frame.fields.iter().filter_map(|other| match &other.values {
        Values::Texts(texts) => texts.get(row).cloned(),
        Values::Times(_) | Values::Numbers(_) => None,
    });
    let mut title = texts.collect::<Vec<_>>().join(" ");
    let numbers = frame
        .fields
        .iter()
        .filter(|field| matches!(field.values, Values::Numbers(_)))
        .count();
    if title.is_empty() {
        title.clone_from(&field.name);
    } else if numbers > 1 {
        title = format!("{title} {}", field.name);
    }
    Shown {
        title,
        value,
        display,
        field,
        times: &[],
    }
}

fn time(field: &Field, seconds: Option<&f64>) -> Display {
    let zone = field.options.zone.clone().unwrap_or_else(time::device);
    Display {
        text: seconds
            .map(|seconds| display::time(&field.options, *seconds, &zone))
            .unwrap_or_default(),
        color: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Panel;

    fn field(name: &str, values: Values) -> Field {
        Field {
            name: name.to_owned(),
            values,
            ..Field::default()
        }
    }

    fn data() -> Data {
        let frame = Frame {
            fields: vec![
                field("Time", Values::times(vec![1.0, 2.0])),
                field("device", Values::Texts(vec!["sda".into(), "sdb".into()])),
                field("used", Values::numbers(vec![10.0, 30.0])),
            ],
            ..Frame::default()
        };
        Data {
            frames: vec![frame],
            ..Data::default()
        }
    }

    fn options(reduce: serde_json::Value) -> ReduceOptions {
        let panel: Panel =
            serde_json::from_value(json!({"type": "stat", "options": {"reduceOptions": reduce}})).unwrap();
        panel.kind().reduce().unwrap().clone()
    }

    fn titles(reduce: serde_json::Value) -> Vec<(String, f64)> {
        let data = data();
        shown(&options(reduce), &data)
            .into_iter()
            .map(|shown| (shown.title, shown.value))
            .collect()
    }

    #[test]
    fn a_panel_shows_one_value_for_each_field_and_calculation() {
        assert_eq!(titles(json!({})), [("used".to_owned(), 30.0)]);
        assert_eq!(
            titles(json!({"calcs": ["min", "mean"]})),
            [("Min used".to_owned(), 10.0), ("Mean used".to_owned(), 20.0)]
        );
    }

    #[test]
    fn or_every_value_named_by_its_row() {
        assert_eq!(
            titles(json!({"values": true})),
            [("sda".to_owned(), 10.0), ("sdb".to_owned(), 30.0)]
        );
        assert_eq!(titles(json!({"values": true, "limit": 1})).len(), 1);
    }

    #[test]
    fn fields_are_chosen_by_a_pattern() {
        let data = data();
        let shown = shown(&options(json!({"fields": "/^device$/"})), &data);
        assert_eq!((shown.len(), &*shown[0].display.text), (1, "sdb"));
    }
}

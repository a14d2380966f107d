//! What stat, gauge and bar gauge show.

use super::super::data::{Cell, Data, Field, Frame, NULL, Values};
use super::super::display::{self, Display};
use super::super::model::Panel;
use super::super::panel::common::ReduceOptions;
use super::super::pattern::Pattern;
use super::super::{color, overrides};
use super::{is_same, reduce};

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
    /// Its text, and its colour.
    pub display: Display,
    /// Where it comes from.
    pub field: &'a Field,
    /// The times of the series behind it (Unix time in seconds); empty if it is of one point in time.
    pub times: &'a [f64],
}

/// What is shown where the panel has no words of its own for nothing.
const NO_DATA: &str = "No data";

/// Whether there is nothing, and the panel has no words of its own for that.
pub fn is_nothing(shown: &[Shown], data: &Data) -> bool {
    matches!(shown, [only] if std::ptr::eq(only.field, &data.nothing) && only.display.text == NO_DATA)
}

/// Whether there is nothing, and the panel's words for that are shown in place of a value.
pub fn is_words_for_nothing(shown: &[Shown], data: &Data) -> bool {
    matches!(shown, [only] if std::ptr::eq(only.field, &data.nothing)
        && only.field.options.no_value.as_ref() == Some(&only.display.text))
}

impl Shown<'_> {
    /// Its colour.
    pub fn color(&self) -> &str {
        self.display.color.as_deref().unwrap_or(&self.field.color)
    }
}

/// What a stat, gauge or bar gauge shows of `data`: at least that there is nothing.
pub fn shown<'a>(panel: &Panel, options: &ReduceOptions, data: &'a Data) -> Vec<Shown<'a>> {
    let calcs: Vec<&str> = match &options.calcs {
        None => vec!["lastNotNull"],
        Some(calcs) if calcs.is_empty() => vec!["last"],
        Some(calcs) => calcs.iter().map(String::as_str).collect(),
    };
    let fields = (!options.fields.is_empty()).then(|| Pattern::new(&options.fields));
    let is_wanted = |field: &Field| match &fields {
        None => field.values.is_numbers(),
        Some(Ok(pattern)) => pattern.is_match(&field.name),
        Some(Err(_)) => false,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let limit = options
        .limit
        .filter(|limit| *limit >= 1.0)
        .map_or(LIMIT, |limit| limit as usize)
        .min(MOST);
    let mut found = Vec::new();
    for frame in &data.frames {
        let mut is_named = false;
        for field in frame.fields.iter().filter(|field| is_wanted(field)) {
            if options.values {
                rows(panel, frame, field, is_named, limit, &mut found);
                is_named |= field.renamed.is_none();
            } else {
                found.extend(calcs.iter().map(|calc| calculated(frame, field, calc)));
            }
            if found.len() >= limit.max(if options.values { 0 } else { MOST }) {
                break;
            }
        }
    }
    if found.is_empty() {
        let mut display = display::number(&data.nothing.options, NULL);
        if display.text.is_empty() {
            NO_DATA.clone_into(&mut display.text);
        }
        found.push(Shown {
            title: String::new(),
            value: f64::NAN,
            display,
            field: &data.nothing,
            times: &[],
        });
    }
    found
}

fn calculated<'a>(frame: &'a Frame, field: &'a Field, calc: &str) -> Shown<'a> {
    let cell = reduce(calc, &field.values);
    Shown {
        // Known no earlier than here.
        title: field.name.replace("${__calc}", calc),
        value: number_of(&cell),
        display: display::cell(&field.options, &cell),
        field,
        times: frame.times().filter(|times| times.len() > 1).unwrap_or_default(),
    }
}

/// The number of a cell that is one.
fn number_of(cell: &Cell<'_>) -> f64 {
    match cell {
        Cell::Number(number) => *number,
        Cell::Boolean(_) => cell.as_number(),
        Cell::Null | Cell::Time(_) | Cell::Text(_) => f64::NAN,
    }
}

/// Every row of a column, as far as they are not too many. `is_named`: a column before it has rows that are named by its texts.
fn rows<'a>(
    panel: &Panel,
    frame: &'a Frame,
    field: &'a Field,
    is_named: bool,
    limit: usize,
    found: &mut Vec<Shown<'a>>,
) {
    let of_palette = color::is_of_series(&field.options.color.mode);
    for row in 0..field.values.len().min(limit.saturating_sub(found.len())) {
        let cell = field.values.cell(row);
        let title = title_of_row(frame, field, row);
        let mut display = display::cell(&field.options, &cell);
        let of_override = color_of_override(panel, &title);
        if of_override.is_some() {
            display.color = of_override;
        } else if display.color.is_none() && of_palette && !(is_named && matches!(cell, Cell::Text(_))) {
            // Equal values of a column have one colour, as Grafana keeps what it has made of them: of texts that named a row before,
            // the colour of their column.
            let first = (0..row).find(|other| is_same(&field.values.cell(*other), &cell));
            let place = first.map_or(found.len(), |first| found.len() - row + first);
            display.color = Some(overrides::series_color(field, place));
        }
        found.push(Shown {
            title,
            value: number_of(&cell),
            display,
            field,
            times: &[],
        });
    }
}

/// A row of a table is named by its texts, and by its column if it has other numbers.
fn title_of_row(frame: &Frame, field: &Field, row: usize) -> String {
    if field.renamed.is_some() {
        return field.name.clone();
    }
    let others = || frame.fields.iter().filter(|other| !std::ptr::eq(*other, field));
    let texts = others().filter(|other| matches!(other.values, Values::Texts(_)));
    let texts = texts.map(|other| match other.values.cell(row) {
        Cell::Text(text) => display::without_unit(&other.options, &text),
        _ => display::without_unit(&other.options, ""),
    });
    let mut parts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    if parts.is_empty() || others().any(|other| other.values.is_numbers()) {
        parts.push(field.name.clone());
    }
    parts.join(" ")
}

/// The colour that an override gives the row of that name.
fn color_of_override(panel: &Panel, title: &str) -> Option<String> {
    let overrides = panel.field_config.overrides.iter();
    let of_row = overrides.filter(|change| change.matcher.id == "byName" && change.matcher.options == title);
    let mut colors = of_row
        .flat_map(|change| &change.properties)
        .filter(|property| property.id == "color");
    let color = colors.find_map(|property| property.value.get("fixedColor")?.as_str())?;
    Some(color::hex(color))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(name: &str, values: Values) -> Field {
        Field::new(name, values)
    }

    fn data() -> Data {
        let frame = Frame {
            fields: vec![
                field("Time", Values::times(vec![1.0, 2.0])),
                field("device", Values::texts(["sda".to_owned(), "sdb".to_owned()])),
                field("used", Values::numbers(vec![10.0, 30.0])),
            ],
            ..Frame::default()
        };
        Data {
            frames: vec![frame],
            ..Data::default()
        }
    }

    fn panel(reduce: &serde_json::Value) -> Panel {
        serde_json::from_value(json!({"type": "stat", "options": {"reduceOptions": reduce}})).unwrap()
    }

    fn of<'a>(reduce: &serde_json::Value, data: &'a Data) -> Vec<Shown<'a>> {
        let panel = panel(reduce);
        shown(&panel, panel.kind().reduce().unwrap(), data)
    }

    fn titles(reduce: serde_json::Value) -> Vec<(String, f64)> {
        let data = data();
        of(&reduce, &data)
            .into_iter()
            .map(|shown| (shown.title, shown.value))
            .collect()
    }

    #[test]
    fn a_panel_shows_one_value_for_each_field_and_calculation() {
        assert_eq!(titles(json!({})), [("used".to_owned(), 30.0)]);
        assert_eq!(
            titles(json!({"calcs": ["min", "mean"]})),
            [("used".to_owned(), 10.0), ("used".to_owned(), 20.0)]
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
    fn texts_that_have_named_a_row_keep_the_colour_of_their_column() {
        let panel = crate::testing::panel(
            json!({"type": "stat", "fieldConfig": {"defaults": {"color": {"mode": "palette-classic"}}},
            "options": {"reduceOptions": {"values": true, "fields": "/.*/"}}}),
        );
        let mut frame = data().frames.remove(0);
        for (index, field) in frame.fields.iter_mut().enumerate() {
            field.options = panel.field_config.defaults.clone().into();
            field.color = format!("own {index}");
        }
        let data = Data {
            frames: vec![frame],
            ..Data::default()
        };
        let colors = |from: usize| -> Vec<String> {
            let mut part = data.clone();
            part.frames[0].fields.drain(..from);
            let shown = shown(&panel, panel.kind().reduce().unwrap(), &part);
            shown.iter().map(|shown| shown.color().to_owned()).collect()
        };
        let palette = |place| overrides::series_color(&data.frames[0].fields[2], place);
        assert_eq!(
            colors(0),
            [
                palette(0),
                palette(1),
                "own 1".into(),
                "own 1".into(),
                palette(4),
                palette(5)
            ]
        );
        // Nothing stands before it whose rows it could have named.
        assert_eq!(colors(1), [palette(0), palette(1), palette(2), palette(3)]);
    }

    #[test]
    fn no_number_no_sample_and_no_series_are_three_states() {
        let special = |kind: &str, text: &str, color: &str| json!({"type": "special", "options": {"match": kind, "result": {"text": text, "color": color}}});
        let mappings = json!([special("nan", "broken", "blue"), special("null", "N/A", "purple")]);
        let panel = crate::testing::panel(
            json!({"type": "stat", "fieldConfig": {"defaults": {"mappings": mappings}},
            "options": {"reduceOptions": {"calcs": ["last"]}}}),
        );
        let scope = crate::testing::scope(crate::variables::Variables::default());
        let of = |values: Option<[f64; 2]>| {
            let field = |values: [f64; 2]| Field {
                options: panel.field_config.defaults.clone().into(),
                ..Field::new("used", Values::numbers(values))
            };
            let frame = |values| Frame {
                fields: vec![field(values)],
                ..Frame::default()
            };
            let data = Data {
                frames: values.map(frame).into_iter().collect(),
                nothing: overrides::nothing(&panel, &scope),
                ..Data::default()
            };
            let shown = shown(&panel, panel.kind().reduce().unwrap(), &data);
            (
                shown[0].display.text.clone(),
                shown[0].color().to_owned(),
                is_nothing(&shown, &data),
            )
        };
        let purple = || ("N/A".to_owned(), color::hex("purple"), false);
        assert_eq!(
            of(Some([1.0, f64::NAN])),
            ("broken".to_owned(), color::hex("blue"), false)
        );
        assert_eq!(of(Some([1.0, NULL])), purple());
        assert_eq!(of(None), purple());
    }

    #[test]
    fn fields_are_chosen_by_a_pattern() {
        let data = data();
        let shown = of(&json!({"fields": "/^device$/"}), &data);
        assert_eq!((shown.len(), &*shown[0].display.text), (1, "sdb"));
    }
}

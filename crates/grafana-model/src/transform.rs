//! Transformations: tables out of series, columns renamed and hidden, and the like.

mod calculate;
mod columns;
mod group;
mod join;
mod merge;
mod rows;
mod series;
mod window;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::data::{Data, Frame};
use super::limits::{self, note};
use super::model::{Matcher, Transformation};
use super::panel::table::{SortBy, Table};
use super::pattern::Pattern;
use super::scope::Scope;
use crate::error::{TransformError, UnsupportedError};

/// What a transformation makes of frames, or why it cannot.
type Transformed = Result<Vec<Frame>, TransformError>;

/// A transformation by its id in Grafana.
type Apply = fn(&Value, &Scope, Vec<Frame>) -> Transformed;

/// Applies `transformations` in their order. One that is not supported is left out and named in [`Data::problems`], as is one that
/// cannot be applied, which ends it: what follows builds on it.
pub fn apply(transformations: &[Transformation], scope: &Scope, data: &mut Data) {
    for transformation in transformations.iter().filter(|transformation| !transformation.disabled) {
        if let Some(problem) = scope.deadline.over() {
            return note(&mut data.problems, problem);
        }
        let apply = match supported(transformation) {
            Ok(apply) => apply,
            Err(problem) => {
                note(&mut data.problems, problem.to_string());
                continue;
            }
        };
        let applied = one(apply, transformation, scope, data.frames.clone()).and_then(bounded);
        match applied {
            Ok(frames) => data.frames = frames,
            Err(problem) => {
                let problem = format!("the transformation {:?}: {problem}", transformation.id);
                return note(&mut data.problems, problem);
            }
        }
    }
}

/// Frames that are not too large for the next transformation: some multiply what they are given.
fn bounded(mut frames: Vec<Frame>) -> Transformed {
    fits(frames.iter().map(Frame::size).sum())?;
    for field in frames.iter_mut().flat_map(|frame| &mut frame.fields) {
        for name in std::iter::once(&mut field.source).chain(&mut field.renamed) {
            *name = limits::cut(std::mem::take(name), limits::NAME);
        }
    }
    Ok(frames)
}

/// Whether a transformation may make so many bytes.
const fn fits(bytes: usize) -> Result<(), TransformError> {
    match bytes {
        0..=limits::FRAMES => Ok(()),
        _ => Err(TransformError::TooLarge),
    }
}

pub use rows::sort_frame;

/// Sorts a table as its option `sortBy` says.
pub fn sort_table(table: &Table, frames: &mut [Frame]) {
    if let Some(SortBy {
        display_name: Some(name),
        desc,
    }) = table.sort_by.first()
    {
        for frame in frames {
            if let Some(column) = frame.fields.iter().position(|field| field.name == *name) {
                sort_frame(frame, column, *desc);
            }
        }
    }
}

/// Whether a transformation is supported; its options may still be odd.
///
/// # Errors
/// It is not.
pub fn check(transformation: &Transformation) -> Result<(), UnsupportedError> {
    supported(transformation).map(|_| ())
}

fn supported(transformation: &Transformation) -> Result<Apply, UnsupportedError> {
    Ok(match transformation.id.as_str() {
        "organize" => columns::organize,
        "order" => columns::order,
        "rename" => columns::rename,
        "filterFieldsByName" => columns::filter_by_name,
        "filterByRefId" => columns::filter_by_query,
        "renameByRegex" => columns::rename_by_pattern,
        "convertFieldType" => columns::convert,
        "sortBy" => rows::sort,
        "limit" => rows::limit,
        "filterByValue" => rows::filter,
        "reduce" => group::reduce,
        "groupBy" => group::group,
        "merge" => merge::merge,
        "joinByField" | "seriesToColumns" => join::by_field,
        "concatenate" => series::concatenate,
        "seriesToRows" => series::series_to_rows,
        "labelsToFields" => series::labels_to_fields,
        "calculateField" => calculate::field,
        other => return Err(UnsupportedError::Transformation(other.to_owned())),
    })
}

/// Applies one to the frames that its filter lets through. The others come before what it makes of them, from the place on where
/// the last of those at the beginning was.
fn one(apply: Apply, transformation: &Transformation, scope: &Scope, frames: Vec<Frame>) -> Transformed {
    let Some(filter) = transformation
        .filter
        .as_ref()
        .filter(|filter| !filter.options.is_null())
    else {
        return apply(&transformation.options, scope, frames);
    };
    let chosen = chooses(filter)?;
    let place = frames.iter().skip(1).position(|frame| !chosen(frame));
    let place = place.map_or(0, |place| place + 1);
    let (taken, others): (Vec<Frame>, Vec<Frame>) = frames.into_iter().partition(|frame| chosen(frame));
    let mut frames = apply(&transformation.options, scope, taken)?;
    let place = place.min(frames.len());
    frames.splice(place..place, others);
    Ok(frames)
}

/// Which frames a matcher chooses.
fn chooses(filter: &Matcher) -> Result<columns::Test<Frame>, TransformError> {
    match filter.id.as_str() {
        "byRefId" => {
            let matches = columns::queries(filter.options.as_str().unwrap_or_default())?;
            Ok(Box::new(move |frame| matches(&frame.ref_id)))
        }
        "byName" => {
            let pattern = Pattern::new(filter.options.as_str().unwrap_or_default())?;
            Ok(Box::new(move |frame| pattern.is_match(&frame.name)))
        }
        other => Err(TransformError::FrameMatcher(other.to_owned())),
    }
}

/// What Grafana calls a frame that it makes of others: `merge-A-B`.
fn made_of(id: &str, frames: &[Frame]) -> String {
    let queries: Vec<&str> = frames.iter().map(|frame| frame.ref_id.as_str()).collect();
    format!("{id}-{}", queries.join("-"))
}

/// The options of a transformation; Grafana's defaults for those that are missing.
fn read<T: DeserializeOwned + Default>(options: &Value) -> Result<T, TransformError> {
    if options.is_null() {
        return Ok(T::default());
    }
    serde_path_to_error::deserialize(options).map_err(TransformError::Options)
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::data::{Field, Frame, Values};
    use crate::time::Zone;

    pub fn scope() -> Scope {
        Scope {
            range: crate::time::TimeRange { from: 0.0, to: 60.0 },
            variables: crate::variables::Variables::default(),
            min_step: 15_000,
            now: None,
            zone: Zone::UTC,
            dashboard: String::new(),
            deadline: limits::Deadline::default(),
        }
    }

    /// A series of a query, with its times.
    pub fn series(query: &str, name: &str, labels: &[(&str, &str)], values: &[f64]) -> Frame {
        let times = (0u32..).zip(values).map(|(time, _)| f64::from(time));
        let field = Field {
            labels: labels.iter().copied().collect(),
            legend: Some(name.to_owned()),
            ..Field::new("Value", Values::numbers(values.iter().copied()))
        };
        Frame {
            name: name.to_owned(),
            ref_id: query.to_owned(),
            fields: vec![Field::new("Time", Values::times(times)), field],
            ..Frame::default()
        }
    }

    /// A table of texts and numbers.
    pub fn table(query: &str, columns: &[(&str, Values)]) -> Frame {
        Frame {
            ref_id: query.to_owned(),
            fields: columns
                .iter()
                .map(|(name, values)| Field::new(*name, values.clone()))
                .collect(),
            ..Frame::default()
        }
    }

    pub fn texts(texts: &[&str]) -> Values {
        Values::texts(texts.iter().map(|text| (*text).to_owned()))
    }

    pub fn numbers(numbers: &[f64]) -> Values {
        Values::numbers(numbers.iter().copied())
    }

    /// What a transformation makes of frames: each as lines of cells, the names first.
    pub fn transform(id: &str, options: Value, frames: Vec<Frame>) -> Vec<Vec<String>> {
        let transformation = Transformation {
            id: id.to_owned(),
            options,
            ..Transformation::default()
        };
        let mut data = Data {
            frames,
            ..Data::default()
        };
        apply(&[transformation], &scope(), &mut data);
        assert!(data.problems.is_empty(), "{:?}", data.problems);
        crate::names::resolve(&mut data.frames);
        data.frames.iter().map(lines).collect()
    }

    fn lines(frame: &Frame) -> Vec<String> {
        let line = |cell: &dyn Fn(&Field) -> String| frame.fields.iter().map(cell).collect::<Vec<_>>().join("|");
        let rows = (0..frame.len()).map(|row| line(&|field: &Field| field.values.text(row)));
        std::iter::once(line(&|field: &Field| field.name.clone()))
            .chain(rows)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::testing::{scope, series};
    use super::*;

    fn problems(transformation: Value) -> Vec<String> {
        let mut data = Data {
            frames: vec![series("A", "a", &[], &[1.0])],
            ..Data::default()
        };
        apply(&[serde_json::from_value(transformation).unwrap()], &scope(), &mut data);
        data.problems
    }

    #[test]
    fn what_is_not_supported_is_named() {
        assert_eq!(
            problems(json!({"id": "regression"})),
            ["the transformation \"regression\" is not supported"]
        );
        let odd = problems(json!({"id": "limit", "options": {"limitField": {}}}));
        assert!(
            odd[0].starts_with("the transformation \"limit\": its options are not understood"),
            "{odd:?}"
        );
        assert!(problems(json!({"id": "regression", "disabled": true})).is_empty());
    }

    #[test]
    fn a_filter_chooses_the_frames_of_a_query() {
        let transformation: Transformation =
            serde_json::from_value(json!({"id": "organize", "options": {"renameByName": {"x": "y"}},
            "filter": {"id": "byRefId", "options": "B"}}))
            .unwrap();
        let mut data = Data {
            frames: vec![series("A", "x", &[], &[1.0]), series("B", "x", &[], &[2.0])],
            ..Data::default()
        };
        apply(&[transformation], &scope(), &mut data);
        crate::names::resolve(&mut data.frames);
        let names: Vec<_> = data
            .frames
            .iter()
            .map(|frame| (&*frame.ref_id, &*frame.fields[1].name))
            .collect();
        assert_eq!(names, [("A", "x"), ("B", "y")]);
    }
}

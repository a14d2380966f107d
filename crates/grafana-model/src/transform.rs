//! Transformations: tables out of series, columns renamed and hidden, and the like.

mod calculate;
mod columns;
mod config;
mod extract;
mod group;
pub mod histogram;
mod join;
mod matrix;
mod merge;
mod nested;
mod partition;
mod regression;
mod rows;
mod series;
#[cfg(test)]
pub(crate) mod testing;
mod texts;
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
            Ok(frames) => {
                data.frames = frames;
                if let Some(remark) = remark(&transformation.id) {
                    note(&mut data.problems, remark.to_owned());
                }
            }
            Err(problem) => {
                let problem = format!("the transformation {:?}: {problem}", transformation.id);
                return note(&mut data.problems, problem);
            }
        }
    }
}

/// What is drawn in another way than in Grafana, for people.
fn remark(id: &str) -> Option<&'static str> {
    match id {
        "groupToNestedTable" => Some("the tables within the rows of a table are drawn as its rows"),
        "timeSeriesTable" => Some("the lines of trends are not drawn, their values are"),
        _ => None,
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
        "formatTime" => texts::time,
        "formatString" => texts::string,
        "groupToNestedTable" => nested::group,
        "groupingToMatrix" => matrix::matrix,
        "transpose" => matrix::transpose,
        "histogram" => histogram::histogram,
        "rowsToFields" => config::rows_to_fields,
        "configFromData" => config::from_data,
        "partitionByValues" => partition::partition,
        "timeSeriesTable" => partition::time_series_table,
        "extractFields" => extract::fields,
        "regression" => regression::trend,
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
            problems(json!({"id": "spatial"})),
            ["the transformation \"spatial\" is not supported"]
        );
        let odd = problems(json!({"id": "limit", "options": {"limitField": {}}}));
        assert!(
            odd[0].starts_with("the transformation \"limit\": its options are not understood"),
            "{odd:?}"
        );
        assert!(problems(json!({"id": "spatial", "disabled": true})).is_empty());
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

//! Transformations: tables out of series, columns renamed and hidden, and the like.

use super::data::Data;
use super::evaluate::Scope;
use super::model::Transformation;

/// Applies `transformations` in their order. One that is not supported ends it, for what follows builds on it, and is named in
/// [`Data::problems`].
pub fn apply(transformations: &[Transformation], scope: &Scope, data: &mut Data) {
    let _ = scope;
    if let Some(first) = transformations.iter().find(|transformation| !transformation.disabled) {
        data.problems
            .push(format!("the transformation {:?} is not supported", first.id));
    }
}

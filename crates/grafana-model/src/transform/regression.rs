//! `regression`: a trend, the line or the polynomial of the least squares.

use serde::Deserialize;
use serde_json::Value;

use super::{Transformed, fits, read};
use crate::data::{Cell, Field, Frame, Values};
use crate::error::TransformError;
use crate::names::Naming;
use crate::overrides::{Match, is_match};
use crate::scope::Scope;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Regression {
    model_type: Option<String>,
    degree: Option<usize>,
    x_field_name: Option<String>,
    y_field_name: Option<String>,
    prediction_count: Option<usize>,
}

/// Points of the curve, where the dashboard does not say how many.
const POINTS: usize = 100;
/// The degree of a polynomial, likewise.
const DEGREE: usize = 2;
/// The greatest degree: Grafana's form offers 5, and beyond 8 the powers are too close to each other for 64 bits.
const GREATEST_DEGREE: usize = 8;

/// `regression`: adds a frame with the curve beside the others.
pub fn trend(options: &Value, _: &Scope, mut frames: Vec<Frame>) -> Transformed {
    let options: Regression = read(options)?;
    let model = options.model_type.as_deref().unwrap_or("linear");
    let degree = match model {
        "linear" => 1,
        "polynomial" => options.degree.unwrap_or(DEGREE),
        other => return Err(TransformError::Trend(other.to_owned())),
    };
    if !(1..=GREATEST_DEGREE).contains(&degree) {
        return Err(TransformError::Degree(GREATEST_DEGREE));
    }
    let (x_name, y_name) = (
        options.x_field_name.unwrap_or_default(),
        options.y_field_name.unwrap_or_default(),
    );
    let naming = Naming::of(&frames);
    let column = |frame: &Frame, name: &str| {
        let wanted = Match::Name(name.to_owned());
        let mut fields = frame.fields.iter();
        fields.position(|field| is_match(&wanted, field, &naming.name(field, frame), frame))
    };
    let found = frames.iter().find_map(|frame| Some((frame, column(frame, &y_name)?)));
    let Some((frame, y)) = found.and_then(|(frame, y)| Some((frame, frame.fields.get(y)?))) else {
        return Ok(frames);
    };
    let Some(x) = column(frame, &x_name).and_then(|x| frame.fields.get(x)) else {
        return Err(TransformError::Apart(x_name, y_name));
    };
    let count = options.prediction_count.unwrap_or(POINTS).max(1);
    fits(count.saturating_mul(2 * size_of::<f64>()))?;
    let places: Vec<f64> = numbers(&x.values).flatten().collect();
    let Some(span) = Span::of(&places) else {
        return Ok(frames);
    };
    let points = numbers(&x.values)
        .zip(numbers(&y.values))
        .filter_map(|(x, y)| Some((span.place(x?), y?)));
    let points: Vec<(f64, f64)> = points.collect();
    let curve = curve(&points, degree).ok_or(TransformError::TooFewPoints(degree, x_name))?;
    #[expect(clippy::cast_precision_loss, reason = "fewer than fit into memory")]
    let at = |index: usize| {
        if index + 1 == count {
            1.0
        } else {
            index as f64 / count as f64
        }
    };
    let at: Vec<f64> = (0..count).map(at).collect();
    let values = Values::numbers(at.iter().map(|at| value(&curve, *at)));
    let at = at.iter().map(|at| span.at(*at));
    let places = if x.values.is_times() {
        Values::times(at)
    } else {
        Values::numbers(at)
    };
    let trend = Frame {
        name: format!("{model} regression"),
        fields: vec![
            Field::new(x.source.clone(), places),
            Field::new(format!("{} predicted", y.source), values),
        ],
        ..Frame::default()
    };
    frames.push(trend);
    Ok(frames)
}

/// The numbers of a column, times in seconds; `None` where there is none.
fn numbers(values: &Values) -> impl Iterator<Item = Option<f64>> {
    values.cells().map(|cell| match cell {
        Cell::Null => None,
        Cell::Time(seconds) => Some(seconds),
        cell => Some(cell.as_number()).filter(|number| number.is_finite()),
    })
}

/// From the least to the greatest place of a curve. Between them it is found over 0 to 1: powers of Unix times have no digits left.
#[derive(Clone, Copy)]
struct Span {
    from: f64,
    length: f64,
}

impl Span {
    fn of(places: &[f64]) -> Option<Self> {
        let from = places.iter().copied().reduce(f64::min)?;
        let to = places.iter().copied().reduce(f64::max)?;
        Some(Self {
            from,
            length: to - from,
        })
    }

    fn place(self, x: f64) -> f64 {
        if self.length > 0.0 {
            (x - self.from) / self.length
        } else {
            0.0
        }
    }

    fn at(self, place: f64) -> f64 {
        place.mul_add(self.length, self.from)
    }
}

/// The value of a polynomial, whose coefficients ascend.
fn value(curve: &[f64], at: f64) -> f64 {
    curve
        .iter()
        .rev()
        .fold(0.0, |value, coefficient| value.mul_add(at, *coefficient))
}

/// The coefficients of the polynomial with the least squares of what is left, from that of the power 0 up; `None`: too few points
/// differ in their place.
///
/// By orthogonal polynomials over the points themselves (G. E. Forsythe, J. SIAM 5, 1957): there is no system of equations to
/// solve, and high degrees keep their digits.
fn curve(points: &[(f64, f64)], degree: usize) -> Option<Vec<f64>> {
    let mut curve = vec![0.0; degree + 1];
    let mut before = vec![0.0; degree + 1];
    let mut now = vec![0.0; degree + 1];
    *now.first_mut()? = 1.0;
    let mut before_norm = 0.0;
    for power in 0..=degree {
        let at = |x: f64| value(&now, x);
        let norm: f64 = points.iter().map(|(x, _)| at(*x).powi(2)).sum();
        // Of as many points as the degree, the polynomial through all of them is 0 everywhere but for rounding.
        if norm <= f64::EPSILON.powi(2) * points.len() as f64 {
            return None;
        }
        let share = points.iter().map(|(x, y)| at(*x) * y).sum::<f64>() / norm;
        curve.iter_mut().zip(&now).for_each(|(sum, part)| *sum += share * part);
        if power == degree {
            break;
        }
        let middle = points.iter().map(|(x, _)| x * at(*x).powi(2)).sum::<f64>() / norm;
        let back = if before_norm > 0.0 { norm / before_norm } else { 0.0 };
        let shifted = std::iter::once(0.0).chain(now.iter().copied());
        let next = shifted
            .zip(&now)
            .zip(&before)
            .map(|((shifted, now), before)| shifted - middle * now - back * before);
        let next: Vec<f64> = next.collect();
        before = std::mem::replace(&mut now, next);
        before_norm = norm;
    }
    Some(curve)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, series, table, transform, transform_with_notes};
    use super::*;
    use crate::data::NULL;

    fn points(lines: &[String]) -> Vec<(f64, f64)> {
        let point = |line: &String| {
            let (x, y) = line.split_once('|').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        };
        lines[1..].iter().map(point).collect()
    }

    fn xy(x: &[f64], y: &[f64]) -> Vec<Frame> {
        vec![table("A", &[("x", numbers(x)), ("y", numbers(y))])]
    }

    #[test]
    fn a_line_and_a_polynomial_run_through_points_that_lie_on_one() {
        let options = json!({"xFieldName": "x", "yFieldName": "y", "predictionCount": 4});
        let found = transform("regression", options, xy(&[4.0, 0.0, 8.0], &[9.0, 1.0, 17.0]));
        assert_eq!(found.len(), 2, "beside what was there");
        assert_eq!(found[1][0], "linear regression x|linear regression y predicted");
        assert_eq!(points(&found[1]), [(0.0, 1.0), (2.0, 5.0), (4.0, 9.0), (8.0, 17.0)]);
        let cubic = |x: f64| 2.0 * x.powi(3) - x + 5.0;
        let x: Vec<f64> = (-5..=5).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| cubic(*x)).collect();
        let options = json!({"modelType": "polynomial", "degree": 3, "xFieldName": "x", "yFieldName": "y"});
        let found = transform("regression", options, xy(&x, &y));
        assert_eq!(points(&found[1]).len(), 100);
        for (x, y) in points(&found[1]) {
            assert!((y - cubic(x)).abs() < 1e-9, "{x}: {y}");
        }
    }

    #[test]
    fn squares_are_the_least_and_a_gap_is_no_point() {
        // By hand: the mean of x is 2, of y 5/2, and the slope 7/10.
        let frames = xy(&[0.0, 1.0, 3.0, 4.0, 2.0], &[1.0, 2.0, 3.0, 4.0, NULL]);
        let options = json!({"xFieldName": "x", "yFieldName": "y", "predictionCount": 2});
        let found = points(&transform("regression", options, frames)[1]);
        assert!(
            (found[0].1 - 1.1).abs() < 1e-12 && (found[1].1 - 3.9).abs() < 1e-12,
            "{found:?}"
        );
    }

    #[test]
    fn the_digits_of_unix_times_are_kept() {
        let mut frame = series("A", "load", &[], &[]);
        let times: Vec<f64> = (0..=360)
            .map(|minute| f64::from(minute).mul_add(60.0, 1_778_666_400.0))
            .collect();
        let values = times.iter().map(|time| ((time - times[0]) / 3600.0).powi(5));
        frame.fields = vec![
            Field::new("Time", Values::times(times.iter().copied())),
            Field::new("load", Values::numbers(values)),
        ];
        let options = json!({"modelType": "polynomial", "degree": 5, "xFieldName": "Time", "yFieldName": "load", "predictionCount": 6});
        let found = transform("regression", options, vec![frame]);
        for (millis, value) in points(&found[1]) {
            let hours = (millis / 1000.0 - times[0]) / 3600.0;
            assert!((value - hours.powi(5)).abs() < 1e-6, "{hours}: {value}");
        }
    }

    #[test]
    fn what_no_curve_can_be_drawn_through_is_said() {
        let problem = |options: serde_json::Value, frames: Vec<Frame>| {
            let (frames, notes) = transform_with_notes("regression", options, frames);
            assert_eq!((frames.len(), notes.len()), (1, 1), "{notes:?}");
            notes[0].clone()
        };
        let of = |x: &str, y: &str, more: serde_json::Value| {
            let mut options = json!({"xFieldName": x, "yFieldName": y});
            options
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            options
        };
        let frames = || xy(&[3.0, 3.0], &[1.0, 2.0]);
        assert!(problem(of("x", "y", json!({})), frames()).contains("more than 1 different values of \"x\""));
        assert!(problem(of("z", "y", json!({})), frames()).contains("not in one table"));
        assert!(problem(of("x", "y", json!({"modelType": "cubic"})), frames()).contains("\"cubic\""));
        assert!(problem(of("x", "y", json!({"modelType": "polynomial", "degree": 0})), frames()).contains("1 to 8"));
        assert!(problem(of("x", "y", json!({"predictionCount": 1_000_000_000_u64})), frames()).contains("MiB"));
        let found = transform("regression", of("x", "none", json!({})), frames());
        assert_eq!(found.len(), 1, "Grafana leaves what it does not find as it is");
    }
}

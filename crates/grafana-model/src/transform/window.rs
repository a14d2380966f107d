//! Moving calculations of `calculateField`.

use serde::Deserialize;

use crate::data::is_null;
use crate::error::TransformError;
use crate::reduce;

/// Values of a column times those of its window: each window is calculated anew, as Grafana does it.
const MAX_STEPS: usize = 4_000_000;

/// How a calculation moves.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Window {
    /// Over which column; `None`: the first of numbers.
    pub field: Option<String>,
    reducer: String,
    window_alignment: Alignment,
    window_size_mode: SizeMode,
    window_size: f64,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
enum Alignment {
    Trailing,
    Centered,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
enum SizeMode {
    Percentage,
    Fixed,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            field: None,
            reducer: "mean".to_owned(),
            window_alignment: Alignment::Trailing,
            window_size_mode: SizeMode::Percentage,
            window_size: 0.1,
        }
    }
}

impl Window {
    /// The name of the column.
    pub fn name(&self) -> String {
        let alignment = match self.window_alignment {
            Alignment::Trailing => "trailing",
            Alignment::Centered => "centered",
        };
        let of = self.field.as_ref().map(|name| format!("({name})")).unwrap_or_default();
        format!("{alignment} moving {}{of}", self.reducer)
    }

    /// The calculation at each place of a column.
    ///
    /// # Errors
    /// It cannot move.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "rows"
    )]
    pub fn over(&self, numbers: &[f64]) -> Result<Vec<f64>, TransformError> {
        if self.window_size <= 0.0 {
            return Err(TransformError::NoWindow);
        }
        if !matches!(self.reducer.as_str(), "mean" | "variance" | "stdDev") {
            return Err(TransformError::Moving(self.reducer.clone()));
        }
        let whole = match self.window_size_mode {
            SizeMode::Percentage => numbers.len() as f64,
            SizeMode::Fixed => 1.0,
        };
        let length = (self.window_size * whole).ceil() as usize;
        if numbers.len().saturating_mul(length.min(numbers.len())) > MAX_STEPS {
            return Err(TransformError::Window);
        }
        let (back, ahead) = match self.window_alignment {
            Alignment::Trailing => (length.saturating_sub(1), 0),
            Alignment::Centered => (length / 2, length.div_ceil(2).saturating_sub(1)),
        };
        let at = |place: usize| {
            let end = (place + ahead + 1).min(numbers.len());
            let part: Vec<f64> = numbers
                .get(place.saturating_sub(back)..end)
                .unwrap_or_default()
                .to_vec();
            match part.iter().all(|number| is_null(*number)) {
                true => 0.0,
                false => reduce::reduce_numbers(&self.reducer, part),
            }
        };
        Ok((0..numbers.len()).map(at).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_window_moves_over_what_is_before_or_around() {
        let over = |options| {
            let window: Window = serde_json::from_value(options).unwrap();
            (window.name(), window.over(&[1.0, 2.0, 6.0, 3.0]).unwrap())
        };
        assert_eq!(
            over(json!({"windowSizeMode": "fixed", "windowSize": 2, "field": "v"})),
            ("trailing moving mean(v)".to_owned(), vec![1.0, 1.5, 4.0, 4.5])
        );
        assert_eq!(
            over(json!({"windowSize": 0.75, "windowAlignment": "centered"})).1,
            [1.5, 3.0, 11.0 / 3.0, 4.5]
        );
        let whole = Window {
            window_size: 1.0,
            ..Window::default()
        };
        assert!(whole.over(&vec![1.0; 1000]).is_ok());
        assert!(
            whole
                .over(&vec![1.0; 100_000])
                .unwrap_err()
                .to_string()
                .contains("too long")
        );
        assert!(
            Window {
                window_size: 0.0,
                ..Window::default()
            }
            .over(&[1.0])
            .is_err()
        );
    }
}

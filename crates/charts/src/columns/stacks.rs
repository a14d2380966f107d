//! Bars beside or upon each other.

use edgewatch_grafana_model::panel::timeseries::StackingMode;

/// Where bars begin and end.
pub struct Stacks(Vec<Vec<(f64, f64)>>);

impl Stacks {
    /// Those of columns of values, beside or upon each other.
    pub fn of(mode: StackingMode, columns: &[&[f64]], rows: usize) -> Self {
        let value = |column: &[f64], row: usize| column.get(row).copied().filter(|value| value.is_finite());
        let total = |row: usize| {
            columns
                .iter()
                .filter_map(|column| value(column, row))
                .map(f64::abs)
                .sum::<f64>()
        };
        let mut sums = vec![[0.0_f64; 2]; rows];
        let places = columns.iter().map(|column| {
            let place = |row: usize| {
                let whole = value(column, row).unwrap_or(0.0);
                let whole = match (mode, total(row)) {
                    (StackingMode::Percent, total) if total > 0.0 => whole / total,
                    _ => whole,
                };
                if mode == StackingMode::None {
                    return (0.0, whole);
                }
                let sum = &mut sums[row][usize::from(whole < 0.0)];
                let from = *sum;
                *sum += whole;
                (from, *sum)
            };
            (0..rows).map(place).collect()
        });
        Self(places.collect())
    }

    /// Those of a cell.
    pub fn place(&self, column: usize, row: usize) -> (f64, f64) {
        self.0
            .get(column)
            .and_then(|rows| rows.get(row))
            .copied()
            .unwrap_or_default()
    }

    /// Where all of them begin and end.
    pub fn ends(&self) -> impl Iterator<Item = f64> {
        self.0.iter().flatten().flat_map(|(from, to)| [*from, *to])
    }
}

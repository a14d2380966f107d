//! The calculations that Grafana makes together, in one pass over a column.

use crate::data::{Cell, Values};

/// What one pass finds.
#[derive(Debug)]
pub struct Standard<'v> {
    values: &'v Values,
    first: Option<Cell<'v>>,
    last: Option<Cell<'v>>,
    count: f64,
    numbers: f64,
    sum: f64,
    max: f64,
    min: f64,
    least_above_zero: f64,
    step: f64,
    delta: f64,
    has_nonzero: bool,
}

impl<'v> Standard<'v> {
    /// The pass over `values`.
    pub fn of(values: &'v Values) -> Self {
        let is_numeric = matches!(values, Values::Numbers(_) | Values::Times(_));
        let mut found = Self {
            values,
            first: None,
            last: None,
            count: 0.0,
            numbers: 0.0,
            sum: 0.0,
            // Grafana begins with the greatest numbers: what is infinite is neither the least nor the greatest.
            max: -f64::MAX,
            min: f64::MAX,
            least_above_zero: f64::MAX,
            step: f64::MAX,
            delta: 0.0,
            has_nonzero: false,
        };
        let mut grew = true;
        for cell in values.cells().filter(|cell| !cell.is_null()) {
            found.count += 1.0;
            if matches!(cell, Cell::Number(number) if number.is_nan()) {
                continue;
            }
            if is_numeric {
                found.add(cell.as_number(), &mut grew);
            }
            found.has_nonzero |= !matches!(cell, Cell::Number(0.0));
            found.first.get_or_insert_with(|| cell.clone());
            found.last = Some(cell);
        }
        found
    }

    fn add(&mut self, number: f64, grew: &mut bool) {
        self.sum += number;
        self.numbers += 1.0;
        if let Some(before) = self.last.as_ref().map(Cell::as_number) {
            let step = number - before;
            if self.step > step {
                self.step = step;
            }
            // A counter that begins anew: what it had counted by then is not known.
            if before > number {
                *grew = false;
            } else {
                if *grew {
                    self.delta += step;
                }
                *grew = true;
            }
        }
        if number > self.max {
            self.max = number;
        }
        if number < self.min {
            self.min = number;
        }
        if number > 0.0 && number < self.least_above_zero {
            self.least_above_zero = number;
        }
    }

    /// The result of one of the calculations.
    pub fn result(&self, calc: &str) -> Cell<'static> {
        match calc {
            "count" => Cell::Number(self.count),
            "sum" | "total" => Cell::Number(self.sum),
            "max" => self.alike(self.max()),
            "min" => self.alike(self.min()),
            "mean" | "avg" => self.alike((self.numbers > 0.0).then(|| self.sum / self.numbers)),
            "range" => or_null(self.max().zip(self.min()).map(|(max, min)| max - min)),
            "diff" => or_null(self.difference().map(|(_, difference)| difference)),
            "diffperc" => Cell::Number(
                self.difference()
                    .map_or(0.0, |(first, difference)| difference / first * 100.0),
            ),
            "delta" => Cell::Number(self.delta),
            "step" => or_null((self.step != f64::MAX).then_some(self.step)),
            "logmin" => Cell::Number(self.least_above_zero),
            "allIsNull" => Cell::Boolean(self.numbers == 0.0),
            "allIsZero" => Cell::Boolean(self.numbers > 0.0 && !self.has_nonzero),
            _ => Cell::Null,
        }
    }

    fn max(&self) -> Option<f64> {
        (self.max != -f64::MAX).then_some(self.max)
    }

    fn min(&self) -> Option<f64> {
        (self.min != f64::MAX).then_some(self.min)
    }

    /// The first number, and how far the last lies from it.
    fn difference(&self) -> Option<(f64, f64)> {
        let number = |cell: &Cell<'_>| matches!(cell, Cell::Number(_) | Cell::Time(_)).then(|| cell.as_number());
        let (first, last) = (number(self.first.as_ref()?)?, number(self.last.as_ref()?)?);
        Some((first, last - first))
    }

    /// A result that is of the same kind as the values.
    fn alike(&self, number: Option<f64>) -> Cell<'static> {
        match (number, self.values) {
            (None, _) => Cell::Null,
            (Some(number), Values::Times(_)) => Cell::Time(number / 1000.0),
            (Some(number), _) => Cell::Number(number),
        }
    }
}

fn or_null(number: Option<f64>) -> Cell<'static> {
    number.map_or(Cell::Null, Cell::Number)
}

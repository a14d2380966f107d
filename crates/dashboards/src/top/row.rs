//! A row of a panel in a terminal, for any width.

/// A text with a colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Painted {
    /// The text.
    pub text: String,
    /// `#rrggbb`, or empty.
    pub color: String,
}

/// A state that lasts for a while.
#[derive(Clone, Debug)]
pub struct State {
    /// When it begins: a fraction of the range.
    pub from: f64,
    /// When it ends.
    pub to: f64,
    /// Its number in this panel.
    pub number: usize,
    /// `#rrggbb`, or empty.
    pub color: String,
}

/// A line of a panel.
#[derive(Clone, Debug)]
pub enum Row {
    /// Words, wrapped to the width.
    Text(Painted),
    /// A name, a line through `values` between `low` and `high`, and the last value.
    Series {
        /// The name, in the colour of the series.
        name: Painted,
        /// Evenly over time; NaN where there is none.
        values: Vec<f64>,
        /// The value on the ground.
        low: f64,
        /// The value at the top.
        high: f64,
        /// The value that counts.
        last: Painted,
    },
    /// A name, a bar filled to `share`, and the value.
    Bar {
        /// The name.
        name: Painted,
        /// From 0 to 1.
        share: f64,
        /// The value.
        last: Painted,
    },
    /// A name, the states over time, and the last one.
    States {
        /// The name.
        name: Painted,
        /// In their order.
        states: Vec<State>,
        /// The last one.
        last: Painted,
    },
    /// A row of a table; the first one is its head.
    Cells(Vec<Painted>),
}

impl Row {
    /// Words.
    pub fn note(text: &str, color: &str) -> Self {
        Self::Text(Painted {
            text: text.to_owned(),
            color: color.to_owned(),
        })
    }
}

//! The inside of a graph over time, whichever panel it is of.

use maud::Markup;

use super::graph::Ink;
use super::heatmap::Cells;
use super::state_timeline::States;
use super::timeseries::Lines;

/// The inside of a graph.
pub enum Plot<'a> {
    /// Of a time series panel.
    Lines(Lines<'a>),
    /// Of a state timeline.
    States(States<'a>),
    /// Of a heat map.
    Cells(Cells),
}

impl Plot<'_> {
    /// Its marks.
    pub fn draw(&self, ink: Ink) -> Markup {
        match self {
            Self::Lines(lines) => lines.draw(ink),
            Self::States(states) => states.draw(ink),
            Self::Cells(cells) => cells.draw(ink),
        }
    }
}

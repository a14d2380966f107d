//! The panel `stat`: big numbers, with sparklines behind them.

use maud::{Markup, PreEscaped, html};

use super::canvas::Canvas;
use super::cells::{self, Cells};
use super::graph::short;
use super::scale::{Distribution, Limits, Scale};
use super::theme::{Medium, Tone, fitted, readable_on, text_width};
use edgewatch_grafana_model::data::{Data, Values};
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::stat::{GraphMode, Justify, Stat, StatColor, TextMode};
use edgewatch_grafana_model::reduce::{self, Shown};

/// Units of a cell's height. Texts fill it as far as its width allows.
const HEIGHT: f64 = 100.0;
/// Names are cut at this many units: more would make all texts small.
const LONGEST_NAME: f64 = 420.0;

/// The cells of a panel.
pub struct Stats<'a> {
    /// Its id.
    panel: u32,
    /// How they lie.
    pub cells: Cells,
    /// One for each.
    pub shown: Vec<Shown<'a>>,
    look: Look,
}

/// The look of all cells of a panel.
struct Look {
    has_name: bool,
    has_value: bool,
    mode: Mode,
    has_graph: bool,
    is_left: bool,
    /// Units of the widest text, so that all have the same size.
    width: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Plain,
    Value,
    Background { is_gradient: bool },
}

/// What the panel shows of `data`; `None` if there is nothing.
pub fn stats<'a>(panel: &Panel, options: &Stat, data: &'a Data) -> Option<Stats<'a>> {
    let shown = reduce::shown(panel, &options.reduce, data);
    if reduce::is_nothing(&shown, data) {
        return None;
    }
    let cells = Cells::of(panel, options.orientation, shown.len())?;
    let look = Look::of(options, &shown);
    Some(Stats {
        panel: panel.id,
        cells,
        shown,
        look,
    })
}

impl Look {
    fn of(options: &Stat, shown: &[Shown]) -> Self {
        let (has_name, has_value) = match options.text_mode {
            TextMode::Value => (false, true),
            TextMode::Name => (true, false),
            TextMode::ValueAndName => (true, true),
            TextMode::None => (false, false),
            TextMode::Auto => (shown.len() > 1, true),
        };
        let mode = match options.color_mode {
            StatColor::None => Mode::Plain,
            StatColor::Value => Mode::Value,
            StatColor::Background => Mode::Background { is_gradient: true },
            StatColor::BackgroundSolid => Mode::Background { is_gradient: false },
        };
        let value = |one: &Shown| text_width(cells::text(one), value_size(has_name));
        let name = |one: &Shown| {
            if has_name {
                text_width(&one.title, NAME).min(LONGEST_NAME)
            } else {
                0.0
            }
        };
        let width = shown.iter().map(|one| value(one).max(name(one))).fold(HEIGHT, f64::max);
        Self {
            has_name,
            has_value,
            mode,
            has_graph: options.graph_mode == GraphMode::Area,
            is_left: has_name && options.justify_mode != Justify::Center,
            // Some air, since fonts differ.
            width: width * 1.08 + 8.0,
        }
    }
}

impl Stats<'_> {
    /// Units of the width and the height of a cell, with room for a sparkline.
    pub fn unit(&self) -> (f64, f64) {
        let height = if self.look.has_graph { HEIGHT * 1.5 } else { HEIGHT };
        (self.look.width, height)
    }

    /// Whether cells have names.
    pub const fn has_name(&self) -> bool {
        self.look.has_name
    }

    /// Whether values have the times before them behind.
    pub const fn has_graph(&self) -> bool {
        self.look.has_graph
    }

    /// The view box of [`Self::texts`].
    pub fn view_box(&self) -> String {
        format!("0 0 {} {HEIGHT}", short(self.look.width))
    }

    /// Where the texts lie in their place.
    pub const fn aspect(&self) -> &'static str {
        if self.look.is_left { "xMinYMid" } else { "xMidYMid" }
    }

    /// The colours of texts and of the sparkline.
    fn colors<'a>(&self, one: &'a Shown) -> (Option<&'a str>, &'a str) {
        match self.look.mode {
            Mode::Plain => (None, one.color()),
            Mode::Value => (Some(one.color()), one.color()),
            Mode::Background { .. } => (Some(readable_on(one.color())), readable_on(one.color())),
        }
    }

    /// What lies behind cell `index`, which fills its place; `None` if nothing does.
    pub fn back(&self, index: usize, medium: Medium) -> Option<Markup> {
        let Mode::Background { is_gradient } = self.look.mode else {
            return None;
        };
        let id = format!("b{}-{index}", self.panel);
        let color = self.shown.get(index)?.color();
        Some(background(&medium.color(color), is_gradient, &id))
    }

    /// The sparkline of a cell, `SPARK` units large, with a line of that width; `None` if it has none.
    pub fn spark(&self, one: &Shown, medium: Medium, width: &str) -> Option<Markup> {
        let spark = spark(one).filter(|_| self.look.has_graph)?;
        Some(spark.draw(&medium.color(self.colors(one).1), width))
    }

    /// The texts of a cell, in units of its view box.
    pub fn texts(&self, one: &Shown, medium: Medium) -> Markup {
        let look = &self.look;
        let plain = medium.tone(Tone::Text);
        let color = self.colors(one).0.map(|color| medium.color(color));
        let color = color.as_deref();
        let (x, anchor) = if look.is_left {
            (4.0, "start")
        } else {
            (look.width / 2.0, "middle")
        };
        let (number, unit) = split_unit(cells::text(one));
        let unit = medium.beginning(unit);
        let is_background = matches!(look.mode, Mode::Background { .. });
        html! {
            @if look.has_name {
                text.name x=(short(x)) y=(if look.has_value { "26" } else { "58" }) font-size=(NAME) text-anchor=(anchor) fill=[color.filter(|_| is_background).or(plain)] {
                    (fitted(&one.title, NAME, LONGEST_NAME))
                }
            }
            @if look.has_value {
                text.value x=(short(x)) y=(if look.has_name { "82" } else { "70" }) font-size=(value_size(look.has_name)) text-anchor=(anchor) fill=[color.or(plain)] {
                    (number) @if !unit.is_empty() { tspan font-size="70%" { (unit) } }
                }
            }
        }
    }
}

/// Units of a name.
const NAME: f64 = 22.0;

const fn value_size(has_name: bool) -> f64 {
    if has_name { 52.0 } else { 58.0 }
}

/// A cell's background, darker at its top left.
fn background(color: &str, is_gradient: bool, id: &str) -> Markup {
    html! {
        @if is_gradient {
            linearGradient id=(id) x2="1" y2="1" {
                stop stop-color="#000" stop-opacity=".36" {}
                stop offset="1" stop-color="#000" stop-opacity=".18" {}
            }
        }
        rect width="100%" height="100%" rx="3" fill=(color) {}
        @if is_gradient { rect width="100%" height="100%" rx="3" fill=(format!("url(#{id})")) {} }
    }
}

/// The number and the unit behind it, which is written smaller.
fn split_unit(text: &str) -> (&str, &str) {
    let end = text.rfind(|c: char| c.is_ascii_digit()).map_or(0, |at| at + 1);
    // Words, such as those of mappings, are no unit.
    if end == 0 || !text.starts_with(|c: char| c.is_ascii_digit() || "+-−".contains(c)) {
        (text, "")
    } else {
        text.split_at(end)
    }
}

/// Units of a sparkline.
pub const SPARK: (i32, i32) = (1000, 400);

/// A sparkline: the `d` of its line and of the area below.
struct Spark {
    line: String,
    area: String,
}

impl Spark {
    fn draw(&self, color: &str, width: &str) -> Markup {
        html! {
            path fill=(color) fill-opacity=".2" d=(PreEscaped(&self.area)) {}
            path fill="none" stroke=(color) stroke-width=(width) d=(PreEscaped(&self.line)) {}
        }
    }
}

/// The sparkline of a series; `None` if it has less than two points.
fn spark(one: &Shown) -> Option<Spark> {
    let (times, Values::Numbers(numbers)) = (one.times, &one.field.values) else {
        return None;
    };
    let known = || {
        times
            .iter()
            .zip(numbers.iter())
            .filter(|(_, number)| number.is_finite())
    };
    let (from, to) = (known().next()?.0, known().next_back()?.0);
    if from >= to {
        return None;
    }
    let low = known().map(|(_, number)| *number).fold(f64::INFINITY, f64::min);
    let high = known().map(|(_, number)| *number).fold(f64::NEG_INFINITY, f64::max);
    let limits = Limits {
        min: one.field.options.min,
        max: one.field.options.max,
        ..Limits::default()
    };
    let scale = Scale::new(low, high, limits, Distribution::Linear, 1.0);
    let points: Vec<_> = known()
        .map(|(time, number)| ((time - from) / (to - from), scale.fraction(*number)))
        .collect();
    let mut canvas = Canvas::new(SPARK.0, SPARK.1);
    let ends = |x: f64| std::iter::once((x, 0.0));
    canvas.area(ends(0.0).chain(points.iter().copied()).chain(ends(1.0)));
    canvas.line(&points);
    Some(Spark {
        line: canvas.take_lines(),
        area: canvas.take_areas(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_apart_from_numbers_but_words_stay_whole() {
        assert_eq!(split_unit("12.3 °C"), ("12.3", " °C"));
        assert_eq!(split_unit("-5%"), ("-5", "%"));
        assert_eq!(split_unit("7"), ("7", ""));
        assert_eq!(split_unit("not synchronised"), ("not synchronised", ""));
        assert_eq!(split_unit("v2 beta"), ("v2 beta", ""));
        assert_eq!(split_unit("1 h 5 min"), ("1 h 5", " min"));
    }
}

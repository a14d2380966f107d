//! The panel `bargauge`: bars as long as their values, with names and texts.

use maud::{Markup, html};

use super::cells;
use super::graph::short;
use super::look::usual_size;
use super::theme::{Medium, Tone, text_width};
use edgewatch_grafana_model::color;
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::display;
use edgewatch_grafana_model::model::{FieldOptions, Panel, ThresholdMode};
use edgewatch_grafana_model::panel::bargauge::{BarGauge, BarMode, NamePlacement, ValueMode};
use edgewatch_grafana_model::panel::common::Orientation;
use edgewatch_grafana_model::reduce::{self, Shown};

/// Segments of a bar that looks like a display.
const SEGMENTS: u8 = 30;

/// The bars of a panel.
pub struct Bars<'a> {
    /// One for each.
    pub shown: Vec<Shown<'a>>,
    /// Whether they stand; else they lie.
    pub is_upright: bool,
    /// Whether they have names.
    pub has_names: bool,
    /// Whether they have values.
    pub has_values: bool,
    look: Look,
}

/// What the panel shows of `data`; `None` if there is nothing.
pub fn bars<'a>(panel: &Panel, options: &BarGauge, data: &'a Data) -> Option<Bars<'a>> {
    let shown = reduce::shown(panel, &options.reduce, data);
    // Words have no length: they stand alone, and wrap.
    let is_nothing = reduce::is_nothing(&shown, data) || reduce::is_words_for_nothing(&shown, data);
    (!is_nothing).then(|| Bars {
        is_upright: is_upright(panel, options.orientation),
        has_names: shown.len() > 1 && options.name_placement != NamePlacement::Hidden,
        has_values: options.value_mode != ValueMode::Hidden,
        look: Look::of(panel, options, &shown),
        shown,
    })
}

impl Bars<'_> {
    /// The marks of bar `index`, which fill the SVG element around it.
    pub fn draw(&self, one: &Shown, index: usize, medium: Medium) -> Markup {
        bar(&self.look, one, index, self.is_upright, medium)
    }

    /// From 0 to 1: how far a bar is filled.
    pub fn share(&self, one: &Shown) -> f64 {
        self.look.share(one.value)
    }

    /// Pixels of the widest value at this size, so that all of them can have the same.
    pub fn widest(&self, size: f64) -> f64 {
        let widths = self.shown.iter().map(|one| text_width(cells::text(one), size));
        widths.fold(1.0, f64::max)
    }

    /// The colour of a value; `None`: that of texts.
    pub fn value_color<'b>(&self, one: &'b Shown) -> Option<&'b str> {
        (self.look.value_mode != ValueMode::Text).then(|| one.color())
    }
}

/// The look of all bars of a panel.
struct Look {
    mode: BarMode,
    has_track: bool,
    value_mode: ValueMode,
    panel: u32,
    min: f64,
    max: f64,
}

impl Look {
    fn of(panel: &Panel, options: &BarGauge, shown: &[Shown]) -> Self {
        let (min, max) = ends(shown);
        Self {
            mode: options.display_mode,
            has_track: options.show_unfilled,
            value_mode: options.value_mode,
            panel: panel.id,
            min,
            max,
        }
    }

    fn share(&self, value: f64) -> f64 {
        let share = (value - self.min) / (self.max - self.min);
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }
}

/// Grafana calls bars that stand upright vertical; by itself it lays bars flat in panels that are not much wider than high.
fn is_upright(panel: &Panel, orientation: Orientation) -> bool {
    match orientation {
        Orientation::Vertical => true,
        Orientation::Horizontal => false,
        Orientation::Auto => {
            let (width, height) = usual_size(panel);
            width > height
        }
    }
}

/// The values at both ends of the bars: those of the fields, or what suits the unit, or from 0 (or the least) to the greatest.
fn ends(shown: &[Shown]) -> (f64, f64) {
    let known = |end: fn(&FieldOptions) -> Option<f64>| shown.iter().find_map(|one| end(&one.field.options));
    let values = || shown.iter().map(|one| one.value).filter(|value| value.is_finite());
    let whole = shown.first().and_then(|one| match one.field.options.unit.as_str() {
        "percent" => Some(100.0),
        "percentunit" => Some(1.0),
        _ => None,
    });
    let min = known(|options| options.min).unwrap_or_else(|| values().fold(0.0, f64::min));
    let max = known(|options| options.max)
        .or(whole)
        .unwrap_or_else(|| values().fold(f64::NEG_INFINITY, f64::max));
    if max > min && (max - min).is_finite() {
        (min, max)
    } else {
        (min, min + min.abs().max(1.0))
    }
}

/// The inside of a bar, which fills the SVG element around it.
fn bar(look: &Look, one: &Shown, index: usize, is_upright: bool, medium: Medium) -> Markup {
    let share = look.share(one.value);
    let length = |share: f64| format!("{}%", short(share * 100.0));
    let (x, y, width, height) = match is_upright {
        true => ("0".to_owned(), length(1.0 - share), "100%".to_owned(), length(share)),
        false => ("0".to_owned(), "0".to_owned(), length(share), "100%".to_owned()),
    };
    let id = format!("v{}-{index}", look.panel);
    let is_graded = look.mode != BarMode::Basic;
    let color = medium.color(one.color());
    let fill = if is_graded {
        format!("url(#{id})")
    } else {
        color.clone()
    };
    html! {
        @if is_graded { (gradient(&id, look, one, is_upright, medium)) }
        @if look.has_track || look.mode == BarMode::Lcd { rect.track width="100%" height="100%" rx="2" fill=[track_fill(look, medium, &fill)] fill-opacity=[(look.mode == BarMode::Lcd).then_some(".2")] {} }
        @if share > 0.0 {
            rect x=(x) y=(y) width=(width) height=(height) rx="2" fill=(fill) fill-opacity=[(look.mode == BarMode::Basic).then_some(".35")] {}
            @if look.mode == BarMode::Basic {
                @if is_upright { rect y=(y) width="100%" height="2" fill=(color) {} }
                @else { svg x=(width) overflow="visible" { rect x="-2" width="2" height="100%" fill=(color) {} } }
            }
        }
        @if look.mode == BarMode::Lcd { (gaps(is_upright, medium)) }
    }
}

fn track_fill(look: &Look, medium: Medium, fill: &str) -> Option<String> {
    if look.mode == BarMode::Lcd {
        Some(fill.to_owned())
    } else {
        medium.tone(Tone::Track).map(str::to_owned)
    }
}

/// The colours of the thresholds along the bar: flowing into each other, or apart in a bar that looks like a display.
fn gradient(id: &str, look: &Look, one: &Shown, is_upright: bool, medium: Medium) -> Markup {
    let options = &one.field.options;
    let (x2, y1, y2) = if is_upright {
        ("0", "100%", "0")
    } else {
        ("100%", "0", "0")
    };
    let place = |value: f64| match options.thresholds.mode {
        ThresholdMode::Absolute => look.share(value),
        ThresholdMode::Percentage => (value / 100.0).clamp(0.0, 1.0),
    };
    let by_value = |at: f64| display::color_of(options, look.min + (look.max - look.min) * at);
    let mut stops: Vec<(f64, String)> = match options.color.mode.as_str() {
        "thresholds" | "" => options
            .thresholds
            .steps
            .iter()
            .map(|step| (step.value.map_or(0.0, place), color::hex(&step.color)))
            .collect(),
        mode if mode.starts_with("continuous") => (0..=8)
            .map(|step| {
                (
                    f64::from(step) / 8.0,
                    by_value(f64::from(step) / 8.0).unwrap_or_default(),
                )
            })
            .collect(),
        _ => vec![(0.0, one.color().to_owned())],
    };
    if look.mode == BarMode::Lcd {
        // Each colour up to where the next begins.
        let ends: Vec<_> = stops.windows(2).map(|two| (two[1].0, two[0].1.clone())).collect();
        stops = stops
            .first()
            .cloned()
            .into_iter()
            .chain(
                ends.into_iter()
                    .zip(stops.iter().skip(1).cloned())
                    .flat_map(|(end, next)| [end, next]),
            )
            .collect();
    }
    html! {
        linearGradient id=(id) gradientUnits="userSpaceOnUse" x1="0" x2=(x2) y1=(y1) y2=(y2) {
            @for (at, color) in &stops { stop offset=(short_share(*at)) stop-color=(medium.color(color)) {} }
        }
    }
}

fn short_share(share: f64) -> String {
    format!("{}", (share * 1000.0).round() / 1000.0)
}

/// What parts a bar into segments.
fn gaps(is_upright: bool, medium: Medium) -> Markup {
    html! {
        g.gaps fill=[medium.tone(Tone::Panel)] {
            @for index in 1..SEGMENTS {
                @let at = format!("{}%", short(f64::from(index) * 100.0 / f64::from(SEGMENTS)));
                @if is_upright { rect y=(at) width="100%" height="2" {} } @else { rect x=(at) width="2" height="100%" {} }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tests::{data, panel, scope};

    #[test]
    fn the_values_of_upright_bars_are_no_wider_than_those() {
        let panel = panel(
            "bargauge",
            json!({"orientation": "vertical"}),
            json!({"unit": "celsius"}),
        );
        let names: Vec<String> = (0..12).map(|at| format!("sensor {at}")).collect();
        let series: Vec<(&str, &[f64])> = names.iter().map(|name| (&**name, &[-17.4][..])).collect();
        let data = data(&panel, &series);
        let picture = crate::picture(&panel, &data, &scope(), 360, 200, true).into_string();
        let (before, _) = picture.split_once(">-17.4 °C<").unwrap();
        let (_, size) = before.rsplit_once("font-size=\"").unwrap();
        let size: f64 = size.split('"').next().unwrap().parse().unwrap();
        assert!(text_width("-17.4 °C", size) <= 30.0, "{size}");
        let page = crate::html(&panel, &data, &scope()).into_string();
        assert_eq!(
            page.matches("<svg class=\"bar-value\" viewBox=\"0 0 ").count(),
            12,
            "{page}"
        );
    }
}

//! The panel `piechart`: shares of a whole.

use std::cmp::Ordering;
use std::f64::consts::TAU;

use maud::{Markup, html};

use super::cells::text;
use super::graph::short;
use super::legend::{Entry, Legend};
use super::theme::{Medium, fitted, readable_on, text_width};
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::common::{LegendMode, LegendPlacement};
use edgewatch_grafana_model::panel::piechart::{PieChart, PieSort, PieText, PieType};
use edgewatch_grafana_model::reduce::{self, Shown};

/// Units of the radius, and of the picture around.
const RADIUS: f64 = 100.0;
/// The radius of the hole.
const HOLE: f64 = 55.0;
/// Units of texts.
const TEXT: f64 = 11.0;

/// The slices of a panel.
pub struct Pie<'a> {
    /// From the top clockwise, with their shares of the whole.
    pub slices: Vec<(Shown<'a>, f64)>,
    /// What the colours mean.
    pub legend: Legend,
    is_donut: bool,
    texts: Vec<PieText>,
}

/// What the panel shows of `data`; `None` if there is nothing.
pub fn pie<'a>(panel: &Panel, options: &PieChart, data: &'a Data) -> Option<Pie<'a>> {
    let shown = reduce::shown(panel, &options.reduce, data);
    if reduce::is_nothing(&shown, data) {
        return None;
    }
    let value = |shown: &Shown| {
        if shown.value.is_finite() {
            shown.value.max(0.0)
        } else {
            0.0
        }
    };
    let total: f64 = shown.iter().map(value).sum();
    if total <= 0.0 {
        return None;
    }
    let mut slices: Vec<(Shown, f64)> = shown
        .into_iter()
        .map(|shown| {
            let share = value(&shown) / total;
            (shown, share)
        })
        .collect();
    let by = |one: &(Shown, f64), other: &(Shown, f64)| one.1.partial_cmp(&other.1).unwrap_or(Ordering::Equal);
    match options.sort {
        PieSort::Descending => slices.sort_by(|one, other| by(other, one)),
        PieSort::Ascending => slices.sort_by(by),
        PieSort::None => {}
    }
    let values: Vec<PieText> = options
        .legend
        .values
        .iter()
        .copied()
        .filter(|of| *of != PieText::Name)
        .collect();
    let asked = options.legend.plain();
    let entries = slices.iter().filter(|_| asked.is_shown()).map(|(shown, share)| Entry {
        color: shown.color().to_owned(),
        name: shown.title.clone(),
        values: values.iter().map(|of| said(*of, shown, *share)).collect(),
        ..Entry::default()
    });
    let legend = Legend {
        is_right: asked.placement == LegendPlacement::Right,
        is_table: asked.display_mode == LegendMode::Table,
        heads: values
            .iter()
            .map(|of| if *of == PieText::Percent { "Percent" } else { "Value" }.to_owned())
            .collect(),
        entries: entries.collect(),
    };
    Some(Pie {
        legend,
        slices,
        is_donut: options.pie_type == PieType::Donut,
        texts: options.display_labels.clone(),
    })
}

/// What is written of a slice.
fn said(of: PieText, shown: &Shown, share: f64) -> String {
    match of {
        PieText::Name => shown.title.clone(),
        PieText::Value => text(shown).to_owned(),
        PieText::Percent => percent(share),
    }
}

/// A share as Grafana writes it: without digits behind the point.
pub fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

impl Pie<'_> {
    /// Left, top, width and height of what [`Self::draw`] draws.
    pub const VIEW_BOX: &'static str = "-102 -102 204 204";

    /// The slices around 0, 0.
    pub fn draw(&self, medium: Medium) -> Markup {
        let mut from = 0.0;
        let slices = self
            .slices
            .iter()
            .filter(|(_, share)| *share > 0.0)
            .map(|(shown, share)| {
                let start = from;
                from += share;
                (shown, *share, start)
            });
        let slices: Vec<(&Shown, f64, f64)> = slices.collect();
        html! {
            @for (shown, share, start) in &slices {
                path fill=(medium.color(shown.color())) stroke=[medium.tone(super::theme::Tone::Panel)] d=(self.slice(*start, *share)) { title { (shown.title) ": " (text(shown)) " (" (percent(*share)) ")" } }
            }
            g font-size=(TEXT) text-anchor="middle" {
                @for (shown, share, start) in &slices { (self.words(shown, *share, *start)) }
            }
        }
    }

    /// The outline of a slice: whole circles are two halves, since an arc cannot end where it begins.
    fn slice(&self, start: f64, share: f64) -> String {
        let at = |radius: f64, turn: f64| {
            format!(
                "{} {}",
                short(radius * (turn * TAU).sin()),
                short(-radius * (turn * TAU).cos())
            )
        };
        let hole = if self.is_donut { HOLE } else { 0.0 };
        let share = share.min(0.9999);
        let (end, middle) = (start + share, start + share / 2.0);
        let arc = |radius: f64, sweep: u8, through: f64, to: f64| {
            let radius_text = short(radius);
            format!(
                "A{radius_text} {radius_text} 0 0 {sweep} {}A{radius_text} {radius_text} 0 0 {sweep} {}",
                at(radius, through),
                at(radius, to)
            )
        };
        let back = if hole > 0.0 {
            format!("L{}{}", at(hole, end), arc(hole, 0, middle, start))
        } else {
            "L0 0".to_owned()
        };
        format!("M{}{}{back}z", at(RADIUS, start), arc(RADIUS, 1, middle, end))
    }

    /// What is written in a slice, if there is room.
    fn words(&self, shown: &Shown, share: f64, start: f64) -> Markup {
        let texts: Vec<String> = self.texts.iter().map(|of| said(*of, shown, share)).collect();
        let radius = if self.is_donut {
            f64::midpoint(HOLE, RADIUS)
        } else {
            RADIUS * 0.65
        };
        let turn = (start + share / 2.0) * TAU;
        // The chord at that radius, or the ring's breadth.
        let room = if share > 0.5 {
            RADIUS
        } else {
            2.0 * radius * (share * TAU / 2.0).sin()
        };
        let room = if self.is_donut { room.min(RADIUS - HOLE) } else { room };
        let needed = texts
            .iter()
            .map(|text| text_width(text, TEXT))
            .fold(0.0, f64::max)
            .min(60.0);
        let (x, y) = (radius * turn.sin(), -radius * turn.cos());
        let top = y - (texts.len() as f64 - 1.0) * TEXT / 2.0;
        html! {
            @if !texts.is_empty() && room >= needed.min(30.0) && room >= TEXT * texts.len() as f64 {
                @for (line, text) in texts.iter().enumerate() {
                    text.on x=(short(x)) y=(short(top + line as f64 * TEXT)) dy=".35em" fill=(readable_on(shown.color())) { (fitted(text, TEXT, room.max(30.0))) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{data, panel};
    use super::*;

    fn of(options: serde_json::Value, series: &[(&str, &[f64])]) -> Option<Vec<(String, String)>> {
        let panel = panel("piechart", options, json!({"unit": "bytes"}));
        let data = data(&panel, series);
        let edgewatch_grafana_model::panel::PanelKind::PieChart(options) = panel.kind() else {
            panic!()
        };
        let pie = pie(&panel, options, &data)?;
        Some(
            pie.slices
                .iter()
                .map(|(shown, share)| (shown.title.clone(), percent(*share)))
                .collect(),
        )
    }

    #[test]
    fn slices_are_shares_of_the_whole_and_the_greatest_comes_first() {
        let series: [(&str, &[f64]); 3] = [("a", &[1.0]), ("b", &[3.0]), ("c", &[f64::NAN])];
        let found = of(json!({}), &series).unwrap();
        let expected =
            [("b", "75%"), ("a", "25%"), ("c", "0%")].map(|(name, share)| (name.to_owned(), share.to_owned()));
        assert_eq!(found, expected);
        assert_eq!(of(json!({"sort": "none"}), &series).unwrap()[0].0, "a");
        assert_eq!(of(json!({}), &[("a", &[0.0])]), None, "nothing has no shares");
    }

    #[test]
    fn a_single_slice_is_a_whole_circle() {
        let panel = panel(
            "piechart",
            json!({"pieType": "donut", "displayLabels": ["percent"]}),
            json!({}),
        );
        let data = data(&panel, &[("a", &[5.0])]);
        let page = crate::html(&panel, &data, &crate::tests::scope()).into_string();
        assert!(page.contains("100%") && page.matches('A').count() >= 4, "{page}");
    }
}

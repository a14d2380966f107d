//! Legends in a picture.

use maud::{Markup, html};

use crate::graph::short;
use crate::legend::{Entry, Legend};
use crate::theme::{Medium, Tone, fitted, text_width};

/// Pixels of a line.
const LINE: f64 = 20.0;
const TEXT: f64 = 12.0;

/// A legend in a picture of `width` by `height` pixels: what is drawn, and how much it takes of the width and of the height.
pub fn legend(legend: &Legend, width: f64, height: f64, medium: Medium) -> (Markup, f64, f64) {
    if legend.entries.is_empty() {
        return (html! {}, 0.0, 0.0);
    }
    let texts = legend.entries.iter().map(|entry| text_of(entry, &legend.heads));
    let texts: Vec<String> = texts.collect();
    let widest = texts
        .iter()
        .map(|text| text_width(text, TEXT) + 34.0)
        .fold(0.0, f64::max);
    let (places, taken) = if legend.is_right {
        let column = widest.min(width * 0.35);
        let lines = (height / LINE).floor().max(1.0);
        (in_lines(&texts, width - column, column, 8.0, lines), (column, 0.0))
    } else {
        let lines = (height * 0.3 / LINE).floor().max(1.0);
        let (places, used) = flowing(&texts, width, height, lines);
        (places, (0.0, used))
    };
    let hidden = texts.len() - places.len();
    let drawn = html! {
        g font-size=(TEXT) fill=[medium.tone(Tone::Text)] {
            @for ((x, y, text), entry) in places.iter().zip(&legend.entries) {
                path d=(format!("M{} {}h14", short(*x), short(y - 4.0))) stroke=(medium.color(&entry.color)) stroke-opacity=[&entry.opacity] stroke-width="4" stroke-linecap="round" {}
                text x=(short(x + 20.0)) y=(short(*y)) { (text) }
            }
            @if hidden > 0 {
                text x=(short(width - 8.0)) y=(short(height - 6.0)) text-anchor="end" fill=[medium.tone(Tone::Soft)] { "and " (hidden) " more" }
            }
        }
    };
    (drawn, taken.0, taken.1)
}

/// One below the other.
fn in_lines(texts: &[String], left: f64, width: f64, top: f64, most: f64) -> Vec<(f64, f64, String)> {
    let mut places = Vec::new();
    let mut y = top + LINE - 6.0;
    for text in texts.iter() {
        if y > top + most * LINE - LINE {
            break;
        }
        places.push((left + 6.0, y, fitted(text, TEXT, width - 30.0)));
        y += LINE;
    }
    places
}

/// Beside each other, in lines that end at the bottom of the picture.
fn flowing(texts: &[String], width: f64, height: f64, most: f64) -> (Vec<(f64, f64, String)>, f64) {
    let mut places: Vec<(f64, f64, String)> = Vec::new();
    let (mut x, mut line) = (8.0, 0.0);
    for text in texts {
        let text = fitted(text, TEXT, width - 40.0);
        let needed = text_width(&text, TEXT) + 36.0;
        if x > 8.0 && x + needed > width {
            (x, line) = (8.0, line + 1.0);
        }
        if line >= most {
            break;
        }
        places.push((x, line, text));
        x += needed;
    }
    let used = (places.last().map_or(0.0, |place| place.1) + 1.0) * LINE + 4.0;
    for place in &mut places {
        place.1 = height - used + place.1 * LINE + LINE - 2.0;
    }
    (places, used)
}

fn text_of(entry: &Entry, heads: &[String]) -> String {
    let mut text = entry.name.clone();
    for (head, value) in heads.iter().zip(&entry.values) {
        text += &format!("  {head}: {value}");
    }
    text
}

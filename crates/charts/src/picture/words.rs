//! Words in a picture: without their shapes.

use maud::{Markup, html};

use crate::graph::short;
use crate::text::Words;
use crate::theme::{Medium, Tone, text_width};

/// Pixels of letters.
const TEXT: f64 = 14.0;
/// Pixels of a line.
const LINE: f64 = 20.0;

/// As many lines as there is room for.
pub fn words(words: &Words, width: f64, height: f64, medium: Medium) -> Markup {
    let text = words.plain();
    let lines = text.lines().flat_map(|line| wrapped(line, TEXT, width - 16.0));
    html! {
        g font-size=(TEXT) fill=[medium.tone(Tone::Text)] {
            @for (line, y) in lines.zip((1..).map(|line| f64::from(line) * LINE)).take_while(|(_, y)| *y < height) {
                text x="8" y=(short(y)) { (line) }
            }
        }
    }
}

/// `line` in parts that fit into `width` pixels.
fn wrapped(line: &str, size: f64, width: f64) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in line.split_whitespace() {
        let Some(last) = parts.last_mut() else { break };
        let longer = if last.is_empty() {
            word.to_owned()
        } else {
            format!("{last} {word}")
        };
        if last.is_empty() || text_width(&longer, size) <= width {
            *last = longer;
        } else {
            parts.push(word.to_owned());
        }
    }
    parts
}

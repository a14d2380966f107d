//! Legends in a picture.

use maud::{Markup, html};

use crate::graph::short;
use crate::legend::{Entry, Legend};
use crate::theme::{Medium, Tone, fitted, text_width};

/// Pixels of a line.
const LINE: f64 = 20.0;
const TEXT: f64 = 12.0;
/// Pixels from one line of an entry to the next.
const BELOW: f64 = 16.0;

/// Pixels before the text of an entry, and behind it.
const KEY: f64 = 20.0;
const AIR: f64 = 14.0;
/// Pixels of the words for what is left out.
const MORE: f64 = 90.0;

/// An entry of a legend in its place.
struct Place {
    x: f64,
    /// Of the first line of its text.
    y: f64,
    /// Of its text, one below the other.
    lines: Vec<String>,
}

/// A legend in a picture of `width` by `height` pixels: what is drawn, and how much it takes of the width and of the height.
pub fn legend(legend: &Legend, width: f64, height: f64, medium: Medium) -> (Markup, f64, f64) {
    if legend.entries.is_empty() {
        return (html! {}, 0.0, 0.0);
    }
    let (places, taken) = if legend.is_right {
        let widest = legend
            .entries
            .iter()
            .map(|entry| text_width(&whole(entry, &legend.heads), TEXT));
        let column = (widest.fold(0.0, f64::max) + KEY + AIR).min(width * 0.35);
        (below_each_other(legend, width - column, column, height), (column, 0.0))
    } else {
        let (places, used) = beside_each_other(legend, width, height);
        (places, (0.0, used))
    };
    let hidden = legend.entries.len() - places.len();
    let drawn = html! {
        g font-size=(TEXT) fill=[medium.tone(Tone::Text)] {
            @for (Place { x, y, lines }, entry) in places.iter().zip(&legend.entries) {
                path d=(format!("M{} {}h14", short(*x), short(y - 4.0))) stroke=(medium.color(&entry.color)) stroke-opacity=[&entry.opacity] stroke-width="4" stroke-linecap="round" {}
                @for (number, line) in (0_u8..).zip(lines) {
                    text x=(short(x + KEY)) y=(short(y + f64::from(number) * BELOW)) { (line) }
                }
            }
            @if hidden > 0 {
                text x=(short(width - 8.0)) y=(short(height - 6.0)) text-anchor="end" fill=[medium.tone(Tone::Soft)] { "and " (hidden) " more" }
            }
        }
    };
    (drawn, taken.0, taken.1)
}

/// At the right side. Values that have no room beside the name stand below it.
fn below_each_other(legend: &Legend, left: f64, width: f64, height: f64) -> Vec<Place> {
    let place_all = |bottom: f64| {
        let mut places = Vec::new();
        let mut top = 8.0;
        for entry in &legend.entries {
            let lines = lines(entry, &legend.heads, width - KEY - 10.0);
            #[expect(clippy::cast_precision_loss, reason = "a few lines")]
            let bottom_of_entry = top + LINE + (lines.len() - 1) as f64 * BELOW;
            if bottom_of_entry > bottom && !places.is_empty() {
                break;
            }
            places.push(Place {
                x: left + 6.0,
                y: top + LINE - 6.0,
                lines,
            });
            top = bottom_of_entry;
        }
        places
    };
    let places = place_all(height);
    match places.len() == legend.entries.len() {
        true => places,
        // The words for the others have a line of their own.
        false => place_all(height - LINE),
    }
}

/// Below the plot, in lines that end at the bottom of the picture.
fn beside_each_other(legend: &Legend, width: f64, height: f64) -> (Vec<Place>, f64) {
    let most = (height * 0.3 / LINE).floor().max(1.0);
    let mut places: Vec<Place> = Vec::new();
    let (mut x, mut line) = (8.0, 0.0);
    for entry in &legend.entries {
        let values = values(entry, &legend.heads)
            .map(|value| format!("  {value}"))
            .collect::<String>();
        let room = width - KEY - AIR - 6.0;
        let name = fitted(&entry.name, TEXT, (room - text_width(&values, TEXT)).max(room / 4.0));
        let text = fitted(&(name + &values), TEXT, room);
        let needed = text_width(&text, TEXT) + KEY + AIR + 2.0;
        if x > 8.0 && x + needed > width {
            (x, line) = (8.0, line + 1.0);
        }
        if line >= most {
            break;
        }
        places.push(Place {
            x,
            y: line,
            lines: vec![text],
        });
        x += needed;
    }
    if places.len() < legend.entries.len() {
        let reaches = |place: &Place| {
            place
                .lines
                .iter()
                .any(|line| place.x + KEY + text_width(line, TEXT) > width - MORE)
        };
        while places.len() > 1
            && places
                .last()
                .is_some_and(|place| place.y + 1.0 >= most && reaches(place))
        {
            places.pop();
        }
    }
    let lines = places.last().map_or(0.0, |place| place.y) + 1.0;
    let used = lines * LINE + 4.0;
    for place in &mut places {
        place.y = height - used + place.y * LINE + LINE - 2.0;
    }
    (places, used)
}

/// What is said of an entry beside its name.
fn values<'l>(entry: &'l Entry, heads: &'l [String]) -> impl Iterator<Item = String> + 'l {
    let values = heads.iter().zip(&entry.values);
    values.map(|(head, value)| format!("{head}: {value}"))
}

fn whole(entry: &Entry, heads: &[String]) -> String {
    let values = values(entry, heads).map(|value| format!("  {value}"));
    std::iter::once(entry.name.clone()).chain(values).collect()
}

/// The name and the values of an entry in as few lines as they need. A name that is too long is cut.
fn lines(entry: &Entry, heads: &[String], width: f64) -> Vec<String> {
    let mut lines = vec![fitted(&entry.name, TEXT, width)];
    for value in values(entry, heads) {
        let Some(last) = lines.last_mut() else { break };
        let longer = format!("{last}  {value}");
        if text_width(&longer, TEXT) <= width {
            *last = longer;
        } else {
            lines.push(fitted(&value, TEXT, width));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(is_right: bool, entries: usize, height: f64) -> String {
        let entry = |number| Entry {
            name: format!("gamma.example.com:{number}"),
            values: ["26.4 %", "31.5 %", "28.1 %"].map(str::to_owned).to_vec(),
            ..Entry::default()
        };
        let made = Legend {
            is_right,
            heads: ["Min", "Max", "Mean"].map(str::to_owned).to_vec(),
            entries: (0..entries).map(entry).collect(),
            ..Legend::default()
        };
        legend(&made, 500.0, height, Medium::Picture { dark: true })
            .0
            .into_string()
    }

    #[test]
    fn the_values_of_a_legend_are_whole_wherever_it_is() {
        for is_right in [true, false] {
            let drawn = drawn(is_right, 2, 200.0);
            for value in ["Min: 26.4 %", "Max: 31.5 %", "Mean: 28.1 %"] {
                assert_eq!(drawn.matches(value).count(), 2, "{drawn}");
            }
        }
    }

    #[test]
    fn what_is_left_out_of_a_legend_is_said_beside_what_is_not() {
        let drawn = drawn(true, 20, 200.0);
        let shown = drawn.matches("gamma").count();
        assert!(drawn.contains(&format!("and {} more", 20 - shown)), "{drawn}");
        let lowest = drawn
            .split(" y=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next()?.parse::<f64>().ok());
        let mut lowest: Vec<f64> = lowest.collect();
        lowest.sort_by(f64::total_cmp);
        assert!(
            lowest.windows(2).next_back().is_some_and(|two| two[1] - two[0] >= 10.0),
            "{lowest:?}"
        );
    }
}

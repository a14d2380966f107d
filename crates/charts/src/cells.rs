//! Cells beside and below each other, for panels that show several single values: as many columns as make them biggest.

use super::look::usual_size;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::common::Orientation;
use edgewatch_grafana_model::reduce::Shown;

/// Pixels of a panel's inside where all panels lie below each other.
const PHONE: f64 = 350.0;
/// Columns for which the stylesheet has classes.
const MOST: usize = 12;

/// What is written of a value.
pub fn text<'a>(one: &'a Shown) -> &'a str {
    if one.display.text.is_empty() {
        "No data"
    } else {
        &one.display.text
    }
}

/// How cells lie.
#[derive(Clone, Copy)]
pub struct Cells {
    orientation: Orientation,
    count: usize,
    /// Pixels of the panel's inside on a usual screen.
    usual: (f64, f64),
}

impl Cells {
    /// Those of `count` values; `None` if there are none.
    pub fn of(panel: &Panel, orientation: Orientation, count: usize) -> Option<Self> {
        let (width, height) = usual_size(panel);
        (count > 0).then_some(Self {
            orientation,
            count,
            usual: (width - 24.0, height - 48.0),
        })
    }

    /// Classes of the container of cells whose contents have the size `unit`: columns on a wide screen and on a phone.
    pub fn classes(self, unit: (f64, f64)) -> String {
        format!(
            "c{} p{}",
            columns(self.orientation, self.count, self.usual, unit),
            columns(self.orientation, self.count, (PHONE, self.usual.1), unit)
        )
    }

    /// The places of cells whose contents have the size `unit` in a picture of `size` pixels: left, top, width, height.
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    pub fn places(self, size: (f64, f64), unit: (f64, f64)) -> impl Iterator<Item = (f64, f64, f64, f64)> {
        let columns = columns(self.orientation, self.count, size, unit);
        let (width, height) = (size.0 / columns as f64, size.1 / self.count.div_ceil(columns) as f64);
        (0..self.count).map(move |index| {
            let (column, row) = ((index % columns) as f64, (index / columns) as f64);
            (
                column * width + 4.0,
                row * height + 4.0,
                (width - 8.0).max(1.0),
                (height - 8.0).max(1.0),
            )
        })
    }
}

/// How many columns give `count` cells of the shape `unit` the most room in `size`.
fn columns(orientation: Orientation, count: usize, (width, height): (f64, f64), unit: (f64, f64)) -> usize {
    let most = count.clamp(1, MOST);
    match orientation {
        Orientation::Vertical => most,
        Orientation::Horizontal => 1,
        Orientation::Auto => {
            #[expect(clippy::cast_precision_loss, reason = "a few")]
            let scale = |columns: usize| {
                let rows = count.div_ceil(columns) as f64;
                ((width / columns as f64 - 8.0) / unit.0).min((height / rows - 8.0) / unit.1)
            };
            (1..=most).max_by(|a, b| scale(*a).total_cmp(&scale(*b))).unwrap_or(1)
        }
    }
}

/// The rules for the classes.
pub fn rules() -> String {
    let rule = |class: char| -> String {
        (1..=MOST)
            .map(|columns| format!(".{class}{columns}{{grid-template-columns:repeat({columns},minmax(0,1fr))}}"))
            .collect()
    };
    format!("{}@media screen and (max-width:47.99rem){{{}}}", rule('c'), rule('p'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_take_the_columns_that_make_them_biggest() {
        let auto = |count, size| columns(Orientation::Auto, count, size, (100.0, 100.0));
        assert_eq!(auto(4, (800.0, 100.0)), 4);
        assert_eq!(auto(4, (400.0, 400.0)), 2);
        assert_eq!(auto(4, (100.0, 800.0)), 1);
        assert_eq!(columns(Orientation::Vertical, 4, (100.0, 800.0), (100.0, 100.0)), 4);
        assert_eq!(columns(Orientation::Horizontal, 4, (800.0, 100.0), (100.0, 100.0)), 1);
        assert_eq!(
            columns(Orientation::Vertical, 500, (800.0, 100.0), (100.0, 100.0)),
            MOST
        );
    }

    #[test]
    fn places_do_not_leave_the_picture() {
        let cells = Cells::of(&Panel::default(), Orientation::Auto, 7).unwrap();
        let places: Vec<_> = cells.places((300.0, 200.0), (100.0, 100.0)).collect();
        assert_eq!(places.len(), 7);
        assert!(
            places
                .iter()
                .all(|(x, y, width, height)| *x >= 0.0 && *y >= 0.0 && x + width <= 300.0 && y + height <= 200.0)
        );
    }
}

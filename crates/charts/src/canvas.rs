//! Compact SVG paths: whole numbers, relative steps, runs in one direction merged, one path for all the lines of a series. Colours
//! and widths are those of the group around the paths, so they stand there once.

use std::fmt::Write;

/// Dots beyond are drawn at this: far outside anyway, and the numbers stay small.
const FAR: f64 = 20.0;

/// A point: a fraction of the width from the left, and of the height from below.
pub type Point = (f64, f64);

/// A point in units from the left and from the top.
type Units = (i32, i32);

/// A surface of `width` by `height` units; what is drawn lies in two paths until they are taken.
pub struct Canvas {
    place: Place,
    lines: Path,
    areas: Path,
}

/// Units of a surface.
#[derive(Clone, Copy)]
struct Place {
    width: i32,
    height: i32,
}

impl Canvas {
    /// An empty one.
    pub fn new(width: i32, height: i32) -> Self {
        Self {
            place: Place {
                width: width.max(1),
                height: height.max(1),
            },
            lines: Path::default(),
            areas: Path::default(),
        }
    }

    /// A line through `points`.
    pub fn line(&mut self, points: &[Point]) {
        let place = self.place;
        self.lines.line(points.iter().map(|point| place.within(*point)));
    }

    /// A filled shape with `corners`.
    pub fn area(&mut self, corners: impl IntoIterator<Item = Point>) {
        let place = self.place;
        self.areas.shape(corners.into_iter().map(|point| place.within(point)));
    }

    /// A filled rectangle between two opposite corners.
    pub fn rectangle(&mut self, a: Point, b: Point) {
        let ((ax, ay), (bx, by)) = (self.place.within(a), self.place.within(b));
        let ((left, right), (top, bottom)) = ((ax.min(bx), ax.max(bx)), (ay.min(by), ay.max(by)));
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        self.areas.shape(corners.into_iter());
    }

    /// A line without length, which round caps make visible at the same size however the picture is stretched.
    pub fn dot(&mut self, point: Point) {
        let (x, y) = self.place.of(point);
        let _ = write!(self.lines.text, "M{x} {y}h0");
    }

    /// The `d` of all lines since the last call; empty if there are none.
    pub fn take_lines(&mut self) -> String {
        self.lines.take()
    }

    /// The `d` of all filled shapes since the last call; empty if there are none.
    pub fn take_areas(&mut self) -> String {
        self.areas.take()
    }
}

impl Place {
    /// The unit in which a point lies. A thousandth more, since fractions of round numbers are often a hair below them.
    #[expect(clippy::cast_possible_truncation, reason = "at most FAR times a width fits")]
    fn of(self, (x, y): Point) -> Units {
        let unit = |share: f64, whole: i32| (share.clamp(-FAR, FAR) * f64::from(whole) + 1e-3).floor() as i32;
        (unit(x, self.width), self.height - unit(y, self.height))
    }

    /// The same, or the nearest at the edge.
    fn within(self, point: Point) -> Units {
        let (x, y) = self.of(point);
        (x.clamp(0, self.width), y.clamp(0, self.height))
    }
}

/// The `d` of a path.
#[derive(Default)]
struct Path {
    text: String,
}

impl Path {
    fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn line(&mut self, mut points: impl Iterator<Item = Units>) {
        let Some(mut at) = points.next() else { return };
        let _ = write!(self.text, "M{} {}", at.0, at.1);
        // A step that is not yet written, since the next may go on in its direction.
        let mut step = (0, 0);
        let mut command = false;
        for point in points {
            let next = (point.0 - at.0, point.1 - at.1);
            at = point;
            if same_direction(step, next) {
                step = (step.0 + next.0, step.1 + next.1);
            } else {
                self.step(step, &mut command);
                step = next;
            }
        }
        self.step(step, &mut command);
    }

    fn shape(&mut self, corners: impl Iterator<Item = Units>) {
        self.line(corners);
        self.text.push('z');
    }

    fn step(&mut self, (dx, dy): Units, command: &mut bool) {
        if (dx, dy) == (0, 0) {
            return;
        }
        if !*command {
            self.text.push('l');
        } else if dx >= 0 {
            self.text.push(' ');
        }
        *command = true;
        let _ = write!(self.text, "{dx}{}{dy}", if dy < 0 { "" } else { " " });
    }
}

fn same_direction(a: Units, b: Units) -> bool {
    let ((ax, ay), (bx, by)) = ((i64::from(a.0), i64::from(a.1)), (i64::from(b.0), i64::from(b.1)));
    ax * by == ay * bx && ax * bx + ay * by >= 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_land_where_they_should() {
        let mut canvas = Canvas::new(100, 50);
        canvas.line(&[(0.0, 0.0), (0.5, 1.0), (1.0, 0.5)]);
        assert_eq!(canvas.take_lines(), "M0 50l50-50 50 25");
        assert_eq!(canvas.take_lines(), "");
    }

    #[test]
    fn runs_in_one_direction_are_one_step() {
        let mut canvas = Canvas::new(100, 100);
        canvas.line(&[(0.0, 0.5), (0.1, 0.5), (0.2, 0.5), (0.3, 0.6), (0.4, 0.7), (0.4, 0.7)]);
        assert_eq!(canvas.take_lines(), "M0 50l20 0 20-20");
        canvas.line(&[(0.0, 0.0), (0.5, 0.0), (0.2, 0.0)]);
        assert_eq!(
            canvas.take_lines(),
            "M0 100l50 0-30 0",
            "a line may go back over itself"
        );
    }

    #[test]
    fn shapes_are_closed_and_apart_from_lines() {
        let mut canvas = Canvas::new(100, 100);
        canvas.rectangle((0.1, 0.9), (0.3, 0.5));
        canvas.area([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]);
        assert_eq!(canvas.take_areas(), "M10 10l20 0 0 40-20 0zM0 100l100 0 0-100z");
        assert_eq!(canvas.take_lines(), "");
    }

    #[test]
    fn what_lies_far_outside_stays_a_small_number() {
        let mut canvas = Canvas::new(100, 100);
        canvas.line(&[(0.0, 0.0), (1.0, 1e300), (1.0, f64::MAX), (0.5, -1e300)]);
        let lines = canvas.take_lines();
        assert!(lines.len() < 60 && lines.starts_with("M0 100l100"), "{lines}");
    }
}

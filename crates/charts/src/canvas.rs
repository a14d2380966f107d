//! A backend of plotters that writes compact SVG paths: whole numbers, relative steps, runs in one direction merged, one path for
//! all the lines of a series. Colours and widths are those of the group around the paths, so they stand there once.

use std::convert::Infallible;
use std::fmt::Write;

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingArea;
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind};

/// Fractions beyond are drawn at this: far outside anyway, and plotters' whole numbers do not overflow.
const FAR: f64 = 20.0;

/// What can go wrong while drawing: nothing, since it is all text in memory.
pub type Error = DrawingErrorKind<Infallible>;

/// A surface of `width` by `height` units; what is drawn lies in two paths until they are taken.
pub struct Canvas {
    width: i32,
    height: i32,
    lines: Path,
    areas: Path,
}

/// An area of plotters whose coordinates are fractions of the width from the left and of the height from below.
pub type Area<'a> = DrawingArea<Pen<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

impl Canvas {
    /// An empty one.
    pub fn new(width: i32, height: i32) -> Self {
        Self {
            width: width.max(1),
            height: height.max(1),
            lines: Path::default(),
            areas: Path::default(),
        }
    }

    /// To draw into.
    pub fn area(&mut self) -> Area<'_> {
        let place = (0..self.width, self.height..0);
        let area: DrawingArea<Pen<'_>, Shift> = DrawingArea::from(Pen(self));
        area.apply_coord_spec(Cartesian2d::new(0.0..1.0, 0.0..1.0, place))
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

/// The hand that plotters draws with.
pub struct Pen<'a>(&'a mut Canvas);

/// A point of an [`Area`].
pub fn point(x: f64, y: f64) -> (f64, f64) {
    (x.clamp(-FAR, FAR), y.clamp(-FAR, FAR))
}

impl DrawingBackend for Pen<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.0.width.unsigned_abs(), self.0.height.unsigned_abs())
    }

    fn ensure_prepared(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// A dot: a line without length, which round caps make visible at the same size however the picture is stretched.
    fn draw_pixel(&mut self, (x, y): BackendCoord, _: BackendColor) -> Result<(), Error> {
        let _ = write!(self.0.lines.text, "M{x} {y}h0");
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Result<(), Error> {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        a: BackendCoord,
        b: BackendCoord,
        style: &S,
        _: bool,
    ) -> Result<(), Error> {
        self.fill_polygon([a, (b.0, a.1), b, (a.0, b.1)], style)
    }

    fn draw_circle<S: BackendStyle>(&mut self, at: BackendCoord, _: u32, style: &S, _: bool) -> Result<(), Error> {
        self.draw_pixel(at, style.color())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        _: &S,
    ) -> Result<(), Error> {
        self.0.lines.line(path);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        _: &S,
    ) -> Result<(), Error> {
        self.0.areas.line(path);
        self.0.areas.text.push('z');
        Ok(())
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

    fn line(&mut self, points: impl IntoIterator<Item = BackendCoord>) {
        let mut points = points.into_iter();
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

    fn step(&mut self, (dx, dy): BackendCoord, command: &mut bool) {
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

fn same_direction(a: BackendCoord, b: BackendCoord) -> bool {
    let ((ax, ay), (bx, by)) = ((i64::from(a.0), i64::from(a.1)), (i64::from(b.0), i64::from(b.1)));
    ax * by == ay * bx && ax * bx + ay * by >= 0
}

#[cfg(test)]
mod tests {
    use plotters::element::{PathElement, Polygon, Rectangle};
    use plotters::style::BLACK;

    use super::*;

    #[test]
    fn values_land_where_they_should() {
        let mut canvas = Canvas::new(100, 50);
        let path = vec![(0.0, 0.0), (0.5, 1.0), (1.0, 0.5)];
        canvas.area().draw(&PathElement::new(path, BLACK)).unwrap();
        assert_eq!(canvas.take_lines(), "M0 50l50-50 50 25");
        assert_eq!(canvas.take_lines(), "");
    }

    #[test]
    fn runs_in_one_direction_are_one_step() {
        let mut canvas = Canvas::new(100, 100);
        let path = vec![(0.0, 0.5), (0.1, 0.5), (0.2, 0.5), (0.3, 0.6), (0.4, 0.7), (0.4, 0.7)];
        canvas.area().draw(&PathElement::new(path, BLACK)).unwrap();
        assert_eq!(canvas.take_lines(), "M0 50l20 0 20-20");
        let back = vec![(0.0, 0.0), (0.5, 0.0), (0.2, 0.0)];
        canvas.area().draw(&PathElement::new(back, BLACK)).unwrap();
        assert_eq!(
            canvas.take_lines(),
            "M0 100l50 0-30 0",
            "a line may go back over itself"
        );
    }

    #[test]
    fn shapes_are_closed_and_apart_from_lines() {
        let mut canvas = Canvas::new(100, 100);
        canvas
            .area()
            .draw(&Rectangle::new([(0.1, 0.9), (0.3, 0.5)], BLACK))
            .unwrap();
        canvas
            .area()
            .draw(&Polygon::new(vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], BLACK))
            .unwrap();
        assert_eq!(canvas.take_areas(), "M10 10l20 0 0 40-20 0zM0 100l100 0 0-100z");
        assert_eq!(canvas.take_lines(), "");
    }

    #[test]
    fn what_lies_far_outside_stays_a_small_number() {
        let mut canvas = Canvas::new(100, 100);
        let path = [(0.0, 0.0), (1.0, 1e300), (1.0, f64::MAX), (0.5, -1e300)];
        let path = path.map(|(x, y)| point(x, y)).to_vec();
        canvas.area().draw(&PathElement::new(path, BLACK)).unwrap();
        let lines = canvas.take_lines();
        assert!(lines.len() < 60 && lines.starts_with("M0 100l100"), "{lines}");
    }
}

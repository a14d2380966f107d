//! Smooth lines: a cubic curve through every point that never overshoots (Fritsch and Carlson, 1980), as points of a line.

/// Pieces between two points.
const PIECES: u8 = 6;

/// Points of the curve through `points`, whose x ascend.
pub fn curve(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let Some(first) = points.first() else { return Vec::new() };
    let slopes: Vec<f64> = points
        .windows(2)
        .map(|two| (two[1].1 - two[0].1) / (two[1].0 - two[0].0).max(f64::EPSILON))
        .collect();
    let tangent = |at: usize| match (at.checked_sub(1).map(|before| slopes[before]), slopes.get(at)) {
        (Some(before), Some(after)) if before * after > 0.0 => 2.0 * before * after / (before + after),
        (Some(only), None) => only,
        (None, Some(only)) => *only,
        (Some(_), Some(_)) | (None, None) => 0.0,
    };
    let mut curve = vec![*first];
    for (at, two) in points.windows(2).enumerate() {
        let ((x0, y0), (x1, y1)) = (two[0], two[1]);
        let width = x1 - x0;
        for piece in 1..=PIECES {
            let t = f64::from(piece) / f64::from(PIECES);
            let (square, cube) = (t * t, t * t * t);
            let y = (2.0 * cube - 3.0 * square + 1.0) * y0
                + (cube - 2.0 * square + t) * width * tangent(at)
                + (3.0 * square - 2.0 * cube) * y1
                + (cube - square) * width * tangent(at + 1);
            curve.push((x0 + t * width, y));
        }
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_line_meets_its_points_and_never_overshoots() {
        let points = [(0.0, 0.0), (1.0, 10.0), (2.0, 10.0), (3.0, 1.0), (4.0, 1.0)];
        let curve = curve(&points);
        for point in points {
            assert!(
                curve
                    .iter()
                    .any(|(x, y)| (x - point.0).abs() < 1e-9 && (y - point.1).abs() < 1e-9),
                "{point:?}"
            );
        }
        assert!(curve.iter().all(|(_, y)| (-1e-9..=10.0 + 1e-9).contains(y)));
    }
}

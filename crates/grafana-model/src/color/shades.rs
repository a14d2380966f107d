//! Grafana's mode `shades`.

use super::{hex, rgb, write};

/// Shades brighter than the colour itself, and as many darker ones.
const SHADES: usize = 6;

/// A shade of `base` for the series number `index`: the base itself, then brighter and darker ones in turn, each a bit further round
/// the wheel of hues.
#[expect(clippy::cast_precision_loss, reason = "a few")]
pub fn shade(base: &str, index: usize) -> String {
    let base = hex(base);
    let Some(parts) = rgb(&base) else { return base };
    let index = index % (2 * SHADES - 1);
    let by = index.div_ceil(2) as f64 / SHADES as f64;
    match (index, index % 2) {
        (0, _) => base,
        (_, 1) => {
            let turned = turned(parts.map(f64::from), by * 10.0).map(f64::round);
            write(turned.map(|part| part + (255.0 * by * 0.35).round()))
        }
        _ => {
            let (hue, saturation, lightness) = hsl(turned(parts.map(f64::from), by * -10.0));
            write(of_hsl(hue, saturation, (lightness - by * 0.35).clamp(0.0, 1.0)))
        }
    }
}

/// A colour so many degrees further round the wheel of hues.
fn turned(parts: [f64; 3], degrees: f64) -> [f64; 3] {
    let (hue, saturation, lightness) = hsl(parts);
    of_hsl((hue + degrees).rem_euclid(360.0), saturation, lightness)
}

/// Hue in degrees, saturation and lightness from 0 to 1.
fn hsl(parts: [f64; 3]) -> (f64, f64, f64) {
    let [red, green, blue] = parts.map(|part| part / 255.0);
    let (max, min) = (red.max(green).max(blue), red.min(green).min(blue));
    let (sum, delta) = (max + min, max - min);
    if delta == 0.0 {
        return (0.0, 0.0, sum / 2.0);
    }
    let saturation = if sum > 1.0 { delta / (2.0 - sum) } else { delta / sum };
    let sixth = if max == red {
        (green - blue) / delta + if green < blue { 6.0 } else { 0.0 }
    } else if max == green {
        (blue - red) / delta + 2.0
    } else {
        (red - green) / delta + 4.0
    };
    (sixth * 60.0, saturation, sum / 2.0)
}

fn of_hsl(hue: f64, saturation: f64, lightness: f64) -> [f64; 3] {
    // tinycolor, which Grafana uses, reads both as percent with two digits behind the point.
    let cut = |share: f64| (share * 100.0 * 100.0).trunc() / 100.0 / 100.0;
    let (saturation, lightness) = (cut(saturation), cut(lightness));
    let most = if lightness < 0.5 {
        lightness * (1.0 + saturation)
    } else {
        lightness + saturation - lightness * saturation
    };
    let least = 2.0 * lightness - most;
    let part = |offset: f64| {
        let at = (hue / 360.0 + offset).rem_euclid(1.0);
        let share = if at < 1.0 / 6.0 {
            least + (most - least) * 6.0 * at
        } else if at < 0.5 {
            most
        } else if at < 2.0 / 3.0 {
            least + (most - least) * (2.0 / 3.0 - at) * 6.0
        } else {
            least
        };
        share * 255.0
    };
    [part(1.0 / 3.0), part(0.0), part(-1.0 / 3.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_are_grafanas() {
        for (base, shades) in [
            ("red", ["#f2495c", "#ff5866", "#f02d49", "#ff6771"]),
            ("#7EB26D", ["#7eb26d", "#8bc17c", "#6fa859", "#98d08b"]),
            ("#808080", ["#808080", "#8f8f8f", "#717171", "#9e9e9e"]),
        ] {
            assert_eq!([0, 1, 2, 3].map(|index| shade(base, index)), shades, "{base}");
        }
        assert_eq!(shade("blue", 11), shade("blue", 0));
    }
}

//! The colours of a heat map.

use edgewatch_grafana_model::color;
use edgewatch_grafana_model::panel::heatmap::{HeatMode, HeatScale, Heatmap, Scheme};

/// Shades: what the eye tells apart, and few enough for a small page.
pub const SHADES: u8 = 24;

/// Colours from little to much.
enum Palette {
    /// One colour, from nearly transparent on, so that little is near to the background of either theme.
    Hue(String),
    /// From one colour to another.
    Stops(Vec<String>),
}

/// How counts become shades.
pub struct Shades {
    palette: Palette,
    exponent: f64,
    least: f64,
}

impl Shades {
    /// Those that a panel asks for.
    pub fn of(options: &Heatmap) -> Self {
        let color = &options.color;
        let exponent = color.exponent.filter(|exponent| *exponent > 0.0).unwrap_or(0.5);
        let (palette, exponent) = match (color.mode, color.scale) {
            (HeatMode::Scheme, _) => (palette(color.scheme, color.reverse), exponent),
            (HeatMode::Opacity, HeatScale::Exponential) => (Palette::Hue(color::hex(&color.fill)), exponent),
            (HeatMode::Opacity, HeatScale::Linear) => (Palette::Hue(color::hex(&color.fill)), 1.0),
        };
        Self {
            palette,
            exponent,
            least: options.filter_values.le,
        }
    }

    /// 1 to [`SHADES`]; `None` where nothing is drawn.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few shades")]
    pub fn shade(&self, count: f64, most: f64) -> Option<u8> {
        if count.is_nan() || count <= self.least || most <= 0.0 {
            return None;
        }
        let share = (count / most).clamp(0.0, 1.0).powf(self.exponent);
        Some(((share * f64::from(SHADES)).ceil() as u8).clamp(1, SHADES))
    }

    /// Colour and opacity of a shade.
    pub fn color(&self, shade: u8) -> (String, Option<String>) {
        let share = f64::from(shade) / f64::from(SHADES);
        match &self.palette {
            Palette::Hue(color) => (
                color.clone(),
                (shade < SHADES).then(|| format!("{:.2}", 0.12 + 0.88 * share)),
            ),
            Palette::Stops(stops) => (color::between(stops, share), None),
        }
    }
}

/// The colours of a scheme.
fn palette(scheme: Scheme, is_reversed: bool) -> Palette {
    let stops: &[&str] = match scheme {
        Scheme::Blues => return Palette::Hue(color::hex("blue")),
        Scheme::Greens => return Palette::Hue(color::hex("green")),
        Scheme::Greys => return Palette::Hue("#9a9aa5".to_owned()),
        Scheme::Purples => return Palette::Hue(color::hex("purple")),
        Scheme::Reds => return Palette::Hue(color::hex("red")),
        Scheme::Turbo => &[
            "#30123b", "#4675ed", "#1bcfd4", "#61fc6c", "#d1e834", "#fe9b2d", "#d93807", "#7a0403",
        ],
        Scheme::Cividis => &["#00224e", "#434e6c", "#7d7c78", "#bcae6c", "#fee838"],
        Scheme::Viridis => &["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"],
        Scheme::Magma => &["#0b0724", "#4f127b", "#b5367a", "#fb8761", "#fcfdbf"],
        Scheme::Inferno => &["#0b0724", "#57106e", "#bc3754", "#f98e09", "#fcffa4"],
        Scheme::Plasma => &["#0d0887", "#7e03a8", "#cc4778", "#f89540", "#f0f921"],
        Scheme::Spectral => &["#5e4fa2", "#66c2a5", "#ffffbf", "#f46d43", "#9e0142"],
        Scheme::RdYlGn => &["#006837", "#66bd63", "#ffffbf", "#f46d43", "#a50026"],
        Scheme::RdYlBu => &["#313695", "#74add1", "#ffffbf", "#f46d43", "#a50026"],
        Scheme::RdBu => &["#053061", "#4393c3", "#f7f7f7", "#d6604d", "#67001f"],
        Scheme::Oranges => return Palette::Hue(color::hex("orange")),
    };
    let mut stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
    if is_reversed {
        stops.reverse();
    }
    Palette::Stops(stops)
}

//! Grafana's colours: the names that thresholds and overrides use, the classic palette, and the continuous schemes.
//!
//! Everything here speaks the dark theme's colours; [`for_light`] gives the light theme's.

/// Grafana's named colours: the name, `#rrggbb` in the dark theme, and in the light one.
pub const NAMED: [(&str, &str, &str); 30] = [
    ("super-light-red", "#ffa6b0", "#ff7383"),
    ("light-red", "#ff7383", "#f2495c"),
    ("red", "#f2495c", "#e02f44"),
    ("semi-dark-red", "#e02f44", "#c4162a"),
    ("dark-red", "#c4162a", "#ad0317"),
    ("super-light-orange", "#ffcb7d", "#ffb357"),
    ("light-orange", "#ffb357", "#ff9830"),
    ("orange", "#ff9830", "#ff780a"),
    ("semi-dark-orange", "#ff780a", "#fa6400"),
    ("dark-orange", "#fa6400", "#e55400"),
    ("super-light-yellow", "#fff899", "#ffee52"),
    ("light-yellow", "#ffee52", "#fade2a"),
    ("yellow", "#fade2a", "#f2cc0c"),
    ("semi-dark-yellow", "#f2cc0c", "#e0b400"),
    ("dark-yellow", "#e0b400", "#cc9d00"),
    ("super-light-green", "#c8f2c2", "#96d98d"),
    ("light-green", "#96d98d", "#73bf69"),
    ("green", "#73bf69", "#56a64b"),
    ("semi-dark-green", "#56a64b", "#37872d"),
    ("dark-green", "#37872d", "#19730e"),
    ("super-light-blue", "#c0d8ff", "#8ab8ff"),
    ("light-blue", "#8ab8ff", "#5794f2"),
    ("blue", "#5794f2", "#3274d9"),
    ("semi-dark-blue", "#3274d9", "#1f60c4"),
    ("dark-blue", "#1f60c4", "#1250b0"),
    ("super-light-purple", "#deb6f2", "#ca95e5"),
    ("light-purple", "#ca95e5", "#b877d9"),
    ("purple", "#b877d9", "#a352cc"),
    ("semi-dark-purple", "#a352cc", "#8f3bb8"),
    ("dark-purple", "#8f3bb8", "#7c2ea3"),
];

/// The classic palette: series take its colours in turn.
// One text and not a table, since a table of texts would be relocated when the service starts: memory that nobody uses.
const PALETTE: &str = "green yellow blue orange red purple dark-green dark-yellow dark-blue dark-orange dark-red dark-purple \
    super-light-green super-light-yellow super-light-blue super-light-orange super-light-red super-light-purple \
    #447ebc #c15c17 #890f02 #0a437c #6d1f62 #584477 #b7dbab #f4d598 #70dbed #f9ba8f #f29191 #82b5d8 #e5a8e2 #aea2e0 \
    #629e51 #e5ac0e #64b0c8 #e0752d #bf1b00 #0a50a1 #962d82 #614d93 #9ac48a #f2c96d #65c5db #f9934e #ea6460 #5195ce \
    #d683ce #806eb7 #3f6833 #967302 #2f575e #99440a #58140c #052b51 #511749 #3f2b5b #e0f9d7 #fceaca #cffaff #f9e2d2 \
    #fce2de #badff4 #f9d9f9 #dedaf7";
/// How many they are.
const PALETTE_SIZE: usize = 64;

/// The CSS names that dashboards use beside Grafana's.
const CSS: [(&str, &str); 20] = [
    ("white", "#ffffff"),
    ("black", "#000000"),
    ("gray", "#808080"),
    ("grey", "#808080"),
    ("darkgray", "#a9a9a9"),
    ("lightgray", "#d3d3d3"),
    ("lightgrey", "#d3d3d3"),
    ("silver", "#c0c0c0"),
    ("brown", "#a52a2a"),
    ("cyan", "#00ffff"),
    ("aqua", "#00ffff"),
    ("magenta", "#ff00ff"),
    ("fuchsia", "#ff00ff"),
    ("pink", "#ffc0cb"),
    ("lime", "#00ff00"),
    ("navy", "#000080"),
    ("teal", "#008080"),
    ("olive", "#808000"),
    ("maroon", "#800000"),
    ("gold", "#ffd700"),
];

/// What Grafana shows where a colour has no name, and we where we do not know it.
pub const FALLBACK: &str = "#808080";

/// `#rrggbb` of a colour as dashboards name it: one of Grafana's names, `#rgb`, `#rrggbb`, `rgb(…)`, `rgba(…)` (whose opacity is
/// left out unless it is 0: then it is `transparent`), or a common CSS name. [`FALLBACK`] for anything else.
pub fn hex(name: &str) -> String {
    let name = name.trim();
    let lower = name.to_ascii_lowercase();
    if let Some((_, dark, _)) = NAMED.iter().find(|(known, _, _)| *known == lower) {
        return (*dark).to_owned();
    }
    if lower == "transparent" {
        return lower;
    }
    if let Some((_, found)) = CSS.iter().find(|(known, _)| *known == lower) {
        return (*found).to_owned();
    }
    numeric(&lower).unwrap_or_else(|| FALLBACK.to_owned())
}

/// `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb(…)` and `rgba(…)`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte"
)]
fn numeric(text: &str) -> Option<String> {
    if let Some(digits) = text.strip_prefix('#') {
        let valid = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return match (valid, digits.len()) {
            (true, 6) => Some(text.to_owned()),
            (true, 8) => text.get(..7).map(str::to_owned),
            (true, 3) => Some(
                digits
                    .chars()
                    .fold("#".to_owned(), |hex, digit| format!("{hex}{digit}{digit}")),
            ),
            _ => None,
        };
    }
    let inside = text
        .strip_prefix("rgba(")
        .or_else(|| text.strip_prefix("rgb("))?
        .strip_suffix(')')?;
    let parts = inside.split(',').map(|part| part.trim().parse::<f64>().ok());
    let parts = parts.collect::<Option<Vec<f64>>>()?;
    let byte = |value: f64| value.round().clamp(0.0, 255.0) as u8;
    match parts.as_slice() {
        [_, _, _, 0.0] => Some("transparent".to_owned()),
        [red, green, blue] | [red, green, blue, _] => {
            Some(format!("#{:02x}{:02x}{:02x}", byte(*red), byte(*green), byte(*blue)))
        }
        _ => None,
    }
}

/// The colour of the series number `index` in the classic palette.
pub fn palette(index: usize) -> String {
    hex(PALETTE
        .split_ascii_whitespace()
        .nth(index % PALETTE_SIZE)
        .unwrap_or(FALLBACK))
}

/// The colour of a series by its name, for Grafana's mode `palette-classic-by-name`: always the same for the same name.
pub fn palette_by_name(name: &str) -> String {
    // djb2 over UTF-16, as Grafana's `string-hash`, so that a series has the colour that people know.
    let units: Vec<u16> = name.encode_utf16().collect();
    let hash = units
        .into_iter()
        .rev()
        .fold(5381u32, |hash, unit| hash.wrapping_mul(33) ^ u32::from(unit));
    palette(hash as usize)
}

/// A shade of `base` for the series number `index`, for Grafana's mode `shades`: the base itself, then brighter and darker ones in
/// turn.
pub fn shade(base: &str, index: usize) -> String {
    const SHADES: usize = 6;
    let Some(rgb) = rgb(&hex(base)) else { return hex(base) };
    let index = index % (2 * SHADES - 1);
    let by = 0.35 * index.div_ceil(2) as f64 / SHADES as f64;
    let towards = if index % 2 == 1 { 255.0 } else { 0.0 };
    write(rgb.map(|part| f64::from(part) + (towards - f64::from(part)) * by))
}

/// How a scheme goes from one stop to the next.
type Between = fn(&[[u8; 3]], f64) -> [f64; 3];

/// The colour at `share` (0 to 1) of a continuous scheme, such as `continuous-GrYlRd`; `None`: `mode` is none.
pub fn continuous(mode: &str, share: f64) -> Option<String> {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let (colors, between): (&[&str], Between) = match mode.strip_prefix("continuous-")? {
        "GrYlRd" => (&["green", "yellow", "red"], spline),
        "RdYlGr" => (&["red", "yellow", "green"], spline),
        "BlYlRd" => (&["dark-blue", "super-light-yellow", "dark-red"], spline),
        "YlRd" => (&["super-light-yellow", "dark-red"], spline),
        "BlPu" => (&["blue", "purple"], spline),
        "YlBl" => (&["super-light-yellow", "dark-blue"], spline),
        "blues" => (&["#181b1f", "dark-blue"], spline),
        "reds" => (&["#181b1f", "dark-red"], spline),
        "greens" => (&["#181b1f", "dark-green"], spline),
        "purples" => (&["#181b1f", "dark-purple"], spline),
        "viridis" => (&VIRIDIS, linear),
        "magma" => (&MAGMA, linear),
        "plasma" => (&PLASMA, linear),
        "inferno" => (&INFERNO, linear),
        "cividis" => (&CIVIDIS, linear),
        _ => return None,
    };
    let stops: Vec<[u8; 3]> = colors.iter().filter_map(|color| rgb(&hex(color))).collect();
    Some(write(between(&stops, share)))
}

/// The colour at `share` (0 to 1) of the way through `stops` (`#rrggbb`).
pub fn between(stops: &[String], share: f64) -> String {
    let stops: Vec<[u8; 3]> = stops.iter().filter_map(|color| rgb(color)).collect();
    write(linear(&stops, share.clamp(0.0, 1.0)))
}

const VIRIDIS: [&str; 9] = [
    "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725",
];
const MAGMA: [&str; 9] = [
    "#000004", "#1c1044", "#4f127b", "#812581", "#b5367a", "#e55964", "#fb8761", "#fec287", "#fcfdbf",
];
const PLASMA: [&str; 9] = [
    "#0d0887", "#4c02a1", "#7e03a8", "#aa2395", "#cc4778", "#e66c5c", "#f89540", "#fdc527", "#f0f921",
];
const INFERNO: [&str; 9] = [
    "#000004", "#210c4a", "#57106e", "#8a226a", "#bc3754", "#e45a31", "#f98e09", "#f9cb35", "#fcffa4",
];
const CIVIDIS: [&str; 9] = [
    "#00224e", "#1a386f", "#434e6c", "#61656f", "#7d7c78", "#9b9476", "#bcae6c", "#dec958", "#fee838",
];

/// The light theme's colour for one of the dark theme's, if it has another there.
pub fn for_light(hex: &str) -> Option<&'static str> {
    NAMED
        .iter()
        .find(|(_, dark, _)| *dark == hex)
        .map(|(_, _, light)| *light)
}

/// Red, green and blue of `#rrggbb`.
pub fn rgb(hex: &str) -> Option<[u8; 3]> {
    let number = u32::from_str_radix(hex.strip_prefix('#')?, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    (hex.len() == 7).then_some([red, green, blue])
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte"
)]
fn write(rgb: [f64; 3]) -> String {
    let [red, green, blue] = rgb.map(|part| part.round().clamp(0.0, 255.0) as u8);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The place between two neighbours of `stops`: the index of the first, and the share of the way to the second.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few stops"
)]
fn place(stops: usize, share: f64) -> (usize, f64) {
    let last = stops.saturating_sub(1);
    let at = share * last as f64;
    let index = (at as usize).min(last.saturating_sub(1));
    (index, at - index as f64)
}

fn linear(stops: &[[u8; 3]], share: f64) -> [f64; 3] {
    let (index, t) = place(stops.len(), share);
    let from = stops.get(index).copied().unwrap_or_default();
    let to = stops.get(index + 1).copied().unwrap_or(from);
    std::array::from_fn(|part| {
        let [from, to] = [from, to].map(|color| color.get(part).copied().map_or(0.0, f64::from));
        from + (to - from) * t
    })
}

/// A uniform cubic B-spline that ends at the first and the last stop, as Grafana interpolates its own schemes.
fn spline(stops: &[[u8; 3]], share: f64) -> [f64; 3] {
    let (index, t) = place(stops.len(), share);
    std::array::from_fn(|part| {
        let at = |index: usize| {
            stops
                .get(index)
                .and_then(|color| color.get(part))
                .copied()
                .map(f64::from)
        };
        let (from, to) = (at(index).unwrap_or_default(), at(index + 1).unwrap_or_default());
        let before = index.checked_sub(1).and_then(at).unwrap_or(2.0 * from - to);
        let after = at(index + 2).unwrap_or(2.0 * to - from);
        let (t2, t3) = (t * t, t * t * t);
        ((1.0 - 3.0 * t + 3.0 * t2 - t3) * before
            + (4.0 - 6.0 * t2 + 3.0 * t3) * from
            + (1.0 + 3.0 * t + 3.0 * t2 - 3.0 * t3) * to
            + t3 * after)
            / 6.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_notations_become_hex() {
        for (name, expected) in [
            ("green", "#73bf69"),
            ("dark-red", "#c4162a"),
            ("#F2495C", "#f2495c"),
            ("#abc", "#aabbcc"),
            ("#f2495c80", "#f2495c"),
            ("rgba(50, 172, 45, 0.97)", "#32ac2d"),
            ("rgb(1,2,3)", "#010203"),
            ("rgba(0,0,0,0)", "transparent"),
            ("transparent", "transparent"),
            ("White", "#ffffff"),
            ("", FALLBACK),
            ("url(javascript:alert(1))", FALLBACK),
            ("#12", FALLBACK),
            ("rgb(1,2)", FALLBACK),
        ] {
            assert_eq!(hex(name), expected, "{name}");
        }
    }

    #[test]
    fn the_palette_goes_round() {
        assert_eq!((palette(0), palette(1)), (hex("green"), hex("yellow")));
        assert_eq!(palette(64), palette(0));
        assert!((0..64).all(|index| rgb(&palette(index)).is_some()));
        assert_eq!(palette_by_name("eth0"), palette_by_name("eth0"));
    }

    #[test]
    fn schemes_start_and_end_at_their_colours() {
        assert_eq!(continuous("continuous-GrYlRd", 0.0), Some(hex("green")));
        assert_eq!(continuous("continuous-GrYlRd", 1.0), Some(hex("red")));
        assert_eq!(continuous("continuous-viridis", 0.5).as_deref(), Some("#21918c"));
        assert_eq!(continuous("continuous-viridis", f64::NAN).as_deref(), Some("#440154"));
        assert_eq!(continuous("thresholds", 0.5), None);
    }

    #[test]
    fn shades_differ_and_start_at_the_base() {
        let shades: std::collections::BTreeSet<_> = (0..11).map(|index| shade("blue", index)).collect();
        assert_eq!((shades.len(), shade("blue", 0)), (11, hex("blue")));
    }

    #[test]
    fn the_light_theme_has_colours_of_its_own() {
        assert_eq!(for_light(&hex("green")), Some("#56a64b"));
        assert_eq!(for_light("#123456"), None);
    }
}

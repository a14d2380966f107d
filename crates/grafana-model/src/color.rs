//! Grafana's colours: the names that thresholds and overrides use, the classic palette, and the continuous schemes.
//!
//! Everything here speaks the dark theme's colours; [`for_light`] gives the light theme's.

mod maps;
mod shades;

pub use shades::shade;

/// Grafana's named colours: the name, `#rrggbb` in the dark theme, and in the light one.
pub const NAMED: [(&str, &str, &str); 32] = [
    ("text", "#ccccdc", "#24292e"),
    ("panel-bg", BACKGROUND, "#ffffff"),
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
const PALETTE: &str = "green semi-dark-yellow blue orange red purple dark-green dark-yellow dark-blue dark-orange dark-red dark-purple \
    super-light-green super-light-yellow super-light-blue super-light-orange super-light-red super-light-purple \
    #447ebc #c15c17 #890f02 #0a437c #6d1f62 #584477 #b7dbab #f4d598 #70dbed #f9ba8f #f29191 #82b5d8 #e5a8e2 #aea2e0 \
    #629e51 #e5ac0e #64b0c8 #e0752d #bf1b00 #0a50a1 #962d82 #614d93 #9ac48a #f2c96d #65c5db #f9934e #ea6460 #5195ce \
    #d683ce #806eb7 #3f6833 #967302 #2f575e #99440a #58140c #052b51 #511749 #3f2b5b #e0f9d7 #fceaca #cffaff #f9e2d2 \
    #fce2de #badff4 #f9d9f9 #dedaf7";

/// The colours of CSS whose names are none of Grafana's.
const CSS: &str = "\
    aliceblue f0f8ff antiquewhite faebd7 aqua 00ffff aquamarine 7fffd4 azure f0ffff beige f5f5dc bisque ffe4c4 black 000000 \
    blanchedalmond ffebcd blueviolet 8a2be2 brown a52a2a burlywood deb887 cadetblue 5f9ea0 chartreuse 7fff00 chocolate d2691e \
    coral ff7f50 cornflowerblue 6495ed cornsilk fff8dc crimson dc143c cyan 00ffff darkblue 00008b darkcyan 008b8b \
    darkgoldenrod b8860b darkgray a9a9a9 darkgreen 006400 darkgrey a9a9a9 darkkhaki bdb76b darkmagenta 8b008b \
    darkolivegreen 556b2f darkorange ff8c00 darkorchid 9932cc darkred 8b0000 darksalmon e9967a darkseagreen 8fbc8f \
    darkslateblue 483d8b darkslategray 2f4f4f darkslategrey 2f4f4f darkturquoise 00ced1 darkviolet 9400d3 deeppink ff1493 \
    deepskyblue 00bfff dimgray 696969 dimgrey 696969 dodgerblue 1e90ff firebrick b22222 floralwhite fffaf0 forestgreen 228b22 \
    fuchsia ff00ff gainsboro dcdcdc ghostwhite f8f8ff gold ffd700 goldenrod daa520 gray 808080 greenyellow adff2f grey 808080 \
    honeydew f0fff0 hotpink ff69b4 indianred cd5c5c indigo 4b0082 ivory fffff0 khaki f0e68c lavender e6e6fa \
    lavenderblush fff0f5 lawngreen 7cfc00 lemonchiffon fffacd lightblue add8e6 lightcoral f08080 lightcyan e0ffff \
    lightgoldenrodyellow fafad2 lightgray d3d3d3 lightgreen 90ee90 lightgrey d3d3d3 lightpink ffb6c1 lightsalmon ffa07a \
    lightseagreen 20b2aa lightskyblue 87cefa lightslategray 778899 lightslategrey 778899 lightsteelblue b0c4de \
    lightyellow ffffe0 lime 00ff00 limegreen 32cd32 linen faf0e6 magenta ff00ff maroon 800000 mediumaquamarine 66cdaa \
    mediumblue 0000cd mediumorchid ba55d3 mediumpurple 9370d8 mediumseagreen 3cb371 mediumslateblue 7b68ee \
    mediumspringgreen 00fa9a mediumturquoise 48d1cc mediumvioletred c71585 midnightblue 191970 mintcream f5fffa \
    mistyrose ffe4e1 moccasin ffe4b5 navajowhite ffdead navy 000080 oldlace fdf5e6 olive 808000 olivedrab 6b8e23 \
    orangered ff4500 orchid da70d6 palegoldenrod eee8aa palegreen 98fb98 paleturquoise afeeee palevioletred d87093 \
    papayawhip ffefd5 peachpuff ffdab9 peru cd853f pink ffc0cb plum dda0dd powderblue b0e0e6 rebeccapurple 663399 \
    rosybrown bc8f8f royalblue 4169e1 saddlebrown 8b4513 salmon fa8072 sandybrown f4a460 seagreen 2e8b57 seashell fff5ee \
    sienna a0522d silver c0c0c0 skyblue 87ceeb slateblue 6a5acd slategray 708090 slategrey 708090 snow fffafa \
    springgreen 00ff7f steelblue 4682b4 tan d2b48c teal 008080 thistle d8bfd8 tomato ff6347 turquoise 40e0d0 violet ee82ee \
    wheat f5deb3 white ffffff whitesmoke f5f5f5 yellowgreen 9acd32";

/// Colours that people who see few of them tell apart.
const COLORBLIND: &str = "\
    #0072b2 #e69f00 #009e73 #cc79a7 #56b4e9 #d55e00 #f0e442 #000000 #ffffff";
/// Grafana's newer palettes.
const NEXT: [&str; 3] = [
    "\
    #d97e9b #ffc554 #41cd94 #64a6d8 #f79cff #e78a5f #c9e1a6 #00cfe3 #9b93df #ffb2be #cea82e #9cf2d6 #8fc3ff #ce84c1 #ffc39d \
    #89c862 #41aec7 #cdb9ff #ef8488 #e7db98 #00d8be #759ee6 #ffb1e1 #ee9941 #baf2b8 #54d3ff #b78ee2 #ff645a #c0bd2f #8ffff6 \
    #b4c7ff #eb85b5 #ffd49f #58db89 #46abde #eabcff #ff8e6f #deed9f #00dfe5 #959df6",
    "\
    #63b564 #ded188 #84b1ff #ffdbbc #ffa8aa #c986e6 #ffc4d4 #9bcb35 #d3efff #f8b4d2 #a6b924 #afe8ff #ff97da #aaa720 #81e3fb \
    #f386e2 #ffe397 #84d6e1 #d784df #fed283 #00d4da #f2e7ff #f3c48a #00c9c0 #e4daff #ffac74 #00bea7 #d2cfff #ff9767 #9dffdf \
    #bdc4ff #fe8260 #93f4c5 #a4baff #ea796e #9fe3b3 #74b6ff #ffd8dd #89e04d #3baffe",
    "\
    #63b564 #88ddfe #ca94ff #ffd8d3 #cfcb00 #00beb5 #c7d5ff #ff8dc4 #ffe5c7 #9fdcb0 #00bbff #f0d0ff #ffa48b #9bac32 #7ce6e9 \
    #a3abff #ffdae4 #e1c18a #1dc58a #b7dfff #f38efc #ffe7dd #bed997 #00c5d8 #dedcff #ffa4b3 #c79e00 #8bebcc #7dbbff #ffdcf8 \
    #f5bb95 #7dc053 #9beaff #c5adff #ea777e #e0d287 #00ceb5 #d5e4ff #ffa1dc #e88e29",
];

/// What is behind panels.
const BACKGROUND: &str = "#181b1f";
/// How much a colour must stand out from what is behind it (WCAG 2.1).
const LEAST_CONTRAST: f64 = 3.0;

/// What Grafana shows where no colour is named.
pub const FALLBACK: &str = "#808080";

/// `#rrggbb` of a colour as dashboards name it: one of Grafana's names, `#rgb`, `#rrggbb`, `rgb(…)`, `rgba(…)` (whose opacity is
/// left out unless it is 0: then it is `transparent`), or a name of CSS. [`FALLBACK`] for none, and black for what is no colour.
pub fn hex(name: &str) -> String {
    let name = name.trim();
    let lower = name.to_ascii_lowercase();
    if let Some((_, dark, _)) = NAMED.iter().find(|(known, _, _)| *known == lower) {
        return (*dark).to_owned();
    }
    if lower == "transparent" {
        return lower;
    }
    if lower.is_empty() {
        return FALLBACK.to_owned();
    }
    let mut css = CSS.split_ascii_whitespace();
    while let (Some(known), Some(digits)) = (css.next(), css.next()) {
        if known == lower {
            return format!("#{digits}");
        }
    }
    numeric(&lower).unwrap_or_else(|| "#000000".to_owned())
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

/// Whether a mode gives a series one colour, whatever its values are. What no mode is named is by thresholds.
pub fn is_of_series(mode: &str) -> bool {
    matches!(mode, "fixed" | "shades" | "gradient") || palette_of(mode).is_some() || mode == BY_NAME
}

/// The mode in which the name of a series decides.
const BY_NAME: &str = "palette-classic-by-name";

/// The colours of a mode, which series take in turn.
fn palette_of(mode: &str) -> Option<&'static str> {
    let [next, next_2, next_3] = NEXT;
    Some(match mode {
        "palette-classic" => PALETTE,
        "palette-colorblind" => COLORBLIND,
        "palette-categorical-next" => next,
        "palette-categorical-next-2" => next_2,
        "palette-categorical-next-3" => next_3,
        _ => return None,
    })
}

/// The colour of the series number `index`, named `name`, in a mode of [`is_of_series`]; `fixed` is that of the dashboard.
pub fn of_series(mode: &str, fixed: &str, name: &str, index: usize) -> String {
    match (mode, palette_of(mode)) {
        ("shades", _) => shade(fixed, index),
        (BY_NAME, _) => palette_by_name(name),
        ("palette-colorblind", Some(colors)) => nth(colors.split_ascii_whitespace().filter(stands_out), index),
        (_, Some(colors)) => nth(colors.split_ascii_whitespace(), index),
        (_, None) => hex(fixed),
    }
}

/// The colour of the series number `index` in the classic palette.
pub fn palette(index: usize) -> String {
    nth(PALETTE.split_ascii_whitespace(), index)
}

/// One of `colors`, which begin anew at their end.
fn nth<'c>(mut colors: impl Iterator<Item = &'c str> + Clone, index: usize) -> String {
    let count = colors.clone().count().max(1);
    hex(colors.nth(index % count).unwrap_or(FALLBACK))
}

/// The colour of a series by its name, for Grafana's mode `palette-classic-by-name`: always the same for the same name.
pub fn palette_by_name(name: &str) -> String {
    // djb2 over UTF-16, as Grafana's `string-hash`, so that a series has the colour that people know.
    let units: Vec<u16> = name.encode_utf16().collect();
    let hash = units
        .into_iter()
        .rev()
        .fold(5381u32, |hash, unit| hash.wrapping_mul(33) ^ u32::from(unit));
    nth(PALETTE.split_ascii_whitespace().filter(stands_out), hash as usize)
}

/// Whether a colour can be told from what is behind panels.
fn stands_out(color: &&str) -> bool {
    let luminance = |hex: &str| {
        let [red, green, blue] = rgb(hex).unwrap_or_default().map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.03928 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (color, behind) = (luminance(&hex(color)), luminance(BACKGROUND));
    (color.max(behind) + 0.05) / (color.min(behind) + 0.05) >= LEAST_CONTRAST
}

/// The colour at `share` (0 to 1) of a continuous scheme, such as `continuous-GrYlRd`; `None`: `mode` is none.
pub fn continuous(mode: &str, share: f64) -> Option<String> {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let colors: &[&str] = match mode.strip_prefix("continuous-")? {
        "GrYlRd" => &["green", "yellow", "red"],
        "RdYlGr" => &["red", "yellow", "green"],
        "BlYlRd" => &["dark-blue", "super-light-yellow", "dark-red"],
        "YlRd" => &["super-light-yellow", "dark-red"],
        "BlPu" => &["blue", "purple"],
        "YlBl" => &["super-light-yellow", "dark-blue"],
        "blues" => &["#181b1f", "dark-blue"],
        "reds" => &["#181b1f", "dark-red"],
        "greens" => &["#181b1f", "dark-green"],
        "purples" => &["#181b1f", "dark-purple"],
        "viridis" => return Some(mapped(maps::VIRIDIS, share)),
        "magma" => return Some(mapped(maps::MAGMA, share)),
        "plasma" => return Some(mapped(maps::PLASMA, share)),
        "inferno" => return Some(mapped(maps::INFERNO, share)),
        "cividis" => return Some(cividis(share)),
        _ => return None,
    };
    let stops: Vec<[u8; 3]> = colors.iter().filter_map(|color| rgb(&hex(color))).collect();
    Some(write(spline(&stops, share)))
}

/// The colour at `share` (0 to 1) of the way through `stops` (`#rrggbb`).
pub fn between(stops: &[String], share: f64) -> String {
    let stops: Vec<[u8; 3]> = stops.iter().filter_map(|color| rgb(color)).collect();
    write(linear(&stops, share.clamp(0.0, 1.0)))
}

/// A colour of one of [`maps`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few hundred"
)]
fn mapped(map: &str, share: f64) -> String {
    const DIGITS: usize = "rrggbb".len();
    let count = map.len() / DIGITS;
    let at = ((share * count as f64) as usize).min(count - 1) * DIGITS;
    format!("#{}", map.get(at..at + DIGITS).unwrap_or_default())
}

/// From blue to yellow: the polynomials of d3 (<https://d3js.org/d3-scale-chromatic/sequential#interpolateCividis>).
fn cividis(share: f64) -> String {
    let along = |factors: [f64; 6]| factors.into_iter().rev().fold(0.0, |sum, factor| factor + share * sum);
    write([
        along([-4.54, -35.34, 2381.73, -6402.7, 7024.72, -2710.57]),
        along([32.49, 170.73, 52.82, -131.46, 176.58, -67.37]),
        along([81.24, 442.36, -2482.43, 6167.24, -6614.94, 2475.67]),
    ])
}

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
mod tests;

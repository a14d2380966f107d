//! Where a panel is drawn, and the colours there: a page takes them from its stylesheet, so that light and dark are the reader's
//! choice; a picture has them in it.

use edgewatch_grafana_model::color;

/// Where a panel is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Into a page: stretched by the browser, coloured by classes.
    Page,
    /// Into a picture of fixed size.
    Picture {
        /// Light on dark.
        dark: bool,
    },
}

/// A colour of the theme. On a page the stylesheet knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Text.
    Text,
    /// Text that is less important: ticks, names.
    Soft,
    /// Lines of the grid.
    Grid,
    /// What is behind a panel's contents.
    Panel,
    /// The part of a gauge that is not filled.
    Track,
    /// What is behind panels.
    Page,
    /// Around a panel.
    Border,
    /// Text beside a title.
    Aside,
    /// What is wrong.
    Bad,
}

impl Medium {
    /// A colour of the dark theme as it is drawn: in a light picture its sister there; on a page the stylesheet sees to it.
    pub fn color(self, hex: &str) -> String {
        let light = matches!(self, Self::Picture { dark: false })
            .then(|| color::for_light(hex))
            .flatten();
        light.unwrap_or(hex).to_owned()
    }

    /// A text as it is written at the beginning of an element, where pictures lose spaces.
    pub fn beginning(self, text: &str) -> String {
        match self {
            Self::Page => text.to_owned(),
            Self::Picture { .. } => text.replace(' ', "\u{a0}"),
        }
    }

    /// The attribute `fill` or `stroke` for `tone`; `None` on a page, where a class does it.
    pub const fn tone(self, tone: Tone) -> Option<&'static str> {
        match self {
            Self::Page => None,
            Self::Picture { dark } => Some(tone.color(dark)),
        }
    }
}

impl Tone {
    /// `#rrggbb` in a picture: opaque, since not every reader of SVG knows `rgba()`.
    pub const fn color(self, dark: bool) -> &'static str {
        match (self, dark) {
            (Self::Text, true) => "#ccccdc",
            (Self::Text, false) => "#24292e",
            (Self::Soft, true) => "#92929f",
            (Self::Soft, false) => "#5b5f63",
            (Self::Grid, true) => "#2b2f35",
            (Self::Grid, false) => "#e8e9ea",
            (Self::Panel, true) => "#181b1f",
            (Self::Panel, false) => "#ffffff",
            (Self::Track, true) => "#2a2d33",
            (Self::Track, false) => "#e9eaeb",
            (Self::Page, true) => "#111217",
            (Self::Page, false) => "#f4f5f5",
            (Self::Border, true) => "#2d3036",
            (Self::Border, false) => "#e4e5e6",
            (Self::Aside, true) => "#9fa3ad",
            (Self::Aside, false) => "#5b6167",
            (Self::Bad, true) => "#ff8a80",
            (Self::Bad, false) => "#b3261e",
        }
    }
}

/// The theme's variables of a page, light and dark; they stand before the page's own rules, which change them in print.
pub fn variables() -> String {
    let of = |dark: bool| {
        let named = [
            ("page", Tone::Page),
            ("panel", Tone::Panel),
            ("text", Tone::Text),
            ("soft", Tone::Aside),
            ("bad", Tone::Bad),
        ];
        named
            .map(|(name, tone)| format!("--{name}:{};", tone.color(dark)))
            .concat()
    };
    let (light, dark) = (of(false), of(true));
    format!(
        ":root{{{light}}}@media (prefers-color-scheme:dark){{:root:not([data-theme=\"light\"]){{{dark}}}}}:root[data-theme=\"dark\"]{{{dark}}}\n"
    )
}

/// What makes the light theme's colours of the dark theme's, which stand in attributes: a rule outdoes an attribute.
pub fn light_rules() -> String {
    const ATTRIBUTES: [(&str, &str); 5] = [
        ("fill", "fill"),
        ("stroke", "stroke"),
        ("stop-color", "stop-color"),
        ("bgcolor", "background-color"),
        ("color", "color"),
    ];
    let of = |(_, dark, light): (&str, &str, &str)| {
        ATTRIBUTES
            .map(|(attribute, property)| format!("[{attribute}=\"{dark}\"]{{{property}:{light}}}"))
            .concat()
    };
    let rules: String = color::NAMED.into_iter().map(of).collect();
    format!(
        "@media not all and (prefers-color-scheme:dark){{:root:not([data-theme=\"dark\"]){{{rules}}}}}:root[data-theme=\"light\"]{{{rules}}}"
    )
}

/// Black or white, whichever can be read on `color` (`#rrggbb`).
pub fn readable_on(color: &str) -> &'static str {
    let part = |at: usize| {
        color
            .get(at..at + 2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .unwrap_or(0)
    };
    let brightness = 299 * u32::from(part(1)) + 587 * u32::from(part(3)) + 114 * u32::from(part(5));
    if brightness > 180_000 { "#111217" } else { "#ffffff" }
}

/// About how wide `text` is at `size` pixels in a sans-serif font; rather too much, since fonts differ.
pub fn text_width(text: &str, size: f64) -> f64 {
    let widths = text.chars().map(|c| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.32,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '"' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.92,
        'A'..='Z' | '_' | '=' | '+' | '~' => 0.7,
        '0'..='9' => 0.62,
        // Scripts whose letters are as wide as high.
        '\u{2e80}'..='\u{ffdc}' | '\u{1f000}'..='\u{3ffff}' => 1.0,
        _ => 0.6,
    });
    widths.sum::<f64>() * size
}

/// As much of `text` as fits into `width` pixels at `size`, with an ellipsis if it is cut.
pub fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if text_width(&kept, size) + size > width {
            kept.pop();
            break;
        }
    }
    kept + "…"
}

/// `text` without the characters that XML does not allow, not even escaped.
pub fn without_controls(text: String) -> String {
    let is_allowed =
        |c: char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.chars().all(is_allowed) {
        return text;
    }
    text.chars()
        .map(|c| if is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER })
        .collect()
}

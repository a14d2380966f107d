//! What a terminal can show: glyphs and colours.

use std::env;

use ratatui::style::{Color, Style};
use ratatui::symbols::bar;

use edgewatch_grafana_model::color;

/// Glyphs and colours for one terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Only ASCII.
    pub ascii: bool,
    /// Colours.
    pub colors: Colors,
}

/// Colours of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    /// None.
    None,
    /// The eight of ANSI, bright where the terminal has them so.
    Ansi,
    /// Any.
    True,
}

/// Eighths as ASCII shows them: from a line on the ground to a full cell.
const ASCII_BARS: bar::Set<'static> = bar::Set {
    full: "#",
    seven_eighths: "%",
    three_quarters: "*",
    five_eighths: "+",
    half: "=",
    three_eighths: "-",
    one_quarter: ".",
    one_eighth: "_",
    empty: " ",
};

impl Look {
    /// What the environment says of the terminal. `ascii` is the person's wish.
    pub fn detect(ascii: bool) -> Self {
        let variable = |name| env::var(name).unwrap_or_default();
        // The first of these that is set names the character set (locale(7)).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable);
        let locale = locale.iter().find(|value| !value.is_empty()).map_or("", String::as_str);
        Self::of(
            ascii,
            &variable("TERM"),
            locale,
            &variable("COLORTERM"),
            &variable("NO_COLOR"),
        )
    }

    fn of(ascii: bool, term: &str, locale: &str, colorterm: &str, no_color: &str) -> Self {
        let locale = locale.to_ascii_lowercase();
        let has_utf8 = locale.ends_with("utf-8") || locale.ends_with("utf8");
        let is_old = term.is_empty() || term == "dumb" || term.starts_with("vt");
        Self {
            // The font of the kernel's console has no eighths.
            ascii: ascii || !has_utf8 || is_old || term == "linux",
            colors: match colorterm {
                // https://no-color.org
                _ if !no_color.is_empty() || is_old => Colors::None,
                "truecolor" | "24bit" => Colors::True,
                _ => Colors::Ansi,
            },
        }
    }

    /// The nine glyphs of a bar, from empty to full.
    pub const fn bars(self) -> bar::Set<'static> {
        if self.ascii { ASCII_BARS } else { bar::NINE_LEVELS }
    }

    /// The glyph of the state number `index` of a timeline, so that states differ without colours as well.
    pub fn state(self, index: usize) -> &'static str {
        let glyphs = if self.ascii {
            ["#", ".", "=", "+", "o"]
        } else {
            ["█", "░", "▒", "▓", "▞"]
        };
        glyphs[index % glyphs.len()]
    }

    /// The line behind a title, doubled behind that of a row of panels.
    pub const fn rule(self, is_double: bool) -> &'static str {
        match (self.ascii, is_double) {
            (true, false) => "-",
            (true, true) => "=",
            (false, false) => "─",
            (false, true) => "═",
        }
    }

    /// A style with the colour `#rrggbb`.
    pub fn paint(self, hex: &str) -> Style {
        let Some(rgb @ [red, green, blue]) = color::rgb(hex) else {
            return Style::new();
        };
        match self.colors {
            Colors::None => Style::new(),
            Colors::Ansi => Style::new().fg(nearest(rgb)),
            Colors::True => Style::new().fg(Color::Rgb(red, green, blue)),
        }
    }

    /// `text` in at most `width` cells; what does not fit is cut off, visibly. Control characters, which could command the
    /// terminal, become spaces.
    pub fn fit(self, text: &str, width: usize) -> String {
        let clean: String = text.chars().map(|letter| self.letter(letter)).collect();
        if cells(&clean) <= width {
            return clean;
        }
        let mut room = width.saturating_sub(1);
        let mut short = String::new();
        for letter in clean.chars() {
            let Some(left) = room.checked_sub(cells(letter.encode_utf8(&mut [0; 4]))) else {
                break;
            };
            room = left;
            short.push(letter);
        }
        if width > 0 {
            short.push(if self.ascii { '~' } else { '…' });
        }
        short
    }

    /// The letter itself, or one of ASCII that stands for it.
    fn letter(self, letter: char) -> char {
        match letter {
            letter if letter.is_control() => ' ',
            letter if letter.is_ascii() || !self.ascii => letter,
            'µ' | 'μ' => 'u',
            '°' => '\'',
            '·' => '*',
            '…' => '~',
            '\u{a0}' | '\u{202f}' => ' ',
            '–' | '—' | '−' | '→' => '-',
            _ => '?',
        }
    }
}

/// How many cells of a terminal `text` takes.
pub fn cells(text: &str) -> usize {
    ratatui::text::Span::raw(text).width()
}

/// The colour of ANSI with about the same hue.
fn nearest(rgb: [u8; 3]) -> Color {
    let [red, green, blue] = rgb.map(f64::from);
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let chroma = most - least;
    if chroma < 40.0 {
        return if most > 160.0 { Color::White } else { Color::DarkGray };
    }
    let sixth = if most == red {
        ((green - blue) / chroma).rem_euclid(6.0)
    } else if most == green {
        (blue - red) / chroma + 2.0
    } else {
        (red - green) / chroma + 4.0
    };
    match sixth * 60.0 {
        ..15.0 => Color::Red,
        // Orange has none of its own.
        ..75.0 => Color::Yellow,
        ..160.0 => Color::Green,
        ..200.0 => Color::Cyan,
        ..260.0 => Color::Blue,
        ..330.0 => Color::Magenta,
        _ => Color::Red,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_line_gets_plain_ascii() {
        let look = Look::of(false, "vt220", "en_GB.UTF-8", "", "");
        assert_eq!((look.ascii, look.colors), (true, Colors::None));
        assert_eq!(look.fit("48.3 °C · 2 µs", 20), "48.3 'C * 2 us");
    }

    #[test]
    fn a_terminal_emulator_gets_everything_it_can_show() {
        let look = Look::of(false, "xterm-256color", "C.utf8", "truecolor", "");
        assert_eq!((look.ascii, look.colors), (false, Colors::True));
        assert_eq!(Look::of(false, "xterm", "C.UTF-8", "", "").colors, Colors::Ansi);
        assert_eq!(
            Look::of(false, "xterm", "C.UTF-8", "truecolor", "1").colors,
            Colors::None
        );
        assert!(Look::of(false, "xterm", "POSIX", "", "").ascii);
    }

    #[test]
    fn texts_cannot_command_the_terminal() {
        let look = Look::of(false, "xterm", "C.UTF-8", "", "");
        assert_eq!(look.fit("a\x1b[2Jb\n\u{9b}1m", 20), "a [2Jb  1m");
        assert_eq!(look.fit("温度センサー", 5), "温度…");
        assert_eq!(look.fit("abc", 0), "");
    }

    #[test]
    fn colours_keep_their_hue() {
        for (hex, color) in [
            ("#73bf69", Color::Green),
            ("#f2495c", Color::Red),
            ("#ff9830", Color::Yellow),
            ("#fade2a", Color::Yellow),
            ("#5794f2", Color::Blue),
            ("#b877d9", Color::Magenta),
            ("#808080", Color::DarkGray),
        ] {
            assert_eq!(
                Look {
                    ascii: false,
                    colors: Colors::Ansi
                }
                .paint(hex)
                .fg,
                Some(color),
                "{hex}"
            );
        }
    }
}

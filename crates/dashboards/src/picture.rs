//! A whole dashboard as one picture: SVG of a fixed size, without a stylesheet, for reports and mail.

use maud::{Markup, PreEscaped, html};

use edgewatch_charts::Tone;
use edgewatch_grafana_model::data::Data;
use edgewatch_grafana_model::evaluate::evaluate;
use edgewatch_grafana_model::grid::{COLUMNS, GAP, ROW};
use edgewatch_grafana_model::layout::{MAX_ROWS, Placed};
use edgewatch_grafana_model::limits::guarded;
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::sections::{Place, Section};
use edgewatch_grafana_model::source::Source;
use edgewatch_grafana_model::time::local;

/// Around everything.
const MARGIN: u32 = 16;
/// Title and range above the panels.
const HEAD: u32 = 44;
/// The title of a panel.
const TITLE: u32 = 32;
/// Around what is drawn in a panel.
const PADDING: u32 = 8;

/// Where everything goes.
pub struct Picture {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    dark: bool,
    boxes: Vec<Box>,
    titles: Vec<Title>,
}

/// The place of a panel in pixels.
struct Box {
    place: Place,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// The place of a row's title in pixels.
struct Title {
    place: Place,
    y: u32,
}

impl Picture {
    /// The places of all open panels of `sections` in a picture of `width` pixels.
    pub fn new(sections: &[Section], panels: &[Placed], width: u32, dark: bool) -> Self {
        let column = f64::from(width.saturating_sub(2 * MARGIN + (COLUMNS - 1) * GAP)) / f64::from(COLUMNS);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "pixels of a picture"
        )]
        let across = |columns: u32| (f64::from(columns) * (column + f64::from(GAP))).round() as u32;
        let (mut boxes, mut titles) = (Vec::new(), Vec::new());
        let mut top = MARGIN + HEAD;
        for section in sections {
            if let Some(row) = &section.row {
                titles.push(Title {
                    place: row.place,
                    y: top,
                });
                top += ROW + GAP;
            }
            // How far down each column is filled, in rows: panels move up until they touch another, as in Grafana.
            let mut filled = [0_u32; COLUMNS as usize];
            for place in &section.panels {
                let Some(placed) = place.of(panels) else { continue };
                let at = placed.panel.grid_pos;
                let (columns, rows) = (at.w.clamp(1, COLUMNS), at.h.clamp(1, MAX_ROWS));
                let left = at.x.min(COLUMNS - columns);
                let below = &mut filled[left as usize..(left + columns) as usize];
                let y = below.iter().copied().max().unwrap_or(0);
                below.fill(y + rows);
                boxes.push(Box {
                    place: *place,
                    x: MARGIN + across(left),
                    y: top + y * (ROW + GAP),
                    width: across(columns).saturating_sub(GAP),
                    height: rows * (ROW + GAP) - GAP,
                });
            }
            top += filled.iter().copied().max().unwrap_or(0) * (ROW + GAP);
        }
        Self {
            width,
            height: top + MARGIN - GAP.min(top),
            dark,
            boxes,
            titles,
        }
    }

    /// One panel that fills a picture of `width` by `height` pixels.
    pub fn alone(place: Place, width: u32, height: u32, dark: bool) -> Self {
        let whole = Box {
            place,
            x: 0,
            y: 0,
            width,
            height,
        };
        Self {
            width,
            height,
            dark,
            boxes: vec![whole],
            titles: Vec::new(),
        }
    }

    /// The number of panels, to be drawn one after the other between [`Self::head`] and [`Self::TAIL`].
    pub const fn len(&self) -> usize {
        self.boxes.len()
    }

    /// True if there are no panels.
    pub const fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }

    /// The end of the picture.
    pub const TAIL: &str = "</svg>\n";

    /// Everything but the panels.
    ///
    /// `notes` are what a person must know of the whole: there is room for a line.
    pub fn head(&self, title: &str, notes: &[String], panels: &[Placed], scope: &Scope) -> String {
        let Self { width, height, .. } = self;
        let range = format!(
            "{} to {}",
            local(scope.range.from, &scope.zone),
            local(scope.range.to, &scope.zone)
        );
        let inside = html! {
            title { (title) }
            rect width=(width) height=(height) fill=(self.color(Tone::Page)) {}
            @if !self.titles.is_empty() || self.boxes.iter().any(|one| one.x > 0) {
                text x=(MARGIN) y=(MARGIN + 22) font-size="20" fill=(self.color(Tone::Text)) { (title) }
                text x=(width - MARGIN) y=(MARGIN + 22) font-size="13" text-anchor="end" fill=(self.color(Tone::Aside)) { (range) }
                @if !notes.is_empty() { text x=(MARGIN) y=(MARGIN + 38) font-size="12" fill=(self.color(Tone::Bad)) { (notes.join("; ")) } }
            }
            @for title in &self.titles {
                @if let Some(placed) = title.place.of(panels) {
                    text x=(MARGIN) y=(title.y + 21) font-size="16" fill=(self.color(Tone::Text)) { (placed.title(scope)) }
                }
            }
        };
        let inside = edgewatch_charts::without_controls(inside.into_string());
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"Inter, Helvetica, Arial, sans-serif\">{inside}"
        )
    }

    /// The panel number `index`. Asks its queries; blocks.
    pub fn panel(&self, index: usize, panels: &[Placed], scope: &Scope, source: &dyn Source) -> String {
        let Some((one, placed)) = self.boxes.get(index).and_then(|one| Some((one, one.place.of(panels)?))) else {
            return String::new();
        };
        let scope = placed.scope(scope);
        let panel = &placed.panel;
        let mut data = evaluate(panel, &scope, (one.width as usize).max(100) / 2, source);
        let title = scope.title(&panel.title);
        let top = if title.is_empty() && data.own_range.is_empty() {
            PADDING
        } else {
            TITLE
        };
        let (width, height) = (
            one.width.saturating_sub(2 * PADDING),
            one.height.saturating_sub(top + PADDING),
        );
        let draw = |data: &Data| match data.problems.is_empty() {
            true => edgewatch_charts::picture(panel, data, &scope, width, height, self.dark),
            false => self.problems(&data.problems, width, height, panel, data, &scope),
        };
        let inside = guarded(|| draw(&data)).unwrap_or_else(|problem| {
            data.frames.clear();
            data.problems.push(problem.to_string());
            draw(&data)
        });
        let beside = match data.own_range.as_str() {
            "" => 0.0,
            words => edgewatch_charts::text_width(words, 12.0) + 8.0,
        };
        let room = f64::from(one.width.saturating_sub(2 * PADDING)) - beside;
        let frame = html! {
            rect x="0.5" y="0.5" width=(one.width.saturating_sub(1)) height=(one.height.saturating_sub(1)) rx="2" fill=(self.color(Tone::Panel)) stroke=(self.color(Tone::Border)) {}
            @if !title.is_empty() { text x=(PADDING) y="21" font-size="14" fill=(self.color(Tone::Text)) { (edgewatch_charts::fitted(&title, 14.0, room)) } }
            @if !data.own_range.is_empty() { text x=(one.width.saturating_sub(PADDING)) y="21" font-size="12" text-anchor="end" fill=(self.color(Tone::Aside)) { (data.own_range) } }
        };
        // `svg` within `svg` cuts off what does not fit.
        format!(
            "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{}<svg x=\"{PADDING}\" y=\"{top}\" width=\"{width}\" height=\"{height}\">{}</svg></svg>",
            one.x,
            one.y,
            one.width,
            one.height,
            edgewatch_charts::without_controls(frame.into_string()),
            edgewatch_charts::without_controls(inside.into_string())
        )
    }

    /// What is wrong, a line each, and below it what there is.
    fn problems(
        &self,
        problems: &[String],
        width: u32,
        height: u32,
        panel: &edgewatch_grafana_model::model::Panel,
        data: &Data,
        scope: &Scope,
    ) -> Markup {
        const LINE: u32 = 16;
        let shown: Vec<&String> = problems.iter().take(3).collect();
        let taken = u32::try_from(shown.len()).unwrap_or(3) * LINE + 4;
        let rest = height.saturating_sub(taken);
        let inside = edgewatch_charts::picture(panel, data, scope, width, rest, self.dark);
        html! {
            @for (line, problem) in (1..).zip(shown) {
                text x="0" y=(line * LINE - 4) font-size="12" fill=(self.color(Tone::Bad)) { (problem) }
            }
            (PreEscaped(format!("<g transform=\"translate(0 {taken})\">"))) (inside) (PreEscaped("</g>"))
        }
    }

    const fn color(&self, tone: Tone) -> &'static str {
        tone.color(self.dark)
    }
}

//! The panel `text`: Markdown or HTML, of which nothing reaches a page but what [`markup`] lets pass.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Event, Options, Parser};

use super::markup;
use edgewatch_grafana_model::panel::text::{Format, Text};
use edgewatch_grafana_model::scope::Scope;

/// The words of a panel, with the values of variables.
pub struct Words {
    /// What they are written in.
    pub format: Format,
    /// As they are written.
    pub content: String,
}

impl Words {
    /// Those of `options`.
    pub fn of(options: &Text, scope: &Scope) -> Self {
        Self {
            format: options.mode,
            content: scope.content(&options.content),
        }
    }

    /// Where the other dashboards are.
    pub fn links_to_all() -> Self {
        Self {
            format: Format::Markdown,
            content: "[All dashboards](/dashboards)".to_owned(),
        }
    }

    /// With their shapes.
    pub fn html(&self) -> Markup {
        match self.format {
            Format::Code => html! { pre { code { (self.content) } } },
            Format::Html => PreEscaped(self.or_picture(markup::harmless(&self.content))),
            Format::Markdown => PreEscaped(self.or_picture(markdown(&self.content))),
        }
    }

    /// Without their shapes.
    pub fn plain(&self) -> String {
        match self.format {
            Format::Code => self.content.clone(),
            Format::Html => self.or_picture(markup::words(&self.content)),
            Format::Markdown => plain(&self.content),
        }
    }
}

impl Words {
    /// What is shown; a text that is nothing but pictures says so.
    fn or_picture(&self, shown: String) -> String {
        match markup::words(&shown).trim().is_empty() && ["<img", "!["].iter().any(|image| self.content.contains(image))
        {
            true => "A picture, which is not loaded.".to_owned(),
            false => shown,
        }
    }
}

/// Cells of all tables of a text, including those that Markdown puts in where a row has fewer than the widest.
const MAX_CELLS: usize = 20_000;

fn markdown(text: &str) -> String {
    let events = Parser::new_ext(text, extensions(text) | Options::ENABLE_STRIKETHROUGH);
    let mut written = String::new();
    pulldown_cmark::html::push_html(&mut written, events);
    markup::harmless(&written)
}

/// Tables, unless their cells would be far more than what is written.
fn extensions(text: &str) -> Options {
    let columns = text.lines().map(|line| line.matches('|').count()).max().unwrap_or(0);
    match columns.saturating_mul(text.lines().count()) {
        ..=MAX_CELLS => Options::ENABLE_TABLES,
        _ => Options::empty(),
    }
}

/// The text of Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for event in Parser::new_ext(text, extensions(text)) {
        match event {
            Event::Text(text) | Event::Code(text) => plain += &text,
            Event::Html(html) | Event::InlineHtml(html) => plain += &markup::words(&html),
            Event::SoftBreak => plain.push(' '),
            Event::HardBreak | Event::End(_) if !plain.ends_with('\n') => plain.push('\n'),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_that_is_nothing_but_a_picture_says_so() {
        let words = |content: &str| Words {
            format: Format::Html,
            content: content.to_owned(),
        };
        assert_eq!(
            words("<div><img src=\"https://example.org/logo.png\"></div>").plain(),
            "A picture, which is not loaded."
        );
        assert_eq!(words("<b>hi</b><img src=x>").plain().trim(), "hi");
    }

    #[test]
    fn markdown_has_its_shapes_but_no_tags_and_no_scripts() {
        let html = markdown(
            "# Hi\n\n**bold** <script>alert(1)</script> <b onclick=x>\n\n<img src=x onerror=alert(1)>\n\n| a |\n| - |\n| 1 |",
        );
        assert!(
            html.contains("<h1>Hi</h1>") && html.contains("<strong>bold</strong>") && html.contains("<table>"),
            "{html}"
        );
        assert!(markdown("<center>in <i>HTML</i></center>").contains("<center>in <i>HTML</i></center>"));
        assert!(markdown("|a|\n|--:|\n|1|").contains("<td align=\"right\">1</td>"));
        for evil in ["<script", "<img", "<b "] {
            assert!(!html.contains(evil), "{html}");
        }
    }

    #[test]
    fn links_lead_to_pages_only() {
        for evil in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            " javascript:x",
        ] {
            let html = markdown(&format!("[x](<{evil}>) ![x](<{evil}>)"));
            assert!(
                !html.to_ascii_lowercase().contains("script:") && !html.contains("data:"),
                "{html}"
            );
        }
        for good in [
            "https://example.org/a?b#c",
            "/d/edgewatch-overview",
            "mailto:me@example.org",
            "../x:y",
        ] {
            assert!(markdown(&format!("[x]({good})")).contains(good), "{good}");
        }
    }

    #[test]
    fn a_table_of_few_bytes_does_not_become_a_million_cells() {
        let line = |cell: &str| format!("{}|\n", format!("|{cell}").repeat(5_000));
        let html = markdown(&format!("{}{}{}", line("a"), line("-"), "|x|\n".repeat(5_000)));
        assert!(!html.contains("<td>") && html.len() < 200_000, "{}", html.len());
    }
}

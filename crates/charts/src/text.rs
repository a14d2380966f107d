//! The panel `text`: Markdown, or the text of HTML. Nothing of it becomes a tag that Markdown does not have.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag};

use edgewatch_grafana_model::links;
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
            content: scope.text(&options.content),
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
            Format::Html => lines_of(&self.words_of_html()),
            Format::Markdown => markdown(&self.content),
        }
    }

    /// Without their shapes.
    pub fn plain(&self) -> String {
        match self.format {
            Format::Code => self.content.clone(),
            Format::Html => self.words_of_html(),
            Format::Markdown => plain(&self.content),
        }
    }
}

impl Words {
    /// The text of HTML. One that is nothing but pictures says so.
    fn words_of_html(&self) -> String {
        let text = without_tags(&self.content);
        match text.trim().is_empty() && self.content.contains("<img") {
            true => "A picture, which is not loaded.".to_owned(),
            false => text,
        }
    }
}

fn lines_of(text: &str) -> Markup {
    html! { @for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) { p { (line) } } }
}

/// Cells of all tables of a text, including those that Markdown puts in where a row has fewer than the widest.
const MAX_CELLS: usize = 20_000;

fn markdown(text: &str) -> Markup {
    let events = Parser::new_ext(text, extensions(text) | Options::ENABLE_STRIKETHROUGH).map(harmless);
    let mut written = String::new();
    pulldown_cmark::html::push_html(&mut written, events);
    PreEscaped(written)
}

/// Tables, unless their cells would be far more than what is written.
fn extensions(text: &str) -> Options {
    let columns = text.lines().map(|line| line.matches('|').count()).max().unwrap_or(0);
    match columns.saturating_mul(text.lines().count()) {
        ..=MAX_CELLS => Options::ENABLE_TABLES,
        _ => Options::empty(),
    }
}

/// HTML within Markdown is shown as it is written; links lead to pages only, and pictures, which a page may not load, are links.
fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url: safe(dest_url),
            title,
            id,
        }),
        Event::Start(Tag::Image { .. }) | Event::End(pulldown_cmark::TagEnd::Image) => Event::Text("".into()),
        event => event,
    }
}

/// An address with a scheme that cannot run anything; `#` in place of others.
fn safe(address: CowStr<'_>) -> CowStr<'_> {
    match links::safe(&address) {
        Some(safe) => CowStr::from(safe.into_owned()),
        None => "#".into(),
    }
}

/// The text of Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for event in Parser::new_ext(text, extensions(text)) {
        match event {
            Event::Text(text) | Event::Code(text) => plain += &text,
            Event::SoftBreak => plain.push(' '),
            Event::HardBreak | Event::End(_) if !plain.ends_with('\n') => plain.push('\n'),
            _ => {}
        }
    }
    plain
}

/// The text of HTML: without tags, scripts and styles, with the commonest entities.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text += before;
        let Some((tag, after)) = tag.split_once('>') else {
            rest = "";
            break;
        };
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        rest = after;
        match name.as_str() {
            "script" | "style" if !tag.starts_with('/') => rest = from_end_tag(after, &name),
            "a" | "b" | "i" | "em" | "strong" | "span" | "code" | "small" | "u" | "font" => {}
            _ => text.push('\n'),
        }
    }
    text += rest;
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    entities
        .into_iter()
        .fold(text, |text, (entity, c)| text.replace(entity, c))
}

/// `html` from the tag on that ends the element `name`; empty if nothing does.
fn from_end_tag<'t>(html: &'t str, name: &str) -> &'t str {
    let ends = |at: &usize| {
        let found = html.get(at + 2..at + 2 + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    let mut tags = html.match_indices("</").map(|(at, _)| at);
    tags.find(ends).and_then(|at| html.get(at..)).unwrap_or_default()
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
        let html = markdown("# Hi\n\n**bold** <script>alert(1)</script> <b onclick=x>\n\n<img src=x onerror=alert(1)>\n\n| a |\n| - |\n| 1 |").into_string();
        assert!(
            html.contains("<h1>Hi</h1>") && html.contains("<strong>bold</strong>") && html.contains("<table>"),
            "{html}"
        );
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
            let html = markdown(&format!("[x](<{evil}>) ![x](<{evil}>)")).into_string();
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
            assert!(markdown(&format!("[x]({good})")).into_string().contains(good), "{good}");
        }
    }

    #[test]
    fn a_table_of_few_bytes_does_not_become_a_million_cells() {
        let line = |cell: &str| format!("{}|\n", format!("|{cell}").repeat(5_000));
        let html = markdown(&format!("{}{}{}", line("a"), line("-"), "|x|\n".repeat(5_000))).into_string();
        assert!(!html.contains("<td>") && html.len() < 200_000, "{}", html.len());
    }

    #[test]
    fn html_is_its_text() {
        assert_eq!(
            without_tags("<h1>A&amp;B</h1><script>evil()</script><p>one <b>two</b>")
                .split_whitespace()
                .collect::<Vec<_>>(),
            ["A&B", "one", "two"]
        );
        assert_eq!(without_tags("a < b"), "a ");
        assert_eq!(without_tags("<style>p{}"), "");
        assert_eq!(without_tags("a<script>x</b></SCRIPT>b").trim_end(), "a\nb");
    }
}

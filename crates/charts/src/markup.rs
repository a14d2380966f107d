//! HTML that somebody wrote into a panel, made harmless: what is left are the elements and attributes of the lists below, written anew,
//! so that nothing of the rest (scripts, handlers, styles, pictures, forms) can reach the page.

mod parts;

use std::borrow::Cow;
use std::fmt::Write;

use edgewatch_grafana_model::links;
use maud::Escaper;
use parts::{Part, Parts, attribute};

/// Elements that only give a text its shape.
const SHAPES: [&str; 42] = [
    "a",
    "b",
    "big",
    "blockquote",
    "br",
    "center",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];
/// Those without an end.
const EMPTY: [&str; 2] = ["br", "hr"];
/// Those that stand within a line.
const WITHIN_LINES: [&str; 17] = [
    "a", "b", "big", "code", "del", "em", "font", "i", "ins", "kbd", "s", "small", "span", "strong", "sub", "sup", "u",
];
/// Elements within each other; the tags of deeper ones are left out.
const DEEPEST: usize = 64;

/// `html` with nothing but harmless elements, each of which ends.
pub fn harmless(html: &str) -> String {
    let mut written = String::with_capacity(html.len());
    let mut open: Vec<String> = Vec::new();
    for part in Parts(html) {
        match part {
            Part::Text(text) => escape_text(text, &mut written),
            Part::Start { name, attributes } if name == "img" => {
                let words = attribute(attributes, "alt").unwrap_or_default();
                escape(&decoded(words), &mut written);
            }
            Part::Start { name, attributes } => {
                if !SHAPES.contains(&&*name) || open.len() >= DEEPEST {
                    continue;
                }
                written.push('<');
                written += &name;
                for (name, value) in kept(&name, attributes) {
                    written.push(' ');
                    written += name;
                    written += "=\"";
                    escape(&value, &mut written);
                    written.push('"');
                }
                written.push('>');
                if !EMPTY.contains(&&*name) {
                    open.push(name);
                }
            }
            Part::End { name } => {
                let Some(place) = open.iter().rposition(|other| *other == name) else {
                    continue;
                };
                open.drain(place..).rev().for_each(|name| end(&name, &mut written));
            }
        }
    }
    open.into_iter().rev().for_each(|name| end(&name, &mut written));
    written
}

/// The words of `html`, in lines of their own where an element begins one.
pub fn words(html: &str) -> String {
    let mut words = String::new();
    for part in Parts(html) {
        match part {
            Part::Text(text) => words += &decoded(text),
            Part::Start { name, attributes } if name == "img" => {
                words += &decoded(attribute(attributes, "alt").unwrap_or_default());
            }
            Part::Start { name, .. } | Part::End { name } => {
                if !WITHIN_LINES.contains(&&*name) {
                    words.push('\n');
                }
            }
        }
    }
    words
}

fn end(name: &str, written: &mut String) {
    written.push_str("</");
    written.push_str(name);
    written.push('>');
}

/// The attributes that the element `name` keeps, and what they say.
fn kept<'h>(name: &str, attributes: &'h str) -> Vec<(&'static str, Cow<'h, str>)> {
    let number =
        |name| attribute(attributes, name).filter(|value| value.parse::<u16>().is_ok_and(|number| number <= 1000));
    let mut kept = Vec::new();
    match name {
        "a" => {
            let address = attribute(attributes, "href").map(|address| decoded(address).into_owned());
            if let Some(address) = address {
                let safe = links::safe(address.trim()).map(Cow::into_owned);
                kept.push(("href", safe.unwrap_or_else(|| "#".to_owned()).into()));
            }
        }
        "ol" => kept.extend(number("start").map(|number| ("start", number.into()))),
        "td" | "th" => {
            kept.extend(number("colspan").map(|number| ("colspan", number.into())));
            kept.extend(number("rowspan").map(|number| ("rowspan", number.into())));
        }
        _ => {}
    }
    // The page's policy forbids styles; Markdown writes the side of a column as one.
    let style = attribute(attributes, "style").and_then(|style| style.trim().strip_prefix("text-align:"));
    let align = style
        .or_else(|| attribute(attributes, "align"))
        .map(|side| side.trim().trim_end_matches(';'));
    if let Some(side) = align.filter(|side| matches!(*side, "left" | "center" | "right")) {
        kept.push(("align", side.into()));
    }
    kept
}

/// A text of HTML, in which references to characters stay what they are.
fn escape_text(text: &str, written: &mut String) {
    for (at, piece) in text.split('&').enumerate() {
        if at > 0 {
            let name = piece
                .split_once(';')
                .map_or("", |(name, _)| name.trim_start_matches('#'));
            let is_reference = (1..=31).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
            written.push_str(if is_reference { "&" } else { "&amp;" });
        }
        escape(piece, written);
    }
}

/// A text that is none of HTML.
fn escape(text: &str, written: &mut String) {
    // Into a string, which takes everything.
    let _ = Escaper::new(written).write_str(text);
}

/// With the commonest references to characters replaced by those.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let references = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    let text = text.to_owned();
    let replace = |text: String, (reference, c): (&str, &str)| text.replace(reference, c);
    references.into_iter().fold(text, replace).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_tables_and_links_of_html_stay() {
        for (html, left) in [
            (
                "<center>Hello <b>bold</b></center>",
                "<center>Hello <b>bold</b></center>",
            ),
            (
                "See <a class=x href='/d/a?x=1&amp;y=2' target=_blank>docs</a><br/>next",
                "See <a href=\"/d/a?x=1&amp;y=2\">docs</a><br>next",
            ),
            (
                "<TABLE><tr><td colspan=2 bgcolor=red>1</TABLE>",
                "<table><tr><td colspan=\"2\">1</td></tr></table>",
            ),
            ("<td style=\"text-align: right\">1</td>", "<td align=\"right\">1</td>"),
            ("a < b &rarr; c & d", "a &lt; b &rarr; c &amp; d"),
            ("<img src=x alt='a logo'>", "a logo"),
            ("</div></section>x", "x"),
        ] {
            assert_eq!(harmless(html), left, "{html}");
        }
    }

    #[test]
    fn nothing_of_html_runs_loads_or_leaves_its_panel() {
        for html in [
            "<script>alert(1)</script>",
            "<ScRiPt >alert(1)</sCrIpT>",
            "<svg onload=alert(1)><a xlink:href=javascript:alert(1)></svg>",
            "<b onclick=alert(1) style=position:fixed>",
            "<a href=\"javascript:alert(1)\">",
            "<a href=' JaVa\tScript:alert(1)'>",
            "<a href=javascri&#112;t:alert(1)>",
            "<a href=javascript&colon;alert(1)>",
            "<a href=data:text/html,x>",
            "<a title='>' href=\"x\" onmouseover=\"alert(1)\">",
            "<iframe srcdoc='<script>alert(1)</script>'></iframe><form action=x><input></form>",
            "<img src=x onerror=alert(1)>",
            "<base href=//x>",
            "<meta http-equiv=refresh>",
            "<link rel=stylesheet href=x>",
            "<<script>alert(1)</script>",
            "<scr<script>ipt>",
            "<!-- --><!--><script>",
            "<b =onclick=x>",
            "<a href",
            "<p title=\"",
            "<é onclick=x>",
            "&lt;script>",
            "<style>*{}",
            "<a\u{0}b onclick=x>",
        ] {
            let left = harmless(html).to_ascii_lowercase();
            for evil in [
                "<script", "<svg", "<img", "<iframe", "<form", "<input", "<base", "<meta", "<link", "<style",
            ] {
                assert!(!left.contains(evil), "{html}: {left}");
            }
            for tag in left.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
                let attributes = [
                    "onclick",
                    "onmouse",
                    "onerror",
                    "onload",
                    "style",
                    "src",
                    "javascript:",
                    "data:",
                ];
                assert!(!attributes.iter().any(|evil| tag.contains(evil)), "{html}: {left}");
            }
            let ends = left.matches("</").count();
            assert_eq!(left.matches('<').count(), 2 * ends, "each element ends: {html}: {left}");
        }
        assert!(harmless(&"<div>".repeat(10_000)).len() < 1000);
    }

    #[test]
    fn html_is_its_words_where_it_has_no_shapes() {
        let html = "<h1>A&amp;B</h1><script>evil()</script><p>one <b>two</b>";
        assert_eq!(
            words(html).split_whitespace().collect::<Vec<_>>(),
            ["A&B", "one", "two"]
        );
        assert_eq!(words("a < b"), "a < b");
        assert_eq!(words("<style>p{}").trim(), "");
        assert_eq!(
            words("a<script>x</b></SCRIPT>b").split_whitespace().collect::<Vec<_>>(),
            ["a", "b"]
        );
    }
}

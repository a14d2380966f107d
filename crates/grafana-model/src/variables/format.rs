//! How the values of a variable are written: `${name:csv}` and the like.

use crate::units;
use crate::units::leading_number;

/// The place where a variable stands, if it does not say how it is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In PromQL: one value as it is within quotes, several as a regular expression.
    Query,
    /// In a title.
    Text,
    /// In the words of a text panel.
    Content,
    /// In a legend, in what selects the options of another variable, or in an option of a transformation.
    Plain,
}

/// The values of a variable, to be written.
#[derive(Clone, Copy, Debug)]
pub struct Written<'v> {
    /// The name of the variable.
    pub name: &'v str,
    /// Its values.
    pub values: &'v [String],
    /// Whether it is a list, if only of one.
    pub is_list: bool,
}

impl Written<'_> {
    /// In Grafana's `format`, which may have arguments behind colons. One that nobody knows is Grafana's `glob`, as there.
    pub fn write(self, format: &str) -> String {
        let (kind, arguments) = format.split_once(':').unwrap_or((format, ""));
        match kind {
            "raw" | "csv" => self.values.join(","),
            "pipe" => self.values.join("|"),
            "text" => self.values.join(" + "),
            "html" => escape_html(&self.values.join(", ")),
            "regex" => alternatives(self.values, escape_regex),
            "json" if self.is_list => serde_json::Value::from(self.values).to_string(),
            "json" => self.values.concat(),
            "lucene" if self.is_list && self.values.is_empty() => "__empty__".to_owned(),
            "lucene" if self.is_list => {
                let escaped = self.values.iter().map(|value| format!("\"{}\"", escape_lucene(value)));
                format!("({})", escaped.collect::<Vec<_>>().join(" OR "))
            }
            "lucene" => escape_lucene(&self.values.concat()),
            "distributed" => self.values.join(&format!(",{}=", self.name)),
            "singlequote" => self.quoted('\'', |value| value.replace('\'', "\\'")),
            "doublequote" => self.quoted('"', |value| value.replace('"', "\\\"")),
            "sqlstring" => self.quoted('\'', |value| value.replace('\'', "''").replace('"', "\\\"")),
            "percentencode" => percent(&self.listed()),
            "uriencode" => encode(&self.listed(), b"-_.~;,/?:@&=+$#"),
            "queryparam" => self.parameters(&format!("var-{}=", self.name), |value| encode(value, b"-_.~@:$,;")),
            "customqueryparam" => {
                let (name, prefix) = arguments.split_once(':').unwrap_or((arguments, ""));
                let name = if name.is_empty() { self.name } else { name };
                self.parameters(&format!("{}={}", percent(name), percent(prefix)), percent)
            }
            "join" if arguments.is_empty() && !format.contains(':') => self.values.join(","),
            "join" => self.values.join(arguments.split(':').next().unwrap_or_default()),
            "date" if self.is_list => "NaN".to_owned(),
            "date" => date(&self.values.concat(), arguments),
            _ => match self.values {
                [one] => one.clone(),
                several if self.is_list => format!("{{{}}}", several.join(",")),
                others => others.concat(),
            },
        }
    }

    /// As the formats of addresses take them: a list, if only of one, in braces.
    fn listed(self) -> String {
        let values = self.values.join(",");
        if self.is_list { format!("{{{values}}}") } else { values }
    }

    fn quoted(self, quote: char, escape: impl Fn(&str) -> String) -> String {
        let quoted = self
            .values
            .iter()
            .map(|value| format!("{quote}{}{quote}", escape(value)));
        quoted.collect::<Vec<_>>().join(",")
    }

    fn parameters(self, before: &str, encode: impl Fn(&str) -> String) -> String {
        let pairs = self.values.iter().map(|value| format!("{before}{}", encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// One value that is no variable's, in Grafana's `format`.
pub fn written(value: &str, format: &str) -> String {
    let values = [value.to_owned()];
    let written = Written {
        name: "",
        values: &values,
        is_list: false,
    };
    written.write(format)
}

/// A moment in milliseconds as a date: by default as ISO 8601.
fn date(value: &str, format: &str) -> String {
    let Some(millis) = leading_number(value).map(f64::trunc) else {
        return "NaN".to_owned();
    };
    match format {
        "ms" => value.to_owned(),
        "seconds" => units::shortest((millis / 1000.0).round()),
        "" | "iso" => units::format("time:YYYY-MM-DDTHH:mm:ss.SSS[Z]", None, millis),
        pattern => units::format(&format!("time:{pattern}"), None, millis),
    }
}

/// `values` within a string of PromQL. What may be several is written for `=~`, escaped as a regular expression.
pub fn promql(values: &[String], may_be_several: bool) -> String {
    if may_be_several {
        alternatives(values, |value| escape_string(&escape_matcher(value)))
    } else {
        escape_string(&values.join(","))
    }
}

/// A text that matches itself as a regular expression of JavaScript.
fn escape_regex(text: &str) -> String {
    escaped(text, r"\^$*+?.()|[]{}/")
}

/// A text that matches itself as a regular expression of Prometheus.
fn escape_matcher(text: &str) -> String {
    escaped(text, r"\^$*+?.()|[]{}")
}

fn escape_lucene(text: &str) -> String {
    match units::parse(text.trim()) {
        Some(_) => text.to_owned(),
        None => {
            let spaces: String = text.chars().filter(|c| c.is_whitespace()).collect();
            escaped(text, &format!("{}{spaces}", r#"!*+-=<>&|()[]{}^~?:\/""#))
        }
    }
}

/// With a backslash before each of `special`.
fn escaped(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if special.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn escape_html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\'', "&#39;").replace('"', "&quot;")
}

/// A text within quotes of PromQL, whichever they are: Prometheus takes `\'` only between `'`, and `\x27` between `"` as well.
/// Between backticks nothing is escaped, but a backtick must not end the text either.
fn escape_string(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\'', "\\x27")
        .replace('`', "\\x60")
        .replace('\n', "\\n")
}

fn alternatives(values: &[String], escape: impl Fn(&str) -> String) -> String {
    match values {
        [] => String::new(),
        [one] => escape(one),
        several => {
            let escaped: Vec<_> = several.iter().map(|value| escape(value)).collect();
            format!("({})", escaped.join("|"))
        }
    }
}

/// RFC 3986, with everything escaped but its unreserved characters.
pub fn percent(text: &str) -> String {
    encode(text, b"-_.~")
}

/// Everything escaped but letters, digits and what is `kept`.
fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_grafanas() {
        let two = ["a.b".to_owned(), "c'd".to_owned()];
        let one = ["a.b".to_owned()];
        for (format, of_two, of_one) in [
            ("raw", "a.b,c'd", "a.b"),
            ("csv:more", "a.b,c'd", "a.b"),
            ("pipe", "a.b|c'd", "a.b"),
            ("regex", "(a\\.b|c'd)", "a\\.b"),
            ("glob", "{a.b,c'd}", "a.b"),
            ("json", "[\"a.b\",\"c'd\"]", "a.b"),
            ("text", "a.b + c'd", "a.b"),
            ("html", "a.b, c&#39;d", "a.b"),
            ("lucene", "(\"a.b\" OR \"c'd\")", "a.b"),
            ("distributed", "a.b,x=c'd", "a.b"),
            ("singlequote", "'a.b','c\\'d'", "'a.b'"),
            ("doublequote", "\"a.b\",\"c'd\"", "\"a.b\""),
            ("sqlstring", "'a.b','c''d'", "'a.b'"),
            ("percentencode", "%7Ba.b%2Cc%27d%7D", "a.b"),
            ("uriencode", "%7Ba.b,c%27d%7D", "a.b"),
            ("queryparam", "var-x=a.b&var-x=c%27d", "var-x=a.b"),
            ("customqueryparam:p:v-", "p=v-a.b&p=v-c%27d", "p=v-a.b"),
            ("join", "a.b,c'd", "a.b"),
            ("join:;", "a.b;c'd", "a.b"),
            ("date", "NaN", "NaN"),
            ("unheard-of", "{a.b,c'd}", "a.b"),
        ] {
            let write = |values, is_list| {
                let written = Written {
                    name: "x",
                    values,
                    is_list,
                };
                written.write(format)
            };
            assert_eq!(
                (&*write(&two, true), &*write(&one, false)),
                (of_two, of_one),
                "{format}"
            );
        }
    }

    #[test]
    fn a_value_cannot_leave_its_string() {
        let hostile = ["\"} or up{x=\"".to_owned()];
        assert_eq!(promql(&hostile, false), "\\\"} or up{x=\\\"");
        assert_eq!(promql(&["' or up{x='".to_owned()], false), "\\x27 or up{x=\\x27");
        assert_eq!(promql(&["` or up{x=`".to_owned()], true), "\\x60 or up\\\\{x=\\x60");
        assert_eq!(promql(&["a.b\\".to_owned()], true), "a\\\\.b\\\\\\\\");
        assert_eq!(promql(&["a-1".to_owned(), "b.c".to_owned()], true), "(a-1|b\\\\.c)");
        assert_eq!(promql(&["line\nbreak".to_owned()], false), "line\\nbreak");
    }
}

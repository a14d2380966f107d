//! How the values of a variable are written: `${name:csv}` and the like.

/// The place where a variable stands, if it does not say how it is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In PromQL: one value as it is within quotes, several as a regular expression.
    Query,
    /// In a title.
    Text,
    /// In what selects the options of another variable, or in an option of a transformation.
    Plain,
}

/// `values` in Grafana's `format`. One that nobody knows is Grafana's `glob`, as there.
pub fn write(values: &[String], format: &str) -> String {
    match format {
        "raw" | "csv" => values.join(","),
        "pipe" => values.join("|"),
        "text" => values.join(" + "),
        "regex" => alternatives(values, escape_regex),
        "json" => serde_json::Value::from(values).to_string(),
        "singlequote" => quoted(values, '\''),
        "doublequote" => quoted(values, '"'),
        "sqlstring" => values
            .iter()
            .map(|value| format!("'{}'", value.replace('\'', "''")))
            .collect::<Vec<_>>()
            .join(","),
        "percentencode" | "uriencode" => percent(&alternatives_of_braces(values)),
        _ => match format.strip_prefix("join:") {
            Some(separator) => values.join(separator),
            None => alternatives_of_braces(values),
        },
    }
}

/// `values` within a string of PromQL. What may be several is written for `=~`, escaped as a regular expression.
pub fn promql(values: &[String], may_be_several: bool) -> String {
    if may_be_several {
        alternatives(values, |value| escape_string(&escape_regex(value)))
    } else {
        escape_string(&values.join(","))
    }
}

/// A text that matches itself as a regular expression.
fn escape_regex(text: &str) -> String {
    regex_lite::escape(text)
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

fn alternatives_of_braces(values: &[String]) -> String {
    match values {
        [] => String::new(),
        [one] => one.clone(),
        several => format!("{{{}}}", several.join(",")),
    }
}

fn quoted(values: &[String], quote: char) -> String {
    let escaped = values.iter().map(|value| {
        let value = value.replace(quote, &format!("\\{quote}"));
        format!("{quote}{value}{quote}")
    });
    escaped.collect::<Vec<_>>().join(",")
}

/// RFC 3986, with everything escaped but its unreserved characters.
pub fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
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
            ("csv", "a.b,c'd", "a.b"),
            ("pipe", "a.b|c'd", "a.b"),
            ("regex", "(a\\.b|c'd)", "a\\.b"),
            ("glob", "{a.b,c'd}", "a.b"),
            ("json", "[\"a.b\",\"c'd\"]", "[\"a.b\"]"),
            ("text", "a.b + c'd", "a.b"),
            ("singlequote", "'a.b','c\\'d'", "'a.b'"),
            ("doublequote", "\"a.b\",\"c'd\"", "\"a.b\""),
            ("sqlstring", "'a.b','c''d'", "'a.b'"),
            ("percentencode", "%7Ba.b%2Cc%27d%7D", "a.b"),
            ("join:;", "a.b;c'd", "a.b"),
            ("unheard-of", "{a.b,c'd}", "a.b"),
        ] {
            assert_eq!(
                (&*write(&two, format), &*write(&one, format)),
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
        assert_eq!(promql(&["a".to_owned(), "b.c".to_owned()], true), "(a|b\\\\.c)");
        assert_eq!(promql(&["line\nbreak".to_owned()], false), "line\\nbreak");
    }
}

//! Paths into values as dashboards write them: `labels.device`, `fields["a b"].text`, `a.b[0]`.

/// The steps of a path, of which none is empty.
pub fn keys(path: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (key, after) = match rest.strip_prefix('[') {
            Some(inside) => {
                let (key, after) = inside.split_once(']').unwrap_or((inside, ""));
                (key.trim_matches(['"', '\'']), after)
            }
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        keys.push(key);
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    keys.retain(|key| !key.is_empty());
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_parted_by_dots_and_brackets() {
        for (path, expected) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("a.b-c", &["a", "b-c"]),
            ("a[0].b", &["a", "0", "b"]),
            ("fields[\"a.b c\"].text", &["fields", "a.b c", "text"]),
            ("['x']", &["x"]),
            (".a..b[", &["a", "b"]),
        ] {
            assert_eq!(keys(path), expected, "{path}");
        }
    }
}

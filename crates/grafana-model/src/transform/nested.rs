//! `groupToNestedTable`: a table within each row, which lie flat here.

use serde::Deserialize;
use serde_json::Value;

use super::group::{aggregated, groups};
use super::{Transformed, fits, read};
use crate::data::{Field, Frame};
use crate::model::Matcher;
use crate::names::Naming;
use crate::overrides::{Match, is_match, matcher};
use crate::scope::Scope;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Nested {
    /// By the names of columns; newer ones have rules.
    fields: std::collections::BTreeMap<String, Rule>,
    rules: Vec<Rule>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Rule {
    matcher: Option<Matcher>,
    operation: Option<String>,
    aggregations: Vec<String>,
    keep_nested_field: bool,
}

/// The rows of each group below each other: what they have in common, then what is calculated of them, then what is each row's own.
pub fn group(options: &Value, _: &Scope, frames: Vec<Frame>) -> Transformed {
    let options: Nested = read(options)?;
    let mut rules: Vec<(Match, &Rule)> = Vec::new();
    for rule in &options.rules {
        if let Some(of) = &rule.matcher {
            rules.push((matcher(of)?, rule));
        }
    }
    rules.extend(
        options
            .fields
            .iter()
            .map(|(name, rule)| (Match::Name(name.clone()), rule)),
    );
    let is = |rule: &Rule, operation: &str| rule.operation.as_deref() == Some(operation);
    if !rules.iter().any(|(_, rule)| is(rule, "groupby")) {
        return Ok(frames);
    }
    let naming = Naming::of(&frames);
    let mut flat = Vec::new();
    for frame in &frames {
        let named = frame.fields.iter().map(|field| {
            let name = naming.name(field, frame);
            let rule = rules.iter().find(|(matcher, _)| is_match(matcher, field, &name, frame));
            (field, name, rule.map(|(_, rule)| *rule))
        });
        let named: Vec<(&Field, String, Option<&Rule>)> = named.collect();
        let by: Vec<&Field> = named
            .iter()
            .filter(|(.., rule)| rule.is_some_and(|rule| is(rule, "groupby")))
            .map(|(field, ..)| *field)
            .collect();
        if by.is_empty() {
            continue;
        }
        let groups = groups(frame, &by)?;
        let rows: Vec<Option<usize>> = groups.concat();
        let of_group = groups
            .iter()
            .enumerate()
            .flat_map(|(index, rows)| std::iter::repeat_n(Some(index), rows.len()));
        let of_group: Vec<Option<usize>> = of_group.collect();
        let calcs: usize = named
            .iter()
            .filter_map(|(.., rule)| *rule)
            .map(|rule| rule.aggregations.len())
            .sum();
        fits(
            rows.len()
                .saturating_mul((calcs + frame.fields.len()) * size_of::<String>()),
        )?;
        let mut fields: Vec<Field> = by
            .iter()
            .map(|field| super::group::without_labels(field).with(field.values.select(&rows)))
            .collect();
        for (field, name, rule) in &named {
            for calc in rule
                .filter(|rule| is(rule, "aggregate"))
                .map(|rule| rule.aggregations.as_slice())
                .unwrap_or_default()
            {
                let calculated = aggregated(field, name, calc, &groups);
                fields.push(calculated.with(calculated.values.select(&of_group)));
            }
        }
        let own = named.iter().filter(|(.., rule)| {
            rule.is_none_or(|rule| {
                rule.operation.is_none()
                    || (is(rule, "aggregate") && (rule.aggregations.is_empty() || rule.keep_nested_field))
            })
        });
        fields.extend(own.map(|(field, ..)| field.with(field.values.select(&rows))));
        flat.push(Frame {
            name: frame.name.clone(),
            ref_id: frame.ref_id.clone(),
            fields,
            interval: 0.0,
        });
    }
    Ok(flat)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{numbers, table, texts, transform_with_notes};

    #[test]
    fn tables_within_tables_lie_flat_and_that_is_said() {
        let frames = vec![table(
            "A",
            &[
                ("host", texts(&["a", "b", "a"])),
                ("disk", texts(&["x", "x", "y"])),
                ("v", numbers(&[1.0, 2.0, 3.0])),
            ],
        )];
        let options = json!({"fields": {"host": {"operation": "groupby"}, "v": {"operation": "aggregate", "aggregations": ["sum"]}}});
        let (found, notes) = transform_with_notes("groupToNestedTable", options, frames);
        assert_eq!(found, [["host|v (sum)|disk", "a|4|x", "a|4|y", "b|2|x"]]);
        assert_eq!(notes, ["the tables within the rows of a table are drawn as its rows"]);
    }
}

//! Single values and columns.

use edgewatch_grafana_model::data::{Field, Values};
use edgewatch_grafana_model::model::FieldOptions;
use edgewatch_grafana_model::time::{self, Zone};
use edgewatch_grafana_model::units::Unit;
use edgewatch_grafana_model::{display, reduce};
use serde_json::Value;

use super::frames::{number, values};
use super::{list, text};

pub fn unit(case: &Value) -> String {
    let zone = time::zone(text(case, "zone"));
    let decimals = case["decimals"].as_u64().map(|digits| digits as u8);
    let unit = Unit::of(text(case, "unit")).in_zone(&zone);
    unit.format(decimals, number(&case["value"])).to_string()
}

pub fn calculation(case: &Value) -> String {
    let values = values(text(case, "type"), list(case, "values"));
    let numbers = match &values {
        Values::Numbers(numbers) => numbers.to_vec(),
        Values::Times(_) | Values::Texts(_) => Vec::new(),
    };
    super::frames::cell(reduce::reduce(text(case, "calc"), &numbers))
}

pub fn legend(case: &Value) -> String {
    let calc = text(case, "calc");
    let options: FieldOptions = serde_json::from_value(case.clone()).unwrap();
    let Values::Numbers(numbers) = values("number", list(case, "values")) else {
        panic!()
    };
    let shown = display::number(&options, reduce::reduce(calc, &numbers));
    format!("{} = {}", reduce::title(calc).unwrap_or(calc), shown.text)
}

pub fn value(case: &Value) -> String {
    let mut options: FieldOptions = serde_json::from_value(case["config"].clone()).unwrap();
    options.zone = Some(Zone::UTC);
    let range = list(case, "range");
    options.range = (range.len() == 2).then(|| (number(&range[0]), number(&range[1])));
    let shown = match case["value"].as_str().filter(|_| text(case, "type") == "string") {
        Some(text) => display::text(&options, text),
        None => display::number(&options, number(&case["value"])),
    };
    let series = Field {
        options: options.into(),
        ..Field::default()
    };
    let _ = series;
    format!("{} {}", shown.text, shown.color.unwrap_or_default())
}

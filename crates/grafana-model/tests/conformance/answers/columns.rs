//! Single values and columns.

use edgewatch_grafana_model::data::Field;
use edgewatch_grafana_model::model::FieldOptions;
use edgewatch_grafana_model::time::{self, Zone};
use edgewatch_grafana_model::units::Unit;
use edgewatch_grafana_model::{display, overrides, reduce};
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
    reduce::reduce(text(case, "calc"), &values).to_string()
}

pub fn legend(case: &Value) -> String {
    let calc = text(case, "calc");
    let options: FieldOptions = serde_json::from_value(case.clone()).unwrap();
    let field = Field {
        options: options.into(),
        ..Field::new("x", values("number", list(case, "values")))
    };
    format!(
        "{} = {}",
        reduce::title(calc).unwrap_or_default(),
        display::reduced(&field, calc).text
    )
}

pub fn value(case: &Value) -> String {
    let mut options: FieldOptions = serde_json::from_value(case["config"].clone()).unwrap();
    options.zone = Some(Zone::UTC);
    let range = list(case, "range");
    options.range = (range.len() == 2).then(|| (number(&range[0]), number(&range[1])));
    let field = Field {
        options: options.into(),
        ..Field::new("x", values(text(case, "type"), std::slice::from_ref(&case["value"])))
    };
    let shown = display::cell(&field.options, &field.values.cell(0));
    let color = shown.color.unwrap_or_else(|| overrides::series_color(&field, 3));
    let color = if color == "transparent" { "#000000" } else { &color };
    format!("{} {color}", shown.text)
}

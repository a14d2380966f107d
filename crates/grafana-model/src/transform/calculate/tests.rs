use serde_json::json;

use super::super::testing::{numbers, series, table, texts, transform};

fn disk() -> Vec<super::Frame> {
    vec![table(
        "A",
        &[
            ("name", texts(&["sda", "sdb"])),
            ("used", numbers(&[1.0, 3.0])),
            ("size", numbers(&[4.0, 4.0])),
        ],
    )]
}

#[test]
fn rows_are_reduced() {
    assert_eq!(
        transform("calculateField", json!({}), disk())[0],
        ["name|used|size|Total", "sda|1|4|5", "sdb|3|4|7"]
    );
    let options = json!({"mode": "reduceRow", "alias": "most", "replaceFields": true, "reduce": {"reducer": "max", "include": ["used"]}});
    assert_eq!(transform("calculateField", options, disk())[0], ["most", "1", "3"]);
}

#[test]
fn columns_are_combined() {
    let options = json!({"mode": "binary", "binary": {"left": "used", "operator": "/", "right": "size"}});
    assert_eq!(
        transform("calculateField", options, disk())[0][1..],
        ["sda|1|4|0.25", "sdb|3|4|0.75"]
    );
    let options = json!({"mode": "binary", "alias": "x", "binary": {
        "left": {"matcher": {"id": "byName", "options": "used"}}, "operator": "*", "right": {"fixed": "100"}}});
    assert_eq!(
        transform("calculateField", options, disk())[0][..2],
        ["name|used|size|x", "sda|1|4|100"]
    );
}

#[test]
fn series_become_columns_first() {
    let frames = vec![series("A", "a", &[], &[1.0, 2.0]), series("B", "b", &[], &[10.0, 20.0])];
    let options =
        json!({"mode": "binary", "replaceFields": true, "binary": {"left": "b", "operator": "-", "right": "a"}});
    assert_eq!(
        transform("calculateField", options, frames),
        [["Time|b - a", "0|9", "1000|18"]]
    );
}

#[test]
fn there_are_other_modes() {
    let options = json!({"mode": "unary", "unary": {"operator": "abs", "fieldName": "used"}});
    assert_eq!(
        transform("calculateField", options, disk())[0][0],
        "name|used|size|abs(used)"
    );
    let options = json!({"mode": "cumulativeFunctions", "cumulative": {"field": "used", "reducer": "sum"}});
    assert_eq!(transform("calculateField", options, disk())[0][2], "sdb|3|4|4");
    let options = json!({"mode": "index"});
    assert_eq!(transform("calculateField", options, disk())[0][2], "sdb|3|4|1");
}

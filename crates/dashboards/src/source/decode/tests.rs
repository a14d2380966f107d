use super::*;

use edgewatch_grafana_model::data::is_null;
use edgewatch_grafana_model::source::Series;
use edgewatch_grafana_model::time::Grid;
use edgewatch_prometheus_client::labels::Labels;

#[test]
fn native_histograms_are_named_in_place_of_being_drawn() {
    let grid = Grid {
        start: 0,
        step: 1000,
        len: 2,
    };
    let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"1"},"histograms":[[0,{"count":"1"}]]},
        {"metric":{"a":"2"},"values":[[1,"5"]]}]}}"#;
    let answer = response::<Series>(matrix.as_bytes(), grid, 9).unwrap().answer.unwrap();
    assert_eq!((answer.items.len(), answer.items[0].values[1]), (1, 5.0));
    assert!(
        answer.notes[0].starts_with("1 series are native histograms"),
        "{:?}",
        answer.notes
    );
    let vector =
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[0,{"count":"1"}]}]}}"#;
    let answer = response::<(Labels, f64)>(vector.as_bytes(), (), 9)
        .unwrap()
        .answer
        .unwrap();
    assert_eq!((answer.items.len(), answer.notes.len()), (0, 1));
    let odd = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}"#;
    assert!(response::<(Labels, f64)>(odd.as_bytes(), (), 9).is_err());
}

#[test]
fn a_series_without_points_is_no_native_histogram() {
    let grid = Grid {
        start: 0,
        step: 1000,
        len: 2,
    };
    // The last is what a server answers that overlooks the times of the question.
    for (kind, series) in [
        ("matrix", r#"{"metric":{"a":"1"},"values":[]}"#),
        ("matrix", r#"{"metric":{"a":"1"}}"#),
        ("vector", r#"{"metric":{"a":"1"},"value":[1,"5"]}"#),
    ] {
        let text = format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{series}]}}}}"#);
        let answer = response::<Series>(text.as_bytes(), grid, 9).unwrap().answer.unwrap();
        assert!(answer.notes.is_empty(), "{series}: {:?}", answer.notes);
        assert!(answer.items[0].values.iter().all(|value| is_null(*value)), "{series}");
        assert_eq!(answer.items[0].values.len(), 2, "{series}");
    }
}

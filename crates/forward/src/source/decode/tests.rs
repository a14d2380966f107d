use super::*;
use edgewatch_outbound::failure::Kind;

const WINDOW: Window = Window {
    after: 1_700_000_000_000,
    until: 1_700_000_300_000,
};

type Received = Vec<(String, Vec<(i64, String)>)>;

fn received(json: &str) -> Result<(Received, Extent), String> {
    let mut all: Received = Vec::new();
    let mut sink = |labels: &[Label], samples: &[Sample]| {
        let name: Vec<String> = labels
            .iter()
            .map(|label| format!("{}={}", label.name, label.value))
            .collect();
        all.push((
            name.join(","),
            samples
                .iter()
                .map(|sample| (sample.timestamp, sample.value.to_string()))
                .collect(),
        ));
        Ok(())
    };
    match matrix(json.as_bytes(), WINDOW, &mut sink) {
        Ok(extent) => Ok((all, extent)),
        Err(DecodeError::Answer(error)) => Err(error.to_string()),
        Err(DecodeError::Sink(failure)) => Err(failure.message),
    }
}

fn answer(result: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{result}]}},"warnings":["w"]}}"#)
}

#[test]
fn a_window_is_open_on_the_left_and_every_number_is_read() {
    let (all, extent) = received(&answer(
        r#"{"metric":{"__name__":"up","job":"sensor"},"values":[[1700000000,"0"],[1700000000.001,"1"],[1700000015.123,"NaN"],
            [1700000299.999,"+Inf"],[1700000300,"-1.5e-300"],[1700000300.001,"9"]]},
           {"metric":{},"values":[[1700000001,"2"]],"histograms":[[1700000001,{"count":"1"}]]}"#,
    ))
    .unwrap();
    let first = [
        (1_700_000_000_001, "1"),
        (1_700_000_015_123, "NaN"),
        (1_700_000_299_999, "inf"),
        (1_700_000_300_000, &(-1.5e-300_f64).to_string()),
    ]
    .map(|(time, value)| (time, value.to_owned()))
    .to_vec();
    assert_eq!(all[0], ("__name__=up,job=sensor".to_owned(), first));
    assert_eq!(all[1].1, [(1_700_000_001_000, "2".to_owned())]);
    assert_eq!((extent.samples, extent.unusable), (5, 0));
    assert_eq!(received(&answer("")).unwrap().0.len(), 0);
}

#[test]
fn what_is_no_answer_or_ends_early_is_an_error() {
    let whole = answer(r#"{"metric":{"a":"b"},"values":[[1700000001,"1"]]}"#);
    assert!(received(&whole).is_ok());
    for end in 0..whole.len() {
        assert!(received(&whole[..end]).is_err(), "{}", &whole[..end]);
    }
    for odd in [
        "null",
        "[]",
        r#"{"status":"success"}"#,
        r#"{"status":"success","data":{"resultType":"matrix"}}"#,
        &answer(r#"{"values":[[1700000001,"1"]],"metric":{"a":"b"}}"#),
        &answer(r#"{"metric":{"a":"b"},"values":[[1700000001,"one"]]}"#),
        &answer(r#"{"metric":{"a":"b"},"values":[[1700000001,1]]}"#),
        &format!("{whole}x"),
    ] {
        assert!(received(odd).is_err(), "{odd}");
    }
}

#[test]
fn a_long_series_comes_in_pieces_and_one_with_huge_labels_is_counted() {
    let values: Vec<String> = (1..3000)
        .map(|index| format!("[{}.{:03},\"7\"]", 1_700_000_000 + index / 1000, index % 1000))
        .collect();
    let values = values.join(",");
    let huge = "x".repeat(MAX_LABELS);
    let (all, extent) = received(&answer(&format!(
        r#"{{"metric":{{"a":"b"}},"values":[{values}]}},{{"metric":{{"a":"{huge}"}},"values":[{values}]}}"#
    )))
    .unwrap();
    assert_eq!(
        all.iter().map(|(_, samples)| samples.len()).collect::<Vec<_>>(),
        [1024, 1024, 951]
    );
    assert_eq!((extent.samples, extent.unusable), (2999, 2999));
}

#[test]
fn a_failure_of_the_reader_ends_the_reading() {
    let json =
        answer(r#"{"metric":{"a":"b"},"values":[[1700000001,"1"]]},{"metric":{"a":"c"},"values":[[1700000001,"1"]]}"#);
    let mut calls = 0;
    let mut sink = |_: &[Label], _: &[Sample]| {
        calls += 1;
        Err(Failure::new(Kind::Connect, "no centre"))
    };
    let error = matrix(json.as_bytes(), WINDOW, &mut sink).unwrap_err();
    assert!(matches!(error, DecodeError::Sink(failure) if failure.kind == Kind::Connect));
    assert_eq!(calls, 1);
}

#[test]
fn whether_a_list_is_empty_is_told_by_its_beginning() {
    assert!(!is_not_empty(r#"{"status":"success","data":[]}"#.as_bytes()).unwrap());
    assert!(is_not_empty(r#"{"status":"success","data":[{"a":"b"},"#.as_bytes()).unwrap());
    assert!(is_not_empty(r#"{"status":"success","data":["#.as_bytes()).is_err());
    assert!(is_not_empty(r#"{"status":"success"}"#.as_bytes()).is_err());
}

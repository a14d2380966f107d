//! What the items of a response are: series, samples, names, labels.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Item;
use super::point::Point;
use edgewatch_grafana_model::data::{NULL, is_null};
use edgewatch_grafana_model::source::Series;
use edgewatch_grafana_model::time::Grid;
use edgewatch_prometheus_client::labels::Labels;

impl Item for Series {
    type Context = Grid;

    fn read<'de, D: Deserializer<'de>>(deserializer: D, grid: Grid) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SeriesVisitor(grid))
    }

    fn text_size(&self) -> usize {
        self.labels.size()
    }

    fn is_histogram(&self) -> bool {
        self.values.is_empty()
    }
}

impl Item for (Labels, f64) {
    type Context = ();

    fn read<'de, D: Deserializer<'de>>(deserializer: D, (): ()) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Sample {
            #[serde(default)]
            metric: Labels,
            value: Option<Point>,
            histogram: Option<IgnoredAny>,
        }
        let sample: Sample = serde::Deserialize::deserialize(deserializer)?;
        match (sample.value, sample.histogram) {
            (Some(point), _) => Ok((sample.metric, point.value)),
            (None, Some(_)) => Ok((sample.metric, NULL)),
            (None, None) => Err(D::Error::missing_field("value")),
        }
    }

    fn text_size(&self) -> usize {
        self.0.size()
    }

    fn is_histogram(&self) -> bool {
        is_null(self.1)
    }

    fn scalar(value: f64) -> Option<Self> {
        Some((Labels::default(), value))
    }
}

impl Item for String {
    type Context = ();

    fn read<'de, D: Deserializer<'de>>(deserializer: D, (): ()) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }

    fn text_size(&self) -> usize {
        self.len()
    }
}

impl Item for Labels {
    type Context = ();

    fn read<'de, D: Deserializer<'de>>(deserializer: D, (): ()) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }

    fn text_size(&self) -> usize {
        self.size()
    }
}

/// `{"metric": labels, "values": [[time, "value"], …]}`
struct SeriesVisitor(Grid);

impl<'de> Visitor<'de> for SeriesVisitor {
    type Value = Series;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Series, A::Error> {
        let mut series = Series {
            labels: Labels::default(),
            values: Arc::default(),
        };
        let mut has_histograms = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "metric" => series.labels = map.next_value()?,
                "values" => series.values = Arc::new(map.next_value_seed(PointsSeed(self.0))?),
                name => {
                    has_histograms |= name == "histograms";
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        // As with an empty list of points.
        if series.values.is_empty() && !has_histograms {
            series.values = Arc::new(vec![NULL; self.0.len]);
        }
        Ok(series)
    }
}

/// The points of a series, each at its index on the grid.
struct PointsSeed(Grid);

impl<'de> DeserializeSeed<'de> for PointsSeed {
    type Value = Vec<f64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<f64>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PointsSeed {
    type Value = Vec<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of points")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<f64>, A::Error> {
        let grid = self.0;
        let mut values = vec![NULL; grid.len];
        while let Some(point) = sequence.next_element::<Point>()? {
            let steps = (point.time - grid.at(0)) * 1000.0 / grid.step as f64;
            // Prometheus responds with points of the grid only; the rounding is for its decimals.
            let nearest = steps.round();
            if (nearest - steps).abs() < 0.5
                && nearest >= 0.0
                && let Some(value) = values.get_mut(nearest as usize)
            {
                *value = point.value;
            }
        }
        Ok(values)
    }
}

//! `edgewatch render` against a real service and Prometheus.

use crate::common;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use common::prometheus::{Prometheus, free_port, installed};
use common::upstream::{Reply, Upstream};
use common::{OWN_BINARY, Service, binary, eventually, skip};
use edgewatch_charts::raster::{self, Limits};

fn render(arguments: &[&str], file: &Path) -> Output {
    render_with(binary(), arguments, file)
}

fn render_with(program: &str, arguments: &[&str], file: &Path) -> Output {
    Command::new(program)
        .arg("render")
        .args(arguments)
        .arg("-o")
        .arg(file)
        .output()
        .unwrap()
}

/// Width, height, and the colour of each pixel.
fn decode(file: &Path) -> (u32, u32, Vec<[u8; 3]>) {
    let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(file).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    let pixels = bytes.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]);
    (info.width, info.height, pixels.collect())
}

#[test]
fn a_dashboard_becomes_a_picture_of_either_kind() {
    let service = Service::start("[simulated]\nenabled = true\n");
    let program = installed().pop().expect("a Prometheus");
    let prometheus = Prometheus::start_stack(&program, service.address(), Duration::from_secs(1));
    assert!(eventually(|| !prometheus.query("node_load1").is_empty()));
    let url = format!("http://{}", prometheus.address);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("overview.svg");
    let arguments = ["edgewatch-overview", "--prometheus", &url, "--from", "5m"];
    let mut svg = String::new();
    let is_drawn = eventually(|| {
        let output = render(&arguments, &file);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        svg = std::fs::read_to_string(&file).unwrap();
        svg.contains("class=\"series\"")
    });
    assert!(is_drawn, "{svg}");
    for title in ["Memory budget used", "Highest temperature", "CPU spike"] {
        assert!(svg.contains(title), "{title}");
    }
    let file = directory.path().join("overview.png");
    let output = render(&[&arguments[..], &["--theme", "dark"]].concat(), &file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (width, height, pixels) = decode(&file);
    assert!(width == 1200 && height > 1000, "{width} {height}");
    // The background of a page and of a panel, and a letter of a title.
    for color in [[0x11, 0x12, 0x17], [0x18, 0x1b, 0x1f]] {
        assert!(pixels.contains(&color), "{color:?}");
    }
    assert!(pixels.iter().any(|[red, green, blue]| red.min(green).min(blue) > &0xb0));
}

/// With the 15 s of the shipped configuration a rate would span a minute, in which such a Prometheus scrapes once.
#[test]
fn rates_span_four_scrapes_however_rare_they_are() {
    let upstream = Upstream::start(|asked| {
        let targets = ["15s", "1m30s", "1m30s"]
            .map(|interval| format!(r#"{{"labels":{{}},"health":"up","scrapeInterval":"{interval}"}}"#))
            .join(",");
        let data = match asked {
            asked if asked.starts_with("/api/v1/targets") => format!(r#"{{"activeTargets":[{targets}]}}"#),
            asked if asked.starts_with("/api/v1/query?") => r#"{"resultType":"vector","result":[]}"#.to_owned(),
            _ => r#"{"resultType":"matrix","result":[]}"#.to_owned(),
        };
        Reply::Json(200, format!(r#"{{"status":"success","data":{data}}}"#))
    });
    let directory = tempfile::tempdir().unwrap();
    let url = format!("http://{}", upstream.address);
    let arguments = ["edgewatch-overview", "--prometheus", &url, "--from", "1h"];
    let output = render(&arguments, &directory.path().join("overview.svg"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let asked = upstream.asked();
    let rates: Vec<_> = asked
        .iter()
        .filter(|asked| asked.contains("query_range") && asked.contains("rate("))
        .collect();
    assert!(
        !rates.is_empty() && rates.iter().all(|asked| asked.contains("[6m]")),
        "{asked:#?}"
    );
}

/// Answers every query with two series, whose values follow from the time alone, and are no round numbers.
fn two_series(asked: &str) -> Reply {
    let number = |name: &str| {
        let text = asked
            .split(['?', '&'])
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        text.and_then(|text| text.parse::<f64>().ok())
    };
    let series = |samples: &dyn Fn(f64) -> String| {
        let one = |name: &str, factor: f64| {
            format!(
                r#"{{"metric":{{"instance":"edge","sensor":"{name}"}},{}}}"#,
                samples(factor)
            )
        };
        [one("a", 1.0), one("b", 1234.5)].join(",")
    };
    let value = |time: f64, factor: f64| format!("[{time},\"{}\"]", (time / 7.0 % 13.0 - 3.0) * factor / 3.0);
    let data = match (number("start"), number("end"), number("step"), number("time")) {
        // The only reading there is: a panel is repeated for each.
        _ if asked.starts_with("/api/v1/label/__name__/values") => r#"["node_hwmon_temp_celsius"]"#.to_owned(),
        (Some(start), Some(end), Some(step), _) if asked.starts_with("/api/v1/query_range") => {
            let times = |factor| {
                let times = (0..=((end - start) / step) as u64).map(|index| value(start + index as f64 * step, factor));
                format!(r#""values":[{}]"#, times.collect::<Vec<_>>().join(","))
            };
            format!(r#"{{"resultType":"matrix","result":[{}]}}"#, series(&times))
        }
        (_, _, _, Some(time)) => {
            let one = |factor| format!(r#""value":{}"#, value(time, factor));
            format!(r#"{{"resultType":"vector","result":[{}]}}"#, series(&one))
        }
        _ => r#"{"activeTargets":[]}"#.to_owned(),
    };
    Reply::Json(200, format!(r#"{{"status":"success","data":{data}}}"#))
}

/// Byte for byte: no picture depends on the size of a pointer, or on the C library's mathematics.
#[test]
fn every_architecture_draws_the_same_pictures() {
    if binary() == OWN_BINARY {
        let why = "EDGEWATCH_BINARY names no program of another architecture; make arm-test tests those of ARM";
        return skip("every_architecture_draws_the_same_pictures", why);
    }
    let upstream = Upstream::start(two_series);
    let url = format!("http://{}", upstream.address);
    let directory = tempfile::tempdir().unwrap();
    for (dashboard, shows) in [
        ("edgewatch-overview", "class=\"series\""),
        ("edgewatch-hardware", "class=\"series\""),
        // Of tables only.
        ("edgewatch-sensors", ">hwmon_temp_celsius</text>"),
        ("edgewatch-budget", "class=\"series\""),
    ] {
        let range = ["--from", "1767225600000", "--to", "1767247200000"];
        let arguments = [&[dashboard, "--prometheus", &url][..], &range].concat();
        let [own, other] = [OWN_BINARY, binary()].map(|program| {
            let file = directory.path().join("picture.svg");
            let output = render_with(program, &arguments, &file);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            std::fs::read_to_string(&file).unwrap()
        });
        assert!(own.contains(shows), "{dashboard} shows nothing");
        let differs = own.lines().zip(other.lines()).find(|(own, other)| own != other);
        assert!(own == other, "{dashboard}: {differs:#?}");
    }
}

/// A picture that is drawn in strips is the same as one that is drawn at once.
#[test]
fn strips_leave_no_traces() {
    let mut shapes = String::new();
    for step in 0..60 {
        shapes += &format!(
            "<rect x=\"{}\" y=\"{}\" width=\"9\" height=\"9\" fill=\"#0a0\"/>",
            step * 10,
            step * 10
        );
    }
    let nested = format!(
        "<svg x=\"4\" y=\"4\" width=\"592\" height=\"592\"><svg x=\"4\" y=\"4\" width=\"584\" height=\"584\">\
         <svg x=\"4\" y=\"4\" width=\"576\" height=\"576\" viewBox=\"0 0 5760 5760\" preserveAspectRatio=\"none\">\
         <g transform=\"scale(10)\">{shapes}</g></svg></svg></svg>"
    );
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"600\" height=\"600\" viewBox=\"0 0 600 600\">\
         <rect width=\"600\" height=\"600\" fill=\"#fff\"/>{nested}</svg>"
    );
    for scale in [1, 2_u16] {
        let file = tempfile::NamedTempFile::new().unwrap();
        raster::png(&svg, f32::from(scale), Limits::COMMAND, file.as_file()).unwrap();
        let (width, _, pixels) = decode(file.path());
        assert_eq!(width, 600 * u32::from(scale));
        for step in 0..57 {
            // The middle of each square.
            let at = (12 + step * 10 + 4) * usize::from(scale);
            assert_eq!(
                pixels[at * width as usize + at],
                [0, 0xaa, 0],
                "square {step} at scale {scale}"
            );
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let directory = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str, &str); 6] = [
        (&["edgewatch-overview"], "a.jpg", "must end with .svg or .png"),
        (&["nonsense"], "a.svg", "there are edgewatch-overview, "),
        (
            &["edgewatch-overview", "--prometheus", &url],
            "a.svg",
            "nothing listens on",
        ),
        (&["edgewatch-overview", "--from", "soon"], "a.svg", "soon"),
        (&["edgewatch-overview", "--height", "300"], "a.svg", "--panel"),
        (&["edgewatch-overview", "--var", "x"], "a.svg", "NAME=VALUE"),
    ];
    for (arguments, file, reason) in cases {
        let file = directory.path().join(file);
        let output = render(arguments, &file);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && error.contains(reason),
            "{arguments:?}: {error}"
        );
        assert!(!file.exists(), "{arguments:?}");
    }
}

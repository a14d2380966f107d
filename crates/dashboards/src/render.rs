//! `edgewatch render`: a dashboard as a picture, for reports.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use jiff::Timestamp;

use crate::error::Error;
use crate::notes::notes;
use crate::options::{self, Options};
use crate::picture::Picture;
use crate::source::Direct;
use edgewatch_charts::raster::{self, Limits};
use edgewatch_grafana_model::layout::layout;
use edgewatch_grafana_model::limits::Deadline;
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::sections::{find, sections};
use edgewatch_grafana_model::source::{QueryError, Source};
use edgewatch_grafana_model::time::{self, TimeRange};
use edgewatch_grafana_model::variables::Variables;

/// Options of `edgewatch render`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A shipped dashboard, or a file with one as Grafana exports it
    #[arg(value_name = "UID|FILE")]
    pub dashboard: String,
    /// Where to write the picture: FILE.svg or FILE.png
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    options: Options,
    /// Only the panel with this id
    #[arg(long, value_name = "ID")]
    pub panel: Option<u32>,
    /// The value of a variable; may be given several times
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = assignment)]
    pub variables: Vec<(String, String)>,
    /// Width in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 1200, value_parser = clap::value_parser!(u32).range(300..=4000))]
    pub width: u32,
    /// Height in pixels; only with --panel, otherwise the dashboard says it
    #[arg(long, value_name = "PIXELS", default_value_t = 400, requires = "panel", value_parser = clap::value_parser!(u32).range(100..=4000))]
    pub height: u32,
    /// Colours
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    pub theme: Theme,
    /// Pixels of a PNG for each pixel of width and height, for sharp prints
    #[arg(long, value_name = "FACTOR", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub scale: u8,
}

/// Colours of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// On white.
    Light,
    /// On black.
    Dark,
}

/// Kinds of pictures.
#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("must be NAME=VALUE".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// The options cannot be used, Prometheus does not answer, or the file cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let format = format(&args.output)?;
    let dashboard = options::dashboard(&args.dashboard)?;
    let source = args.options.source()?;
    let svg = draw(args, &dashboard, &source)?;
    let picture = match format {
        Format::Svg => svg.into_bytes(),
        Format::Png => {
            let mut bytes = Vec::new();
            raster::png(&svg, f32::from(args.scale), Limits::COMMAND, &mut bytes)?;
            bytes
        }
    };
    fs::write(&args.output, picture).map_err(|source| Error::Write {
        path: args.output.clone(),
        source,
    })
}

fn format(file: &Path) -> Result<Format, Error> {
    match file.extension().and_then(OsStr::to_str) {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => Err(Error::PictureFormat(file.to_owned())),
    }
}

/// The picture as SVG.
fn draw(args: &Args, dashboard: &Dashboard, source: &Direct) -> Result<String, Error> {
    let now = Timestamp::now().as_millisecond();
    let (zone, zone_problem) = time::zone_or_problem(&dashboard.timezone);
    let (from, to) = args.options.range().unwrap_or_else(|| dashboard.time.ends());
    let range = TimeRange::parse(&from, &to, now, &zone).map_err(Error::Range)?;
    // Not a picture in which every panel has the same error.
    if let Err(error @ QueryError::Unreachable(_)) = source.instant("1", now) {
        return Err(Error::Query(error));
    }
    let scope = Scope {
        range,
        variables: Variables::resolve(dashboard, &args.variables, range, source),
        min_step: options::min_step(source),
        now: TimeRange::is_relative(&from, &to).then_some(now),
        zone,
        dashboard: dashboard.title.clone(),
        deadline: Deadline::default(),
    };
    check(args, &scope.variables)?;
    let panels = layout(dashboard, &scope.variables);
    let dark = args.theme == Theme::Dark;
    let picture = match args.panel {
        None => Picture::new(&sections(&panels, &[]), &panels, args.width, dark),
        Some(id) => {
            let place = find(&panels, id).ok_or(Error::NoPanel(id))?;
            Picture::alone(place, args.width, args.height, dark)
        }
    };
    let notes: Vec<String> = notes(zone_problem.as_ref(), dashboard, &scope.variables).collect();
    let mut svg = picture.head(&dashboard.title, &notes, &panels, &scope);
    for index in 0..picture.len() {
        svg.push_str(&picture.panel(index, &panels, &scope, source));
    }
    svg.push_str(Picture::TAIL);
    Ok(svg)
}

/// An invalid value of a variable must not give a picture with another value.
fn check(args: &Args, variables: &Variables) -> Result<(), Error> {
    for (name, _) in &args.variables {
        let Some(variable) = variables.get(name) else {
            let names: Vec<_> = variables.list.iter().map(|variable| variable.name.as_str()).collect();
            return Err(Error::NoVariable {
                name: name.clone(),
                known: names.join(", "),
            });
        };
        if let Some(problem) = &variable.problem {
            return Err(Error::Variable {
                name: name.clone(),
                problem: problem.clone(),
            });
        }
    }
    Ok(())
}

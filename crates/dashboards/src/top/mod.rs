//! `edgewatch top`: a dashboard in a terminal, over SSH or a serial line.

mod card;
mod fill;
mod layout;
mod look;
mod paint;
mod print;
mod row;
mod screen;
mod session;
mod terminal;
mod view;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, KeyEventKind};

use self::look::{Colors, Look};
use self::screen::{Action, Event, Screen};
use self::session::Part;
use self::terminal::Taken;
use crate::error::Error;
use crate::library::SHIPPED;
use crate::options::{self, Options};
use crate::source::Direct;
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_program::error::CommandFailure;
use edgewatch_program::output;
use edgewatch_program::signals::Signals;

/// Options of `edgewatch top`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "The key ? shows the others. TERM, LANG, COLORTERM and NO_COLOR say what the terminal can show."
)]
pub struct Args {
    /// A shipped dashboard, or a file with one as Grafana exports it
    #[arg(long, value_name = "UID|FILE", default_value = "edgewatch-overview")]
    pub dashboard: String,
    #[command(flatten)]
    options: Options,
    /// Time between two looks [default: the dashboard's, or 30s]
    #[arg(long, value_name = "DURATION", value_parser = refresh, conflicts_with = "once")]
    pub refresh: Option<Duration>,
    /// Print the dashboard and end
    #[arg(long)]
    pub once: bool,
    /// Use ASCII only
    #[arg(long)]
    pub ascii: bool,
}

fn refresh(text: &str) -> Result<Duration, String> {
    let refresh = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    match refresh >= Duration::from_secs(1) {
        true => Ok(refresh),
        false => Err("must be 1s or longer".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// The options cannot be used, or the terminal cannot; with `--once`, Prometheus does not answer.
pub fn run(args: &Args) -> Result<(), CommandFailure> {
    let look = Look::detect(args.ascii);
    let (dashboards, current) = dashboards(&args.dashboard)?;
    let screen = Screen::new(dashboards, current, args.options.range(), look);
    // Said now, since on the screen it would be said for ever.
    screen.check_range().map_err(Error::Range)?;
    let source = args.options.source()?;
    if args.once {
        return once(screen, &source, look);
    }
    if !io::stdout().is_terminal() {
        return Err(CommandFailure(
            "standard output is no terminal: pass --once to print the dashboard".to_owned(),
        ));
    }
    watch(screen, source, args.refresh)
}

/// The dashboards among which keys choose, and the number of the one that was named.
fn dashboards(name: &str) -> Result<(Vec<Arc<Dashboard>>, usize), CommandFailure> {
    let mut all = Vec::new();
    for shipped in SHIPPED {
        all.push(Arc::new(options::dashboard(shipped.uid)?));
    }
    match SHIPPED.iter().position(|shipped| shipped.uid == name) {
        Some(current) => Ok((all, current)),
        None => {
            all.push(Arc::new(options::dashboard(name)?));
            let last = all.len() - 1;
            Ok((all, last))
        }
    }
}

/// Prints the dashboard.
fn once(mut screen: Screen, source: &Direct, look: Look) -> Result<(), CommandFailure> {
    let width = terminal::size().width;
    session::answer(&screen.question(0, width), source, |part| {
        screen.take(part);
        true
    });
    if let Some(problem) = screen.problem() {
        return Err(CommandFailure(problem.to_owned()));
    }
    let is_styled = io::stdout().is_terminal() && look.colors != Colors::None;
    let text = print::text(&screen.page(width), is_styled);
    Ok(output::print(&text)?)
}

/// Shows the dashboard until the person has seen enough.
fn watch(mut screen: Screen, source: Direct, refresh: Option<Duration>) -> Result<(), CommandFailure> {
    let gone = |error| CommandFailure::because("the terminal cannot be used", error);
    let (events, happening) = mpsc::channel();
    let (questions, asked) = mpsc::channel();
    let latest = Arc::new(AtomicU64::new(0));
    heed_signals(events.clone())?;
    let mut terminal = Taken::take().map_err(gone)?;
    // None of these threads is waited for: the process ends with this one.
    let answers = events.clone();
    let counts = Arc::clone(&latest);
    thread::spawn(move || {
        session::serve(&source, &asked, &counts, |number, part| {
            answers.send(Event::Part(number, part)).is_ok()
        })
    });
    thread::spawn(move || read_keys(&events));
    let ask = |screen: &Screen, width| {
        let number = latest.fetch_add(1, Ordering::Relaxed) + 1;
        // The other end is gone only if its thread panicked, which the person sees as a clock that stands still.
        let _ = questions.send(screen.question(number, width));
    };
    ask(&screen, terminal.area().width);
    // None while an answer is awaited.
    let mut due = None;
    loop {
        terminal.draw(&mut screen).map_err(gone)?;
        let wait = due
            .filter(|_| !screen.paused)
            .map(|due: Instant| due.saturating_duration_since(Instant::now()));
        let first = match wait {
            Some(wait) => happening.recv_timeout(wait),
            None => happening.recv().map_err(RecvTimeoutError::from),
        };
        let mut asks = match &first {
            Ok(_) => false,
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        // All that happened meanwhile is drawn at once: a serial line is slow.
        for event in first.into_iter().chain(happening.try_iter()) {
            match event {
                Event::Stop => return Ok(()),
                Event::Resize => terminal.resize().map_err(gone)?,
                Event::Part(number, _) if number != latest.load(Ordering::Relaxed) => {}
                Event::Part(_, part) => {
                    if let Part::End(_) = part {
                        due = Some(Instant::now() + refresh.unwrap_or_else(|| screen.refresh()));
                    }
                    screen.take(part);
                }
                Event::Key(key) => match screen.press(key, usize::from(terminal.area().height)) {
                    Action::Draw => {}
                    Action::Ask => asks = true,
                    Action::Suspend => terminal.suspend().map_err(gone)?,
                    Action::Quit => return Ok(()),
                },
            }
        }
        if asks {
            due = None;
            ask(&screen, terminal.area().width);
        }
    }
}

/// Tells of keys and sizes until the terminal is gone.
fn read_keys(events: &Sender<Event>) {
    loop {
        let event = match event::read() {
            Ok(event::Event::Key(key)) if key.kind == KeyEventKind::Press => Event::Key(key),
            Ok(event::Event::Resize(..)) => Event::Resize,
            Ok(_) => continue,
            Err(_) => Event::Stop,
        };
        let ends = matches!(event, Event::Stop);
        if events.send(event).is_err() || ends {
            return;
        }
    }
}

/// Tells of the first signal that asks to end, so that the terminal is given back.
fn heed_signals(events: Sender<Event>) -> Result<(), CommandFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| CommandFailure::because("cannot handle signals", error))?;
    let mut signals = runtime.block_on(async { Signals::new() })?;
    thread::spawn(move || {
        runtime.block_on(signals.next());
        // Nobody listens any more if the program ends anyway.
        let _ = events.send(Event::Stop);
    });
    Ok(())
}

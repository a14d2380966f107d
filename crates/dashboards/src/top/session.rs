//! Asks Prometheus for what a screen shows, in a thread of its own: keys are heeded however slow the answers are.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use jiff::Timestamp;

use super::card::Card;
use crate::error::Error;
use crate::notes::notes;
use crate::options;
use crate::source::Direct;
use edgewatch_grafana_model::evaluate::evaluate;
use edgewatch_grafana_model::layout::{Placed, layout};
use edgewatch_grafana_model::limits::{self, Deadline};
use edgewatch_grafana_model::model::Dashboard;
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::source::{QueryError, Source};
use edgewatch_grafana_model::time::{self, TimeRange};
use edgewatch_grafana_model::variables::Variables;

/// What is to be shown.
#[derive(Clone, Debug)]
pub struct Question {
    /// Answers to older ones are of no interest any more.
    pub number: u64,
    /// The dashboard.
    pub dashboard: Arc<Dashboard>,
    /// In Grafana's syntax.
    pub from: String,
    /// In Grafana's syntax.
    pub to: String,
    /// Whether collapsed rows are opened.
    pub open: bool,
    /// Points of a series: a terminal has no more columns.
    pub points: usize,
}

/// A part of an answer.
#[derive(Debug)]
pub enum Part {
    /// The panels that follow, without data.
    Outline(Vec<Card>),
    /// The panel of that number, with its data.
    Card(usize, Card),
    /// There is no more; if it went wrong, why.
    End(Result<(), Error>),
}

/// Answers `question` part by part, until `tell` says that nobody listens.
pub fn answer(question: &Question, source: &Direct, mut tell: impl FnMut(Part) -> bool) {
    let now = Timestamp::now().as_millisecond();
    let (zone, zone_problem) = time::zone_or_problem(&question.dashboard.timezone);
    let range = match TimeRange::parse(&question.from, &question.to, now, &zone) {
        Ok(range) => range,
        Err(error) => {
            tell(Part::End(Err(Error::Range(error))));
            return;
        }
    };
    // Panels that all say the same, each after its own timeout, would help nobody.
    if let Err(error @ QueryError::Unreachable(_)) = source.instant("1", now) {
        tell(Part::End(Err(Error::Query(error))));
        return;
    }
    let scope = Scope {
        range,
        variables: Variables::resolve(&question.dashboard, &[], range, source),
        min_step: options::min_step(source),
        now: TimeRange::is_relative(&question.from, &question.to).then_some(now),
        zone,
        dashboard: question.dashboard.title.clone(),
        deadline: Deadline::default(),
    };
    let panels = panels(layout(&question.dashboard, &scope.variables), question.open);
    let scopes: Vec<Scope> = panels.iter().map(|placed| of_panel(placed, &scope)).collect();
    let empty = |(placed, scope): (&Placed, &Scope)| Card::empty(&placed.panel, title(placed, scope));
    let notes = notes(zone_problem.as_ref(), &question.dashboard, &scope.variables);
    let notes: Vec<Card> = notes.map(Card::heading).collect();
    let above = notes.len();
    let outline = notes.into_iter().chain(panels.iter().zip(&scopes).map(empty)).collect();
    if !tell(Part::Outline(outline)) {
        return;
    }
    for (index, (placed, scope)) in panels.iter().zip(&scopes).enumerate() {
        let data = evaluate(&placed.panel, scope, question.points, source);
        let card = limits::guarded(|| empty((placed, scope)).filled(&placed.panel, &data, scope));
        let card = card.unwrap_or_else(|problem| empty((placed, scope)).with_problem(&problem.to_string()));
        if !tell(Part::Card(above + index, card)) {
            return;
        }
    }
    tell(Part::End(Ok(())));
}

/// Answers questions until there is nobody to ask any more: `tell` gets the parts, each with the number of its question, and is false if
/// nobody listens. `latest` is the number of the question that counts.
pub fn serve(
    source: &Direct,
    questions: &Receiver<Question>,
    latest: &AtomicU64,
    mut tell: impl FnMut(u64, Part) -> bool,
) {
    while let Ok(mut question) = questions.recv() {
        // Of those that came meanwhile, only the last one counts.
        while let Ok(newer) = questions.try_recv() {
            question = newer;
        }
        answer(&question, source, |part| {
            tell(question.number, part) && latest.load(Ordering::Relaxed) == question.number
        });
    }
}

/// The panels that are shown, those of a collapsed row behind it.
fn panels(placed: Vec<Placed>, open: bool) -> Vec<Placed> {
    let mut panels = Vec::new();
    for mut placed in placed {
        let inside = if open {
            mem::take(&mut placed.inside)
        } else {
            Vec::new()
        };
        panels.push(placed);
        panels.extend(inside);
    }
    panels
}

/// The title, and how many panels a closed row hides.
fn title(placed: &Placed, scope: &Scope) -> String {
    let title = scope.title(&placed.panel.title);
    match placed.inside.len() {
        0 => title,
        1 => format!("{title} (1 panel)"),
        count => format!("{title} ({count} panels)"),
    }
}

fn of_panel(placed: &Placed, scope: &Scope) -> Scope {
    Scope {
        variables: placed.variables(&scope.variables),
        ..scope.clone()
    }
}

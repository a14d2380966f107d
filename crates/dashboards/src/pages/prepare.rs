//! From a request to a dashboard with its variables, layout and sections: what pages, values and pictures are rendered from.

use std::sync::Arc;

use super::RenderContext;
use super::cache::LaidOut;
use super::error::PageError;
use super::panels;
use super::query::{PageQuery, View};
use super::stream::RenderPermit;
use crate::library::OpenError;
use edgewatch_grafana_model::data::Data as PanelData;
use edgewatch_grafana_model::evaluate::evaluate;
use edgewatch_grafana_model::grid::{COLUMNS, GridPos};
use edgewatch_grafana_model::layout::Placed;
use edgewatch_grafana_model::limits::Deadline;
use edgewatch_grafana_model::model::Panel;
use edgewatch_grafana_model::panel::PanelKind;
use edgewatch_grafana_model::scope::Scope;
use edgewatch_grafana_model::sections::{self, Section};
use edgewatch_grafana_model::source::Within;
use edgewatch_grafana_model::variables::Variables;
use edgewatch_program::time::unix_time;

/// The grid position of a panel that is viewed alone.
const ALONE: GridPos = GridPos {
    x: 0,
    y: 0,
    w: COLUMNS,
    h: 18,
};

/// A dashboard that is ready to be rendered.
pub(crate) struct Prepared {
    /// Model and layout.
    pub(crate) laid_out: Arc<LaidOut>,
    /// Range, refresh, theme.
    pub(crate) view: View,
    /// Range and variables.
    pub(crate) scope: Scope,
    /// Panels in their order.
    pub(crate) sections: Vec<Section>,
}

impl Prepared {
    /// The grid position of a panel on the page.
    pub(crate) const fn grid_pos(&self, placed: &Placed) -> GridPos {
        match self.view.panel {
            None => placed.panel.grid_pos,
            Some(_) => ALONE,
        }
    }

    /// A panel as the page shows it: in its size, its table sorted as the address says.
    pub(crate) fn panel(&self, placed: &Placed) -> Panel {
        let mut panel = Panel {
            grid_pos: self.grid_pos(placed),
            ..placed.panel.clone()
        };
        if let Some(by) = self.view.sorts.get(&panel.id)
            && let PanelKind::Table(table) = &mut Arc::make_mut(&mut panel.options).kind
        {
            table.sort_by = vec![by.clone()];
        }
        panel
    }
}

/// Reads the dashboard and its variables.
pub(crate) async fn prepare(
    context: &Arc<RenderContext>,
    permit: &RenderPermit,
    uid: String,
    query: PageQuery,
) -> Result<(Arc<Prepared>, PageQuery), PageError> {
    let queue = context.queue(permit.kind());
    let request = Arc::new(RenderRequest {
        context: Arc::clone(context),
        uid,
        query,
        deadline: permit.deadline(),
    });
    let cached = Arc::clone(&request);
    let mut prepared = queue.run(move || cached.prepare(false)).await??;
    if prepared.is_none() {
        let _opening = context.cache.lock_opening(&request.uid).await;
        let uncached = Arc::clone(&request);
        prepared = queue.run(move || uncached.prepare(true)).await??;
    }
    let prepared = prepared.ok_or_else(|| OpenError::Unknown(request.uid.clone()))?;
    Ok((Arc::new(prepared), request.query.clone()))
}

/// A request for a dashboard.
struct RenderRequest {
    context: Arc<RenderContext>,
    uid: String,
    query: PageQuery,
    deadline: Deadline,
}

impl RenderRequest {
    /// Evaluates variables and layout; `None` if the file has to be read and `may_read` is false.
    fn prepare(&self, may_read: bool) -> Result<Option<Prepared>, PageError> {
        let Self { context, uid, .. } = self;
        let cached = context.cache.get(uid, context.library.version(uid)?);
        if cached.is_none() && !may_read {
            return Ok(None);
        }
        let open = || context.library.open(uid);
        let loaded = if cached.is_none() { Some(open()?) } else { None };
        let read = loaded.as_ref().map(|loaded| &loaded.dashboard);
        let Some(dashboard) = cached.as_ref().map(|laid_out| &laid_out.dashboard).or(read) else {
            return Ok(None);
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of this age fit into an i64"
        )]
        let now = (unix_time() * 1000.0) as i64;
        let view = self.query.view(dashboard, now)?;
        let source = Within {
            source: &*context.source,
            deadline: &self.deadline,
        };
        let scope = Scope {
            range: view.range,
            variables: Variables::resolve(dashboard, &self.query.variables(), view.range, &source),
            min_step: context.min_step(),
            now: view.now,
            zone: view.zone.clone(),
            dashboard: dashboard.title.clone(),
            deadline: self.deadline.clone(),
        };
        let laid_out = match (cached, loaded) {
            (Some(laid_out), _) if laid_out.matches(&scope.variables) => laid_out,
            (_, Some(loaded)) => context.cache.insert(loaded, &scope.variables).ok_or(PageError::Busy)?,
            (_, None) => context.cache.insert(open()?, &scope.variables).ok_or(PageError::Busy)?,
        };
        let sections = match view.panel {
            None => sections::sections(&laid_out.panels, &view.toggled),
            Some(id) => {
                let place = sections::find(&laid_out.panels, id).ok_or(PageError::NoPanel(id))?;
                vec![Section {
                    row: None,
                    panels: vec![place],
                }]
            }
        };
        Ok(Some(Prepared {
            laid_out,
            view,
            scope,
            sections,
        }))
    }
}

/// The data of `panel`, which [`Prepared::panel`] made of `placed`, and the scope in which it was evaluated.
pub(crate) fn data_of(
    panel: &Panel,
    placed: &Placed,
    prepared: &Prepared,
    context: &RenderContext,
) -> (Scope, PanelData) {
    let scope = placed.scope(&prepared.scope);
    let points = panels::points(panel.grid_pos);
    let data = evaluate(panel, &scope, points, &*context.source);
    (scope, data)
}

// What only a browser can do with a dashboard: a crosshair, zoom, hiding series, refresh without flicker. The page works without.
// It keeps to the page's Content-Security-Policy: no inline style in markup, every text by textContent.
"use strict";
(() => {
  const page = document.querySelector("main[data-dashboard]");
  if (!page) return;
  const SVG = "http://www.w3.org/2000/svg";
  const PLOT_WIDTH = 1000; // user units of every stretched plot
  const LEAST_DRAG = 8; // CSS pixels: less is a click
  const MOST_SHOWN = 20; // series in a tooltip: more do not fit on a screen

  // Those over time: bar charts and histograms have nothing to point at.
  const graphs = () => [...page.querySelectorAll("figure.graph[data-from]")];
  const plotOf = (graph) => graph.querySelector("svg.plot");

  document.documentElement.classList.add("scripted");

  // ---- The address: a range is changed by going there, so that Back and bookmarks work.

  function go(changes) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) url.searchParams.set(name, value);
    location.assign(url);
  }

  function zoom(from, to) {
    if (to - from >= 1000) go({ from: Math.round(from), to: Math.round(to) });
  }

  // ---- Values, asked for when somebody first points at a graph.

  let asked = null;

  function values() {
    const url = `/d/${encodeURIComponent(page.dataset.dashboard)}/values.json${location.search}`;
    asked ??= fetch(url, { cache: "no-store" })
      .then((response) => (response.ok ? response.json() : { panels: {} }))
      .catch(() => ({ panels: {} }));
    return asked;
  }

  function nearest(times, at) {
    let low = 0;
    let high = times.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle] <= at) low = middle;
      else high = middle;
    }
    return at - times[low] <= times[high] - at ? low : high;
  }

  // The zone is the device's, like that of the axes; a browser that does not know it shows UTC.
  const clock = (() => {
    try {
      const shape = { dateStyle: "short", timeStyle: "medium" };
      return new Intl.DateTimeFormat("sv-SE", { ...shape, timeZone: page.dataset.zone || "UTC" });
    } catch {
      // With the zone's name, which the two styles above do not go together with.
      const [date, time] = [["year", "month", "day"], ["hour", "minute", "second"]];
      const parts = Object.fromEntries([...date, ...time].map((part) => [part, "2-digit"]));
      return new Intl.DateTimeFormat("sv-SE", { ...parts, year: "numeric", timeZone: "UTC", timeZoneName: "short" });
    }
  })();

  // ---- Crosshair and tooltip, on every graph of the page at the same moment.

  const tips = new Map(); // graph → its tooltip
  let pointed = null; // { at, graph } while somebody points at a graph

  function shape(plot, name, attributes) {
    let element = plot.querySelector(`.${name}`);
    if (!element) {
      element = document.createElementNS(SVG, name === "crosshair" ? "line" : "rect");
      element.setAttribute("class", name);
      plot.append(element);
    }
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  function clear() {
    pointed = null;
    for (const element of page.querySelectorAll("svg.plot .crosshair")) element.remove();
    for (const tip of tips.values()) tip.remove();
    tips.clear();
  }

  async function point(at, source) {
    pointed = { at, graph: source };
    for (const graph of graphs()) {
      const { from, to } = graph.dataset;
      const x = ((at - from) / (to - from)) * PLOT_WIDTH;
      if (x < 0 || x > PLOT_WIDTH) continue;
      shape(plotOf(graph), "crosshair", { x1: x, x2: x, y1: 0, y2: "100%" });
    }
    const { panels } = await values();
    if (!pointed || pointed.at !== at) return; // moved on meanwhile
    for (const graph of graphs()) tell(graph, panels[graph.dataset.panel], at, graph === source);
  }

  function tell(graph, panel, at, isSource) {
    const box = plotOf(graph).getBoundingClientRect();
    const visible = box.bottom > 0 && box.top < innerHeight;
    if (!visible || !panel?.times?.length) return;
    const index = nearest(panel.times, at);
    const all = panel.series
      .map((series, number) => ({ ...series, number, text: series.texts[index] }))
      .filter((series) => series.text && !isHidden(graph, series.number));
    const shown = all.slice(0, MOST_SHOWN);
    let tip = tips.get(graph);
    if (!tip) {
      tip = document.createElement("div");
      tip.className = "tooltip";
      document.body.append(tip);
      tips.set(graph, tip);
    }
    tip.classList.toggle("secondary", !isSource);
    const head = document.createElement("time");
    head.textContent = clock.format(panel.times[index]);
    tip.replaceChildren(head, ...shown.map((series) => row(series, colorOf(graph, series))));
    if (all.length > shown.length) tip.append(`and ${all.length - shown.length} more`);
    const share = (at - graph.dataset.from) / (graph.dataset.to - graph.dataset.from);
    const x = box.left + share * box.width;
    // On the side of the crosshair where there is more of the graph, so that it covers no other.
    const left = share < 0.5 ? x + 12 : x - 12 - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth))}px`;
    tip.style.top = `${Math.max(0, Math.min(box.top + 8, innerHeight - tip.offsetHeight))}px`;
    if (isSource) announce(`${head.textContent}: ${shown.map((series) => `${series.name} ${series.text}`).join(", ")}`);
  }

  // As it is drawn: the theme may have made it darker.
  function colorOf(graph, series) {
    const key = graph.querySelector(`.legend [data-series="${series.number}"] .key rect`);
    return key ? getComputedStyle(key).fill : series.color;
  }

  function row(series, color) {
    const line = document.createElement("div");
    const swatch = document.createElement("i");
    const name = document.createElement("span");
    const value = document.createElement("b");
    swatch.style.background = color;
    name.textContent = series.name;
    value.textContent = series.text;
    line.append(swatch, name, value);
    return line;
  }

  // For those who do not see the tooltip: only what the keyboard points at, or every move of the mouse would be read out.
  const live = document.createElement("p");
  live.className = "visually-hidden";
  live.setAttribute("aria-live", "polite");
  document.body.append(live);
  let byKeyboard = false;

  function announce(text) {
    if (byKeyboard) live.textContent = text;
  }

  // ---- Pointing and dragging.

  let drag = null; // { graph, start, x } while a range is being drawn

  function timeAt(graph, clientX) {
    const box = plotOf(graph).getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (clientX - box.left) / box.width));
    const from = Number(graph.dataset.from);
    return from + share * (Number(graph.dataset.to) - from);
  }

  function graphUnder(event) {
    return event.target instanceof Element ? event.target.closest("svg.plot")?.closest("figure.graph[data-from]") : null;
  }

  function endDrag() {
    if (drag) plotOf(drag.graph)?.querySelector(".selection")?.remove();
    drag = null;
  }

  page.addEventListener("pointermove", (event) => {
    byKeyboard = false;
    const graph = drag?.graph ?? graphUnder(event);
    if (!graph) {
      if (pointed) clear();
      return;
    }
    const at = timeAt(graph, event.clientX);
    if (drag) {
      const { from, to } = graph.dataset;
      const [left, right] = [drag.start, at].sort((a, b) => a - b).map((time) => ((time - from) / (to - from)) * PLOT_WIDTH);
      shape(plotOf(graph), "selection", { x: left, width: right - left, y: 0, height: "100%" });
    }
    point(at, graph);
  });
  page.addEventListener("pointerleave", () => {
    if (!drag) clear();
  });
  page.addEventListener("pointerdown", (event) => {
    const graph = graphUnder(event);
    // A finger scrolls the page.
    if (!graph || event.button !== 0 || event.pointerType === "touch") return;
    event.preventDefault();
    plotOf(graph).setPointerCapture?.(event.pointerId);
    drag = { graph, start: timeAt(graph, event.clientX), x: event.clientX };
  });
  page.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { graph, start, x } = drag;
    endDrag();
    if (Math.abs(event.clientX - x) < LEAST_DRAG) return;
    const [from, to] = [start, timeAt(graph, event.clientX)].sort((a, b) => a - b);
    zoom(from, to);
  });
  page.addEventListener("pointercancel", endDrag);
  page.addEventListener("dblclick", (event) => {
    const graph = graphUnder(event);
    if (!graph) return;
    const [from, to] = [Number(graph.dataset.from), Number(graph.dataset.to)];
    zoom(from - (to - from) / 2, Math.min(Date.now(), to + (to - from) / 2));
  });
  addEventListener("scroll", clear, { passive: true });

  // ---- The same by keyboard: arrows move the crosshair of the graph that has the focus.

  function makeReachable() {
    for (const graph of graphs()) graph.tabIndex = 0;
  }

  page.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      endDrag();
      clear();
      return;
    }
    const graph = event.target;
    if (!(graph instanceof Element) || !graph.matches("figure.graph[data-from]")) return;
    const [from, to] = [Number(graph.dataset.from), Number(graph.dataset.to)];
    const step = (to - from) / (event.shiftKey ? 10 : 100);
    const at = pointed?.graph === graph ? pointed.at : to;
    const target = { ArrowLeft: at - step, ArrowRight: at + step, Home: from, End: to }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    byKeyboard = true;
    point(Math.min(to, Math.max(from, target)), graph);
  });
  page.addEventListener("focusout", () => {
    if (byKeyboard) clear();
  });

  // ---- The legend: a click leaves one series, with Ctrl, ⌘ or Shift it hides one; as in Grafana.

  const hidden = new Map(); // panel → names of hidden series, which outlive a refresh

  const entries = (graph) => [...graph.querySelectorAll(".legend [data-series]")];
  const nameOf = (entry) => entry.dataset.name ?? entry.textContent;

  function isHidden(graph, number) {
    const entry = graph.querySelector(`.legend [data-series="${number}"]`);
    return entry !== null && (hidden.get(graph.dataset.panel)?.has(nameOf(entry)) ?? false);
  }

  function showHidden(graph) {
    const names = hidden.get(graph.dataset.panel) ?? new Set();
    for (const entry of entries(graph)) {
      const off = names.has(nameOf(entry));
      entry.classList.toggle("off", off);
      entry.setAttribute("aria-pressed", String(!off));
      for (const series of graph.querySelectorAll(`.plot .series[data-series="${entry.dataset.series}"]`)) {
        series.classList.toggle("off", off);
      }
    }
  }

  page.addEventListener("click", (event) => {
    const entry = event.target instanceof Element ? event.target.closest(".legend [data-series]") : null;
    const graph = entry?.closest("figure.graph");
    if (!graph) return;
    const all = entries(graph).map(nameOf);
    const name = nameOf(entry);
    const before = hidden.get(graph.dataset.panel) ?? new Set();
    let after;
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      after = new Set(before);
      if (!after.delete(name)) after.add(name);
    } else {
      const alone = !before.has(name) && before.size === all.length - 1;
      after = new Set(alone ? [] : all.filter((other) => other !== name));
    }
    hidden.set(graph.dataset.panel, after);
    showHidden(graph);
  });

  // ---- Refresh: panels that changed are exchanged, everything else stays as it is.

  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.setAttribute("role", "status");
  notice.hidden = true;
  page.before(notice);
  let drawn = new Date();

  async function refresh() {
    let fresh;
    try {
      const response = await fetch(location.href, { cache: "no-store" });
      if (!response.ok) throw new Error(`the service answers with status ${response.status}`);
      fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    } catch (error) {
      notice.textContent = `Not refreshed since ${drawn.toLocaleTimeString("sv-SE")}: ${error.message}`;
      notice.hidden = false;
      return;
    }
    notice.hidden = true;
    drawn = new Date();
    if (drag) return; // the next one will do
    asked = null;
    const focused = document.activeElement?.closest("figure.graph")?.dataset.panel;
    for (const panel of page.querySelectorAll(".panel[id]")) {
      const next = fresh.getElementById(panel.id);
      if (next) panel.replaceWith(document.adoptNode(next));
    }
    prepare();
    if (focused) graphs().find((graph) => graph.dataset.panel === focused)?.focus();
    const again = pointed && graphs().find((graph) => graph.dataset.panel === pointed.graph.dataset.panel);
    const at = pointed?.at;
    clear();
    if (again) point(at, again);
  }

  const seconds = Number(page.dataset.refresh);
  if (seconds > 0) {
    let due = Date.now() + seconds * 1000;
    let busy = false;
    const tick = async () => {
      // A page that nobody looks at costs the device nothing.
      if (busy || document.hidden || Date.now() < due) return;
      busy = true;
      await refresh();
      due = Date.now() + seconds * 1000;
      busy = false;
    };
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
  }

  // ---- Choices take effect at once; without JavaScript a button does that.

  for (const form of document.querySelectorAll("form[data-auto]")) {
    form.addEventListener("change", () => form.requestSubmit());
    for (const button of form.querySelectorAll("button[type=submit]")) button.hidden = true;
  }

  function prepare() {
    makeReachable();
    graphs().forEach(showHidden);
  }
  prepare();
})();

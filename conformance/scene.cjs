// A dashboard's variables in Grafana's scenes.
'use strict';
const { data, load } = require('./grafana.cjs');
const { CustomVariable, EmbeddedScene, SceneTimeRange, SceneVariableSet, sceneGraph } = load('@grafana/scenes');

/** A scene without panels that has `variables`. */
function scene(variables, timeZone = 'utc') {
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: '2026-05-13T10:00:00.000Z', to: '2026-05-13T12:35:50.500Z', timeZone }),
    $variables: new SceneVariableSet({ variables }),
    body: undefined,
  });
}

const known = new Map();

/** `text` with the values of `lists` (a list for each name). */
function interpolate(text, lists, scopedVars, format) {
  const id = JSON.stringify(lists);
  if (!known.has(id)) {
    const variables = Object.entries(lists).map(([name, value]) => new CustomVariable({ name, value, text: value, isMulti: true }));
    known.set(id, scene(variables));
  }
  return sceneGraph.interpolate(known.get(id), text, scopedVars, format);
}

module.exports = { scene, interpolate, data };

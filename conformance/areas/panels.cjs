// Whole panels: names, overrides, the texts and colours of cells and of single values.
'use strict';
const { data, theme } = require('../grafana.cjs');
const { SETS } = require('../frames.cjs');
const { transformed } = require('./transformations.cjs');
const { color } = require('./values.cjs');

const steps = (...list) => list.map(([value, name]) => ({ value, color: name }));
const USUAL = { mode: 'absolute', steps: steps([null, 'green'], [80, 'red']) };
const PERCENT = { mode: 'percentage', steps: steps([null, 'green'], [50, 'orange'], [90, 'red']) };
const property = (id, value) => ({ id, value });
const override = (id, options, ...properties) => ({ matcher: { id, options }, properties });
const BYTES = [property('unit', 'bytes'), property('decimals', 2)];
const MATCHERS = [
  ['byName', 'eth0'], ['byName', 'Value'], ['byName', 'v'], ['byName', 'rx'], ['byName', 'Time'],
  ['byNames', { mode: 'include', names: ['eth0', 'Value'] }], ['byNames', { mode: 'exclude', names: ['Value', 'lo'] }],
  ['byRegexp', '/^eth/'], ['byRegexp', 'eth|l'], ['byRegexp', '/.*/'], ['byRegexpOrNames', { pattern: '/^l/', names: ['eth0'] }],
  ['byType', 'number'], ['byType', 'string'], ['byType', 'time'], ['numeric', {}], ['byFrameRefID', 'B'],
  ['byValue', { reducer: 'allIsZero', op: 'gte', value: 0 }], ['byValue', { reducer: 'allIsNull', op: 'gte', value: 0 }],
  ['byValue', { reducer: 'max', op: 'gt', value: 5 }], ['byValue', { reducer: 'count', op: 'eq', value: 3 }], ['byValue', { reducer: 'min', value: 1 }], ['byValue', { reducer: 'lastNotNull', op: 'neq', value: 3 }],
];
const PROPERTIES = [
  property('unit', 'bytes'), property('decimals', 1), property('decimals', '1'), property('min', 0), property('max', 200), property('noValue', '-'),
  property('displayName', 'D'), property('displayName', '${__field.name}!'), property('displayName', '${__field.labels}'), property('displayName', '${__field.labels.device}'), property('displayName', '${__series.name}'), property('displayName', '${__field.displayName}'), property('displayName', '${many}'), property('displayName', '${__calc} x'),
  property('color', { mode: 'fixed', fixedColor: 'blue' }), property('color', { mode: 'thresholds' }), property('color', { mode: 'palette-classic-by-name' }), property('color', { mode: 'shades', fixedColor: 'blue' }), property('color', {}), property('color', null),
  property('thresholds', { mode: 'absolute', steps: steps([null, 'purple'], [2, 'orange']) }),
  property('mappings', [{ type: 'value', options: { 1: { text: 'one', color: 'yellow' } } }]),
  property('fieldMinMax', true),
];
const DEFAULTS = [
  {}, { unit: 'short' }, { unit: 'percent', decimals: 1 }, { min: 0, max: 100 }, { min: 1 }, { noValue: 'none' }, { displayName: 'All' }, { displayName: '${__field.labels.device}' },
  { mappings: [{ type: 'value', options: { 2: { text: 'two' }, sda: { text: 'Disk', color: 'blue' } } }] }, { fieldMinMax: true },
];
const COLORS = [{ mode: 'palette-classic' }, { mode: 'thresholds' }, { mode: 'fixed', fixedColor: 'semi-dark-purple' }, { mode: 'continuous-GrYlRd' }, { mode: 'palette-classic-by-name' }];
const REDUCE = [
  {}, { calcs: ['lastNotNull'] }, { calcs: ['mean'] }, { calcs: ['count'] }, { calcs: ['min', 'max'] }, { calcs: ['allIsZero'] }, { calcs: ['p95'] }, { calcs: ['last'] }, { calcs: [] },
  { values: true }, { values: true, limit: 2 }, { values: true, fields: '/.*/' }, { values: true, fields: 'device' }, { fields: '/.*/' }, { fields: 'eth0' }, { fields: '/^Value/' }, { fields: '/^none$/' },
];
const TRANSFORMATIONS = [[], [], [], [{ id: 'merge', options: {} }], [{ id: 'joinByField', options: {} }], [{ id: 'reduce', options: { reducers: ['lastNotNull'] } }], [{ id: 'organize', options: { renameByName: { eth0: 'Wire', Value: 'Val' } } }]];

/** Only what this dashboard defines is replaced: `many` has the values a and b. */
const MANY = ['a', 'b'];

module.exports = {
  name: 'overrides, names, stat values',
  wanted: 98,
  *cases(random) {
    const sets = Object.values(SETS);
    for (const frames of sets) {
      for (const [id, options] of MATCHERS) yield made(random, frames, [override(id, options, ...BYTES)]);
      for (const one of PROPERTIES) yield made(random, frames, [override('byType', 'number', one)]);
      for (const reduce of REDUCE) for (const one of COLORS) yield { ...made(random, frames, []), reduce, defaults: { thresholds: USUAL, color: one } };
      for (let count = 0; count < 60; count += 1) {
        const overrides = random.times(random.below(3), () => override(...random.one(MATCHERS), ...random.times(1 + random.below(2), () => random.one(PROPERTIES))));
        yield made(random, frames, overrides);
      }
    }
  },
  async grafana({ transformations, defaults, overrides, reduce, frames }) {
    const before = await transformed(transformations, frames);
    const fieldConfig = structuredClone({ defaults, overrides });
    const base = fieldConfig.defaults.thresholds.steps;
    for (const step of base) step.value ??= -Infinity;
    // A panel keeps what it has made of a value: those of single values and of cells are two.
    const prepared = () => {
      const frames = data.applyFieldOverrides({ data: before, fieldConfig, theme, timeZone: 'utc', replaceVariables });
      // Names decide about colours only once something has asked for them: here all are.
      data.cacheFieldDisplayNames(frames);
      return frames;
    };
    const after = prepared();
    // What the panels stat, gauge and bar gauge have where the dashboard says nothing.
    const reduceOptions = { calcs: ['lastNotNull'], values: false, ...reduce };
    const single = data.getFieldDisplayValues({ fieldConfig, reduceOptions, data: prepared(), theme, timeZone: 'utc', replaceVariables });
    const cells = after.map((frame) => frame.fields.map((field) => column(field, frame, after)).join(' ')).join(' ‖ ');
    const values = single.map(({ display }) => `${display.title ?? ''}=${data.formattedValueToString(display)} ${color(display.color)}`).join(' ');
    return `${cells} ⇒ ${values}`;
  },
};

function made(random, frames, overrides) {
  const defaults = { ...random.one(DEFAULTS), thresholds: random.one([USUAL, PERCENT]), color: random.one(COLORS) };
  return { transformations: random.one(TRANSFORMATIONS), defaults, overrides, reduce: random.one(REDUCE), frames };
}

function column(field, frame, frames) {
  const name = data.getFieldDisplayName(field, frame, frames);
  const texts = field.values.map((value) => {
    const shown = field.display(value);
    return `${data.formattedValueToString(shown)} ${field.type === 'number' ? color(shown.color) : ''}`;
  });
  const series = field.type === 'number' ? ` ${color(data.getFieldSeriesColor(field, theme).color)}` : '';
  return `${name}${series}[${texts.join(',')}]`;
}

/** As Grafana's application does it: the variables of fields (`__field`, `__series`, `__calc`) and those of the dashboard. */
function replaceVariables(text, vars = {}, format) {
  return require('../scene.cjs').interpolate(text, { many: MANY }, vars, format);
}

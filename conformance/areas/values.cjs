// The text and the colour of one value.
'use strict';
const { data, theme } = require('../grafana.cjs');
const { number, written } = require('../frames.cjs');

const VALUES = [null, 'NaN', 0, -1, -10, 1, 10, 12.5, 42, 79.999, 80, 80.0001, 90, 99.95, 100, 1e6, 1e-7, 0.3333333, 'Infinity', '-Infinity'];
const TEXTS = ['', 'up', 'down', 'null', 'true', 'false', '0', '1', '42', ' 42 ', '1.5', '10%', 'eth0', 'a/b', 'NaN'];
const steps = (...list) => list.map(([value, color]) => ({ value, color }));
const USUAL = { mode: 'absolute', steps: steps([null, 'green'], [80, 'red']) };
const THRESHOLDS = [
  USUAL,
  { mode: 'absolute', steps: [] },
  { mode: 'absolute', steps: steps([null, 'text'], [0.5, 'purple']) },
  { mode: 'absolute', steps: steps([null, 'green'], [80, 'red'], [60, 'orange']) },
  { mode: 'absolute', steps: steps([null, '#123456'], [10, 'rgb(1,2,3)'], [50, 'tomato']) },
  { mode: 'percentage', steps: steps([null, 'green'], [50, 'orange'], [90, 'red']) },
  { mode: 'percentage', steps: steps([0, 'green'], [80, 'red']) },
];
const result = (text, color) => ({ ...(text !== null && { text }), ...(color && { color }) });
const MAPPINGS = [
  [],
  [{ type: 'value', options: { 0: result('down', 'red'), 1: result('up', 'green'), up: result('UP'), null: result('gone') } }],
  [{ type: 'range', options: { from: 10, to: 50, result: result('some', 'blue') } }, { type: 'range', options: { from: null, to: 0, result: result('none') } }],
  [{ type: 'special', options: { match: 'null', result: result('N/A', 'purple') } }, { type: 'special', options: { match: 'nan', result: result('not a number') } }],
  [{ type: 'special', options: { match: 'null+nan', result: result('-') } }, { type: 'special', options: { match: 'empty', result: result('empty') } }],
  [{ type: 'special', options: { match: 'true', result: result('yes') } }, { type: 'special', options: { match: 'false', result: result('no') } }],
  [{ type: 'regex', options: { pattern: '/^eth(\\d+)$/', result: result('wire $1', 'yellow') } }, { type: 'regex', options: { pattern: 'u.*', result: result('U') } }],
  [{ type: 'regex', options: { pattern: '/u/', result: result('R $1', 'blue') } }],
  [{ type: 'value', options: { '1.5': result(null, 'blue'), 80: result('', 'pink') } }],
];
const MODES = ['thresholds', 'fixed', 'shades', 'palette-classic', 'palette-classic-by-name', 'continuous-GrYlRd', 'continuous-BlPu', 'continuous-blues', 'continuous-viridis', 'continuous-magma', 'continuous-cividis', 'palette-colorblind', 'rainbow', ''];
const COLORS = ['semi-dark-purple', '#ABCDEF', 'crimson', 'nonsense', undefined];
const UNITS = ['', 's', 'bytes', 'percent', 'percentunit', 'short', 'string', 'dateTimeAsIso', 'bool_yes_no', 'locale', 'currencyUSD', 'hex'];

module.exports = {
  name: 'one value: text and colour',
  wanted: 99.5,
  *cases(random) {
    const configs = random.times(700, () => ({
      ...(random.next() < 0.5 && { unit: random.one(UNITS) }),
      ...(random.next() < 0.3 && { decimals: random.below(4) }),
      ...(random.next() < 0.4 && { min: 0, max: random.one([50, 100]) }),
      ...(random.next() < 0.3 && { noValue: random.one(['-', 'n/a', '']) }),
      mappings: random.one(MAPPINGS),
      thresholds: random.one(THRESHOLDS),
      ...(random.next() < 0.8 && { color: { mode: random.one(MODES), fixedColor: random.one(COLORS) } }),
    }));
    for (const config of configs) {
      const range = random.one([null, [0, 50], [5, 5]]);
      for (const value of VALUES) yield { type: 'number', config, range, value };
      // A browser finds a date in nearly any text, each in its own way.
      const isDate = config.unit === 'dateTimeAsIso';
      for (const value of isDate ? ['', '2026-05-13T12:35:50Z', 'up'] : TEXTS) yield { type: 'string', config, range: null, value };
      for (const value of random.times(6, () => written((random.next() - 0.2) * 10 ** random.below(6)))) yield { type: 'number', config, range, value };
    }
  },
  grafana({ type, config, range, value }) {
    const base = config.thresholds.steps.map((step) => ({ ...step, value: step.value ?? -Infinity }));
    const made = structuredClone({ ...config, thresholds: { ...config.thresholds, steps: base } });
    // As the whole of a panel's fields is prepared (setFieldConfigDefaults).
    if (!made.color) made.color = { mode: 'thresholds' };
    if (!made.color.mode) delete made.color;
    const field = { name: 'x', type, config: made, values: type === 'number' ? [number(value)] : [value], state: { seriesIndex: 3 } };
    if (range) field.state.range = { min: made.min ?? range[0], max: made.max ?? range[1], delta: (made.max ?? range[1]) - (made.min ?? range[0]) };
    else if (type === 'number') field.state.range = { min: made.min ?? 0, max: made.max ?? 100, delta: (made.max ?? 100) - (made.min ?? 0) };
    const shown = data.getDisplayProcessor({ field, theme, timeZone: 'utc' })(field.values[0]);
    return `${data.formattedValueToString(shown)} ${color(shown.color)}`;
  },
};

/** `#rrggbb`. */
function color(text) {
  if (text === undefined || text === null) return 'none';
  try {
    return data.colorManipulator.asHexString(text).slice(0, 7).toLowerCase();
  } catch {
    return '#000000';
  }
}
module.exports.color = color;

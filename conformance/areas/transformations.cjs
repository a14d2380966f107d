// What transformations make of frames.
'use strict';
const { data, load } = require('../grafana.cjs');
const { SETS, frame, shown } = require('../frames.cjs');
const { lastValueFrom } = load('rxjs');

const filter = (fieldName, id, options = {}) => ({ fieldName, config: { id, options } });
const choose = (filters, type = 'include', match = 'any') => ({ filters, type, match });
const by = (...calcs) => ({ operation: 'aggregate', aggregations: calcs });
const key = { operation: 'groupby', aggregations: [] };

/** Options that dashboards have, by the transformation. */
const OPTIONS = {
  organize: [
    {},
    { renameByName: { in: 'I', v: 'V', eth0: 'Wire', Value: 'Val', device: 'Disk', 'Value #A': 'Used', Time: 'When' } },
    { excludeByName: { Time: true, lo: true, host: true, job: true, 'Time 1': true } },
    { excludeByName: { time: true } },
    { includeByName: { v: true, eth0: true, Value: true, device: true } },
    { indexByName: { w: 0, Value: 0, lo: 0, instance: 1, Time: 5 }, renameByName: { Value: '' } },
    { excludeByName: { Time: false }, indexByName: { k: 3, v: 1 }, renameByName: { k: 'Key', v: 'Number' } },
  ],
  filterFieldsByName: [
    { include: { names: ['Value', 'device', 'k'] } },
    { include: { names: ['Time', 'eth0', 'v'] } },
    { include: { pattern: '/^(Time|v|eth.*)$/' } },
    { include: { pattern: 'eth|v' } },
    { include: { names: ['k'], pattern: '/^Val/' } },
    { exclude: { names: ['Value', 'lo'] } },
    { exclude: { pattern: '/.*1$/' } },
    { include: { names: ['Time', 'Value'] }, exclude: { names: ['Time'] } },
    {},
  ],
  filterByRefId: [{ include: 'A' }, { include: 'B' }, { exclude: 'A' }, { include: '/A|C/' }, { include: 'A|B' }, { include: '.*' }, {}],
  renameByRegex: [
    { regex: '/e/', renamePattern: 'X' },
    { regex: '/e/g', renamePattern: 'X' },
    { regex: '^Time$', renamePattern: 'T' },
    { regex: 'Value #(.*)', renamePattern: 'Q $1' },
    { regex: '/(.)(.*)/', renamePattern: '$2$1' },
    { regex: '(.*)', renamePattern: '$1!' },
  ],
  sortBy: ['v', 'k', 'Value', 'Time', 'w', 'n', 'eth0', 'none'].flatMap((field) => [{ sort: [{ field }] }, { sort: [{ field, desc: true }] }]),
  limit: [{}, { limitField: 1 }, { limitField: '2' }, { limitField: 0 }, { limitField: -1 }, { limitField: 3 }],
  filterByValue: [
    choose([filter('v', 'greater', { value: 2 })]),
    choose([filter('v', 'greaterOrEqual', { value: 2 })], 'exclude'),
    choose([filter('v', 'lower', { value: 3 }), filter('w', 'isNull')], 'include', 'all'),
    choose([filter('v', 'lowerOrEqual', { value: 3 }), filter('k', 'equal', { value: 'a' })]),
    choose([filter('v', 'between', { from: 1, to: 5 })]),
    choose([filter('v', 'isNull')]),
    choose([filter('w', 'isNotNull')]),
    choose([filter('k', 'isNull')]),
    choose([filter('k', 'regex', { value: 'a|b' })]),
    choose([filter('k', 'regex', { value: '^a$' })], 'exclude'),
    choose([filter('v', 'regex', { value: '1' })]),
    choose([filter('k', 'equal', { value: 'a' })]),
    choose([filter('v', 'equal', { value: '1' })]),
    choose([filter('v', 'notEqual', { value: 1 })]),
    choose([filter('k', 'notEqual', { value: '' })]),
    choose([filter('k', 'substring', { value: 'A' })]),
    choose([filter('k', 'notSubstring', { value: 'a' })]),
    choose([filter('Value', 'greater', { value: 15 })]),
    choose([filter('eth0', 'greater', { value: 1 })]),
    choose([filter('none', 'greater', { value: 1 })]),
    choose([]),
  ],
  reduce: [
    {},
    { reducers: [] },
    { reducers: ['max'] },
    { reducers: ['lastNotNull', 'mean', 'count'] },
    { reducers: ['median', 'p95', 'stdDev'] },
    { reducers: ['first', 'last', 'distinctCount'] },
    { reducers: ['allIsZero', 'diffperc'] },
    { reducers: ['max', 'mean'], labelsToFields: true },
    { reducers: ['sum', 'count'], mode: 'reduceFields' },
    { reducers: ['max'], mode: 'reduceFields' },
    { reducers: ['max'], mode: 'reduceFields', includeTimeField: true },
    { reducers: ['min'], labelsToFields: true, mode: 'seriesToRows' },
  ],
  groupBy: [
    {},
    { fields: { k: key } },
    { fields: { k: { operation: 'groupby', aggregations: ['count'] } } },
    { fields: { k: key, v: by('sum') } },
    { fields: { k: key, v: by('min', 'range', 'delta', 'median', 'p90', 'allIsNull') } },
    { fields: { host: key, Value: by('sum', 'lastNotNull') } },
    { fields: { host: key, device: by('count', 'last'), Value: by('mean') } },
    { fields: { Time: key, Value: by('max') } },
    { fields: { Metric: key, Value: by('max') } },
    { fields: { instance: key, 'Value #A': by('lastNotNull'), 'Value #B': by('lastNotNull') } },
  ],
  merge: [{}],
  joinByField: [{}, { byField: 'k' }, { byField: 'k', mode: 'inner' }, { byField: 'instance', mode: 'outer' }, { byField: 'instance', mode: 'inner' }, { byField: 'device' }, { byField: 'Time' }, { mode: 'inner' }, { byField: 'none' }, { byField: 'k', mode: 'outerTabular' }, { byField: 'device', mode: 'outerTabular' }],
  seriesToColumns: [{}, { byField: 'Time' }],
  concatenate: [{}, { frameNameMode: 'drop' }, { frameNameMode: 'field' }, { frameNameMode: 'label' }],
  seriesToRows: [{}],
  labelsToFields: [{}, { mode: 'columns' }, { valueLabel: 'device' }, { valueLabel: 'cpu' }, { keepLabels: ['instance'] }, { keepLabels: [] }, { mode: 'rows' }, { mode: 'rows', keepLabels: ['host'] }],
  convertFieldType: [['v', 'string'], ['k', 'string'], ['n', 'number'], ['k', 'number'], ['Value', 'time'], ['Time', 'number'], ['v', 'boolean'], ['Value', 'string'], ['none', 'number']].map(([targetField, destinationType]) => ({
    conversions: [{ targetField, destinationType }],
  })),
  formatTime: [
    { timeField: 'Time', outputFormat: 'YYYY-MM-DD HH:mm:ss', useTimezone: true, timezone: 'utc' },
    { timeField: 'Time', outputFormat: 'ddd HH:mm', timezone: 'Europe/Berlin' },
    { timeField: 'none', outputFormat: 'HH', timezone: 'utc' },
    { timeField: 'k', outputFormat: 'HH', timezone: 'utc' },
  ],
  formatString: ['Upper Case', 'Lower Case', 'Sentence Case', 'Title Case', 'Pascal Case', 'Camel Case', 'Snake Case', 'Kebab Case', 'Trim', 'Substring'].flatMap((outputFormat) => ['k', 'n', 'device', 'none'].map((stringField) => ({ stringField, outputFormat, substringStart: 1, substringEnd: 3 }))),
  groupingToMatrix: [
    {},
    { columnField: 'host', rowField: 'device', valueField: 'Value' },
    { columnField: 'device', rowField: 'Time', valueField: 'Value', emptyValue: 'null' },
    { columnField: 'k', rowField: 'v', valueField: 'w', emptyValue: 'zero' },
    { columnField: 'k', rowField: 'v', valueField: 'v', emptyValue: 'null' },
    { columnField: 'none', rowField: 'k' },
  ],
  transpose: [{}, { firstFieldName: 'Of', restFieldsName: 'Is' }, { emptyValue: 'null' }, { emptyValue: 'zero' }],
  histogram: [{}, { bucketSize: 1 }, { bucketSize: '5', bucketOffset: 1 }, { combine: true }, { bucketSize: 0.5, combine: true }, { bucketSize: 'x' }],
  calculateField: [
    {},
    { mode: 'reduceRow', reduce: { reducer: 'sum' }, alias: 'Total' },
    { mode: 'reduceRow', reduce: { reducer: 'mean', include: ['v', 'eth0', 'Value #A'] } },
    { mode: 'reduceRow', reduce: { reducer: 'max' }, replaceFields: true },
    { mode: 'reduceRow', reduce: { reducer: 'count' }, timeSeries: false },
    { mode: 'binary', binary: { left: 'v', operator: '+', right: '1' } },
    { mode: 'binary', binary: { left: 'eth0', operator: '-', right: 'lo' }, alias: 'Rest' },
    { mode: 'binary', binary: { left: 'Value', operator: '*', right: '8' }, replaceFields: true },
    { mode: 'binary', binary: { left: { matcher: { id: 'byName', options: 'Value #A' } }, operator: '/', right: { matcher: { id: 'byName', options: 'Value #B' } } } },
    { mode: 'binary', binary: { left: { matcher: { id: 'byType', options: 'number' } }, operator: '*', right: { fixed: '100' } } },
    { mode: 'binary', binary: { left: 'v', operator: '/', right: 'w' } },
    { mode: 'unary', unary: { operator: 'abs', fieldName: 'v' } },
    { mode: 'unary', unary: { operator: 'percent', fieldName: 'Value' } },
    { mode: 'unary', unary: { operator: 'round', fieldName: 'eth0' }, alias: 'r' },
    { mode: 'cumulativeFunctions', cumulative: { field: 'v', reducer: 'sum' } },
    { mode: 'cumulativeFunctions', cumulative: { reducer: 'mean' }, alias: 'so far' },
    { mode: 'windowFunctions', window: { field: 'v', reducer: 'mean', windowAlignment: 'trailing', windowSizeMode: 'fixed', windowSize: 2 } },
    { mode: 'windowFunctions', window: { reducer: 'stdDev', windowAlignment: 'centered', windowSizeMode: 'percentage', windowSize: 0.5 } },
    { mode: 'index' },
    { mode: 'index', index: { asPercentile: true }, replaceFields: true },
  ],
};
/** Transformations that come after another in dashboards. */
const PAIRS = [
  ['merge', 'organize'], ['merge', 'groupBy'], ['merge', 'calculateField'], ['joinByField', 'organize'], ['joinByField', 'calculateField'], ['joinByField', 'sortBy'], ['seriesToRows', 'groupBy'], ['labelsToFields', 'merge'], ['labelsToFields', 'organize'],
  ['reduce', 'organize'], ['reduce', 'sortBy'], ['filterByRefId', 'reduce'], ['filterFieldsByName', 'sortBy'], ['organize', 'merge'], ['organize', 'sortBy'], ['renameByRegex', 'merge'], ['calculateField', 'filterFieldsByName'], ['calculateField', 'organize'],
  ['groupingToMatrix', 'organize'], ['merge', 'groupingToMatrix'], ['formatTime', 'groupingToMatrix'], ['histogram', 'organize'], ['transpose', 'organize'],
  ['groupBy', 'organize'], ['groupBy', 'sortBy'], ['sortBy', 'limit'], ['concatenate', 'organize'], ['convertFieldType', 'sortBy'], ['filterByValue', 'reduce'],
];
const step = (id, options, rest = {}) => ({ id, options, ...rest });

module.exports = {
  name: 'transformations',
  wanted: 98,
  OPTIONS,
  *cases(random) {
    for (const frames of Object.values(SETS)) {
      for (const [id, list] of Object.entries(OPTIONS)) {
        for (const options of list) yield { transformations: [step(id, options)], frames };
        yield { transformations: [step(id, random.one(list), { filter: { id: 'byRefId', options: random.one(['A', 'B', '/A|B/']) } })], frames };
      }
      for (const [first, second] of PAIRS) {
        for (let count = 0; count < 8; count += 1) {
          yield { transformations: [step(first, random.one(OPTIONS[first])), step(second, random.one(OPTIONS[second]))], frames };
        }
      }
    }
  },
  async grafana({ transformations, frames }) {
    return shown(await transformed(transformations, frames));
  },
};

/** Frames after transformations. */
async function transformed(transformations, frames) {
  return lastValueFrom(data.transformDataFrame(structuredClone(transformations), frames.map(frame)));
}
module.exports.transformed = transformed;

// One value for a whole column: the reducers.
'use strict';
const { data } = require('../grafana.cjs');
const { number, written } = require('../frames.cjs');

const CALCS = data.fieldReducers.list().map(({ id }) => id).filter((id) => !['allValues', 'uniqueValues'].includes(id) && !/^p\d+$/.test(id));
const PERCENTILES = ['p1', 'p5', 'p25', 'p50', 'p75', 'p90', 'p95', 'p99'];

function lists(random) {
  const missing = (holes) => () => {
    const roll = random.next();
    if (roll < holes) return random.one([null, 'NaN']);
    return written(random.one([random.below(7) - 2, random.below(1000) / 10, (random.next() - 0.5) * 10 ** random.below(9)]));
  };
  const plain = [[], [0], [1, 2], [2, 1], [1, 2, 3, 4], [0, 0], [5, 5, 5], [10, 20, 5, 15], [null], ['NaN'], [null, null], ['NaN', 'NaN'], ['NaN', 1], [1, 'NaN', 2], ['Infinity', 1], [1, '-Infinity']];
  return [...plain, ...random.times(700, () => random.times(random.below(9), missing(0.3))), ...random.times(700, () => random.times(1 + random.below(30), missing(0)))];
}

const TEXTS = [[], ['a'], ['b', 'a', 'b'], ['', 'x'], ['1', '2'], [null, 'x', null], [null]];

/** A result as cases show it. */
const shown = (value) => (value === undefined || value === null ? 'null' : Object.is(value, -0) ? '0' : String(value));

module.exports = {
  name: 'calculations',
  wanted: 99.9,
  shown,
  CALCS: [...CALCS, ...PERCENTILES],
  *cases(random) {
    for (const values of lists(random)) {
      for (const calc of [...CALCS, ...PERCENTILES]) yield { calc, type: 'number', values };
    }
    // Averages of texts mean nothing: what is done with texts is to count and to choose.
    for (const values of TEXTS) {
      for (const calc of ['lastNotNull', 'last', 'firstNotNull', 'first', 'count', 'countAll', 'distinctCount', 'changeCount', 'allIsNull']) yield { calc, type: 'string', values };
    }
  },
  grafana({ calc, type, values }) {
    const field = { name: 'x', type, config: {}, values: type === 'number' ? values.map(number) : values };
    return shown(data.reduceField({ field, reducers: [calc] })[calc]);
  },
};

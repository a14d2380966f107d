// The heads and values of a legend.
'use strict';
const { data, theme, inside } = require('../grafana.cjs');
const { number } = require('../frames.cjs');
const { CALCS } = require('./calculations.cjs');
const { getDisplayValuesForCalcs } = inside('@grafana/ui/dist/cjs/components/uPlot/utils.cjs');

const LISTS = [[1, 2, 3, 4], [10, 20, 5, 15], [0, 0], [1, 'NaN', 3], ['NaN', 'NaN'], [null, 2], [], [0.125, 1e6, -5], [1e9, 2e9, 2e9]];

module.exports = {
  name: 'legend heads and values',
  wanted: 99.5,
  *cases(random) {
    for (const values of [...LISTS, ...random.times(20, () => random.times(1 + random.below(6), () => random.below(2000) / 8))]) {
      for (const unit of ['', 'bytes', 'percent', 's', 'short']) {
        for (const decimals of [null, 1]) for (const calc of CALCS) yield { calc, unit, decimals, values };
      }
    }
  },
  grafana({ calc, unit, decimals, values }) {
    const config = { unit, ...(decimals !== null && { decimals }) };
    const field = { name: 'x', type: 'number', config, values: values.map(number) };
    field.display = data.getDisplayProcessor({ field, theme, timeZone: 'utc' });
    const [value] = getDisplayValuesForCalcs([calc], field, theme);
    return `${value.title} = ${data.formattedValueToString(value)}`;
  },
};

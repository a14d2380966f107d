// Frames as cases write them, as Grafana holds them, and as an answer shows them.
'use strict';
const { data } = require('./grafana.cjs');

/** What JSON cannot say of a number is a text there. */
const number = (value) => (typeof value === 'string' ? Number(value) : value);
// Digits behind the point are read in different ways as well.
const written = (value) => (typeof value !== 'number' || (Number.isInteger(value) && !Object.is(value, -0)) ? value : Object.is(value, -0) ? '-0' : String(value));

/** A frame of a case: `{refId, name, fields: [{name, type, legend, labels, values}]}`. */
function frame({ refId, name, fields }) {
  const made = fields.map(({ name, type, legend, labels, values }) => ({
    name,
    type,
    config: legend == null ? {} : { displayNameFromDS: legend },
    ...(labels && { labels: { ...labels } }),
    values: type === 'number' || type === 'time' ? values.map(number) : [...values],
  }));
  return { refId, ...(name != null && { name }), fields: made, length: made[0]?.values.length ?? 0 };
}

const cell = (value) => {
  if (value === undefined || value === null) return '∅';
  if (Object.is(value, -0)) return '0';
  if (Array.isArray(value)) return `(${value.map(cell).join(' ')})`;
  return String(value);
};

/** `name:type[values]` of each field, frames parted by `‖`. */
function shown(frames) {
  const of = (frame) =>
    frame.fields
      .map((field) => {
        // An empty text among numbers, such as that of a matrix, is shown as none.
        const none = (value) => (value === '' && field.type !== 'string' ? null : value);
        const values = Array.from({ length: Math.max(...frame.fields.map(({ values }) => values.length)) }, (_, row) => cell(none(field.values[row])));
        return `${data.getFieldDisplayName(field, frame, frames)}:${(field.type ?? 'other').replace('other', 'number')[0]}[${values.join(',')}]`;
      })
      .join(' ');
  return frames.map(of).join(' ‖ ');
}

const START = 1_800_000_000_000;
const time = (values) => ({ name: 'Time', type: 'time', values });
const grid = (count) => time(Array.from({ length: count }, (_, row) => START + row * 60_000));
const numbers = (name, values, rest = {}) => ({ name, type: 'number', ...rest, values: values.map(written) });
const texts = (name, values) => ({ name, type: 'string', values });
/** A series as Prometheus' data source brings it. */
const series = (refId, name, labels, legend, values) => ({
  refId,
  ...(legend && { name: legend }),
  fields: [grid(values.length), numbers(name, values, { labels, ...(legend != null && { legend }) })],
});
const table = (refId, ...fields) => ({ refId, fields });

/** Shapes of data that dashboards have, by name. */
const SETS = {
  two: [
    series('A', 'rx', { __name__: 'rx', device: 'eth0', host: 'a' }, 'eth0', [1, 2, 3]),
    series('A', 'rx', { __name__: 'rx', device: 'lo', host: 'a' }, 'lo', [10, 20, 30]),
  ],
  auto: [
    series('A', 'Value', { instance: 'h1', job: 'x' }, '', [1, 0]),
    series('A', 'Value', { instance: 'h2', job: 'x' }, '', [1, 1]),
  ],
  same: [series('A', 'Value', { cpu: '0' }, 'cpu', [1, 2]), series('A', 'Value', { cpu: '1' }, 'cpu', [3, 4])],
  sums: [series('A', 'Value', {}, 'sum(x)', [1, 2]), series('B', 'Value', {}, 'sum(y)', [3, 4])],
  one: [series('A', 'm', { __name__: 'm', a: 'b' }, 'only', [3, 1, 2, 2])],
  gaps: [
    { refId: 'A', name: 'a', fields: [time([START, START + 60_000, START + 180_000]), numbers('Value', [1, NaN, 5], { legend: 'a', labels: { x: '1' } })] },
    { refId: 'B', name: 'b', fields: [time([START + 60_000, START + 120_000]), numbers('Value', [-3, 7], { legend: 'b', labels: { x: '2' } })] },
  ],
  table: [
    table('A', time([START, START, START]), texts('device', ['sda', 'sdb', 'sdc']), texts('host', ['a', 'b', 'a']), numbers('Value', [30, 10, 20])),
  ],
  tables: [
    table('A', time([START, START]), texts('instance', ['h1', 'h2']), texts('job', ['x', 'x']), numbers('Value #A', [1, 2])),
    table('B', time([START, START]), texts('instance', ['h1', 'h2']), numbers('Value #B', [3, 4])),
    table('C', time([START]), texts('instance', ['h2']), texts('mode', ['r']), numbers('Value #C', [5])),
  ],
  disks: [
    table('A', time([START, START]), texts('device', ['sda', 'sdb']), texts('host', ['a', 'a']), numbers('Value #A', [1, 2])),
    table('B', time([START, START]), texts('device', ['sda', 'sdc']), texts('host', ['a', 'a']), numbers('Value #B', [3, 4])),
  ],
  apart: [
    table('A', time([START, START + 1000]), texts('k', ['a', 'b']), numbers('Value #A', [1, 2])),
    table('B', time([START + 5000, START + 5000]), texts('k', ['b', 'c']), numbers('Value #B', [3, 4])),
  ],
  keys: [
    table('A', texts('k', ['a', 'b', 'a', 'c']), numbers('v', [1, 2, 3, 4])),
    table('B', texts('k', ['a', 'a', 'd']), numbers('w', [5, 6, 7])),
  ],
  empty: [table('A', texts('k', ['a', '', 'b', 'a', 'b']), numbers('v', [1, null, 3, null, 5]), numbers('w', [null, NaN, 2, 4, 0]))],
  odd: [table('A', texts('n', ['10', '9', 'x', '1e3', '', ' 7 ', '1,234']), numbers('v', [1.5, -2, 0, 1e21, null, 3, 4]))],
  wide: [table('A', grid(2), numbers('a', [1, 2]), numbers('b', [3, 4]), texts('s', ['p', 'q']))],
  turned: [
    table('A', time([START + 2000, START, START + 1000]), numbers('v', [1, 2, 3])),
    table('B', time([START + 1000, START]), numbers('w', [8, 9])),
  ],
};

module.exports = { frame, shown, written, number, SETS };

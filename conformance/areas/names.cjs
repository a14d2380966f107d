// The names of the series of a query.
'use strict';
const { data, inside } = require('../grafana.cjs');
const { transformV2 } = inside('@grafana/prometheus/dist/cjs/result_transformer.cjs');

const LEGENDS = ['', '__auto', '{{job}}', '{{nothing}}', '{{__name__}}', '{{job}} {{i}}', '{{job}}{{i}}', '{{ }}', '{{}}', 'x', '{{job.x}}', '{{ job}}', '{{job', '{{e}}', '{{path}}', 'a {{instance}} b', '{{device}} in'];
const EXPRESSIONS = ['up', 'rate(x[5m])', 'sum(rate(node_cpu_seconds_total{mode!="idle"}[5m]))'];
const SERIES = [
  [{}],
  [{ __name__: 'up' }],
  [{ job: 'a' }],
  [{ __name__: 'up', job: 'a' }],
  [{ job: 'a', instance: 'h:1' }],
  [{ __name__: 'up', job: 'a', instance: 'h:1' }],
  [{ __name__: 'up', job: 'a' }, { __name__: 'up', job: 'b' }],
  [{ job: 'a' }, { job: 'b' }],
  [{ job: 'a', i: '1' }, { job: 'b' }],
  [{ __name__: 'up', job: 'a', i: '1' }, { __name__: 'up', job: 'a', i: '2' }],
  [{ __name__: 'up', job: 'a', i: '1', z: 'x' }, { __name__: 'up', job: 'b', i: '2', z: 'x' }],
  [{ __name__: 'rx', device: 'eth0' }, { __name__: 'tx', device: 'eth0' }],
  [{ path: '/a "b"\\c' }, { path: 'ä\n' }],
  [{}, { a: '1' }],
];

/** The name that Grafana's server gives a series (its data source for Prometheus is written in Go). */
function ofServer(legend, labels, expression) {
  const { __name__: metric = '', ...others } = labels;
  const pairs = Object.keys(others).sort().map((name) => `${name}=${JSON.stringify(others[name])}`);
  const whole = pairs.length === 0 && metric ? metric : `${metric}{${pairs.join(', ')}}`;
  const isAuto = legend === '__auto';
  if (isAuto && Object.keys(labels).length > 0) return '';
  if (legend === '' || isAuto) return whole === '{}' ? expression : whole;
  const name = legend.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => labels[label.trim()] ?? '');
  return name === '{}' ? expression : name;
}

module.exports = {
  name: 'legend names',
  wanted: 99.5,
  *cases() {
    for (const legend of LEGENDS) for (const expression of EXPRESSIONS) for (const series of SERIES) yield { legend, expression, series };
  },
  grafana({ legend, expression, series }) {
    const frames = series.map((labels) => {
      const name = ofServer(legend, labels, expression);
      const value = { name: labels.__name__ || 'Value', type: 'number', config: name ? { displayNameFromDS: name } : {}, labels, values: [1, 2] };
      return { refId: 'A', name, fields: [{ name: 'Time', type: 'time', config: {}, values: [1, 2] }, value], length: 2 };
    });
    const targets = [{ refId: 'A', legendFormat: legend, expr: expression, format: 'time_series' }];
    const { data: shown } = transformV2({ data: frames }, { targets }, {});
    return shown.map((frame) => data.getFieldDisplayName(frame.fields[1], frame, shown)).join(' ‖ ');
  },
};

// Variables in texts and queries.
'use strict';
const { load, inside } = require('../grafana.cjs');
const { scene } = require('../scene.cjs');
const { CustomVariable, sceneGraph } = load('@grafana/scenes');
const { interpolateQueryExpr } = inside('@grafana/prometheus/dist/cjs/escaping.cjs');

const FORMATS = ['raw', 'csv', 'pipe', 'regex', 'glob', 'json', 'text', 'singlequote', 'doublequote', 'sqlstring', 'percentencode', 'uriencode', 'queryparam', 'customqueryparam', 'customqueryparam:p:v-', 'lucene', 'distributed', 'html', 'join', 'join:;', 'date', 'date:iso', 'date:seconds', 'date:YYYY', 'csv:more', 'unheard-of', 'value'];
const TEXTS = ['$x', '${x}', '[[x]]', '$x$x', 'a$x.b', '${x.text}', '${x.value}', '${x.0}', '${x:}', '${x[0]}', '${x["text"]}', '$y', '${y:csv}', '[[x:csv]]', '$xx', '{{$x}}', '$', '${', '${x', '[[', 'rate(a{b=~"$x"}[5m])', ...FORMATS.map((format) => `\${x:${format}}`)];
const OPTIONS = [
  [['a', 'a'], ['b', 'b'], ['c', 'c']],
  [['One', '1'], ['Two', '2'], ['Three', '3']],
  [['a.b', 'a.b'], ["c'd", "c'd"], ['e"f', 'e"f'], ['g|h', 'g|h']],
  [['é ü', 'é ü'], ['<b>&', '<b>&'], ['x\\y', 'x\\y'], ['a,b', 'a,b'], ['(z)', '(z)']],
  [['1778675750500', '1778675750500'], ['x+y', 'x+y']],
];
const PLACES = ['query', 'title', 'content', 'plain'];

module.exports = {
  name: 'variables in texts and queries',
  wanted: 99,
  *cases() {
    for (const options of OPTIONS) {
      const values = options.map(([, value]) => value);
      const choices = [
        ...values.map((value) => [false, false, '', [value]]),
        [true, false, '', [values[0]]],
        [true, true, '', values.slice(0, 2)],
        [true, true, '', ['$__all']],
        [true, true, '.*', ['$__all']],
        [false, true, '.+', ['$__all']],
        [true, true, '$y', ['$__all']],
      ];
      for (const [multi, includeAll, allValue, chosen] of choices) {
        for (const place of PLACES) for (const text of TEXTS) yield { place, text, options, multi, includeAll, allValue, chosen };
      }
    }
  },
  grafana({ place, text, options, multi, includeAll, allValue, chosen }) {
    const texts = chosen.map((value) => (value === '$__all' ? 'All' : options.find(([, known]) => known === value)[0]));
    const variable = new CustomVariable({
      name: 'x',
      options: options.map(([label, value]) => ({ label, value })),
      value: multi || includeAll ? (multi ? chosen : chosen[0]) : chosen[0],
      text: multi ? texts : texts[0],
      isMulti: multi,
      includeAll,
      ...(allValue && { allValue }),
    });
    const other = new CustomVariable({ name: 'y', value: 'why', text: 'Why' });
    const made = scene([variable, other]);
    const format = { query: interpolateQueryExpr, title: 'text', content: 'html', plain: undefined }[place];
    return sceneGraph.interpolate(made, text, undefined, format);
  },
};

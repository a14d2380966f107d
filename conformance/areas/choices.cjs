// What can be chosen for a variable, and what is chosen.
'use strict';
const { load } = require('../grafana.cjs');
const { scene } = require('../scene.cjs');
const { CustomVariable, QueryVariable } = load('@grafana/scenes');
const { setDataSourceSrv, setRunRequest } = load('@grafana/runtime');
const { lastValueFrom } = load('rxjs');

const VALUES = {
  hosts: ['web-10', 'web-9', 'db1', 'DB2', 'app', 'web-1'],
  numbers: ['10', '9', '1.5', '100', '-2', '2', '0', 'x'],
  addresses: ['10.0.0.2', '9.0.0.1', '192.168.1.1', '10.0.0.10'],
  versions: ['1.10', '1.9', '1.2'],
  mixed: ['b10a2', 'a1', 'B2', 'a10', 'a2', 'Ä', 'z', 'é', 'e'],
  series: ['up{instance="10.0.0.5:9100",name="kitchen"} 1 0', 'up{instance="10.0.0.6:9100",name="hall"} 0 0'],
  paths: ['/a/b', '/a', 'red,green', 'a=1 b=2'],
};
const PATTERNS = ['', '/.*/', '/a/', '/(.*)/', '/(.*)-(.*)/', '/^(\\w+)/', '/web-(\\d+)/', '/(a)|(b)/', '/(b)?(a)/', '/(.*)/g', '/(\\w)/g', '/\\d+/g', '/(?<text>\\w+)-(?<value>\\d+)/', '/(?<value>\\d+)/', '/name="(?<text>[^"]+)|instance="(?<value>[^"]+)/g', '/([a-z]+)=/g', 'a', 'a|x', '.*', 'web.*', '/DB/i', '/^(?!web)/', '/nothing/'];
const CURRENT = [undefined, { value: 'a', text: 'a' }, { value: 'gone', text: 'gone' }, { value: ['c', 'a'], text: ['c', 'a'] }, { value: ['a', 'gone'], text: ['a', 'gone'] }, { value: '$__all', text: 'All' }, { value: ['$__all'], text: ['All'] }, { value: [], text: [] }];
const CUSTOM = ['a,b,c', 'a, b , c', 'one : 1, two : 2', 'x\\,y,z', ' ', 'a', '1,10,2', 'a:b,c', 'k : v : w', 'a,,b'];
const query = (rest) => ({ type: 'query', ...rest });

module.exports = {
  name: 'choices of variables',
  wanted: 99,
  *cases() {
    for (const values of Object.values(VALUES)) {
      for (let sort = 0; sort <= 8; sort += 1) yield { variable: query({ sort }), values };
      for (const regex of PATTERNS) for (const sort of [0, 1, 3]) yield { variable: query({ regex, sort }), values };
    }
    for (const current of CURRENT) for (const multi of [false, true]) for (const includeAll of [false, true]) yield { variable: query({ ...(current && { current }), multi, includeAll }), values: ['a', 'b', 'c'] };
    for (const text of CUSTOM) for (const multi of [false, true]) for (const includeAll of [false, true]) yield { variable: { type: 'custom', query: text, multi, includeAll }, values: [] };
  },
  async grafana({ variable, values }) {
    setDataSourceSrv({ get: async () => source(values), getInstanceSettings: () => ({ uid: 'p', type: 'prometheus' }) });
    const { type, current, multi = false, includeAll = false } = variable;
    // As Grafana's application makes variables of what a dashboard says.
    const state = { name: 'x', defaultToAll: includeAll, value: current?.value ?? '', text: current?.text ?? '', isMulti: multi, includeAll };
    const made =
      type === 'custom'
        ? new CustomVariable({ ...state, query: variable.query })
        : new QueryVariable({ ...state, query: 'label_values(up, x)', datasource: { uid: 'p', type: 'prometheus' }, regex: variable.regex ?? '', sort: variable.sort ?? 0 });
    scene([made]);
    await lastValueFrom(made.validateAndUpdate(), { defaultValue: undefined });
    const options = made.state.options.map(({ label, value }) => `${label}=${value}`);
    return `${options.join(' ')} ⇒ ${[].concat(made.state.value).join(' ')}`;
  },
};

/** A data source whose answer to a question of a variable is `values`. */
const source = (values) => ({ uid: 'p', type: 'prometheus', metricFindQuery: async () => values.map((text) => ({ text })), getRef: () => ({ uid: 'p' }) });
setRunRequest(() => {
  throw new Error('no question of a variable is asked in this way');
});

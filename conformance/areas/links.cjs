// Data links: where the cells of tables lead to.
'use strict';
const { data, theme } = require('../grafana.cjs');
const { SETS, frame } = require('../frames.cjs');
const { interpolate } = require('../scene.cjs');

const URLS = [
  '/d/x', '/d/x?${__url_time_range}&${__all_variables}', '/d/x?var-many=$many', '/d/x?${many:queryparam}', '/d/x/${many:csv}', '/d/x?from=${__from}&to=${__to}&z=${__timezone}',
  'https://example.org/${__value.raw}', 'https://example.org/?q=${__value}', 'https://example.org/?q=${__value.text}', 'https://example.org/?q=${__value.numeric}', 'https://example.org/?q=${__value.text:percentencode}',
  'https://example.org/${__value.time}', 'https://example.org/?s=${__series.name}&f=${__field.name}', 'https://example.org/?l=${__field.labels.device}', 'https://example.org/?l=${__field.labels}',
  'https://example.org/${__data.fields[0]}', 'https://example.org/${__data.fields.device}/${__data.fields.k.text}', 'https://example.org/?v=${__data.fields["Value #A"].numeric}', 'https://example.org/${__data.refId}?n=${__data.name}', 'https://example.org/?v=${__data.fields.none}',
  'http://h/$unknown/${unknown.part}', 'https://example.org/a\nb', 'mailto:a@example.org', 'javascript:alert(1)', 'data:text/html,x', '',
];
const TITLES = ['', 'Go', 'See ${__value.text}', '${__field.name} of ${__data.fields[1]}', '$many'];
const UNITS = [{}, { unit: 'bytes' }, { unit: 'percent', decimals: 1 }];

/** With its letters in place of `%20` and the like: what is decoded here before and what is not depends on the whole address. */
const decoded = (address) => address.replace(/(%[0-9A-Fa-f]{2})+/g, (codes) => Buffer.from(codes.replaceAll('%', ''), 'hex').toString());

module.exports = {
  name: 'data links',
  wanted: 98,
  *cases(random) {
    for (const frames of Object.values(SETS)) {
      for (const [at, one] of frames.entries()) {
        for (const [column, field] of one.fields.entries()) {
          for (const url of URLS) yield { frames, at, column, row: random.below(field.values.length), defaults: random.one(UNITS), link: { title: random.one(TITLES), url, targetBlank: random.one([true, false]) } };
        }
      }
    }
  },
  grafana({ frames, at, column, row, defaults, link }) {
    const fieldConfig = { defaults: { ...defaults, links: [link] }, overrides: [] };
    const replaceVariables = (text, vars, format) => interpolate(text, { many: ['a', 'b c'] }, vars, format);
    const prepared = data.applyFieldOverrides({ data: frames.map(frame), fieldConfig, theme, timeZone: 'utc', replaceVariables });
    const links = prepared[at].fields[column].getLinks({ valueRowIndex: row });
    // What leads nowhere is drawn as no link here.
    const leads = links.filter(({ href }) => href && href !== 'about:blank');
    return leads.map(({ title, href, target }) => `${title} → ${decoded(href)}${target ? ' apart' : ''}`).join(' ‖ ');
  },
};

// Grafana's packages in Node: they expect a browser, of which they use little until something is drawn.
'use strict';
const { createRequire } = require('node:module');
const path = require('node:path');

const modules = path.resolve(__dirname, '../target/conformance/node_modules');
const load = createRequire(path.join(modules, '../package.json'));
/** A module that a package does not export. */
const inside = (file) => load(path.join(modules, file));

const { JSDOM } = load('jsdom');
const { window } = new JSDOM('<!doctype html>', { url: 'http://localhost/', pretendToBeVisual: true });
class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}
const absent = { matchMedia: () => ({ matches: false, addListener() {}, removeListener() {}, addEventListener() {}, removeEventListener() {} }), IntersectionObserver: Observer, ResizeObserver: Observer };
Object.assign(window, absent);
for (const name of Object.getOwnPropertyNames(window)) {
  // Node's own events are no jsdom's.
  if (!(name in globalThis) || ['Event', 'CustomEvent', 'EventTarget', 'navigator'].includes(name)) {
    Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
  }
}
globalThis.window = window;
load.extensions['.css'] = () => {};
// They warn of each unknown matcher, format and the like: here those are cases.
for (const level of ['log', 'warn', 'error']) console[level] = () => {};

const data = load('@grafana/data');
const { standardTransformers } = data;
data.standardTransformersRegistry.setInit(() =>
  [...new Set(Object.values(standardTransformers))].map((transformer) => ({
    id: transformer.id,
    aliasIds: transformer.aliasIds,
    name: transformer.name,
    transformation: () => Promise.resolve(transformer),
  })),
);
const theme = data.createTheme({ colors: { mode: 'dark' } });

// What an override may change. Grafana's application registers these, with the processors of its package.
const property = (id, process, isForNumbersOnly = false) => ({
  settings: { expandTemplateVars: id === 'displayName' },
  id,
  path: id,
  name: id,
  process,
  shouldApply: (field) => !isForNumbersOnly || field.type === data.FieldType.number,
});
data.standardFieldConfigEditorRegistry.setInit(() => [
  property('displayName', data.displayNameOverrideProcessor),
  property('unit', data.unitOverrideProcessor),
  property('min', data.numberOverrideProcessor, true),
  property('max', data.numberOverrideProcessor, true),
  property('decimals', data.numberOverrideProcessor, true),
  property('fieldMinMax', data.booleanOverrideProcessor, true),
  property('noValue', data.displayNameOverrideProcessor),
  property('color', data.identityOverrideProcessor),
  property('thresholds', data.thresholdsOverrideProcessor),
  property('mappings', data.valueMappingsOverrideProcessor),
  property('links', data.dataLinksOverrideProcessor),
]);

module.exports = { data, theme, load, inside };

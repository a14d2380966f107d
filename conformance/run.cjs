// Holds edgewatch's dashboards against Grafana's own packages:
//   run.cjs ANSWERS [--seed N] [--write DIRECTORY] [--differences N] [AREA…]
// ANSWERS is the program that answers cases as edgewatch does; each line of its input is a case as JSON, each of its output an
// answer. --write renews the fixtures that `cargo test` reads, --differences shows that many of each area.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const print = (text) => process.stdout.write(`${text}\n`);

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, write: { type: 'string' }, differences: { type: 'string', default: '0' } },
});
const [program, ...wanted] = positionals;
const AREAS = ['units', 'calculations', 'legends', 'values', 'transformations', 'panels', 'names', 'templates', 'times', 'choices', 'links'];
const random = require('./random.cjs');
/** Bytes of the fixtures of an area. */
const MOST = 250_000;

async function answers(area, cases) {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = new Promise((resolve, reject) => child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`)))));
  for (const one of cases) if (!child.stdin.write(`${JSON.stringify([area, one])}\n`)) await new Promise((go) => child.stdin.once('drain', go));
  child.stdin.end();
  await ended;
  return output.trimEnd().split('\n').map((line) => JSON.parse(line));
}

async function grafana(area, one) {
  try {
    return await area.grafana(one);
  } catch (error) {
    return `error: ${error.message}`;
  }
}

/** Differences that are meant, by area and case. */
function deliberate() {
  const file = path.resolve(__dirname, '../crates/grafana-model/tests/conformance/deliberate.tsv');
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  return new Map(lines.filter((line) => line && !line.startsWith('#')).map((line) => line.split('\t')).map(([area, one, ours]) => [`${area}\t${one}`, ours]));
}

/** As many cases as fit into the fixtures of an area, evenly chosen. */
function chosen(lines) {
  const bytes = lines.reduce((sum, { line }) => sum + Buffer.byteLength(line) + 1, 0);
  const share = Math.min(1, MOST / bytes);
  return lines.filter((_, index) => Math.floor((index + 1) * share) > Math.floor(index * share));
}

async function main() {
  const known = deliberate();
  let failed = false;
  print('| area | cases tried | equal | meant otherwise | wanted |\n| --- | --- | --- | --- | --- |');
  for (const file of wanted.length > 0 ? wanted : AREAS) {
    const area = require(`./areas/${file}.cjs`);
    const unique = new Map([...area.cases(random(Number(flags.seed)))].map((one) => [JSON.stringify(one), one]));
    const cases = [...unique.values()];
    const theirs = [];
    for (const one of cases) theirs.push(await grafana(area, one));
    const ours = await answers(file, cases);
    const differ = cases.map((one, index) => ({ one, theirs: theirs[index], ours: ours[index] })).filter(({ theirs, ours }) => theirs !== ours);
    const meant = differ.filter(({ one, ours }) => known.get(`${file}\t${JSON.stringify(one)}`) === JSON.stringify(ours)).length;
    const percent = (100 * (cases.length - differ.length + meant)) / cases.length;
    failed ||= percent < area.wanted;
    print(`| ${area.name} | ${cases.length.toLocaleString('en')} | ${(Math.floor(percent * 100) / 100).toFixed(2)} % | ${meant} | ${area.wanted} % |`);
    for (const { one, theirs, ours } of differ.slice(0, Number(flags.differences))) print(`  ${JSON.stringify(one)}\n    Grafana:   ${JSON.stringify(theirs)}\n    edgewatch: ${JSON.stringify(ours)}`);
    if (flags.write) {
      // What differs without being meant is work to do, and no test.
      const line = (one, index) => `${JSON.stringify(one)}\t${JSON.stringify(theirs[index])}`;
      const isMeant = (one) => known.has(`${file}\t${JSON.stringify(one)}`);
      const all = cases.map((one, index) => ({ line: line(one, index), isEqual: theirs[index] === ours[index], isMeant: isMeant(one) }));
      const lines = [...all.filter(({ isMeant }) => isMeant), ...chosen(all.filter(({ isEqual, isMeant }) => isEqual && !isMeant))];
      fs.writeFileSync(path.join(flags.write, `${file}.tsv`), `# case, and what Grafana answers: written by make conformance ARGS="--write"\n${lines.map(({ line }) => `${line}\n`).join('')}`);
    }
  }
  return failed ? 1 : 0;
}

// What Grafana keeps running in the background must not keep the process.
main().then((code) => process.exit(code), (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(2);
});

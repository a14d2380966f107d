// Times of ranges, and intervals.
'use strict';
const { data, load } = require('../grafana.cjs');
const { SceneTimeRange } = load('@grafana/scenes');

// Where that of the browser decides in Grafana.
data.setWeekStart('monday');
const NOWS = ['2026-05-13T12:35:50.500Z', '2026-01-01T00:00:00.000Z', '2024-02-29T23:59:59.999Z', '2026-03-29T00:30:00.000Z', '2026-10-25T00:30:00.000Z', '2026-03-08T07:30:00.000Z', '2026-12-31T22:10:00.000Z'];
const ZONES = ['utc', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Asia/Beirut', 'Australia/Lord_Howe', 'America/Santiago'];
const UNITS = ['s', 'm', 'h', 'd', 'w', 'M', 'Q', 'y'];
const ODD = ['now', 'now ', ' now', 'now - 1h', 'now -1h', 'now- 1h', 'now-1', 'now-1x', 'now/x', 'now/2d', 'now-', 'nowish', 'now/1d', 'now-1d/d-1h', 'now/fy', 'now/fQ', 'now-1y/fy', 'now-100000h', 'now+1M/M', 'now/d+8h', 'now-d', 'now-1.5h'];
// Ranges that panels have of their own.
const LENGTHS = ['', '24h', '1d', '1d/d', 'now/d', 'now-2d/d', 'now/w', 'now/M', 'now/y', 'now/fQ', '30m', '2h', '3M', '1y', '+1h', 'x', 'now/h'];
const SHIFTS = ['', '1d', '1d/d', '1h', '1w', '1M', 'x'];
const DATES = ['2026-05-13', '2026-05-13 12:35:50', '2026-05-13T12:35:50Z', '2026-05-13T12:35:50+02:00', '2026-05-13T12:35', '2026-05-13 12:35', '2026-05-13T12:35:50.500Z', '20260513', '20260513T123550'];
// What else a link may name, beside dates.
const LINKED = ['2026-05-13T12:35:50', '2026-05-13 12:35:50.500', '1778675750500', '1778675750500.5', '0', '-1', '99999999', '12345678', '2026-13-01', '15 May 2026', '1e12', 'now-1h', 'now/d'];

module.exports = {
  name: 'time ranges',
  wanted: 99.9,
  *cases() {
    for (const now of NOWS) {
      for (const zone of ZONES) {
        for (const end of ['from', 'to']) {
          for (const unit of UNITS) {
            for (const text of [`now-1${unit}`, `now-6${unit}`, `now/${unit}`, `now-1${unit}/${unit}`, `now+2${unit}`, `now/${unit}-1${unit}`, `now/d-1${unit}`]) yield { kind: 'time', text, end, now, zone };
          }
          for (const text of ODD) yield { kind: 'time', text, end, now, zone };
        }
      }
    }
    for (const zone of ZONES) for (const text of DATES) yield { kind: 'time', text, end: 'from', now: NOWS[0], zone };
    for (const zone of ['utc', 'Asia/Kolkata']) for (const text of [...DATES, ...LINKED]) yield { kind: 'link', text, now: NOWS[0], zone };
    for (const now of [NOWS[0], NOWS[2], NOWS[3]]) {
      for (const zone of ['utc', 'Europe/Berlin', 'America/New_York']) {
        for (const length of LENGTHS) {
          for (const shift of SHIFTS) {
            yield { kind: 'panel', length, shift, from: 'now-1h', to: 'now', now, zone };
            // Days of an absolute range are the browser's in Grafana, whatever the zone of the page.
            if (zone === 'utc' || !shift.includes('/')) yield { kind: 'panel', length, shift, from: '2026-01-05T10:00:00.000Z', to: '2026-01-05T12:00:00.000Z', now, zone };
          }
        }
      }
    }
    const hours = [0.01, 0.25, 1, 3, 6, 12, 24, 72, 168, 720, 2160, 8760];
    for (const length of hours) for (const points of [50, 100, 300, 500, 720, 1000]) for (const least of [1000, 15_000, 60_000]) yield { kind: 'interval', length: length * 3_600_000, points, least };
    for (const text of ['15s', '1m', '90s', '2h', '1d', '250ms', '1w', '1M', '1y', '10', '1.5h', 'x', '']) yield { kind: 'length', text };
  },
  grafana(one) {
    if (one.kind === 'interval') {
      const range = { from: data.dateTime(0), to: data.dateTime(one.length), raw: { from: '', to: '' } };
      return String(data.rangeUtil.calculateInterval(range, one.points, `${one.least}ms`).intervalMs);
    }
    if (one.kind === 'length') {
      try {
        return String(data.rangeUtil.intervalToMs(one.text));
      } catch {
        return 'none';
      }
    }
    if (one.kind === 'panel') return at(one.now, () => own(one));
    if (one.kind === 'link') return at(one.now, () => linked(one));
    const { text, end, now, zone } = one;
    return at(now, () => {
      // As a range that a person types is understood.
      const parsed = data.dateMath.toDateTime(text.includes('now') ? text : data.dateTimeParse(text, { timeZone: zone }), { roundUp: end === 'to', timezone: zone });
      return parsed?.isValid() ? parsed.toISOString() : 'none';
    });
  },
};

/** What `work` brings at another time. */
function at(now, work) {
  const real = Date.now;
  Date.now = () => Date.parse(now);
  try {
    return work();
  } finally {
    Date.now = real;
  }
}

/** Where a link begins a range that ends in far future. */
function linked({ text, zone }) {
  const range = new SceneTimeRange({ from: 'now-6h', to: 'now', timeZone: zone });
  range.urlSync.updateFromUrl({ from: text, to: '4102444800000' });
  return range.state.value.from.toISOString();
}

/** The range of a panel with one of its own, and what its head says: Grafana's application puts it together from these functions. */
function own({ length, shift, from, to, zone }) {
  const { dateMath, rangeUtil } = data;
  const end = (text, roundUp) => dateMath.toDateTime(text.includes('now') ? text : data.dateTimeParse(text, { timeZone: zone }), { roundUp, timezone: zone });
  const ends = (texts) => [end(texts.from, false), end(texts.to, true)];
  let range = ends({ from, to });
  const said = [];
  if (length) {
    const text = rangeUtil.describeTextRange(length);
    if (text.invalid) return shown(range, ['invalid time override']);
    if (rangeUtil.isRelativeTimeRange({ from, to })) {
      range = ends(text);
      said.push(text.display);
    }
  }
  if (shift) {
    const moved = [dateMath.parseDateMath(`-${shift}`, range[0], false), dateMath.parseDateMath(`-${shift}`, range[1], true)];
    if (rangeUtil.describeTextRange(shift).invalid || moved.includes(undefined)) return shown(range, [...said, 'invalid timeshift']);
    range = moved;
    said.push(`timeshift -${shift}`);
  }
  return shown(range, said);
}
const shown = (range, said) => [...range.map((end) => (end?.isValid() ? end.toISOString() : 'none')), ...said].join(' ');

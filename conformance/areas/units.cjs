// Numbers with units.
'use strict';
const { data } = require('../grafana.cjs');
const { number, written } = require('../frames.cjs');

const UNITS = data.getValueFormats().flatMap((group) => group.submenu.map(({ value }) => value));
const MADE = ['', 'suffix:widgets', 'prefix:~', 'si:mV', 'si:B', 'count:items', 'currency:X', 'currency:financial:€:suffix', 'bool:on/off', 'time:YYYY-MM-DD HH:mm:ss', 'widgets'];
const DATES = ['utc', 'Europe/Berlin', 'America/New_York'];
const isDate = (unit) => /^(dateTime|time:)/.test(unit);

function values(random) {
  const round = [0, 1, -1, 0.5, 2.5, 9.995, 42, 59.999, 60, 99.95, 100, 999.5, 1000, 1023, 1024, 3600, 86400, 1e6, 1e9, 1e12, 1e15, 1e18, 1e21, 1e-3, 1e-6, 1e-7, 1e-9];
  const some = random.times(40, () => (random.next() - 0.3) * 10 ** (random.below(24) - 9));
  return [...round, ...round.map((value) => -value), ...some];
}

module.exports = {
  name: 'units',
  wanted: 100,
  *cases(random) {
    for (const unit of [...UNITS, ...MADE]) {
      // It says how long ago something was: another text at any time.
      if (unit === 'dateTimeFromNow') continue;
      for (const decimals of [null, 0, 1, 3]) {
        for (const value of values(random)) {
          const zones = isDate(unit) ? DATES : ['utc'];
          for (const zone of zones) yield { unit, decimals, zone, value: written(isDate(unit) ? Math.round(Math.min(Math.abs(value), 4e12)) : value) };
        }
      }
    }
  },
  grafana({ unit, decimals, zone, value }) {
    return data.formattedValueToString(data.getValueFormat(unit)(number(value), decimals, null, zone));
  },
};

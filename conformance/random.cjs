// Numbers that look random and are the same for the same seed (the generator mulberry32).
'use strict';

module.exports = function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(next() * limit);
  const one = (list) => list[below(list.length)];
  /** Up to `most` of the list, in its order. */
  const some = (list, most) => list.filter(() => next() < most / list.length);
  const times = (count, make) => Array.from({ length: count }, make);
  return { next, below, one, some, times };
};

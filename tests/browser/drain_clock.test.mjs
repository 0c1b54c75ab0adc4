// The time that a drain leaves, without a page.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {DrainClock, kGraceMs, kLastWordsMs} from '../../gateway/web/drain.js';

// A clock that is set by hand; `told` is what was said at which time.
function manual() {
  let now = 0;
  let pending;
  const told = [];
  const clock = new DrainClock({
    on: {tick: (seconds) => told.push([now, seconds]), lastWords: () => told.push([now, 'last words']), calledOff: () => told.push([now, 'called off'])},
    clock: {
      now: () => now,
      after: (ms, act) => (pending = {at: now + ms, act}),
      forget: (timer) => {
        pending = timer === pending ? undefined : pending;
      },
    },
  });
  const runTo = (ms) => {
    while (pending && pending.at <= ms) {
      const {at, act} = pending;
      pending = undefined;
      now = at;
      act();
    }
    now = ms;
  };
  return {clock, told, runTo, isIdle: () => pending === undefined};
}

test('it counts whole seconds, closes the microphone in time, and stays for the grace', () => {
  const {clock, told, runTo, isIdle} = manual();
  clock.announce(2500);
  runTo(60000);
  const end = 2500;
  assert.deepEqual(told.slice(0, 5), [[0, 3], [500, 2], [end - kLastWordsMs, 1], [end - kLastWordsMs, 'last words'], [end, 0]]);
  assert.deepEqual(told.at(-1), [end + kGraceMs, 'called off']);
  assert.ok(told.slice(5, -1).every(([, what]) => what === 0) && isIdle());
});

test('what is over at once closes the microphone at once', () => {
  for (const ms of [0, 400, undefined, -5]) {
    const {clock, told} = manual();
    clock.announce(ms);
    assert.deepEqual(told.map(([, what]) => what), [ms > 0 ? 1 : 0, 'last words'], String(ms));
  }
});

test('a later announcement takes the place of the first, and stopping is silent', () => {
  const {clock, told, runTo, isIdle} = manual();
  clock.announce(10000);
  runTo(1000);
  clock.announce(3000);
  assert.deepEqual(told, [[0, 10], [1000, 9], [1000, 3]]);
  clock.stop();
  runTo(20000);
  assert.ok(told.length === 3 && isIdle());
});

// Waiting with a deadline. Every wait says what it waited for and what it saw instead.
import {setTimeout as pause} from 'node:timers/promises';

// The bounds are chosen for a machine that does nothing else. Waiting is no measuring, and a longer bound costs nothing
// as long as all is well, so a busy machine gets its time.
const kSlack = 3;

// The promise's value, or an error once `ms` have passed kSlack times.
export async function within(promise, bound, what, got = () => '') {
  const ms = bound * kSlack;
  const timer = new AbortController();
  const late = pause(ms, undefined, {signal: timer.signal}).then(
      () => {
        const seen = String(got());
        throw new Error(`waited ${Math.round(ms)} ms for ${what}${seen && `; got: ${seen}`}`);
      },
      () => new Promise(() => {}));  // Called off: the other one has won.
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

// Polls until `find` returns something; polling is for what cannot notify us (output, /proc, HTTP).
export async function waitUntil(find, {ms: bound, what, got = () => '', every = 10}) {
  const ms = bound * kSlack;
  const end = performance.now() + ms;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false && found !== null) {
      return found;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${Math.round(ms)} ms for ${what}; got: ${got()}`);
    }
    await pause(every);
  }
}

export {pause};

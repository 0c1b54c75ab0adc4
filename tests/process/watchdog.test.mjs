// A process that is stuck and is told to go: it is gone at the end of its budget, whatever holds it, and at once by a
// second signal. Times are taken outside of it, from kill() to its end.
import {strict as assert} from 'node:assert';
import path from 'node:path';
import test, {describe} from 'node:test';

import {binDir, ManagedProcess, patience, sanitized, waitUntil} from './harness.mjs';
import {logged} from './harness/log.mjs';
import {noPidOne, PidOne} from './harness/pid_one.mjs';
import {StuckCalls} from './harness/stuck_calls.mjs';
import {UnreadPipe} from './harness/unread_pipe.mjs';

const kBudget = 3000;
const kShortBudget = 1000;  // Where it is not the time that matters.
const kAtOnceMs = 1000;
const kSideBySide = {concurrency: 20};
const kSignals = ['SIGTERM', 'SIGINT'];
const kWedges = {
  main: 'its main thread is stuck',
  shard: 'a handler of its shard does not return',
  store: 'the thread of its store is stuck',
  allocator: 'the lock of the allocator is held',
};
const skipped = (wedge) => wedge === 'allocator' && sanitized && 'a sanitizer brings an allocator of its own';

const kProgram = path.join(binDir, 'wedged-process');
const argsOf = (wedge, budget) => [wedge, String(budget)];
// One allocator for all threads, and nothing of their own to take from.
const kSharedAllocator = {GLIBC_TUNABLES: 'glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0'};

// The program, stuck as it was told to.
async function probe(wedge, {budget = kBudget, env = {}} = {}) {
  const started = new ManagedProcess(wedge, kProgram, argsOf(wedge, budget), {env: {...kSharedAllocator, ...env}});
  await wedged(started);
  return started;
}

// The wait is for a word on standard output.
async function wedged(started) {
  await waitUntil(() => /^(not )?wedged$/m.test(started.text('out')), {ms: 10000 * patience, what: `${started.name} to be stuck`, got: () => started.text()});
}

async function probeWithFullPipe(wedge, budget, body) {
  const pipe = new UnreadPipe();
  const started = new ManagedProcess(wedge, kProgram, argsOf(wedge, budget), {stdio: ['ignore', pipe.writer, pipe.writer], env: kSharedAllocator});
  try {
    await pipe.says(/^(not )?wedged$/m);
    pipe.fill();
    await body(started);
    assert.doesNotMatch(pipe.read(), /watchdog\.exit|signal\.|shutdown\.end/, 'there was no room for it');
  } finally {
    started.kill('SIGKILL');
    pipe.close();
  }
}

async function checkForced(process, signal) {
  const {code, ms} = await process.stop(signal, kBudget + 2000);
  assert.equal(code, 3, process.tail());
  assert.ok(ms <= kBudget * patience, `${ms} ms`);
}

async function checkAtOnce(process, signal, expected) {
  const {code, ms} = await process.stop(signal, kBudget + 2000);
  assert.equal(code, expected, process.tail());
  assert.ok(ms <= kAtOnceMs * patience, `${ms} ms`);
}

// The line with which it leaves.
function checkLastLine(process, events, fields) {
  const last = JSON.parse(process.lines.at(-1).text);
  assert.ok(events.includes(last.event), process.tail());
  assert.deepEqual({...last, ...fields}, last);
  return last;
}

const kOfTheWatchdog = {level: 'error', process: 'probe', sessions: 1, session_ids: ['sess_probe']};
const byWatchdog = (process) => checkLastLine(process, ['watchdog.exit'], kOfTheWatchdog);
// The main thread comes to the drain's end by itself, with little time to spare before the watchdog.
const byEither = (process) => checkLastLine(process, ['shutdown.end', 'watchdog.exit'], {process: 'probe'});
const kLastWords = {
  main: (process) => assert.deepEqual(byWatchdog(process).task_kinds, {'read probe': 1}),
  allocator: byWatchdog,
  shard: byEither,
  store: (process) => {
    const {library_call_kinds: kinds} = byEither(process);
    assert.deepEqual(kinds ?? Object.fromEntries(logged(process, 'thread.left').map(({name, count}) => [name, count])), {store: 1});
  },
};

describe('at the end of its budget a process is gone, by force', kSideBySide, () => {
  for (const [wedge, what] of Object.entries(kWedges)) {
    for (const signal of kSignals) {
      test(`${signal} while ${what}`, {skip: skipped(wedge)}, async () => {
        const process = await probe(wedge);
        await checkForced(process, signal);
        kLastWords[wedge](process);
      });
    }
    test(`SIGTERM while ${what} and nobody reads its full log`, {skip: skipped(wedge)}, () => probeWithFullPipe(wedge, kShortBudget, async (process) => {
      await checkForced(process, 'SIGTERM');
    }));
  }

  test('SIGTERM while its main thread is stuck, and a write to the log does not return', async () => {
    const stuck = new StuckCalls();
    try {
      const process = await probe('main', {budget: kShortBudget, env: stuck.env});
      stuck.hold('write');
      await checkForced(process, 'SIGTERM');
      await stuck.waiting('write');
      assert.equal(process.text('err'), '');
    } finally {
      stuck.stop();
    }
  });

  for (const signal of kSignals) {
    test(`${signal} while its main thread is stuck, as process 1`, {skip: noPidOne}, async () => {
      const process = await PidOne.start('main', kProgram, argsOf('main', kShortBudget));
      await wedged(process);
      await checkForced(process, signal);
      checkLastLine(process, ['watchdog.exit'], {...kOfTheWatchdog, pid: 1});
    });
  }
});

describe('a second signal ends it at once', kSideBySide, () => {
  const kSecond = {level: 'warning', sessions: 1, session_ids: ['sess_probe']};
  for (const [wedge, what] of Object.entries(kWedges)) {
    for (const [first, second] of [['SIGTERM', 'SIGTERM'], ['SIGINT', 'SIGINT'], ['SIGINT', 'SIGTERM']]) {
      test(`${first}, ${second} while ${what}`, {skip: skipped(wedge)}, async () => {
        const process = await probe(wedge);
        await process.tell(first);
        await checkAtOnce(process, second, 4);
        checkLastLine(process, ['signal.second'], kSecond);
      });
    }
    test(`SIGTERM, SIGTERM while ${what} and nobody reads its full log`, {skip: skipped(wedge)}, () => probeWithFullPipe(wedge, kBudget, async (process) => {
      await process.tell('SIGTERM');
      await checkAtOnce(process, 'SIGTERM', 4);
    }));
  }

  test('SIGTERM, SIGTERM while its main thread is stuck, as process 1', {skip: noPidOne}, async () => {
    const process = await PidOne.start('main', kProgram, argsOf('main', kBudget));
    await wedged(process);
    await process.tell('SIGTERM');
    await checkAtOnce(process, 'SIGTERM', 4);
    checkLastLine(process, ['signal.second'], {...kSecond, pid: 1});
  });
});

describe('a process that is not stuck, or has not begun, ends at once and in good order', kSideBySide, () => {
  for (const signal of kSignals) {
    test(`${signal} when nothing is stuck`, async () => {
      const process = await probe('none');
      await checkAtOnce(process, signal, 0);
      checkLastLine(process, ['shutdown.end'], {exit_code: 0});
    });
    test(`${signal} while it starts`, async () => {
      const process = await probe('start');
      await checkAtOnce(process, signal, 0);
      checkLastLine(process, ['signal.during_start'], {level: 'info'});
    });
    test(`${signal} while it starts, as process 1`, {skip: noPidOne}, async () => {
      const process = await PidOne.start('start', kProgram, argsOf('start', kBudget));
      await wedged(process);
      await checkAtOnce(process, signal, 0);
    });
  }
  for (const [wedge, what] of [['none', 'when nothing is stuck'], ['start', 'while it starts']]) {
    test(`SIGTERM ${what}, and nobody reads its full log`, () => probeWithFullPipe(wedge, kBudget, async (process) => {
      await checkAtOnce(process, 'SIGTERM', 0);
    }));
  }
});

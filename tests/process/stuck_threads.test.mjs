// A process that is told to go while one of its threads is in a library that does not come back. The thread is left,
// and the process is gone in time.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {patience, withFleet} from './harness.mjs';
import {logged} from './harness/faults.mjs';
import {StuckCalls} from './harness/stuck_calls.mjs';

const kBudget = 3000;
const kName = 'localhost';

// Workers reach their upstream by name, and what they call can be held.
async function withStuckCalls(options, body) {
  const stuck = new StuckCalls();
  try {
    await withFleet({workers: 1, upstreamHost: kName, workerEnv: stuck.env, ...options}, (fleet) => body(fleet, stuck));
  } finally {
    stuck.stop();
  }
}

async function endedBySignal(process, signal) {
  const exit = await process.stop(signal, kBudget + 2000);
  assert.ok(exit.ms <= kBudget * patience, `${process.name} took ${Math.round(exit.ms)} ms`);
  return exit;
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} while a DNS does not answer: all are gone within the budget, and nothing is forced`, () => withStuckCalls({}, async (fleet, stuck) => {
    const served = await fleet.connect();
    stuck.hold(kName);
    const waiting = fleet.dial();
    await waiting.opened();
    await stuck.waiting(kName);
    for (const exit of await Promise.all([fleet.gateway, ...fleet.workers].map((process) => endedBySignal(process, signal)))) {
      assert.equal(exit.code, 0, JSON.stringify(exit));
    }
    for (const client of [served, waiting]) {
      assert.equal((await client.waitForClose()).code, 1001);
    }
    assert.ok(logged(fleet.workers[0], 'session.ended').every(({tasks_left}) => tasks_left === 0));
  }));
}

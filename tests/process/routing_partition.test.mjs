// Workers that are cut off in one direction: what is sent to them is lost, or what they send. Each lives in a network
// namespace with an upstream of its own, and nobody is told of anything.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkEnd, full, patience, withFleet} from './harness.mjs';
import {checkHolds, holderOf} from './harness/attachments.mjs';
import {isAnswered, LoneWorker} from './harness/lone_worker.mjs';
import {Namespace} from './harness/namespace.mjs';

const kSilenceMax = 2000;     // kWorkerSilenceMax
const kStatusInterval = 500;  // Of the worker; one may still be on its way.
const kMargin = 1500;
const kHandshakeMax = 10000;  // limits::kHandshakeMax
const kLostMax = 20000;       // 10 s of silence, and a ping that is not answered for 10 s.

// A worker in a namespace of its own.
async function startDistant() {
  const namespace = await Namespace.create();
  const lone = await LoneWorker.start(`${namespace.there.address}:0`, (program, args) => namespace.command(program, args));
  return {namespace, ...lone, stop: () => lone.stop().then(() => namespace.remove())};
}

// `body(fleet, distant, kept)`: beside the fleet's own worker there are one to which nothing can be sent and one of which
// nothing is heard, and each has a session: those of the distant ones first.
async function withDistantWorkers(t, body) {
  const refusal = await Namespace.refusal();
  if (refusal !== undefined) {
    t.skip(refusal);
    return;
  }
  const distant = await Promise.all([startDistant(), startDistant()]);
  try {
    await withFleet({workers: 1, otherWorkers: distant.map(({address}) => address)}, async (fleet) => {
      const workers = [...distant.map(({worker}) => worker), ...fleet.workers];
      const kept = [];
      while (kept.filter(Boolean).length < workers.length) {
        const client = await fleet.connect();
        kept[workers.indexOf(await holderOf(workers, client))] = client;
      }
      await Promise.all([distant[0].namespace.cutTo(), distant[1].namespace.cutFrom()]);
      await body(fleet, distant, kept);
    });
  } finally {
    await Promise.all(distant.map((each) => each.stop()));
  }
}

test('workers that are cut off in one direction get no session within 2 s of silence; what they have lives on when they are back', (t) => withDistantWorkers(t, async (fleet, distant, kept) => {
  const cutAt = performance.now();
  // Some of them are sent to workers that are cut off.
  const early = Array.from({length: 6}, () => fleet.connect({ms: kHandshakeMax}));
  const limit = kSilenceMax + kStatusInterval + kMargin;
  await fleet.servingWorkers(1, limit);
  assert.ok(performance.now() - cutAt <= limit * patience, `suspect after ${Math.round(performance.now() - cutAt)} ms`);
  await checkHolds(fleet.workers[0], [await fleet.connect(), ...await Promise.all(early)]);
  assert.deepEqual(kept.filter(({closed}) => closed), [], 'a suspect keeps its sessions');
  await Promise.all(distant.map(({namespace}) => namespace.heal()));
  await fleet.servingWorkers(3, 2 * kHandshakeMax);
  assert.deepEqual(await Promise.all(kept.map(isAnswered)), [true, true, true]);
}));

if (full) {
  test('a session of a worker that stays cut off ends once its call is given up', (t) => withDistantWorkers(t, async (fleet, distant, kept) => {
    await Promise.all(kept.slice(0, 2).map((client) => checkEnd(client, {reason: 'worker_lost', code: 1011, ms: kLostMax + 5000})));
    assert.ok(await isAnswered(await fleet.connect()));
  }));
}

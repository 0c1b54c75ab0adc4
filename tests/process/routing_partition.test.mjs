// Workers that are cut off in one direction: what is sent to them is lost, or what they send. Each lives in a network
// namespace with an upstream of its own, and nobody is told of anything.
import {strict as assert} from 'node:assert';
import path from 'node:path';
import test from 'node:test';

import {binDir, checkEnd, full, ManagedProcess, patience, root, withFleet} from './harness.mjs';
import {checkHolds, holderOf} from './harness/attachments.mjs';
import {Namespace} from './harness/namespace.mjs';

const kSilenceMax = 2000;     // kWorkerSilenceMax
const kStatusInterval = 500;  // Of the worker; one may still be on its way.
const kMargin = 1500;
const kHandshakeMax = 10000;  // limits::kHandshakeMax
const kLostMax = 20000;       // 10 s of silence, and a ping that is not answered for 10 s.

// A worker in a namespace.
class DistantWorker {
  static async start() {
    const distant = new DistantWorker();
    distant.namespace = await Namespace.create();
    distant.processes = [];
    const simulator = distant.#run('realtime-simulator', ['--listen=127.0.0.1:0']);
    const upstream = await simulator.listening('simulator');
    distant.worker = distant.#run('voicebridge-worker', [
      `--listen=${distant.namespace.there.address}:0`, '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0', '--insecure_no_auth',
      `--upstream_url=ws://${upstream}/v1/realtime`, `--responses_url=http://${upstream}/v1/responses`, `--profiles=${path.join(root, 'bridge_worker/profiles')}`,
    ]);
    distant.address = await distant.worker.listening('grpc');
    return distant;
  }

  async stop() {
    await Promise.all(this.processes.map((each) => each.stop('SIGKILL')));
    await this.namespace.remove();
  }

  #run(name, args) {
    const started = new ManagedProcess(`distant ${name}`, ...this.namespace.command(path.join(binDir, name), args), {env: {OPENAI_API_KEY: 'test-key'}});
    this.processes.push(started);
    return started;
  }
}

// `body(fleet, distant, kept)`: beside the fleet's own worker there are one to which nothing can be sent and one of which
// nothing is heard, and each has a session: those of the distant ones first.
async function withDistantWorkers(t, body) {
  const refusal = await Namespace.refusal();
  if (refusal !== undefined) {
    t.skip(refusal);
    return;
  }
  const distant = await Promise.all([DistantWorker.start(), DistantWorker.start()]);
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

async function isAnswered(client) {
  assert.equal((await client.sendTurn(Buffer.alloc(48000))).response.status, 'completed');
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
  await Promise.all(kept.map(isAnswered));
}));

if (full) {
  test('a session of a worker that stays cut off ends once its call is given up', (t) => withDistantWorkers(t, async (fleet, distant, kept) => {
    await Promise.all(kept.slice(0, 2).map((client) => checkEnd(client, {reason: 'worker_lost', code: 1011, ms: kLostMax + 5000})));
    await isAnswered(await fleet.connect());
  }));
}

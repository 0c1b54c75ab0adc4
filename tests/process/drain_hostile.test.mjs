// Processes that are told to go while nobody is of any help: what they wait for does not come, and they are gone within
// their budget all the same.
import {strict as assert} from 'node:assert';
import path from 'node:path';
import {describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {answerInText} from './harness/conversation.mjs';
import {SqliteFile} from './harness/database.mjs';
import {goAway, inBatches, withDrainScene} from './harness/drain_cells.mjs';
import {checkTold, kBudgetMs} from './harness/drain_scene.mjs';
import {watchHealth} from './harness/health.mjs';
import {kHostileStates} from './harness/hostile_states.mjs';
import {request} from './harness/http.mjs';
import {logged} from './harness/log.mjs';
import {Namespace} from './harness/namespace.mjs';
import {full, ManagedProcess, patience} from './harness/process.mjs';
import {SmallDisk} from './harness/small_disk.mjs';
import {waitUntil} from './harness/wait.mjs';

const kFarClient = path.join(path.dirname(fileURLToPath(import.meta.url)), 'programs/far_client.mjs');
const kSessions = 3;
const kLeaseMs = 3000;

// One cell for each target; all means take turns, in the long run each has its own.
const kMeans = ['SIGTERM', 'EXIT', 'SIGINT'];
const kCells = Object.entries(kHostileStates)
    .flatMap(([state, {targets}]) => targets.map((target) => ({state, target, sessions: kSessions})))
    .flatMap((cell, i) => (full ? kMeans : [kMeans[i % kMeans.length]]).map((means) => ({...cell, means})));

inBatches(kHostileStates, kCells, 'cells', ({state, means, target}, run) => {
  test(`${state}; ${means} of the ${target}`, run);
}, goAway);

const isConnected = {reach: (scene) => scene.connect()};

test('a fleet whose workers are frozen: they are listed, and nobody waits for them', () => withDrainScene({state: isConnected, sessions: kSessions, target: 'fleet'}, async (scene) => {
  await scene.reach();
  const {gateway, workers} = scene.fleet;
  const addresses = await Promise.all(workers.map((worker) => worker.listening('grpc')));
  workers.forEach((worker) => worker.kill('SIGSTOP'));
  const from = performance.now();
  const summary = scene.admin.drain({then: 'EXIT', scope: 'FLEET'});
  const exit = await gateway.waitForExit(kBudgetMs + 2000);
  workers.forEach((worker) => worker.kill('SIGCONT'));
  scene.exits = [{...exit, process: gateway}];
  assert.equal(exit.code, 3);
  assert.ok(exit.at - from <= kBudgetMs * patience, `${Math.round(exit.at - from)} ms`);
  assert.deepEqual((await summary).unreachable.sort(), addresses.sort());
  await Promise.all(scene.clients.map(checkTold));
}));

// Two workers, each with sessions whose assessments run.
const isAssessing = {
  options: {workers: 2, workerFlags: [`--assessment_lease=${kLeaseMs}ms`]},
  reach: async (scene) => {
    scene.model.hold();
    while (scene.busy.length < 2) {
      scene.clients.push(await scene.fleet.connect({profile: 'interview'}));
    }
    await scene.introduce();
    await scene.trigger();
    await scene.model.called(scene.sessions);
  },
};

// New clients all the time, until it is over.
async function newcomers(fleet, isOver) {
  const clients = [];
  while (!isOver()) {
    clients.push(await fleet.connect());
  }
  return clients;
}

// These wait more than they work.
describe('side by side', {concurrency: 3}, () => {
  test('a client that is gone without a word: nobody waits for it', async (t) => {
    const refusal = await Namespace.refusal();
    if (refusal !== undefined) {
      t.skip(refusal);
      return;
    }
    const namespace = await Namespace.create();
    const state = {
      options: {gatewayFlags: [`--listen=${namespace.here.address}:0`]},
      reach: async (scene) => {
        const client = new ManagedProcess('far client', ...namespace.command(process.execPath, [kFarClient, scene.fleet.url]));
        scene.own('far', {stop: () => client.stop('SIGKILL')});
        await waitUntil(() => client.text('out').includes('ready'), {ms: 10000 * patience, what: 'the session to be ready', got: () => client.text()});
        await namespace.cutTo();
      },
    };
    try {
      await withDrainScene({state, sessions: 1, target: 'gateway'}, (scene) => goAway(scene, {means: 'SIGTERM'}));
    } finally {
      await namespace.remove();
    }
  });

  test('a store whose disk is full: what cannot be saved is named, and what was saved is there', async (t) => {
    const refusal = await SmallDisk.refusal();
    if (refusal !== undefined) {
      t.skip(refusal);
      return;
    }
    const disk = await SmallDisk.create();
    const command = (program, args) => disk.command(program, args);
    const state = {
      forced: true,
      options: (scene) => {
        scene.database = new SqliteFile(`${disk.dir}/store.db`, command);
        return {workerCommand: command};
      },
      reach: async (scene) => {
        await scene.connect();
        const [worker] = scene.fleet.workers;
        await waitUntil(async () => (await scene.fleet.metrics(worker)).get('voicebridge_worker_store_pending') === 0, {ms: 5000 * patience, what: 'all to be stored'});
        disk.fill();
      },
      afterwards: () => disk.free(),
      check: async (scene) => {
        const [{not_stored}] = logged(scene.leaving[0], 'drain.end');
        assert.deepEqual(not_stored.split(' ').sort(), scene.clients.map(({about}) => about.session_id).sort());
        assert.equal((await scene.database.rows('SELECT item_id FROM items')).length, kSessions);
      },
    };
    try {
      await withDrainScene({state, sessions: kSessions, target: 'worker'}, (scene) => goAway(scene, {means: 'SIGTERM'}));
    } finally {
      await disk.stop();
    }
  });

  test('a worker that an operator drains while its gateway serves: newcomers notice nothing, and another one finishes its reports', () => withDrainScene({state: isAssessing, target: 'worker'}, async (scene) => {
    await scene.reach();
    const [drained, other] = scene.fleet.workers;
    const theirs = new Set(logged(drained, 'session.attached').map(({session}) => session));
    const [mine, others] = [true, false].map((isMine) => scene.clients.filter(({about}) => theirs.has(about.session_id) === isMine));
    const health = await watchHealth(await drained.listening('admin'));
    const before = performance.now();
    let over = false;
    const coming = newcomers(scene.fleet, () => over);

    const summary = scene.admin.drain({});
    await summary.begun;
    assert.equal((await request(`${scene.fleet.ops.get(drained)}/readyz`)).status, 503);
    const {stored} = await summary;
    await waitUntil(() => health.statuses.length === 2, {ms: 3000 * patience, what: 'the health to change'});
    assert.deepEqual(health.statuses, ['SERVING', 'NOT_SERVING']);
    health.stop();
    over = true;
    const late = await coming;
    assert.ok(late.length > 0, 'somebody came meanwhile');
    const begunAt = drained.lines.find(({text}) => text.includes('"drain.begin"')).at;
    assert.ok(begunAt > before);

    await Promise.all(mine.map(checkTold));
    assert.ok(mine.every(({about}) => stored.includes(about.session_id)));
    const afterwards = drained.lines.filter(({text, at}) => at > begunAt && text.includes('"session.attached"'));
    assert.deepEqual(afterwards.map(({text}) => text), [], 'it takes nobody in any more');
    for (const client of late.filter(({about}) => !stored.includes(about.session_id))) {
      await answerInText(client);
    }
    scene.model.release();
    const reports = await scene.reports([...mine, ...others], (kLeaseMs + 10000) * patience);
    assert.equal(new Set(reports.map(({assessment_id}) => assessment_id)).size, scene.sessions);
    await scene.logged('assessment.completed', scene.sessions, [other]);
    assert.equal(logged(drained, 'assessment.completed').length, 0);
  }));
});

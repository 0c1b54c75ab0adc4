// Several assessments at once: they end in the same moment, or their worker is told to go or stands still while the
// model is at work.
import {strict as assert} from 'node:assert';
import {after, before, describe, test} from 'node:test';

import {withScene} from './harness/crash.mjs';
import {sqliteIn} from './harness/database.mjs';
import {logged} from './harness/faults.mjs';
import {PostgresServer} from './harness/postgres.mjs';
import {patience} from './harness/process.mjs';
import {waitUntil} from './harness/wait.mjs';

const kAtOnce = 6;
const kDrainMs = 3000;
const kPending = 0;
const kCompleted = 2;

async function endTogether(scene) {
  await scene.connect('interview');
  scene.model.hold();
  await scene.trigger();
  await scene.model.called(kAtOnce);
  scene.model.release();
  const told = await Promise.all(scene.clients.map((client) => client.waitFor('voicebridge.assessment.completed')));
  const times = told.map(({at}) => at);
  assert.ok(Math.max(...times) - Math.min(...times) < 1000 * patience, `in the same second: ${times.map(Math.round).join(', ')}`);
  const rows = await scene.assessments();
  assert.equal(rows.length, kAtOnce);
  scene.clients.forEach(({about}, i) => {
    const row = rows.find(({session_id}) => session_id === about.session_id);
    assert.deepEqual([row.id, row.state, row.claim], [told[i].assessment_id, kCompleted, 1]);
    assert.deepEqual(JSON.parse(row.report_json), told[i].report);
    assert.ok(row.report_json.includes(scene.clients[i].words), 'each session has its own report');
  });
  assert.equal(scene.model.calls.length, kAtOnce, 'each was written once');
}

async function goWhileTheModelHangs(scene) {
  await scene.connect('interview');
  await scene.fleet.fault('responses_hang');
  await scene.trigger();
  const atWork = async () => (await scene.fleet.journal()).responses_calls.length;
  await waitUntil(async () => (await atWork()) === kAtOnce, {ms: 10000 * patience, what: `${kAtOnce} calls of the model`});

  const [worker] = scene.fleet.workers;
  const exit = await worker.stop('SIGTERM', kDrainMs + 2000);
  scene.killedAt = performance.now();
  scene.fleet.leave(worker);
  assert.equal(exit.code, 0, worker.tail());
  assert.ok(exit.ms <= kDrainMs * patience, `${Math.round(exit.ms)} ms`);
  const left = await scene.assessments();
  assert.deepEqual(left.map(({state, report_json}) => [state, report_json]), Array(kAtOnce).fill([kPending, '']), 'all are pending');

  await scene.fleet.clearFaults();
  await scene.fleet.restartWorker(worker);
  await scene.checkReports(scene.clients);
  const rows = await scene.assessments();
  assert.deepEqual(rows.map(({id}) => id).sort(), left.map(({id}) => id).sort());
  assert.ok(rows.every(({state, claim}) => state === kCompleted && claim === 2), JSON.stringify(rows.map(({state, claim}) => [state, claim])));
}

const stored = ({id, state, claim, report_json}) => ({id, state, claim, report: report_json === '' ? undefined : JSON.parse(report_json)});

// The worker comes back with the answers of its model after another one has written the reports.
async function standStill(scene) {
  await scene.connect('interview');
  scene.model.hold();
  await scene.trigger();
  await scene.model.called(kAtOnce);
  const [frozen, other] = scene.fleet.workers;
  frozen.kill('SIGSTOP');
  scene.model.release();
  await scene.logged('assessment.completed', kAtOnce, [other]);
  const written = (await scene.assessments()).map(stored);
  assert.ok(written.every(({state}) => state === kCompleted));

  frozen.kill('SIGCONT');
  await scene.logged('assessment.lost', kAtOnce / 2, [frozen]);
  const told = await Promise.all(scene.clients.map((client) => client.waitFor('voicebridge.assessment.completed')));
  assert.deepEqual((await scene.assessments()).map(stored), written, 'nothing was written once more');
  assert.deepEqual(scene.fleet.workers.map((worker) => logged(worker, 'assessment.completed').length), [0, kAtOnce]);
  for (const {assessment_id, report} of told) {
    assert.deepEqual(report, written.find(({id}) => id === assessment_id).report, 'users of both are told what was written');
  }
}

describe('six assessments', {concurrency: 2}, () => {
  let postgres;
  before(async () => {
    postgres = await PostgresServer.start();
  });
  after(() => postgres.stop());

  for (const [store, newDatabase] of Object.entries({SQLite: sqliteIn, PostgreSQL: () => postgres.newDatabase()})) {
    test(`that end in the same second are six records; ${store}`, () => withScene(newDatabase, {workers: 2, sessionsEach: kAtOnce / 2}, endTogether));
    test(`do not keep a worker that is told to go, and are finished by the next one; ${store}`,
         () => withScene(newDatabase, {workers: 1, sessionsEach: kAtOnce, heldModel: false}, goWhileTheModelHangs));
    test(`are not written again by a worker that stood still for too long; ${store}`,
         () => withScene(newDatabase, {workers: 2, sessionsEach: kAtOnce / 2}, standStill));
  }
});

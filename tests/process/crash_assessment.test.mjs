// kill -9 of a worker at each step of an assessment: the user reads exactly one report, written by another worker or
// by the killed one's successor.
import {strict as assert} from 'node:assert';
import {after, before, describe, test} from 'node:test';

import {kRounds, withScene} from './harness/crash.mjs';
import {sqliteIn} from './harness/database.mjs';
import {PostgresServer} from './harness/postgres.mjs';

const kPending = 0;
const kRunning = 1;
const kCompleted = 2;

// `reach` ends when each worker is at the step; `rows`: state and claim of a worker's assessments then.
const kSteps = [
  {
    name: 'before it is stored',
    rows: [],
    reach: async (scene) => {
      await scene.database.lock();
      await scene.trigger();
      await scene.database.stopped(scene.fleet.workers);
    },
  },
  {
    // Each worker writes one at a time; the other one waits.
    name: 'stored, not claimed',
    rows: [[kPending, 0], [kRunning, 1]],
    scene: {sessionsEach: 2, workerFlags: ['--assessments=1'], byRestart: true},
    reach: async (scene) => {
      scene.model.hold();
      await scene.trigger();
      await scene.logged('assessment.stored', scene.sessions);
      await scene.model.called(scene.workersAtFirst);
    },
  },
  {
    name: 'claimed, the model is at work',
    rows: [[kRunning, 1]],
    reach: async (scene) => {
      scene.model.hold();
      await scene.trigger();
      await scene.model.called(scene.sessions);
    },
  },
  {
    name: 'the answer is there, before the result is written',
    rows: [[kRunning, 1]],
    reach: async (scene) => {
      scene.model.hold();
      await scene.trigger();
      await scene.model.called(scene.sessions);
      await scene.database.lock();
      scene.model.release();
      await scene.model.answered(scene.sessions);
      await scene.database.stopped(scene.fleet.workers);
    },
  },
  {
    name: 'the result is written',
    rows: [[kCompleted, 1]],
    reach: async (scene) => {
      await scene.trigger();
      await Promise.all(scene.victims.map(async (worker) => {
        await scene.logged('assessment.completed', 1, [worker]);
        worker.kill('SIGKILL');
      }));
      await scene.logged('assessment.completed', scene.sessions);
    },
  },
];

const stateAndClaim = (rows) => rows.map(({state, claim}) => [state, claim]).sort();

async function killAt(step, scene) {
  await scene.connect('interview');
  await step.reach(scene);
  const before = await scene.assessments();
  assert.deepEqual(stateAndClaim(before), Array.from({length: scene.workersAtFirst}, () => step.rows).flat().sort(), 'the step is reached');
  await scene.kill();
  await scene.letGoOn();
  await scene.checkUsers();
  if (step.rows.length === 0) {
    await checkNothingWasStored(scene);
  } else {
    await checkOneReportEach(scene, before);
  }
}

// The trigger was lost with its session: nobody claims that a report is to come.
async function checkNothingWasStored(scene) {
  await scene.checkReports(scene.kept);
  for (const client of scene.lost) {
    await scene.checkNoReport(client);
  }
  assert.equal((await scene.assessments()).length, scene.kept.length);
  assert.equal(scene.model.calls.length, scene.kept.length);
}

async function checkOneReportEach(scene, before) {
  const reports = await scene.checkReports(scene.clients);
  const rows = await scene.assessments();
  assert.equal(rows.length, scene.sessions, 'one record each');
  scene.clients.forEach((client, i) => {
    const row = rows.find(({session_id}) => session_id === client.about.session_id);
    assert.equal(row.id, reports[i].assessment_id, 'under the id that it was stored with');
    assert.equal(row.state, kCompleted);
    assert.deepEqual(JSON.parse(row.report_json), reports[i].report);
    const then = before.find(({id}) => id === row.id);
    assert.ok(then.state === kCompleted ? row.claim === then.claim : row.claim >= 1, JSON.stringify(row));
    assert.ok(then.state !== kRunning || !client.lost || row.claim > then.claim, 'taken up again, under a claim of its own');
  });
  await scene.logged('assessment.completed', scene.sessions);  // The store is ahead of the log.
  checkWrittenOnce(scene, rows);
}

// In the logs of all workers, dead or alive, and in what users were told.
function checkWrittenOnce(scene, rows) {
  const lines = scene.everybody.flatMap((worker) => worker.lines).filter(({text}) => text.includes('"assessment.completed"'));
  for (const {id} of rows) {
    assert.equal(lines.filter(({text}) => text.includes(id)).length, 1, `${id} was completed once`);
  }
  for (const client of scene.clients) {
    const told = client.events.filter(({type}) => type === 'voicebridge.assessment.completed');
    assert.ok(told.length <= 1, 'announced at most once');
  }
}

describe('kill -9 at a step of an assessment', {concurrency: 3}, () => {
  let postgres;
  before(async () => {
    postgres = await PostgresServer.start();
  });
  after(() => postgres.stop());
  const stores = {SQLite: sqliteIn, PostgreSQL: () => postgres.newDatabase()};

  for (const step of kSteps) {
    for (const [store, newDatabase] of Object.entries(stores)) {
      for (const byRestart of takeovers(step, store)) {
        for (let round = 1; round <= kRounds; ++round) {
          const by = byRestart ? 'their successors' : 'another worker';
          test(`${step.name}; ${store}; ${by} (round ${round})`, () => withScene(newDatabase, {byRestart, ...step.scene}, (scene) => killAt(step, scene)));
        }
      }
    }
  }
});

// In the short run each step is seen once with each store, and both ways to go on take turns.
function takeovers(step, store) {
  if (step.scene?.byRestart) {
    return [true];
  }
  return kRounds > 1 ? [false, true] : [(kSteps.indexOf(step) + (store === 'SQLite' ? 0 : 1)) % 2 === 0];
}

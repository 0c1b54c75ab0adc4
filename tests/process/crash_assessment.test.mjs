// kill -9 of a worker at each step of an assessment: the user reads exactly one report, written by another worker or
// by the killed one's successor. What was announced is stored; what was not stored was not announced.
import {strict as assert} from 'node:assert';
import {after, before, describe, test} from 'node:test';

import {speech} from './harness/audio.mjs';
import {kSpokenPrompt} from './harness/conversation.mjs';
import {kRounds, withScene} from './harness/crash.mjs';
import {sqliteIn} from './harness/database.mjs';
import {logged} from './harness/faults.mjs';
import {PostgresServer} from './harness/postgres.mjs';
import {patience} from './harness/process.mjs';

const kPending = 0;
const kRunning = 1;
const kCompleted = 2;
const kVoice = speech(kSpokenPrompt);
const kTranscriptWaitMs = 5000;
const kUnheard = {text: '아무도 못 들은 말이에요.', delay_ms: 60000};
const kDrainMs = 3000;

// `reach` ends when each worker is at the step; `rows`: state and claim of a worker's assessments then. `lastsMs`: a step
// that nothing holds is over so long after the time that `reach` returns; a machine that was too slow to look in time tries again.
const kTries = 3;
const kSteps = [
  {
    name: 'before it is stored',
    rows: [],
    reach: async (scene) => {
      await scene.database.lock();
      scene.askForAssessment();
      await scene.database.stopped(scene.fleet.workers);
    },
  },
  {
    name: 'triggered, transcripts still awaited',
    rows: [[kPending, 0]],
    lastsMs: kTranscriptWaitMs,
    reach: async (scene) => {
      await scene.fleet.script({transcripts: scene.clients.map(() => kUnheard)});
      await Promise.all(scene.clients.map((client) => speak(client)));
      const from = performance.now();
      await scene.trigger();
      return from;
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

async function speak(client) {
  client.sendAudio(kVoice);
  client.send({type: 'input_audio_buffer.commit'});
  await client.waitFor('input_audio_buffer.committed');
}

const stateAndClaim = (rows) => rows.map(({state, claim}) => [state, claim]).sort();

class StepMissed extends Error {}

async function inTime(attempt) {
  for (let i = 1;; ++i) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StepMissed) || i === kTries) {
        throw error;
      }
    }
  }
}

async function killAt(step, scene) {
  await scene.connect('interview');
  const from = await step.reach(scene);
  const before = await scene.assessments();
  if (performance.now() - from > step.lastsMs) {
    throw new StepMissed(`${step.name}: looked at it after ${Math.round(performance.now() - from)} ms`);
  }
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

// The trigger was lost with its session: nobody claims, or has claimed, that a report is to come.
async function checkNothingWasStored(scene) {
  for (const client of scene.lost) {
    assert.ok(!client.typesSeen().includes('voicebridge.assessment.started'));
  }
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

// The worker that goes stores what was said by then, and keeps nothing for itself.
async function goWhileTranscriptsAreAwaited(scene) {
  await scene.fleet.script({transcripts: [{text: '늦게 알아들은 말이에요.', delay_ms: 300}, kUnheard]});
  const client = await scene.fleet.connect({profile: 'interview'});
  client.words = '늦게 알아들은 말이에요.';
  await speak(client);
  await speak(client);
  client.send({type: 'voicebridge.assessment.request'});
  await client.waitFor('voicebridge.assessment.started');
  await client.waitFor('conversation.item.input_audio_transcription.completed');

  const worker = scene.fleet.workers.find((each) => logged(each, 'session.attached').length > 0);
  const exit = await worker.stop('SIGTERM', kDrainMs + 2000);
  scene.killedAt = performance.now();
  scene.fleet.leave(worker);
  assert.equal(exit.code, 0, worker.tail());
  assert.ok(exit.ms <= kDrainMs * patience, `${Math.round(exit.ms)} ms`);
  await scene.checkReports([client]);
  const rows = await scene.assessments();
  assert.deepEqual(stateAndClaim(rows), [[kCompleted, 1]], 'one record, written by the other worker at its first take-up');
  assert.equal(scene.model.calls.length, 1);
}

let postgres;
before(async () => {
  postgres = await PostgresServer.start();
});
after(() => postgres.stop());
const kStores = {SQLite: sqliteIn, PostgreSQL: () => postgres.newDatabase()};

describe('kill -9 at a step of an assessment', {concurrency: 4}, () => {
  for (const step of kSteps) {
    for (const [store, newDatabase] of Object.entries(kStores)) {
      for (const byRestart of takeovers(step, store)) {
        for (let round = 1; round <= kRounds; ++round) {
          const by = byRestart ? 'their successors' : 'another worker';
          test(`${step.name}; ${store}; ${by} (round ${round})`, () => inTime(() => withScene(newDatabase, {byRestart, ...step.scene}, (scene) => killAt(step, scene))));
        }
      }
    }
  }
});

describe('a worker that is told to go while transcripts are awaited', {concurrency: 2}, () => {
  for (const [store, newDatabase] of Object.entries(kStores)) {
    test(`leaves the assessment to another one; ${store}`, () => withScene(newDatabase, {workers: 2}, goWhileTranscriptsAreAwaited));
  }
});

// In the short run each step is seen once with each store, and both ways to go on take turns.
function takeovers(step, store) {
  if (step.scene?.byRestart) {
    return [true];
  }
  return kRounds > 1 ? [false, true] : [(kSteps.indexOf(step) + (store === 'SQLite' ? 0 : 1)) % 2 === 0];
}

// What sessions and their workers can be in the middle of when a process is told to go.
//
// `counts`: of sessions with which it makes sense. `ofWorkers`: it is nothing to a gateway. `hangs`: somebody keeps the
// process waiting, so that it may take its time. `startsLate`: it is over soon.
// `options`: of the scene and its fleet, or a function that makes them. `fill(database)` comes before all else.
// `reach(scene)` ends when all sessions are there. `meanwhile(scene)`: what happens once the processes were told;
// `afterwards(scene)`: once they have gone. `check(scene)`: what must hold beside all else. `goOn(scene)`: that nothing was
// lost where a drain is undone.
import {strict as assert} from 'node:assert';

import {holderOf} from './attachments.mjs';
import {silence} from './audio.mjs';
import {answerInText} from './conversation.mjs';
import {kLibrary, kReserve, libraryProfiles} from './library.mjs';
import {ManagedProcess, patience, root} from './process.mjs';
import {StuckCalls} from './stuck_calls.mjs';
import {waitUntil} from './wait.mjs';

const kForeverMs = 600000;
const kAtOnce = 8;  // --assessments of each worker; the others are queued.
const kMinuteOfSpeech = {instructions: `say exactly: "${'I have thought about this for a while, and I see it like that. '.repeat(15)}"`};
const kHalf = silence(2000);

const kText = {output_modalities: ['text']};

const isSummary = (id) => id.startsWith('vbs_');
const isLater = (scene) => ({at}) => at > scene.undrainedAt;

function each(scene, body) {
  return Promise.all(scene.clients.map(body));
}

async function atWork({fleet: {workers}, clients}) {
  if (workers.length === 0) {
    return clients.length;  // The demo's, whose logs are not here: it has one session in each state.
  }
  const holders = await Promise.all(clients.map((client) => holderOf(workers, client)));
  const sessions = (worker) => holders.filter((holder) => holder === worker).length;
  return workers.reduce((sum, worker) => sum + Math.min(sessions(worker), kAtOnce), 0);
}

async function speak(client) {
  client.send({type: 'response.create', response: kMinuteOfSpeech});
  await client.waitFor('response.output_audio.delta');
}

// The upstream has seen so much of all sessions.
export async function inJournal(scene, what, find) {
  let found;
  await waitUntil(async () => (found = find(await scene.fleet.journal()).length) === scene.count, {
    ms: 10000 * patience, what: `${scene.count} ${what}`, got: () => found,
  });
}

export const kStates = {
  'idle': {
    counts: [0, 1, 10, 1000],
    options: {workerFlags: ['--capacity=1000']},
    reach: (scene) => scene.connect(),
    goOn: (scene) => each(scene, answerInText),
  },
  'handshake pending': {
    options: {simulatorFlags: [`--fault=accept_delay:${kForeverMs}`]},
    reach: async (scene) => {
      scene.clients = Array.from({length: scene.count}, () => scene.fleet.dial());
      await each(scene, (client) => client.opened());
      await scene.logged('session.attached', scene.count);
    },
  },
  'configured, not acknowledged': {
    options: {simulatorFlags: [`--fault=configure_delay:${kForeverMs}`]},
    reach: async (scene) => {
      scene.clients = Array.from({length: scene.count}, () => scene.fleet.dial());
      await each(scene, (client) => client.opened());
      await inJournal(scene, 'sessions to be configured', 
                      ({sessions}) => sessions.filter(({events_received: asked, events_sent: said}) => asked['session.update'] && !said['session.updated']));
    },
  },
  'DNS does not answer': {
    ofWorkers: true,
    options: (scene) => ({upstreamHost: 'localhost', workerEnv: scene.own('stuck', new StuckCalls()).env}),
    reach: async (scene) => {
      scene.stuck.hold('localhost');
      scene.clients = Array.from({length: scene.count}, () => scene.fleet.dial());
      await each(scene, (client) => client.opened());
      await scene.logged('session.attached', scene.count);
      await scene.stuck.waiting('localhost', scene.busy.length);  // A worker looks up one name at a time.
    },
  },
  'half an utterance uploaded': {
    counts: [1, 10, 1000],
    options: {workerFlags: ['--capacity=1000']},
    reach: async (scene) => {
      await scene.connect();
      scene.clients.forEach((client) => client.sendAudio(kHalf));
      await inJournal(scene, 'halves upstream', ({sessions}) => sessions.filter(({audio_appended}) => audio_appended.bytes === kHalf.length));
    },
    goOn: (scene) => each(scene, async (client) => {
      const {response, text} = await client.sendTurn(kHalf, {response: kText});
      assert.equal(response.status, 'completed');
      assert.match(text, /for 4\.00 seconds/, 'both halves were heard');
    }),
  },
  'assistant speaking': {
    reach: async (scene) => {
      await scene.connect();
      await each(scene, speak);
    },
    goOn: (scene) => each(scene, (client) => client.waitFor('response.output_audio.delta', isLater(scene))),
  },
  'turn held': {
    reach: async (scene) => {
      await scene.connect();
      await each(scene, async (client) => {
        await speak(client);
        client.send({type: 'response.create', response: kText});
        client.send({type: 'conversation.item.create', item: {type: 'message', role: 'user', content: [{type: 'input_text', text: 'And?'}]}});
        await client.waitFor('conversation.item.added', ({item}) => item.content?.[0]?.text === 'And?');
      });
    },
    goOn: (scene) => each(scene, async (client) => {
      client.send({type: 'response.cancel'});
      assert.equal((await client.turnDone()).response.status, 'cancelled');
      assert.equal((await client.turnDone()).response.status, 'completed');
    }),
  },
  'tool called': {
    options: {profiles: libraryProfiles},
    hangs: true,
    reach: async (scene) => {
      scene.tool.hold();
      await scene.fleet.script({calls: [{tool: kReserve.name, turn: 1}]});
      await scene.connect(kLibrary);
      scene.clients.forEach((client) => client.send({type: 'response.create'}));
      await scene.tool.called(scene.count);
    },
    goOn: async (scene) => {
      scene.tool.release();
      await each(scene, (client) => client.waitFor('response.output_audio.delta', isLater(scene)));
      assert.equal(scene.tool.calls.length, scene.count);
    },
  },
  'assessment running': {
    reach: async (scene) => {
      scene.model.hold();
      await scene.connect('interview');
      await scene.trigger();
      await scene.model.called(await atWork(scene));
    },
    goOn: async (scene) => {
      scene.model.release();
      await each(scene, (client) => client.waitFor('voicebridge.assessment.completed'));
      assert.equal(scene.model.calls.length, scene.count);
    },
  },
  'assessment hung': {
    ofWorkers: true,
    options: {heldModel: false, simulatorFlags: ['--fault=responses_hang']},
    reach: async (scene) => {
      const {responses_count: before} = await scene.fleet.journal();
      await scene.connect('interview');
      await scene.trigger();
      const asked = async () => (await scene.fleet.journal()).responses_count - before;
      const all = await atWork(scene);
      await waitUntil(async () => (await asked()) >= all, {ms: 10000 * patience, what: 'the model to be asked'});
    },
  },
  'assessment retrying': {
    ofWorkers: true,
    options: {heldModel: false, simulatorFlags: ['--fault=responses_status:429']},
    reach: async (scene) => {
      await scene.connect('interview');
      await scene.trigger();
      await scene.logged('assessment.attempt_failed', await atWork(scene));
    },
  },
  'summary speaking': {
    reach: async (scene) => {
      await scene.connect('interview');
      await scene.trigger();
      await each(scene, (client) => client.waitFor('response.output_audio.delta', ({response_id}) => isSummary(response_id)));
    },
    goOn: (scene) => each(scene, (client) => client.waitFor('response.output_audio.delta', isLater(scene))),
  },
  'result being written': {
    hangs: true,
    reach: async (scene) => {
      scene.model.hold();
      await scene.connect('interview');
      await scene.trigger();
      await scene.model.called(await atWork(scene));
      await scene.database.lock();
      scene.model.release();
      await scene.model.answered(await atWork(scene));
      await scene.database.stopped(scene.busy);
    },
    meanwhile: async (scene) => {
      await scene.begun();
      await scene.database.unlock();
    },
  },
  'retention in mid-pass': {
    counts: [0, 10],
    ofWorkers: true,
    startsLate: true,
    options: {workerFlags: ['--retention=1h']},
    fill: fillWithOldSessions,
    reach: async (scene) => {
      await scene.connect();
      await scene.logged('retention.deleted', 1);
    },
    check: async (scene) => {
      const [{left}] = await scene.database.rows(`SELECT count(*) AS left FROM sessions WHERE id LIKE '${kOld}%'`);
      assert.ok(left > 0 && left < kOldSessions && left % kPass === 0, `it was in the middle, and no pass was done in part: ${left} are left`);
    },
  },
};

const kOld = 'sess_old';
const kOldSessions = 120000;  // More than two workers delete while ten sessions begin.
const kPass = 500;

// With a schema that a worker has made.
async function fillWithOldSessions(database) {
  const worker = ManagedProcess.binary('voicebridge-worker', [
    '--listen=127.0.0.1:0', '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0', `--profiles=${root}/bridge_worker/profiles`, `--store=${database.url}`,
  ], {env: {OPENAI_API_KEY: 'test-key'}});
  await worker.listening('grpc');
  assert.equal((await worker.stop()).code, 0);
  const numbers = `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${kOldSessions})`;
  await database.rows(`INSERT INTO sessions ${numbers} SELECT '${kOld}' || n, 'assistant', 1, 'start', 'client_closed', 1, 1 FROM numbers`);
  await database.rows(`INSERT INTO items ${numbers} SELECT '${kOld}' || n, 'item', '', '{}', 'words', 0 FROM numbers`);
}

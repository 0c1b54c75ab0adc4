// kill -9 of a worker at each step of a tool call: whatever the tool does is done once, also after other workers have
// taken over all that the killed one left.
import {strict as assert} from 'node:assert';
import {after, before, describe, test} from 'node:test';

import {kRounds, withScene} from './harness/crash.mjs';
import {sqliteIn} from './harness/database.mjs';
import {kLibrary, kReserve, kSearch, kTools, libraryProfiles} from './harness/library.mjs';
import {PostgresServer} from './harness/postgres.mjs';
import {waitUntil} from './harness/wait.mjs';

const isOf = ({name}) => (call) => JSON.parse(call.body).name === name;
const keyOf = (call) => call.headers['idempotency-key'];

// The search is out of order at its first attempt, so that it is made again.
function answerTool(call, calls) {
  const isFirst = isOf(kSearch)(call) && calls.filter((each) => keyOf(each) === keyOf(call)).length === 1;
  return isFirst ? {status: 503, now: true} : {body: '{"done":true}'};
}

// The model calls both tools; the user asks for the assessment meanwhile, which is what there is to take over.
async function call(scene) {
  await scene.fleet.script({calls: kTools.map(({name}) => ({tool: name, turn: 1}))});
  for (const client of scene.clients) {
    client.send({type: 'conversation.item.create', item: {type: 'message', role: 'user', content: [{type: 'input_text', text: '책을 찾아 주세요.'}]}});
    client.send({type: 'response.create'});
  }
}

// The worker has been told of all calls.
async function announced(scene) {
  const isCall = ({type, name}) => type === 'function_call' && kTools.some((tool) => tool.name === name);
  const count = async () => (await scene.fleet.journal()).sessions.flatMap(({responses}) => responses)
      .filter(({status, items}) => status === 'completed' && items.filter(isCall).length === kTools.length).length;
  await waitUntil(async () => (await count()) === scene.sessions, {ms: 10000, what: 'the model to call both tools in each session'});
}

// Each tool is at work, the search for the second time.
async function atWork(scene) {
  scene.tool.hold();
  scene.model.hold();
  await call(scene);
  await scene.tool.called(scene.sessions, isOf(kReserve));
  await scene.tool.called(2 * scene.sessions, isOf(kSearch));
  await scene.trigger();
  await scene.model.called(scene.sessions);
}

// `stored`: how many starts and outputs a session has in the store at the step; `done`: what the tools were asked for.
const kSteps = [
  {
    name: 'before its start is stored',
    stored: [0, 0],
    isCalled: false,
    reach: async (scene) => {
      await scene.database.lock();
      await call(scene);
      await announced(scene);
      await scene.database.stopped(scene.fleet.workers);
    },
  },
  {name: 'the tool is at work', stored: [2, 0], isCalled: true, reach: atWork},
  {
    name: 'the tool has answered, before its output is stored',
    stored: [2, 0],
    isCalled: true,
    reach: async (scene) => {
      await atWork(scene);
      await scene.database.lock();
      scene.tool.release();
      await scene.tool.answered(scene.sessions, isOf(kReserve));
      await scene.tool.answered(2 * scene.sessions, isOf(kSearch));
      await scene.database.stopped(scene.fleet.workers);
    },
  },
  {
    name: 'its output is stored',
    stored: [2, 2],
    isCalled: true,
    reach: async (scene) => {
      await atWork(scene);
      scene.tool.release();
      const lines = await scene.logged('tool.ended', 2 * scene.sessions);
      assert.ok(lines.every(({stored, outcome}) => stored && outcome === 'answered'), JSON.stringify(lines));
    },
  },
];

async function killAt(step, scene) {
  await scene.connect(kLibrary);
  await step.reach(scene);
  const [starts, outputs] = step.stored;
  const rows = await scene.toolCalls();
  assert.deepEqual([rows.length, rows.filter(({output}) => output !== null).length], [starts * scene.sessions, outputs * scene.sessions], 'the step is reached');
  await scene.kill();
  await scene.letGoOn();
  await scene.checkUsers();
  // Nobody has called a tool once more while everything was taken over.
  await scene.checkReports(step.isCalled ? scene.clients : []);
  await scene.logged('tool.ended', step.isCalled && outputs > 0 ? 2 * scene.sessions : 2 * scene.kept.length);
  checkCalls(scene, step.isCalled ? scene.clients : scene.kept);
}

function checkCalls(scene, clients) {
  const {calls} = scene.tool;
  for (const {about} of clients) {
    const ofSession = calls.filter(({body}) => JSON.parse(body).session_id === about.session_id);
    assert.equal(ofSession.filter(isOf(kReserve)).length, 1, `${about.session_id} reserved once`);
    const searches = ofSession.filter(isOf(kSearch)).map(keyOf);
    assert.equal(searches.length, 2, `${about.session_id} searched, and once again`);
    assert.equal(new Set(searches).size, 1, 'under the same key');
  }
  assert.equal(calls.length, 3 * clients.length, 'and nobody else did');
  assert.equal(new Set(calls.map(keyOf)).size, 2 * clients.length, 'each call has a key of its own');
}

describe('kill -9 at a step of a tool call', {concurrency: 3}, () => {
  let postgres;
  before(async () => {
    postgres = await PostgresServer.start();
  });
  after(() => postgres.stop());
  const stores = {SQLite: sqliteIn, PostgreSQL: () => postgres.newDatabase()};

  for (const [i, step] of kSteps.entries()) {
    for (const [j, [store, newDatabase]] of Object.entries(stores).entries()) {
      // In the short run both ways to go on take turns.
      for (const byRestart of kRounds > 1 ? [false, true] : [(i + j) % 2 === 0]) {
        for (let round = 1; round <= kRounds; ++round) {
          const by = byRestart ? 'their successors' : 'another worker';
          test(`${step.name}; ${store}; ${by} (round ${round})`,
               () => withScene(newDatabase, {byRestart, profiles: libraryProfiles, answerTool}, (scene) => killAt(step, scene)));
        }
      }
    }
  }
});

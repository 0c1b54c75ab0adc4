// Many conversations at once, each with recordings of its own, compared with the upstream's record.
import {strict as assert} from 'node:assert';

import {marked, sha256, soundNames, speech} from './audio.mjs';
import {RealtimeClient} from './client.mjs';
import {patience, resourcesOf} from './process.mjs';
import {waitUntil} from './wait.mjs';

const kTurns = 3;

function recordings(sessions) {
  const names = soundNames({msMin: 500, msMax: 1200});
  const cache = new Map();
  const get = (name) => cache.get(name) ?? cache.set(name, speech(name)).get(name);
  return Array.from({length: sessions}, (_, i) =>
    Array.from({length: kTurns}, (__, turn) => marked(get(names[(i * kTurns + turn) % names.length]), i + 1, turn + 1)));
}

async function converse(fleet, turns) {
  const client = await fleet.connect({ms: 20000});
  for (const pcm of turns) {
    const turn = await client.sendTurn(pcm, {ms: 60000});
    assert.equal(turn.response.status, 'completed');
    assert.ok(turn.audio?.bytes > 0, 'a spoken answer');
  }
  assert.equal(client.events.filter((event) => event.type === 'response.created').length, kTurns, 'each turn is answered once');
  assert.equal(client.events.filter((event) => event.type === 'error').length, 0);
  return client;
}

// The upstream's record of this client's conversation, found by its first turn.
function checkRecord(journal, turns, client) {
  const digests = turns.map((pcm) => sha256(pcm));
  const mine = journal.sessions.filter((session) => session.user_items[0]?.sha256 === digests[0]);
  assert.equal(mine.length, 1, 'exactly one upstream session heard these recordings');
  const [session] = mine;
  assert.deepEqual(session.user_items.map((item) => item.sha256), digests, 'what arrived is what was sent');
  assert.equal(session.audio_appended.bytes, turns.reduce((sum, pcm) => sum + pcm.length, 0));
  assert.equal(session.responses.length, kTurns, 'the upstream was asked once per turn');
  for (const item of session.responses.flatMap((response) => response.items)) {
    assert.equal(client.audioOf(item.item_id).sha256, item.audio_sha256, 'what was spoken is what was heard');
  }
}

// Gauges, descriptors and threads of each process.
async function resources(fleet) {
  const gauges = await fleet.gauges();
  return Object.fromEntries([fleet.gateway, ...fleet.workers].map(
      (process) => [process.name, {...gauges[process.name], ...resourcesOf(process.pid)}]));
}

// The same twice in a row: the last of a session's teardown is over.
async function settled(fleet) {
  let before;
  return waitUntil(async () => {
    const now = await resources(fleet);
    const same = JSON.stringify(now) === JSON.stringify(before);
    before = now;
    return same && now;
  }, {ms: 5000 * patience, every: 200, what: 'idle values that stay', got: () => JSON.stringify(before)});
}

// No session, no call but the one by which a gateway watches a worker.
function checkIdle(fleet, idle) {
  for (const process of [fleet.gateway, ...fleet.workers]) {
    const {sessions, calls} = idle[process.name];
    assert.deepEqual({sessions, calls}, {sessions: 0, calls: process === fleet.gateway ? fleet.workers.length : 1}, process.name);
  }
}

// What is made once, on first use, belongs to the idle values; so do the tasks that listen and the calls that watch the
// workers.
async function warmUp(fleet) {
  const warm = await converse(fleet, recordings(1)[0].map((pcm) => marked(pcm, 32000)));
  await warm.close();
  await fleet.sessionsGone();
  const idle = await settled(fleet);
  checkIdle(fleet, idle);
  return idle;
}

async function idleAgain(fleet, idle) {
  let now;
  await waitUntil(async () => JSON.stringify(now = await resources(fleet)) === JSON.stringify(idle), {
    ms: 5000 * patience, every: 50, what: `gauges, descriptors and threads to be as when idle (${JSON.stringify(idle)})`, got: () => JSON.stringify(now),
  });
}

export async function manySessions(fleet, sessions) {
  const idle = await warmUp(fleet);
  const all = recordings(sessions);
  const clients = await Promise.all(all.map((turns) => converse(fleet, turns)));
  const journal = await fleet.journal();
  assert.equal(journal.refused, 0);
  all.forEach((turns, i) => checkRecord(journal, turns, clients[i]));

  await Promise.all(clients.map((client) => client.close()));
  await idleAgain(fleet, idle);
}

const kAtOnce = 10;
const kWaysToEnd = [(client) => client.close(), (client) => client.terminate()];

// One after another, a few at a time; half of them say goodbye, the others are just gone.
export async function shortSessions(fleet, sessions) {
  const idle = await warmUp(fleet);
  let begun = 0;
  const visit = async () => {
    while (begun < sessions) {
      const leave = kWaysToEnd[begun++ % kWaysToEnd.length];
      await leave(await RealtimeClient.connect(fleet.url, {ms: 20000}));
    }
  };
  await Promise.all(Array.from({length: kAtOnce}, visit));
  await idleAgain(fleet, idle);
}

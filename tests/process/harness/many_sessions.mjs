// Many conversations at once, each with recordings of its own, compared with the upstream's record.
import {strict as assert} from 'node:assert';

import {marked, sha256, soundNames, speech} from './audio.mjs';
import {patience} from './process.mjs';
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

const resources = (fleet) => Object.fromEntries([fleet.gateway, ...fleet.workers].map((process) => {
  const {fds, threads} = process.stats();
  return [process.name, {fds, threads}];
}));

export async function manySessions(fleet, sessions) {
  // What is made once, on first use, belongs to the idle values.
  const warm = await converse(fleet, recordings(1)[0].map((pcm) => marked(pcm, 32000)));
  await warm.close();
  await fleet.sessionsGone();
  const idle = resources(fleet);

  const all = recordings(sessions);
  const clients = await Promise.all(all.map((turns) => converse(fleet, turns)));
  const journal = await fleet.journal();
  assert.equal(journal.refused, 0);
  all.forEach((turns, i) => checkRecord(journal, turns, clients[i]));

  await Promise.all(clients.map((client) => client.close()));
  const zero = (gauges) => Object.values(gauges).every(({sessions: live, calls}) => live === 0 && calls === 0);
  let gauges;
  await waitUntil(async () => zero(gauges = await fleet.gauges()), {ms: 5000 * patience, what: 'sessions and calls to be 0', got: () => JSON.stringify(gauges)});
  let now;
  await waitUntil(() => JSON.stringify(now = resources(fleet)) === JSON.stringify(idle), {
    ms: 5000 * patience, every: 50, what: `descriptors and threads to be as when idle (${JSON.stringify(idle)})`, got: () => JSON.stringify(now),
  });
  gauges = await fleet.gauges();
  for (const [name, gauge] of Object.entries(gauges)) {
    assert.equal(gauge.tasks, 0, `tasks of ${name}: ${JSON.stringify(gauges)}`);
  }
}

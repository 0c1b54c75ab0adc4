// PostgreSQL is away for a while under load: voice first, and nothing that was said is lost.
import {strict as assert} from 'node:assert';
import {after, before, describe, test} from 'node:test';

import {withBalancedFleet} from './harness/balanced_fleet.mjs';
import {Hosts} from './harness/hosts.mjs';
import {logged} from './harness/log.mjs';
import {PostgresServer} from './harness/postgres.mjs';
import {full, patience, pause, RealtimeClient, request, waitUntil} from './harness.mjs';

const kAwayMs = full ? 60000 : 6000;
const kPeople = 30;
const kRoundPauseMs = 500;
const kBudgetMs = 3000;
const kRecordsMax = 200;  // Jobs of a worker that wait: a few a session, as what waits is gathered.

const refusal = await Hosts.refusal();

describe('PostgreSQL is lost under load', {skip: refusal}, () => {
  let postgres;
  before(async () => {
    postgres = await PostgresServer.start();
  });
  after(() => postgres.stop());

  test('conversations go on and begin, what they leave is written when it is back; a drain meanwhile says what it could not store', async (t) => {
    const database = await postgres.newDatabase();
    const clients = [];
    try {
      await withBalancedFleet({workers: 3, database}, async (fleet) => {
        const connect = async (count) => clients.push(...await Promise.all(Array.from({length: count}, () => RealtimeClient.connect(fleet.url))));
        await connect(kPeople);
        await everybodySpeaks(clients);
        await stored(fleet);

        await postgres.goAway();
        const lostAt = performance.now();
        let [rounds, most, slowest] = [1, 0, 0];
        while (performance.now() - lostAt < kAwayMs) {
          slowest = Math.max(slowest, await everybodySpeaks(clients));
          rounds += 1;
          most = Math.max(most, ...await pending(fleet));
          await pause(kRoundPauseMs);  // Nobody speaks without a breath; the load is that of people.
        }
        await connect(kPeople);
        await everybodySpeaks(clients);
        t.diagnostic(`${rounds} turns of ${kPeople} sessions while it was away, the slowest ${Math.round(slowest)} ms; at most ${most} jobs waited in a worker`);
        assert.ok(most > 0 && most < kRecordsMax, `${most}`);
        for (const worker of fleet.workers) {
          await tellsOfIt(fleet, worker);
        }

        const [leaving] = fleet.workers;
        const began = performance.now();
        const {summary, exit} = await fleet.removeWorker(leaving, {mode: 'CLOSE', budget: {seconds: 3}});
        const [end] = logged(leaving, 'drain.end');
        t.diagnostic(`drained without a store in ${Math.round(end.ms)} ms, gone ${Math.round(exit.at - began)} ms after it was asked`);
        assert.ok(end.ms < kBudgetMs * patience);
        assert.equal(exit.code, 3);
        const gone = clients.filter((client) => client.closed).map((client) => client.about.session_id).sort();
        assert.ok(gone.length > 0);
        assert.deepEqual([...summary.not_stored].sort(), gone, 'each of its sessions is named');
        assert.deepEqual(end.not_stored.split(' ').sort(), gone);

        const staying = clients.filter((client) => !client.closed);
        await postgres.serve();
        await stored(fleet);
        await everybodySpeaks(staying);
        await stored(fleet);
        for (const worker of fleet.workers) {
          assert.equal((await fleet.metrics(worker)).get('voicebridge_worker_store_available'), 1);
          assert.equal(await fleet.sum([worker], 'voicebridge_worker_records_lost_total'), 0);
        }
        await checkItems(database, staying);
      });
    } finally {
      clients.forEach((client) => client.terminate());
      await database.stop();
    }
  });
});

// One typed turn each, at the same time; how long the last answer took.
async function everybodySpeaks(clients) {
  const began = performance.now();
  await Promise.all(clients.map(async (client) => {
    const {response} = await client.sendText('Do you still hear me?');
    assert.equal(response.status, 'completed');
    client.turns = (client.turns ?? 0) + 1;
  }));
  return performance.now() - began;
}

const pending = (fleet) => Promise.all(fleet.workers.map(async (worker) => (await fleet.metrics(worker)).get('voicebridge_worker_store_pending')));

async function stored(fleet) {
  let seen;
  await waitUntil(async () => {
    seen = await pending(fleet);
    return seen.every((count) => count === 0);
  }, {ms: 10000 * patience, what: 'all to be stored', got: () => seen});
}

// Still ready, for conversations do not need the store; but it says so where an operator looks.
async function tellsOfIt(fleet, worker) {
  const {status, body} = await request(`http://${await worker.listening('ops')}/readyz`);
  assert.deepEqual([status, body], [200, 'ready; the store is unavailable, what is to be stored waits']);
  assert.equal((await fleet.metrics(worker)).get('voicebridge_worker_store_available'), 0);
  assert.ok(logged(worker, 'store.unavailable').length > 0);
}

// All that was said and answered, of each session.
async function checkItems(database, clients) {
  const rows = await database.rows('SELECT session_id, count(*) AS items FROM items GROUP BY session_id');
  const items = new Map(rows.map((row) => [row.session_id, row.items]));
  for (const {about, turns} of clients) {
    assert.equal(items.get(about.session_id), 2 * turns, `items of ${about.session_id} after ${turns} turns`);
  }
}

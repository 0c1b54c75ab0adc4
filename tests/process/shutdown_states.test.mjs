// A process that is told to go while a peer is of no help: an upstream that says nothing more or keeps its connection
// open, a model that never answers, a client that does not read. It is gone in time, in good order, and without complaint.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkTurn, Fleet, patience, waitUntil, withFleet} from './harness.mjs';
import {logged} from './harness/faults.mjs';

const kBudget = 3000;

async function checkGone(process, signal) {
  const exit = await process.stop(signal, kBudget + 2000);
  assert.equal(exit.code, 0, `${process.name}: ${JSON.stringify(exit)}\n${process.tail()}`);
  assert.ok(exit.ms <= kBudget * patience, `${process.name} took ${Math.round(exit.ms)} ms`);
  assert.deepEqual(process.lines.filter(({text}) => /"level":"error"/.test(text)), [], 'being told to go is no error');
  assert.ok(logged(process, 'session.ended').every(({tasks_left}) => tasks_left === 0), 'no task is left of any session');
}

// The signal comes once `prepare` has brought the fleet's only session into its state.
function goesThough(what, prepare, told = true) {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal} ${what}: all are gone within the budget`, async () => {
      const fleet = await Fleet.start({workers: 1});
      try {
        const client = await prepare(fleet);
        await Promise.all([fleet.gateway, ...fleet.workers].map((process) => checkGone(process, signal)));
        if (told) {
          assert.equal((await client.waitForClose()).code, 1001);
          assert.ok(client.typesSeen().includes('voicebridge.session.ended'));
        }
      } finally {
        await fleet.kill();
      }
    });
  }
}

goesThough('while the upstream is mute', async (fleet) => {
  const client = await fleet.connect();
  await checkTurn(fleet, client);
  await fleet.fault('mute', undefined, {session: (await fleet.journal()).sessions[0].id});
  client.send({type: 'response.create'});
  return client;
});

goesThough('while the upstream never answers a close', async (fleet) => {
  await fleet.fault('no_close');
  return fleet.connect();
});

goesThough('while the model never answers', async (fleet) => {
  await fleet.fault('responses_hang');
  const client = await fleet.connect({profile: 'interview'});
  client.send({type: 'voicebridge.assessment.request'});
  await waitUntil(async () => (await fleet.journal()).responses_calls.length === 1, {ms: 5000 * patience, what: 'the model to be asked'});
  return client;
});

// The report is there, whatever becomes of the voice that was to read it.
goesThough('while the other voice of a summary does not come', async (fleet) => {
  const client = await fleet.connect({profile: 'interview'});
  await fleet.fault('configure_delay', 600000);
  client.send({type: 'voicebridge.assessment.request'});
  await client.waitFor('voicebridge.assessment.completed');
  await waitUntil(async () => (await fleet.journal()).sessions.length === 2, {ms: 5000 * patience, what: 'the other voice to be asked'});
  return client;
});

goesThough('while a client does not read', async (fleet) => {
  await fleet.fault('flood', undefined, {count: 1});
  const client = fleet.dial();
  await client.opened();
  await client.ready();
  client.stopReading();
  await fleet.queuesFull();
  return client;
}, false);

test('a session that ends is closed on both sides, in order: told, then the upstream, and nothing after that', () => withFleet({workers: 1}, async (fleet) => {
  const client = await fleet.connect();
  await checkTurn(fleet, client);
  const [{id, events_received: before}] = (await fleet.journal()).sessions;
  await client.close();
  let session;
  await waitUntil(async () => {
    session = (await fleet.journal()).sessions.find((each) => each.id === id);
    return session.state === 'closed';
  }, {ms: 3000 * patience, what: 'the upstream to be closed'});
  assert.equal(session.close_code, 1000);
  assert.deepEqual(session.events_received, before, 'no request goes to a conversation that is over');
  await waitUntil(() => logged(fleet.gateway, 'session.ended').length === 1, {ms: 3000 * patience, what: 'the gateway to say so'});
}));

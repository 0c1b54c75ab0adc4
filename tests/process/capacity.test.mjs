// Sessions are capped, in gateway and worker: who is too many is told so at once and when to try again, and hurts nobody.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkTurn, patience, waitUntil, withFleet} from './harness.mjs';

const kAtOnce = 1500;

async function refused(fleet) {
  const started = performance.now();
  await assert.rejects(fleet.dial().opened(), ({status, headers}) => {
    assert.equal(status, 503);
    assert.match(headers['retry-after'], /^\d+$/);
    return true;
  });
  assert.ok(performance.now() - started < kAtOnce * patience, 'at once');
}

test('a gateway that is full answers 503 with Retry-After before it asks for an upstream, and has room again later', () => withFleet({
  workers: 1, gatewayFlags: ['--max_sessions=2'],
}, async (fleet) => {
  const clients = [await fleet.connect(), await fleet.connect()];
  await refused(fleet);
  assert.equal((await fleet.journal()).sessions.length, 2, 'no upstream was opened for it');
  await checkTurn(fleet, clients[1]);
  await clients[0].close();
  await waitUntil(async () => (await fleet.gauges()).gateway.sessions === 1, {ms: 3000 * patience, what: 'the session to be gone'});
  await checkTurn(fleet, await fleet.connect());
}));

test('with all workers full a gateway answers so, too, and the sessions that they have go on', () => withFleet({
  workers: 1, workerFlags: ['--capacity=1'],
}, async (fleet) => {
  const lucky = await fleet.connect();
  await fleet.servingWorkers(0);
  await refused(fleet);
  assert.equal((await fleet.journal()).sessions.length, 1);
  await checkTurn(fleet, lucky);
}));

// From the first moment of a drain nobody new comes in; the process itself is well until it has gone.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {patience, request, waitUntil, withFleet} from './harness.mjs';
import {AdminClient} from './harness/admin.mjs';

const kRefusedMaxMs = 50;
const kTries = 5;

async function status(fleet, process, path) {
  return (await request(`${fleet.ops.get(process)}${path}`)).status;
}

// How long after the call the process is not ready any more. The session goes on, and the drain is undone.
async function refusesAfter(fleet, process, admin) {
  const from = performance.now();
  const drain = admin.drain({mode: 'FINISH', budget: {seconds: 60}});
  while (await status(fleet, process, '/readyz') !== 503) {
    assert.ok(performance.now() - from < 5000 * patience, 'it is ready all the time');
  }
  const ms = performance.now() - from;
  if (process === fleet.gateway) {
    await assert.rejects(fleet.dial().opened(), (error) => error.status === 503 && error.headers['retry-after'] !== undefined);
  }
  assert.equal(await status(fleet, process, '/healthz'), 200);
  await admin.undrain();
  await assert.rejects(drain);
  await waitUntil(async () => await status(fleet, process, '/readyz') === 200, {ms: 5000 * patience, what: 'it to be ready again'});
  return ms;
}

for (const role of ['gateway', 'worker']) {
  // The fastest of a few, for the machine has other work.
  test(`a ${role} is not ready within ${kRefusedMaxMs} ms, refuses, and lives`, () => withFleet({workers: 1}, async (fleet) => {
    await fleet.connect();
    const process = role === 'gateway' ? fleet.gateway : fleet.workers[0];
    const admin = await AdminClient.of(process);
    let fastest = Infinity;
    for (let i = 0; i < kTries && fastest > kRefusedMaxMs; ++i) {
      fastest = Math.min(fastest, await refusesAfter(fleet, process, admin));
    }
    admin.close();
    assert.ok(fastest <= kRefusedMaxMs * patience, `${fastest} ms`);
  }));
}

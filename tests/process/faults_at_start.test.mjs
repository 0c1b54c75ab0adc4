// An upstream with which no session begins, or only late.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkHeard, checkTurn, kSpokenPrompt, patience, RealtimeClient, speech, withFleet} from './harness.mjs';
import {checkFailed, checkWentOn, faultTest, stillServes} from './harness/faults.mjs';

// The session ends before it is ready, soon.
function neverReady(fault, arg, {reason, code}) {
  return async (fleet) => {
    await fleet.fault(fault, arg);
    const client = fleet.dial();
    await client.opened();
    const {waited} = await checkFailed(fleet, client, {reason, code});
    assert.ok(waited <= 3000 * patience, `told after ${Math.round(waited)} ms`);
    assert.ok(!client.typesSeen().includes('voicebridge.session.ready'), 'a session that failed was never called ready');
    assert.ok(!client.typesSeen().includes('session.created'));
    await stillServes(fleet);
  };
}

const refused = {reason: 'upstream_refused', code: 1011};
const unavailable = {reason: 'upstream_unavailable', code: 1013};

faultTest('refuse', 'HTTP 401 is a refusal', neverReady('refuse', 401, refused));
faultTest('refuse', 'HTTP 403 is a refusal', neverReady('refuse', 403, refused));
faultTest('refuse', 'HTTP 429 is worth another try', neverReady('refuse', 429, unavailable));
faultTest('refuse', 'HTTP 503 is worth another try', neverReady('refuse', 503, unavailable));
faultTest('bad_key', 'a refusal after the upgrade is one, too', neverReady('bad_key', undefined, refused));
faultTest('drop', 'a reset after the upgrade is worth another try', neverReady('drop', undefined, unavailable));

faultTest('accept_delay', 'a late upgrade only delays the session', async (fleet) => {
  await fleet.fault('accept_delay', 700);
  const started = performance.now();
  const client = await fleet.connect();
  assert.ok(performance.now() - started >= 690, 'session.created waits for the upstream');
  await fleet.fault('accept_delay', 300);
  const direct = RealtimeClient.dial(fleet.simulatorUrl.replace('http', 'ws'), {key: 'k', model: 'gpt-realtime-2.1'});
  const dialled = performance.now();
  await direct.opened();
  assert.ok(performance.now() - dialled >= 290, 'the 101 itself is late');
  direct.terminate();
  await checkWentOn(fleet, client);
});

faultTest('configure_delay', 'a late session.updated only delays the session', async (fleet) => {
  await fleet.fault('configure_delay', 700);
  const started = performance.now();
  const client = await fleet.connect();
  assert.ok(performance.now() - started >= 690, 'session.created waits until the upstream is configured');
  await checkWentOn(fleet, client);
});

faultTest('configure_delay', 'what is said meanwhile waits for the upstream, and is heard sample for sample', async (fleet) => {
  await fleet.fault('configure_delay', 700);
  const client = fleet.dial();
  await client.opened();
  const pcm = speech(kSpokenPrompt);
  const early = client.sendTurn(pcm);
  assert.deepEqual(client.typesSeen(), [], 'before it is ready');
  assert.equal((await early).response.status, 'completed');
  assert.equal(client.typesSeen()[0], 'session.created');
  await checkHeard(fleet, pcm);
});

test('an upstream that is not there: upstream_unavailable, close 1013', () => withFleet({workers: 1, refused: 'any', workerFlags: ['--upstream_url=ws://127.0.0.1:1/v1/realtime']}, async (fleet) => {
  const client = fleet.dial();
  await client.opened();
  await checkFailed(fleet, client, unavailable);
}));

test('a refusal of one session does not touch another', () => withFleet({workers: 1, refused: 'any'}, async (fleet) => {
  const lucky = await fleet.connect();
  await fleet.fault('bad_key');
  const client = fleet.dial();
  await client.opened();
  await checkFailed(fleet, client, refused);
  await checkTurn(fleet, lucky);
}));

// What is secret stays so: whatever happens in a fleet, no log and no process list has a secret in it.
import {strict as assert} from 'node:assert';
import {randomBytes} from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';

import {checkTurn, patience, postJson, request, runBinary, silence, withFleet} from './harness.mjs';
import {anHourAgo, bearer, mint, mintUrl, resigned, signingKey, withAuth} from './harness/credentials.mjs';
import {logged} from './harness/log.mjs';
import {PostgresServer} from './harness/postgres.mjs';

const kEnd = 20000;

// A secret as it might show: as it is, in base64 of both alphabets at any offset, percent-encoded, in hexadecimal.
function formsOf(secret) {
  const bytes = Buffer.from(secret);
  const encoded = [0, 1, 2].flatMap((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
    // Without the characters that the neighbours of the secret have a part in.
    return ['base64', 'base64url'].map((alphabet) => padded.toString(alphabet).replace(/=+$/, '').slice(offset && offset + 1, -2));
  });
  return [...new Set([bytes.toString(), encodeURIComponent(bytes.toString()), bytes.toString('hex'), ...encoded])].filter((form) => form.length >= 8);
}

function found(secrets, text) {
  return Object.entries(secrets).flatMap(([name, secret]) => formsOf(secret).filter((form) => text.includes(form)).map((form) => `${name} as ${form}`));
}

const commandLine = ({pid}) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');

test('the search finds a secret in each form in which it might show', () => {
  const secrets = {key: 'sk-test-known-key'};
  const around = (bytes, form) => Buffer.concat([Buffer.from(bytes), Buffer.from('sk-test-known-key'), Buffer.from('tail')]).toString(form);
  for (const text of ['x sk-test-known-key y', ...['', 'a', 'ab', 'abc'].flatMap((before) => ['base64', 'base64url', 'hex'].map((form) => around(before, form)))]) {
    assert.notDeepEqual(found(secrets, text), [], text);
  }
  assert.deepEqual(found(secrets, 'sk-test-known-kez'), []);
});

test('a conversation, an interview and refusals leave no secret in a log or a process list', {timeout: 120000}, async () => {
  const password = `pw-${randomBytes(9).toString('hex')}`;
  const openAiKey = `openai-${randomBytes(9).toString('hex')}`;
  const apiKey = `sk-test-${randomBytes(6).toString('hex')}`;
  const server = await PostgresServer.start();
  try {
    const database = await server.newDatabase();
    const store = database.url.replace(/^postgresql:\/\/([^:@/]+)(?::[^@/]*)?@/, `postgresql://$1:${password}@`);
    assert.ok(store.includes(password), store);
    const seen = {apiKey, openAiKey, password, signingKey};
    await withAuth(async (fleet) => {
      const good = (await mint(fleet, {profile: 'interview', limits: {max_sessions: 1}}, apiKey)).value;
      const wrong = `sk-wrong-${randomBytes(6).toString('hex')}`;
      const expired = resigned(good, anHourAgo);
      const forged = resigned(good, (claims) => claims, randomBytes(32));
      Object.assign(seen, {good, wrong, expired, forged, signature: good.split('.')[2]});

      await checkTurn(fleet, await fleet.connect({key: apiKey}), silence(300));
      const client = await fleet.connect({subprotocolKey: good});
      seen.accessToken = client.about.access_token;
      await client.sendText('안녕하세요.');
      client.send({type: 'voicebridge.assessment.request'});
      await client.waitFor('voicebridge.assessment.completed', undefined, kEnd);
      const report = `${fleet.httpUrl}/v1/sessions/${client.about.session_id}/report`;
      assert.equal((await request(report, {headers: bearer(seen.accessToken)})).status, 200);

      for (const key of [wrong, expired, forged, good]) {
        await assert.rejects(fleet.dial({key}).opened());
        await assert.rejects(fleet.dial({subprotocolKey: key}).opened());
        assert.ok((await request(`${fleet.httpUrl}/v1/realtime?key=${key}`, {headers: bearer(key)})).status >= 400);
        assert.ok((await postJson(`${mintUrl(fleet)}?key=${key}`, {key}, {headers: bearer(key)})).status >= 400);
        assert.ok((await request(report, {headers: bearer(key)})).status >= 400);
      }
      assert.ok(logged(fleet.gateway, 'request.refused').length >= 10);
      await fleet.fault('bad_key');
      const unlucky = fleet.dial({key: apiKey});
      await unlucky.opened();
      await unlucky.waitFor('voicebridge.session.ended');
      await fleet.clearFaults();

      const ours = [fleet.gateway, ...fleet.workers];
      assert.deepEqual(ours.flatMap((process) => found(seen, commandLine(process))), [], 'in the process list');
      const said = ours.flatMap((process) => found(seen, process.text()).map((what) => `${process.name}: ${what}`));
      assert.deepEqual(said, [], 'in the logs');
      for (const process of ours) {
        const metrics = await request(`${fleet.ops.get(process)}/metrics`);
        assert.deepEqual(found(seen, metrics.body), [], `in the metrics of ${process.name}`);
      }
      // What they say at their end counts as well.
      await client.close();
      await fleet.gateway.stop('SIGTERM');
      await Promise.all(fleet.workers.map((worker) => worker.stop('SIGTERM')));
      assert.deepEqual(ours.flatMap((process) => found(seen, process.text())), [], 'in the logs at the end');
    }, {apiKeys: {backend: apiKey}, workerEnv: {VOICEBRIDGE_STORE: store, OPENAI_API_KEY: openAiKey}, refused: 'any'});
  } finally {
    await server.stop();
  }
});

test('a store that cannot be opened is complained about without its password', async () => {
  const password = 'pw-of-a-store-that-is-away';
  const store = `postgresql://voicebridge:${password}@127.0.0.1:1/none`;
  const result = await runBinary('voicebridge-worker', ['--listen=127.0.0.1:0', '--profiles=/does/not/exist', '--check'], {
    env: {VOICEBRIDGE_STORE: store, OPENAI_API_KEY: 'openai-key-of-nobody'}, ms: 15000 * patience,
  });
  assert.notEqual(result.code, 0);
  assert.deepEqual(found({password, key: 'openai-key-of-nobody'}, result.stdout + result.stderr), []);
  const malformed = await runBinary('voicebridge-worker', ['--listen=127.0.0.1:0'], {
    env: {VOICEBRIDGE_STORE: `mysql://voicebridge:${password}@127.0.0.1/none`, OPENAI_API_KEY: 'openai-key-of-nobody'},
  });
  assert.equal(malformed.code, 2, malformed.stderr);
  assert.match(malformed.stderr, /--store/);
  assert.deepEqual(found({password}, malformed.stdout + malformed.stderr), []);
});

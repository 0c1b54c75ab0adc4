// Files that change under running processes: what is there lives on, what comes has the new one.
import {strict as assert} from 'node:assert';
import {createHash, randomBytes} from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {after, describe, test} from 'node:test';
import os from 'node:os';

import {checkTurn, patience, postJson, total, waitUntil, withFleet} from './harness.mjs';
import {Authority, MountedSecret, peerFlags, shownBy} from './harness/authority.mjs';
import {checkLogged, logged} from './harness/faults.mjs';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-reload-'));
after(() => fs.rmSync(dir, {recursive: true, force: true}));
const authority = new Authority(dir);

const fileOf = (name, text) => {
  const file = path.join(dir, name);
  fs.writeFileSync(file, text);
  return file;
};
const secondsLeft = async (fleet, process, listener) => total(
    await fleet.metrics(process), `voicebridge_${process === fleet.gateway ? 'gateway' : 'worker'}_certificate_seconds_left`, `listener="${listener}"`);
const refusedReloads = async (fleet) => (await fleet.metrics(fleet.gateway)).get('voicebridge_gateway_reloads_refused_total');
const kDay = 24 * 60 * 60;

function checkDays(seconds, days) {
  assert.ok(seconds > (days * kDay) - 3600 && seconds <= days * kDay, `${seconds} s are about ${days} days`);
}

describe('files are taken anew while sessions live', {concurrency: true}, () => {
  test('the public certificate: a session goes on, the next connection is shown the new one; a pair that does not match changes nothing', async () => {
    const [first, second, third] = [['first', 1], ['second', 30], ['third', 1]].map(([name, days]) => authority.issue(name, {days}));
    const mounted = new MountedSecret(path.join(dir, 'public'), {cert: first.cert, key: first.key});
    await withFleet({workers: 1, tls: {cert: mounted.path('cert'), key: mounted.path('key')}}, async (fleet) => {
      const address = await fleet.gateway.listening('public');
      const trusting = {ca: fs.readFileSync(authority.certificate)};
      const client = await fleet.connect(trusting);
      await checkTurn(fleet, client);
      assert.equal(await shownBy(address), 'first');
      checkDays(await secondsLeft(fleet, fleet.gateway, 'public'), 1);

      mounted.turn({cert: second.cert, key: second.key});
      const line = await checkLogged(fleet.gateway, 'certificate.reloaded', {listener: 'public', subject: 'CN=second', level: 'info'});
      assert.match(line.expires, /^\d{4}-\d\d-\d\dT/);
      assert.equal(await shownBy(address), 'second');
      checkDays(await secondsLeft(fleet, fleet.gateway, 'public'), 30);
      await checkTurn(fleet, client);
      await checkTurn(fleet, await fleet.connect(trusting));

      mounted.turn({cert: third.cert, key: second.key});
      const refused = await checkLogged(fleet.gateway, 'reload.refused', {level: 'error'});
      assert.match(refused.reason, /--tls_key: ".*\/public\/key": expected the private key of the certificate/);
      assert.equal(await refusedReloads(fleet), 1);
      assert.equal(await shownBy(address), 'second');
      checkDays(await secondsLeft(fleet, fleet.gateway, 'public'), 30);
      await checkTurn(fleet, client);

      mounted.turn({cert: third.cert, key: third.key});
      await checkLogged(fleet.gateway, 'certificate.reloaded', {subject: 'CN=third'});
      assert.equal(await shownBy(address), 'third');
      assert.doesNotMatch(fleet.gateway.text(), /BEGIN/, 'neither key nor certificate in the log');
    });
  });

  test('signing keys: a secret is good for as long as its key is listed', async () => {
    const [old, young] = ['old', 'young'].map((id) => `${id} ${randomBytes(32).toString('base64')}\n`);
    const file = fileOf('signing-keys', old);
    const key = 'a-servers-key';
    await withFleet({workers: 1, apiKeys: {server: key}, gatewayFlags: [`--signing_keys=${file}`]}, async (fleet) => {
      const mint = async () => {
        const {status, body} = await postJson(`${fleet.httpUrl}/v1/realtime/client_secrets`, {}, {headers: {Authorization: `Bearer ${key}`}});
        assert.equal(status, 200, body);
        return JSON.parse(body).value;
      };
      const taken = (keys, count) => waitUntil(() => logged(fleet.gateway, 'keys.reloaded').filter((line) => line.keys === keys).length === count,
                                               {ms: 3000 * patience, what: `${keys} keys to be taken`, got: () => fleet.gateway.tail()});
      const before = await mint();
      const client = await fleet.connect({key: before});

      fs.writeFileSync(file, young + old);
      await taken(2, 1);
      const after = await mint();
      await Promise.all([before, after].map(async (secret) => (await fleet.connect({key: secret})).close()));

      fs.writeFileSync(file, young);
      await taken(1, 1);
      await assert.rejects(fleet.dial({key: before}).opened(), {status: 401});
      await (await fleet.connect({key: after})).close();
      await checkTurn(fleet, client);

      fs.writeFileSync(file, 'young tooshort\n');
      const {reason} = await checkLogged(fleet.gateway, 'reload.refused', {level: 'error'});
      assert.match(reason, /--signing_keys: ".*signing-keys": line 1: expected at least 32 random bytes/);
      assert.doesNotMatch(fleet.gateway.text(), /tooshort/);
      await (await fleet.connect({key: after})).close();
    });
  });

  test('API keys: one that has gone is refused, a new one comes in; a file that cannot be read changes nothing', async () => {
    const line = (name, key) => `${name} ${createHash('sha256').update(key).digest('hex')}\n`;
    await withFleet({workers: 1, apiKeys: {first: 'key-one'}}, async (fleet) => {
      const file = path.join(fleet.dir, 'api-keys');
      const client = await fleet.connect({key: 'key-one'});
      const next = path.join(fleet.dir, 'api-keys.next');
      fs.writeFileSync(next, line('second', 'key-two') + line('third', 'key-three'));
      fs.renameSync(next, file);
      await checkLogged(fleet.gateway, 'keys.reloaded', {flag: 'api_keys', keys: 2});
      await assert.rejects(fleet.dial({key: 'key-one'}).opened(), {status: 401});
      await (await fleet.connect({key: 'key-two'})).close();
      await checkTurn(fleet, client);

      fs.rmSync(file);
      const {reason} = await checkLogged(fleet.gateway, 'reload.refused', {level: 'error'});
      assert.match(reason, /--api_keys: cannot read/);
      await (await fleet.connect({key: 'key-three'})).close();
    });
  });

  // The worker believes both authorities at first, and only the new one in the end.
  test('peer certificates: sessions live on, and what comes goes over connections with the new ones', async () => {
    const next = new Authority(dir, 'next');
    const both = fileOf('both.pem', [authority, next].map(({certificate}) => fs.readFileSync(certificate)).join(''));
    const mount = (who) => {
      const {cert, key} = authority.issue(who);
      return new MountedSecret(path.join(dir, who), {cert, key, ca: both});
    };
    const mounts = {gateway: mount('gateway'), worker: mount('worker')};
    const pathsOf = (mounted) => ({cert: mounted.path('cert'), key: mounted.path('key'), ca: mounted.path('ca')});
    const peer = {gateway: pathsOf(mounts.gateway), worker: pathsOf(mounts.worker)};
    await withFleet({workers: 1, peer, workersReturn: true}, async (fleet) => {
      const [worker] = fleet.workers;
      const renewed = {gateway: fleet.gateway, worker};
      const client = await fleet.connect();
      await checkTurn(fleet, client);
      for (const [who, mounted] of Object.entries(mounts)) {
        const {cert, key} = next.issue(`new-${who}`, {days: 7});
        mounted.turn({cert, key, ca: both});
        await checkLogged(renewed[who], 'certificate.reloaded', {listener: 'peer', subject: `CN=new-${who}`});
        checkDays(await secondsLeft(fleet, renewed[who], 'peer'), 7);
        mounted.turn({cert, key, ca: next.certificate});
        await waitUntil(() => logged(renewed[who], 'certificate.reloaded').length === 2, {ms: 3000 * patience, what: 'the old authority to go'});
      }
      assert.equal(await shownBy(await worker.listening('grpc')), 'new-worker');
      assert.equal(await shownBy(await fleet.gateway.listening('admin')), 'new-gateway');
      const later = await fleet.connect();
      await checkTurn(fleet, later);
      await checkTurn(fleet, client);
      assert.deepEqual(logged(fleet.gateway, 'worker.lost'), [], 'the watch was never broken');

      // A process that never heard of the old authority refuses whoever still shows its certificate.
      await fleet.killWorker(worker);
      await fleet.servingWorkers(0);
      await fleet.restartWorker(worker);
      await fleet.servingWorkers(1);
      await checkTurn(fleet, await fleet.connect());
    });
  });

  test("the worker's key: a rotated one is used by the next connection", async () => {
    const seen = [];
    const upstream = http.createServer();
    upstream.on('upgrade', ({headers}, socket) => {
      seen.push(headers.authorization);
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const file = fileOf('openai-key', 'key-before\n');
    const url = `ws://127.0.0.1:${upstream.address().port}/v1/realtime`;
    try {
      await withFleet({workers: 1, workerFlags: [`--openai_api_key_file=${file}`, `--upstream_url=${url}`]}, async (fleet) => {
        const [worker] = fleet.workers;
        const refused = async () => {
          const client = fleet.dial();
          await client.opened();
          await client.waitForClose();
        };
        await refused();
        fs.writeFileSync(file, '\n');
        await checkLogged(worker, 'reload.refused', {level: 'error'});
        await refused();
        fs.writeFileSync(file, 'key-after\n');
        await checkLogged(worker, 'keys.reloaded', {flag: 'openai_api_key_file'});
        await refused();
        assert.deepEqual(seen, ['Bearer key-before', 'Bearer key-before', 'Bearer key-after']);
        assert.doesNotMatch(worker.text(), /key-(before|after)/);
      });
    } finally {
      upstream.close();
    }
  });
});

// HAProxy as it is deployed, in front of gateways that are played: where it sends whom, and that it cuts nobody off.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {patience, request, run, waitUntil, within} from '../process/harness.mjs';
import {makeSecrets} from './harness/check.mjs';
import {changed, configuration, PlayedGateway, startHaproxy, upgrade} from './harness/haproxy.mjs';
import {deployDir} from './harness/yaml.mjs';

const kNoticed = 1000;  // What is promised of a gateway that drains.

async function withHaproxy(body, more) {
  const gateways = [await PlayedGateway.start(), await PlayedGateway.start()];
  try {
    const haproxy = await startHaproxy(gateways, more);
    try {
      await body(haproxy, gateways);
    } finally {
      await haproxy.process.stop('SIGTERM');
    }
  } finally {
    gateways.forEach((gateway) => gateway.stop());
  }
}

const check = (file, env) => run('haproxy', ['-c', '-q', '-f', file], {env});
const names = {GATEWAY_1: '127.0.0.1:1', GATEWAY_2: '127.0.0.1:2'};

test('HAProxy takes both files, plain and with TLS; not with an unknown word', async () => {
  const secrets = makeSecrets();
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-haproxy-'));
  try {
    const certificate = path.join(secrets.directory, 'simulator.pem');
    const simulator = path.join(deployDir, 'haproxy/simulator.cfg');
    for (const [file, env] of [
      [configuration, names], [configuration, {...names, TLS_CERT: certificate}], [simulator, {SIMULATOR: '127.0.0.1:1', SIMULATOR_CERT: certificate}],
    ]) {
      assert.deepEqual(await check(file, env).then(({code, stderr}) => ({code, stderr})), {code: 0, stderr: ''});
    }
    assert.notEqual((await check(changed(directory, 'balance leastconn', 'balance fairly'), names)).code, 0);
  } finally {
    secrets.remove();
    fs.rmSync(directory, {recursive: true});
  }
});

test('new sessions go to the gateway with fewer; of one that is not ready within a second to the other; its sockets live on', () => withHaproxy(async ({url}, gateways) => {
  const [first, second] = [await upgrade(url), await upgrade(url)];
  assert.deepEqual(gateways.map(({sockets}) => sockets.size), [1, 1]);
  gateways[0].ready = 503;
  const drainedAt = performance.now();
  let last = 0;
  const ask = async () => {
    const before = gateways[0].requests.length;
    const {status, socket} = await upgrade(url);
    assert.equal(status, 101);
    socket.destroy();
    if (gateways[0].requests.length > before) {
      last = performance.now() - drainedAt;
    }
    return performance.now() - drainedAt > 2 * kNoticed;
  };
  await waitUntil(ask, {ms: 5000 * patience, what: 'two seconds of sessions'});
  assert.ok(last < kNoticed * patience, `the last one after ${Math.round(last)} ms`);

  for (const {socket} of [first, second]) {
    const echoed = new Promise((resolve) => socket.once('data', (data) => resolve(String(data))));
    socket.write('still here');
    assert.equal(await within(echoed, 1000, 'the echo'), 'still here');
    socket.destroy();
  }
}));

test('a gateway that refuses with 503 is not the last word while another one serves', () => withHaproxy(async ({url}, gateways) => {
  gateways[0].status = 503;
  for (let i = 0; i < 4; ++i) {
    const {status, socket} = await upgrade(url);
    assert.equal(status, 101);
    socket.destroy();
  }
  assert.ok(gateways[0].requests.length > 0, 'it was asked');
  gateways[1].status = 503;
  assert.equal((await upgrade(url)).status, 503);
}));

test('what is posted is sent once', () => withHaproxy(async ({url}, gateways) => {
  gateways.forEach((gateway) => {
    gateway.status = 503;
  });
  assert.equal((await request(`${url}/v1/realtime/client_secrets`, {method: 'POST', body: '{}'})).status, 503);
  assert.equal(gateways[0].requests.length + gateways[1].requests.length, 1);
}));

test('with no gateway ready: 503, when to try again, and an error of the API\'s shape', () => withHaproxy(async ({url}, gateways) => {
  gateways.forEach((gateway) => {
    gateway.ready = 503;
  });
  let answer;
  await waitUntil(async () => {
    answer = await request(`${url}/v1/realtime`);
    return answer.status === 503;
  }, {ms: kNoticed * patience, what: 'it to know'});
  assert.match(answer.headers['retry-after'], /^\d+$/);
  assert.equal(JSON.parse(answer.body).error.code, 'no_gateway');
}));

test('a gateway learns the address of the client, whatever the client says that it is', () => withHaproxy(async ({url, opsUrl}, gateways) => {
  const {socket} = await upgrade(url, {'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https'});
  socket.destroy();
  const [{headers}] = gateways.flatMap(({requests}) => requests);
  assert.equal(headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(headers['x-forwarded-proto'], 'http');
  assert.match((await request(`${opsUrl}/metrics`)).body, /^haproxy_server_status/m);
}));

// What operators have at hand already: gRPC health and reflection, promtool, curl.
import {strict as assert} from 'node:assert';
import {execFile} from 'node:child_process';
import test from 'node:test';

import {checkTurn, patience, request, run, waitUntil, watchHealth, withFleet} from './harness.mjs';
import {AdminClient} from './harness/admin.mjs';
import {checkHealth} from './harness/health.mjs';
import {filesOf, servicesAt} from './harness/reflection.mjs';

const kNoticedMaxMs = 100;

const processesOf = (fleet) => [fleet.gateway, ...fleet.workers];

async function watchThroughADrain(process) {
  const address = await process.listening('admin');
  const watch = await watchHealth(address);
  assert.deepEqual(watch.statuses, ['SERVING']);
  assert.equal(await checkHealth(address), 'SERVING');
  const admin = await AdminClient.of(process);
  const asked = performance.now();
  const drain = admin.drain({mode: 'FINISH', budget: {seconds: 60}});
  drain.catch(() => {});
  await waitUntil(() => watch.statuses.length === 2, {ms: 5000 * patience, every: 1, what: `the Watch of ${process.name} to hear of the drain`});
  const ms = performance.now() - asked;
  assert.equal(watch.statuses[1], 'NOT_SERVING');
  assert.equal(await checkHealth(address), 'NOT_SERVING');
  await admin.undrain();
  await assert.rejects(drain, /undone/);
  await waitUntil(() => watch.statuses.length === 3, {ms: 5000 * patience, what: `the Watch of ${process.name} to hear that it serves again`});
  assert.equal(watch.statuses[2], 'SERVING');
  assert.equal(watch.ended, undefined, 'one call, all the time');
  watch.stop();
  admin.close();
  return ms;
}

test('gRPC health says NOT_SERVING at once in a drain, by Check and by Watch, while the session goes on', () => withFleet({workers: 1}, async (fleet) => {
  const client = await fleet.connect();
  for (const process of processesOf(fleet)) {
    let fastest = Infinity;  // The machine has other work.
    for (let i = 0; i < 3 && fastest > kNoticedMaxMs; ++i) {
      fastest = Math.min(fastest, await watchThroughADrain(process));
    }
    assert.ok(fastest < kNoticedMaxMs * patience, `${process.name}: ${fastest} ms`);
  }
  await checkTurn(fleet, client);
}));

test('gRPC reflection lists what the admin listener offers, and describes it', () => withFleet({workers: 1}, async (fleet) => {
  for (const process of processesOf(fleet)) {
    const address = await process.listening('admin');
    const services = await servicesAt(address);
    for (const service of ['voicebridge.v1.Admin', 'grpc.health.v1.Health', 'grpc.reflection.v1alpha.ServerReflection']) {
      assert.ok(services.includes(service), `${process.name} lists ${services}`);
    }
    const files = await filesOf(address, 'voicebridge.v1.Admin');
    assert.ok(files.some((file) => file.includes('voicebridge/v1/admin.proto') && file.includes('ListSessions')), process.name);
  }
}));

// promtool reads the scrape from its standard input.
function lint(text) {
  return new Promise((resolve) => {
    const tool = execFile('promtool', ['check', 'metrics'], {timeout: 20000 * patience}, (error, stdout, stderr) => resolve({code: error?.code ?? 0, said: stdout + stderr}));
    tool.stdin.end(text);
  });
}

async function checkScrapes(fleet, when) {
  for (const process of processesOf(fleet)) {
    const {status, headers, body} = await request(`${fleet.ops.get(process)}/metrics`);
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
    assert.deepEqual(await lint(body), {code: 0, said: ''}, `${process.name} ${when}`);
  }
}

test('promtool finds nothing to say about the metrics, before sessions, with them and after them', () => withFleet({workers: 1}, async (fleet) => {
  await checkScrapes(fleet, 'before');
  const clients = await Promise.all(['assistant', 'interview'].map((profile) => fleet.connect({profile})));
  await checkTurn(fleet, clients[0]);
  await checkScrapes(fleet, 'with sessions');
  await Promise.all(clients.map((client) => client.close()));
  await fleet.sessionsGone();
  await checkScrapes(fleet, 'after them');
  assert.notEqual((await lint('# TYPE x counter\nx 1\n')).code, 0, 'promtool objects to a counter without _total');
}));

const curl = (...args) => run('curl', ['--silent', '--show-error', '--max-time', '5', ...args], {ms: 10000});

test('curl sees health, readiness and metrics at the ops port', () => withFleet({workers: 1}, async (fleet) => {
  for (const process of processesOf(fleet)) {
    const ops = fleet.ops.get(process);
    const status = async (path, ...args) => (await curl('--output', '/dev/null', '--write-out', '%{http_code}', ...args, `${ops}${path}`)).stdout.trim();
    assert.equal((await curl('--fail', `${ops}/healthz`)).stdout.trim(), 'ok');
    assert.equal((await curl('--fail', `${ops}/readyz`)).stdout.trim(), 'ready');
    assert.match((await curl('--fail', `${ops}/metrics`)).stdout, /^voicebridge_\w+_build_info\{version="\d+\.\d+\.\d+"\} 1$/m);
    assert.equal(await status('/healthz', '--head'), '200');
    assert.equal(await status('/'), '404');
    assert.equal(await status('/metrics', '--request', 'POST'), '405');
    const admin = await AdminClient.of(process);
    await admin.drain({mode: 'CLOSE', budget: {seconds: 2}});
    admin.close();
    assert.equal(await status('/readyz'), '503');
    assert.equal((await curl(`${ops}/readyz`)).stdout.trim(), 'draining');
    assert.equal(await status('/healthz'), '200');
  }
}));

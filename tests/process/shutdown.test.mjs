// How the processes come up, go down, and refuse to come up.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {binDir, checkTurn, Fleet, ManagedProcess, patience, request, root, runBinary, watchHealth, withFleet} from './harness.mjs';
import {noPidOne, PidOne} from './harness/pid_one.mjs';

const kBudget = 3000;
const kPrograms = ['voicebridge-gateway', 'voicebridge-worker'];
const kProfiles = `--profiles=${path.join(root, 'bridge_worker/profiles')}`;
const kKey = {env: {OPENAI_API_KEY: 'test-key'}};

// Ends everything by the signal; every exit is clean and within the budget.
async function endBySignal(signal, sessions) {
  const fleet = await Fleet.start();
  try {
    const clients = [];
    for (let i = 0; i < sessions; ++i) {
      clients.push(await fleet.connect());
    }
    const ours = [fleet.gateway, ...fleet.workers];
    const exits = await Promise.all(ours.map((process) => process.stop(signal, kBudget + 2000)));
    exits.forEach((exit, i) => {
      assert.equal(exit.code, 0, `${ours[i].name}: ${JSON.stringify(exit)}\n${ours[i].tail()}`);
      assert.ok(exit.ms <= kBudget * patience, `${ours[i].name} took ${Math.round(exit.ms)} ms`);
    });
    for (const client of clients) {
      await checkDrained(client);
    }
    return exits;
  } finally {
    await fleet.kill();
  }
}

async function checkDrained(client) {
  const close = await client.waitForClose(kBudget);
  assert.equal(close.code, 1001, JSON.stringify(close));
  const ended = client.events.find((event) => event.type === 'voicebridge.session.ended');
  assert.ok(ended, `voicebridge.session.ended before the close, got ${client.typesSeen().join(', ')}`);
  assert.equal(ended.reason, 'draining');
  assert.equal(ended.resumable, false);
  const draining = client.events.findIndex((event) => event.type === 'voicebridge.session.draining');
  assert.ok(draining >= 0 && draining < client.events.indexOf(ended), `draining is told before the end, got ${client.typesSeen().join(', ')}`);
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  for (const sessions of [0, 5]) {
    test(`${signal} with ${sessions} sessions: all exit with 0 within the budget, clients are told`, async (t) => {
      const exits = await endBySignal(signal, sessions);
      t.diagnostic(`ms from kill to exit: ${exits.map((exit) => Math.round(exit.ms)).join(', ')}`);
    });
  }
}

test('a worker that goes away tells its sessions, and new ones go to the other', () => withFleet({}, async (fleet) => {
  const clients = [];
  for (let i = 0; i < 8; ++i) {
    clients.push(await fleet.connect());
  }
  const gauges = await fleet.gauges();
  assert.ok(gauges['worker-1'].sessions > 0 && gauges['worker-2'].sessions > 0, `both workers have sessions: ${JSON.stringify(gauges)}`);
  const exit = await fleet.workers[0].stop('SIGTERM');
  assert.equal(exit.code, 0);
  assert.ok(exit.ms <= kBudget * patience, `${Math.round(exit.ms)} ms`);
  const told = [];
  for (const client of clients) {
    if (client.closed || client.typesSeen().includes('voicebridge.session.ended')) {
      await checkDrained(client);
      told.push(client);
    }
  }
  assert.equal(told.length, gauges['worker-1'].sessions, 'exactly the sessions of that worker ended');
  await checkTurn(fleet, clients.find((client) => !told.includes(client)));
  await checkTurn(fleet, await fleet.connect());
  fleet.workers.shift();
}));

test('a gateway that goes away leaves its workers without sessions and serving', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  const exit = await fleet.gateway.stop('SIGTERM');
  assert.equal(exit.code, 0);
  await checkDrained(client);
  for (const worker of fleet.workers) {
    assert.equal((await request(`${fleet.ops.get(worker)}/readyz`)).status, 200);
  }
  const left = await Promise.all(fleet.workers.map((worker) => fleet.metrics(worker)));
  left.forEach((metrics) => assert.equal(metrics.get('voicebridge_worker_sessions'), 0));
}));

test('an open health Watch does not hold up the exit', async () => {
  const fleet = await Fleet.start({workers: 1});
  try {
    const watch = await watchHealth(await fleet.workers[0].listening('admin'));
    const exit = await fleet.workers[0].stop('SIGTERM', kBudget + 2000);
    assert.equal(exit.code, 0);
    assert.ok(exit.ms <= kBudget * patience, `${Math.round(exit.ms)} ms`);
    watch.stop();
  } finally {
    await fleet.kill();
  }
});

test('readiness of a gateway follows its workers, health does not', async () => {
  const gateway = ManagedProcess.binary('voicebridge-gateway', ['--listen=127.0.0.1:0', '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0',
                                                                '--workers=127.0.0.1:1', '--insecure_no_auth']);
  try {
    const ops = `http://${await gateway.listening('ops')}`;
    assert.equal((await request(`${ops}/readyz`)).status, 503);
    assert.equal((await request(`${ops}/healthz`)).status, 200);
    assert.equal((await gateway.stop()).code, 0);
  } finally {
    gateway.kill('SIGKILL');
  }
});

test('a pid file names the process while it lives', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-pid-'));
  const file = path.join(dir, 'worker.pid');
  const worker = ManagedProcess.binary('voicebridge-worker', ['--listen=127.0.0.1:0', '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0', kProfiles, `--pid_file=${file}`], kKey);
  try {
    await worker.listening('grpc');
    assert.equal(fs.readFileSync(file, 'utf8').trim(), String(worker.pid));
    assert.equal((await worker.stop()).code, 0);
    assert.ok(!fs.existsSync(file), 'the pid file is gone');
  } finally {
    worker.kill('SIGKILL');
    fs.rmSync(dir, {recursive: true});
  }
});

const kAlone = {
  'voicebridge-gateway': ['--workers=127.0.0.1:1', '--insecure_no_auth'],
  'voicebridge-worker': [kProfiles],
};

// As in a container, where the kernel keeps signals from it that it does not ask for.
test('as process 1 it ends by SIGTERM and by SIGINT', {skip: noPidOne}, async () => {
  for (const program of kPrograms) {
    for (const signal of ['SIGTERM', 'SIGINT']) {
      const container = await PidOne.start(program, path.join(binDir, program), ['--listen=127.0.0.1:0', '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0', ...kAlone[program]], kKey);
      try {
        await container.listening('admin');
        assert.equal((await container.stop(signal, kBudget + 2000)).code, 0, container.text());
      } finally {
        container.kill('SIGKILL');
      }
    }
  }
});

for (const program of kPrograms) {
  test(`${program} --help and --version exit with 0`, async () => {
    const help = await runBinary(program, ['--help']);
    assert.equal(help.code, 0, help.stderr);
    for (const flag of ['listen', 'admin_listen', 'ops_listen', 'drain_budget', 'shards', 'flagfile', 'check']) {
      assert.ok(help.stdout.includes(`--${flag}`), `--${flag} in the help:\n${help.stdout}`);
    }
    const version = await runBinary(program, ['--version']);
    assert.equal(version.code, 0);
    assert.match(version.stdout, /\d+\.\d+/);
  });

  test(`${program} exits with 1 for a flag that it cannot parse`, async () => {
    for (const flag of ['--no_such_flag=1', '--shards=many', '--drain_budget=soon']) {
      const result = await runBinary(program, [flag], kKey);
      assert.equal(result.code, 1, `${flag}: ${JSON.stringify(result)}`);
      assert.ok(result.stderr.includes(flag.slice(2).split('=')[0]), `the message names the flag: ${result.stderr}`);
    }
  });
}

const configurations = [
  ['voicebridge-gateway', [], /workers/],
  ['voicebridge-gateway', ['--workers=nowhere', '--insecure_no_auth'], /workers/],
  ['voicebridge-gateway', ['--workers=127.0.0.1:1'], /api_keys|insecure_no_auth/],
  ['voicebridge-gateway', ['--workers=127.0.0.1:1', '--insecure_no_auth', '--listen=here'], /listen/],
  ['voicebridge-gateway', ['--workers=127.0.0.1:1', '--insecure_no_auth', '--drain_budget=100ms'], /drain_budget/],
  ['voicebridge-gateway', ['--workers=dns:nowhere', '--insecure_no_auth'], /--workers.*HOST:PORT/],
  ['voicebridge-gateway', ['--workers=dns:nowhere:1,127.0.0.1:1', '--insecure_no_auth'], /--workers.*dns:nowhere:1/],
  ['voicebridge-gateway', ['--workers=127.0.0.1:1', '--insecure_no_auth', '--tls_cert=/does/not/exist.pem', '--tls_key=/does/not/exist.key'], /tls_cert|exist\.pem/],
  ['voicebridge-gateway', ['--workers=127.0.0.1:1', '--api_keys=/does/not/exist'], /api_keys/],
  ['voicebridge-gateway', ['--workers=127.0.0.1:1', '--insecure_no_auth', '--trusted_proxies=10.0.0.0/8,balancer'], /--trusted_proxies: .*ADDRESS\/BITS.*balancer/],
  ['voicebridge-gateway', ['--workers=127.0.0.1:1', '--insecure_no_auth', '--max_sessions_per_address=-1'], /--max_sessions_per_address: expected 0 to/],
  ['voicebridge-gateway', ['--workers=127.0.0.1:1', '--insecure_no_auth', '--web_root=/does/not/exist'], /web_root/],
  ['voicebridge-gateway', ['--workers=127.0.0.1:1', '--insecure_no_auth', '--signing_keys=/does/not/exist'], /signing_keys/],
  ['voicebridge-worker', ['--profiles=/does/not/exist'], /profiles/],
  ['voicebridge-worker', [kProfiles, '--store=sqlite:/does/not/exist/store.db'], /store.*can be written/],
  ['voicebridge-worker', [kProfiles, '--store=/does/not/exist'], /store.*expected sqlite:/],
  ['voicebridge-worker', [kProfiles, '--openai_api_key_file=/does/not/exist'], /openai_api_key_file/],
  ['voicebridge-worker', [kProfiles, '--upstream_url=ws://example.com/v1/realtime'], /upstream_url/],
  ['voicebridge-worker', [kProfiles, '--shards=0'], /shards/],
];

test('a bad configuration exits with 2 and names the flag', async () => {
  for (const [program, args, names] of configurations) {
    const result = await runBinary(program, args, kKey);
    assert.equal(result.code, 2, `${program} ${args.join(' ')}: ${JSON.stringify(result)}`);
    assert.match(result.stderr, names);
  }
  const keyless = await runBinary('voicebridge-worker', [kProfiles]);
  assert.equal(keyless.code, 2);
  assert.match(keyless.stderr, /OPENAI_API_KEY|openai_api_key_file/);
});

test('--check validates, says so and does not serve', async () => {
  const gateway = await runBinary('voicebridge-gateway', ['--workers=127.0.0.1:1', '--insecure_no_auth', '--check']);
  assert.equal(gateway.code, 0, gateway.stderr);
  const worker = await runBinary('voicebridge-worker', [kProfiles, '--check'], kKey);
  assert.equal(worker.code, 0, worker.stderr);
  for (const result of [gateway, worker]) {
    assert.ok(!result.stdout.includes('listening'), result.stdout);
  }
});

test('flags win over the environment, the environment over a flag file', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-flags-'));
  const file = path.join(dir, 'flags');
  fs.writeFileSync(file, '--drain_budget=1ms\n--shards=0\n');
  const check = (args, env = {}) => runBinary('voicebridge-worker', [kProfiles, `--flagfile=${file}`, '--check', ...args], {env: {...kKey.env, ...env}});
  try {
    assert.equal((await check([])).code, 2);
    assert.equal((await check([], {VOICEBRIDGE_DRAIN_BUDGET: '3s', VOICEBRIDGE_SHARDS: '1'})).code, 0);
    assert.equal((await check(['--shards=0'], {VOICEBRIDGE_DRAIN_BUDGET: '3s', VOICEBRIDGE_SHARDS: '1'})).code, 2);
    assert.equal((await check(['--shards=1', '--drain_budget=3s'])).code, 0);
  } finally {
    fs.rmSync(dir, {recursive: true});
  }
});

test('--check reads what is needed later, too: authorities, and the secrets of webhooks', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-check-'));
  const profile = JSON.parse(fs.readFileSync(path.join(root, 'bridge_worker/profiles/assistant.json')));
  const webhook = {url: 'https://tools.example/weather', secret_file: path.join(dir, 'secret')};
  profile.tools = [{name: 'weather', description: 'The weather.', parameters: {type: 'object', properties: {}}, webhook}];
  fs.writeFileSync(path.join(dir, 'assistant.json'), JSON.stringify(profile));
  fs.writeFileSync(path.join(dir, 'empty.pem'), '');
  const check = (...args) => runBinary('voicebridge-worker', ['--check', ...args], kKey);
  try {
    for (const [args, names] of [
      [[kProfiles, `--upstream_ca=${dir}/none.pem`], /upstream_ca.*none\.pem/],
      [[kProfiles, `--upstream_ca=${dir}/empty.pem`], /upstream_ca.*empty\.pem/],
      [[`--profiles=${dir}`], /profiles.*assistant\.json: tools: weather: webhook\.secret_file/],
    ]) {
      const result = await check(...args);
      assert.equal(result.code, 2, JSON.stringify(result));
      assert.match(result.stderr, names);
    }
    fs.writeFileSync(webhook.secret_file, `whsec_${Buffer.alloc(32).toString('base64')}`);
    const good = await check(`--profiles=${dir}`);
    assert.equal(good.code, 0, good.stderr);
  } finally {
    fs.rmSync(dir, {recursive: true});
  }
});

test('what may be there a moment later exits with 5: a port that is taken, a store that is away', async () => {
  const first = ManagedProcess.binary('realtime-simulator', ['--listen=127.0.0.1:0']);
  try {
    const taken = await first.listening('simulator');
    const store = '--store=postgresql://voicebridge@127.0.0.1:1/voicebridge';
    const open = ['--workers=127.0.0.1:1', '--insecure_no_auth'];
    for (const [program, args, names] of [
      ['voicebridge-worker', [kProfiles, `--listen=${taken}`], taken],
      ['voicebridge-worker', [kProfiles, `--ops_listen=${taken}`], taken],
      ['voicebridge-worker', [kProfiles, `--admin_listen=${taken}`], taken],
      ['voicebridge-worker', [kProfiles, store], '--store: '],
      ['voicebridge-gateway', [...open, `--listen=${taken}`], taken],
    ]) {
      const result = await runBinary(program, args, kKey);
      assert.equal(result.code, 5, `${program} ${args.join(' ')}: ${JSON.stringify(result)}`);
      assert.ok(result.stderr.includes(names), result.stderr);
    }
  } finally {
    await first.stop();
  }
});

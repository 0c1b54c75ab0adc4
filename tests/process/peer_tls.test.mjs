// TLS between our own processes: both sides show a certificate, and whoever has none of the authority is refused.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {after, describe, test} from 'node:test';
import tls from 'node:tls';

import {checkTurn, kSpokenPrompt, patience, runBinary, speech, waitUntil, within, withFleet} from './harness.mjs';
import {AdminClient} from './harness/admin.mjs';
import {Authority, grpcCredentials, peerFlags} from './harness/authority.mjs';
import {checkLogged, logged} from './harness/faults.mjs';
import {Hosts} from './harness/hosts.mjs';
import {total} from './harness/http.mjs';
import {isAnswered, LoneWorker} from './harness/lone_worker.mjs';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-peers-'));
after(() => fs.rmSync(dir, {recursive: true, force: true}));

const authority = new Authority(dir);
const foreign = new Authority(dir, 'foreign');
const operator = authority.issue('operator');
const kPeer = {gateway: authority.issue('gateway'), worker: authority.issue('worker')};
const kHttp2 = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';

const ctl = async (process, command, ...args) => runBinary('voicebridgectl', [command, await process.listening('admin'), ...args]);
const ctlAs = async (identity, process, command, ...args) => ctl(process, command, ...peerFlags(identity), ...args);
const secretsOf = (identity) => fs.readFileSync(identity.key, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('-----'));

// The metric counts connections that were refused, by reason.
async function refusals(fleet, process) {
  const metrics = await fleet.metrics(process);
  const prefix = process === fleet.gateway ? 'voicebridge_gateway' : 'voicebridge_worker';
  const count = (reason) => total(metrics, `${prefix}_peers_refused_total`, `reason="${reason}"`);
  return Object.fromEntries(['no_certificate', 'bad_certificate', 'not_tls', 'other'].map((reason) => [reason, count(reason)]));
}

// Resolves once the server has ended the connection.
function knockWithTls(address, identity) {
  const [host, port] = address.split(':');
  const read = (file) => file && fs.readFileSync(file);
  const socket = tls.connect({host, port, ca: read(authority.certificate), key: read(identity?.key), cert: read(identity?.cert), ALPNProtocols: ['h2']});
  return ended(socket);
}

function knockInTheClear(address) {
  const [host, port] = address.split(':');
  const socket = net.connect({host, port}, () => socket.write(kHttp2));
  return ended(socket);
}

function ended(socket) {
  socket.on('error', () => {});
  socket.on('data', () => {});
  return within(new Promise((resolve) => socket.on('close', resolve)), 5000 * patience, 'the server to end the connection');
}

test('a turn and a drain of the whole fleet, with a certificate on both sides of each connection', () => withFleet({peer: kPeer}, async (fleet) => {
  const client = await fleet.connect();
  await checkTurn(fleet, client);
  assert.equal(logged(fleet.gateway, 'certificate.loaded')[0].subject, 'CN=gateway');
  const {code, stdout, stderr} = await ctlAs(operator, fleet.gateway, 'drain', '--fleet', '--exit', '--json');
  assert.equal(code, 0, stderr);
  const {summary} = JSON.parse(stdout);
  assert.deepEqual([...(summary.unreachable ?? [])], []);
  assert.equal((await client.waitForClose()).code, 1001);
  for (const process of [fleet.gateway, ...fleet.workers]) {
    assert.equal((await process.waitForExit(5000)).code, 0);
  }
}));

test('voicebridgectl, and any client of gRPC, is served with a certificate only, and is told what is missing', () => withFleet({workers: 1, peer: kPeer}, async (fleet) => {
  for (const process of [fleet.gateway, ...fleet.workers]) {
    const status = await ctlAs(operator, process, 'status');
    assert.equal(status.code, 0, status.stderr);
    assert.match(status.stdout, /^(gateway|worker) /);
    const admin = await AdminClient.of(process, grpcCredentials(operator));
    assert.equal((await admin.status()).draining, false);
    admin.close();
    for (const command of ['status', 'drain']) {
      const plain = await ctl(process, command);
      assert.equal(plain.code, 1);
      assert.match(plain.stderr, /UNAVAILABLE.*--peer_cert, --peer_key and --peer_ca/, command);
    }
    const other = await ctlAs(foreign.issue('operator'), process, 'status');
    assert.equal(other.code, 1);
    assert.match(other.stderr, /UNAVAILABLE.*certificate/);
  }
  assert.equal((await ctl(fleet.gateway, 'status', `--peer_cert=${operator.cert}`)).stderr.match(/come together/g)?.length, 2);
  const missing = await ctl(fleet.gateway, 'status', ...peerFlags({...operator, key: '/nonexistent/key.pem'}));
  assert.equal(missing.code, 1);
  assert.equal(missing.stderr, 'voicebridgectl: --peer_key: cannot read "/nonexistent/key.pem"');
}));

test('voicebridgectl with a certificate says so when the listener is plain', () => withFleet({workers: 1}, async (fleet) => {
  for (const command of ['status', 'drain']) {
    const result = await ctlAs(operator, fleet.gateway, command);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /UNAVAILABLE.*without --peer_cert/, command);
  }
}));

// [what it is, whom it is counted under, how it knocks]
const kStrangers = [
  ['no certificate', 'no_certificate', (address) => knockWithTls(address)],
  ['a certificate of another authority', 'bad_certificate', (address) => knockWithTls(address, foreign.issue('stranger'))],
  ['a certificate that has expired', 'bad_certificate', (address) => knockWithTls(address, authority.issue('late', {days: -1}))],
  ['no TLS', 'not_tls', knockInTheClear],
];

test('on each internal port whoever has no good certificate is refused, counted and logged, and no secret with it', () => withFleet({workers: 1, peer: kPeer}, async (fleet) => {
  const [worker] = fleet.workers;
  for (const [process, role] of [[worker, 'grpc'], [worker, 'admin'], [fleet.gateway, 'admin']]) {
    for (const [what, reason, knock] of kStrangers) {
      const before = await refusals(fleet, process);
      const lines = logged(process, 'peer.refused').length;
      await knock(await process.listening(role));
      const expected = {...before, [reason]: before[reason] + 1};
      let seen;
      await waitUntil(async () => {
        seen = await refusals(fleet, process);
        return JSON.stringify(seen) === JSON.stringify(expected) && logged(process, 'peer.refused').length > lines;
      }, {ms: 3000 * patience, what: `${what} on ${role} of ${process.name} to be counted and logged`, got: () => `${JSON.stringify(seen)}\n${process.tail()}`});
      const refused = logged(process, 'peer.refused').slice(lines);
      assert.deepEqual(refused.map((line) => [line.reason, line.level]), [[reason, 'warning']], `${what} on ${role} of ${process.name}`);
    }
  }
  await checkTurn(fleet, await fleet.connect());
  for (const process of [fleet.gateway, worker]) {
    for (const secret of [kPeer.gateway, kPeer.worker].flatMap(secretsOf)) {
      assert.ok(!process.text().includes(secret), `no key in the log of ${process.name}`);
    }
    assert.doesNotMatch(process.text(), /BEGIN/, 'and no certificate');
  }
}));

test('a flood of strangers is counted in full and logged in part', () => withFleet({workers: 1, peer: kPeer}, async (fleet) => {
  const kKnocks = 60;
  const address = await fleet.gateway.listening('admin');
  await Promise.all(Array.from({length: kKnocks}, () => knockInTheClear(address)));
  await waitUntil(async () => (await refusals(fleet, fleet.gateway)).not_tls === kKnocks, {ms: 5000 * patience, what: 'all to be counted'});
  const lines = logged(fleet.gateway, 'peer.refused').length;
  assert.ok(lines >= 10 && lines < kKnocks, `${lines} lines`);
  assert.equal((await ctlAs(operator, fleet.gateway, 'status')).code, 0);
}));

describe('a gateway gives no session to a worker', {concurrency: true}, () => {
  const kWrong = {
    'whose certificate is for another host': [authority.issue('worker', {names: 'DNS:elsewhere.test'}), /127\.0\.0\.1 is not in peer certificate/],
    'whose certificate is of another authority': [{...foreign.issue('worker'), ca: authority.certificate}, /certificate verify failed/],
    'whose certificate has expired': [authority.issue('worker', {days: -1}), /certificate verify failed/],
    'that is plain': [undefined, /wrong version number/],
  };
  for (const [what, [identity, why]] of Object.entries(kWrong)) {
    test(what, async () => {
      const lone = await LoneWorker.start('127.0.0.1:0', undefined, peerFlags(identity));
      try {
        await withFleet({workers: 0, peer: kPeer, gatewayFlags: [`--workers=${lone.address}`]}, async (fleet) => {
          const {reason} = await checkLogged(fleet.gateway, 'worker.unreachable', {worker: lone.address, level: 'warning'});
          assert.match(reason, why);
          await fleet.servingWorkers(0);
          assert.equal(logged(fleet.gateway, 'worker.unreachable').length, 1, 'said once');
        });
      } finally {
        await lone.stop();
      }
    });
  }
});

test('workers behind a name have a certificate for the name; their addresses need not be in it', async (t) => {
  const refusal = await Hosts.refusal();
  if (refusal !== undefined) {
    t.skip(refusal);
    return;
  }
  const hosts = new Hosts();
  const named = await LoneWorker.start('127.0.0.2:0', undefined, peerFlags(authority.issue('worker', {names: 'DNS:workers.test'})));
  const [, port] = named.address.split(':');
  const addressed = await LoneWorker.start(`127.0.0.3:${port}`, undefined, peerFlags(authority.issue('worker', {names: 'IP:127.0.0.3'})));
  try {
    hosts.set('workers.test', ['127.0.0.2', '127.0.0.3']);
    await withFleet({
      workers: 0, otherWorkers: [named.address], peer: kPeer, gatewayFlags: [`--workers=dns:workers.test:${port}`],
      gatewayCommand: (program, args) => hosts.command(program, args),
    }, async (fleet) => {
      await checkLogged(fleet.gateway, 'worker.unreachable', {worker: addressed.address});
      assert.ok(await isAnswered(await fleet.connect()));
    });
  } finally {
    await Promise.all([named, addressed].map((each) => each.stop()));
    hosts.remove();
  }
});

describe('a configuration that would not protect anything is refused', {concurrency: true}, () => {
  const whole = kPeer.worker;
  const other = authority.issue('other');
  const kProgrammes = {
    'voicebridge-gateway': ['--workers=127.0.0.1:1', '--insecure_no_auth'],
    'voicebridge-worker': ['--profiles=bridge_worker/profiles'],
  };
  const kWrong = [
    ['two of three', [`--peer_cert=${whole.cert}`, `--peer_key=${whole.key}`], /^--peer_ca: missing: .* come together$/m],
    ['a file that is not there', peerFlags({...whole, ca: '/nonexistent/ca.pem'}), /^--peer_ca: cannot read "\/nonexistent\/ca\.pem"$/m],
    ['a key for a certificate', peerFlags({...whole, cert: whole.key}), /^--peer_cert: ".*\.key": expected a certificate in PEM/m],
    ['the key of another', peerFlags({...whole, key: other.key}), /^--peer_key: ".*\.key": expected the private key of the certificate$/m],
  ];
  for (const [program, flags] of Object.entries(kProgrammes)) {
    for (const [what, peer, complaint] of kWrong) {
      test(`${program}: ${what}`, async () => {
        for (const check of [['--check'], []]) {
          const {code, stderr} = await runBinary(program, [...flags, ...peer, ...check], {env: {OPENAI_API_KEY: 'test-key'}});
          assert.equal(code, 2, stderr);
          assert.match(stderr, complaint);
        }
      });
    }
  }

  test('a listener that others reach needs the files or the word that it does not', async () => {
    const check = (...flags) => runBinary('voicebridge-worker', [
      '--check', '--profiles=bridge_worker/profiles', '--listen=0.0.0.0:0', '--admin_listen=0.0.0.0:0', ...flags,
    ], {env: {OPENAI_API_KEY: 'test-key'}});
    const open = await check();
    assert.equal(open.code, 2);
    for (const flag of ['listen', 'admin_listen']) {
      assert.match(open.stderr, new RegExp(`^--${flag}: "0\\.0\\.0\\.0:0" is not loopback.*--peer_cert, --peer_key and --peer_ca.*--insecure_no_auth`, 'm'));
    }
    assert.equal((await check(...peerFlags(whole))).code, 0);
    assert.equal((await check('--insecure_no_auth')).code, 0);
  });
});

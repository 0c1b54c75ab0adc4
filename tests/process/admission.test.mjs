// How many may come in, and how fast: limits per address, per client secret and in total, each refused before the upgrade.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {checkEnd, checkTurn, patience, postJson, request, root, silence, total, waitUntil, within, withFleet} from './harness.mjs';
import {bearer, claimsOf, kApiKey, mint, mintUrl, withAuth} from './harness/credentials.mjs';
import {checkLogged} from './harness/faults.mjs';
import {logged} from './harness/log.mjs';

const counted = async (fleet, reason) => total(await fleet.metrics(fleet.gateway), 'voicebridge_gateway_requests_refused_total', `reason="${reason}"`);

// What an upgrade comes to: a status, and an error in OpenAI's shape when it was refused.
async function dial(fleet, options) {
  const client = fleet.dial(options);
  try {
    await client.opened();
  } catch ({status, headers}) {
    return {status, retryAfter: Number(headers['retry-after'])};
  }
  await client.ready();
  return {status: 101, client};
}

// The one line of this reason that has been logged.
async function checkCounted(fleet, reason, fields = {}) {
  assert.equal(await counted(fleet, reason), 1);
  await checkLogged(fleet.gateway, 'request.refused', {reason, path: '/v1/realtime', ...fields});
}

const kPlaces = 3;
const kAtOnce = 24;

test(`of ${kAtOnce} upgrades at the same time as many open as there are places, and all others get 503 before`, () => withFleet({
  workers: 1, gatewayFlags: [`--max_sessions=${kPlaces}`, '--shards=3'],
}, async (fleet) => {
  for (let round = 1; round <= 3; ++round) {
    const outcomes = await Promise.all(Array.from({length: kAtOnce}, () => dial(fleet)));
    const clients = outcomes.flatMap(({client}) => client ?? []);
    assert.equal(clients.length, kPlaces, JSON.stringify(outcomes.map(({status}) => status)));
    assert.ok(outcomes.every(({status, retryAfter}) => status === 101 || (status === 503 && retryAfter === 1)));
    assert.equal(await counted(fleet, 'full'), round * (kAtOnce - kPlaces));
    await Promise.all(clients.map((client) => client.close()));
    await fleet.sessionsGone();
  }
  assert.equal((await fleet.journal()).sessions.length, 3 * kPlaces, 'nobody else reached the upstream');
}));

test('clients that leave during the upgrade leave their places', () => withFleet({workers: 1, gatewayFlags: ['--max_sessions=2']}, async (fleet) => {
  const {hostname, port} = new URL(fleet.httpUrl);
  const upgradeRequest = `GET /v1/realtime HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  for (let i = 0; i < 30; ++i) {
    const socket = net.connect(Number(port), hostname);
    socket.on('error', () => {});
    await new Promise((resolve) => socket.write(upgradeRequest, resolve));
    socket.resetAndDestroy();
  }
  let clients = [];
  await waitUntil(async () => {
    const outcomes = await Promise.all([dial(fleet), dial(fleet)]);
    clients = outcomes.flatMap(({client}) => client ?? []);
    if (clients.length < 2) {
      await Promise.all(clients.map((client) => client.close()));
    }
    return clients.length === 2;
  }, {ms: 8000 * patience, every: 50, what: 'both places to be free'});
  assert.equal((await dial(fleet)).status, 503);
  await checkTurn(fleet, clients[1]);
}));

test('sessions of one address: the one too many gets 429 with Retry-After, other addresses and later ones come in', () => withFleet({
  workers: 1, gatewayFlags: ['--max_sessions_per_address=2'],
}, async (fleet) => {
  const here = [await dial(fleet), await dial(fleet)];
  assert.deepEqual(await dial(fleet), {status: 429, retryAfter: 10});
  await checkCounted(fleet, 'address_sessions', {address: '127.0.0.1'});
  const answer = await request(`${fleet.httpUrl}/v1/realtime`);
  assert.equal(answer.status, 429);
  const {error} = JSON.parse(answer.body);
  assert.deepEqual({...error, message: ''}, {message: '', type: 'rate_limit_error', param: null, code: 'too_many_sessions'});
  assert.equal((await dial(fleet, {localAddress: '127.0.0.2'})).status, 101);
  await here[0].client.close();
  await waitUntil(async () => (await dial(fleet)).status === 101, {ms: 3000 * patience, what: 'the place to be free again'});
  await checkTurn(fleet, here[1].client);
}));

const kPerMinute = 4;

test('requests of one address in a minute: upgrades, minting and reports together, 429 with the time to wait', () => withAuth(async (fleet) => {
  const {value} = await mint(fleet);
  const first = await dial(fleet, {key: value});
  assert.equal((await request(`${fleet.httpUrl}/v1/sessions/sess_1/report`)).status, 401);
  assert.equal((await dial(fleet, {key: 'sk-test-wrong-key'})).status, 401, 'wrong keys are tried only as often, too');
  const {status, retryAfter} = await dial(fleet, {key: value});
  assert.equal(status, 429);
  assert.ok(retryAfter >= 10 && retryAfter <= 60 / kPerMinute, `Retry-After: ${retryAfter}`);
  await checkCounted(fleet, 'address_requests', {address: '127.0.0.1', key: ''});
  for (const answer of [
    await postJson(mintUrl(fleet), {}, {headers: bearer(kApiKey)}),
    await request(`${fleet.httpUrl}/v1/sessions/sess_1/report`),
    await request(`${fleet.httpUrl}/v1/realtime`, {headers: bearer(value)}),
  ]) {
    assert.equal(answer.status, 429);
    assert.equal(JSON.parse(answer.body).error.code, 'rate_limit_exceeded');
  }
  assert.equal(await counted(fleet, 'address_requests'), 4);
  assert.equal((await request(fleet.httpUrl)).status, 200, 'the page is not counted');
  assert.equal((await dial(fleet, {key: value, localAddress: '127.0.0.2'})).status, 101);
  await checkTurn(fleet, first.client);
}, {gatewayFlags: [`--max_requests_per_minute_per_address=${kPerMinute}`]}));

test('0 turns the limits of addresses off', () => withFleet({
  workers: 1, gatewayFlags: ['--max_sessions_per_address=0', '--max_requests_per_minute_per_address=0', '--max_connections_per_address=0', '--max_messages_per_second=0'],
}, async (fleet) => {
  const outcomes = await Promise.all(Array.from({length: 20}, () => dial(fleet)));
  assert.ok(outcomes.every(({status}) => status === 101));
  await checkTurn(fleet, outcomes[19].client);
}));

const from = (...addresses) => ({headers: {'X-Forwarded-For': addresses.join(', ')}});

test('behind a trusted proxy the client is whom it names, and not whom the client names', () => withFleet({
  workers: 1, gatewayFlags: ['--max_sessions_per_address=1', '--trusted_proxies=127.0.0.1,10.0.0.0/8'],
}, async (fleet) => {
  assert.equal((await dial(fleet, from('203.0.113.1'))).status, 101);
  assert.equal((await dial(fleet, from('203.0.113.1'))).status, 429);
  await checkCounted(fleet, 'address_sessions', {address: '203.0.113.1'});
  assert.equal((await dial(fleet, from('203.0.113.2'))).status, 101, 'another client of the same proxy');
  for (const spoofed of [['198.51.100.1', '203.0.113.1'], ['10.0.0.7', '203.0.113.1'], ['203.0.113.1', '10.0.0.7'], ['::ffff:203.0.113.1'], ['203.0.113.1:4711']]) {
    assert.equal((await dial(fleet, from(...spoofed))).status, 429, spoofed.join(', '));
  }
  assert.equal((await dial(fleet, from('2001:db8::1'))).status, 101);
  assert.equal((await dial(fleet, from('2001:db8::2'))).status, 429, 'of the same /64');
  assert.equal((await dial(fleet, {...from('203.0.113.9'), localAddress: '127.0.0.2'})).status, 101, 'itself: it is no proxy of ours');
  assert.equal((await dial(fleet, {...from('203.0.113.10'), localAddress: '127.0.0.2'})).status, 429);
}));

test('without trusted proxies the header means nothing', () => withFleet({workers: 1, gatewayFlags: ['--max_sessions_per_address=1']}, async (fleet) => {
  assert.equal((await dial(fleet, from('203.0.113.1'))).status, 101);
  assert.equal((await dial(fleet, from('203.0.113.2'))).status, 429);
  await checkCounted(fleet, 'address_sessions', {address: '127.0.0.1'});
}));

const kSilent = 3;

test('connections that never ask for anything: those too many of one address are cut, sessions do not count', () => withFleet({
  workers: 1, gatewayFlags: [`--max_connections_per_address=${kSilent}`],
}, async (fleet) => {
  const {hostname, port} = new URL(fleet.httpUrl);
  const connect = (localAddress) => {
    const socket = net.connect({port: Number(port), host: hostname, localAddress});
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    return {socket, closed};
  };
  const clients = [await fleet.connect(), await fleet.connect(), await fleet.connect(), await fleet.connect()];
  const silent = Array.from({length: kSilent}, () => connect());
  const cut = connect();
  await within(cut.closed, 3000 * patience, 'the one too many to be cut');
  assert.equal(await counted(fleet, 'address_connections'), 1);
  await checkLogged(fleet.gateway, 'request.refused', {reason: 'address_connections', address: '127.0.0.1', path: ''});
  assert.equal((await dial(fleet, {localAddress: '127.0.0.2'})).status, 101);
  await checkTurn(fleet, clients[0]);
  silent[0].socket.destroy();
  await waitUntil(async () => (await request(fleet.httpUrl).catch(() => ({}))).status === 200, {ms: 3000 * patience, what: 'room for a request'});
  silent.forEach(({socket}) => socket.destroy());
}));

test('a client secret may limit how many sessions it opens', () => withAuth(async (fleet) => {
  const {value} = await mint(fleet, {limits: {max_sessions: 1}});
  const other = await mint(fleet);
  const first = await dial(fleet, {key: value});
  assert.deepEqual(await dial(fleet, {key: value, localAddress: '127.0.0.2'}), {status: 429, retryAfter: 10});
  await checkCounted(fleet, 'secret_sessions', {key: 'backend', secret: claimsOf(value).jti});
  assert.equal((await dial(fleet, {key: other.value})).status, 101, 'another secret');
  await first.client.close();
  await waitUntil(async () => (await dial(fleet, {key: value})).status === 101, {ms: 3000 * patience, what: 'the place to be free again'});
}));

test('a client secret may limit how long its sessions are', () => withAuth(async (fleet) => {
  const {value} = await mint(fleet, {limits: {session_seconds: 2}});
  const started = performance.now();
  const {client} = await dial(fleet, {key: value});
  await checkTurn(fleet, client, silence(200));
  const {ended} = await checkEnd(client, {reason: 'session_limit', code: 1008, ms: 4000});
  assert.match(ended.message, /2 s/);
  assert.ok(performance.now() - started >= 1900, 'not before its time');
  await checkLogged(fleet.gateway, 'session.ended', {session: client.about.session_id, reason: 'session_limit', tasks_left: 0});
  await checkLogged(fleet.workers[0], 'session.ended', {session: client.about.session_id, reason: 'session_limit', tasks_left: 0});
}));

test('limits that make no sense are refused by name', () => withAuth(async (fleet) => {
  for (const [limits, param] of [[{max_sessions: 0}, 'limits.max_sessions'], [{session_seconds: 'long'}, 'limits.session_seconds'], [[], 'limits'], [{more: 1}, 'limits.more']]) {
    const answer = await postJson(mintUrl(fleet), {limits}, {headers: bearer(kApiKey)});
    assert.equal(answer.status, 400, answer.body);
    assert.equal(JSON.parse(answer.body).error.param, param);
  }
}));

// A copy of the profile with other limits.
function profilesWith(limits) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-profiles-'));
  const profile = JSON.parse(fs.readFileSync(path.join(root, 'bridge_worker/profiles/assistant.json'), 'utf8'));
  fs.writeFileSync(path.join(dir, 'assistant.json'), JSON.stringify({...profile, limits}));
  return dir;
}

for (const [what, limits] of [['idle', {idle_seconds: 1}], ['session', {session_seconds: 1}]]) {
  test(`the ${what} limit of a profile ends its sessions as session_limit`, async () => {
    const profiles = profilesWith(limits);
    try {
      await withFleet({workers: 1, profiles}, async (fleet) => {
        const client = await fleet.connect();
        await checkEnd(client, {reason: 'session_limit', code: 1008, ms: 4000});
        await fleet.sessionsGone();
        assert.deepEqual(await fleet.ended('session_limit'), {gateway: 1, workers: 1});
      });
    } finally {
      fs.rmSync(profiles, {recursive: true});
    }
  });
}

const kRate = 50;
const kBurst = 2 * kRate;
const kFlood = 250;

test('a client that floods is slowed down, loses nothing, and costs the others nothing', () => withFleet({
  workers: 1, gatewayFlags: [`--max_messages_per_second=${kRate}`],
}, async (fleet) => {
  const [flooding, other] = [await fleet.connect(), await fleet.connect()];
  const started = performance.now();
  for (let i = 0; i < kFlood; ++i) {
    flooding.send({type: 'input_audio_buffer.clear', event_id: `e${i}`});
  }
  await checkTurn(fleet, other, silence(400));
  const cleared = () => flooding.events.filter(({type}) => type === 'input_audio_buffer.cleared').length;
  await waitUntil(() => cleared() === kFlood, {ms: 8000 * patience, what: 'all that was sent to be answered', got: cleared});
  const seconds = (performance.now() - started) / 1000;
  const least = (kFlood - kBurst) / kRate;
  assert.ok(seconds >= least * 0.95, `${kFlood} messages in ${seconds} s, at least ${least} s are due`);
  await checkTurn(fleet, flooding, silence(200));
  assert.deepEqual(logged(fleet.gateway, 'client.slowed').map(({session}) => session), [flooding.about.session_id], 'said once');
  assert.equal((await fleet.metrics(fleet.gateway)).get('voicebridge_gateway_clients_slowed_total'), 1);
}));

test('by default audio of 50 messages a second and events beside it are far from the limit', () => withFleet({workers: 1}, async (fleet) => {
  const client = await fleet.connect();
  const speaking = client.streamAudio(silence(1500), {frameMs: 20});
  for (let i = 0; i < 100; ++i) {
    client.send({type: 'input_audio_buffer.clear'});
  }
  await speaking;
  assert.equal((await fleet.metrics(fleet.gateway)).get('voicebridge_gateway_clients_slowed_total'), 0);
  assert.equal(logged(fleet.gateway, 'client.slowed').length, 0);
}));

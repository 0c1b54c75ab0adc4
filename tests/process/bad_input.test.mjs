// What a client can get wrong: each mistake gets a precise answer, and where the protocol keeps the session
// the next turn works.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkEnd, checkTurn, Fleet, postJson, silence, withFleet} from './harness.mjs';
import {kApiKey, mint, resigned, withAuth} from './harness/credentials.mjs';

// Sends something wrong, expects an error event that mentions what is wrong, then has a turn.
function recoverable(name, {send, mentions, event_id = null, refused = 0}) {
  test(`${name} is answered with an error, and the next turn works`, () => withFleet({workers: 1, refused}, async (fleet) => {
    const client = await fleet.connect();
    send(client);
    const {error} = await client.waitFor('error');
    assert.equal(error.type, 'invalid_request_error');
    assert.match(`${error.code} ${error.param} ${error.message}`, mentions);
    assert.equal(error.event_id ?? null, event_id, 'the error names the client event');
    await checkTurn(fleet, client);
    assert.equal(client.events.filter((event) => event.type === 'error').length, 1, 'exactly one error');
  }));
}

const append = (audio, more = {}) => (client) => client.send({type: 'input_audio_buffer.append', audio, ...more});

recoverable('invalid JSON', {send: (client) => client.send('{"type": "response.create"'), mentions: /JSON/i});
recoverable('JSON that is no object', {send: (client) => client.send('["response.create"]'), mentions: /object/i});
recoverable('a message without type', {send: (client) => client.send({event_id: 'e1'}), mentions: /type/, event_id: 'e1'});
recoverable('a type that is no string', {send: (client) => client.send({type: 7, event_id: 'e2'}), mentions: /type/, event_id: 'e2'});
recoverable('an unknown event type', {send: (client) => client.send({type: 'response.sing', event_id: 'e3'}), mentions: /response\.sing|type/, event_id: 'e3', refused: 'any'});
recoverable('audio that is no string', {send: append(17, {event_id: 'e4'}), mentions: /audio/, event_id: 'e4'});
recoverable('audio of odd length', {send: append(Buffer.alloc(1921).toString('base64'), {event_id: 'e5'}), mentions: /audio/, event_id: 'e5'});
recoverable('audio that is not base64', {send: append('****not base64****', {event_id: 'e6'}), mentions: /base64/i, event_id: 'e6'});
recoverable('an item that is no object', {
  send: (client) => client.send({type: 'conversation.item.create', item: 'hello', event_id: 'e7'}), mentions: /item/, event_id: 'e7',
});
recoverable('a truncate with a string for audio_end_ms', {
  send: (client) => client.send({type: 'conversation.item.truncate', item_id: 'x', content_index: 0, audio_end_ms: 'soon', event_id: 'e8'}),
  mentions: /audio_end_ms/, event_id: 'e8',
});
recoverable('a session that is no object', {send: (client) => client.send({type: 'session.update', session: [], event_id: 'e9'}), mentions: /session/, event_id: 'e9'});
recoverable('a binary message in JSON mode', {send: (client) => client.socket.send(silence(40), {binary: true}), mentions: /binary|invalid_event/i});
recoverable('an empty message', {send: (client) => client.send(''), mentions: /JSON/i});

test('a message over 16 MiB closes the connection with 1009', () => withFleet({workers: 1}, async (fleet) => {
  const client = await fleet.connect();
  client.send({type: 'input_audio_buffer.append', audio: 'A'.repeat((16 << 20) + 4)});
  const close = await client.waitForClose();
  assert.equal(close.code, 1009, JSON.stringify(close));
  await checkTurn(fleet, await fleet.connect());
}));

test('an append of 15 MiB of audio data passes', () => withFleet({workers: 1}, async (fleet) => {
  const client = await fleet.connect();
  client.send({type: 'input_audio_buffer.append', audio: silence(240000).toString('base64')});
  client.send({type: 'input_audio_buffer.commit'});
  await client.waitFor('input_audio_buffer.committed', undefined, 20000);
  assert.equal((await fleet.journal()).sessions[0].user_items[0].bytes, 240000 * 48);
}));

test('an unknown profile ends the session by policy and says which', () => withFleet({workers: 1}, async (fleet) => {
  const client = fleet.dial({profile: 'no-such-profile'});
  await client.opened();
  await checkEnd(client, {reason: 'policy', code: 1008});
  assert.ok(client.events.some((event) => event.type === 'error' && event.error.message.includes('no-such-profile')), JSON.stringify(client.events));
}));

test("a model other than the profile's ends the session by policy", () => withFleet({workers: 1}, async (fleet) => {
  const client = fleet.dial({model: 'gpt-realtime-of-yesterday'});
  await client.opened();
  await checkEnd(client, {reason: 'policy', code: 1008});
  assert.ok(client.events.some((event) => event.type === 'error' && /model/.test(event.error.message)), JSON.stringify(client.events));
}));

test('a path that does not exist is 404, a plain GET of the endpoint is no upgrade', () => withFleet({workers: 1}, async (fleet) => {
  await assert.rejects(fleet.dial({path: '/v1/nothing'}).opened(), {status: 404});
  const answer = await fetch(`${fleet.httpUrl}/v1/realtime`);
  assert.ok([400, 426].includes(answer.status), `status ${answer.status}`);
}));

// --- credentials ------------------------------------------------------------------------------------

const refusedUpgrade = (fleet, options) => assert.rejects(fleet.dial(options).opened(), (error) => {
  assert.equal(error.status, 401, `the upgrade is refused with 401: ${error.message}`);
  return true;
});

test('a missing, a wrong and a forged credential are refused before the upgrade', () => withAuth(async (fleet) => {
  await refusedUpgrade(fleet, {});
  await refusedUpgrade(fleet, {key: 'sk-wrong'});
  await refusedUpgrade(fleet, {subprotocolKey: 'ek_not.a.secret'});
  const {value} = await mint(fleet);
  await refusedUpgrade(fleet, {key: `${value.slice(0, -4)}AAAA`});
  await refusedUpgrade(fleet, {key: `ek_${Buffer.from('{"alg":"none"}').toString('base64url')}.${value.split('.')[1]}.`});
}));

test('a client secret opens a session by header or by subprotocol, an expired one does not', () => withAuth(async (fleet) => {
  const secret = await mint(fleet, {expires_after: {anchor: 'created_at', seconds: 600}});
  assert.match(secret.value, /^ek_/);
  assert.ok(Math.abs(secret.expires_at - (Date.now() / 1000 + 600)) < 30, `expires_at ${secret.expires_at}`);
  await checkTurn(fleet, await fleet.connect({key: secret.value}));
  const browser = await fleet.connect({subprotocolKey: secret.value});
  assert.equal(browser.socket.protocol, 'realtime', 'the key is not echoed as a subprotocol');
  await checkTurn(fleet, browser);
  const unchanged = resigned(secret.value, (claims) => claims);
  await (await fleet.connect({key: unchanged})).close();
  const expired = resigned(secret.value, (claims) => Object.fromEntries(
      Object.entries(claims).map(([name, value]) => [name, value === secret.expires_at ? Math.floor(Date.now() / 1000) - 5 : value])));
  assert.notEqual(expired, unchanged, 'the claims carry the expiry');
  await refusedUpgrade(fleet, {key: expired});
  await refusedUpgrade(fleet, {subprotocolKey: expired});
}));

test('only an API key mints client secrets, and a bad request for one says what is wrong', () => withAuth(async (fleet) => {
  const url = `${fleet.httpUrl}/v1/realtime/client_secrets`;
  assert.equal((await postJson(url, {})).status, 401);
  assert.equal((await postJson(url, {}, {headers: {Authorization: 'Bearer sk-wrong'}})).status, 401);
  const {value} = await mint(fleet);
  const chained = await postJson(url, {}, {headers: {Authorization: `Bearer ${value}`}});
  assert.ok([401, 403].includes(chained.status), `a secret mints no secrets: ${chained.status}`);
  const bad = await postJson(url, {expires_after: {anchor: 'created_at', seconds: 1}}, {headers: {Authorization: `Bearer ${kApiKey}`}});
  assert.equal(bad.status, 400);
  assert.match(bad.body, /seconds/);
}));

test('a session configuration in the secret becomes the default of its sessions', () => withAuth(async (fleet) => {
  const secret = await mint(fleet, {session: {type: 'realtime', instructions: 'Speak like a pirate.'}});
  const client = await fleet.connect({key: secret.value});
  assert.equal(client.session.instructions, 'Speak like a pirate.');
}));

test('no secret and no audio reaches the logs', () => withAuth(async (fleet) => {
  const {value} = await mint(fleet);
  const client = await fleet.connect({key: value});
  await checkTurn(fleet, client);
  await client.close();
  await fleet.sessionsGone();
  const logs = [fleet.gateway, ...fleet.workers].map((process) => process.text()).join('\n');
  for (const secret of [kApiKey, value, 'test-key', 'I heard you speak']) {
    assert.ok(!logs.includes(secret), `"${secret.slice(0, 12)}..." is in the logs`);
  }
}));

test('a fleet without workers that serve refuses politely', async () => {
  const fleet = await Fleet.start({workers: 1});
  try {
    await fleet.workers[0].stop('SIGTERM');
    const client = fleet.dial();
    const outcome = await client.opened().then(() => 'upgraded', (error) => error.status);
    if (outcome === 'upgraded') {
      await checkEnd(client, {reason: 'no_worker', code: 1013, ms: 12000});
    } else {
      assert.equal(outcome, 503);
    }
  } finally {
    await fleet.kill();
  }
});

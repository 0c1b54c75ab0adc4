// The opening handshake: RFC 6455 section 4.2 (what a server must check and answer), with RFC 7230 for its HTTP.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {text} from './harness/frames.mjs';
import {sharedFleet} from './harness/conformance.mjs';
import {RawWebSocket, acceptOf, kKey, probe, upgradeRequest} from './harness/raw_websocket.mjs';

const shared = sharedFleet();

async function answerTo(request) {
  const socket = await shared.connect();
  socket.send(request);
  return {socket, answer: await socket.response()};
}

function accepted(name, upgrade) {
  test(`accepted: ${name}`, async () => {
    const session = await shared.open(upgrade);
    await session.expectAlive();
    await session.closeWith(1000);
  });
}

function refused(name, status, upgrade, check = () => {}) {
  test(`refused with ${status}: ${name}`, async () => {
    const {answer} = await answerTo(upgradeRequest(upgrade));
    assert.equal(answer.status, status, answer.head + answer.body);
    check(answer);
  });
}

test('the answer to an upgrade is 101 with the accept value of its key, and nothing that was not asked for', async () => {
  const session = await shared.open();
  const {headers} = session.answer;
  assert.equal(headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');  // Section 1.3.
  assert.equal(headers.upgrade.toLowerCase(), 'websocket');
  assert.equal(headers.connection.toLowerCase(), 'upgrade');
  assert.equal(headers['sec-websocket-extensions'], undefined);  // Section 4.2.2 item 5.
  assert.equal(headers['sec-websocket-protocol'], undefined, 'none was offered');
  await session.closeWith(1000);
});

test('each key has its own accept value', async () => {
  const key = Buffer.from('0123456789abcdef').toString('base64');
  const session = await shared.open({headers: {'Sec-WebSocket-Key': key}});
  assert.equal(session.answer.headers['sec-websocket-accept'], acceptOf(key));
});

// Section 4.2.1 items 3 and 4: tokens are compared without regard to case, in lists.
accepted('other case in Upgrade and Connection', {headers: {Upgrade: 'WebSocket', Connection: 'UPGRADE'}});
accepted('lists in Connection and Upgrade', {headers: {Upgrade: 'h2c, websocket', Connection: 'keep-alive, Upgrade'}});
accepted('a Connection header in two lines', {headers: {Connection: ['keep-alive', 'Upgrade']}});
accepted('header names in other case', {headers: {'Sec-WebSocket-Key': undefined, 'sec-websocket-KEY': kKey, 'Host': undefined, 'hOST': 'gateway'}});
accepted('white space around values', {headers: {'Sec-WebSocket-Version': ' \t13 \t', 'Sec-WebSocket-Key': `\t${kKey} `}});
accepted('an absolute target', {path: 'http://gateway/v1/realtime'});  // RFC 7230 section 5.3.2.
accepted('an absolute target with its scheme in other case', {path: 'HTTP://gateway/v1/realtime'});  // RFC 3986 section 3.1.
accepted('an unknown query parameter', {path: '/v1/realtime?x=1&y=%20z'});
accepted('an extension that the server does not know', {headers: {'Sec-WebSocket-Extensions': 'x-unheard-of; a=1'}});
accepted('permessage-deflate offered, and not agreed to', {headers: {'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits'}});
accepted('a header section just under the limit', {headers: {'X-Long': 'x'.repeat(15 << 10)}});

// Section 4.2.1: a handshake that does not match is answered with an error.
refused('another method', 400, {method: 'POST'});
refused('HTTP/1.0', 400, {version: '1.0'});
refused('no Host', 400, {headers: {Host: undefined}});
refused('two Hosts', 400, {headers: {Host: ['gateway', 'elsewhere']}});  // RFC 7230 section 5.4.
refused('no key', 400, {headers: {'Sec-WebSocket-Key': undefined}});
refused('an empty key', 400, {headers: {'Sec-WebSocket-Key': ''}});
refused('a key of 15 bytes', 400, {headers: {'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64')}});
refused('a key of 17 bytes', 400, {headers: {'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64')}});
refused('a key of 24 characters that are no base64', 400, {headers: {'Sec-WebSocket-Key': '!'.repeat(24)}});
refused('a key of 18 bytes in 24 characters', 400, {headers: {'Sec-WebSocket-Key': Buffer.alloc(18).toString('base64')}});
refused('two keys', 400, {headers: {'Sec-WebSocket-Key': [kKey, kKey]}});  // Section 11.3.1.
refused('two versions', 400, {headers: {'Sec-WebSocket-Version': ['13', '13']}});  // Section 11.3.5.
refused('a header section over the limit', 431, {headers: {'X-Long': 'x'.repeat(20 << 10)}});
refused('many small headers over the limit', 431, {headers: {'X-Small': Array(2000).fill('abcdefgh')}});
refused('a target over the limit', 431, {path: `/v1/realtime?${'x'.repeat(20 << 10)}`});
refused('a path that is not ours', 404, {path: '/v1/elsewhere'});

// Section 4.4: the server says which version it speaks.
for (const version of [undefined, '', '8', '12', '14', '013', '13.0', '8, 13', 'thirteen']) {
  refused(`version ${version}`, 426, {headers: {'Sec-WebSocket-Version': version}}, (answer) => {
    assert.equal(answer.headers['sec-websocket-version'], '13');
    assert.equal(answer.headers.upgrade, 'websocket');
  });
}

// Without both of its tokens it is an ordinary request of an endpoint that is none (RFC 7230 section 6.7).
refused('no Upgrade', 426, {headers: {Upgrade: undefined}});
refused('Upgrade to something else', 426, {headers: {Upgrade: 'h2c'}});
refused('Upgrade to a longer word', 426, {headers: {Upgrade: 'websocket2'}});
refused('no Connection', 426, {headers: {Connection: undefined}});
refused('Connection without the upgrade', 426, {headers: {Connection: 'keep-alive'}});

test('frames right behind the request are not lost', async () => {
  const socket = await shared.connect();
  socket.send(upgradeRequest(), text(probe('early-1')), text(probe('early-2', 'x'.repeat(9000))));
  const answer = await socket.response();
  assert.equal(answer.status, 101);
  const seen = [];
  const session = new RawWebSocket(socket, answer);
  while (seen.length < 4) {
    const event = await session.event();
    seen.push(event.error?.event_id ?? event.type);
  }
  assert.deepEqual(seen.filter((each) => each.startsWith('early')), ['early-1', 'early-2']);
  await session.expectAlive();
});

test('a request that comes byte by byte is understood', async () => {
  const socket = await shared.connect();
  await socket.sendApart([...upgradeRequest()].map((character) => Buffer.from(character, 'latin1')));
  await (await RawWebSocket.opened(socket)).expectAlive();
});

test('a request that drips for longer than the handshake may last is cut off, whatever comes', async () => {
  const socket = await shared.connect();
  const started = performance.now();
  const dripping = setInterval(() => socket.send('x'), 100);
  socket.send('GET /v1/realtime HTTP/1.1\r\nHost: gateway\r\nX-Slow: ');
  try {
    await socket.toEnd(13000);
  } finally {
    clearInterval(dripping);
  }
  const lasted = performance.now() - started;
  assert.ok(lasted > 9000 && lasted < 12000, `cut off after ${Math.round(lasted)} ms`);
});

test('a refused upgrade leaves the connection usable when the request itself was in order', async () => {
  const {socket, answer} = await answerTo(upgradeRequest({path: '/v1/elsewhere'}));
  assert.equal(answer.headers.connection, 'keep-alive');
  socket.send(upgradeRequest());
  await (await RawWebSocket.opened(socket)).expectAlive();
});

// --- subprotocols: section 4.2.2 item 5 /subprotocol/: one of those that were offered, or none -------

function subprotocol(name, offered, chosen) {
  test(`subprotocol: ${name}`, async () => {
    const session = await shared.open({headers: {'Sec-WebSocket-Protocol': offered}});
    assert.equal(session.answer.headers['sec-websocket-protocol'], chosen);
    await session.expectAlive();
  });
}

subprotocol('the only one', 'realtime', 'realtime');
subprotocol('ours among others', 'soap, realtime ,mqtt', 'realtime');
subprotocol('ours in a second line', ['soap', 'realtime'], 'realtime');
subprotocol('only unknown ones', 'soap, mqtt', undefined);
subprotocol('ours in other case is another one', 'Realtime', undefined);
subprotocol('a longer word is another one', 'realtime2', undefined);
subprotocol('an empty list', '', undefined);
subprotocol('a credential is never chosen', 'openai-insecure-api-key.ek_123, realtime', 'realtime');
subprotocol('only a credential', 'openai-insecure-api-key.ek_123', undefined);

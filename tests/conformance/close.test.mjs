// RFC 6455 sections 5.5.1 and 7: the closing handshake, its codes, and the end of the TCP connection.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {patience, waitUntil} from '../process/harness.mjs';
import {sharedFleet} from './harness/conformance.mjs';
import {close, closePayload, fragments, frame, kClose, kText, ping, text} from './harness/frames.mjs';
import {probe, RawWebSocket, upgradeRequest} from './harness/raw_websocket.mjs';

const shared = sharedFleet();

// Section 7.4.1 and the registry of section 11.7; 3000-3999 are registered, 4000-4999 private.
for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999]) {
  test(`a close with ${code} is answered with ${code}`, async () => {
    const session = await shared.open();
    const {seen, reason} = await session.closeWith(code, 'the reason');
    assert.equal(seen.length, 0);
    assert.ok(reason === '' || reason === 'the reason', reason);
    if ([1002, 1007, 1009].includes(code)) {
      shared.violations += 1;  // The client says that we broke the protocol; that ends as such, too.
    }
  });
}

// Section 7.4.1: these "MUST NOT be set as a status code in a Close control frame by an endpoint"; section 7.4.2:
// 0-999 are not used, 1000-2999 reserved. 1014 was registered after Beast's table was made: Beast takes it for
// one of those. No browser may send it (WHATWG WebSockets: 1000, 3000-4999), so that stays.
for (const code of [0, 1, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999]) {
  test(`a close with ${code} is answered with 1002`, () => shared.expectFailure(1002, close(code)));
}

// The RFC leaves codes from 5000 on undefined; they are taken for private ones.
for (const code of [5000, 65535]) {
  test(`a close with ${code} ends the session`, async () => {
    const session = await shared.open();
    await session.closeWith(code);
  });
}

// "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer"
test('a close frame of one byte is answered with 1002', () => shared.expectFailure(1002, frame(kClose, 'x')));

test('a close frame without a code is answered with a normal close', async () => {
  const session = await shared.open();
  session.send(frame(kClose));
  await session.expectClose(1000);
});

test('a close with the longest reason is answered', async () => {
  const session = await shared.open();
  await session.closeWith(4000, '€'.repeat(41));
});

test('a close frame that comes in pieces is answered when it is whole', async () => {
  const session = await shared.open();
  await session.socket.sendApart([...close(1001, 'going')].map((byte) => Buffer.from([byte])));
  await session.expectClose(1001);
});

// Section 5.5.1: "The application MUST NOT send any more data frames after sending a Close frame." Section 7.1.1:
// what comes all the same is thrown away.
test('data, pings and another close behind a close are ignored', async () => {
  const session = await shared.open();
  session.send(close(1000), text(probe('too late')), ping('too late'), close(4000), Buffer.from('no frame at all'));
  const {seen} = await session.expectClose(1000);
  assert.equal(seen.length, 0);
});

test('messages before the close are processed, those behind it are not', async () => {
  const session = await shared.open();
  session.send(text(probe('in time')));
  await session.expectEchoes('in time');
  session.send(close(1000), ...fragments(kText, ['{"event_id":', '"behind"}']));
  const {seen} = await session.expectClose(1000);
  assert.equal(seen.length, 0);
});

// Section 7.1.1: the server closes TCP first, so that the client's side needs no TIME_WAIT; it does not wait
// longer than a moment for a client that keeps its half open.
test('the server ends TCP first, and lets go of a client that keeps its half open', async () => {
  const session = await shared.open();
  const before = shared.fleet.gateway.stats().fds;
  session.send(close(1000));
  assert.equal((await session.frame()).opcode, kClose);
  const closed = performance.now();
  assert.equal((await session.socket.toEnd()).how, 'fin');
  const waited = performance.now() - closed;
  assert.ok(waited < 700 * patience, `it ended TCP after ${Math.round(waited)} ms: that is its bound for clients that do not answer`);
  await waitUntil(() => shared.fleet.gateway.stats().fds < before, {ms: 5000, what: 'the gateway to let go of the socket', got: () => `${before} descriptors`});
});

test('a client that is gone without a close frame ends its own session only', async () => {
  const [half, reset, ordinary] = [await shared.open(), await shared.open(), await shared.open()];
  half.socket.finish();
  await half.socket.toEnd();
  reset.socket.socket.resetAndDestroy();
  await ordinary.expectAlive();
  await waitUntil(async () => (await shared.fleet.ended('client_lost')).gateway >= 2, {ms: 5000, what: 'two sessions to end as client_lost'});
});

// --- closes that the gateway begins ----------------------------------------------------------------

// An unknown profile ends the session by policy, right after its upgrade.
async function closedByGateway() {
  const socket = await shared.connect();
  socket.send(upgradeRequest({path: '/v1/realtime?profile=none-such'}));
  const session = new RawWebSocket(socket, await socket.response());
  let seen = await session.frame();
  while (seen.opcode !== kClose) {
    seen = await session.frame();
  }
  assert.deepEqual(seen.payload, closePayload(1008, 'policy'));
  return session;
}

test('a close that the gateway begins waits for the answer, then ends TCP', async () => {
  const session = await closedByGateway();
  assert.equal(session.socket.end, undefined, 'TCP is still there: our close frame is awaited (section 7.1.1)');
  session.send(text(probe('still allowed before our close frame')), close(1008));
  const {how, bytes} = await session.socket.toEnd();
  assert.deepEqual({how, bytes: bytes.length}, {how: 'fin', bytes: 0});
});

test('a close that the gateway begins is not waited for longer than a second', async () => {
  const session = await closedByGateway();
  const started = performance.now();
  await session.socket.toEnd();
  const waited = performance.now() - started;
  assert.ok(waited > 500 && waited < 2500, `${Math.round(waited)} ms`);
});

test('a violation while the gateway closes does no harm', async () => {
  const session = await closedByGateway();
  session.send(frame(3, 'x'), text('bare', {mask: null}));
  const {bytes} = await session.socket.toEnd();
  assert.equal(bytes.length, 0, 'a second close frame is not sent');
});

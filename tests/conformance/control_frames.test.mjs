// RFC 6455 section 5.5: pings, pongs and close frames as frames; the closing handshake is in close.test.mjs.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {sanitized, waitUntil} from '../process/harness.mjs';
import {sharedFleet} from './harness/conformance.mjs';
import {frame, kClose, kPing, kPong, kText, ping, pong, text, unfinished} from './harness/frames.mjs';
import {probe} from './harness/raw_websocket.mjs';

const shared = sharedFleet();

// "a Pong frame sent in response to a Ping frame must have identical Application data"
test('a pong repeats the payload of its ping, up to 125 bytes', async () => {
  const session = await shared.open();
  for (const size of [0, 1, 2, 64, 124, 125]) {
    const payload = Buffer.from(Array.from({length: size}, (_, i) => 255 - i));
    session.send(ping(payload));
    await session.expectPongs(payload);
  }
});

// "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in response to previous Ping frame(s),
// the endpoint MAY elect to send a Pong frame for only the most recently processed Ping frame." Ours answers all.
test('many pings in one piece are all answered in their order', async () => {
  const session = await shared.open();
  const payloads = Array.from({length: 500}, (_, i) => `ping ${i}`);
  session.send(...payloads.map((payload) => ping(payload)));
  await session.expectPongs(...payloads);
});

// "A Pong frame MAY be sent unsolicited. [...] A response to an unsolicited Pong frame is not expected."
test('pongs that nobody asked for are ignored', async () => {
  const session = await shared.open();
  session.send(pong(''), pong('hello'), pong(Buffer.alloc(125)), ping('asked'));
  await session.expectPongs('asked');
  await session.expectAlive();
});

// "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
for (const [name, opcode] of [['ping', kPing], ['pong', kPong], ['close', kClose]]) {
  const payload = Buffer.alloc(126, 3);
  test(`a ${name} of 126 bytes is closed with 1002`, () => shared.expectFailure(1002, frame(opcode, payload)));
  test(`a ${name} that claims 64 bits of length is closed with 1002`, () =>
    shared.expectFailure(1002, frame(opcode, '', {width: 64, length: 2 ** 40})));
  test(`a fragmented ${name} is closed with 1002`, () => shared.expectFailure(1002, unfinished(opcode, payload.subarray(0, 2))));
}
test('a fragmented ping inside a message is closed with 1002', () =>
  shared.expectFailure(1002, unfinished(kText, '{'), unfinished(kPing, 'x')));

test('a flood of pings that is not read makes the gateway wait, not grow; all are answered once it is read', async () => {
  const session = await shared.open();
  const before = shared.fleet.gateway.stats().rssKiB;
  const payload = Buffer.alloc(125, 'p');
  const batch = Buffer.concat(Array(1000).fill(ping(payload)));
  session.socket.socket.pause();
  let batches = 0;
  // Until both directions are full: the gateway has stopped reading, because we do not.
  await waitUntil(() => {
    if (session.socket.socket.writableLength === 0 && batches < 400) {
      session.send(batch);
      batches += 1;
    }
    return session.socket.socket.writableLength > 0 && waited(session.socket.socket);
  }, {ms: 15000, what: 'the gateway to stop reading', got: () => `${batches} batches`, every: 1});
  assert.ok(batches < 400, 'the gateway stopped reading');
  const grown = shared.fleet.gateway.stats().rssKiB - before;
  assert.ok(sanitized || grown < 8 << 10, `${grown} KiB more after ${batches * 1000} pings`);
  const other = await shared.open();
  await other.expectAlive('meanwhile');
  session.socket.socket.resume();
  await session.expectPongs(...Array(batches * 1000).fill(payload));
  await session.expectAlive();
});

// Nothing has left this socket for a while: long against the pace of a reader, short against any bound of the gateway.
function waited(socket) {
  const {writableLength} = socket;
  if (socket.lastLength !== writableLength) {
    socket.lastLength = writableLength;
    socket.lastMoved = performance.now();
  }
  return performance.now() - socket.lastMoved > 300;
}

test('pings are answered while a message is on its way', async () => {
  const session = await shared.open();
  const whole = text(probe('large', 'x'.repeat(1 << 20)));
  session.send(ping('before'), whole, ping('after'));
  await session.expectPongs('before');
  const first = await session.frame();
  const second = await session.frame();
  assert.deepEqual([first, second].map(({opcode}) => opcode).sort(), [kText, kPong].sort());
});

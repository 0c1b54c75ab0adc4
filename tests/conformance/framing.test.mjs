// RFC 6455 section 5.2: the base framing protocol.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {sharedFleet} from './harness/conformance.mjs';
import {frame, kBinary, kContinuation, kPing, kText, ping, text} from './harness/frames.mjs';
import {probe, probeOfSize} from './harness/raw_websocket.mjs';

const shared = sharedFleet();

// Around the borders of the three length encodings, and of usual buffers.
const kSizes = [40, 124, 125, 126, 127, 1535, 1536, 4096, 4097, 16383, 16384, 65534, 65535, 65536, 65537, 1 << 20];

test('messages of all length encodings are understood', async () => {
  const session = await shared.open();
  for (const size of kSizes) {
    session.send(text(probeOfSize(`size-${size}`, size)));
    await session.expectEchoes(`size-${size}`);
  }
});

test('an empty message is a message', async () => {
  const session = await shared.open();
  session.send(text(''));
  const event = await session.event();
  assert.match(event.error.message, /JSON/);
  await session.expectAlive();
});

test('a binary message is answered as such, and the session goes on', async () => {
  const session = await shared.open();
  session.send(frame(kBinary, Buffer.alloc(960)));
  assert.equal((await session.event()).error.code, 'invalid_event');
  await session.expectAlive();
});

// "the minimal number of bytes MUST be used to encode the length"
for (const [size, width] of [[40, 16], [125, 16], [40, 64], [126, 64], [65535, 64]]) {
  test(`a length of ${size} in ${width} bits is closed with 1002`, () =>
    shared.expectFailure(1002, text(probeOfSize('long', size), {width})));
}

// "the most significant bit MUST be 0"; such a length is over every limit as well, and Beast says that.
test('a length with its highest bit set is closed', () =>
  shared.expectFailure(1009, text('', {width: 64, length: 2n ** 63n + 5n})));

test('a key of zeros masks, too', async () => {
  const session = await shared.open();
  session.send(text(probe('zero-mask'), {mask: Buffer.alloc(4)}));
  await session.expectEchoes('zero-mask');
});

test('each frame may have another key', async () => {
  const session = await shared.open();
  const frames = Array.from({length: 32}, (_, i) => text(probe(`mask-${i}`), {mask: Buffer.from([i, 255 - i, i * 7, 3])}));
  session.send(...frames);
  await session.expectEchoes(...frames.map((_, i) => `mask-${i}`));
});

// Section 5.1: "a server MUST close the connection upon receiving a frame that is not masked".
for (const opcode of [kText, kBinary, kPing, 8]) {
  test(`an unmasked frame of opcode ${opcode} is closed with 1002`, () =>
    shared.expectFailure(1002, frame(opcode, opcode === kText ? probe('bare') : '', {mask: null})));
}

// "If a nonzero value is received and none of the negotiated extensions defines the meaning [...]"
for (const rsv of [1, 2, 3, 4, 5, 6, 7]) {
  test(`reserved bits ${rsv} are closed with 1002`, () => shared.expectFailure(1002, text(probe('reserved'), {rsv})));
}
test('a reserved bit on a control frame is closed with 1002', () => shared.expectFailure(1002, ping('x', {rsv: 4})));
test('a reserved bit on a continuation is closed with 1002', () =>
  shared.expectFailure(1002, text('{', {final: false}), frame(kContinuation, '}', {rsv: 1})));

// "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
  test(`the reserved opcode ${opcode} is closed with 1002`, () => shared.expectFailure(1002, frame(opcode, 'x')));
}

test('nothing behind a violation is looked at', async () => {
  const {seen} = await shared.expectFailure(1002, frame(3, 'x'), text(probe('behind')), ping('behind'));
  assert.equal(seen.length, 0);
});

// A frame may arrive in any pieces: TCP knows no borders of frames.
for (const size of [40, 130]) {
  test(`a frame of ${size} bytes is understood, wherever it is split`, async () => {
    const session = await shared.open();
    const whole = text(probeOfSize('split', size));
    for (let at = 1; at < whole.length; ++at) {
      await session.socket.sendApart([whole.subarray(0, at), whole.subarray(at)]);
      await session.expectEchoes('split');
    }
  });
}

test('a frame with a 64-bit length is understood byte by byte through its header', async () => {
  const session = await shared.open();
  const whole = text(probeOfSize('wide', 65536));
  const head = [...whole.subarray(0, 16)].map((byte) => Buffer.from([byte]));
  await session.socket.sendApart([...head, whole.subarray(16)]);
  await session.expectEchoes('wide');
});

test('several frames, all byte by byte', async () => {
  const session = await shared.open();
  const whole = Buffer.concat([text(probe('a')), ping('b'), text(probe('c'))]);
  await session.socket.sendApart([...whole].map((byte) => Buffer.from([byte])));
  await session.expectEchoes('a');
  await session.expectPongs('b');
  await session.expectEchoes('c');
});

test('many frames in one piece are all answered, in their order', async () => {
  const session = await shared.open();
  const ids = Array.from({length: 1000}, (_, i) => `n-${i}`);
  session.send(...ids.map((id) => text(probe(id))));
  await session.expectEchoes(...ids);
});

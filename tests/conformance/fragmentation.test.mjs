// RFC 6455 section 5.4: messages in fragments, with control frames between them.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {sharedFleet} from './harness/conformance.mjs';
import {close, fragments, frame, kBinary, kContinuation, kText, ping, pong, text, unfinished} from './harness/frames.mjs';
import {probe, probeOfSize} from './harness/raw_websocket.mjs';

const shared = sharedFleet();

const piecesOf = (message, size) => {
  const bytes = Buffer.from(message);
  return Array.from({length: Math.ceil(bytes.length / size)}, (_, i) => bytes.subarray(i * size, (i + 1) * size));
};

test('a text message is the sum of its fragments', async () => {
  const session = await shared.open();
  for (const size of [1, 2, 7, 125, 126, 4096]) {
    session.send(...fragments(kText, piecesOf(probeOfSize(`pieces-of-${size}`, 600 * Math.ceil(size / 100)), size)));
    await session.expectEchoes(`pieces-of-${size}`);
  }
});

test('a fragmented message may come in as many segments', async () => {
  const session = await shared.open();
  await session.socket.sendApart(fragments(kText, piecesOf(probe('slow'), 1)));
  await session.expectEchoes('slow');
});

test('fragments may be empty, at the beginning, in the middle, at the end', async () => {
  const session = await shared.open();
  const [first, second] = [probe('hollow').slice(0, 9), probe('hollow').slice(9)];
  for (const pieces of [['', first, second], [first, '', second], [first, second, ''], ['', '', first, '', '', second, '', '']]) {
    session.send(...fragments(kText, pieces));
    await session.expectEchoes('hollow');
  }
});

test('a message of nothing but empty fragments is an empty message', async () => {
  const session = await shared.open();
  session.send(...fragments(kText, ['', '', '']));
  assert.match((await session.event()).error.message, /JSON/);
  await session.expectAlive();
});

test('a fragmented binary message is one message', async () => {
  const session = await shared.open();
  session.send(...fragments(kBinary, [Buffer.alloc(3), Buffer.alloc(0), Buffer.alloc(4)]));
  assert.equal((await session.event()).error.code, 'invalid_event');
  await session.expectAlive();
});

// "Control frames [...] MAY be injected in the middle of a fragmented message." "an endpoint MUST be capable of
// handling control frames in the middle of a fragmented message."
test('a ping inside a message is answered before the message ends', async () => {
  const session = await shared.open();
  const [first, ...rest] = piecesOf(probe('interrupted'), 5);
  session.send(unfinished(kText, first), ping('now'));
  await session.expectPongs('now');
  for (const piece of rest.slice(0, -1)) {
    session.send(unfinished(kContinuation, piece), ping(piece), pong('unasked'));
    await session.expectPongs(piece);
  }
  session.send(frame(kContinuation, rest.at(-1)));
  await session.expectEchoes('interrupted');
});

test('control frames between fragments, all in one piece', async () => {
  const session = await shared.open();
  const [first, second, third] = fragments(kText, piecesOf(probe('mixed'), 8));
  session.send(first, ping('1'), ping('2'), second, pong(''), third, text(probe('next')));
  await session.expectPongs('1', '2');
  await session.expectEchoes('mixed', 'next');
});

test('a close inside a message ends the session; the message is not delivered', async () => {
  const session = await shared.open();
  session.send(unfinished(kText, probe('cut off').slice(0, 6)), close(1000, 'enough'));
  const {seen} = await session.expectClose(1000);
  assert.equal(seen.length, 0);
});

const kUnfinished = unfinished(kText, '{"a":');
test('a continuation without a beginning is closed with 1002', () => shared.expectFailure(1002, frame(kContinuation, probe('x'))));
test('an unfinished continuation without a beginning is closed with 1002', () => shared.expectFailure(1002, unfinished(kContinuation, 'x')));
test('a continuation after a whole message is closed with 1002', async () => {
  const session = await shared.open();
  await session.expectAlive();
  await shared.expectFailureOf(session, 1002, frame(kContinuation, 'x'));
});
test('a text message inside a message is closed with 1002', () => shared.expectFailure(1002, kUnfinished, text(probe('x'))));
test('a binary message inside a message is closed with 1002', () => shared.expectFailure(1002, kUnfinished, frame(kBinary, 'x')));
test('another beginning inside a message is closed with 1002', () => shared.expectFailure(1002, kUnfinished, kUnfinished));

test('after a fragmented message the next one begins anew', async () => {
  const session = await shared.open();
  for (let i = 0; i < 20; ++i) {
    session.send(...fragments(kText, piecesOf(probe(`round-${i}`), 3)), text(probe(`between-${i}`)));
    await session.expectEchoes(`round-${i}`, `between-${i}`);
  }
});

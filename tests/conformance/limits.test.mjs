// RFC 6455 section 10.4: limits on frames and messages. Ours is 16 MiB for a message, in one frame or in many.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {sanitized, waitUntil} from '../process/harness.mjs';
import {sharedFleet} from './harness/conformance.mjs';
import {fragments, frame, kContinuation, kText, text, unfinished} from './harness/frames.mjs';
import {probe, probeOfSize} from './harness/raw_websocket.mjs';

const shared = sharedFleet();
const kMax = 16 << 20;
const kMiB = 1 << 10;  // In the KiB of /proc.

// Masking costs time in JavaScript: once.
const largest = text(probeOfSize('largest', kMax));

const rss = () => shared.fleet.gateway.stats().rssKiB;

function assertGrowth(before, most, what) {
  const grown = rss() - before;
  assert.ok(sanitized || grown < most, `${what}: ${grown} KiB more`);
}

test('a message of 16 MiB passes, one after the other', async () => {
  const session = await shared.open();
  for (let i = 0; i < 3; ++i) {
    session.send(largest);
    await session.expectEchoes('largest');
  }
});

test('a message of 16 MiB passes in fragments of all sizes', async () => {
  const session = await shared.open();
  const whole = Buffer.from(probeOfSize('in-fragments', kMax));
  const pieces = [1, 100, 65535, 65536, 1 << 20, 8 << 20].map((size, i, all) => {
    const from = all.slice(0, i).reduce((sum, each) => sum + each, 0);
    return whole.subarray(from, from + size);
  });
  const used = pieces.reduce((sum, piece) => sum + piece.length, 0);
  session.send(...fragments(kText, [...pieces, whole.subarray(used)]));
  await session.expectEchoes('in-fragments');
});

test('one byte more is closed with 1009, at its header', async () => {
  await shared.expectFailure(1009, text('', {length: kMax + 1}));
  await shared.expectFailure(1009, text('', {length: 2 ** 40}));
});

test('one byte more over all fragments is closed with 1009, at the header of the last', async () => {
  const half = unfinished(kText, 'x'.repeat(kMax / 2));
  await shared.expectFailure(1009, half, frame(kContinuation, '', {length: kMax / 2 + 1}));
  await shared.expectFailure(1009, half, unfinished(kContinuation, ''), frame(kContinuation, '', {length: kMax / 2 + 1}));
});

test('many small fragments over the limit are closed with 1009', async () => {
  const piece = frame(kContinuation, 'x'.repeat(60000), {final: false});
  await shared.expectFailure(1009, unfinished(kText, '"'), ...Array(Math.ceil(kMax / 60000) + 1).fill(piece));
});

// What a frame's header claims costs nothing until it is sent: 40 sessions that claim 640 MiB together.
test('memory is not reserved for what a header only claims', async () => {
  const sessions = await Promise.all(Array.from({length: 40}, () => shared.open()));
  const before = rss();
  const claim = text('{"pad":"', {length: kMax});
  for (const session of sessions) {
    session.send(claim);
    await session.socket.taken();
  }
  assertGrowth(before, 8 * kMiB, '40 claims of 16 MiB');
  sessions.forEach((session) => session.socket.destroy());
});

test('memory of a large message is given back', async () => {
  const first = await shared.open();
  first.send(largest);
  await first.expectEchoes('largest');
  const before = rss();
  for (let i = 0; i < 6; ++i) {
    const session = await shared.open();
    session.send(largest);
    await session.expectEchoes('largest');
    await session.expectAlive();
  }
  // Seven idle sessions that have each read 16 MiB: 112 MiB if they kept it.
  await waitUntil(() => sanitized || rss() - before < 24 * kMiB, {ms: 5000, what: 'the memory of large messages to be given back', got: () => `${rss() - before} KiB`});
});

// A message that never ends, in frames that carry nothing, costs no memory.
test('endless empty fragments do not grow', async () => {
  const session = await shared.open();
  session.send(unfinished(kText, ''));
  const batch = Buffer.concat(Array(50000).fill(unfinished(kContinuation, '')));
  const before = rss();
  for (let i = 0; i < 8; ++i) {
    session.send(batch);
    await session.socket.taken();
  }
  assertGrowth(before, 2 * kMiB, '400000 empty fragments');
  const other = await shared.open();
  await other.expectAlive('meanwhile');
  session.send(frame(kContinuation, probe('the end')));
  await session.expectEchoes('the end');
});

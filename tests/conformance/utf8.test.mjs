// RFC 6455 sections 5.6 and 8.1: text is UTF-8 (RFC 3629), over all fragments of a message together.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {sharedFleet} from './harness/conformance.mjs';
import {closePayload, fragments, frame, kBinary, kClose, kText, text, unfinished} from './harness/frames.mjs';
import {probe} from './harness/raw_websocket.mjs';

const shared = sharedFleet();

// The first and last character of each length, the borders of the surrogates, and what people write.
const kValid = {
  'of two bytes': '\u0080\u07ff',
  'of three bytes': '\u0800\uffff',
  'of four bytes': '\u{10000}\u{10ffff}',
  'around the surrogates': '\ud7ff\ue000',
  'non-characters': '\ufffe\u{1fffe}\ufdd0',
  'a byte order mark': '\ufeffx',
  'German, Greek, Korean, emoji': 'grüß κόσμε 안녕하세요 👩‍👩‍👧',
};

for (const [name, id] of Object.entries(kValid)) {
  test(`valid text passes, whole and cut at each byte: ${name}`, async () => {
    const session = await shared.open();
    const whole = Buffer.from(probe(id));
    session.send(text(whole));
    await session.expectEchoes(id);
    for (let at = 1; at < whole.length; ++at) {
      session.send(...fragments(kText, [whole.subarray(0, at), whole.subarray(at)]));
      await session.expectEchoes(id);
    }
  });
}

test('valid text passes in fragments and segments of one byte', async () => {
  const session = await shared.open();
  const id = '안녕 👋';
  session.send(...fragments(kText, [...Buffer.from(probe(id))].map((byte) => Buffer.from([byte]))));
  await session.expectEchoes(id);
  await session.socket.sendApart([...text(probe(id))].map((byte) => Buffer.from([byte])));
  await session.expectEchoes(id);
});

const kInvalid = {
  'a lone continuation byte': [0x80],
  'a lead byte alone': [0xc3],
  'Latin-1': [...Buffer.from('café', 'latin1')],
  'an overlong slash of two bytes': [0xc0, 0xaf],
  'an overlong slash of three bytes': [0xe0, 0x80, 0xaf],
  'an overlong slash of four bytes': [0xf0, 0x80, 0x80, 0xaf],
  'the last overlong of two bytes': [0xc1, 0xbf],
  'the last overlong of three bytes': [0xe0, 0x9f, 0xbf],
  'the last overlong of four bytes': [0xf0, 0x8f, 0xbf, 0xbf],
  'an overlong NUL': [0xc0, 0x80],
  'the first surrogate': [0xed, 0xa0, 0x80],
  'the last surrogate': [0xed, 0xbf, 0xbf],
  'a pair of surrogates (CESU-8)': [0xed, 0xa0, 0xbd, 0xed, 0xb1, 0x8b],
  'beyond U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'a lead byte of five': [0xf8, 0x88, 0x80, 0x80, 0x80],
  'a lead byte of six': [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
  '0xfe and 0xff': [0xfe, 0xff],
  'a character cut off by the next': [0xe2, 0x82, 0x41],
  'three of four bytes': [0xf0, 0x9f, 0x91],
};

for (const [name, bytes] of Object.entries(kInvalid)) {
  const payload = Buffer.concat([Buffer.from('{"event_id":"'), Buffer.from(bytes), Buffer.from('"}')]);
  test(`invalid text is closed with 1007: ${name}`, async () => {
    await shared.expectFailure(1007, text(payload));
    await shared.expectFailure(1007, text(Buffer.from(bytes)));  // At the very end of the message.
    await shared.expectFailure(1007, ...fragments(kText, [...payload].map((byte) => Buffer.from([byte]))));
  });
}

test('a character that no further fragment completes is closed with 1007', async () => {
  const [first, second] = [Buffer.from([0x22, 0xe2, 0x82]), Buffer.from([0xac])];
  await shared.expectFailure(1007, ...fragments(kText, [first]));
  await shared.expectFailure(1007, ...fragments(kText, [first, '']));
  await shared.expectFailure(1007, ...fragments(kText, [first, 'x', second]));
});

// An early end of a message that cannot become valid any more: before its last fragment has come.
test('invalid text is closed before its message is complete', () =>
  shared.expectFailure(1007, unfinished(kText, Buffer.from([0x22, 0xed, 0xa0, 0x80]))));

test('a character that was begun in one message is not completed by the next', async () => {
  const session = await shared.open();
  session.send(text(probe('€')));
  await session.expectEchoes('€');
  await shared.expectFailureOf(session, 1007, text(Buffer.from([0xac])));
});

test('a binary message may be anything', async () => {
  const session = await shared.open();
  session.send(frame(kBinary, Buffer.from([0xff, 0xfe, 0xc0, 0x80])));
  assert.equal((await session.event()).error.code, 'invalid_event');
  await session.expectAlive();
});

// Section 5.5.1: the reason of a close frame is UTF-8 as well. The section does not say which code answers a
// broken one; ours is that of a broken close frame.
for (const bytes of [[0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xff]]) {
  test(`an invalid close reason (${Buffer.from(bytes).toString('hex')}) is closed with 1002`, () =>
    shared.expectFailure(1002, frame(kClose, closePayload(1000, Buffer.from(bytes)))));
}

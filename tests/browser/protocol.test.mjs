// The page's codec and its back-off, without a page.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {backoffMs, gatewayUrl, pauseMs} from '../../gateway/web/connection.js';
import {takeKey} from '../../gateway/web/credentials.js';
import {loudness} from '../../gateway/web/meter.js';
import {appendEvent, decodeDelta, decodeFrame, encodeInputFrame} from '../../gateway/web/protocol.js';
import {refusalOf} from '../../gateway/web/refusal.js';

const kPcm = Int16Array.of(0, 1, -1, 32767, -32768);

// Written by hand after the README's table.
function outputFrame({response = 'resp_1', item = 'item_ä', pcm = kPcm, extra = 0, kind = 2} = {}) {
  const ids = Buffer.from(response + item);
  const headerBytes = 16 + ids.length + (ids.length % 2) + extra;
  const frame = Buffer.alloc(headerBytes + pcm.length * 2);
  frame.writeUInt8(kind, 0);
  frame.writeUInt8(255, 1);  // Flags, to be ignored.
  frame.writeUInt16LE(headerBytes, 2);
  frame.writeUInt16LE(3, 4);
  frame.writeUInt16LE(1, 6);
  frame.writeUInt32LE(4000000000, 8);
  frame.writeUInt16LE(Buffer.byteLength(response), 12);
  frame.writeUInt16LE(Buffer.byteLength(item), 14);
  ids.copy(frame, 16);
  pcm.forEach((sample, i) => frame.writeInt16LE(sample, headerBytes + i * 2));
  return frame.buffer.slice(frame.byteOffset, frame.byteOffset + frame.length);
}

test('an input frame is four bytes and the samples', () => {
  assert.equal(Buffer.from(encodeInputFrame(kPcm)).toString('hex'), '010004000000' + '0100' + 'ffff' + 'ff7f' + '0080');
  assert.equal(Buffer.from(encodeInputFrame(new Int16Array(0))).toString('hex'), '01000400');
});

test('an output frame gives ids, position and samples', () => {
  const {pcm, ...rest} = decodeFrame(outputFrame());
  assert.deepEqual(rest, {outputIndex: 3, contentIndex: 1, firstSample: 4000000000, responseId: 'resp_1', itemId: 'item_ä'});
  assert.deepEqual([...pcm], [...kPcm]);
});

test('a longer header of a later version is stepped over', () => {
  assert.deepEqual([...decodeFrame(outputFrame({extra: 12})).pcm], [...kPcm]);
});

test('frames of other kinds, cut short or with a header that lies are ignored', () => {
  assert.equal(decodeFrame(outputFrame({kind: 1})), undefined);
  assert.equal(decodeFrame(outputFrame({kind: 7})), undefined);
  const whole = outputFrame({pcm: Int16Array.of()});
  for (let length = 0; length < whole.byteLength; ++length) {
    assert.equal(decodeFrame(whole.slice(0, length)), undefined, `${length} bytes`);
  }
  const odd = outputFrame();
  new DataView(odd).setUint16(2, 31, true);
  assert.equal(decodeFrame(odd), undefined, 'an odd header');
});

test('audio in JSON is the same audio', () => {
  const {audio} = appendEvent(kPcm.subarray(1));
  const decoded = decodeDelta({delta: audio, item_id: 'i', response_id: 'r', content_index: 0, output_index: 0});
  assert.deepEqual([...decoded.pcm], [1, -1, 32767, -32768]);
  assert.deepEqual([decoded.itemId, decoded.responseId], ['i', 'r']);
});

test('back-off doubles up to its limit, and half of it is chance', () => {
  const ceilings = [1, 2, 3, 4, 5, 6, 20].map((attempt) => backoffMs(attempt, () => 1));
  assert.deepEqual(ceilings, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
  assert.equal(backoffMs(3, () => 0), 1000);
  const spread = new Set(Array.from({length: 50}, () => backoffMs(5)));
  assert.ok(spread.size > 10 && [...spread].every((ms) => ms >= 4000 && ms <= 8000));
});

test('a server that says when to come back is believed, and not by all at once', () => {
  assert.equal(pauseMs(1, 0, () => 1), 500);
  assert.equal(pauseMs(1, 2000, () => 0), 2000, 'not before');
  assert.equal(pauseMs(1, 2000, () => 1), 3000);
  assert.equal(pauseMs(5, 1000, () => 1), 8000, 'the back-off counts as well');
});

test('why an upgrade failed is asked for by a plain request', async () => {
  const asked = [];
  const answering = (status, headers = {}) => async (url, {headers: sent}) => {
    asked.push([url, sent]);
    return {status, headers: new Headers(headers)};
  };
  const of = (ask, more = {}) => refusalOf({url: 'wss://talk.example/v1/realtime?profile=a', ask, ...more});
  assert.deepEqual(await of(answering(503, {'Retry-After': '2'}), {key: 'ek_1'}), {status: 503, retryAfterMs: 2000});
  assert.deepEqual(asked[0], ['https://talk.example/v1/realtime?profile=a', {Authorization: 'Bearer ek_1'}]);
  for (const [value, ms] of [['86400', 30000], ['-1', 0], ['soon', 0], ['Fri, 31 Dec 1999 23:59:59 GMT', 0]]) {
    assert.equal((await of(answering(503, {'Retry-After': value}))).retryAfterMs, ms, value);
  }
  assert.deepEqual(await of(answering(426)), {status: 426, retryAfterMs: 0});
  assert.deepEqual(asked.at(-1)[1], {});
  assert.equal(await of(() => Promise.reject(new TypeError('nobody there'))), undefined);
});

test('the gateway is where the page came from, with its security and the profile', () => {
  assert.equal(gatewayUrl(new URL('https://talk.example/?x=1#key=2'), 'a b'), 'wss://talk.example/v1/realtime?profile=a+b');
  assert.equal(gatewayUrl(new URL('http://127.0.0.1:8080/'), null), 'ws://127.0.0.1:8080/v1/realtime');
});

test('a key is taken out of the address, what else is there stays', () => {
  const shown = [];
  const history = {state: null, replaceState: (_, __, url) => shown.push(url)};
  assert.equal(takeKey(new URL('https://h/p?q=1#key=ek_abc&view=x'), history), 'ek_abc');
  assert.equal(takeKey(new URL('https://h/p#key=ek_abc'), history), 'ek_abc');
  assert.equal(takeKey(new URL('https://h/p#other=1'), history), undefined);
  assert.equal(takeKey(new URL('https://h/p#key='), history), undefined);
  assert.deepEqual(shown, ['/p?q=1#view=x', '/p', '/p']);
});

test('loudness follows the ear', () => {
  assert.equal(loudness(0), 0);
  assert.equal(loudness(1), 1);
  assert.ok(loudness(0.1) > 0.5 && loudness(0.1) < 0.8);
});

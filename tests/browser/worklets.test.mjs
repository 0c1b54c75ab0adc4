// The two processors of the audio thread, without a browser.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {feed, makeProcessor, post, render, sentOf} from './harness/audio_thread.mjs';

const ramp = (length, from = 1) => Int16Array.from({length}, (_, i) => from + i);
const toInt16 = (out) => Array.from(out, (sample) => Math.round(sample * 32768));
const kLong = 2400;  // The prebuffer.

test('parts follow each other without a gap, whatever the sizes of their chunks', async () => {
  const playback = await makeProcessor('playback-worklet.js');
  const all = ramp(3001);
  let at = 0;
  for (const size of [1, 700, 1, 1000, 998, 301]) {
    post(playback, {type: 'audio', key: at < 2000 ? 'a' : 'b', pcm: all.slice(at, at + size)});
    at += size;
  }
  post(playback, {type: 'complete', key: 'b'});
  const heard = toInt16(render(playback, 30)).filter((sample) => sample !== 0);
  assert.deepEqual(heard, [...all]);
  assert.equal(sentOf(playback, 'dry').length, 0);
  assert.deepEqual([sentOf(playback, 'started').length, sentOf(playback, 'stopped').length], [1, 1]);
  assert.deepEqual(sentOf(playback, 'progress').filter(({ended}) => ended).map(({key, played}) => [key, played]), [['a', 2700], ['b', 301]]);
});

test('nothing sounds before the prebuffer is full, except what is complete', async () => {
  const playback = await makeProcessor('playback-worklet.js');
  post(playback, {type: 'audio', key: 'a', pcm: ramp(kLong - 1)});
  assert.ok(render(playback, 4).every((sample) => sample === 0));
  post(playback, {type: 'audio', key: 'a', pcm: ramp(1)});
  assert.ok(render(playback, 1).every((sample) => sample !== 0));
  const short = await makeProcessor('playback-worklet.js');
  post(short, {type: 'audio', key: 'a', pcm: ramp(10)});
  post(short, {type: 'complete', key: 'a'});
  assert.equal(toInt16(render(short, 1)).filter((sample) => sample !== 0).length, 10);
});

test('running dry is reported and does not end the answer', async () => {
  const playback = await makeProcessor('playback-worklet.js');
  post(playback, {type: 'audio', key: 'a', pcm: ramp(kLong)});
  render(playback, 30);
  assert.deepEqual([sentOf(playback, 'dry').length, sentOf(playback, 'stopped').length], [1, 0]);
  post(playback, {type: 'audio', key: 'a', pcm: ramp(kLong)});
  post(playback, {type: 'complete', key: 'a'});
  render(playback, 30);
  assert.deepEqual([sentOf(playback, 'dry').length, sentOf(playback, 'stopped').length], [1, 1]);
});

test('an answer of 40 seconds that comes at once is played to its last sample, and is over only then', async () => {
  const playback = await makeProcessor('playback-worklet.js');
  const samples = 40 * 24000;
  post(playback, {type: 'audio', key: 'a', pcm: new Int16Array(samples).fill(1000)});
  post(playback, {type: 'complete', key: 'a'});
  const quanta = samples / 128;
  assert.ok(render(playback, quanta - 1).every((sample) => sample !== 0));
  assert.equal(sentOf(playback, 'stopped').length, 0);
  assert.ok(render(playback, 2)[127] !== 0);
  assert.equal(sentOf(playback, 'stopped').length, 1);
});

test('a flush fades out within one quantum and says what was played', async () => {
  const playback = await makeProcessor('playback-worklet.js');
  post(playback, {type: 'audio', key: 'a', pcm: new Int16Array(5000).fill(16384)});
  render(playback, 3);
  post(playback, {type: 'flush', id: 7});
  const last = render(playback, 1);
  assert.ok(last[0] === 0.5 && last[127] < 0.01 && last[127] > 0, 'fades');
  assert.ok(render(playback, 5).every((sample) => sample === 0), 'silence');
  assert.deepEqual(sentOf(playback, 'flushed'), [{type: 'flushed', id: 7, played: [{key: 'a', played: 512}]}]);
  post(playback, {type: 'complete', key: 'a'});
  render(playback, 1);
  assert.equal(sentOf(playback, 'stopped').length, 1);
});

test('a flush of nothing is answered', async () => {
  const playback = await makeProcessor('playback-worklet.js');
  post(playback, {type: 'flush', id: 1});
  render(playback, 1);
  assert.deepEqual(sentOf(playback, 'flushed')[0].played, []);
});

test('the microphone gives whole frames while open, the rest at its close, and nothing else', async () => {
  const capture = await makeProcessor('capture-worklet.js');
  feed(capture, new Float32Array(1920).fill(0.9));
  assert.equal(sentOf(capture, 'frame').length, 0, 'closed');
  assert.ok(Math.abs(sentOf(capture, 'level').at(-1).level - 0.9) < 1e-6, 'the level is known all the same');
  post(capture, {type: 'open'});
  feed(capture, new Float32Array(1024).fill(0.25));
  post(capture, {type: 'close'});
  assert.deepEqual(sentOf(capture, 'frame').map(({pcm}) => pcm.length), [960, 64]);
  assert.equal(capture.port.sent.at(-1).type, 'closed');
  feed(capture, new Float32Array(1920));
  assert.equal(sentOf(capture, 'frame').length, 2);
});

test('samples are rounded and bounded', async () => {
  const capture = await makeProcessor('capture-worklet.js');
  post(capture, {type: 'open'});
  feed(capture, Float32Array.of(0, 1, -1, 2, -2, 0.5, -0.5));
  post(capture, {type: 'close'});
  assert.deepEqual([...sentOf(capture, 'frame')[0].pcm], [0, 32767, -32768, 32767, -32768, 16384, -16384]);
});

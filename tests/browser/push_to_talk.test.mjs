// Push-to-talk in a real browser, with recorded speech as its microphone.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {allItems, checkHeard, findItem, kBytesPerMs, patience, sha256, waitUntil} from '../process/harness.mjs';
import {withPage} from './harness/page.mjs';
import {takeHeard, trimmed} from './harness/tap.mjs';

const kSpeech = {speech: ['vm-goodbye', 300]};
const kLong = 'This is a long answer, so that there is something to interrupt. '.repeat(6);

// What came out of the page's loudspeaker is what the simulator generated, sample for sample.
async function checkPlayed(talk, fleet) {
  const [itemId] = talk.received.itemIds.slice(-1);
  const generated = talk.received.pcm(itemId);
  const record = findItem(await fleet.journal(), itemId);
  assert.equal(sha256(talk.received.bytes(itemId)), record.audio_sha256, 'what was generated reached the page');
  const {pcm: heard} = await takeHeard(talk.page);
  const wanted = trimmed(generated);
  assert.ok(Math.abs(heard.length / wanted.length - 1) < 0.02, `heard ${heard.length / 24} ms of ${wanted.length / 24} ms`);
  const different = wanted.findIndex((sample, i) => sample !== heard[i]);
  assert.equal(different, -1, `the same up to ${different / 24} ms of ${wanted.length / 24} ms`);
  return wanted.length / 24;
}

test('press, speak, release: both transcripts, and the answer is played without a gap', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  await talk.start();
  await talk.hold(1500);
  await talk.waitForPhase('speaking');
  await talk.waitForPhase('listening');
  const {conversations: [turns]} = await talk.look();
  assert.deepEqual(turns.map(({who, state}) => [who, state]), [['user', 'final'], ['assistant', 'final']]);
  assert.match(turns[0].words, /^I spoke for 1\.[3-9]\d seconds/);
  assert.equal(turns[1].words, allItems(await fleet.journal())[0].text);
  const ms = await checkPlayed(talk, fleet);
  assert.ok(ms > 2000, `${ms} ms are worth measuring`);
  assert.ok(talk.received.binarySent > 30 && talk.received.binaryReceived > 5, 'audio travelled as binary messages, both ways');
  assert.equal(talk.received.sentOf('input_audio_buffer.append').length, 0);
  // The user's words arrived, and they are speech: not silence.
  const [item] = (await fleet.journal()).sessions[0].user_items;
  assert.ok(Math.abs(item.bytes / kBytesPerMs - 1500) < 200, `${item.bytes / kBytesPerMs} ms of speech`);
}));

test('without the binary subprotocol the same works in JSON', () => withPage({browser: kSpeech, page: {jsonOnly: true}}, async (talk, fleet) => {
  await talk.start();
  await talk.turn();
  await checkPlayed(talk, fleet);
  assert.deepEqual([talk.received.binarySent, talk.received.binaryReceived], [0, 0]);
  assert.ok(talk.received.sentOf('input_audio_buffer.append').length > 20);
  const pcm = Buffer.concat(talk.received.sentOf('input_audio_buffer.append').map(({audio}) => Buffer.from(audio, 'base64')));
  await checkHeard(fleet, pcm);
}));

test('a press into the answer interrupts it: silence, cancel, truncate where it was heard', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  await fleet.script({replies: [kLong]});
  await talk.start();
  await talk.hold(1000);
  await talk.waitForPhase('speaking');
  await waitUntil(async () => (await talk.page.evaluate(() => window.tapped.length * 128 / 24)) > 800, {ms: 10000, what: '800 ms to be heard'});
  await talk.button.hover();
  await talk.page.mouse.down();
  const interrupted = talk.received.itemIds[0];
  await waitUntil(() => talk.received.sentOf('conversation.item.truncate').length > 0, {ms: 5000, what: 'the truncate'});
  const {pcm: heard} = await takeHeard(talk.page);
  await talk.page.mouse.move(600, 700);  // Off the button, still held.
  await talk.page.waitForTimeout(400);  // The rest of what the user says.
  assert.equal((await takeHeard(talk.page)).pcm.length, 0, 'silence once it was cut');
  assert.equal((await talk.look()).button, 'Release to send');
  await talk.page.mouse.up();
  await talk.waitForPhase('speaking');
  await talk.waitForPhase('listening');
  const [cut] = talk.received.sentOf('conversation.item.truncate');
  assert.equal(cut.item_id, interrupted);
  const heardMs = heard.length / 24;
  assert.ok(cut.audio_end_ms > 600 && cut.audio_end_ms <= heardMs + 60 && cut.audio_end_ms > heardMs - 400, `cut at ${cut.audio_end_ms} ms, heard ${heardMs} ms`);
  const [{responses: [first, second]}] = (await fleet.journal()).sessions;
  assert.equal(first.items[0].truncated_at_ms, cut.audio_end_ms, 'the upstream was told the same');
  assert.equal(second.status, 'completed', 'and the new turn was answered');
  const {conversations: [turns]} = await talk.look();
  assert.deepEqual(turns.map(({who, mark}) => [who, mark]), [['user', ''], ['assistant', 'interrupted'], ['user', ''], ['assistant', '']]);
}));

test('a tap is no turn: it asks to hold, and nothing reaches the upstream', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  await talk.start();
  await talk.button.hover();
  await talk.page.mouse.down();
  await talk.page.mouse.up();
  const {notice} = await talk.waitFor((seen) => seen.notice !== '' && seen, 'to be told');
  assert.match(notice, /Hold the button/);
  assert.equal(talk.received.sentOf('input_audio_buffer.commit').length, 0);
  await talk.turn();
  assert.equal((await fleet.journal()).sessions[0].user_items.length, 1);
}));

test('a button that is held for a minute is let go: what was said is one turn, and the next press is another', () => withPage({browser: kSpeech}, async (talk, fleet) => {
  await talk.start();
  await talk.page.clock.install();
  await talk.button.hover();
  await talk.page.mouse.down();
  await waitUntil(() => talk.received.binarySent > 10, {ms: 10000 * patience, what: 'some of it to be sent'});
  await talk.page.clock.fastForward(59000);
  assert.equal(talk.received.sentOf('input_audio_buffer.commit').length, 0);
  await talk.page.clock.fastForward(1000);
  const {notice} = await talk.waitFor((seen) => seen.notice !== '' && seen, 'to be told');
  assert.match(notice, /a minute/);
  await talk.page.clock.resume();
  await talk.page.mouse.up();
  await talk.waitForPhase('speaking');
  await talk.hold(500);
  await waitUntil(() => talk.received.sentOf('response.create').length > 1, {ms: 10000 * patience, what: 'the second turn'});
  assert.equal(talk.received.sentOf('input_audio_buffer.commit').length, 2, 'the release of the first press is none');
}));

test('by touch', () => withPage({browser: kSpeech, page: {hasTouch: true, viewport: {width: 360, height: 740}}}, async (talk, fleet) => {
  await talk.button.tap();
  await talk.waitForPhase('listening');
  const box = await talk.button.boundingBox();
  const cdp = await talk.page.context().newCDPSession(talk.page);
  const touch = (type, points) => cdp.send('Input.dispatchTouchEvent', {type, touchPoints: points});
  const point = {x: box.x + box.width / 2, y: box.y + box.height / 2};
  await touch('touchStart', [point]);
  await talk.page.waitForTimeout(1000);  // How long a person speaks; long enough to open a context menu.
  await touch('touchMove', [{x: point.x + 5, y: point.y - 120}]);
  await touch('touchEnd', []);
  await talk.waitForPhase('speaking');
  await talk.waitForPhase('listening');
  assert.equal((await fleet.journal()).sessions[0].user_items.length, 1, 'a finger that moves still holds');
}));

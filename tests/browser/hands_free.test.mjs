// Hands-free in a real browser: the server hears when a turn begins and ends, also into an answer.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {waitUntil} from '../process/harness.mjs';
import {withPage} from './harness/page.mjs';
import {takeHeard} from './harness/tap.mjs';

// A turn, then another one about four seconds into the answer, then quiet.
const kTwoTurns = {speech: [1500, 'vm-goodbye', 6000, 'vm-goodbye', 60000]};
const kLong = 'This is a long answer, so that there is something to interrupt. '.repeat(6);
const kHandsFree = {query: {mode: 'hands-free'}};

test('the server finds the turn; speaking into the answer silences it at once and cuts it', () => withPage({browser: kTwoTurns, page: kHandsFree}, async (talk, fleet) => {
  await fleet.script({replies: [kLong, 'Yes, I stopped.']});
  await talk.start();
  assert.equal((await talk.look()).button, 'Mute the microphone');
  await talk.waitForPhase('speaking');
  const interrupted = talk.received.itemIds[0];
  await talk.waitFor(() => talk.received.events.filter(({type}) => type === 'input_audio_buffer.speech_started').length === 2, 'the second utterance');
  await waitUntil(() => talk.received.sentOf('conversation.item.truncate').length > 0, {ms: 2000, what: 'the truncate'});
  const {pcm: heard} = await takeHeard(talk.page);
  await talk.waitForPhase('speaking');
  const [cut] = talk.received.sentOf('conversation.item.truncate');
  assert.equal(cut.item_id, interrupted);
  const heardMs = heard.length / 24;
  assert.ok(heardMs > 1500 && heardMs < 6500, `${heardMs} ms of the answer were heard`);
  assert.ok(cut.audio_end_ms <= heardMs + 60 && cut.audio_end_ms > heardMs - 400, `cut at ${cut.audio_end_ms} ms, heard ${heardMs} ms`);
  assert.ok(cut.audio_end_ms < talk.received.pcm(interrupted).length / 24, 'less than what was received');
  await talk.waitForPhase('listening');
  const {refused, sessions: [{user_items: said, responses}]} = await fleet.journal();
  assert.equal(refused, 0);
  assert.deepEqual(said.map(({by}) => by), ['vad', 'vad']);
  assert.equal(responses[0].items[0].truncated_at_ms, cut.audio_end_ms, 'the upstream was told');
  assert.equal(responses[1].status, 'completed');
  const {conversations: [turns]} = await talk.look();
  assert.deepEqual(turns.map(({who, mark}) => [who, mark]), [['user', ''], ['assistant', 'interrupted'], ['user', ''], ['assistant', '']]);
  assert.equal(turns[3].words, 'Yes, I stopped.');
}));

test('muted, nothing is heard; changing to push-to-talk closes the microphone', () => withPage({browser: {speech: ['vm-goodbye', 700]}, page: kHandsFree}, async (talk, fleet) => {
  await talk.start();
  await talk.button.click();
  await talk.waitFor((seen) => seen.state === 'Muted', 'to be muted');
  const begun = () => talk.received.events.filter(({type}) => type === 'input_audio_buffer.speech_started').length;
  const before = begun();
  await talk.page.waitForTimeout(3000);  // Longer than the recording, which begins anew.
  assert.ok(begun() <= before + 1, `${begun() - before} utterances were heard after it was muted`);
  const quiet = begun();
  await talk.page.waitForTimeout(3000);
  assert.equal(begun(), quiet, 'nothing more is heard');
  await talk.page.locator('input[value=push]').check();
  await talk.waitFor((seen) => seen.button === 'Hold to talk', 'push-to-talk');
  await waitUntil(async () => (await fleet.journal()).sessions[0].session_updates.at(-1)?.audio.input.turn_detection === null, {ms: 5000, what: 'the upstream to know'});
  const sent = talk.received.binarySent;
  await talk.page.waitForTimeout(300);
  assert.equal(talk.received.binarySent, sent, 'no audio leaves the page');
  await talk.hold(1000);
  await talk.waitForPhase('speaking');
}));

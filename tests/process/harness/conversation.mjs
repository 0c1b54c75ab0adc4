// What several tests do with a conversation, and how they compare it with the simulator's record.
import {strict as assert} from 'node:assert';

import {sha256, speech} from './audio.mjs';

export const kSpokenPrompt = 'vm-goodbye';

// A push-to-talk turn that must be answered in full: with audio whose digest the upstream confirms.
export async function checkTurn(fleet, client, pcm = speech(kSpokenPrompt)) {
  const turn = await client.sendTurn(pcm);
  assert.equal(turn.response.status, 'completed', JSON.stringify(turn.response.status_details));
  assert.ok(turn.audio, `a spoken reply, got ${JSON.stringify(turn.items)}`);
  const item = findItem(await fleet.journal(), turn.audio.itemId);
  assert.ok(item, `the journal knows item ${turn.audio.itemId}`);
  assert.deepEqual({bytes: turn.audio.bytes, sha256: turn.audio.sha256}, {bytes: item.audio_bytes, sha256: item.audio_sha256},
                   'the reply reached the client sample for sample');
  return turn;
}

// A turn that takes no longer than it has to.
export async function answerInText(client) {
  const {response, text} = await client.sendText('Are you there?', {response: {output_modalities: ['text']}});
  assert.equal(response.status, 'completed', JSON.stringify(response.status_details));
  assert.match(text, /Are you there/);
}

export function allItems(journal) {
  return journal.sessions.flatMap((session) => session.responses.flatMap((response) => response.items));
}

export function findItem(journal, itemId) {
  return allItems(journal).find((item) => item.item_id === itemId);
}

export function allUserItems(journal) {
  return journal.sessions.flatMap((session) => session.user_items);
}

// The turn's audio is in the journal as one user item, byte for byte.
export async function checkHeard(fleet, pcm) {
  const items = allUserItems(await fleet.journal());
  const digest = sha256(pcm);
  assert.ok(items.some((item) => item.sha256 === digest && item.bytes === pcm.length),
            `user audio of ${pcm.length} bytes (${digest}) at the upstream, which has ${JSON.stringify(items)}`);
}

// How a session ends that the client did not end: an error, voicebridge.session.ended, a close code.
export async function checkEnd(client, {reason, code, ms = 5000, error = true}) {
  const started = performance.now();
  const ended = await client.waitFor('voicebridge.session.ended', undefined, ms);
  assert.equal(ended.reason, reason, `the reason: ${JSON.stringify(ended)}`);
  assert.equal(ended.resumable, false);
  if (error) {
    const told = client.events.find((event) => event.type === 'error' && event.error.code === reason);
    assert.ok(told, `an error event with code ${reason}, got ${JSON.stringify(client.events.filter((event) => event.type === 'error'))}`);
    assert.ok(told.error.message.length > 10, 'the error says something');
  }
  const close = await client.waitForClose();
  assert.equal(close.code, code, `the close: ${JSON.stringify(close)}`);
  return {ended, close, waited: performance.now() - started};
}

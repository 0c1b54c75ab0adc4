// The subprotocol voicebridge.binary.v1: the same conversation, with audio as binary messages.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkHeard, checkTurn, kSpokenPrompt, speech, withFleet} from './harness.mjs';

test('audio travels as binary messages in both directions, sample for sample', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect({binary: true});
  assert.equal(client.socket.protocol, 'voicebridge.binary.v1');
  const pcm = speech(kSpokenPrompt);
  const turn = await checkTurn(fleet, client, pcm);
  await checkHeard(fleet, pcm);
  assert.ok(!client.typesSeen().includes('response.output_audio.delta'), 'no audio in JSON');
  const frames = client.events.filter((event) => event.type === '(binary audio)');
  let position = 0;
  for (const frame of frames) {
    assert.equal(frame.first_sample, position, 'the position within the content part');
    assert.equal(frame.response_id, turn.response.id);
    assert.equal(frame.item_id, turn.audio.itemId);
    position += frame.bytes / 2;
  }
  assert.equal(position * 2, turn.audio.bytes);
  await client.waitFor('response.output_audio.done', (event) => event.item_id === turn.audio.itemId);
}));

test('a JSON client and a binary one hear the same conversation', () => withFleet({}, async (fleet) => {
  const clients = [await fleet.connect(), await fleet.connect({binary: true})];
  const pcm = speech(kSpokenPrompt);
  const turns = [];
  for (const client of clients) {
    turns.push(await checkTurn(fleet, client, pcm));
  }
  assert.equal(turns[0].text, turns[1].text);
  assert.equal(turns[0].audio.sha256, turns[1].audio.sha256);
}));

test('a binary client may send audio as JSON too, and is told what is wrong with a bad message', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect({binary: true});
  for (const [message, param] of [[[1, 0], 'header'], [[7, 0, 4, 0, 1, 2], 'kind'], [[1, 0, 5, 0, 1, 2], 'header_bytes'], [[1, 0, 4, 0, 1], 'audio']]) {
    client.socket.send(Buffer.from(message));
    const {error} = await client.waitForError();
    assert.equal(error.type, 'invalid_request_error');
    assert.equal(error.param, param);
    assert.ok(error.message.includes(param), error.message);
  }
  const pcm = speech(kSpokenPrompt);
  client.send({type: 'input_audio_buffer.append', audio: pcm.subarray(0, 9600).toString('base64')});
  client.sendAudio(pcm.subarray(9600));
  client.send({type: 'input_audio_buffer.commit'});
  client.send({type: 'response.create'});
  const turn = await client.turnDone();
  assert.ok(turn.audio.bytes > 0);
  await checkHeard(fleet, pcm);
}));

test('the first known subprotocol of the list is taken', () => withFleet({workers: 1}, async (fleet) => {
  for (const [protocols, chosen] of [[['realtime', 'voicebridge.binary.v1'], 'realtime'], [['unknown', 'voicebridge.binary.v1', 'realtime'], 'voicebridge.binary.v1'], [[], '']]) {
    const client = await fleet.connect({protocols});
    assert.equal(client.socket.protocol, chosen);
  }
}));

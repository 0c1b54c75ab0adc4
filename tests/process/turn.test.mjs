// One turn of each kind, from a client through gateway and worker to the upstream and back.
import {strict as assert} from 'node:assert';
import path from 'node:path';
import test from 'node:test';

import {
  binDir, checkHeard, checkTurn, findItem, kBytesPerMs, kSpokenPrompt, patience, readWav, run, sha256, silence, SlowProxy, soundFile, speech, withFleet,
} from './harness.mjs';

const kLongReply = {instructions: `say exactly: "${'This is a long answer, so that there is something to interrupt. '.repeat(8)}"`};

test('voicebridgectl talk sends recorded speech and gets transcript and reply, sample for sample', () => withFleet({}, async (fleet) => {
  const out = path.join(fleet.dir, 'reply.wav');
  const result = await run(path.join(binDir, 'voicebridgectl'), ['talk', `${fleet.url}/v1/realtime`, soundFile(kSpokenPrompt), `--out=${out}`, '--json'],
                           {ms: 30000});
  assert.equal(result.code, 0, result.stderr);
  const said = JSON.parse(result.stdout);
  const journal = await fleet.journal();
  const [session] = journal.sessions;
  const reply = session.responses[0].items[0];
  assert.match(said.user_transcript, /^I spoke for \d+\.\d+ seconds/, 'the transcript of what was said');
  assert.equal(said.assistant_transcript, reply.text);
  assert.equal(said.audio_sha256, reply.audio_sha256);
  const wav = readWav(out);
  assert.deepEqual({rate: wav.rate, channels: wav.channels, bits: wav.bits}, {rate: 24000, channels: 1, bits: 16});
  assert.ok(wav.pcm.length > 24000, `more than half a second of speech, got ${wav.pcm.length} bytes`);
  assert.equal(sha256(wav.pcm), reply.audio_sha256, 'the WAV file holds what the simulator generated');
  assert.equal(session.user_items[0].by, 'client');
  // Resampled from 8 kHz: about three times the samples.
  const {pcm} = readWav(soundFile(kSpokenPrompt));
  assert.ok(Math.abs(session.user_items[0].bytes / (pcm.length * 3) - 1) < 0.02, `${session.user_items[0].bytes} of ${pcm.length * 3} bytes`);
}));

test('a push-to-talk turn reaches the upstream unchanged and is answered with speech and transcripts', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  assert.match(client.about.session_id ?? client.about.session?.id ?? '', /\S/, 'session.ready names the session');
  assert.equal(client.session.audio.input.turn_detection, null, 'the assistant profile is push-to-talk');
  const pcm = speech(kSpokenPrompt);
  const turn = await checkTurn(fleet, client, pcm);
  await checkHeard(fleet, pcm);
  const committed = await client.waitFor('input_audio_buffer.committed');
  const transcript = await client.waitFor('conversation.item.input_audio_transcription.completed', (event) => event.item_id === committed.item_id);
  assert.match(transcript.transcript, /^I spoke for \d/);
  assert.match(turn.text, /I heard you speak for/);
  await client.close();
  await fleet.sessionsGone();
}));

test('a text turn is answered in text when the client asks for text', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  const turn = await client.sendText('Good morning', {response: {output_modalities: ['text']}});
  assert.equal(turn.response.status, 'completed');
  assert.equal(turn.text, 'You said: Good morning');
  assert.equal(client.audio.size, 0, 'no audio was sent');
}));

test('with server VAD the upstream finds the utterance and answers by itself', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  client.send({type: 'session.update', session: {type: 'realtime', audio: {input: {turn_detection: {type: 'server_vad', silence_duration_ms: 500}}}}});
  const {session} = await client.waitFor('session.updated');
  assert.equal(session.audio.input.turn_detection.type, 'server_vad');
  const pcm = Buffer.concat([silence(600), speech(kSpokenPrompt), silence(1200)]);
  await client.streamAudio(pcm, {speed: 8});
  const started = await client.waitFor('input_audio_buffer.speech_started');
  await client.waitFor('input_audio_buffer.speech_stopped', (event) => event.item_id === started.item_id);
  await client.waitFor('input_audio_buffer.committed', (event) => event.item_id === started.item_id);
  const turn = await client.turnDone();
  assert.equal(turn.response.status, 'completed');
  assert.ok(turn.audio.bytes > 0);
  const [heard] = (await fleet.journal()).sessions[0].user_items;
  assert.equal(heard.by, 'vad');
  const from = started.audio_start_ms * kBytesPerMs;
  assert.equal(heard.sha256, sha256(pcm.subarray(from, from + heard.bytes)), 'the utterance is a part of what was sent');
}));

test('a function call is announced once, answered by the client and spoken about', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  const tool = {
    type: 'function', name: 'get_weather', description: 'The weather of a city.',
    parameters: {type: 'object', properties: {city: {type: 'string'}}, required: ['city']},
  };
  client.send({type: 'session.update', session: {type: 'realtime', tools: [tool], tool_choice: 'auto'}});
  await client.waitFor('session.updated');
  const asked = await client.sendText('Please get weather for Paris');
  const [call] = asked.items;
  assert.equal(call.type, 'function_call');
  assert.equal(call.name, 'get_weather');
  assert.deepEqual(JSON.parse(call.arguments), {city: 'Paris'});
  const announced = client.events.filter((event) => event.type === 'response.function_call_arguments.done');
  assert.equal(announced.length, 1);
  client.send({type: 'conversation.item.create', item: {type: 'function_call_output', call_id: call.call_id, output: 'rain, 12 degrees'}});
  client.send({type: 'response.create'});
  const answer = await client.turnDone();
  assert.match(answer.text, /The tool answered: rain, 12 degrees/);
  assert.ok(answer.audio.bytes > 0);
}));

// The client speaks while the reply still comes: it tells how much it has played.
async function interrupt(client, {afterMs}) {
  client.sendAudio(speech(kSpokenPrompt));
  client.send({type: 'input_audio_buffer.commit'});
  client.send({type: 'response.create', response: kLongReply});
  const first = await client.waitFor('response.output_audio.delta', undefined, 20000);
  await client.waitFor('response.output_audio.delta', () => client.audioOf(first.item_id).bytes >= afterMs * kBytesPerMs, 30000);
  const played = Math.floor(client.audioOf(first.item_id).bytes / kBytesPerMs);
  client.send({type: 'response.cancel'});
  client.send({type: 'conversation.item.truncate', item_id: first.item_id, content_index: 0, audio_end_ms: played});
  return {itemId: first.item_id, responseId: first.response_id, played};
}

async function checkInterrupted(fleet, client, {itemId, responseId, played}) {
  const truncated = await client.waitFor('conversation.item.truncated', (event) => event.item_id === itemId, 20000);
  const done = await client.waitFor('response.done', (event) => event.response.id === responseId, 20000);
  assert.equal(done.response.status, 'cancelled', JSON.stringify(done.response));
  const item = findItem(await fleet.journal(), itemId);
  const delta = client.audioOf(itemId).deltaBytesMax / kBytesPerMs;
  // An item that was cancelled right where the client was has nothing to cut.
  const kept = item.truncated_at_ms ?? Math.floor(item.audio_bytes / kBytesPerMs);
  assert.ok(Math.abs(kept - played) <= delta, `the upstream keeps ${kept} ms, played ${played} ms, largest delta ${delta} ms: ${JSON.stringify(item)}`);
  assert.equal(truncated.audio_end_ms, kept, 'the client is told what the upstream recorded');
  const lateDeltas = client.events.slice(client.events.indexOf(truncated)).filter((event) => event.type === 'response.output_audio.delta' && event.item_id === itemId);
  assert.equal(lateDeltas.length, 0, 'no audio of a truncated item after truncated');
}

test('barge-in: cancel and truncate leave upstream what the client has played', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  const cut = await interrupt(client, {afterMs: 700});
  await checkInterrupted(fleet, client, cut);
  await checkTurn(fleet, client);
}));

test('barge-in through a slowed relay: cut where the slow client was', () => withFleet({}, async (fleet) => {
  const proxy = await SlowProxy.start(fleet.url);
  try {
    const client = await fleet.connect({url: proxy.url});
    proxy.bytesPerSecond = 60000;  // Less than the 64 KB/s of speech as base64.
    const cut = await interrupt(client, {afterMs: 700});
    proxy.bytesPerSecond = Infinity;
    await checkInterrupted(fleet, client, cut);
    await checkTurn(fleet, client);
  } finally {
    await proxy.stop();
  }
}));

test('barge-in: a truncate beyond what was sent is clamped, not refused', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  client.sendAudio(speech(kSpokenPrompt));
  client.send({type: 'input_audio_buffer.commit'});
  client.send({type: 'response.create', response: kLongReply});
  const first = await client.waitFor('response.output_audio.delta', undefined, 20000);
  client.send({type: 'response.cancel'});
  client.send({type: 'conversation.item.truncate', item_id: first.item_id, content_index: 0, audio_end_ms: 3600000});
  const truncated = await client.waitFor('conversation.item.truncated', (event) => event.item_id === first.item_id);
  await client.waitFor('response.done', (event) => event.response.id === first.response_id);
  const sent = client.audioOf(first.item_id);
  assert.ok(truncated.audio_end_ms * kBytesPerMs <= sent.bytes + sent.deltaBytesMax, `cut at ${truncated.audio_end_ms} ms of ${sent.bytes / kBytesPerMs} ms`);
  await checkTurn(fleet, client);
}));

test('barge-in with server VAD: the reply is cancelled and what was queued of it is dropped', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  client.send({type: 'session.update', session: {type: 'realtime', audio: {input: {turn_detection: {type: 'server_vad', silence_duration_ms: 500}}}}});
  await client.waitFor('session.updated');
  client.send({type: 'response.create', response: kLongReply});
  const first = await client.waitFor('response.output_audio.delta', undefined, 20000);
  await client.streamAudio(Buffer.concat([speech(kSpokenPrompt), silence(800)]), {speed: 8});
  const started = await client.waitFor('input_audio_buffer.speech_started');
  const done = await client.waitFor('response.done', (event) => event.response.id === first.response_id);
  assert.equal(done.response.status, 'cancelled');
  assert.equal(done.response.status_details.reason, 'turn_detected');
  const late = client.events.slice(client.events.indexOf(started)).filter((event) => event.type === 'response.output_audio.delta' && event.response_id === first.response_id);
  assert.equal(late.length, 0, `${late.length} deltas of the interrupted response after speech_started`);
  const next = await client.turnDone();
  assert.equal(next.response.status, 'completed', 'the new utterance is answered');
}));

test('transcripts come in the order of their items', () => withFleet({}, async (fleet) => {
  await fleet.script({transcripts: ['first words', 'second words', 'third words']});
  const client = await fleet.connect();
  const committed = [];
  for (let i = 0; i < 3; ++i) {
    await client.sendTurn(speech(kSpokenPrompt));
    committed.push((await client.waitFor('input_audio_buffer.committed')).item_id);
  }
  const seen = [];
  for (let i = 0; i < 3; ++i) {
    seen.push(await client.waitFor('conversation.item.input_audio_transcription.completed', undefined, 10000 * patience));
  }
  assert.deepEqual(seen.map((event) => event.transcript), ['first words', 'second words', 'third words']);
  assert.deepEqual(seen.map((event) => event.item_id), committed);
}));

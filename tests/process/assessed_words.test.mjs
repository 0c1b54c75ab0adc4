// What the assessment is given, and what is stored: the user's words in the order of the conversation, also those whose
// transcript is late, and the model's reason. While reports are written, the upstream is neither asked nor kept waiting.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {kSpokenPrompt, patience, speech, waitUntil, withFleet} from './harness.mjs';
import {sqliteIn} from './harness/database.mjs';

const kVoice = speech(kSpokenPrompt);
const kLateMs = 1500;
const kPingMs = 500;
const kModelMs = 3600;
const kTranscribed = 'conversation.item.input_audio_transcription.completed';
const completed = (client) => client.waitFor('voicebridge.assessment.completed', undefined, 20000);
const ofTheTool = ({name}) => name === 'trigger_assessment';

async function withStore(body) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-words-'));
  const database = sqliteIn(dir);
  try {
    await withFleet({workers: 1, workerFlags: [`--store=${database.url}`]}, (fleet) => body(fleet, database));
  } finally {
    await database.stop();
    fs.rmSync(dir, {recursive: true, force: true});
  }
}

function speak(client) {
  client.sendAudio(kVoice);
  client.send({type: 'input_audio_buffer.commit'});
  client.send({type: 'response.create'});
}

// Along the chain of predecessors, as items are stored.
function inOrder(items) {
  const next = new Map(items.map((item) => [item.previous_item_id, item]));
  const ordered = [];
  for (let item = next.get(''); item && ordered.length < items.length; item = next.get(item.item_id)) {
    ordered.push(item);
  }
  assert.equal(ordered.length, items.length, JSON.stringify(items));
  return ordered;
}

test('the last answer is assessed though its transcript is late, and the reason is the one that the model gave', () => withStore(async (fleet, database) => {
  const words = ['안녕하세요, 저는 민수예요.', '부산에서 왔어요.', '그건 말하기가 어려워요.'];
  await fleet.script({transcripts: [words[0], {text: words[1], delay_ms: kLateMs}, {text: words[2], delay_ms: kLateMs}]});
  const client = await fleet.connect({profile: 'interview'});
  const answers = [(await client.sendTurn(kVoice)).text, (await client.sendTurn(kVoice)).text];
  speak(client);
  await completed(client);
  const {responses, user_items} = (await fleet.journal()).sessions[0];
  const [row] = await database.rows('SELECT request_json FROM assessments');
  const {reason, transcript} = JSON.parse(row.request_json);
  assert.equal(reason, JSON.parse(responses.flatMap(({items}) => items).find(ofTheTool).text).reason);
  assert.deepEqual(transcript.map(({speaker, text}) => [speaker, text]),
                   [['user', words[0]], ['assistant', answers[0]], ['user', words[1]], ['assistant', answers[1]], ['user', words[2]]]);
  await client.close();
  await fleet.sessionsGone();
  const stored = inOrder(await database.rows('SELECT item_id, previous_item_id, transcript FROM items'));
  const heard = stored.filter(({item_id}) => user_items.some((item) => item.item_id === item_id));
  assert.deepEqual(heard.map(({transcript: text}) => text), words);
}));

test('words of thanks and farewell end nothing: the interview goes on until the model, a limit or a request ends it', () => withFleet({workers: 1}, async (fleet) => {
  const words = ['ok, good', '감사합니다, 고마워요', 'hello, and goodbye', 'bye', '네, 알겠습니다. 안녕히 계세요'];
  await fleet.script({transcripts: words, interview_turns: words.length + 1});
  const client = await fleet.connect({profile: 'interview'});
  for (const said of words) {
    assert.match((await client.sendTurn(kVoice)).text, /[가-힣].*\?/, 'the next question');
    await client.waitFor(kTranscribed, ({transcript}) => transcript === said);
  }
  assert.ok(!client.typesSeen().includes('voicebridge.assessment.started'));
  speak(client);
  await completed(client);
}));

// The upstream closes a connection that leaves two pings unanswered.
test('while a report is written the upstream gets answers to its pings, and nothing else; then English is asked for', () => withFleet({
  workers: 1, simulatorFlags: [`--ping_interval=${kPingMs}ms`, '--audio_speed=20'],
}, async (fleet) => {
  const client = await fleet.connect({profile: 'interview'});
  await client.sendTurn(kVoice);
  await fleet.fault('responses_delay', kModelMs);
  client.send({type: 'voicebridge.assessment.request'});
  await client.waitFor('voicebridge.assessment.started');
  const upstream = async () => (await fleet.journal()).sessions[0];
  const before = await upstream();
  await client.waitFor('voicebridge.keepalive');
  const during = await upstream();
  assert.deepEqual(during.events_received, before.events_received, 'a sign of life is for the user only');
  assert.equal(during.state, 'open', `after several pings, ${kPingMs} ms apart`);
  const {summary} = await completed(client);
  const spoken = await client.waitFor('response.done', ({response}) => response.id.startsWith('vbs_'), 20000 * patience);
  assert.equal(spoken.response.status, 'completed');
  const [, {responses: [{request}]}] = (await fleet.journal()).sessions;
  assert.match(request.instructions, /English/, 'also to a voice of its own');
  assert.ok(request.instructions.includes(summary));
  await waitUntil(async () => (await fleet.journal()).sessions[1].state === 'closed', {ms: 5000 * patience, what: 'the second upstream to be closed'});
}));

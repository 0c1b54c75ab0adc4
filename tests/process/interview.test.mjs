// The interview from end to end: the model's call, the assessment, the report, the spoken summary.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {kSpokenPrompt, patience, silence, speech, withFleet} from './harness.mjs';

const kEnd = 20000;

async function begin(fleet) {
  const client = await fleet.connect({profile: 'interview'});
  assert.equal(client.about.profile, 'interview');
  return client;
}

async function endByUser(client) {
  client.send({type: 'voicebridge.assessment.request'});
  return client.waitFor('voicebridge.assessment.started');
}

const completed = (client) => client.waitFor('voicebridge.assessment.completed', undefined, kEnd);
const failed = (client) => client.waitFor('voicebridge.assessment.failed', undefined, kEnd);
const index = (client, type) => client.events.findIndex((event) => event.type === type);

test('the interviewer ends the interview after its turns; report first, then the summary in another voice', () => withFleet({}, async (fleet) => {
  const client = await begin(fleet);
  const pcm = speech(kSpokenPrompt);
  for (let turn = 1; turn <= 2; ++turn) {
    const {text, response} = await client.sendTurn(pcm);
    assert.equal(response.status, 'completed');
    assert.match(text, /[가-힣]/, 'the interviewer speaks Korean');
  }
  client.sendAudio(pcm);
  client.send({type: 'input_audio_buffer.commit'});
  client.send({type: 'response.create'});
  const started = await client.waitFor('voicebridge.assessment.started', undefined, kEnd);
  assert.match(started.assessment_id, /^asmt_/);
  const {report, summary, assessment_id} = await completed(client);
  assert.equal(assessment_id, started.assessment_id);
  assert.match(report.proficiency_level, /^(A1|A2|B1|B2|C1|C2)$/);
  assert.equal(report.domain_analyses.length, 5);
  assert.equal(report.logic_errors_to_debug.length, 2);
  const spoken = await client.waitFor('response.done', (event) => event.response.id.startsWith('vbs_'), kEnd);
  assert.equal(spoken.response.status, 'completed');
  const [item] = spoken.response.output;
  assert.equal(item.content[0].transcript.trim(), summary.trim(), 'it says what the page shows');
  assert.ok(client.audioOf(item.id).bytes > 48000, 'a second of speech and more');
  const firstAudio = client.events.findIndex((event) => event.type === 'response.output_audio.delta' && event.item_id === item.id);
  assert.ok(index(client, 'voicebridge.assessment.completed') < firstAudio, 'the report depends on no voice');
  const toolEvents = client.events.filter((event) => JSON.stringify(event).includes('trigger_assessment') && !event.type.startsWith('session.'));
  assert.deepEqual(toolEvents, [], 'the tool is the worker\'s business');
  const journal = await fleet.journal();
  assert.equal(journal.responses_count ?? journal.responses_calls?.length, 1, 'one call of the text model');
}));

test('after the end the server itself refuses what the user sends, and says why', () => withFleet({}, async (fleet) => {
  await fleet.fault('responses_delay', 1500);
  const client = await begin(fleet);
  await endByUser(client);
  client.sendAudio(silence(200));
  const {error} = await client.waitForError();
  assert.equal(error.code, 'input_not_accepted');
  assert.match(error.message, /assessment/);
  client.send({type: 'response.create', event_id: 'mine'});
  assert.equal((await client.waitForError('mine')).error.code, 'input_not_accepted');
  await completed(client);
}));

test('signs of life come every three seconds while the model thinks, and none after the report', () => withFleet({}, async (fleet) => {
  await fleet.fault('responses_delay', 7000);
  const client = await begin(fleet);
  const started = await endByUser(client);
  await completed(client);
  const beats = client.events.filter((event) => event.type === 'voicebridge.keepalive');
  assert.equal(beats.length, 2);
  const times = [started, ...beats].map((event) => event.at);
  for (let i = 1; i < times.length; ++i) {
    const gap = times[i] - times[i - 1];
    assert.ok(gap > 2800 && gap < 3300 * patience, `${gap} ms between two of them`);
  }
  assert.ok(client.events.lastIndexOf(beats.at(-1)) < index(client, 'voicebridge.assessment.completed'));
}));

for (const how of ['not_json', 'truncated', 'refusal', 'empty', 'out_of_range']) {
  test(`output that is ${how} is tried again, then fails with a reason; a retry needs no new interview`, () => withFleet({}, async (fleet) => {
    await fleet.fault('responses_garbage', how);
    const client = await begin(fleet);
    await endByUser(client);
    const told = await failed(client);
    assert.match(told.reason, /^model_(output|refused|unavailable)$/);
    assert.equal(told.retryable, true);
    assert.ok(!/json|schema|http/i.test(told.message), `in plain words: ${told.message}`);
    const attempts = client.events.filter((event) => event.type === 'voicebridge.assessment.progress' && event.stage === 'writing');
    assert.deepEqual(attempts.map((event) => event.attempt), [1, 2, 3]);
    await fleet.clearFaults();
    client.send({type: 'voicebridge.assessment.retry'});
    const {assessment_id} = await completed(client);
    assert.equal(assessment_id, told.assessment_id);
  }));
}

test('members in another order are a report all the same', () => withFleet({}, async (fleet) => {
  await fleet.fault('responses_garbage', 'reordered');
  const client = await begin(fleet);
  await endByUser(client);
  assert.ok((await completed(client)).report.proficiency_level);
}));

test('a summary whose second upstream is refused is read by the interviewer, with the report untouched', () => withFleet({}, async (fleet) => {
  const client = await begin(fleet);
  await fleet.fault('refuse', 503, {count: 1});
  await endByUser(client);
  const {summary} = await completed(client);
  const {text, response} = await client.turnDone(kEnd);
  assert.ok(!response.id.startsWith('vbs_'));
  assert.equal(text.trim(), summary.trim());
  assert.deepEqual(client.events.filter((event) => event.type === 'error'), [], 'nothing of it is the user\'s trouble');
}));

test('no transcript, report or key is in a log', () => withFleet({}, async (fleet) => {
  await fleet.script({transcripts: ['제 비밀은 파란 고양이예요']});
  const client = await begin(fleet);
  await client.sendTurn(speech(kSpokenPrompt));
  await client.waitFor('conversation.item.input_audio_transcription.completed', (event) => event.transcript.includes('파란 고양이'));
  await endByUser(client);
  const {report} = await completed(client);
  for (const process of [fleet.gateway, ...fleet.workers]) {
    for (const secret of ['파란 고양이', report.ceiling_analysis, 'test-key', client.about.access_token]) {
      assert.ok(!process.text().includes(secret), `${process.name} wrote of it`);
    }
  }
}));

test('what was said is in the store, in the order of the conversation', () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-interview-'));
  return withFleet({workers: 1, workerFlags: [`--store=sqlite:${dir}/store.db`]}, async (fleet) => {
    await fleet.script({transcripts: ['안녕하세요']});
    const client = await begin(fleet);
    await client.sendTurn(speech(kSpokenPrompt));
    await client.waitFor('conversation.item.input_audio_transcription.completed');
    await endByUser(client);
    await completed(client);
    await client.close();
    await fleet.sessionsGone();
    assert.ok(fs.statSync(`${dir}/store.db`).size > 0);
  }).finally(() => fs.rmSync(dir, {recursive: true, force: true}));
});

// Turns in which the upstream fails, is late, or does what is rare. The session goes on.
import {strict as assert} from 'node:assert';

import {allItems, checkTurn, findItem, kSpokenPrompt, patience, speech} from './harness.mjs';
import {checkLogged, checkWentOn, errorsOf, faultTest, logged} from './harness/faults.mjs';

const kTranscription = 'conversation.item.input_audio_transcription.';
const kTools = ['weather', 'local_time'].map((name) => ({
  type: 'function', name, description: name, parameters: {type: 'object', required: ['city'], properties: {city: {type: 'string'}}},
}));
const kLongAnswer = 'say exactly: "This is a long answer, so that there is enough time to interrupt it before it has come to its end."';

// A session that suffers the fault in its first turn only.
async function connectWith(fleet, fault, arg) {
  await fleet.fault(fault, arg, {times: 1});
  return fleet.connect();
}

function warned(fleet, client, event, reason) {
  return checkLogged(fleet.workers[0], event, {session: client.about.session_id, level: 'warning', reason});
}

// --- transcription

faultTest('transcription_delay', 'the transcript comes when it comes, the answer does not wait', async (fleet) => {
  const client = await connectWith(fleet, 'transcription_delay', 600 * patience);
  const turn = await client.sendTurn(speech(kSpokenPrompt), {response: {output_modalities: ['text']}});
  assert.equal(turn.response.status, 'completed');
  assert.ok(!client.typesSeen().includes(`${kTranscription}completed`), 'the answer was first');
  const late = await client.waitFor(`${kTranscription}completed`);
  assert.match(late.transcript, /^I spoke for/);
  assert.equal(late.item_id, client.events.find((event) => event.type === 'input_audio_buffer.committed').item_id);
  await checkWentOn(fleet, client);
});

faultTest('transcription_fail', 'the user is told, and answered all the same', async (fleet) => {
  const client = await connectWith(fleet, 'transcription_fail');
  await checkTurn(fleet, client);
  const {error, item_id} = await client.waitFor(`${kTranscription}failed`);
  assert.equal(error.code, 'audio_unintelligible');
  assert.equal(item_id, client.events.find((event) => event.type === 'input_audio_buffer.committed').item_id);
  await warned(fleet, client, 'transcription.failed', 'audio_unintelligible');
  await checkWentOn(fleet, client);
  assert.equal(errorsOf(client).length, 0);
});

faultTest('late_transcription', 'it comes after response.done, under the right item', async (fleet) => {
  const client = await connectWith(fleet, 'late_transcription');
  await checkTurn(fleet, client);
  const {item_id} = await client.waitFor(`${kTranscription}completed`);
  const types = client.typesSeen();
  assert.ok(types.indexOf(`${kTranscription}completed`) > types.indexOf('response.done'));
  assert.equal(item_id, client.events.find((event) => event.type === 'input_audio_buffer.committed').item_id);
  await checkWentOn(fleet, client);
});

// --- responses

faultTest('response_fail', 'a rate limit is told as OpenAI tells it', async (fleet) => {
  const client = await connectWith(fleet, 'response_fail');
  const {response} = await client.sendTurn(speech(kSpokenPrompt));
  assert.equal(response.status, 'failed');
  assert.equal(response.status_details.error.code, 'rate_limit_exceeded');
  assert.match(response.status_details.error.message, /try again in/);
  await warned(fleet, client, 'response.failed', 'rate_limit_exceeded');
  await checkWentOn(fleet, client);
  assert.equal(errorsOf(client).length, 0);
});

faultTest('response_fail', 'an error of the server, too', async (fleet) => {
  const client = await connectWith(fleet, 'response_fail', 'server_error');
  const {response} = await client.sendTurn(speech(kSpokenPrompt));
  assert.equal(response.status_details.error.type, 'server_error');
  await warned(fleet, client, 'response.failed', 'server_error');
  await checkWentOn(fleet, client);
});

for (const reason of ['content_filter', 'max_output_tokens']) {
  faultTest('response_fail', `${reason} leaves an incomplete item`, async (fleet) => {
    const client = await connectWith(fleet, 'response_fail', reason);
    const {response, items} = await client.sendTurn(speech(kSpokenPrompt), {response: {instructions: kLongAnswer}});
    assert.equal(response.status, 'incomplete');
    assert.equal(response.status_details.reason, reason);
    assert.equal(items[0].status, 'incomplete');
    assert.equal(items[0].audio.sha256, findItem(await fleet.journal(), items[0].id).audio_sha256, 'what was generated is heard');
    await warned(fleet, client, 'response.incomplete', reason);
    await checkWentOn(fleet, client);
  });
}

faultTest('two_audio_items', 'both are heard, each under its own id', async (fleet) => {
  const client = await connectWith(fleet, 'two_audio_items');
  const {response, items} = await client.sendTurn(speech(kSpokenPrompt));
  assert.equal(response.status, 'completed');
  assert.equal(items.length, 2);
  const journal = await fleet.journal();
  for (const {id, audio} of items) {
    assert.ok(audio.bytes > 0);
    assert.equal(audio.sha256, findItem(journal, id).audio_sha256);
  }
  await checkWentOn(fleet, client);
});

// --- tools

async function connectWithTools(fleet, fault, tools) {
  const client = await connectWith(fleet, fault);
  client.send({type: 'session.update', session: {type: 'realtime', tools}});
  await client.waitFor('session.updated', ({session}) => session.tools.length === tools.length);
  return client;
}

// Answers all calls, as one does, and has the result spoken.
async function answerCalls(client, calls, output) {
  for (const {call_id} of calls) {
    client.send({type: 'conversation.item.create', item: {type: 'function_call_output', call_id, output}});
  }
  client.send({type: 'response.create'});
  return client.turnDone();
}

faultTest('parallel_tool_calls', 'the client gets each call once, and may answer them all', async (fleet) => {
  const client = await connectWithTools(fleet, 'parallel_tool_calls', kTools);
  const {items} = await client.sendText('hello');
  assert.deepEqual(items.map(({type, name}) => [type, name]), [['function_call', 'weather'], ['function_call', 'local_time']]);
  assert.equal(new Set(items.map(({call_id}) => call_id)).size, 2);
  const answer = await answerCalls(client, items, 'sunny');
  assert.match(answer.text, /The tool answered: sunny/);
  await checkWentOn(fleet, client);
});

faultTest('invalid_arguments', 'they reach the client as they are, and the turn can be repaired', async (fleet) => {
  const client = await connectWithTools(fleet, 'invalid_arguments', kTools.slice(0, 1));
  const {response, items} = await client.sendText('hello');
  assert.equal(response.status, 'completed');
  assert.equal(items[0].name, 'weather');
  assert.throws(() => JSON.parse(items[0].arguments), SyntaxError);
  const answer = await answerCalls(client, items, 'The arguments are not valid JSON.');
  assert.match(answer.text, /not valid JSON/);
  await checkWentOn(fleet, client);
});

// --- cancelling

// Interrupts the answer at its first sound. How many bytes of it the upstream sent in vain: unheard by the client,
// and not even sent on by the worker.
async function interrupt(fleet, client) {
  client.send({type: 'response.create', response: {instructions: kLongAnswer}});
  await client.waitFor('response.output_audio.delta');
  client.send({type: 'response.cancel'});
  const {response} = await client.turnDone();
  const sent = allItems(await fleet.journal())[0].audio_bytes;
  const relayed = (await fleet.metrics(fleet.workers[0])).get('voicebridge_worker_audio_bytes_to_gateway_total');
  return {response, unheard: sent - client.audioOf(response.output[0].id).bytes, unsent: sent - relayed};
}

faultTest('late_deltas', 'nothing of an interrupted answer is heard after the interruption', async (fleet) => {
  const client = await connectWith(fleet, 'late_deltas', 5);
  const {response, unheard, unsent} = await interrupt(fleet, client);
  assert.equal(response.status, 'cancelled');
  assert.ok(unheard >= 5 * 9600, `at least five deltas were sent in vain, not ${unheard} bytes`);
  assert.ok(unsent >= 5 * 9600, `the worker drops them, not ${unsent} bytes`);
  await checkWentOn(fleet, client);
  assert.equal(errorsOf(client).length, 0);
});

faultTest('cancel_crosses_done', 'the user hears no more and sees no error', async (fleet) => {
  const client = await connectWith(fleet, 'cancel_crosses_done');
  const {response, unheard, unsent} = await interrupt(fleet, client);
  assert.equal(response.status, 'completed');
  assert.ok(unheard > 0 && unsent > 0, 'the rest of the answer is dropped');
  const [session] = (await fleet.journal()).sessions;
  assert.deepEqual(session.refusals.map(({code}) => code), ['response_cancel_not_active']);
  await checkWentOn(fleet, client);
  assert.equal(errorsOf(client).length, 0);
});

// --- errors

faultTest('error_without_event_id', 'the user sees the error, and the next turn works', async (fleet) => {
  const client = await connectWith(fleet, 'error_without_event_id');
  client.send({type: 'conversation.item.delete', event_id: 'd1', item_id: 'item_none'});
  const {error} = await client.waitForError();
  assert.equal(error.code, 'item_delete_invalid_item_id');
  assert.equal(error.event_id, null);
  await checkWentOn(fleet, client);
  assert.equal(logged(fleet.workers[0], 'session.ended').length, 1);
});

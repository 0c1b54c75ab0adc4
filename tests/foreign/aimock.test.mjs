// Conversations with an upstream that we did not write: what it sends reaches the client, and what it does unlike
// the live service neither hangs nor ends anything of ours.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkEnd, silence, waitUntil} from '../process/harness.mjs';
import {conversationsOf, withAimock} from './aimock.mjs';

const kText = 'The answer comes from elsewhere, in several pieces.';
const kSlow = {latency: 40, chunkSize: 8};

function answersToHello(aimock) {
  aimock.onMessage(/hello/i, {content: kText}, {chunkSize: 8});
}

async function saysHello(client) {
  const turn = await client.sendText('Hello there');
  assert.deepEqual({status: turn.response.status, text: turn.text}, {status: 'completed', text: kText});
  return turn;
}

const say = (client, text) => client.send({type: 'conversation.item.create', item: {type: 'message', role: 'user', content: [{type: 'input_text', text}]}});

test('text turns: every event passes, in its order, and the conversation goes on', () => withAimock({prepare: answersToHello}, async (fleet, aimock) => {
  const client = await fleet.connect();
  assert.equal(client.session.type, 'realtime');
  const {response} = await saysHello(client);
  const deltas = client.events.filter((event) => event.type === 'response.output_text.delta');
  assert.equal(deltas.map(({delta}) => delta).join(''), kText);
  assert.ok(deltas.length > 3, 'in several pieces');
  const own = client.events.filter((event) => (event.response?.id ?? event.response_id) === response.id).map(({type}) => type.replace('.delta', ''));
  assert.deepEqual([...new Set(own)], [
    'response.created', 'response.output_item.added', 'response.content_part.added', 'response.output_text', 'response.output_text.done',
    'response.content_part.done', 'response.output_item.done', 'response.done',
  ]);
  await saysHello(client);
  const history = conversationsOf(aimock).at(-1);
  assert.deepEqual(history.map(({role}) => role), ['system', 'user', 'assistant', 'user'], 'instructions and items reached the upstream');
  assert.match(history[0].content, /voice assistant/, "the profile's instructions");
  await client.close();
  await fleet.sessionsGone();
}));

test('several sessions at once do not mix', () => withAimock({
  prepare: (aimock) => ['one', 'two', 'three', 'four', 'five'].forEach((word) => aimock.onMessage(`number ${word}`, {content: `You said ${word}.`}, kSlow)),
}, async (fleet) => {
  await Promise.all(['one', 'two', 'three', 'four', 'five'].map(async (word) => {
    const client = await fleet.connect();
    for (let i = 0; i < 3; ++i) {
      assert.equal((await client.sendText(`number ${word}`)).text, `You said ${word}.`);
    }
  }));
}));

test('parallel tool calls pass to the client, their outputs back, and the answer comes', () => withAimock({
  prepare(aimock) {
    aimock.onToolResult('call_time', {content: 'It is sunny, and noon.'});  // First: the question still matches as well.
    aimock.onMessage(/weather/i, {toolCalls: [
      {id: 'call_weather', name: 'get_weather', arguments: '{"city":"Seoul"}'}, {id: 'call_time', name: 'get_time', arguments: '{}'},
    ]});
  },
}, async (fleet, aimock) => {
  const client = await fleet.connect();
  client.send({type: 'session.update', session: {type: 'realtime', tools: [
    {type: 'function', name: 'get_weather', description: 'The weather.', parameters: {type: 'object', properties: {city: {type: 'string'}}}},
    {type: 'function', name: 'get_time', description: 'The time.', parameters: {type: 'object', properties: {}}},
  ]}});
  assert.equal((await client.waitFor('session.updated')).session.tools.length, 2);
  const {items} = await client.sendText('How is the weather?');
  assert.deepEqual(items.map(({type, call_id, name, arguments: text}) => ({type, call_id, name, text})), [
    {type: 'function_call', call_id: 'call_weather', name: 'get_weather', text: '{"city":"Seoul"}'},
    {type: 'function_call', call_id: 'call_time', name: 'get_time', text: '{}'},
  ]);
  const done = client.events.filter(({type}) => type === 'response.function_call_arguments.done');
  assert.deepEqual(done.map(({call_id}) => call_id), ['call_weather', 'call_time']);
  for (const [call_id, output] of [['call_weather', '{"sky":"clear"}'], ['call_time', '{"time":"12:00"}']]) {
    client.send({type: 'conversation.item.create', item: {type: 'function_call_output', call_id, output}});
  }
  client.send({type: 'response.create'});
  const turn = await client.turnDone();
  assert.equal(turn.text, 'It is sunny, and noon.');
  const outputs = conversationsOf(aimock).at(-1).filter(({role}) => role === 'tool');
  assert.deepEqual(outputs.map(({tool_call_id, content}) => [tool_call_id, content]), [['call_weather', '{"sky":"clear"}'], ['call_time', '{"time":"12:00"}']]);
}));

test('a socket that is cut in the middle of an answer ends the session as upstream_lost; the next one works', () => withAimock({
  prepare(aimock) {
    answersToHello(aimock);
    aimock.onMessage(/cut/i, {content: 'x'.repeat(400)}, {...kSlow, disconnectAfterMs: 150});
  },
}, async (fleet) => {
  const client = await fleet.connect();
  say(client, 'Please cut this');
  client.send({type: 'response.create'});
  await client.waitFor('response.output_text.delta');
  await checkEnd(client, {reason: 'upstream_lost', code: 1011});
  assert.match(client.events.find(({type}) => type === 'error').error.message, /1006/, 'without a close frame');
  await saysHello(await fleet.connect());
}));

test('a key that it does not know is 401 at the upgrade: upstream_refused, without another try', () => withAimock({
  auth: {apiKeys: ['another-key']},
}, async (fleet, aimock) => {
  const client = fleet.dial();
  await client.opened();
  const {ended} = await checkEnd(client, {reason: 'upstream_refused', code: 1011});
  assert.match(ended.message, /401/);
  assert.equal(conversationsOf(aimock).length, 0);
  assert.ok(!fleet.logs().includes('test-key'), 'the key is not in the logs');
}));

test('the key that it knows opens a session', () => withAimock({prepare: answersToHello, auth: {apiKeys: ['test-key']}}, async (fleet) => {
  await saysHello(await fleet.connect());
}));

test('it goes away: the session ends, a new one is refused as unavailable, and serving goes on', () => withAimock({prepare: answersToHello}, async (fleet, aimock) => {
  const client = await fleet.connect();
  await saysHello(client);
  const ending = checkEnd(client, {reason: 'upstream_lost', code: 1011});
  await aimock.stop();
  await ending;
  const next = fleet.dial();
  await next.opened();
  await checkEnd(next, {reason: 'upstream_unavailable', code: 1013});
  await fleet.sessionsGone();
}));

test('a response that fails is passed on as failed, and the next turn works', () => withAimock({
  prepare(aimock) {
    answersToHello(aimock);
    aimock.onMessage(/fail/i, {error: {message: 'The model is tired.', type: 'server_error', code: 'tired'}, status: 500});
  },
}, async (fleet) => {
  const client = await fleet.connect();
  for (const [text, code] of [['fail please', 'tired'], ['nothing is known about this', 'no_fixture_match']]) {
    const {response} = await client.sendText(text);
    assert.deepEqual({status: response.status, code: response.status_details.error.code}, {status: 'failed', code});
  }
  await saysHello(client);
}));

// --- what it does unlike the live service -------------------------------------------------------------

const kLong = 'A long answer that takes its time. '.repeat(6);

function answersSlowly(aimock) {
  answersToHello(aimock);
  aimock.onMessage(/slowly/i, {content: kLong}, kSlow);
}

// Live: response.done with the status `cancelled`. Here: `response.cancelled`, and the answer goes on to its end.
test('a cancel that cancels nothing: the response stays open until it is done, and the next turn works', () => withAimock({prepare: answersSlowly}, async (fleet) => {
  const client = await fleet.connect();
  say(client, 'Speak slowly');
  client.send({type: 'response.create'});
  const {response} = await client.waitFor('response.created');
  client.send({type: 'response.cancel', response_id: response.id});
  const done = await client.waitFor('response.done');
  assert.deepEqual({id: done.response.id, status: done.response.status}, {id: response.id, status: 'completed'});
  await client.waitFor('response.cancelled');  // Unknown to us, passed on.
  client.send({type: 'response.cancel'});  // Nothing is open now: not sent on, or aimock would answer again.
  await saysHello(client);
  assert.equal(client.events.filter(({type}) => type === 'response.cancelled').length, 1);
}));

// Live: refused as conversation_already_has_active_response, which is why the worker holds it back.
test('a second create during an answer is held until that is done, then answered', () => withAimock({prepare: answersSlowly}, async (fleet, aimock) => {
  const client = await fleet.connect();
  say(client, 'Speak slowly');
  client.send({type: 'response.create'});
  await client.waitFor('response.created');
  say(client, 'Hello');
  client.send({type: 'response.create'});
  await client.waitFor('response.output_text.delta');
  assert.equal((await client.turnDone()).text, kLong);
  assert.equal((await client.turnDone()).text, kText);
  assert.equal(conversationsOf(aimock).length, 2);
  const order = client.typesSeen().filter((type) => ['response.created', 'response.done'].includes(type));
  assert.deepEqual(order, ['response.created', 'response.done', 'response.created', 'response.done']);
}));

// Live: the commit makes an item, which is transcribed and answered with audio. Here: a bare `committed` event.
test('audio that leads to nothing leaves a session that works', () => withAimock({prepare: answersToHello}, async (fleet) => {
  const client = await fleet.connect();
  client.sendAudio(silence(1000));
  client.send({type: 'input_audio_buffer.commit'});
  const committed = await client.waitFor('input_audio_buffer.committed');
  assert.equal(committed.item_id, undefined);
  client.send({type: 'input_audio_buffer.append', audio: silence(100).toString('base64')});
  client.send({type: 'input_audio_buffer.clear'});
  await client.waitFor('input_audio_buffer.cleared');
  await saysHello(client);
}));

// Live: each is answered by an event or an error. Here: with nothing.
test('requests that it ignores do not hold up the session', () => withAimock({prepare: answersToHello}, async (fleet) => {
  const client = await fleet.connect();
  const {items} = await saysHello(client);
  client.send({type: 'conversation.item.retrieve', item_id: items[0].id});
  client.send({type: 'conversation.item.truncate', item_id: items[0].id, content_index: 0, audio_end_ms: 0});
  client.send({type: 'conversation.item.delete', item_id: items[0].id});
  client.send({type: 'output_audio_buffer.clear'});
  client.send({type: 'response.unheard_of'});
  await saysHello(client);
  await client.close();
  await waitUntil(async () => (await fleet.ended('client_closed')).workers === 1, {ms: 5000, what: 'the worker to let go of the session'});
}));

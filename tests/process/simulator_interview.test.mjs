// The simulator as an interviewer, without a worker in between: a whole interview over a plain WebSocket, then its
// report over HTTP, as the shipped profile asks for both.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import {getJson, ManagedProcess, patience, postJson, RealtimeClient, request, root, runBinary, tone} from './harness.mjs';

const kProfile = JSON.parse(fs.readFileSync(path.join(root, 'bridge_worker/profiles/interview.json'), 'utf8'));
const kKey = 'test-key';
const kTranscribed = 'conversation.item.input_audio_transcription.completed';
const kVoice = tone(600);

async function withSimulator(flags, body) {
  const simulator = ManagedProcess.binary('realtime-simulator', ['--listen=127.0.0.1:0', '--strict', ...flags]);
  const url = `http://${await simulator.listening('simulator')}`;
  const script = async (wish) => {
    const answer = await postJson(`${url}/script`, wish);
    assert.equal(answer.status, 200, answer.body);
  };
  try {
    await body({url, script, journal: () => getJson(`${url}/journal`)});
    assert.equal((await getJson(`${url}/journal`)).refused, 0);
  } finally {
    await simulator.stop('SIGTERM');
  }
}

// A session set up as the worker sets it up: the guidance is in the conversation before anybody speaks.
async function connect(url, {moreTools = []} = {}) {
  const client = RealtimeClient.dial(url.replace('http', 'ws'), {model: kProfile.model, key: kKey});
  await client.opened();
  await client.waitFor('session.created');
  const tools = kProfile.tools.map(({name, description, parameters}) => ({type: 'function', name, description, parameters}));
  client.send({type: 'session.update', session: {
    type: 'realtime', instructions: kProfile.instructions, tools: [...tools, ...moreTools],
    audio: {input: {turn_detection: null, transcription: kProfile.transcription}, output: {voice: kProfile.voice}},
  }});
  await client.waitFor('session.updated');
  client.send({type: 'conversation.item.create', item: {type: 'function_call', call_id: 'call_guidance', name: 'interview_guidance', arguments: '{}'}});
  answer(client, 'call_guidance', kProfile.assessment.guidance);
  return client;
}

function answer(client, call_id, output) {
  client.send({type: 'conversation.item.create', item: {type: 'function_call_output', call_id, output}});
}

// One turn of the user and what it is answered with.
async function turn(client) {
  const {response} = await client.sendTurn(kVoice);
  assert.equal(response.status, 'completed');
  const [item] = response.output;
  return {item, words: item.content?.[0].transcript, call: response.output.find(({type}) => type === 'function_call')};
}

function reportRequest(transcript) {
  const {model, instructions, schema} = kProfile.assessment;
  const lines = transcript.map(([speaker, text]) => JSON.stringify({speaker, text}));
  return {model, instructions, stream: false, store: false, input: [{role: 'user', content: [{type: 'input_text', text: lines.join('\n')}]}],
          text: {format: {type: 'json_schema', name: 'assessment', strict: true, schema}}};
}

async function report(url, transcript) {
  const answered = await postJson(`${url}/v1/responses`, reportRequest(transcript), {headers: {Authorization: `Bearer ${kKey}`}});
  assert.equal(answered.status, 200, answered.body);
  const response = JSON.parse(answered.body);
  return {response, text: response.output[0].content[0].text};
}

// What is wrong with a value, as far as the profile's schema says it.
function faults(schema, value, place = 'report') {
  switch (schema.type) {
    case 'object': {
      const keys = Object.keys(schema.properties);
      const same = JSON.stringify(Object.keys(value).sort()) === JSON.stringify([...keys].sort());
      return same ? keys.flatMap((key) => faults(schema.properties[key], value[key], `${place}.${key}`)) : [`${place}: members`];
    }
    case 'array':
      return [...(value.length < schema.minItems || value.length > schema.maxItems ? [`${place}: count`] : []),
              ...value.flatMap((each, i) => faults(schema.items, each, `${place}[${i}]`))];
    case 'integer':
      return Number.isInteger(value) && value >= schema.minimum && value <= schema.maximum ? [] : [`${place}: ${value}`];
    default:
      return (schema.enum ? schema.enum.includes(value) : value.length >= schema.minLength && value.length <= schema.maxLength) ? [] : [`${place}: ${value}`];
  }
}

test('an interview: two questions in Korean, the call, the words of its output, the summary word for word', () => withSimulator([], async ({url, script, journal}) => {
  await script({transcripts: ['안녕하세요, 저는 민수예요.', {text: '<img src=x onerror=alert(1)> 부산에 살아요.', delay_ms: 300}, {fails: true}]});
  const client = await connect(url);
  const first = await turn(client);
  const second = await turn(client);
  for (const {words, item} of [first, second]) {
    assert.match(words, /[가-힣].*\?$/);
    assert.ok(client.audioOf(item.id).bytes > 1000 * 48, `"${words}" is spoken`);
  }
  assert.notEqual(first.words, second.words);
  const {item, call} = await turn(client);
  assert.equal(item, call, 'the call instead of speech');
  assert.equal(call.name, 'trigger_assessment');
  assert.ok(JSON.parse(call.arguments).reason.length > 10);
  assert.equal((await client.waitFor(kTranscribed)).transcript, '안녕하세요, 저는 민수예요.');
  assert.match((await client.waitFor(kTranscribed)).transcript, /^<img src=x/);
  await client.waitFor('conversation.item.input_audio_transcription.failed');
  answer(client, call.call_id, '{"status":"started"}');
  client.send({type: 'response.create'});
  assert.match((await client.turnDone()).text, /\{"status":"started"\}/);
  const summary = 'Your level is B1. You said "안녕하세요".';
  client.send({type: 'response.create', response: {tool_choice: 'none', instructions:
    `Speak English.\n\nRead the following text aloud, word for word, and say nothing else:\n\n${summary}`}});
  assert.equal((await client.turnDone()).text, summary);
  const [session] = (await journal()).sessions;
  assert.deepEqual(session.client_items.map(({type, call_id}) => [type, call_id]),
                   [['function_call', 'call_guidance'], ['function_call_output', 'call_guidance'], ['function_call_output', call.call_id]]);
  await client.close();
}));

test('the script of a session settles the turns, the tools, and how a call is announced; the flag the turns of others', () => withSimulator(['--interview_turns=1'], async ({url, script, journal}) => {
  const lookup = {type: 'function', name: 'lookup', parameters: {type: 'object', properties: {word: {type: 'string'}}, required: ['word'], additionalProperties: false}};
  const client = await connect(url, {moreTools: [lookup]});
  const [{id}] = (await journal()).sessions;
  await script({session: id, interview_turns: 2, speak_before_trigger: true, announce: 'item', calls: [{turn: 1}]});
  const {call} = await turn(client);
  assert.equal(call.name, 'lookup');
  assert.equal(typeof JSON.parse(call.arguments).word, 'string');
  answer(client, call.call_id, '찾았습니다');
  client.send({type: 'response.create'});
  assert.match((await client.turnDone()).text, /찾았습니다/);
  const last = await turn(client);
  assert.equal(last.item.type, 'message', 'speech and then the call');
  assert.equal(last.call.name, 'trigger_assessment');
  assert.ok(!client.typesSeen().includes('response.function_call_arguments.done'));
  await client.close();
  const other = await connect(url);
  assert.equal((await turn(other)).call.name, 'trigger_assessment');
  assert.ok(other.typesSeen().includes('response.function_call_arguments.done'));
  await other.close();
}));

test('the report satisfies the profile, quotes the learner, and is counted per prompt', () => withSimulator(['--responses_latency=300ms'], async ({url, journal}) => {
  const transcript = [['assistant', '이름이 어떻게 되세요?'], ['user', '제 이름은 민수예요.'], ['user', null]];
  const started = performance.now();
  const {text} = await report(url, transcript);
  assert.ok(performance.now() - started >= 290, 'after the latency of the flag');
  const written = JSON.parse(text);
  assert.deepEqual(faults(kProfile.assessment.schema, written), []);
  assert.equal(new Set(written.domain_analyses.map(({domain}) => domain)).size, 5);
  assert.ok(written.domain_analyses.every(({evidence}) => evidence === '제 이름은 민수예요.'));
  await postJson(`${url}/faults`, {fault: 'responses_garbage', arg: 'incomplete', count: 1});
  await postJson(`${url}/faults`, {fault: 'responses_garbage', arg: 'extra_member', count: 1});
  await postJson(`${url}/faults`, {fault: 'responses_garbage', arg: 'reordered', count: 1});
  assert.equal((await report(url, transcript)).response.incomplete_details.reason, 'max_output_tokens');
  assert.deepEqual(faults(kProfile.assessment.schema, JSON.parse((await report(url, transcript)).text)), ['report: members']);
  const reordered = JSON.parse((await report(url, transcript)).text);
  assert.deepEqual(reordered, written);
  assert.notDeepEqual(Object.keys(reordered), Object.keys(written));
  await report(url, [['user', '다른 사람']]);
  const {responses_per_prompt: counts, responses_calls: calls} = await journal();
  assert.deepEqual(Object.values(counts).sort(), [1, 4]);
  assert.equal(counts[calls[0].prompt], 4);
  assert.match(calls[0].input, /제 이름은 민수예요/);
}));

test('a script that says nothing sensible is refused with its field, and flags are read', async () => {
  await withSimulator([], async ({url}) => {
    const answered = await postJson(`${url}/script`, {announce: 'loudly'});
    assert.equal(answered.status, 400);
    assert.match(JSON.parse(answered.body).error.message, /^announce: /);
    assert.equal((await request(`${url}/script`, {method: 'DELETE'})).status, 200);
  });
  const {code, stderr} = await runBinary('realtime-simulator', ['--interview_turns=-1'], {ms: 5000 * patience});
  assert.equal(code, 1, stderr);
});

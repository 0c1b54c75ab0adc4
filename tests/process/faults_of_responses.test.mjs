// The simulated Responses API, with OpenAI's own client: what it answers, refuses, and gets wrong on request. No
// user sees any of it: no part of a conversation calls it yet.
import {strict as assert} from 'node:assert';
import test from 'node:test';
import OpenAI from 'openai';
import {zodTextFormat} from 'openai/helpers/zod';
import {z} from 'zod';

import {getJson, ManagedProcess, patience, postJson, within} from './harness.mjs';

const Report = z.object({
  level: z.enum(['A1', 'A2', 'B1', 'B2']),
  fluency: z.number().int().min(1).max(5),
  strengths: z.array(z.string().max(200)).min(1),
  remark: z.string().nullable(),
});
const kQuestion = {model: 'gpt-5.4-mini', input: 'How well did I speak?', store: false, text: {format: zodTextFormat(Report, 'report')}};

async function withSimulator(body) {
  const simulator = ManagedProcess.binary('realtime-simulator', ['--listen=127.0.0.1:0']);
  const url = `http://${await simulator.listening('simulator')}`;
  const openai = new OpenAI({apiKey: 'sk-secret', baseURL: `${url}/v1`, maxRetries: 0, timeout: 10000 * patience});
  const fault = async (name, arg, more = {count: 1}) => {
    const answer = await postJson(`${url}/faults`, {fault: name, arg, ...more});
    assert.equal(answer.status, 200, answer.body);
  };
  const calls = async () => (await getJson(`${url}/journal`)).responses_calls;
  try {
    await body({openai, url, fault, calls});
    assert.doesNotMatch(JSON.stringify(await getJson(`${url}/journal`)), /sk-secret/, 'the journal keeps a digest of the key');
  } finally {
    await simulator.stop('SIGTERM');
  }
}

function faultTest(name, title, body) {
  test(`${name}: ${title}`, () => withSimulator(body));
}

async function streamed(openai, more = {}) {
  const types = [];
  let text = '';
  for await (const event of await openai.responses.create({...kQuestion, stream: true, ...more})) {
    types.push(event.type);
    text += event.type === 'response.output_text.delta' ? event.delta : '';
  }
  return {types, text};
}

test('a report satisfies the schema that was asked for, at once or streamed', () => withSimulator(async ({openai, url, calls}) => {
  const whole = await openai.responses.parse(kQuestion);
  Report.parse(whole.output_parsed);
  const {types, text} = await streamed(openai);
  Report.parse(JSON.parse(text));
  assert.equal(types[0], 'response.created');
  assert.equal(types.at(-1), 'response.completed');
  const journal = await getJson(`${url}/journal`);
  assert.equal(journal.responses_count, 2);
  assert.equal(journal.refused, 0);
  assert.deepEqual((await calls()).map(({status, stream, format, text: said}) => [status, stream, format, said]),
                   [[200, false, 'report', whole.output_text], [200, true, 'report', text]]);
}));

test('what OpenAI would refuse is refused and counted', () => withSimulator(async ({openai, url, calls}) => {
  const refusals = [
    [new OpenAI({apiKey: 'bad-key', baseURL: `${url}/v1`, maxRetries: 0}).responses.create(kQuestion), 401, 'invalid_api_key'],
    [openai.responses.create({...kQuestion, seed: 1}), 400, 'unknown_parameter'],
    [openai.responses.create({...kQuestion, model: 'gpt-realtime-2.1'}), 404, 'model_not_found'],
    [openai.responses.create({...kQuestion, text: {format: {type: 'json_schema', name: 'x', strict: true, schema: {type: 'object', properties: {}}}}}), 400, 'invalid_json_schema'],
  ];
  for (const [call, status, code] of refusals) {
    await assert.rejects(call, (error) => error.status === status && error.code === code);
  }
  assert.deepEqual((await calls()).map(({status, refusal}) => [status, refusal]), refusals.map(([, status, code]) => [status, code]));
  assert.equal((await getJson(`${url}/journal`)).refused, refusals.length);
}));

faultTest('responses_delay', 'the answer is late', async ({openai, fault}) => {
  await fault('responses_delay', 400);
  const started = performance.now();
  Report.parse((await openai.responses.parse(kQuestion)).output_parsed);
  assert.ok(performance.now() - started >= 390);
});

faultTest('responses_hang', 'no answer, or a stream that stops', async ({openai, fault, calls}) => {
  await fault('responses_hang', undefined, {count: 2});
  await assert.rejects(openai.responses.create(kQuestion, {timeout: 300 * patience}), OpenAI.APIConnectionTimeoutError);
  const stream = await openai.responses.create({...kQuestion, stream: true});
  const events = stream[Symbol.asyncIterator]();
  assert.equal((await events.next()).value.type, 'response.created');
  await assert.rejects(within(events.next(), 300, 'a second event'), /waited/);
  stream.controller.abort();
  assert.deepEqual((await calls()).map(({faults}) => faults), [['responses_hang'], ['responses_hang']]);
  Report.parse((await openai.responses.parse(kQuestion)).output_parsed);
});

faultTest('responses_status', 'a status, and for 429 when to come again', async ({openai, fault}) => {
  await fault('responses_status', 429);
  await assert.rejects(openai.responses.create(kQuestion),
                       (error) => error.status === 429 && error.code === 'rate_limit_exceeded' && error.headers.get('retry-after') === '1');
  await fault('responses_status', 503);
  await assert.rejects(openai.responses.create(kQuestion), (error) => error.status === 503 && error.headers.get('retry-after') === null);
});

faultTest('responses_garbage', 'words instead of JSON', async ({openai, fault}) => {
  await fault('responses_garbage');
  await assert.rejects(openai.responses.parse(kQuestion), SyntaxError);
});

faultTest('responses_garbage', 'a stream without an end', async ({openai, fault}) => {
  await fault('responses_garbage', 'truncated', {count: 2});
  const {types} = await streamed(openai).catch((error) => ({types: [String(error)]}));
  assert.ok(!types.includes('response.completed'));
  await assert.rejects(openai.responses.create(kQuestion), 'a body that is cut off');
});

faultTest('responses_garbage', 'a refusal, nothing, or values beyond their limits', async ({openai, fault}) => {
  await fault('responses_garbage', 'refusal');
  const refusal = await openai.responses.create(kQuestion);
  assert.equal(refusal.output[0].content[0].type, 'refusal');
  await fault('responses_garbage', 'refusal');
  assert.ok((await streamed(openai)).types.includes('response.refusal.done'));
  await fault('responses_garbage', 'empty');
  assert.equal((await openai.responses.create(kQuestion)).output_text, '');
  await fault('responses_garbage', 'out_of_range');
  const report = JSON.parse((await openai.responses.create(kQuestion)).output_text);
  assert.equal(Report.safeParse(report).success, false);
  assert.ok(report.fluency > 5);
});

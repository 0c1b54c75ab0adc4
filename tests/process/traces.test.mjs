// One trace from the client's request through both logs to what the worker calls; and the two lines of a session that say it all.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {checkTurn, kSpokenPrompt, patience, speech, waitUntil, withFleet} from './harness.mjs';
import {kLibrary, kReserve, libraryProfiles} from './harness/library.mjs';
import {linesOf, logged} from './harness/log.mjs';

const kTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
const kSpan = '00f067aa0ba902b7';
const kTraceparent = `00-${kTrace}-${kSpan}-01`;
const kForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/;

const traceOf = (traceparent) => kForm.exec(traceparent)[1];
const spanOf = (traceparent) => kForm.exec(traceparent)[2];

// Of the line with which a process begins a session.
const begunBy = (lines) => lines.find((line) => line.event === 'session.started' || line.event === 'session.attached');
const ofSession = (process, session) => linesOf(process).filter((line) => line.session === session);

async function ended(fleet, session) {
  await fleet.sessionsGone();
  const processes = [fleet.gateway, ...fleet.workers];
  await waitUntil(() => processes.every((process) => logged(process, 'session.cleanup.end').some((line) => line.session === session)),
                  {ms: 5000 * patience, what: 'the last words of the session', got: () => fleet.logs()});
  return processes.map((process) => ofSession(process, session));
}

test('the trace of the client is in every line of its session, each process with a span of its own', () => withFleet({workers: 1}, async (fleet) => {
  const client = await fleet.connect({headers: {traceparent: kTraceparent}});
  await checkTurn(fleet, client);
  await client.close();
  const [gateway, worker] = await ended(fleet, client.about.session_id);
  for (const lines of [gateway, worker]) {
    assert.deepEqual(lines.filter((line) => line.trace_id !== kTrace), []);
  }
  const {traceparent: atGateway} = begunBy(gateway);
  const {parent, traceparent: atWorker} = begunBy(worker);
  assert.equal(parent, atGateway, 'the worker goes on where the gateway was');
  assert.deepEqual([atGateway, atWorker].map(traceOf), [kTrace, kTrace]);
  assert.equal(new Set([kSpan, spanOf(atGateway), spanOf(atWorker)]).size, 3);
}));

test('without a trace that can be read a session has one of its own', () => withFleet({workers: 1}, async (fleet) => {
  const given = [
    undefined, '', 'nonsense', kTraceparent.toUpperCase(), `00-${'0'.repeat(32)}-${kSpan}-01`, `00-${kTrace}-${'0'.repeat(16)}-01`, `ff-${kTrace}-${kSpan}-01`,
    `${kTraceparent}-more`, [kTraceparent, kTraceparent],
  ];
  const traces = [];
  for (const traceparent of given) {
    const client = await fleet.connect({headers: traceparent === undefined ? {} : {traceparent}});
    await client.close();
    const [gateway, worker] = await ended(fleet, client.about.session_id);
    const [{trace_id}] = gateway;
    assert.match(trace_id, /^[0-9a-f]{32}$/);
    assert.deepEqual([...new Set([...gateway, ...worker].map((line) => line.trace_id))], [trace_id], `after ${traceparent}`);
    traces.push(trace_id);
  }
  assert.equal(new Set(traces).size, given.length, 'each its own');
  assert.ok(!traces.includes(kTrace));
}));

// What the worker calls: a tool's webhook and the text model. Both see what they were sent.
async function withCallees(body) {
  const calls = {webhook: [], responses: []};
  const server = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const webhook = request.url === `/${kReserve.name}`;
      calls[webhook ? 'webhook' : 'responses'].push(request.headers.traceparent);
      response.writeHead(webhook ? 200 : 400, {'Content-Type': 'application/json'});
      response.end(webhook ? '{"reserved":true}' : '{"error":{"message":"no","type":"invalid_request_error","code":"no"}}');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await body(`http://127.0.0.1:${server.address().port}`, calls);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('webhooks and the text model are called in the trace of the session; OpenAI\'s voice is not told', () => withCallees(async (url, calls) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-traces-'));
  const options = {workers: 1, profiles: libraryProfiles(directory, url), workerFlags: [`--responses_url=${url}/v1/responses`]};
  await withFleet(options, async (fleet) => {
    await fleet.script({calls: [{tool: kReserve.name, turn: 1}]});
    const client = await fleet.connect({profile: kLibrary, headers: {traceparent: kTraceparent}});
    await client.sendText('책을 찾아 주세요.');
    await waitUntil(() => calls.webhook.length > 0, {ms: 10000 * patience, what: 'the webhook to be called', got: () => fleet.logs()});
    client.send({type: 'voicebridge.assessment.request'});
    await client.waitFor('voicebridge.assessment.failed', undefined, 20000);
    assert.deepEqual([...calls.webhook, ...calls.responses].map(traceOf), [kTrace, kTrace]);
    await client.close();
    const [gateway, worker] = await ended(fleet, client.about.session_id);
    assert.deepEqual([...gateway, ...worker].filter((line) => line.trace_id !== kTrace), []);
    for (const event of ['tool.ended', 'assessment.stored', 'assessment.claimed', 'assessment.attempt_failed', 'assessment.failed']) {
      assert.equal(worker.filter((line) => line.event === event).length, 1, event);
    }
    const spans = [kTraceparent, begunBy(gateway).traceparent, begunBy(worker).traceparent, ...calls.webhook, ...calls.responses].map(spanOf);
    assert.equal(new Set(spans).size, spans.length, 'a span of its own for each step');
    assert.ok(!JSON.stringify(await fleet.journal()).includes(kTrace));
  });
  fs.rmSync(directory, {recursive: true, force: true});
}));

test('the first and the last line of a session have what somebody on call wants to know', () => withFleet({workers: 1}, async (fleet) => {
  const client = await fleet.connect({binary: true});
  const pcm = speech(kSpokenPrompt);
  const turn = await checkTurn(fleet, client, pcm);
  await client.close();
  const [gateway, worker] = await ended(fleet, client.about.session_id);
  const only = (lines, event) => {
    const found = lines.filter((line) => line.event === event);
    assert.equal(found.length, 1, event);
    return found[0];
  };
  const started = only(gateway, 'session.started');
  assert.deepEqual([started.profile, started.wire, started.level], ['assistant', 'binary', 'info']);
  assert.equal(only(worker, 'session.attached').profile, 'assistant');

  const atGateway = only(gateway, 'session.ended');
  assert.deepEqual([atGateway.reason, atGateway.code, atGateway.profile, atGateway.workers_tried], ['client_closed', 1000, 'assistant', 1]);
  assert.equal(atGateway.worker, await fleet.workers[0].listening('grpc'));
  const atWorker = only(worker, 'session.ended');
  assert.equal(atWorker.reason, 'client_closed');
  for (const line of [atGateway, atWorker]) {
    assert.ok(line.ready_ms > 0 && line.ready_ms < line.duration_s * 1000, JSON.stringify(line));
  }
  assert.deepEqual([atGateway.bytes_from_client, atWorker.bytes_to_upstream], [pcm.length, pcm.length]);
  assert.equal(atGateway.frames_from_client, atWorker.frames_to_upstream);
  assert.ok(atGateway.frames_from_client >= Math.floor(pcm.length / 1920), JSON.stringify(atGateway));
  assert.deepEqual([atGateway.bytes_to_client, atWorker.bytes_to_gateway], [turn.audio.bytes, turn.audio.bytes]);
  assert.equal(atGateway.frames_to_client, atWorker.frames_to_gateway);
  for (const process of [fleet.gateway, fleet.workers[0]]) {
    for (const secret of [turn.text, 'I spoke for', client.about.access_token, 'test-key']) {
      assert.ok(secret.length > 0 && !process.text('err').includes(secret), `${process.name} wrote of it`);
    }
  }
}));

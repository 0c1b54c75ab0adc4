// The report of an interview by HTTP: whoever holds the session's access token reads it, also after the session and
// after the worker that wrote it, and tries a failed assessment again.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {patience, request, runBinary, waitUntil, withFleet} from './harness.mjs';

const kEnd = 20000;

// Two workers with one store.
async function withSharedStore(options, body) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-report-'));
  try {
    await withFleet({workers: 2, workerFlags: [`--store=sqlite:${dir}/store.db`], ...options}, body);
  } finally {
    fs.rmSync(dir, {recursive: true, force: true});
  }
}

function call(fleet, {session_id: id, access_token: token}, method, what) {
  const headers = token ? {Authorization: `Bearer ${token}`} : {};
  return request(`${fleet.httpUrl}/v1/sessions/${id}/${what}`, {method, headers, ms: 8000});
}

const getReport = (fleet, about) => call(fleet, about, 'GET', 'report');
const retry = (fleet, about) => call(fleet, about, 'POST', 'assessment/retry');

async function reportInState(fleet, about, state) {
  let answer;
  await waitUntil(async () => {
    answer = await getReport(fleet, about);
    return answer.status === 200 && JSON.parse(answer.body).state === state;
  }, {ms: kEnd * patience, what: `the report to be ${state}`, got: () => JSON.stringify(answer), every: 50});
  return JSON.parse(answer.body);
}

// An interview that its user ends at once.
async function interview(fleet) {
  const client = await fleet.connect({profile: 'interview'});
  client.send({type: 'voicebridge.assessment.request'});
  await client.waitFor('voicebridge.assessment.started');
  return client;
}

function nothingToldInLogs(fleet, ...secrets) {
  for (const secret of secrets) {
    assert.ok(secret.length > 10);
    assert.ok(!fleet.processes.slice(0, -1).some((process) => process.text().includes(secret)), 'no token and no report in a log');
  }
}

test('a report is read with the token of its session, from any worker, and deleted with the session', () => withSharedStore({}, async (fleet) => {
  const client = await interview(fleet);
  const told = await client.waitFor('voicebridge.assessment.completed', undefined, kEnd);
  const answer = await getReport(fleet, client.about);
  assert.equal(answer.status, 200, answer.body);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.deepEqual(JSON.parse(answer.body), {assessment_id: told.assessment_id, state: 'completed', report: told.report});

  const assistant = await fleet.connect();
  const {session_id} = client.about;
  assert.equal((await getReport(fleet, {session_id})).status, 401, 'no token');
  assert.equal((await getReport(fleet, {session_id, access_token: `${client.about.access_token}x`})).status, 401, 'a wrong one');
  assert.equal((await getReport(fleet, {session_id, access_token: assistant.about.access_token})).status, 403, 'that of another session');
  assert.equal((await getReport(fleet, assistant.about)).status, 404, 'a session without an assessment');
  assert.equal((await retry(fleet, client.about)).status, 409, 'it has not failed');

  client.socket.close();
  await client.waitForClose();
  assert.deepEqual(JSON.parse((await getReport(fleet, client.about)).body).report, told.report, 'after the session');

  const deletion = await runBinary('voicebridgectl', ['delete-session', await fleet.workers[1].listening('admin'), session_id]);
  assert.equal(deletion.code, 0, deletion.stderr);
  assert.equal((await getReport(fleet, client.about)).status, 404, 'deleted');
  nothingToldInLogs(fleet, client.about.access_token, told.report.ceiling_analysis);
}));

test('a failed assessment says why and is tried again over HTTP, after the session', () => withSharedStore({}, async (fleet) => {
  await fleet.fault('responses_garbage');
  const client = await interview(fleet);
  await client.waitFor('voicebridge.assessment.failed', undefined, kEnd);
  client.socket.close();
  await client.waitForClose();
  const failed = await reportInState(fleet, client.about, 'failed');
  assert.equal(failed.reason, 'model_output');
  assert.equal(failed.report, undefined);

  await fleet.clearFaults();
  const retried = await retry(fleet, client.about);
  assert.equal(retried.status, 202, retried.body);
  assert.deepEqual(JSON.parse(retried.body), {assessment_id: failed.assessment_id});
  const completed = await reportInState(fleet, client.about, 'completed');
  assert.equal(completed.assessment_id, failed.assessment_id);
  assert.ok(completed.report.proficiency_level);
  assert.equal((await retry(fleet, client.about)).status, 409);
}));

test('a report outlives its worker; without any worker the answer comes soon and says when to ask again', () => withSharedStore({}, async (fleet) => {
  const client = await interview(fleet);
  await client.waitFor('voicebridge.assessment.completed', undefined, kEnd);
  client.socket.close();
  await client.waitForClose();
  for (const worker of fleet.workers) {
    assert.equal((await getReport(fleet, client.about)).status, 200);
    assert.equal((await worker.stop('SIGTERM')).code, 0);
  }
  const from = performance.now();
  for (const answer of [await getReport(fleet, client.about), await retry(fleet, client.about)]) {
    assert.equal(answer.status, 503, answer.body);
    assert.equal(answer.headers['retry-after'], '1');
  }
  assert.ok(performance.now() - from < 6000 * patience);
}));

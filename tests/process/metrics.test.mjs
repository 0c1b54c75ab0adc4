// The names that dashboards and alerts rely on: a renamed metric is a visible change of a golden file.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {checkTurn, kSpokenPrompt, patience, request, root, runBinary, speech, total, waitUntil, withFleet} from './harness.mjs';
import {Authority} from './harness/authority.mjs';
import {sqliteIn} from './harness/database.mjs';
import {logged} from './harness/faults.mjs';

function golden(name) {
  return fs.readFileSync(path.join(root, 'tests/golden', name), 'utf8').trim().split('\n');
}

async function familiesOf(opsUrl) {
  const {status, body} = await request(`${opsUrl}/metrics`);
  assert.equal(status, 200);
  return [...body.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]).sort();
}

// With certificates, because a listener without one has no time left.
test('gateway and worker export exactly the metrics of their golden files', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-metrics-'));
  try {
    const authority = new Authority(directory);
    const peer = {gateway: authority.issue('gateway'), worker: authority.issue('worker')};
    await withFleet({peer}, async (fleet) => {
      assert.deepEqual(await familiesOf(fleet.ops.get(fleet.gateway)), golden('gateway_metrics.txt'));
      assert.deepEqual(await familiesOf(fleet.ops.get(fleet.workers[0])), golden('worker_metrics.txt'));
    });
  } finally {
    fs.rmSync(directory, {recursive: true, force: true});
  }
});

// A figure that is brought up to date once a second, or a moment after the client has seen what it is about.
async function becomes(fleet, process, name, expected) {
  let seen;
  const fits = typeof expected === 'function' ? expected : (value) => value === expected;
  await waitUntil(async () => {
    seen = (await fleet.metrics(process)).get(name);
    return fits(seen);
  }, {ms: 5000 * patience, every: 50, what: `${process.name}: ${name}`, got: () => seen});
  return seen;
}

test('a turn shows in states, frames, bytes and times of both processes', () => withFleet({workers: 1}, async (fleet) => {
  const [worker] = fleet.workers;
  const client = await fleet.connect();
  await becomes(fleet, fleet.gateway, 'voicebridge_gateway_sessions_by_state{state="live"}', 1);
  await becomes(fleet, worker, 'voicebridge_worker_sessions_by_state{state="live"}', 1);
  const pcm = speech(kSpokenPrompt);
  const turn = await checkTurn(fleet, client, pcm);
  const [atGateway, atWorker] = [await fleet.metrics(fleet.gateway), await fleet.metrics(worker)];
  const bytes = [
    [atGateway, 'voicebridge_gateway_audio_bytes_from_clients_total', pcm.length], [atGateway, 'voicebridge_gateway_audio_bytes_to_clients_total', turn.audio.bytes],
    [atWorker, 'voicebridge_worker_audio_bytes_to_upstream_total', pcm.length], [atWorker, 'voicebridge_worker_audio_bytes_to_gateway_total', turn.audio.bytes],
  ];
  for (const [metrics, name, expected] of bytes) {
    assert.equal(metrics.get(name), expected, name);
    assert.ok(metrics.get(name.replace('bytes', 'frames')) > 1, name);
  }
  for (const [metrics, prefix, peers] of [[atGateway, 'voicebridge_gateway', ['worker', 'client']], [atWorker, 'voicebridge_worker', ['upstream', 'gateway']]]) {
    assert.equal(metrics.get(`${prefix}_commit_to_first_audio_seconds_count`), 1, prefix);
    const seconds = metrics.get(`${prefix}_commit_to_first_audio_seconds_sum`);
    assert.ok(seconds > 0.02 && seconds < 5 * patience, `the simulator waits 30 ms, ${prefix} says ${seconds} s`);
    for (const peer of peers) {
      const name = `${prefix}_relay_seconds`;
      const frames = total(metrics, `${name}_count`, `to="${peer}"`);
      assert.ok(frames >= 1, `a frame to the ${peer} was timed`);
      assert.ok(total(metrics, `${name}_sum`, `to="${peer}"`) / frames < 0.5 * patience, name);
      assert.equal(metrics.get(`${prefix}_read_pauses_total{to="${peer}"}`), 0);
    }
    assert.ok(metrics.get(`${prefix}_loop_lag_seconds_count{shard="0"}`) > 100, 'each turn of the loop');
    assert.ok(metrics.get('process_open_fds') > 5 && metrics.get('process_open_fds') < metrics.get('process_max_fds'));
    assert.ok(metrics.get('process_resident_memory_bytes') > 1 << 20);
    assert.ok(Math.abs(metrics.get('process_start_time_seconds') - Date.now() / 1000) < 60 * patience);
  }
  assert.ok(atGateway.get('voicebridge_gateway_tasks{kind="read client"}') === 1 && atWorker.get('voicebridge_worker_tasks{kind="read upstream"}') === 1);
  await client.close();
  await fleet.sessionsGone();
  for (const state of ['connecting', 'live', 'closing']) {
    await becomes(fleet, fleet.gateway, `voicebridge_gateway_sessions_by_state{state="${state}"}`, 0);
    await becomes(fleet, worker, `voicebridge_worker_sessions_by_state{state="${state}"}`, 0);
  }
  await becomes(fleet, fleet.gateway, 'voicebridge_gateway_tasks{kind="read client"}', 0);
}));

test('each trouble that a conversation reports has a label of its own', () => withFleet({workers: 1}, async (fleet) => {
  const folder = path.join(root, 'bridge_worker/conversation');
  const sources = fs.readdirSync(folder).map((name) => fs.readFileSync(path.join(folder, name), 'utf8')).join('\n');
  const reported = [...sources.matchAll(/ReportTrouble\{\s*"([\w.]+)"/g)].map(([, event]) => event);
  assert.ok(reported.length > 5, 'they are found');
  const labels = [...(await fleet.metrics(fleet.workers[0])).keys()].map((key) => /^voicebridge_worker_troubles_total\{event="(.*)"\}$/.exec(key)?.[1]);
  assert.deepEqual(labels.filter(Boolean).sort(), [...new Set([...reported, 'others'])].sort());
}));

test('build_info names the version that --version prints', () => withFleet({workers: 1}, async (fleet) => {
  for (const [process, role] of [[fleet.gateway, 'gateway'], [fleet.workers[0], 'worker']]) {
    const [, version] = /(\d+\.\d+\.\d+)/.exec((await runBinary(`voicebridge-${role}`, ['--version'])).stdout);
    assert.equal((await fleet.metrics(process)).get(`voicebridge_${role}_build_info{version="${version}"}`), 1);
  }
}));

test('a client that does not read shows in queues and pauses, and in no other session\'s way', () => withFleet({workers: 1, refused: 'any'}, async (fleet) => {
  await fleet.fault('flood', undefined, {count: 1});
  const client = fleet.dial();
  await client.opened();
  await client.ready();
  client.stopReading();
  await fleet.queuesFull();
  const full = (value) => value > 1 << 20;
  await becomes(fleet, fleet.gateway, 'voicebridge_gateway_queued_bytes_max{to="client"}', full);
  await becomes(fleet, fleet.gateway, 'voicebridge_gateway_queued_bytes{to="client"}', full);
  await becomes(fleet, fleet.workers[0], 'voicebridge_worker_queued_bytes_max{to="gateway"}', full);
  await becomes(fleet, fleet.gateway, 'voicebridge_gateway_read_pauses_total{to="client"}', (pauses) => pauses >= 1);
  await becomes(fleet, fleet.workers[0], 'voicebridge_worker_read_pauses_total{to="gateway"}', (pauses) => pauses >= 1);
  await becomes(fleet, fleet.gateway, 'voicebridge_gateway_queued_bytes{to="worker"}', 0);
  client.terminate();
  await fleet.sessionsGone(15000);
  await becomes(fleet, fleet.gateway, 'voicebridge_gateway_queued_bytes{to="client"}', 0);
}));

async function recordsLost(opsUrl) {
  const {body} = await request(`${opsUrl}/metrics`);
  return Object.fromEntries([...body.matchAll(/^voicebridge_worker_records_lost_total\{record="(\w+)"\} (\d+)$/gm)].map(([, record, count]) => [record, Number(count)]));
}

// Voice first: a worker whose store fails goes on, so it stays ready; its metrics say what it costs.
test('what the store refuses is counted as lost and logged, and the worker serves on', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-lost-'));
  const database = sqliteIn(directory);
  try {
    await withFleet({workers: 1, workerFlags: [`--store=${database.url}`]}, async (fleet) => {
      const [worker] = fleet.workers;
      const ops = fleet.ops.get(worker);
      const none = {session: 0, assessment: 0, last_words: 0, report: 0, tool_output: 0};
      assert.deepEqual(await recordsLost(ops), none);
      const client = await fleet.connect({profile: 'interview'});
      await database.rows('DROP TABLE assessments');
      await database.rows('DROP TABLE items');
      await client.sendText('안녕하세요.');
      await waitUntil(async () => (await recordsLost(ops)).session === 1, {ms: 10000 * patience, what: 'the items to be counted as lost'});
      assert.equal(logged(worker, 'record.lost').length, 1);
      const metrics = await fleet.metrics(worker);
      assert.ok(metrics.get('voicebridge_worker_store_failures_total{failure="failed"}') >= 1);
      assert.ok(metrics.get('voicebridge_worker_store_job_seconds_count') >= 2);
      client.send({type: 'voicebridge.assessment.request'});
      const {reason, retryable} = await client.waitFor('voicebridge.assessment.failed');
      assert.deepEqual([reason, retryable, client.typesSeen().includes('voicebridge.assessment.started')], ['store_unavailable', true, false]);
      assert.deepEqual(await recordsLost(ops), {...none, session: 1, assessment: 1});
      assert.deepEqual([(await request(`${ops}/readyz`)).status, (await request(`${ops}/healthz`)).status], [200, 200]);
      await (await fleet.connect({profile: 'interview'})).sendText('또 만나요.');
    });
  } finally {
    await database.stop();
    fs.rmSync(directory, {recursive: true, force: true});
  }
});
